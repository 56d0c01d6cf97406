//! Creating the table: by many nodes at once, by hand, repeatedly.

use std::time::Duration;

use libtest_mimic::Trial;
use login_manager::store::CreateOutcome;
use tokio::{task::JoinSet, time::timeout};

use crate::sql::{Database, Kind, Opening, Pool, on, on_each, record};

pub(crate) fn trials() -> Vec<Trial> {
    let mut trials = on_each(
        "a_second_migration_keeps_the_records",
        a_second_migration_keeps_the_records,
    );
    trials.extend(on_each(
        "eight_nodes_may_migrate_at_once",
        eight_nodes_may_migrate_at_once,
    ));
    trials.extend(on_each(
        "the_schema_run_by_hand_equals_a_migration",
        the_schema_run_by_hand_equals_a_migration,
    ));
    trials.extend(on(
        &[Kind::Postgres],
        "a_migration_with_nothing_to_do_takes_no_lock",
        a_migration_with_nothing_to_do_takes_no_lock,
    ));
    trials
}

async fn a_second_migration_keeps_the_records(database: Database) {
    let store = database.store().await;
    let record = record(Some("somebody"));
    let created = store.shared().create(record.clone()).await.unwrap();
    assert_eq!(created, CreateOutcome::Done);
    store.migrate().await.unwrap();
    database.store().await.migrate().await.unwrap();
    let found = store.shared().load(&record.id).await.unwrap();
    assert_eq!(found, Some(record));
}

async fn eight_nodes_may_migrate_at_once(database: Database) {
    let mut pools = Vec::new();
    for _ in 0..8 {
        let opening = Opening {
            connections: Some(1),
            ..Opening::default()
        };
        pools.push(database.pool(opening).await.unwrap());
    }
    for round in 0..4 {
        let mut nodes = JoinSet::new();
        for pool in &pools {
            let store = pool.store().with_table(&format!("round_{round}")).unwrap();
            nodes.spawn(async move { store.migrate().await });
        }
        while let Some(node) = nodes.join_next().await {
            node.unwrap().unwrap();
        }
    }
}

async fn the_schema_run_by_hand_equals_a_migration(migrated: Database) {
    let by_hand = migrated.kind().database().unwrap();
    let pool = migrated.pool(Opening::default()).await.unwrap();
    pool.store().migrate().await.unwrap();

    let by_hand = (by_hand.pool(Opening::default()).await.unwrap(), by_hand);
    let schema = by_hand.0.store().schema();
    by_hand.0.run(schema.as_str()).await;
    by_hand.0.run(schema.as_str()).await;
    by_hand.0.store().migrate().await.unwrap();

    let made = described(&pool, &migrated).await;
    assert!(
        made.len() > 1 || made[0].contains("expires_idx"),
        "{made:?}"
    );
    assert_eq!(described(&by_hand.0, &by_hand.1).await, made);
}

/// The database's description of the table, without its place.
async fn described(pool: &Pool, database: &Database) -> Vec<String> {
    let sql = match database.kind() {
        Kind::Sqlite => "SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY name".into(),
        Kind::MySql => "SHOW CREATE TABLE login_sessions".into(),
        Kind::Postgres => {
            let schema = database.schema();
            format!(
                "SELECT indexdef FROM pg_indexes WHERE schemaname = '{schema}' \
                 UNION ALL SELECT conname || pg_get_constraintdef(oid) FROM pg_constraint \
                   WHERE connamespace = '{schema}'::regnamespace \
                 UNION ALL SELECT column_name || data_type || is_nullable FROM information_schema.columns \
                   WHERE table_schema = '{schema}' \
                 ORDER BY 1"
            )
        }
    };
    let texts = pool.texts(sql).await;
    let anywhere = |text: String| text.replace(database.schema(), "somewhere");
    texts.into_iter().map(anywhere).collect()
}

/// `CREATE INDEX IF NOT EXISTS` waits for all writers, and later writers wait for it, even if the
/// index exists.
async fn a_migration_with_nothing_to_do_takes_no_lock(database: Database) {
    let store = database.store().await;
    let Pool::Postgres(pool) = database.pool(Opening::default()).await.unwrap() else {
        unreachable!("the pool is of the database's kind");
    };
    let mut writer = pool.begin().await.unwrap();
    sqlx::raw_sql("LOCK TABLE login_sessions IN ROW EXCLUSIVE MODE")
        .execute(&mut *writer)
        .await
        .unwrap();
    let migration = timeout(Duration::from_secs(5), store.migrate());
    migration.await.expect("it waits").unwrap();
    writer.rollback().await.unwrap();
}
