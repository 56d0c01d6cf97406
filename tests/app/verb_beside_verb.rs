//! A verb is held at any of its calls, another runs beside it, and a call fails after that: what was answered is true, and nothing
//! is left that no browser has.

use std::{collections::HashSet, time::Duration};

use http::Method;
use login_manager::{
    SessionStore,
    store::{Record, RecordKey},
};
use tokio::time::sleep;

use crate::{
    browser::{Answer, Browser},
    devices::with_devices,
    faulty_store::{
        Call::{self, Create, Delete, DeleteAll, Load, Replace, Update},
        Fault::{self, DoesAndFails, Fails},
        When::{self, After, Before},
    },
    world::{HOUR, SESSION, World},
};

const REMEMBER: &str = "__Host-account-remember";

const STARTS: [&str; 7] = [
    "logged in",
    "logged in, beside bob's cookie",
    "logged in and remembered",
    "remembered",
    "remembered, with a cart",
    "with a cart",
    "as bob, remembered",
];
const VERBS: [&str; 5] = [
    "/renew",
    "/confirm",
    "/login/alice",
    "/remember/alice",
    "/who",
];
const MEANWHILE: [&str; 4] = ["/logout", "/everywhere", "/renew", "/login/alice"];

#[derive(Clone, Copy, Debug)]
struct Case {
    start: &'static str,
    verb: &'static str,
    meanwhile: &'static str,
    point: (Call, When),
    fault: Option<(Call, Fault)>,
}

/// What became of a browser.
type Done = (Browser, Answer);

impl Case {
    async fn world(&self, at_once: bool) -> World {
        let mut world = World::with(with_devices, |manager| manager.with_deadline(HOUR));
        if at_once {
            world.store.replace_at_once();
        }
        let remembered = match self.start {
            "logged in" | "with a cart" => None,
            start if start.contains("bob") => Some("/remember/bob"),
            _ => Some("/remember/alice"),
        };
        world.browser.post(remembered.unwrap_or("/")).await;
        if self.start.starts_with("remembered") || self.start.ends_with("cookie") {
            // It comes back after its session has ended.
            let remember = world.browser.cookie("remember").unwrap();
            world.store.take_asked();
            world.browser.get("/who").await;
            let key = world.store.take_asked()[0];
            let _done = world.store.inner.delete(&key, None).await;
            world.browser.forget_cookies();
            world.browser.plant(REMEMBER, &remember);
        }
        if self.start == "logged in" {
            world.browser.post("/login/alice").await;
        } else if self.start.ends_with("cookie") {
            let mut alice = world.browser.another();
            alice.post("/login/alice").await;
            let session = alice.cookie("-session").unwrap();
            world.browser.plant(SESSION, &session);
        }
        if self.start.ends_with("with a cart") {
            world.browser.post("/put/cart/apples").await;
        }
        world
    }

    /// `None` where the verb never comes to the point, or no call comes to the fault.
    async fn run(&self, at_once: bool) -> Option<(World, Done, Done)> {
        let world = self.world(at_once).await;
        let gate = world.store.gate(self.point.0, self.point.1);
        let fail = || {
            if let Some((call, fault)) = self.fault {
                world.store.fail_once(call, fault);
            }
        };
        // The call that is held is the one that fails, or a later one.
        let is_first = self.fault.is_some_and(|(call, _)| call == self.point.0);
        if is_first {
            fail();
        }
        let method = match self.verb {
            "/who" => Method::GET,
            _ => Method::POST,
        };
        let mut held = world.browser.start(method, self.verb);
        tokio::select! {
            () = gate.reached() => {}
            _ = &mut held => return None,
        }
        let beside = world.browser.start(Method::POST, self.meanwhile);
        let beside = beside.await.unwrap();
        if !is_first {
            fail();
        }
        gate.open();
        let held = held.await.unwrap();
        if world.store.is_still_to_fail() {
            return None;
        }
        // What the store owes is paid by then.
        sleep(Duration::from_secs(100)).await;
        Some((world, held, beside))
    }

    fn is_login(&self) -> bool {
        self.verb.ends_with("/alice")
    }

    fn is_beside_a_logout(&self) -> bool {
        matches!(self.meanwhile, "/logout" | "/everywhere")
    }

    /// Of one session. A browser that is remembered gets another one to renew where the first has gone.
    fn are_renewals(&self) -> bool {
        let renews = |verb| matches!(verb, "/renew" | "/confirm");
        renews(self.verb) && renews(self.meanwhile) && self.start == "logged in"
    }

    /// The verb had done its work, and what came then came after it.
    fn was_over(&self) -> bool {
        self.point.1 == After && self.point.0 != Load
    }

