//! A node is killed under load: the changes that it has acknowledged are seen by the next one.

use std::{
    hash::{BuildHasher as _, RandomState},
    sync::{
        Arc,
        atomic::{AtomicI64, AtomicUsize, Ordering::SeqCst},
    },
};

use axum::Router;
use libtest_mimic::Trial;
use tokio::{sync::Notify, task::JoinSet};

use crate::{
    app::SESSION,
    browser::Browser,
    node::{Node, Settings, balancer},
    place::{Kind, Place},
    trials::trials,
};

pub fn trials() -> Vec<Trial> {
    trials![
        Kind::ALL => acknowledged_changes_survive_a_killed_node;
    ]
}

/// How often a node is killed.
const ROUNDS: usize = 4;
/// How many browsers are at it at the same time.
const BROWSERS: usize = 16;

/// The acknowledged session cookies and their users.
#[derive(Default)]
struct Acknowledged {
    logins: Vec<(String, i64)>,
    logouts: Vec<(String, i64)>,
}

async fn acknowledged_changes_survive_a_killed_node(place: Place) {
    let next_user = Arc::new(AtomicI64::new(1));
    let mut all = Acknowledged::default();
    let mut node = Node::start(&place.address, Settings::default()).await;
    for round in 0..ROUNDS {
        // Not the same number each time, and none that anybody has chosen.
        let chance = RandomState::new().hash_one(round) % 200;
        let until = 100 + usize::try_from(chance).unwrap();
        let answers = Answers {
            left: AtomicUsize::new(until),
            are_enough: Notify::new(),
        };
        let answers = Arc::new(answers);
        let app = balancer([&node]);
        let mut browsers = JoinSet::new();
        for _ in 0..BROWSERS {
            let (app, answers) = (app.clone(), Arc::clone(&answers));
            browsers.spawn(visit(app, Arc::clone(&next_user), answers));
        }
        answers.are_enough.notified().await;
        node.kill().await;
        for ours in browsers.join_all().await {
            all.logins.extend(ours.logins);
            all.logouts.extend(ours.logouts);
        }

        node = Node::start(&place.address, Settings::default()).await;
        let app = balancer([&node]);
        for (token, user) in &all.logins {
            let (status, body) = who_has(&app, token).await;
            assert_eq!((status, body), (200, user.to_string()), "round {round}");
        }
        for (token, user) in &all.logouts {
            let (status, _) = who_has(&app, token).await;
            assert_eq!(status, 401, "round {round}: {user} is in again");
        }
    }
    assert!(!all.logins.is_empty() && !all.logouts.is_empty());
}

/// Counts acknowledged changes, until the node is killed.
struct Answers {
    left: AtomicUsize,
    are_enough: Notify,
}

impl Answers {
    fn one_more(&self) {
        let left = self
            .left
            .fetch_update(SeqCst, SeqCst, |left| left.checked_sub(1));
        if left == Ok(1) {
            self.are_enough.notify_one();
        }
    }
}

/// Logs users in one after the other, and every second one out again, until the node stops
/// responding.
async fn visit(app: Router, next_user: Arc<AtomicI64>, answers: Arc<Answers>) -> Acknowledged {
    let mut acknowledged = Acknowledged::default();
    loop {
        let user = next_user.fetch_add(1, SeqCst);
        let mut browser = Browser::new(app.clone());
        let answer = browser.post(&format!("/0/login/{user}")).await;
        match answer.status.as_u16() {
            200 => {}
            // A file that many write at once on a busy machine: nothing was acknowledged.
            503 => continue,
            _ => {
                assert_eq!(answer.status, 502);
                return acknowledged;
            }
        }
        answers.one_more();
        let token = browser.cookie("session").unwrap();
        if user % 2 == 0 {
            acknowledged.logins.push((token, user));
            continue;
        }
        // Of one that isn't acknowledged nothing is known.
        if browser.post("/0/logout").await.status != 200 {
            return acknowledged;
        }
        answers.one_more();
        acknowledged.logouts.push((token, user));
    }
}

async fn who_has(app: &Router, token: &str) -> (u16, String) {
    let mut browser = Browser::new(app.clone());
    browser.plant(SESSION, token);
    let answer = browser.get("/0/me").await;
    (answer.status.as_u16(), answer.body)
}
