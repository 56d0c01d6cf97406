//! Every check of the contract on every store, each pair a test of its own:
//! `memory::create_never_overwrites`.
//!
//! ```sh
//! cargo test --test stores                                  # every store that can be reached
//! cargo test --test stores memory                           # one store
//! cargo test --test stores create_never                     # one check
//! REDIS_URL=redis://127.0.0.1:6379 cargo test --test stores redis
//! ```
//!
//! A store is a function that returns a [`Store`], and a line in [`STORES`]. It has a name and a
//! way to open it, or the reason why it is left out. Each check has a runtime of its own and
//! opens the store in it: connections do not outlive their runtime. `memory` is the shortest,
//! `redis` one whose server may be missing.
//!
//! One-time tokens, API keys, flash messages and throttles are tried on every store, too.
//!
//! A store that is left out is reported as ignored with the reason, never as passed.
#![allow(unreachable_pub, reason = "there is no outside to a test crate")]
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test may panic"
)]

mod memory;

mod mysql;
mod postgres;
mod sql;
mod sql_contract;
mod sql_database;
mod sql_errors;
mod sql_isolation;
mod sql_migrations;
mod sql_plans;
mod sql_pools;
mod sql_races;
mod sql_sizes;
mod sql_tables;
mod sql_time_zones;
mod sqlite;

mod redis;
mod redis_delete_all;
mod redis_faults;
mod redis_keys;
mod redis_proxy;
mod redis_races;
mod redis_server;
mod redis_single_keys;
mod redis_wire;
mod redis_world;

mod cached;

mod api_keys;
mod flash;
mod outage;
mod sweep_sample;
mod throttle;
mod tokens;
mod user;

#[path = "../folder/mod.rs"]
mod folder;
#[path = "../app/support/mod.rs"]
#[allow(dead_code, reason = "made for the tests of applications")]
mod support;
#[path = "../sweep/mod.rs"]
#[allow(
    dead_code,
    unused_imports,
    reason = "its own tests are those of applications"
)]
mod sweep;

use std::{io, pin::Pin, process::ExitCode, sync::Arc, time::Duration};

use libtest_mimic::{Arguments, Completion, Failed, Trial};
use login_manager::{
    BoxError, CachedStore, SessionStore,
    testing::{StoreCheck, store_checks},
};
use tokio::runtime::{self, Runtime};

/// A store is added here.
const STORES: &[fn() -> Store] = &[
    memory::store,
    sqlite::store,
    sqlite::in_memory,
    postgres::store,
    postgres::serializable,
    mysql::store,
    redis::store,
    redis::cluster,
    cached::over_memory,
    cached::over_sqlite,
    cached::over_postgres,
    cached::over_mysql,
    cached::over_redis,
];

/// Tests of some stores beyond the contract.
const MORE: &[fn() -> Vec<Trial>] = &[
    sql_errors::trials,
    sql_isolation::trials,
    sql_migrations::trials,
    sql_plans::trials,
    sql_pools::trials,
    sql_races::trials,
    sql_sizes::trials,
    sql_tables::trials,
    sql_time_zones::trials,
    sqlite::trials,
    redis_keys::trials,
    redis_races::trials,
    redis_faults::trials,
    redis_single_keys::trials,
    redis_delete_all::trials,
    redis_proxy::trials,
    sweep_sample::trials,
];

/// One store, and how to open it.
#[derive(Clone)]
pub(crate) struct Store {
    name: &'static str,
    clears_up_itself: bool,
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
            clears_up_itself: false,
            open: Ok(Arc::new(open)),
        }
    }

    pub(crate) fn left_out(name: &'static str, reason: impl Into<String>) -> Self {
        Self {
            name,
            clears_up_itself: false,
            open: Err(reason.into()),
        }
    }

    /// Its server removes expired records, and `delete_expired` always returns 0.
    pub(crate) fn that_clears_up_itself(self) -> Self {
        Self {
            clears_up_itself: true,
            ..self
        }
    }

    /// The same behind a cache that would serve a stale entry for an hour.
    pub(crate) fn cached(self, name: &'static str) -> Self {
        let open = self.open.map(|open| -> Arc<Open> {
            Arc::new(move || {
                let opening = open();
                Box::pin(async {
                    let store = CachedStore::new(opening.await?, Duration::from_secs(60 * 60));
                    Ok(Arc::new(store) as Arc<dyn SessionStore>)
                })
            })
        });
        Self { name, open, ..self }
    }

    /// What is built on sessions and records, in this store.
    fn trial_of_part<F>(self, name: &str, work: fn(Arc<dyn SessionStore>) -> F) -> Trial
    where
        F: Future<Output = ()> + 'static,
    {
        let name = format!("{}::{name}", self.name);
        Trial::ignorable_test(name, move || {
            let open = match self.open {
                Ok(open) => open,
                Err(reason) => return Ok(Completion::ignored_with(reason)),
            };
            runtime()?.block_on(async {
                let store = open()
                    .await
                    .map_err(|error| format!("it can't be opened: {error}"))?;
                work(store).await;
                Ok(Completion::Completed)
            })
        })
    }

    fn trials_of_parts(self) -> [Trial; 5] {
        [
            self.clone()
                .trial_of_part("one_time_tokens_work", tokens::work),
            self.clone().trial_of_part("api_keys_work", api_keys::work),
            self.clone()
                .trial_of_part("flash_messages_work", flash::work),
            self.clone()
                .trial_of_part("nothing_is_accepted_or_lost_in_an_outage", outage::work),
            self.trial_of_part("of_200_parallel_guesses_ten_are_checked", throttle::work),
        ]
    }

    fn trial(self, check: StoreCheck) -> Trial {
        let name = format!("{}::{}", self.name, check.name());
        if self.clears_up_itself && check.needs_delete_expired() {
            let reason = "this store removes expired records by itself";
            return Trial::ignorable_test(name, move || Ok(Completion::ignored_with(reason)));
        }
        Trial::ignorable_test(name, move || match self.open {
            Ok(open) => run(&*open, check),
            Err(reason) => Ok(Completion::ignored_with(reason)),
        })
    }
}

/// With threads of its own for each check, for the races.
fn run(open: &Open, check: StoreCheck) -> Result<Completion, Failed> {
    runtime()?.block_on(async {
        let store = open()
            .await
            .map_err(|error| format!("it can't be opened: {error}"))?;
        check.run(store).await?;
        Ok(Completion::Completed)
    })
}

/// What is to be tried on Redis beyond the contract, on a server of its own.
pub(crate) fn trial_on_redis<F>(name: &str, test: fn() -> F) -> Trial
where
    F: Future<Output = ()> + 'static,
{
    Trial::ignorable_test(format!("redis_server::{name}"), move || {
        if let Some(reason) = redis_server::missing() {
            return Ok(Completion::ignored_with(reason));
        }
        runtime()?.block_on(test());
        Ok(Completion::Completed)
    })
}

fn runtime() -> io::Result<Runtime> {
    runtime::Builder::new_multi_thread()
        .worker_threads(4)
        .enable_all()
        .build()
}

fn main() -> ExitCode {
    let trials = STORES
        .iter()
        .map(|store| store())
        .flat_map(|store| store_checks().map(move |check| store.clone().trial(check)))
        .chain(STORES.iter().flat_map(|store| store().trials_of_parts()))
        .chain(MORE.iter().flat_map(|trials| trials()))
        .collect();
    let conclusion = libtest_mimic::run(&Arguments::from_args(), trials);
    redis::clean_up();
    conclusion.exit_code()
}
