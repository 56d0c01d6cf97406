//! The course of a soak: quiet phases and faults by turns, each as long as a number of answers.

use std::{
    sync::{
        Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst},
    },
    time::Duration,
};

use tokio::{
    sync::Semaphore,
    time::{Instant, sleep},
};

use super::{VISITORS, model::Action, random::Random, request::Sent};
use crate::{
    browser::Browser,
    proxy::{
        Fault::{Down, Silent, Slow},
        Proxy,
    },
    trials::{eventually, eventually_within},
};

/// How many requests of the visitors are under way at most. Shared out to both nodes, that is fewer
/// than the pools have connections: on a busy machine, waiting for one may take longer than the
/// store's deadline.
const AT_ONCE: usize = 16;
/// A phase that lasts longer never ends.
const PATIENCE: Duration = Duration::from_secs(120);

/// What the visitors and the faults know of each other.
#[derive(Default)]
pub struct Course {
    /// Even in a quiet phase.
    phase: AtomicUsize,
    /// How many requests had been answered when it began.
    began: AtomicUsize,
    is_over: AtomicBool,
    /// The visitors who have been answered in a quiet phase.
    served: Mutex<(usize, usize)>,
    pub answers: AtomicUsize,
    pub unavailable: AtomicUsize,
    pub logins: AtomicUsize,
    pub faults: AtomicUsize,
    under_way: UnderWay,
}

struct UnderWay(Semaphore);

impl Default for UnderWay {
    fn default() -> Self {
        Self(Semaphore::new(AT_ONCE))
    }
}

/// What happens to the servers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Trouble {
    Cut,
    Slow,
    Silent,
    Down,
}

impl Course {
    pub fn is_over(&self) -> bool {
        self.is_over.load(SeqCst)
    }

    pub fn end(&self) {
        self.is_over.store(true, SeqCst);
    }

    pub fn quiet_phase(&self) -> Option<usize> {
        Some(self.phase.load(SeqCst)).filter(|phase| phase.is_multiple_of(2))
    }

    /// How many requests have been answered in this phase.
    pub fn answered(&self) -> usize {
        self.answers.load(SeqCst) - self.began.load(SeqCst)
    }

    fn next_phase(&self) {
        self.began.store(self.answers.load(SeqCst), SeqCst);
        self.phase.fetch_add(1, SeqCst);
    }

    /// Another visitor has been answered in this phase.
    pub fn is_served_in(&self, phase: usize) {
        let mut served = self.served.lock().unwrap();
        if phase > served.0 {
            *served = (phase, 0);
        }
        served.1 += usize::from(phase == served.0);
    }

    fn are_all_served(&self, phase: usize) -> bool {
        *self.served.lock().unwrap() == (phase, VISITORS)
    }

    /// Sends a request to one of the nodes.
    pub async fn send(&self, mut browser: Browser, node: usize, action: &Action) -> Sent {
        let _permit = self.under_way.0.acquire().await.unwrap();
        let began = self.quiet_phase();
        let (method, path) = action.request();
        let answer = browser.send(method, &format!("/{node}{path}")).await;
        self.answers.fetch_add(1, SeqCst);
        let is_login = action.logs_in().is_some() && answer.status == 200;
        self.logins.fetch_add(is_login.into(), SeqCst);
        let is_unavailable = answer.status == 503;
        self.unavailable.fetch_add(is_unavailable.into(), SeqCst);
        Sent {
            answer,
            node,
            phase: began.filter(|_| self.quiet_phase() == began),
        }
    }

    /// Waits until so many more requests have been answered.
    async fn more(&self, answers: usize, unavailable: usize) {
        let until = |counter: &AtomicUsize, more| counter.load(SeqCst) + more;
        let answers = until(&self.answers, answers);
        let unavailable = until(&self.unavailable, unavailable);
        eventually_within(PATIENCE, "enough requests are answered", || async {
            self.answers.load(SeqCst) >= answers && self.unavailable.load(SeqCst) >= unavailable
        })
        .await;
    }

    /// A phase without faults, in which every visitor is served.
    pub async fn quiet(&self, random: &mut Random) {
        let phase = self.phase.load(SeqCst);
        self.more(300 + random.below(600), 0).await;
        eventually_within(PATIENCE, "every browser recovers", || async {
            self.are_all_served(phase)
        })
        .await;
    }

    /// Faults and quiet phases by turns.
    pub async fn run(
        &self,
        random: &mut Random,
        proxies: &[Proxy; 2],
        probe: &Browser,
        duration: Duration,
    ) {
        let began = Instant::now();
        // The shortest soak has two: one that ends connections or delays answers, one without any.
        let mut troubles = Vec::new();
        while troubles.len() > 2 || began.elapsed() < duration || self.faults.load(SeqCst) < 2 {
            if troubles.is_empty() {
                troubles = vec![Trouble::Cut, Trouble::Slow, Trouble::Silent, Trouble::Down];
                if random.below(2) == 0 {
                    troubles.swap(0, 1);
                }
                if random.below(2) == 0 {
                    troubles.swap(2, 3);
                }
                troubles.swap(1, 2);
            }
            let trouble = troubles.pop().unwrap();
            let hit = match random.below(3) {
                0 => &proxies[..1],
                1 => &proxies[1..],
                _ => &proxies[..],
            };
            self.suffer(random, trouble, hit).await;
            self.recover(probe).await;
            self.quiet(random).await;
        }
    }

    async fn suffer(&self, random: &mut Random, trouble: Trouble, hit: &[Proxy]) {
        self.next_phase();
        self.faults.fetch_add(1, SeqCst);
        let fault = match trouble {
            Trouble::Cut => {
                for _ in 0..4 + random.below(4) {
                    for proxy in hit {
                        proxy.cut().await;
                    }
                    self.more(20 + random.below(60), 0).await;
                }
                return;
            }
            Trouble::Slow => Slow(Duration::from_millis(5 + random.below(60) as u64)),
            Trouble::Silent => Silent,
            Trouble::Down => Down,
        };
        for proxy in hit {
            proxy.suffer(fault).await;
        }
        match trouble {
            Trouble::Slow => self.more(100 + random.below(200), 0).await,
            _ => self.more(random.below(60), 1 + random.below(AT_ONCE)).await,
        }
        for proxy in hit {
            proxy.heal().await;
        }
    }

    /// Waits until both nodes respond again. From then on nobody may be told anything else.
    async fn recover(&self, probe: &Browser) {
        for node in 0..2 {
            eventually("the nodes recover", || async {
                probe.clone().get(&format!("/{node}/me")).await.status == 200
            })
            .await;
        }
        self.next_phase();
    }

    /// The public page is served all the time.
    pub async fn watch(&self, mut browser: Browser) -> Result<(), String> {
        let mut node = 0;
        while !self.is_over() {
            let answer = browser.get(&format!("/{node}/")).await;
            if (answer.status.as_u16(), &*answer.body) != (200, "public") {
                return Err(format!("the public page: {}", answer.status));
            }
            node = 1 - node;
            sleep(Duration::from_millis(5)).await;
        }
        Ok(())
    }
}
