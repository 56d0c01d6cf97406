//! Password checks as in a login form.

use std::{future::poll_fn, pin::pin, task::Poll, time::Duration};

use login_manager::{Passwords, password::Argon2Cost, password::PasswordError};

#[tokio::test]
async fn passwords_have_no_composition_rules_and_do_not_expire() {
    let passwords = Passwords::default();
    // Short, uniform and common passwords are accepted.
    for password in ["a", "0000", "password", "💡"] {
        let stored = passwords.hash(password).await.unwrap();
        let verdict = passwords.verify(password, Some(&stored)).await.unwrap();
        assert!(verdict.is_valid(), "{password:?}");
        assert!(
            !verdict.needs_rehash(),
            "nothing but its cost makes a hash old"
        );
    }
}

#[tokio::test]
async fn unknown_and_wrong_are_both_checked_off_the_async_threads() {
    let passwords = Passwords::new()
        .with_max_concurrent(1.try_into().unwrap())
        .with_max_wait(Duration::ZERO);
    let stored = passwords.hash("wonderland").await.unwrap();
    for known in [None, Some(&*stored)] {
        // If the work ran on this one thread, no caller would ever find the slot taken.
        let mut first = pin!(passwords.verify("builder", known));
        assert!(poll_fn(|cx| Poll::Ready(first.as_mut().poll(cx).is_pending())).await);
        let second = passwords.verify("builder", known).await;
        assert!(matches!(second, Err(PasswordError::Busy)), "{second:?}");
        let verdict = first.await.unwrap();
        assert!(!verdict.is_valid() && !verdict.needs_rehash());
    }
    assert!(
        passwords
            .verify("wonderland", Some(&stored))
            .await
            .unwrap()
            .is_valid()
    );

    let dearer = Passwords::new()
        .with_cost(Argon2Cost::new(19_456, 3, 1))
        .unwrap();
    let verdict = dearer.verify("wonderland", Some(&stored)).await.unwrap();
    assert!(verdict.is_valid() && verdict.needs_rehash());
    let verdict = dearer.verify("builder", Some(&stored)).await.unwrap();
    assert!(!verdict.is_valid() && !verdict.needs_rehash());
}

#[test]
fn password_error_converts_to_a_response_without_axum() {
    for (error, status) in [
        (PasswordError::Busy, 503),
        (PasswordError::Empty, 422),
        (PasswordError::TooLong { limit: 4096 }, 422),
        (PasswordError::Panicked, 500),
    ] {
        let response = error.response();
        assert_eq!(response.status(), status, "{error}");
        let retry = response.headers().contains_key("retry-after");
        assert_eq!(retry, status == 503, "{error}");
        assert!(response.body().is_empty(), "{error}");
    }
}
