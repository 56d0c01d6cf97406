//! Passwords as a login form uses them.

use std::{future::poll_fn, pin::pin, task::Poll, time::Duration};

use login_manager::{Passwords, password::Argon2Cost, password::PasswordError};

#[tokio::test]
async fn i5_any_password_will_do_and_none_grows_old() {
    let passwords = Passwords::default();
    // Short, of one kind, common: none is refused for what it is made of.
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
async fn p43_unknown_and_wrong_are_one_answer_off_the_async_threads() {
    let passwords = Passwords::new()
        .with_max_concurrent(1.try_into().unwrap())
        .with_max_wait(Duration::ZERO);
    let stored = passwords.hash("wonderland").await.unwrap();
    for known in [None, Some(&*stored)] {
        // On this one thread nobody would ever be told that the place is taken, were the work done on it.
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
fn a_password_error_is_a_response_without_axum() {
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
