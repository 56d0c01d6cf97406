//! Parallel guesses of a throttle, on every store that can be reached.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering::SeqCst},
};

use libtest_mimic::{Completion, Trial};
use login_manager::{LoginManager, SessionStore, throttle::Attempt};

use crate::{
    STORES, runtime,
    support::world::{Account, Accounts},
};

const GUESSES: usize = 200;
const LIMIT: usize = 10;

pub(crate) fn trials() -> Vec<Trial> {
    STORES
        .iter()
        .map(|store| {
            let store = store();
            let name = format!("{}::of_200_parallel_guesses_ten_are_checked", store.name);
            Trial::ignorable_test(name, move || {
                let open = match store.open {
                    Ok(open) => open,
                    Err(reason) => return Ok(Completion::ignored_with(reason)),
                };
                runtime()?.block_on(async {
                    let store = open()
                        .await
                        .map_err(|error| format!("it can't be opened: {error}"))?;
                    guess_in_parallel(store).await;
                    Ok(Completion::Completed)
                })
            })
        })
        .collect()
}

/// From two nodes.
async fn guess_in_parallel(store: Arc<dyn SessionStore>) {
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
