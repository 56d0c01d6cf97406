//! What counts as one name, and that a name tells nothing.

use super::{attempt, attempt_from, fail};
use crate::support::{faulty_store::Call, world::World};

#[tokio::test]
async fn white_space_and_case_make_no_other_name() {
    let spellings = [" alice", "alice\t", "\u{a0}Alice\u{3000}", "ALICE", "alice"];
    let throttle = World::new().manager.throttle();
    for spelling in spellings {
        fail(&throttle, spelling, 1).await;
    }
    assert!(attempt(&throttle, "alice").await.is_err());
    assert!(attempt(&throttle, "alic").await.is_ok());
}

#[tokio::test]
async fn at_most_1_kib_of_a_name_is_read() {
    let world = World::new();
    let throttle = world.manager.throttle().free(1);
    let long = "é".repeat(512);
    fail(&throttle, &long, 1).await;
    assert!(attempt(&throttle, &format!("{long}x")).await.is_err());
    let odd = format!("a{long}");
    fail(&throttle, &odd, 1).await;
    assert!(attempt(&throttle, &odd).await.is_err());
    let padded = format!("{}{long}", " ".repeat(5000));
    assert!(attempt(&throttle, &padded).await.is_err());
    let huge = "x".repeat(10_000_000);
    fail(&throttle, &huge, 1).await;
    for record in world.store.inner.records() {
        assert!(record.payload.len() < 64);
        assert!(record.owner.unwrap().len() < 128);
    }
}

#[tokio::test]
async fn each_kind_counts_by_itself() {
    let world = World::new();
    let login = world.manager.throttle();
    let codes = world.manager.throttle().named("totp");
    fail(&login, "alice", 5).await;
    fail(&codes, "alice", 5).await;
    login.clear("alice").await.unwrap();
    assert!(attempt(&codes, "alice").await.is_err());
    assert!(attempt(&login, "alice").await.is_ok());
}

#[tokio::test]
async fn each_realm_counts_by_itself() {
    let world = World::new();
    let admins = world.manager.clone().with_realm("admin").throttle();
    fail(&world.manager.throttle(), "alice", 5).await;
    fail(&admins, "alice", 5).await;
}

/// The throttle doesn't know which names exist, so this tells of its calls only.
#[tokio::test]
async fn any_two_names_have_equal_answers_and_store_calls() {
    let world = World::new();
    let throttle = world.manager.throttle();
    let mut seen = Vec::new();
    for name in ["alice", "no-such-user"] {
        let address = (name == "alice").then_some("192.0.2.1");
        let address = address.or(Some("192.0.2.2"));
        world.store.take_calls();
        let mut answers = Vec::new();
        for _ in 0..7 {
            let answer = attempt_from(&throttle, name, address).await;
            answers.push((
                answer.map(|permit| permit.failures()),
                world.store.take_calls(),
            ));
        }
        seen.push(answers);
    }
    assert_eq!(seen[0], seen[1]);
}

#[tokio::test]
async fn guess_costs_two_store_calls_for_each_lane() {
    use Call::{Create, Delete, LoadFresh, Update};
    let world = World::new();
    let throttle = world.manager.throttle();
    let address = Some("192.0.2.1");
    let first = attempt_from(&throttle, "alice", address).await;
    assert_eq!(
        world.store.take_calls(),
        [LoadFresh, Create, LoadFresh, Create]
    );
    let other = attempt_from(&throttle, "bob", address).await;
    assert_eq!(
        world.store.take_calls(),
        [LoadFresh, Update, LoadFresh, Create]
    );
    let again = attempt_from(&throttle, "alice", address).await;
    assert_eq!(world.store.take_calls(), [LoadFresh, LoadFresh, Update]);
    drop((first, other));
    assert_eq!(world.store.take_calls(), [], "a failure costs nothing more");
    again.unwrap().succeeded().await.unwrap();
    assert_eq!(world.store.take_calls(), [Delete]);
    fail(&throttle, "alice", 5).await;
    world.store.take_calls();
    assert!(attempt(&throttle, "alice").await.is_err());
    assert_eq!(world.store.take_calls(), [LoadFresh]);
}
