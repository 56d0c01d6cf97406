//! Two nodes over one store: a change on one is seen on the other.

use std::sync::Arc;

use libtest_mimic::Trial;
use login_manager::store::SessionRecord;
use tokio::{sync::Barrier, task::JoinSet};

use crate::{
    app::{REMEMBER, SESSION},
    browser::{Answer, Browser},
    node::{Node, Settings, balancer},
    place::{Kind, Place},
    trials::{eventually, trials},
};

pub fn trials() -> Vec<Trial> {
    trials![
        Kind::ALL =>
            change_on_one_node_is_seen_on_the_other_at_once,
            concurrent_restores_on_two_nodes_are_no_theft,
            stolen_remember_token_ends_on_both_nodes,
            clock_skew_between_nodes_changes_nothing,
            sixteen_requests_under_two_clocks_are_no_theft,
            two_requests_under_two_clocks_are_no_theft,
            a_late_request_under_a_clock_ahead_is_no_theft,
            fifty_logins_on_two_nodes_leave_one;
    ]
}

/// Two nodes, and a browser that visits both: `/0/…` and `/1/…`.
struct Nodes {
    nodes: [Node; 2],
    browser: Browser,
    place: Place,
}

impl Nodes {
    async fn start(place: Place, settings: [Settings; 2]) -> Self {
        // Many that write into one file at once wait for each other, on a busy machine for longer
        // than they should.
        let settings = settings.map(|settings| Settings {
            patience: Some(30),
            ..settings
        });
        let nodes = [
            Node::start(&place.address, settings[0]).await,
            Node::start(&place.address, settings[1]).await,
        ];
        Self {
            browser: Browser::new(balancer(&nodes)),
            nodes,
            place,
        }
    }

    /// With clocks that stand still, the second one's so many seconds ahead.
    async fn with_clocks(place: Place, ahead: i64) -> Self {
        let clock = |ahead| Settings {
            clock: Some(ahead),
            ..Settings::default()
        };
        Self::start(place, [clock(0), clock(ahead)]).await
    }

    /// How many thefts either has reported.
    async fn alarms(&self) -> [String; 2] {
        let mut browser = self.browser.another();
        [
            browser.get("/0/alarms").await.body,
            browser.get("/1/alarms").await.body,
        ]
    }

    /// Lets time pass on both.
    async fn advance(&self, seconds: u64) {
        for node in 0..2 {
            let uri = format!("/{node}/advance/{seconds}");
            assert_eq!(self.browser.another().post(&uri).await.status, 200);
        }
    }

    /// The user's only session.
    async fn record(&self, user: i64) -> SessionRecord {
        let mut records = self.place.records(user).await;
        assert_eq!(records.len(), 1);
        records.remove(0)
    }

    /// Logs a user in with remember-me, and forgets the session cookie as a browser that is closed.
    async fn remember(&mut self, user: i64) {
        let uri = format!("/0/remember/{user}");
        assert_eq!(self.browser.post(&uri).await.body, user.to_string());
        self.record(user).await;
        self.browser.forget(SESSION);
    }

    /// Both nodes return this user, repeatedly.
    async fn stays(&mut self, user: &str) {
        for round in 0..10 {
            let uri = format!("/{}/me", round % 2);
            let answer = self.browser.get(&uri).await;
            assert_eq!((answer.status.as_u16(), &*answer.body), (200, user));
            assert!(answer.set_cookies().is_empty());
        }
    }

    /// Sixteen requests, eight on each node, all of them with the browser's cookies.
    async fn at_once(&self, uri: &str) -> Vec<Answer> {
        let together = Arc::new(Barrier::new(16));
        let mut requests = JoinSet::new();
        for number in 0..16 {
            let (mut browser, together) = (self.browser.clone(), Arc::clone(&together));
            let uri = format!("/{}{uri}", number % 2);
            requests.spawn(async move {
                together.wait().await;
                browser.get(&uri).await
            });
        }
        requests.join_all().await
    }
}

async fn change_on_one_node_is_seen_on_the_other_at_once(place: Place) {
    let mut nodes = Nodes::start(place, [Settings::default(); 2]).await;
    let browser = &mut nodes.browser;
    for round in 0..20 {
        let (here, there) = (round % 2, (round + 1) % 2);
        let login = format!("/{here}/login/{round}");
        assert_eq!(browser.post(&login).await.body, round.to_string());
        let me = format!("/{there}/me");
        assert_eq!(browser.get(&me).await.body, round.to_string());
        let put = format!("/{there}/put/key/{round}");
        assert_eq!(browser.post(&put).await.status, 200);
        let read = format!("/{here}/get/key");
        assert_eq!(browser.get(&read).await.body, round.to_string());

        let mut thief = browser.clone();
        let logout = format!("/{there}/logout");
        assert_eq!(browser.post(&logout).await.status, 200);
        assert!(browser.cookie_names().is_empty());
        let me = format!("/{here}/me");
        assert_eq!(thief.get(&me).await.status, 401, "round {round}");
    }
}

async fn concurrent_restores_on_two_nodes_are_no_theft(place: Place) {
    let mut nodes = Nodes::start(place, [Settings::default(); 2]).await;
    for user in 1..6 {
        nodes.browser.forget_cookies();
        nodes.remember(user).await;
        let answers = nodes.at_once("/me").await;
        for answer in &answers {
            let who = (answer.status.as_u16(), &*answer.body);
            assert_eq!(who, (200, &*user.to_string()));
            nodes.browser.receive(answer);
        }
        nodes.record(user).await;
        // One of them had the cookies in its answer.
        nodes.stays(&user.to_string()).await;
    }
    assert_eq!(nodes.alarms().await, ["0", "0"]);
}

