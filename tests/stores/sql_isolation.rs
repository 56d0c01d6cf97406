//! Levels of isolation: what takes a record's place at the moment of a logout is caught at each.

use std::{sync::Arc, time::Duration};

use libtest_mimic::Trial;
use login_manager::{
    SessionStore,
    store::{Created, Page, Record, RecordKey, Replaced, Which},
    testing::store_checks,
};
use sqlx::{MySqlPool, PgPool};
use tokio::{task::JoinHandle, time::sleep};

use crate::sql::{Database, Kind, NOW, Opening, Pool, on, record};

const SERVERS: [Kind; 2] = [Kind::Postgres, Kind::MySql];
/// How often a test looks who waits for whom before it fails.
const LOOKS: usize = 200;
/// MySQL shows what it showed before to whoever looks again within a tenth of a second.
const BETWEEN: Duration = Duration::from_millis(130);

pub(crate) fn trials() -> Vec<Trial> {
    let mut trials = on(
        &SERVERS,
        "what_is_promised_of_replaced_records_holds_at_any_isolation",
        what_is_promised_of_replaced_records_holds_at_any_isolation,
    );
    trials.extend(on(
        &SERVERS,
        "p16_a_delete_all_catches_a_row_that_moves_behind_it",
        p16_a_delete_all_catches_a_row_that_moves_behind_it,
    ));
    trials
}

/// What each connection begins with.
fn levels(kind: Kind) -> [&'static str; 3] {
    match kind {
        Kind::MySql => [
            "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED",
            "SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ",
            "SET SESSION TRANSACTION ISOLATION LEVEL SERIALIZABLE",
        ],
        _ => [
            "SET default_transaction_isolation = 'read committed'",
            "SET default_transaction_isolation = 'repeatable read'",
            "SET default_transaction_isolation = 'serializable'",
        ],
    }
}

async fn pool_at(database: &Database, level: &'static str) -> Pool {
    let opening = Opening {
        first: Some(level),
        ..Opening::default()
    };
    let pool = database.pool(opening).await.unwrap();
    pool.store().migrate().await.unwrap();
    pool
}

async fn what_is_promised_of_replaced_records_holds_at_any_isolation(database: Database) {
    let is_meant = |name: &str| {
        let words = ["replace", "renewed", "revives"];
        words.iter().any(|word| name.contains(word))
    };
    for level in levels(database.kind()) {
        let store = pool_at(&database, level).await.store().shared();
        for check in store_checks().filter(|check| is_meant(check.name())) {
            let kept = check.run(Arc::clone(&store)).await;
            assert_eq!(kept, Ok(()), "{} at {level}", check.name());
        }
    }
}

/// The deletion has passed the place where the row goes, and waits for another one before it comes to where the row was.
async fn p16_a_delete_all_catches_a_row_that_moves_behind_it(database: Database) {
    for level in levels(database.kind()) {
        let pool = pool_at(&database, level).await;
        let store = pool.store().shared();
        if database.kind() == Kind::Postgres {
            pool.run(COUNT_TRIES).await;
        }
        for (from, to) in [(0x80, 0x00), (0x80, 0x20), (0x00, 0x80), (0x20, 0x80)] {
            let [moved, held, new] = [from, 0x40, to].map(|byte| Record {
                key: RecordKey::from_bytes([byte; 32]),
                ..record(Some("somebody"))
            });
            // The held one first: where nothing else settles the order, the deletion comes to it first.
            for record in [&held, &moved] {
                let created = store.create(record.clone()).await.unwrap();
                assert_eq!(created, Created::Done);
            }
            let keys = [moved.key, held.key, new.key];
            let (logout, renewal) = match &pool {
                Pool::Postgres(pool) => behind_postgres(pool, &store, &moved, &held, new).await,
                Pool::MySql(pool) => behind_mysql(pool, &store, &moved, &held, new).await,
                Pool::Sqlite(_) => unreachable!("it has one writer at a time"),
            };
            let deleted = logout.await.unwrap();
            let renewed = renewal.await.unwrap();
            let when = format!("{from} to {to} at {level}, {renewed:?}");
            assert_ne!(renewed, Replaced::Conflict, "{when}");
            // It waits for nobody but who has this very row, and the deletion hasn't come to it.
            if database.kind() == Kind::Postgres && from > 0x40 {
                assert_eq!(renewed, Replaced::Done, "{when}");
            }
            assert_eq!(deleted, 2, "{when}");
            for key in keys {
                assert_eq!(store.load(&key).await.unwrap(), None, "{when}");
            }
            let page = Page {
                after: None,
                limit: 9,
            };
            let left = store.list("somebody", page, NOW).await.unwrap();
            assert_eq!(left, [], "{when}");
        }
        if database.kind() == Kind::Postgres {
            // Four times. Who renews without a pause can't have it undone over and over.
            let tries = pool.texts("SELECT last_value::text FROM tries").await;
            assert_eq!(tries, ["4"], "{level}");
        }
    }
}

