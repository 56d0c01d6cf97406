//! The promises of `delete_all` at every isolation level.

use std::{sync::Arc, time::Duration};

use libtest_mimic::Trial;
use login_manager::{
    SessionStore,
    store::{CreateOutcome, Page, SessionId, SessionRecord},
    testing::store_checks,
};
use sqlx::{MySqlPool, PgPool};
use tokio::{task::JoinHandle, time::sleep};

use crate::sql::{Database, Kind, NOW, Opening, Pool, on, record};

const SERVERS: [Kind; 2] = [Kind::Postgres, Kind::MySql];
/// How often a test looks at the locks before it fails.
const LOOKS: usize = 200;
/// MySQL caches its list of locks for a tenth of a second.
const BETWEEN: Duration = Duration::from_millis(130);

pub(crate) fn trials() -> Vec<Trial> {
    let mut trials = on(
        &SERVERS,
        "delete_all_keeps_the_contract_at_any_isolation",
        delete_all_keeps_the_contract_at_any_isolation,
    );
    trials.extend(on(
        &SERVERS,
        "delete_all_includes_a_record_updated_meanwhile",
        delete_all_includes_a_record_updated_meanwhile,
    ));
    trials.extend(on(
        &SERVERS,
        "delete_all_is_one_moment_for_creates_beside_it",
        delete_all_is_one_moment_for_creates_beside_it,
    ));
    trials
}

/// The first statement of each connection.
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

