//! What the tests share: a browser, an application, a store that fails on command, events, logs.

pub mod browser;
pub mod doors;
pub mod events;
pub mod faulty_store;
pub mod log;
pub mod routes;
pub mod world;

/// Lets every spawned task run until it waits for something else than its turn.
pub async fn settle() {
    for _ in 0..256 {
        tokio::task::yield_now().await;
    }
}
