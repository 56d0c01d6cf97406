//! The room that a session takes, with its indexes.

use libtest_mimic::Trial;

use crate::sql::{Database, Kind, NOW, Opening, on_each};

/// About the payload of a login without data.
const PAYLOAD: usize = 140;

pub(crate) fn trials() -> Vec<Trial> {
    on_each("a_session_takes_little_room", a_session_takes_little_room)
}

async fn a_session_takes_little_room(database: Database) {
    let pool = database.pool(Opening::default()).await.unwrap();
    pool.store().migrate().await.unwrap();
    pool.run(fill(database.kind())).await;
    let (size, limit) = match database.kind() {
        Kind::Sqlite => (
            "SELECT CAST((SELECT page_count FROM pragma_page_count) * \
             (SELECT page_size FROM pragma_page_size) AS TEXT)"
                .to_owned(),
            300,
        ),
        Kind::Postgres => (
            "SELECT pg_total_relation_size('login_sessions')::text".to_owned(),
            375,
        ),
        Kind::MySql => {
            pool.run("ANALYZE TABLE login_sessions").await;
            let size = "SELECT CAST(data_length + index_length AS CHAR) \
                        FROM information_schema.tables \
                        WHERE table_schema = DATABASE() AND table_name = 'login_sessions'";
            (size.to_owned(), 520)
        }
    };
    let bytes: u64 = pool.texts(size).await[0].parse().unwrap();
    let each = bytes / 100_000;
    assert!(each <= limit, "{each} bytes a session");
}

/// 100,000 sessions, ten of each owner, in the order in which they were created.
fn fill(kind: Kind) -> String {
    let (id, owner, hash, payload) = match kind {
        Kind::Sqlite => (
            "randomblob(16)".to_owned(),
            "CAST(printf('account/%d', n % 10000) AS BLOB)",
            "((n % 10000) * 2654435761) % 4294967296 - 2147483648",
            format!("randomblob({PAYLOAD})"),
        ),
        Kind::Postgres => (
            "encode(substring(sha256(n::text::bytea) for 16), 'hex')::uuid".to_owned(),
            "('account/' || n % 10000)::bytea",
            "((n % 10000)::bigint * 2654435761 % 4294967296 - 2147483648)::int",
            format!("substring(decode(repeat(md5(n::text), 20), 'hex') for {PAYLOAD})"),
        ),
        Kind::MySql => (
            "LEFT(UNHEX(SHA2(n, 256)), 16)".to_owned(),
            "CONCAT('account/', n % 10000)",
            "CAST(n % 10000 * 2654435761 % 4294967296 AS SIGNED) - 2147483648",
            format!("LEFT(UNHEX(REPEAT(MD5(n), 20)), {PAYLOAD})"),
        ),
    };
    format!(
        "INSERT INTO login_sessions \
         (id, owner_hash, owner, version, created, touched, expires, ends, payload) \
         WITH digit(d) AS (SELECT 0 UNION ALL SELECT 1 UNION ALL SELECT 2 UNION ALL SELECT 3 UNION ALL SELECT 4 \
             UNION ALL SELECT 5 UNION ALL SELECT 6 UNION ALL SELECT 7 UNION ALL SELECT 8 UNION ALL SELECT 9), \
         number(n) AS (SELECT a.d + 10 * b.d + 100 * c.d + 1000 * e.d + 10000 * f.d \
             FROM digit a, digit b, digit c, digit e, digit f) \
         SELECT {id}, {hash}, {owner}, 0, {NOW} + n, {NOW} + n, {NOW} + 86400000 + n, \
             {NOW} + 1209600000 + n, {payload} \
         FROM number ORDER BY n"
    )
}
