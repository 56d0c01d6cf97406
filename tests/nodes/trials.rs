//! One trial for each kind of store.

use std::time::Duration;

use libtest_mimic::{Completion, Trial};
use tokio::{
    runtime,
    time::{Instant, sleep},
};

use crate::place::{Kind, Place};

/// `trials![Kind::SERVERS => this, that]`: each function, on each kind, under its own name.
macro_rules! trials {
    ($($kinds:expr => $($test:ident),+;)+) => {
        [$($(crate::trials::on(&$kinds, stringify!($test), $test)),+),+]
            .into_iter()
            .flatten()
            .collect()
    };
}
pub(crate) use trials;

pub fn on<F>(kinds: &[Kind], name: &'static str, test: fn(Place) -> F) -> Vec<Trial>
where
    F: Future<Output = ()> + 'static,
{
    let trial = |kind: &Kind| {
        let kind = *kind;
        Trial::ignorable_test(format!("{}::{name}", kind.name()), move || {
            if let Err(reason) = kind.url() {
                return Ok(Completion::ignored_with(reason));
            }
            let runtime = runtime::Builder::new_multi_thread()
                .worker_threads(2)
                .enable_all()
                .build()?;
            runtime.block_on(async { test(Place::make(kind).await).await });
            Ok(Completion::Completed)
        })
    };
    kinds.iter().map(trial).collect()
}

/// Waits until a condition is true.
pub async fn eventually<F>(what: &str, is_so: impl FnMut() -> F)
where
    F: Future<Output = bool>,
{
    eventually_within(Duration::from_secs(5), what, is_so).await;
}

pub async fn eventually_within<F>(patience: Duration, what: &str, mut is_so: impl FnMut() -> F)
where
    F: Future<Output = bool>,
{
    let began = Instant::now();
    while began.elapsed() < patience {
        if is_so().await {
            return;
        }
        sleep(Duration::from_millis(5)).await;
    }
    panic!("it never came true that {what}");
}
