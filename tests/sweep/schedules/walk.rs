//! One schedule.

use std::sync::Arc;

use axum::Router;
use http::Method;
use login_manager::{LoginManager, SessionStore};
use tokio::{
    task::{JoinHandle, yield_now},
    time::sleep,
};

use super::super::{
    GRACE, RETRIED,
    factors::{STARTS, Start, Verb},
    scene::Scene,
    stores::Place,
    twists::Twist,
};
use crate::support::{
    browser::{Answer, Browser},
    faulty_store::{Call, Fault, Turnstile},
    routes::every_verb,
    world::{MINUTE, REMEMBER, SESSION},
};

use Verb::*;

/// Who sends a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Actor {
    Owner,
    /// A tab of the owner that sends the session cookie of the start, and no other.
    OldTab,
    /// Has a copy of the remember cookie of the start.
    Thief,
}

/// One request and what became of it.
pub struct Request {
    pub actor: Actor,
    pub verb: Verb,
    /// The browser when it was sent.
    pub before: Browser,
    handle: Option<JoinHandle<(Browser, Answer)>>,
    /// With the browser as it would be if only this response had arrived.
    pub answer: Option<(Browser, Answer)>,
    arrived: bool,
    /// The steps at which its store calls were executed.
    pub calls: Vec<(usize, Call)>,
    pub sent: usize,
    pub ended: usize,
}

/// A schedule in progress.
pub struct Walk {
    seed: u64,
    random: u64,
    pub start: Start,
    pub scene: Scene,
    /// The application on two nodes; the second one's cache may be stale.
    nodes: Vec<Router>,
    pub owner: Browser,
    pub thief: Option<Browser>,
    turnstile: Turnstile,
    /// Whose call each waiting one is.
    owners: Vec<usize>,
    to_send: Vec<(Actor, Verb)>,
    pub requests: Vec<Request>,
    step: usize,
    faults: usize,
    pub losses: usize,
    pub had_fault: bool,
    pub restarted: bool,
    pub log: Vec<String>,
}

/// Harmless verbs are more frequent: the others end the session sooner or later.
const VERBS: [Verb; 20] = [
    Login,
    Remember,
    LoginOther,
    Logout,
    Confirm,
    Confirm,
    Rotate,
    Rotate,
    Ask,
    Ask,
    Ask,
    Ask,
    Save,
    Save,
    Save,
    Take,
    LogoutOthers,
    LogoutEverywhere,
    ChangeStamp,
    Login,
];
const HARMLESS: [Verb; 10] = [
    Ask, Ask, Ask, Ask, Save, Save, Take, Rotate, Confirm, Revoke,
];

impl Walk {
    pub async fn new(seed: u64) -> Self {
        let mut random = seed;
        let mut pick = |count: usize| below(&mut random, count);
        let start = STARTS[pick(STARTS.len())];
        let is_cached = pick(4) == 0;
        let place = match is_cached {
            true => Place::cached(),
            false => Place::in_memory(),
        };
        let verbs: &[Verb] = match pick(3) {
            0 => &HARMLESS,
            _ => &VERBS,
        };
        let has_thief = start.remembered().is_some() && pick(5) == 0;
        let has_old_tab = start.has_session() && !has_thief && pick(4) == 0;
        let to_send = (0..2 + pick(5))
            .map(|_| match pick(3) {
                0 if has_thief => (Actor::Thief, [Ask, Ask, Save, Rotate][pick(4)]),
                0 if has_old_tab => (Actor::OldTab, [Ask, Save][pick(2)]),
                _ => (Actor::Owner, verbs[pick(verbs.len())]),
            })
            .collect();
        let (faults, losses) = (usize::from(pick(4) == 0), pick(3));

        let mut scene = Scene::new(place.clone(), start, Twist::Nothing).await;
        let world = &mut scene.world;
        let mut nodes = vec![world.browser.app()];
        if is_cached {
            let mut add = |store: Arc<dyn SessionStore>| {
                let manager = LoginManager::new(store, world.accounts.clone());
                let manager = world.events.watch(manager.with_clock(&world.clock));
                nodes.push(every_verb(&world.accounts).layer(manager));
            };
            // A cache of its own, which does not learn of the other node's writes.
            add(place.another_cache());
            // What is there in the end is read past both.
            add(Arc::new(world.store.clone()));
            world.browser = world.browser.moved_to(nodes.pop().unwrap());
        }
        let owner = world.browser.clone();
        let thief = has_thief.then(|| scene.bearer(REMEMBER, &owner.cookie("-remember").unwrap()));
        let turnstile = scene.world.store.turnstile();
        Self {
            seed,
            random,
            start,
            nodes,
            owner,
            thief,
            turnstile,
            owners: Vec::new(),
            to_send,
            requests: Vec::new(),
            step: 0,
            faults,
            losses,
            had_fault: false,
            restarted: false,
            log: Vec::new(),
            scene,
        }
    }

    pub async fn run(mut self) {
        self.log.push(format!("start: {:?}", self.start));
        let allowed_losses = self.losses;
        while self.take_step().await {
            self.step += 1;
        }
        let lost = allowed_losses - self.losses;
        self.losses = lost;
        self.turnstile.set_open(true);
        sleep(RETRIED).await;
        self.collect().await;
        // A look at a session by its secret counts as its use, after which a browser that has not
        // received it looks like a thief.
        match self.pick(2) {
            0 => self.check().await,
            _ => self.check_owner().await,
        }
    }

    /// What a failed check prints.
    pub fn case(&self) -> String {
        format!("seed: {}\n  {}\n ", self.seed, self.log.join("\n  "))
    }

