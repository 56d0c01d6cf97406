//! Parallel guesses are counted like successive ones.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering::SeqCst},
};

use login_manager::{LoginManager, throttle::Attempt};

use super::{attempt, fail};
use crate::support::{
    faulty_store::Call,
    faulty_store::When,
    world::{Accounts, World},
};

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_200_parallel_guesses_ten_are_checked() {
    let world = World::new();
    world.store.be_remote();
    let throttle = world.manager.throttle().free(10);
    let hashes = Arc::new(AtomicUsize::new(0));
    let guesses = (0..200).map(|_| {
        let (throttle, hashes) = (throttle.clone(), Arc::clone(&hashes));
        tokio::spawn(async move {
            if let Attempt::Permit(_failed) = throttle.attempt("alice").await.unwrap() {
                hashes.fetch_add(1, SeqCst);
            }
        })
    });
    for guess in guesses.collect::<Vec<_>>() {
        guess.await.unwrap();
    }
    assert_eq!(hashes.load(SeqCst), 10);
    assert_eq!(throttle.failures(), 10);
}

/// Guess B reads the count before guess A writes it.
#[tokio::test]
async fn guess_that_read_an_old_count_is_counted_again() {
    let world = World::new();
    let throttle = world.manager.throttle().free(2);
    let gate = world.store.gate(Call::LoadFresh, When::After);
    let b = {
        let throttle = throttle.clone();
        tokio::spawn(async move { attempt(&throttle, "alice").await.map(|p| p.failures()) })
    };
    gate.reached().await;
    fail(&throttle, "alice", 1).await;
    gate.open();
    assert_eq!(b.await.unwrap(), Ok(1));
    assert!(attempt(&throttle, "alice").await.is_err());
}

#[tokio::test]
async fn nodes_with_one_store_share_the_count() {
    let world = World::new();
    let node = || {
        LoginManager::new(world.store.clone(), Accounts::new())
            .with_clock(&world.clock)
            .throttle()
    };
    let (one, two) = (node(), node());
    fail(&one, "alice", 3).await;
    fail(&two, "alice", 2).await;
    assert!(attempt(&one, "alice").await.is_err());
    assert!(attempt(&two, "alice").await.is_err());
}

#[tokio::test]
async fn guess_whose_client_hangs_up_is_counted() {
    let world = World::new();
    let throttle = world.manager.throttle().free(2);
    let gate = world.store.gate(Call::Create, When::After);
    let guess = {
        let throttle = throttle.clone();
        tokio::spawn(async move { attempt(&throttle, "alice").await.is_ok() })
    };
    gate.reached().await;
    guess.abort();
    assert!(guess.await.unwrap_err().is_cancelled());
    fail(&throttle, "alice", 1).await;
    assert!(attempt(&throttle, "alice").await.is_err());
}
