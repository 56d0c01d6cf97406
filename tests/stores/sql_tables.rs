//! Tables by another name, and rows that something else has written.

use libtest_mimic::Trial;
use login_manager::store::{CreateOutcome, Outcome, Page};

use crate::sql::{Database, Kind, NOW, Opening, hex, on, on_each, record};

pub(crate) fn trials() -> Vec<Trial> {
    let mut trials = on_each("a_table_may_be_a_keyword", a_table_may_be_a_keyword);
    trials.extend(on(
        &[Kind::Postgres, Kind::MySql],
        "a_table_may_be_in_another_schema",
        a_table_may_be_in_another_schema,
    ));
    trials.extend(on_each(
        "a_hostile_name_of_a_table_is_rejected",
        a_hostile_name_of_a_table_is_rejected,
    ));
    trials.extend(on_each(
        "a_row_that_is_no_record_is_ignored",
        a_row_that_is_no_record_is_ignored,
    ));
    trials
}

async fn a_table_may_be_a_keyword(database: Database) {
    let pool = database.pool(Opening::default()).await.unwrap();
    let longest = "L".repeat(48);
    for table in ["select", "Order", longest.as_str()] {
        let store = pool.store().with_table(table).unwrap();
        store.migrate().await.unwrap();
        store.migrate().await.unwrap();
        let (store, record) = (store.shared(), record(Some("somebody")));
        let created = store.create(record.clone()).await.unwrap();
        assert_eq!(created, CreateOutcome::Done, "{table}");
        assert_eq!(store.load(&record.id).await.unwrap(), Some(record));
        assert_eq!(store.delete_expired(NOW, 5).await.unwrap(), 0);
        assert_eq!(store.delete_all("somebody", None).await.unwrap(), 1);
    }
}

async fn a_table_may_be_in_another_schema(database: Database) {
    // The connections of the second one use a schema of their own.
    let elsewhere = database.kind().database().unwrap();
    let home = database.store().await;
    let table = format!("{}.login_sessions", database.schema());
    let away = elsewhere.pool(Opening::default()).await.unwrap().store();
    let away = away.with_table(&table).unwrap();
    away.migrate().await.unwrap();

    let record = record(None);
    let created = home.shared().create(record.clone()).await.unwrap();
    assert_eq!(created, CreateOutcome::Done);
    let found = away.shared().load(&record.id).await.unwrap();
    assert_eq!(found, Some(record.clone()));

    let other = format!("{}.others", database.schema());
    let away = away.with_table(&other).unwrap();
    away.migrate().await.unwrap();
    assert_eq!(away.shared().load(&record.id).await.unwrap(), None);
    let home = home.with_table("others").unwrap();
    let created = home.shared().create(record.clone()).await.unwrap();
    assert_eq!(created, CreateOutcome::Done);
    assert_eq!(away.shared().load(&record.id).await.unwrap(), Some(record));
}

async fn a_hostile_name_of_a_table_is_rejected(database: Database) {
    let pool = database.pool(Opening::default()).await.unwrap();
    for hostile in [
        "sessions; DROP TABLE users",
        "sessions\" (x)--",
        "sessions` (x)--",
        "a.b.c",
        "",
    ] {
        let Err(error) = pool.store().with_table(hostile) else {
            panic!("{hostile:?} is taken");
        };
        assert_eq!(error.setting(), "with_table");
    }
}

async fn a_row_that_is_no_record_is_ignored(database: Database) {
    let pool = database.pool(Opening::default()).await.unwrap();
    let store = pool.store();
    store.migrate().await.unwrap();
    let (store, record) = (store.shared(), record(Some("somebody")));
    let created = store.create(record.clone()).await.unwrap();
    assert_eq!(created, CreateOutcome::Done);

    let (bytes, key) = match database.kind() {
        Kind::Postgres => ("'\\xff'", format!("'{}'", hex(record.id.as_bytes()))),
        _ => ("x'ff'", format!("x'{}'", hex(record.id.as_bytes()))),
    };
    pool.run(format!(
        "UPDATE login_sessions SET owner = {bytes} WHERE id = {key}"
    ))
    .await;
    assert_eq!(store.load(&record.id).await.unwrap(), None);
    let page = Page {
        after: None,
        limit: 5,
    };
    assert_eq!(store.list("somebody", page, NOW).await.unwrap(), []);
    assert_eq!(store.delete_all("somebody", None).await.unwrap(), 0);
    let deleted = store.delete(&record.id, None).await.unwrap();
    assert_eq!(deleted, Outcome::Done);
}