/// A sequence goes on even where the statement is undone.
const COUNT_TRIES: &str = "
DROP SEQUENCE IF EXISTS tries;
CREATE SEQUENCE tries;
CREATE OR REPLACE FUNCTION count_try() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN PERFORM nextval('tries'); RETURN NULL; END $$;
CREATE OR REPLACE TRIGGER count_tries BEFORE DELETE ON login_sessions
    FOR EACH STATEMENT EXECUTE FUNCTION count_try();
";

type Both = (JoinHandle<u64>, JoinHandle<Replaced>);
type Shared = Arc<dyn SessionStore>;

fn log_out(store: &Shared) -> JoinHandle<u64> {
    let store = Arc::clone(store);
    tokio::spawn(async move { store.delete_all("somebody", Which::All).await.unwrap() })
}

fn renew(store: &Shared, old: &Record, new: Record) -> JoinHandle<Replaced> {
    let (store, old) = (Arc::clone(store), old.key);
    tokio::spawn(async move { store.replace(&old, 0, new).await.unwrap() })
}

/// Holds a row, lets the deletion run into it, then the renewal, and lets the row go.
macro_rules! behind {
    ($name:ident, $pool:ty, $hold:literal, $waiting:literal) => {
        async fn $name(
            pool: &$pool,
            store: &Shared,
            moved: &Record,
            held: &Record,
            new: Record,
        ) -> Both {
            let mut holder = pool.begin().await.unwrap();
            sqlx::query($hold)
                .bind(held.key.as_bytes().as_slice())
                .fetch_one(&mut *holder)
                .await
                .unwrap();
            let waiting =
                async || -> i64 { sqlx::query_scalar($waiting).fetch_one(pool).await.unwrap() };
            let logout = log_out(store);
            let mut looks = 0..LOOKS;
            while waiting().await == 0 {
                looks.next().expect("the deletion runs into the row");
                sleep(BETWEEN).await;
            }
            let renewal = renew(store, moved, new);
            // Either it is through, or it waits for the deletion.
            while !renewal.is_finished() && waiting().await < 2 {
                looks.next().expect("the renewal comes to something");
                sleep(BETWEEN).await;
            }
            holder.rollback().await.unwrap();
            (logout, renewal)
        }
    };
}

behind!(
    behind_postgres,
    PgPool,
    "SELECT 1 FROM login_sessions WHERE record_key = $1 FOR UPDATE",
    "SELECT count(*) FROM pg_locks WHERE NOT granted AND pid IN (SELECT pid FROM pg_locks \
     WHERE relation = 'login_sessions'::regclass)"
);
behind!(
    behind_mysql,
    MySqlPool,
    "SELECT 1 FROM login_sessions WHERE record_key = ? FOR UPDATE",
    "SELECT COUNT(*) FROM information_schema.innodb_trx JOIN information_schema.processlist \
     ON id = trx_mysql_thread_id WHERE db = DATABASE() AND trx_state = 'LOCK WAIT'"
);
