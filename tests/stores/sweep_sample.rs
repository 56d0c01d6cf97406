//! Two concurrent verbs of one browser, a sample of the cases of the tests of applications, on
//! every store that can be reached.

use std::{env, thread};

use libtest_mimic::{Completion, Trial};
use login_manager::{BoxError, SessionStore};

use crate::{
    redis,
    sql::{Database, on_each},
    sweep::run_sample,
};

const NAME: &str = "concurrent_verbs_are_consistent";

pub(crate) fn trials() -> Vec<Trial> {
    let mut trials = on_each(NAME, on_database);
    trials.push(Trial::ignorable_test(format!("redis::{NAME}"), || {
        let Ok(url) = env::var("REDIS_URL") else {
            return Ok(Completion::ignored_with(redis::UNSET));
        };
        run(async move { redis::open_apart(&url, "sweep:").await });
        Ok(Completion::Completed)
    }));
    trials
}

async fn on_database(database: Database) {
    run(async { Ok(database.store().await.shared()) });
}

/// On a thread outside any runtime.
fn run<S: SessionStore>(opening: impl Future<Output = Result<S, BoxError>> + Send) {
    thread::scope(|scope| {
        let sweep = scope.spawn(|| run_sample(opening));
        sweep.join().unwrap();
    });
}
