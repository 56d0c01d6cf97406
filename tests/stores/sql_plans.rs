//! The cost of each call among 100,000 records: only the rows that it concerns, found by an
//! index, with statements that are planned once.

use std::{
    fmt::Debug,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use libtest_mimic::Trial;
use login_manager::{
    BoxError,
    store::{CreateOutcome, Outcome, Page, SessionId},
};
use sha2::{Digest as _, Sha256};
use sqlx::Row as _;

use crate::sql::{Database, Kind, NOW, Opening, Pool, on, on_each, record};

/// PostgreSQL plans a statement anew five times before it considers one plan for all values.
const CALLS: usize = 8;
/// Rows, or for SQLite tens of steps, that one call may read. A full scan reads 100,000.
const FEW: u64 = 100;

pub(crate) fn trials() -> Vec<Trial> {
    let mut trials = on_each(
        "among_100000_records_each_call_reads_few_rows",
        among_100000_records_each_call_reads_few_rows,
    );
    trials.extend(on(
        &[Kind::Postgres, Kind::MySql],
        "each_call_is_one_statement",
        each_call_is_one_statement,
    ));
    trials
}

/// A guarded request is a `load`, a login a `create`, a logout a `load` and a `delete`.
async fn each_call_is_one_statement(database: Database) {
    let node = Node::of(&database).await;
    node.pool.store().migrate().await.unwrap();
    let store = node.pool.store().shared();
    let (mut record, now) = (record(Some("somebody")), NOW);
    let id = record.id;
    let page = Page {
        after: None,
        limit: 9,
    };
    let before = node.executed().await;
    let executed = async || node.executed().await - before;
    let created = store.create(record.clone()).await.unwrap();
    assert_eq!((created, executed().await), (CreateOutcome::Done, 1));
    let exists = store.create(record.clone()).await.unwrap();
    assert_eq!((exists, executed().await), (CreateOutcome::Exists, 2));
    let found = store.load(&id).await.unwrap();
    assert_eq!((found.as_ref(), executed().await), (Some(&record), 3));
    let updated = store.update(record.clone(), now).await.unwrap();
    assert_eq!((updated, executed().await), (Outcome::Done, 4));
    let touched = store.touch(&id, now, now + 1).await.unwrap();
    assert_eq!((touched, executed().await), (Outcome::Done, 5));
    let listed = store.list("somebody", page, now).await.unwrap();
    assert_eq!((listed.len(), executed().await), (1, 6));
    // A second one finds out whether the record is there.
    let updated = store.update(record.clone(), now).await.unwrap();
    assert_eq!((updated, executed().await), (Outcome::Conflict, 8));
    record.version = 1;
    let deleted = store.delete(&id, Some(1)).await.unwrap();
    assert_eq!((deleted, executed().await), (Outcome::Done, 9));
    let deleted = store.delete(&id, None).await.unwrap();
    assert_eq!((deleted, executed().await), (Outcome::Gone, 10));
}

async fn among_100000_records_each_call_reads_few_rows(database: Database) {
    let node = Node::of(&database).await;
    node.pool.store().migrate().await.unwrap();
    node.pool.run(fill(database.kind())).await;
    node.calls("before the database has statistics").await;
    node.pool
        .run(match database.kind() {
            Kind::MySql => "ANALYZE TABLE login_sessions",
            _ => "ANALYZE",
        })
        .await;
    // A connection keeps its plans, so this takes another one.
    Node::of(&database).await.calls("with statistics").await;
}

/// Half of the records have expired. One owner, "crowd", has a tenth of them, the others nine each.
fn fill(kind: Kind) -> String {
    let crowd = i32::from_be_bytes(Sha256::digest("crowd")[..4].try_into().unwrap());
    let (crowd_bytes, other, id, tenth) = match kind {
        Kind::Sqlite => ("CAST('crowd' AS BLOB)", "x'63'", "randomblob(16)", "n / 10"),
        Kind::Postgres => (
            "'crowd'::bytea",
            "'c'::bytea",
            "encode(substring(sha256(n::text::bytea) for 16), 'hex')::uuid",
            "n / 10",
        ),
        Kind::MySql => (
            "'crowd'",
            "'c'",
            "LEFT(UNHEX(SHA2(n, 256)), 16)",
            "n DIV 10",
        ),
    };
    format!(
        "INSERT INTO login_sessions \
         (id, owner_hash, owner, version, created, touched, expires, ends, payload) \
         WITH digit(d) AS (SELECT 0 UNION ALL SELECT 1 UNION ALL SELECT 2 UNION ALL SELECT 3 UNION ALL SELECT 4 \
             UNION ALL SELECT 5 UNION ALL SELECT 6 UNION ALL SELECT 7 UNION ALL SELECT 8 UNION ALL SELECT 9), \
         number(n) AS (SELECT a.d + 10 * b.d + 100 * c.d + 1000 * e.d + 10000 * f.d \
             FROM digit a, digit b, digit c, digit e, digit f) \
         SELECT {id}, CASE WHEN n % 10 = 0 THEN {crowd} ELSE {tenth} END, \
             CASE WHEN n % 10 = 0 THEN {crowd_bytes} ELSE {other} END, 0, {NOW}, {NOW}, \
             {NOW} - 50000 + n + 100000 * (({tenth}) % 2), {NOW} + 999999999, {other} \
         FROM number"
    )
}

/// One connection, and a counter of what it reads.
struct Node {
    pool: Pool,
    steps: Arc<AtomicU64>,
}

impl Node {
    async fn of(database: &Database) -> Self {
        let steps = Arc::new(AtomicU64::new(0));
        let opening = Opening {
            connections: Some(1),
            steps: Some(Arc::clone(&steps)),
            ..Opening::default()
        };
        let pool = database.pool(opening).await.unwrap();
        Self { pool, steps }
    }

    async fn calls(&self, when: &str) {
        let store = self.pool.store().shared();
        // By then all of the first half have expired and none of the second.
        let now = NOW + 50_000;
        for call in 1..=CALLS {
            let mut few: Vec<_> = (0..5).map(|_| record(Some("few"))).collect();
            for record in &mut few {
                (record.expires, record.ends) = (now + 1000, now + 2000);
                assert_eq!(
                    store.create(record.clone()).await.unwrap(),
                    CreateOutcome::Done
                );
            }
            let ids: Vec<_> = few.iter().map(|record| record.id).collect();
            let list = async |owner, after| {
                let page = Page { after, limit: 9 };
                Ok(store.list(owner, page, now).await?.len())
            };
            let middle = Some(SessionId::from_bytes([0x80; 16]));
            let at = |what: &str| format!("{what} {when}, call {call}");

            let load = store.load(&ids[0]);
            self.few(at("load"), load, Some(few[0].clone())).await;
            let update = store.update(few[0].clone(), now);
            self.few(at("update"), update, Outcome::Done).await;
            let update = store.update(few[0].clone(), now);
            self.few(at("late update"), update, Outcome::Conflict).await;
            let touch = store.touch(&ids[0], now, now + 1500);
            self.few(at("touch"), touch, Outcome::Done).await;
            self.few(at("list"), list("few", None), 5).await;
            self.few(at("first page of many"), list("crowd", None), 9)
                .await;
            self.few(at("later page of many"), list("crowd", middle), 9)
                .await;
            let delete = store.delete(&ids[0], None);
            self.few(at("delete"), delete, Outcome::Done).await;
            let delete = store.delete(&ids[1], Some(0));
            self.few(at("delete of a version"), delete, Outcome::Done)
                .await;
            let delete = store.delete_all("few", Some(ids[2]));
            self.few(at("delete_all but one"), delete, 2).await;
            let delete = store.delete_all("few", None);
            self.few(at("delete_all"), delete, 1).await;
            let delete = store.delete_expired(now, 9);
            self.few(at("delete_expired"), delete, 9).await;
            let delete = store.delete_expired(0, 9);
            self.few(at("delete_expired of none"), delete, 0).await;
        }
        self.planned_once(when).await;
    }

    /// After five plans for their values PostgreSQL keeps one plan for each statement, except for
    /// `delete_expired`, which no request waits for.
    async fn planned_once(&self, when: &str) {
        let Pool::Postgres(pool) = &self.pool else {
            return;
        };
        let statements: Vec<(String, i64, i64)> = sqlx::query_as(
            "SELECT statement, custom_plans, generic_plans FROM pg_prepared_statements \
             WHERE statement LIKE '%\"login_sessions\"%' AND statement NOT LIKE '%SKIP LOCKED%' \
             AND statement NOT LIKE '%pg_prepared_statements%'",
        )
        .fetch_all(pool)
        .await
        .unwrap();
        assert_eq!(statements.len(), 8, "{statements:#?}");
        for (statement, custom, generic) in statements {
            let is_planned_once = custom <= 5 && generic > 0;
            assert!(
                is_planned_once,
                "{custom} plans, {generic} calls of a kept plan {when}: {statement}"
            );
        }
    }

    /// How many prepared statements the connection has executed for the store.
    async fn executed(&self) -> u64 {
        match &self.pool {
            Pool::Sqlite(_) => unreachable!("it does not count them"),
            Pool::Postgres(pool) => {
                let executed: i64 = sqlx::query_scalar(
                    "SELECT COALESCE(sum(custom_plans + generic_plans), 0)::bigint \
                     FROM pg_prepared_statements WHERE statement LIKE '%\"login_sessions\"%' \
                     AND statement NOT LIKE '%pg_prepared_statements%'",
                )
                .fetch_one(pool)
                .await
                .unwrap();
                executed.unsigned_abs()
            }
            Pool::MySql(pool) => {
                let status = sqlx::raw_sql("SHOW SESSION STATUS LIKE 'Com_stmt_execute'");
                let row = status.fetch_one(pool).await.unwrap();
                row.get_unchecked::<String, _>(1).parse().unwrap()
            }
        }
    }

    async fn few<T: PartialEq + Debug>(
        &self,
        what: String,
        call: impl Future<Output = Result<T, BoxError>>,
        expected: T,
    ) {
        let before = self.rows_read().await;
        assert_eq!(call.await.unwrap(), expected, "{what}");
        let rows = self.rows_read().await - before;
        assert!(rows <= FEW, "{what} read {rows}");
    }

    /// The rows that the connection has read so far; for SQLite the steps that it has run, in tens.
    async fn rows_read(&self) -> u64 {
        match &self.pool {
            Pool::Sqlite(_) => self.steps.load(Ordering::Relaxed),
            Pool::Postgres(pool) => {
                // By default the server collects these numbers only from time to time.
                sqlx::query("SELECT pg_stat_force_next_flush()")
                    .execute(pool)
                    .await
                    .unwrap();
                let rows: i64 = sqlx::query_scalar(
                    "SELECT (t.seq_tup_read + \
                     (SELECT sum(idx_tup_read) FROM pg_stat_user_indexes i WHERE i.relid = t.relid))::bigint \
                     FROM pg_stat_user_tables t WHERE t.relid = 'login_sessions'::regclass",
                )
                .fetch_one(pool)
                .await
                .unwrap();
                rows.unsigned_abs()
            }
            Pool::MySql(pool) => sqlx::query("SHOW SESSION STATUS LIKE 'Handler_read%'")
                .fetch_all(pool)
                .await
                .unwrap()
                .iter()
                .map(|row| row.get_unchecked::<String, _>(1).parse::<u64>().unwrap())
                .sum(),
        }
    }
}
