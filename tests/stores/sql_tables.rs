//! Tables by another name, and rows that somebody else has written.

use libtest_mimic::Trial;
use login_manager::store::{Created, Page, Which};

use crate::sql::{Database, Kind, NOW, Opening, hex, on, on_each, record};

pub(crate) fn trials() -> Vec<Trial> {
    let mut trials = on_each(
        "a_custom_table_may_be_a_word_of_sql",
        a_custom_table_may_be_a_word_of_sql,
    );
    trials.extend(on(
        &[Kind::Postgres, Kind::MySql],
        "a_table_may_be_in_another_schema",
        a_table_may_be_in_another_schema,
    ));
    trials.extend(on_each(
        "a_hostile_name_of_a_table_is_refused",
        a_hostile_name_of_a_table_is_refused,
    ));
    trials.extend(on_each(
        "fault_7_a_row_that_is_no_record_opens_nothing",
        fault_7_a_row_that_is_no_record_opens_nothing,
    ));
    trials
}

async fn a_custom_table_may_be_a_word_of_sql(database: Database) {
    let pool = database.pool(Opening::default()).await.unwrap();
    let longest = "L".repeat(48);
    for table in ["select", "Order", longest.as_str()] {
        let store = pool.store().with_table(table).unwrap();
        store.migrate().await.unwrap();
        store.migrate().await.unwrap();
        let (store, record) = (store.shared(), record(Some("somebody")));
        let created = store.create(record.clone()).await.unwrap();
        assert_eq!(created, Created::Done, "{table}");
        assert_eq!(store.load(&record.key).await.unwrap(), Some(record));
        assert_eq!(store.delete_expired(NOW, 5).await.unwrap(), 0);
        assert_eq!(store.delete_all("somebody", Which::All).await.unwrap(), 1);
    }
}

async fn a_table_may_be_in_another_schema(database: Database) {
    // The second one's connections are at home in a schema of their own.
    let elsewhere = database.kind().database().unwrap();
    let home = database.store().await;
    let table = format!("{}.login_sessions", database.schema());
    let away = elsewhere.pool(Opening::default()).await.unwrap().store();
    let away = away.with_table(&table).unwrap();
    away.migrate().await.unwrap();

    let record = record(None);
    let created = home.shared().create(record.clone()).await.unwrap();
    assert_eq!(created, Created::Done);
    let found = away.shared().load(&record.key).await.unwrap();
    assert_eq!(found, Some(record.clone()));

    let other = format!("{}.others", database.schema());
    let away = away.with_table(&other).unwrap();
    away.migrate().await.unwrap();
    assert_eq!(away.shared().load(&record.key).await.unwrap(), None);
    let home = home.with_table("others").unwrap();
    let created = home.shared().create(record.clone()).await.unwrap();
    assert_eq!(created, Created::Done);
    assert_eq!(away.shared().load(&record.key).await.unwrap(), Some(record));
}

async fn a_hostile_name_of_a_table_is_refused(database: Database) {
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

async fn fault_7_a_row_that_is_no_record_opens_nothing(database: Database) {
    let pool = database.pool(Opening::default()).await.unwrap();
    let store = pool.store();
    store.migrate().await.unwrap();
    let (store, record) = (store.shared(), record(Some("somebody")));
    let created = store.create(record.clone()).await.unwrap();
    assert_eq!(created, Created::Done);

    let (bytes, key) = match database.kind() {
        Kind::Postgres => ("'\\xff'", format!("'\\x{}'", hex(record.key.as_bytes()))),
        _ => ("x'ff'", format!("x'{}'", hex(record.key.as_bytes()))),
    };
    pool.run(format!(
        "UPDATE login_sessions SET owner = {bytes} WHERE record_key = {key}"
    ))
    .await;
    assert_eq!(store.load(&record.key).await.unwrap(), None);
    let page = Page {
        after: None,
        limit: 5,
    };
    let error = store.list("somebody", page, NOW).await.unwrap_err();
    assert!(!format!("{error} {error:?}").contains("somebody"));
    assert_eq!(store.delete_all("somebody", Which::All).await.unwrap(), 1);
}
