//! Many concurrent logins delay no other request.

use login_manager::Passwords;
use tokio::task::JoinSet;

use crate::support::world::{HOUR, World};

/// On one thread: if passwords were checked on it, no other request would be served before the last
/// one.
#[tokio::test]
async fn password_checks_block_no_other_request() {
    let mut world = World::new();
    world.browser.post("/login/alice").await;
    let passwords = Passwords::new()
        .with_max_concurrent(1.try_into().unwrap())
        .with_max_wait(HOUR);
    let mut storm = JoinSet::new();
    for _ in 0..4 {
        let passwords = passwords.clone();
        storm.spawn(async move { passwords.verify("guess", None).await.unwrap() });
    }
    for _ in 0..20 {
        tokio::task::yield_now().await; // every login of the storm has begun
        assert_eq!(world.browser.get("/who").await.body, "alice");
    }
    let done = std::iter::from_fn(|| storm.try_join_next()).count();
    assert!(done < 4, "the requests waited for the passwords");
    for verdict in storm.join_all().await {
        assert!(!verdict.is_valid());
    }
}
