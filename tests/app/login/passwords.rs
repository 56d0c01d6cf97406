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

/// scrypt with 32 MiB takes the memory of two hashes of 19 MiB, and so two slots.
#[tokio::test]
async fn hash_that_needs_more_memory_takes_more_slots() {
    let passwords = Passwords::new()
        .with_max_concurrent(2.try_into().unwrap())
        .with_max_wait(Duration::ZERO);
    let own = passwords.hash("wonderland").await.unwrap();
    // Werkzeug 3.1.9.
    let scrypt = "scrypt:32768:8:1$aLhj10PPKxjVksGs$4119d1b012b52b311a4371510e8fe145b9692c5806b521379a74aee0bff17743906306fd8c985b544a2d9acd25d9f4d4b86103243bf3e6edf0a8494c5e74ae5a";
    for (stored, leaves_a_slot) in [(&*own, true), (scrypt, false)] {
        let mut first = pin!(passwords.verify("wonderland", Some(stored)));
        assert!(poll_fn(|cx| Poll::Ready(first.as_mut().poll(cx).is_pending())).await);
        let second = passwords.verify("builder", None).await;
        let is_busy = matches!(second, Err(PasswordError::Busy));
        assert_ne!(is_busy, leaves_a_slot, "{stored}");
        let verdict = first.await.unwrap();
        assert!(verdict.is_valid(), "{stored}");
        assert_eq!(verdict.needs_rehash(), stored == scrypt, "{stored}");
    }
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
