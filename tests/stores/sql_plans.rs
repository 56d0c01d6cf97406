//! What a call costs among 100,000 records: no more than the rows it is about, found by an index.

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
    store::{Created, Outcome, Page, RecordKey, Replaced, Which},
};
use sha2::{Digest as _, Sha256};
use sqlx::Row as _;

use crate::sql::{Database, Kind, NOW, Opening, Pool, hex, on_each, record};

/// How often each call is made: PostgreSQL plans a statement anew five times before it settles on a plan for all values.
const CALLS: usize = 8;
/// Rows, or for SQLite tens of steps, that one call may look at. A full scan looks at 100,000.
const FEW: u64 = 100;

pub(crate) fn trials() -> Vec<Trial> {
    on_each(
        "among_100000_records_no_call_looks_at_more_than_it_needs",
        among_100000_records_no_call_looks_at_more_than_it_needs,
    )
}

async fn among_100000_records_no_call_looks_at_more_than_it_needs(database: Database) {
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
    // A connection keeps its plans. Another one makes its own.
    Node::of(&database).await.calls("with statistics").await;
}

/// Half of the records have expired. One owner, "crowd", has a tenth of them, the others nine each.
fn fill(kind: Kind) -> String {
    let crowd = hex(&Sha256::digest("crowd"));
    let (bytes, crowd, key, owner_key, half) = match kind {
        Kind::Sqlite => (
            "x'63'",
            format!("x'{crowd}'"),
            "randomblob(32)",
            "CAST(printf('%032d', n / 10) AS BLOB)",
            "n / 10",
        ),
        Kind::Postgres => (
            "'\\x63'::bytea",
            format!("'\\x{crowd}'::bytea"),
            "sha256(n::text::bytea)",
            "sha256(('owner ' || n / 10)::bytea)",
            "n / 10",
        ),
        Kind::MySql => (
            "x'63'",
            format!("x'{crowd}'"),
            "UNHEX(SHA2(n, 256))",
            "UNHEX(SHA2(CONCAT('owner ', n DIV 10), 256))",
            "n DIV 10",
        ),
    };
    let family = match kind {
        Kind::Postgres => "'\\x00112233445566778899aabbccddeeff'::bytea",
        _ => "x'00112233445566778899aabbccddeeff'",
    };
    format!(
        "INSERT INTO login_sessions \
         (record_key, family, owner_key, owner, created, touched, expires, ends, version, payload) \
         WITH digit(d) AS (SELECT 0 UNION ALL SELECT 1 UNION ALL SELECT 2 UNION ALL SELECT 3 UNION ALL SELECT 4 \
             UNION ALL SELECT 5 UNION ALL SELECT 6 UNION ALL SELECT 7 UNION ALL SELECT 8 UNION ALL SELECT 9), \
         number(n) AS (SELECT a.d + 10 * b.d + 100 * c.d + 1000 * e.d + 10000 * f.d \
             FROM digit a, digit b, digit c, digit e, digit f) \
         SELECT {key}, {family}, CASE WHEN n % 10 = 0 THEN {crowd} ELSE {owner_key} END, {bytes}, \
             {NOW}, {NOW}, {NOW} - 50000 + n + 100000 * (({half}) % 2), {NOW} + 999999999, 0, {bytes} \
         FROM number"
    )
}

/// One connection, and a count of what is read on it.
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
        // All those of the first half have expired by then, and none of the second.
        let now = NOW + 50_000;
        for call in 1..=CALLS {
            let mut few: Vec<_> = (0..5).map(|_| record(Some("few"))).collect();
            for record in &mut few {
                (record.expires, record.ends) = (now + 1000, now + 2000);
                assert_eq!(store.create(record.clone()).await.unwrap(), Created::Done);
            }
            let keys: Vec<_> = few.iter().map(|record| record.key).collect();
            let list = async |owner, after| {
                let page = Page { after, limit: 9 };
                Ok(store.list(owner, page, now).await?.len())
            };
            let middle = Some(RecordKey::from_bytes([0x80; 32]));
            let nothing = || Arc::from([]);
            let (only, except) = (Which::Only(few[2].family), Which::Except(few[3].family));
            let at = |what: &str| format!("{what} {when}, call {call}");

            let load = store.load(&keys[0]);
            self.few(at("load"), load, Some(few[0].clone())).await;
            let update = store.update(&keys[0], 0, nothing(), now);
            self.few(at("update"), update, Outcome::Done).await;
            let update = store.update(&keys[0], 0, nothing(), now);
            self.few(at("late update"), update, Outcome::Conflict).await;
            let mut second = few[0].clone();
            (second.key, second.version) = (record(None).key, 1);
            let replace = store.replace(&keys[0], 1, second.clone());
            self.few(at("replace"), replace, Replaced::Done).await;
            let late = store.replace(&keys[0], 1, record(Some("few")));
            self.few(at("late replace"), late, Replaced::Gone).await;
            let back = store.replace(&second.key, 1, few[0].clone());
            self.few(at("replace once more"), back, Replaced::Done)
                .await;
            let late = store.replace(&keys[0], 1, second);
            self.few(at("replace of another version"), late, Replaced::Conflict)
                .await;
            let touch = store.touch(&keys[0], now, now + 1500);
            self.few(at("touch"), touch, Outcome::Done).await;
            self.few(at("list"), list("few", None), 5).await;
            self.few(at("first page of many"), list("crowd", None), 9)
                .await;
            self.few(at("later page of many"), list("crowd", middle), 9)
                .await;
            let delete = store.delete(&keys[0], None);
            self.few(at("delete"), delete, Outcome::Done).await;
            let delete = store.delete(&keys[1], Some(0));
            self.few(at("delete of a version"), delete, Outcome::Done)
                .await;
            self.few(
                at("delete_all of a family"),
                store.delete_all("few", only),
                1,
            )
            .await;
            self.few(at("delete_all but one"), store.delete_all("few", except), 1)
                .await;
            self.few(at("delete_all"), store.delete_all("few", Which::All), 1)
                .await;
            self.few(at("delete_expired"), store.delete_expired(now, 9), 9)
                .await;
            self.few(at("delete_expired of none"), store.delete_expired(0, 9), 0)
                .await;
        }
    }

    async fn few<T: PartialEq + Debug>(
        &self,
        what: String,
        call: impl Future<Output = Result<T, BoxError>>,
        expected: T,
    ) {
        let before = self.looked_at().await;
        assert_eq!(call.await.unwrap(), expected, "{what}");
        let rows = self.looked_at().await - before;
        assert!(rows <= FEW, "{what} looked at {rows}");
    }

    /// How many rows the connection has looked at so far; for SQLite how many tens of steps it has made.
    async fn looked_at(&self) -> u64 {
        match &self.pool {
            Pool::Sqlite(_) => self.steps.load(Ordering::Relaxed),
            Pool::Postgres(pool) => {
                // The server gathers what its connections have counted only now and then.
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
