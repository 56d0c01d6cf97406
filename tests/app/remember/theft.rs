//! A thief with a copy of the remember cookie is detected, and a legitimate browser never raises
//! the alarm.

use std::time::Duration;

use axum::Router;
use http::{Method, Request};
use login_manager::{LoginManager, event::EventKind, testing::TestClock};

use crate::support::{
    browser::{Answer, Browser, send},
    events::Events,
    faulty_store::FaultyStore,
    world::{Accounts, DAY, HOUR, MINUTE, REMEMBER, World, routes},
};

const AFTER_GRACE: Duration = Duration::from_secs(31);

/// A world in which the owner came back twice, and the remember cookies from the login on.
async fn came_back_twice() -> (World, Vec<String>) {
    let mut world = World::with(routes, |manager| manager);
    world.browser.post("/remember/alice").await;
    let mut cookies = vec![world.browser.cookie("remember").unwrap()];
    for _ in 0..2 {
        world.clock.advance(DAY);
        world.browser.restart();
        for _ in 0..2 {
            assert_eq!(world.browser.get("/who").await.body, "alice");
        }
        cookies.push(world.browser.cookie("remember").unwrap());
    }
    world.clock.advance(DAY);
    world.events.take();
    (world, cookies)
}

/// A browser with a copy of the cookies: how often it sends them, and whether it restarts first.
#[derive(Clone, Copy, Debug)]
struct Visit {
    requests: usize,
    restarts: bool,
}

const VISITS: [Visit; 4] = [
    Visit {
        requests: 1,
        restarts: true,
    },
    Visit {
        requests: 2,
        restarts: true,
    },
    Visit {
        requests: 1,
        restarts: false,
    },
    Visit {
        requests: 3,
        restarts: false,
    },
];

async fn visit(browser: &mut Browser, visit: Visit) {
    if visit.restarts {
        browser.restart();
    }
    for _ in 0..visit.requests {
        browser.get("/who").await;
    }
}

/// Whether the session cookie that a browser has is valid, without its remember cookie.
async fn is_in(world: &World, browser: &Browser) -> bool {
    match browser.cookie("-session") {
        Some(session) => world.who_has(&session).await == "alice",
        None => false,
    }
}

#[tokio::test]
async fn of_thief_and_owner_the_second_to_return_ends_the_first() {
    for copy in 0..3 {
        for thief_first in [false, true] {
            for [first_visit, second_visit, third_visit] in all_visits() {
                let case = format!("{copy} {thief_first} {first_visit:?} {second_visit:?}");
                let (world, cookies) = came_back_twice().await;
                let (mut owner, mut thief) = (world.browser.clone(), world.browser.another());
                thief.plant(REMEMBER, &cookies[copy]);
                let [first, second] = match thief_first {
                    true => [&mut thief, &mut owner],
                    false => [&mut owner, &mut thief],
                };
                let mut is_detected = false;
                for (browser, how) in [(&mut *first, first_visit), (&mut *second, second_visit)] {
                    visit(browser, how).await;
                    world.clock.advance(AFTER_GRACE);
                    is_detected |= world.events.take().contains(&EventKind::RememberTheft);
                }
                let both = [is_in(&world, first).await, is_in(&world, second).await];
                assert_ne!(both, [true, true], "{case}");
                assert!(!is_detected || both == [false, false], "{case}");
                if copy < 2 {
                    assert!(is_detected, "{case}");
                }
                // If not now, then by the next request of either.
                for at in [0, 1, 0] {
                    world.clock.advance(HOUR);
                    visit(
                        if at == 0 { &mut *first } else { &mut *second },
                        third_visit,
                    )
                    .await;
                    is_detected |= world.events.take().contains(&EventKind::RememberTheft);
                }
                assert!(is_detected, "{case} {third_visit:?}");
            }
        }
    }
}

fn all_visits() -> impl Iterator<Item = [Visit; 3]> {
    VISITS.into_iter().flat_map(|first| {
        VISITS.into_iter().flat_map(move |second| {
            VISITS
                .into_iter()
                .filter(|third| third.requests > 1)
                .map(move |third| [first, second, third])
        })
    })
}

