//! A record expires in the same millisecond whatever the time zone of the database.

use libtest_mimic::Trial;
use login_manager::store::{CreateOutcome, Outcome, Page};

use crate::sql::{Database, Kind, NOW, Opening, on, record};

pub(crate) fn trials() -> Vec<Trial> {
    on(
        &[Kind::Postgres, Kind::MySql],
        "a_record_expires_at_the_same_time_in_every_time_zone",
        a_record_expires_at_the_same_time_in_every_time_zone,
    )
}

async fn a_record_expires_at_the_same_time_in_every_time_zone(database: Database) {
    let zones = if database.kind() == Kind::Postgres {
        [
            "SET TIME ZONE 'America/New_York'",
            "SET TIME ZONE 'Asia/Tokyo'",
        ]
    } else {
        ["SET time_zone = '-05:00'", "SET time_zone = '+09:00'"]
    };
    let mut stores = Vec::new();
    for zone in zones {
        let opening = Opening {
            first: Some(zone),
            ..Opening::default()
        };
        let store = database.pool(opening).await.unwrap().store();
        store.migrate().await.unwrap();
        stores.push(store.shared());
    }

    for writer in &stores {
        let record = record(Some("somebody"));
        let created = writer.create(record.clone()).await.unwrap();
        assert_eq!(created, CreateOutcome::Done);
        let page = Page {
            after: None,
            limit: 10,
        };
        for (reader, store) in stores.iter().enumerate() {
            let id = &record.id;
            assert_eq!(store.load(id).await.unwrap().as_ref(), Some(&record));
            for (now, listed, outcome) in [
                (record.expires - 1, 1, Outcome::Conflict),
                (record.expires, 0, Outcome::Gone),
            ] {
                let found = store.list("somebody", page, now).await.unwrap();
                assert_eq!(found.len(), listed, "list of {reader} at {}", now - NOW);
                let mut new = record.clone();
                new.version = 99;
                let updated = store.update(new, now).await.unwrap();
                assert_eq!(updated, outcome, "update of {reader} at {}", now - NOW);
            }
            let touched = store.touch(id, record.expires, NOW + 1500).await.unwrap();
            assert_eq!(touched, Outcome::Gone);
            let cleared = store.delete_expired(record.expires - 1, 9).await.unwrap();
            assert_eq!(cleared, 0);
        }
        let other = stores.last().unwrap();
        assert_eq!(other.delete_expired(record.expires, 9).await.unwrap(), 1);
    }
}