    fn pick(&mut self, count: usize) -> usize {
        below(&mut self.random, count)
    }

    /// One random step. Returns whether anything was left to do.
    async fn take_step(&mut self) -> bool {
        let waiting = self.turnstile.waiting().len();
        let in_flight: Vec<_> = self.indices(|it| it.handle.is_some());
        let answered: Vec<_> = self.indices(|it| it.answer.is_some() && !it.arrived);
        let may_send = !self.to_send.is_empty() && in_flight.len() < 3;
        let is_quiet = in_flight.is_empty() && answered.is_empty();
        if is_quiet && may_send && self.pick(3) == 0 {
            match self.pick(3) {
                // A background call does not take longer than the grace.
                0 if waiting == 0 => {
                    self.scene.world.clock.advance(GRACE + MINUTE);
                    self.log.push("the grace ends".into());
                }
                0 => {}
                _ => {
                    self.owner.restart();
                    self.restarted = true;
                    self.log.push("the browser is closed".into());
                }
            }
        }
        let total = waiting + answered.len() + usize::from(may_send) * 2;
        if total == 0 {
            // Requests that conflicted pause before they try again.
            if let Some(&pausing) = in_flight.first() {
                self.settle(pausing).await;
            }
            return !in_flight.is_empty();
        }
        let choice = self.pick(total);
        if choice < waiting {
            self.release(choice).await;
        } else if choice < waiting + answered.len() {
            self.deliver(answered[choice - waiting]);
        } else {
            self.send().await;
        }
        true
    }

    fn indices(&self, is_meant: impl Fn(&Request) -> bool) -> Vec<usize> {
        let all = self.requests.iter().enumerate();
        all.filter(|(_, it)| is_meant(it))
            .map(|(at, _)| at)
            .collect()
    }

    async fn send(&mut self) {
        let (actor, verb) = self.to_send.pop().unwrap();
        let number = self.requests.len();
        let node = self.pick(self.nodes.len());
        let browser = match (actor, &self.thief) {
            (Actor::Thief, Some(thief)) => thief.clone(),
            (Actor::OldTab, _) => {
                let session = self.scene.world.browser.cookie("-session").unwrap();
                self.scene.bearer(SESSION, &session)
            }
            _ => self.owner.clone(),
        };
        let browser = browser.moved_to(self.nodes[node].clone());
        let uri = match verb {
            Save => format!("/put/k{number}/1"),
            _ => verb.uri(&self.scene.elsewhere_id),
        };
        let method = match verb {
            Ask => Method::GET,
            _ => Method::POST,
        };
        self.log
            .push(format!("{number} {actor:?} {verb:?}: sent to node {node}"));
        self.requests.push(Request {
            actor,
            verb,
            before: browser.clone(),
            handle: Some(browser.start(method, &uri)),
            answer: None,
            arrived: false,
            calls: Vec::new(),
            sent: self.step,
            ended: usize::MAX,
        });
        self.settle(number).await;
    }

    async fn release(&mut self, index: usize) {
        let call = self.turnstile.waiting()[index];
        let number = self.owners.remove(index);
        let fault = match self.faults > 0 && self.pick(12) == 0 {
            true => Some([Fault::Fails, Fault::DoesAndFails][self.pick(2)]),
            false => None,
        };
        self.faults -= usize::from(fault.is_some());
        self.had_fault |= fault.is_some();
        self.log.push(format!(
            "{number}: {call:?} {}",
            fault.map_or("", |_| "fails")
        ));
        self.requests[number].calls.push((self.step, call));
        self.turnstile.release(index, fault);
        self.settle(number).await;
    }

    /// Lets everything run until it waits. Calls that come meanwhile are those of this request.
    async fn settle(&mut self, number: usize) {
        for _ in 0..200 {
            for _ in 0..24 {
                yield_now().await;
            }
            let waiting = self.turnstile.waiting().len();
            while self.owners.len() < waiting {
                self.owners.push(number);
            }
            self.owners.truncate(waiting);
            self.collect().await;
            let is_waiting = self.owners.contains(&number);
            if self.requests[number].handle.is_none() || is_waiting {
                return;
            }
            // It pauses before it tries again.
            sleep(std::time::Duration::from_millis(1)).await;
        }
    }

    async fn collect(&mut self) {
        for (number, request) in self.requests.iter_mut().enumerate() {
            let is_finished = request.handle.as_ref().is_some_and(JoinHandle::is_finished);
            if let (true, Some(handle)) = (is_finished, request.handle.take_if(|_| is_finished)) {
                let (browser, answer) = handle.await.unwrap();
                self.log
                    .push(format!("{number}: {} {}", answer.status, answer.body));
                request.ended = self.step;
                request.answer = Some((browser, answer));
            }
        }
    }

    fn deliver(&mut self, number: usize) {
        let is_lost = self.losses > 0 && self.pick(3) == 0;
        self.losses -= usize::from(is_lost);
        let request = &mut self.requests[number];
        request.arrived = true;
        let how = if is_lost { "is lost" } else { "arrives" };
        self.log.push(format!("{number}: the response {how}"));
        let Some((_, answer)) = &request.answer else {
            return;
        };
        match (request.actor, &mut self.thief) {
            _ if is_lost => {}
            (Actor::Thief, Some(thief)) => thief.receive(answer),
            _ => self.owner.receive(answer),
        }
    }
}

/// SplitMix64.
fn below(state: &mut u64, count: usize) -> usize {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut mixed = *state;
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    (mixed ^ (mixed >> 31)) as usize % count
}