/// The thief comes within the grace of the owner's exchange, or the owner within that of the
/// thief's.
#[tokio::test]
async fn join_within_the_grace_sets_no_cookie() {
    for thief_first in [false, true] {
        let (world, cookies) = came_back_twice().await;
        let (mut owner, mut thief) = (world.browser.clone(), world.browser.another());
        thief.plant(REMEMBER, &cookies[2]);
        owner.restart();
        let [first, second] = match thief_first {
            true => [&mut thief, &mut owner],
            false => [&mut owner, &mut thief],
        };
        first.get("/who").await;
        first.get("/who").await;
        assert_eq!(second.get("/who").await.body, "alice");
        assert_eq!(second.cookie("-session"), None);
        world.clock.advance(AFTER_GRACE);
        assert_eq!(second.get("/who").await.body, "nobody");
        assert!(world.events.take().contains(&EventKind::RememberTheft));
        assert_eq!(first.get("/who").await.body, "nobody");
    }
}

#[tokio::test]
async fn login_that_keeps_remember_me_makes_earlier_copies_ignored() {
    for copy in 0..3 {
        for restarts in [false, true] {
            let (mut world, cookies) = came_back_twice().await;
            if restarts {
                world.browser.restart();
            }
            assert_eq!(world.browser.post("/login/alice").await.status, 200);
            for later in [Duration::ZERO, AFTER_GRACE, DAY] {
                world.clock.advance(later);
                world.events.take();
                let mut thief = world.browser.another();
                thief.plant(REMEMBER, &cookies[copy]);
                let answer = thief.get("/who").await;
                assert_eq!(answer.body, "nobody");
                assert!(answer.set_cookies().is_empty());
                assert_eq!(world.events.take(), [EventKind::UnknownSession]);
                world.browser.restart();
                for _ in 0..2 {
                    assert_eq!(world.browser.get("/who").await.body, "alice");
                }
            }
        }
    }
}

/// Numbers that look random and are the same in every run (Knuth's MMIX generator).
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % sides
    }
}

struct Node {
    app: Router,
    clock: TestClock,
}

/// Requests of one browser on two nodes whose clocks differ. Responses come late, in any order, or
/// not at all.
#[tokio::test]
async fn honest_browser_never_raises_the_alarm() {
    let (mut restored, mut joined) = (0, 0);
    for seed in 0..400 {
        let mut dice = Dice(seed);
        let (store, accounts, events) = (FaultyStore::new(), Accounts::new(), Events::default());
        let nodes = [(); 2].map(|()| {
            let clock = TestClock::new();
            let manager = LoginManager::new(store.clone(), accounts.clone()).with_clock(&clock);
            let app = routes(&accounts).layer(events.watch(manager));
            Node { app, clock }
        });
        match seed % 3 {
            0 => nodes[1].clock.turn_back(4 * MINUTE),
            1 => nodes[1].clock.advance(4 * MINUTE),
            _ => {}
        }
        let mut browser = Browser::new(Router::new());
        let mut responses: Vec<Answer> = Vec::new();
        let mut log = String::new();
        for _ in 0..30 {
            let node = &nodes[dice.roll(2)];
            if browser.cookie("remember").is_none() {
                let login = browser.request(Method::POST, "/remember/alice");
                browser.receive(&send(&node.app, login).await);
            }
            let step = dice.roll(8);
            log += &format!(" {step}");
            match step {
                0 => browser.restart(),
                1 | 2 => {
                    let verb = ["/rotate", "/confirm", "/put/a/b", "/login/alice"][dice.roll(4)];
                    let request: Request<_> = browser.request(Method::POST, verb);
                    responses.push(send(&node.app, request).await);
                }
                3 | 4 => {
                    let request = browser.request(Method::GET, "/who");
                    responses.push(send(&node.app, request).await);
                }
                // A response that is later than the grace counts as lost.
                5 if dice.roll(2) == 0 => {
                    responses.clear();
                    let later = [AFTER_GRACE, 10 * MINUTE, HOUR, DAY][dice.roll(4)];
                    nodes.iter().for_each(|node| node.clock.advance(later));
                }
                _ if responses.is_empty() => {}
                _ => {
                    let answer = responses.remove(dice.roll(responses.len()));
                    if dice.roll(4) > 0 {
                        browser.receive(&answer);
                    }
                }
            }
            let emitted = events.take();
            assert!(!emitted.contains(&EventKind::RememberTheft), "{seed}:{log}");
            let count = |kind| emitted.iter().filter(|emitted| **emitted == kind).count();
            restored += count(EventKind::Restored);
            joined += count(EventKind::Joined);
        }
    }
    assert!(restored > 500 && joined > 200, "{restored} {joined}");
}
