//! What the errors say, and what they don't.

use std::time::Duration;

use libtest_mimic::Trial;
use login_manager::{
    BoxError, MySqlStore, PostgresStore, SessionStore as _,
    store::{Created, Record, Replaced},
};
use sqlx::{mysql::MySqlPoolOptions, postgres::PgPoolOptions};

use crate::sql::{Database, Kind, Opening, hex, on, on_each, record};

pub(crate) fn trials() -> Vec<Trial> {
    let mut trials = on_each(
        "l2_an_error_tells_nothing_of_the_record",
        l2_an_error_tells_nothing_of_the_record,
    );
    trials.extend(on_each(
        "an_error_says_which_table_is_missing",
        an_error_says_which_table_is_missing,
    ));
    trials.extend(on(
        &[Kind::Postgres],
        "l2_an_error_tells_nothing_of_the_connection_string",
        l2_an_error_tells_nothing_of_the_connection_string,
    ));
    trials
}

async fn l2_an_error_tells_nothing_of_the_record(database: Database) {
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
    let record = Record {
        version: 7,
        ..record(Some("somebody"))
    };
    let (store, old) = (store.shared(), other(&record));
    assert_eq!(store.create(old.clone()).await.unwrap(), Created::Done);
    for error in [
        store.create(record.clone()).await.unwrap_err(),
        store
            .replace(&old.key, 0, record.clone())
            .await
            .unwrap_err(),
    ] {
        tells_nothing(&*error, &record);
        tells_nothing(&*error, &old);
        let text = error.to_string();
        assert!(text.starts_with("the database refused the values, code"));
    }
    let taken = other(&record);
    assert_eq!(store.create(taken.clone()).await.unwrap(), Created::Done);
    for key in [taken.key, old.key] {
        let new = Record {
            key,
            ..other(&record)
        };
        let replaced = store.replace(&old.key, 0, new).await.unwrap();
        assert_eq!(replaced, Replaced::Exists);
    }
    for (at, version) in [(0, u64::MAX), (u64::MAX, 0)] {
        let new = Record {
            version,
            ..other(&record)
        };
        let replaced = store.replace(&old.key, at, new.clone()).await;
        if at == 0 {
            tells_nothing(&*replaced.unwrap_err(), &new);
        } else {
            assert_eq!(replaced.unwrap(), Replaced::Conflict);
        }
    }
    assert_eq!(store.load(&old.key).await.unwrap(), Some(old));

    if database.kind() == Kind::MySql {
        // A second unique key is no collision of tokens, but MySQL can't tell; what counts is that nothing is quoted.
        pool.run("CREATE UNIQUE INDEX one_family ON login_sessions (family)")
            .await;
    }
    let record = Record {
        version: 0,
        ..record
    };
    let created = store.create(record.clone()).await.unwrap();
    assert_eq!(created, Created::Done);
    pool.run("DROP TABLE login_sessions").await;
    let error = store.load(&record.key).await.unwrap_err();
    tells_nothing(&*error, &record);
    let error = store.replace(&record.key, 0, other(&record)).await;
    tells_nothing(&*error.unwrap_err(), &record);
}

/// Another one of the same owner, at the first version.
fn other(of: &Record) -> Record {
    record(of.owner.as_deref())
}

fn tells_nothing(error: &(dyn std::error::Error + 'static), record: &Record) {
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
        &hex(&record.key.as_bytes()[..4]),
        &hex(&record.family.as_bytes()[..4]),
        "insert",
        "update",
    ] {
        assert!(!all.contains(secret), "{secret}: {all}");
    }
}

async fn an_error_says_which_table_is_missing(database: Database) {
    let pool = database.pool(Opening::default()).await.unwrap();
    let store = pool.store().with_table("nowhere").unwrap().shared();
    let error = store.load(&record(None).key).await.unwrap_err();
    let text = error.to_string();
    assert!(
        text.starts_with("the database answered with an error, code") && text.contains("nowhere"),
        "{text}"
    );
}

async fn l2_an_error_tells_nothing_of_the_connection_string(_: Database) {
    let patience = Duration::from_millis(300);
    let postgres = PgPoolOptions::new()
        .acquire_timeout(patience)
        .connect_lazy("postgres://nobody_known:hunter2@127.0.0.1:1/nowhere")
        .unwrap();
    let mysql = MySqlPoolOptions::new()
        .acquire_timeout(patience)
        .connect_lazy("mysql://nobody_known:hunter2@127.0.0.1:1/nowhere")
        .unwrap();
    let key = record(None).key;
    let postgres = PostgresStore::new(postgres);
    let mysql = MySqlStore::new(mysql);
    let errors: [BoxError; 2] = [
        postgres.load(&key).await.unwrap_err(),
        mysql.load(&key).await.unwrap_err(),
    ];
    let all = format!(
        "{errors:?} {} {} {postgres:?} {mysql:?}",
        errors[0], errors[1]
    );
    assert!(
        !all.contains("hunter2") && !all.contains("nobody_known"),
        "{all}"
    );
}
