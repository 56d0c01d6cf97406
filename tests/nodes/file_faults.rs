//! A database file that is locked by another process, or missing.

use std::{env, fs, time::Duration};

use libtest_mimic::Trial;
use sqlx::Connection as _;

use crate::{
    address::{Opened, Way},
    app,
    browser::Browser,
    place::{Kind, Place},
    sql::Pool,
    trials::{eventually, trials},
    world::{DEADLINE, assert_unavailable},
};

pub fn trials() -> Vec<Trial> {
    trials![
        [Kind::Sqlite] =>
            an_application_starts_without_its_file,
            a_locked_file_can_still_be_read;
    ]
}

/// A browser at an application that has this place's file.
fn browser(place: &Place, patience: Duration) -> Browser {
    let way = Way {
        patience,
        ..Way::default()
    };
    let manager = app::manager(place.address.open(&way).store()).with_deadline(DEADLINE);
    Browser::new(app::routes().layer(manager))
}

async fn an_application_starts_without_its_file(place: Place) {
    let folder = env::temp_dir().join(&place.address.name);
    let away = folder.with_extension("away");
    fs::rename(&folder, &away).unwrap();
    let mut browser = browser(&place, DEADLINE);
    assert_eq!(browser.get("/").await.body, "public");
    assert_eq!(browser.get("/me").await.status, 401);
    assert_unavailable(&browser.post("/login/1").await, "login");
    fs::rename(&away, &folder).unwrap();
    assert_eq!(browser.post("/login/1").await.body, "1");
    assert_eq!(browser.get("/me").await.body, "1");
}

/// A lock that outlasts the patience, and one that outlasts the deadline.
async fn a_locked_file_can_still_be_read(place: Place) {
    for patience in [DEADLINE / 3, DEADLINE * 10] {
        let mut browser = browser(&place, patience);
        let mut other = browser.another();
        browser.post("/login/1").await;
        other.post("/remember/2").await;

        let Opened::Pool(Pool::Sqlite(pool)) = place.address.open(&Way::default()) else {
            panic!("it is SQLite");
        };
        let mut locking = pool.acquire().await.unwrap();
        let lock = locking.begin_with("BEGIN IMMEDIATE").await.unwrap();
        assert_eq!(browser.get("/").await.body, "public");
        assert_eq!(browser.get("/me").await.body, "1");
        assert_unavailable(&browser.another().post("/login/3").await, "login");
        let answer = other.post("/logout").await;
        assert_eq!(answer.status, 503);
        assert_eq!(answer.set_cookies().len(), 2);
        assert!(other.cookie_names().is_empty());
        lock.rollback().await.unwrap();

        assert_eq!(browser.get("/me").await.body, "1");
        eventually("a login works again", || async {
            browser.another().post("/login/3").await.status == 200
        })
        .await;
    }
}