    async fn check(&self, world: World, (mut one, answer): Done, (mut two, other): Done) {
        let case = format!("{self:?}");
        let records = world.store.inner.records();
        let (status, other) = (answer.status.as_u16(), other.status.as_u16());
        assert!([200, 409, 503].contains(&status), "{case}: {status}");
        assert!([200, 409].contains(&other), "{case}: {other}");
        let reachable = reachable(&world, [&one, &two]).await;
        for Record { key, owner, .. } in &records {
            assert!(reachable.contains(key), "{case}: left, of {owner:?}");
        }
        // Who came back by a remember cookie has a new one, be it for a verb that failed then.
        let came_back = self.start.starts_with("remembered") && !self.is_login();
        if status == 409 || status == 503 && !came_back {
            assert_eq!(answer.set_cookies(), [""; 0], "{case}");
        }
        if self.is_beside_a_logout() {
            let lives = records.iter().any(|record| record.owner.is_some());
            let has_old_token = self.was_over() && !self.start.contains("remembered");
            if !self.is_login() && !has_old_token {
                assert!(!lives, "{case}: nobody logged in after the logout");
            }
            // A visitor's own session is renewed in any case: with a cart, nobody is in.
            let is_visitors = self.verb == "/renew" && self.start.ends_with("cart");
            let is_late = !self.was_over() && !is_visitors && self.meanwhile == "/logout";
            if !self.is_login() && is_late {
                assert!(!sets_session(&answer), "{case}: it is known to be dead");
            }
            if self.is_login() && status == 200 && (lives || !self.was_over()) {
                self.assert_is_in(one, &case).await;
            }
        } else if self.is_login() && status == 200 {
            self.assert_is_in(one, &case).await;
        } else if self.are_renewals() {
            let who = one.get("/who").await.body;
            let both = who != "nobody" && who == two.get("/who").await.body;
            let same = one.cookie("-session") == two.cookie("-session");
            assert!(same || !both, "{case}: both have won");
        }
        if self.meanwhile == "/login/alice" {
            assert_eq!(two.get("/who").await.body, "alice", "{case}");
        }
    }

    async fn assert_is_in(&self, mut browser: Browser, case: &str) {
        assert_eq!(browser.get("/who").await.body, "alice", "{case}");
        if self.verb.starts_with("/remember") {
            browser.forget(SESSION);
            let how = browser.get("/how").await.body;
            assert_eq!(how, "alice stale remembered", "{case}");
        }
    }
}

fn sets_session(answer: &Answer) -> bool {
    let sets = |cookie: &String| cookie.starts_with(SESSION) && !cookie.contains("Max-Age=0");
    answer.set_cookies().iter().any(sets)
}

/// The records behind the cookies of these browsers.
async fn reachable(world: &World, browsers: [&Browser; 2]) -> HashSet<RecordKey> {
    let mut cookies = HashSet::new();
    for browser in browsers {
        for name in [SESSION, REMEMBER] {
            cookies.extend(browser.cookie(name).map(|value| (name, value)));
        }
    }
    world.store.take_asked();
    for (name, value) in cookies {
        let mut only = world.browser.another();
        only.plant(name, &value);
        only.get("/who").await;
    }
    world.store.take_asked().into_iter().collect()
}

async fn sweep(points: &[(Call, When)], faults: &[Option<(Call, Fault)>], at_once: bool) -> usize {
    let mut ran = 0;
    for start in STARTS {
        for verb in VERBS {
            for meanwhile in MEANWHILE {
                for &point in points {
                    for &fault in faults {
                        let case = Case {
                            start,
                            verb,
                            meanwhile,
                            point,
                            fault,
                        };
                        if let Some((world, held, beside)) = case.run(at_once).await {
                            ran += 1;
                            case.check(world, held, beside).await;
                        } else if fault.is_none() {
                            break;
                        }
                    }
                }
            }
        }
    }
    ran
}

#[tokio::test(start_paused = true)]
async fn b6_what_verbs_answer_is_true_whatever_runs_beside_them_and_fails() {
    let points = [
        (Load, After),
        (Create, Before),
        (Create, After),
        (Delete, Before),
        (Delete, After),
        (Update, Before),
    ];
    let faults = [
        None,
        Some((Create, DoesAndFails)),
        Some((Delete, Fails)),
        Some((Delete, DoesAndFails)),
        Some((DeleteAll, Fails)),
    ];
    let ran = sweep(&points, &faults, false).await;
    assert!(ran > 1300, "{ran}");
}

#[tokio::test(start_paused = true)]
async fn b6_so_it_is_where_a_store_replaces_in_one_step() {
    let points = [
        (Load, After),
        (Replace, Before),
        (Replace, After),
        (DeleteAll, Before),
    ];
    let faults = [
        None,
        Some((Load, Fails)),
        Some((Replace, Fails)),
        Some((Replace, DoesAndFails)),
        Some((Delete, Fails)),
        Some((DeleteAll, DoesAndFails)),
    ];
    let ran = sweep(&points, &faults, true).await;
    assert!(ran > 600, "{ran}");
}
