//! Parallel guesses of a throttle, on every store that can be reached.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering::SeqCst},
};

use login_manager::{LoginManager, SessionStore, throttle::Attempt};

use crate::support::world::{Account, Accounts};

const GUESSES: usize = 200;
const LIMIT: usize = 10;

/// From two nodes.
pub(crate) async fn work(store: Arc<dyn SessionStore>) {
    let node = || {
        let manager = LoginManager::<Account>::new(Arc::clone(&store), Accounts::new());
        manager.throttle().named("parallel").free(LIMIT)
    };
    let (one, two) = (node(), node());
    one.clear("alice").await.unwrap();
    let hashes = Arc::new(AtomicUsize::new(0));
    let guesses = (0..GUESSES).map(|n| {
        let throttle = [&one, &two][n % 2].clone();
        let hashes = Arc::clone(&hashes);
        tokio::spawn(async move {
            // A guess that the store does not answer in time is not checked either.
            if let Ok(Attempt::Permit(_failed)) = throttle.attempt("alice").await {
                hashes.fetch_add(1, SeqCst);
            }
        })
    });
    for guess in guesses.collect::<Vec<_>>() {
        guess.await.unwrap();
    }
    assert!((1..=LIMIT).contains(&hashes.load(SeqCst)), "{hashes:?}");
    one.clear("alice").await.unwrap();
}
