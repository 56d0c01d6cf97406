//! Tasks that start at the same moment.

use std::sync::Arc;

use tokio::{sync::Barrier, task::JoinSet};

use super::outcome::{Broken, why};

/// The number of tasks in a race.
pub(super) const RACERS: usize = 64;

/// Runs a task for each item. All start at one signal. Returns their results in the order of the
/// items.
pub(super) async fn together<I, T, F>(
    items: impl IntoIterator<Item = I, IntoIter: ExactSizeIterator>,
    task: impl Fn(I) -> F,
) -> Result<Vec<T>, Broken>
where
    T: Send + 'static,
    F: Future<Output = Result<T, Broken>> + Send + 'static,
{
    let items = items.into_iter();
    let signal = Arc::new(Barrier::new(items.len()));
    let mut tasks = JoinSet::new();
    for (number, item) in items.enumerate() {
        let (signal, task) = (Arc::clone(&signal), task(item));
        tasks.spawn(async move {
            signal.wait().await;
            task.await.map(|found| (number, found))
        });
    }
    let mut found = Vec::new();
    while let Some(joined) = tasks.join_next().await {
        found.push(joined.map_err(why)??);
    }
    found.sort_by_key(|(number, _)| *number);
    Ok(found.into_iter().map(|(_, found)| found).collect())
}
