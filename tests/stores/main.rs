//! Every store, put to every check of the contract, each pair a test of its own: `memory::a6_create_never_overwrites`.
//!
//! ```sh
//! cargo test --test stores                                  # all that can be reached
//! cargo test --test stores memory                           # one store
//! cargo test --test stores a6_create                        # one check
//! ```
//!
//! A store is a module here that has one function, `store`, and a line in [`STORES`]. It says its name, why it is left out
//! if it is, and how to open it. Each check has a runtime of its own and opens the store in it: connections don't outlive
//! their runtime.
//!
//! ```ignore
//! pub(crate) fn store() -> Store {
//!     match env::var("REDIS_URL") {
//!         Ok(url) => Store::new("redis", move || {
//!             let url = url.clone();
//!             async move { Ok(RedisStore::connect(&url).await?) }
//!         }),
//!         Err(_) => Store::left_out("redis", "REDIS_URL isn't set"),
//!     }
//! }
//! ```
//!
//! What is left out is reported as ignored with the reason, never as passed.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test ends where it is surprised"
)]

mod memory;
mod mysql;
mod postgres;
mod sqlite;

mod sql;
mod sql_contract;
mod sql_database;
mod sql_errors;
mod sql_migrations;
mod sql_plans;
mod sql_pools;
mod sql_races;
mod sql_tables;
mod sql_time_zones;

use std::{pin::Pin, process::ExitCode, sync::Arc};

use libtest_mimic::{Arguments, Completion, Failed, Trial};
use login_manager::{
    BoxError, SessionStore,
    testing::{StoreCheck, store_checks},
};
use tokio::runtime;

/// A store is added here.
const STORES: &[fn() -> Store] = &[
    memory::store,
    sqlite::store,
    sqlite::in_memory,
    postgres::store,
    postgres::serializable,
    mysql::store,
];

/// What only some stores have to show.
const MORE: &[fn() -> Vec<Trial>] = &[
    sql_errors::trials,
    sql_migrations::trials,
    sql_plans::trials,
    sql_pools::trials,
    sql_races::trials,
    sql_tables::trials,
    sql_time_zones::trials,
];

/// One store, and how to come by it.
#[derive(Clone)]
pub(crate) struct Store {
    name: &'static str,
    open: Result<Arc<Open>, String>,
}

type Open = dyn Fn() -> Pin<Box<dyn Future<Output = Result<Arc<dyn SessionStore>, BoxError>>>>
    + Send
    + Sync;

impl Store {
    pub(crate) fn new<S, F>(
        name: &'static str,
        open: impl Fn() -> F + Send + Sync + 'static,
    ) -> Self
    where
        S: SessionStore,
        F: Future<Output = Result<S, BoxError>> + 'static,
    {
        let open = move || -> Pin<Box<dyn Future<Output = _>>> {
            let opening = open();
            Box::pin(async { Ok(Arc::new(opening.await?) as Arc<dyn SessionStore>) })
        };
        Self {
            name,
            open: Ok(Arc::new(open)),
        }
    }

    #[allow(dead_code, reason = "for a store whose server may be missing")]
    pub(crate) fn left_out(name: &'static str, reason: impl Into<String>) -> Self {
        Self {
            name,
            open: Err(reason.into()),
        }
    }

    fn trial(self, check: StoreCheck) -> Trial {
        let name = format!("{}::{}", self.name, check.name());
        Trial::ignorable_test(name, move || match self.open {
            Ok(open) => run(&*open, check),
            Err(reason) => Ok(Completion::ignored_with(reason)),
        })
    }
}

/// Threads of its own for each check: without them a race is none.
fn run(open: &Open, check: StoreCheck) -> Result<Completion, Failed> {
    let runtime = runtime::Builder::new_multi_thread()
        .worker_threads(4)
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let store = open()
            .await
            .map_err(|error| format!("it can't be opened: {error}"))?;
        check.run(store).await?;
        Ok(Completion::Completed)
    })
}

fn main() -> ExitCode {
    let trials = STORES
        .iter()
        .map(|store| store())
        .flat_map(|store| store_checks().map(move |check| store.clone().trial(check)))
        .chain(MORE.iter().flat_map(|trials| trials()))
        .collect();
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}