async fn delete_all_keeps_the_contract_at_any_isolation(database: Database) {
    let is_meant = |name: &str| {
        let words = ["delete_all", "revives", "missing_from", "at_once"];
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

/// The deletion waits for an update of the row, and deletes it at the first try.
async fn delete_all_includes_a_record_updated_meanwhile(database: Database) {
    for level in levels(database.kind()) {
        let pool = pool_at(&database, level).await;
        let store = pool.store().shared();
        if database.kind() == Kind::Postgres {
            pool.run(COUNT_TRIES).await;
        }
        let [held, other] = [0x40, 0x80].map(record_with);
        for record in [&held, &other] {
            let created = store.create(record.clone()).await.unwrap();
            assert_eq!(created, CreateOutcome::Done);
        }
        let scene = Scene::new(&pool, &held).await;
        let logout = scene.delete_all(&store).await;
        scene.commit().await;
        assert_eq!(logout.await.unwrap(), 2, "{level}");
        for record in [&held, &other] {
            assert_eq!(store.load(&record.id).await.unwrap(), None, "{level}");
        }
        if database.kind() == Kind::Postgres {
            // A session that is updated all the time can't have it rolled back over and over.
            let tries = pool.texts("SELECT last_value::text FROM tries").await;
            assert_eq!(tries, ["1"], "{level}");
        }
    }
}

/// The deletion has passed the place of the first new record and not yet that of the second.
async fn delete_all_is_one_moment_for_creates_beside_it(database: Database) {
    for level in levels(database.kind()) {
        let pool = pool_at(&database, level).await;
        let store = pool.store().shared();
        for (first, second) in [(0x20, 0xc0), (0xc0, 0x20)] {
            let [passed, held] = [0x10, 0x80].map(record_with);
            for record in [&passed, &held] {
                let created = store.create(record.clone()).await.unwrap();
                assert_eq!(created, CreateOutcome::Done);
            }
            let scene = Scene::new(&pool, &held).await;
            let logout = scene.delete_all(&store).await;
            let [first, second] = [first, second].map(record_with);
            let one = create(&store, &first);
            let mut looks = 0..LOOKS;
            while !one.is_finished() && scene.waiting().await < 2 {
                looks.next().expect("the create ends or waits");
                sleep(BETWEEN).await;
            }
            let is_first_before = one.is_finished();
            let two = create(&store, &second);
            while !two.is_finished() && scene.waiting().await < 2 {
                looks.next().expect("the create ends or waits");
                sleep(BETWEEN).await;
            }
            scene.commit().await;
            logout.await.unwrap();
            one.await.unwrap();
            two.await.unwrap();
            let first = store.load(&first.id).await.unwrap().is_some();
            let second = store.load(&second.id).await.unwrap().is_some();
            assert!(
                !(is_first_before && first && !second),
                "the second is gone, the first is not, {level}"
            );
            store.delete_all("somebody", None).await.unwrap();
            let page = Page {
                after: None,
                limit: 9,
            };
            assert_eq!(store.list("somebody", page, NOW).await.unwrap(), []);
        }
    }
}

fn record_with(byte: u8) -> SessionRecord {
    SessionRecord {
        id: SessionId::from_bytes([byte; 16]),
        ..record(Some("somebody"))
    }
}

fn create(store: &Arc<dyn SessionStore>, record: &SessionRecord) -> JoinHandle<()> {
    let (store, record) = (Arc::clone(store), record.clone());
    tokio::spawn(async move {
        let created = store.create(record).await.unwrap();
        assert_eq!(created, CreateOutcome::Done);
    })
}

/// A sequence is not rolled back with its statement.
const COUNT_TRIES: &str = "
DROP SEQUENCE IF EXISTS tries;
CREATE SEQUENCE tries;
CREATE OR REPLACE FUNCTION count_try() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN PERFORM nextval('tries'); RETURN NULL; END $$;
CREATE OR REPLACE TRIGGER count_tries BEFORE DELETE ON login_sessions
    FOR EACH STATEMENT EXECUTE FUNCTION count_try();
";

/// A transaction that has updated a row and not committed yet.
enum Scene {
    Postgres(PgPool, sqlx::Transaction<'static, sqlx::Postgres>),
    MySql(MySqlPool, sqlx::Transaction<'static, sqlx::MySql>),
}

impl Scene {
    async fn new(pool: &Pool, held: &SessionRecord) -> Self {
        let id = held.id.as_bytes().to_vec();
        match pool {
            Pool::Postgres(pool) => {
                let mut transaction = pool.begin().await.unwrap();
                sqlx::query("UPDATE login_sessions SET payload = '' WHERE uuid_send(id) = $1")
                    .bind(id)
                    .execute(&mut *transaction)
                    .await
                    .unwrap();
                Self::Postgres(pool.clone(), transaction)
            }
            Pool::MySql(pool) => {
                let mut transaction = pool.begin().await.unwrap();
                sqlx::query("UPDATE login_sessions SET payload = '' WHERE id = ?")
                    .bind(id)
                    .execute(&mut *transaction)
                    .await
                    .unwrap();
                Self::MySql(pool.clone(), transaction)
            }
            Pool::Sqlite(_) => unreachable!("it has one writer at a time"),
        }
    }

    /// Begins a deletion that waits for the row.
    async fn delete_all(&self, store: &Arc<dyn SessionStore>) -> JoinHandle<u64> {
        let store = Arc::clone(store);
        let logout = tokio::spawn(async move { store.delete_all("somebody", None).await.unwrap() });
        let mut looks = 0..LOOKS;
        while self.waiting().await == 0 {
            looks.next().expect("the deletion waits for the row");
            sleep(BETWEEN).await;
        }
        logout
    }

    /// The number of transactions that wait for a lock.
    async fn waiting(&self) -> i64 {
        match self {
            Self::Postgres(pool, _) => sqlx::query_scalar(
                "SELECT count(*) FROM pg_locks WHERE NOT granted AND pid IN \
                 (SELECT pid FROM pg_locks WHERE relation = 'login_sessions'::regclass)",
            )
            .fetch_one(pool)
            .await
            .unwrap(),
            Self::MySql(pool, _) => sqlx::query_scalar(
                "SELECT COUNT(*) FROM information_schema.innodb_trx \
                 JOIN information_schema.processlist ON id = trx_mysql_thread_id \
                 WHERE db = DATABASE() AND trx_state = 'LOCK WAIT'",
            )
            .fetch_one(pool)
            .await
            .unwrap(),
        }
    }

    async fn commit(self) {
        match self {
            Self::Postgres(_, transaction) => transaction.commit().await.unwrap(),
            Self::MySql(_, transaction) => transaction.commit().await.unwrap(),
        }
    }
}
