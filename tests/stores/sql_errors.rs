//! The texts of errors.

use std::time::Duration;

use libtest_mimic::Trial;
use login_manager::{
    BoxError, MySqlStore, PostgresStore, SessionStore as _,
    store::{CreateOutcome, Outcome, SessionRecord},
};
use sqlx::{mysql::MySqlPoolOptions, postgres::PgPoolOptions};

use crate::sql::{Database, Kind, NOW, Opening, hex, on, on_each, record};

pub(crate) fn trials() -> Vec<Trial> {
    let mut trials = on_each(
        "an_error_quotes_no_value_of_a_record",
        an_error_quotes_no_value_of_a_record,
    );
    trials.extend(on_each(
        "an_error_names_the_missing_table",
        an_error_names_the_missing_table,
    ));
    trials.extend(on(
        &[Kind::Postgres],
        "an_error_quotes_no_connection_string",
        an_error_quotes_no_connection_string,
    ));
    trials
}

async fn an_error_quotes_no_value_of_a_record(database: Database) {
    let pool = database.pool(Opening::default()).await.unwrap();
    let store = pool.store();
    store.migrate().await.unwrap();
    pool.run(match database.kind() {
        Kind::Sqlite => {
            "CREATE TRIGGER nosy BEFORE INSERT ON login_sessions WHEN NEW.version = 7 \
             BEGIN SELECT RAISE(ABORT, 'payload of somebody'); END; \
             CREATE TRIGGER nosier BEFORE UPDATE ON login_sessions WHEN NEW.version = 7 \
             BEGIN SELECT RAISE(ABORT, 'payload of somebody'); END"
        }
        _ => "ALTER TABLE login_sessions ADD CONSTRAINT nosy CHECK (version <> 7)",
    })
    .await;
    let with_version = |version| SessionRecord {
        version,
        ..record(Some("somebody"))
    };
    let store = store.shared();
    let (rejected, stored) = (with_version(7), with_version(6));
    let created = store.create(stored.clone()).await.unwrap();
    assert_eq!(created, CreateOutcome::Done);
    for error in [
        store.create(rejected.clone()).await.unwrap_err(),
        store.update(stored.clone(), NOW).await.unwrap_err(),
    ] {
        quotes_nothing(&*error, &rejected);
        quotes_nothing(&*error, &stored);
        let text = error.to_string();
        assert!(text.starts_with("the database rejected the values, code"));
    }
    let too_large = with_version(u64::MAX);
    let error = store.create(too_large.clone()).await.unwrap_err();
    quotes_nothing(&*error, &too_large);
    let same_id = SessionRecord {
        id: stored.id,
        ..too_large
    };
    let updated = store.update(same_id, NOW).await.unwrap();
    assert_eq!(updated, Outcome::Conflict);
    let deleted = store.delete(&stored.id, Some(u64::MAX)).await.unwrap();
    assert_eq!(deleted, Outcome::Conflict);
    assert_eq!(store.load(&stored.id).await.unwrap(), Some(stored.clone()));

    if database.kind() == Kind::MySql {
        // A second unique key: MySQL reports its violation as it does that of the id.
        pool.run("CREATE UNIQUE INDEX one_owner ON login_sessions (owner_hash)")
            .await;
        let created = store.create(with_version(0)).await.unwrap();
        assert_eq!(created, CreateOutcome::Exists);
    }
    pool.run("DROP TABLE login_sessions").await;
    for error in [
        store.load(&stored.id).await.unwrap_err(),
        store.update(stored.clone(), NOW).await.unwrap_err(),
        store.delete_all("somebody", None).await.unwrap_err(),
    ] {
        quotes_nothing(&*error, &stored);
    }
}

fn quotes_nothing(error: &(dyn std::error::Error + 'static), record: &SessionRecord) {
    let mut all = String::new();
    let mut cause = Some(error);
    while let Some(error) = cause {
        all += &format!("{error} {error:?} {error:#?}");
        cause = error.source();
    }
    let all = all.to_lowercase();
    for secret in [
        "payload",
        "somebody",
        &hex(b"payload"),
        &hex(b"somebody"),
        &hex(&record.id.as_bytes()[..4]),
        "insert",
        "update",
    ] {
        assert!(!all.contains(secret), "{secret}: {all}");
    }
}

async fn an_error_names_the_missing_table(database: Database) {
    let pool = database.pool(Opening::default()).await.unwrap();
    let store = pool.store().with_table("nowhere").unwrap().shared();
    let error = store.load(&record(None).id).await.unwrap_err();
    let text = error.to_string();
    assert!(
        text.starts_with("the database returned an error, code") && text.contains("nowhere"),
        "{text}"
    );
}

async fn an_error_quotes_no_connection_string(_: Database) {
    let patience = Duration::from_millis(300);
    let postgres = PgPoolOptions::new()
        .acquire_timeout(patience)
        .connect_lazy("postgres://unknown_role:hunter2@127.0.0.1:1/nowhere")
        .unwrap();
    let mysql = MySqlPoolOptions::new()
        .acquire_timeout(patience)
        .connect_lazy("mysql://unknown_role:hunter2@127.0.0.1:1/nowhere")
        .unwrap();
    let id = record(None).id;
    let postgres = PostgresStore::new(postgres);
    let mysql = MySqlStore::new(mysql);
    let errors: [BoxError; 2] = [
        postgres.load(&id).await.unwrap_err(),
        mysql.load(&id).await.unwrap_err(),
    ];
    let all = format!(
        "{errors:?} {} {} {postgres:?} {mysql:?}",
        errors[0], errors[1]
    );
    assert!(
        !all.contains("hunter2") && !all.contains("unknown_role"),
        "{all}"
    );
}