async fn stolen_remember_token_ends_on_both_nodes(place: Place) {
    let mut nodes = Nodes::with_clocks(place, 0).await;
    nodes.remember(1).await;
    let mut thief = nodes.browser.another();
    thief.plant(REMEMBER, &nodes.browser.cookie("remember").unwrap());
    assert_eq!(thief.get("/1/me").await.body, "1");
    let exchanged = nodes.record(1).await;
    assert_eq!(thief.get("/0/me").await.body, "1");
    eventually("the thief's token has been seen", || async {
        nodes.record(1).await.version > exchanged.version
    })
    .await;
    // Its clock may have been five minutes behind.
    nodes.advance(6 * 60 + 1).await;

    assert_eq!(nodes.browser.get("/0/me").await.status, 401);
    assert_eq!(nodes.alarms().await, ["1", "0"]);
    for uri in ["/0/me", "/1/me"] {
        assert_eq!(thief.clone().get(uri).await.status, 401, "{uri}");
        assert_eq!(nodes.browser.clone().get(uri).await.status, 401, "{uri}");
    }
    assert!(nodes.place.records(1).await.is_empty());
    assert_eq!(nodes.alarms().await, ["1", "0"]);
}

async fn clock_skew_between_nodes_changes_nothing(mut place: Place) {
    for ahead in [120, -120] {
        let mut nodes = Nodes::with_clocks(place, ahead).await;
        for (here, there) in [(0, 1), (1, 0)] {
            nodes.browser.forget_cookies();
            let login = format!("/{here}/login/1");
            assert_eq!(nodes.browser.post(&login).await.body, "1");
            nodes.stays("1").await;
            let put = format!("/{there}/put/key/{ahead}");
            assert_eq!(nodes.browser.post(&put).await.status, 200);
            let read = format!("/{here}/get/key");
            assert_eq!(nodes.browser.get(&read).await.body, ahead.to_string());

            nodes.browser.forget_cookies();
            nodes.remember(2).await;
            let me = format!("/{here}/me");
            assert_eq!(nodes.browser.get(&me).await.body, "2");
            nodes.stays("2").await;
            let logout = format!("/{there}/logout");
            assert_eq!(nodes.browser.post(&logout).await.status, 200);
            assert!(nodes.place.records(2).await.is_empty());
        }
        assert_eq!(nodes.alarms().await, ["0", "0"]);
        place = nodes.place;
    }
}

async fn sixteen_requests_under_two_clocks_are_no_theft(mut place: Place) {
    for (ahead, users) in [(50, 1..3), (-50, 3..5), (120, 5..7), (-120, 7..9)] {
        let mut nodes = Nodes::with_clocks(place, ahead).await;
        for user in users {
            nodes.browser.forget_cookies();
            nodes.remember(user).await;
            for answer in nodes.at_once("/me").await {
                let who = (answer.status.as_u16(), &*answer.body);
                assert_eq!(who, (200, &*user.to_string()), "{ahead}");
                nodes.browser.receive(&answer);
            }
            nodes.stays(&user.to_string()).await;
        }
        assert_eq!(nodes.alarms().await, ["0", "0"]);
        place = nodes.place;
    }
}

/// The grace of 60 seconds is over at once where the clock is two minutes ahead: nothing must be
/// exchanged there again.
async fn two_requests_under_two_clocks_are_no_theft(place: Place) {
    let mut nodes = Nodes::with_clocks(place, 120).await;
    nodes.remember(1).await;
    let mut beside = nodes.browser.clone();
    assert_eq!(nodes.browser.get("/0/me").await.body, "1");
    assert_eq!(beside.get("/1/me").await.body, "1");
    nodes.stays("1").await;
    assert_eq!(nodes.alarms().await, ["0", "0"]);
}

/// The same if the new token has been presented.
async fn a_late_request_under_a_clock_ahead_is_no_theft(place: Place) {
    let mut nodes = Nodes::with_clocks(place, 120).await;
    nodes.remember(1).await;
    let mut late = nodes.browser.clone();
    assert_eq!(nodes.browser.get("/0/me").await.body, "1");
    let exchanged = nodes.record(1).await;
    assert_eq!(nodes.browser.get("/0/me").await.body, "1");
    eventually("the new token has been seen", || async {
        nodes.record(1).await.version > exchanged.version
    })
    .await;
    assert_eq!(late.get("/1/me").await.body, "1");
    nodes.stays("1").await;
    assert_eq!(nodes.alarms().await, ["0", "0"]);
}

async fn fifty_logins_on_two_nodes_leave_one(place: Place) {
    let settings = Settings {
        max_sessions: Some(1),
        ..Settings::default()
    };
    let nodes = Nodes::start(place, [settings; 2]).await;
    for user in 1..4 {
        let mut logins = JoinSet::new();
        for number in 0..50 {
            let mut browser = nodes.browser.another();
            let uri = format!("/{}/login/{user}", number % 2);
            logins.spawn(async move {
                assert_eq!(browser.post(&uri).await.status, 200);
                browser
            });
        }
        let mut alive = 0;
        for mut browser in logins.join_all().await {
            let status = browser.get("/0/me").await.status;
            assert_eq!(browser.get("/1/me").await.status, status);
            alive += usize::from(status == 200);
        }
        assert_eq!(alive, 1);
        nodes.record(user).await;
    }
}
