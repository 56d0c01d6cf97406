//! Who sends what, from which start.

use super::{
    protocol::{Rules, User, Verb},
    world::{Actor, Budget, Checked, World},
};

/// What the owner's browser has before the requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    Nothing,
    /// An anonymous session with data.
    Anonymous,
    /// An anonymous session that the planter knows, too.
    Planted,
    LoggedIn,
    LoggedInWithData,
    /// Session and remember cookie.
    Remembered,
    /// Only the remember cookie: the browser was closed.
    Returning,
    /// As before, and a session for mere data.
    ReturningWithData,
}

#[derive(Clone, Debug)]
pub struct Scene {
    pub start: Start,
    pub requests: Vec<(Actor, Verb)>,
    pub budget: Budget,
}

pub const NO_BUDGET: Budget = Budget {
    faults: 0,
    losses: 0,
    ticks: 0,
};

impl Scene {
    pub fn new(start: Start, requests: &[(Actor, Verb)]) -> Self {
        Self {
            start,
            requests: requests.to_vec(),
            budget: NO_BUDGET,
        }
    }

    /// The owner's requests.
    pub fn of(start: Start, verbs: &[Verb]) -> Self {
        let requests: Vec<_> = verbs.iter().map(|verb| (Actor::Owner, *verb)).collect();
        Self::new(start, &requests)
    }

    pub fn with(self, faults: u8, losses: u8, ticks: u8) -> Self {
        Self {
            budget: Budget {
                faults,
                losses,
                ticks,
            },
            ..self
        }
    }

    pub fn world(&self, rules: &Rules) -> Checked<World> {
        let mut world = World::new();
        let mut run = |actor, verbs: &[Verb]| {
            for verb in verbs {
                world.serial(rules, actor, *verb)?;
            }
            Ok::<_, String>(())
        };
        let login = Verb::LoginRemembered(User::A);
        match self.start {
            Start::Nothing => {}
            Start::Anonymous => run(Actor::Owner, &[Verb::Save])?,
            Start::Planted => run(Actor::Planter, &[Verb::Save])?,
            Start::LoggedIn => run(Actor::Owner, &[Verb::Login(User::A)])?,
            Start::LoggedInWithData => run(Actor::Owner, &[Verb::Login(User::A), Verb::Save])?,
            Start::Remembered | Start::Returning | Start::ReturningWithData => {
                run(Actor::Owner, &[login])?;
            }
        }
        if self.requests.iter().any(|it| it.0 == Actor::OtherBrowser) {
            run(Actor::OtherBrowser, &[Verb::Login(User::A)])?;
        }
        let mut jar = world.jar(Actor::Owner);
        let mut copy = jar;
        copy.session = None;
        world.jars.insert(Actor::Thief, copy);
        match self.start {
            Start::Planted => jar = world.jar(Actor::Planter),
            Start::Returning => jar.session = None,
            Start::ReturningWithData => {
                let mut saving = jar;
                (saving.session, saving.remember) = (None, None);
                world.jars.insert(Actor::Owner, saving);
                world.serial(rules, Actor::Owner, Verb::Save)?;
                jar.session = world.jar(Actor::Owner).session;
            }
            _ => {}
        }
        world.jars.insert(Actor::Owner, jar);
        // The grace of all that is over.
        world.now += 2;
        world.budget = self.budget;
        for (actor, verb) in &self.requests {
            world.add(*actor, *verb);
        }
        Ok(world)
    }
}

const OWN_VERBS: [Verb; 8] = [
    Verb::Page,
    Verb::Save,
    Verb::Take,
    Verb::Login(User::A),
    Verb::LoginRemembered(User::B),
    Verb::Confirm,
    Verb::ChangePassword,
    Verb::Logout,
];

const STARTS: [Start; 7] = [
    Start::Nothing,
    Start::Anonymous,
    Start::LoggedIn,
    Start::LoggedInWithData,
    Start::Remembered,
    Start::Returning,
    Start::ReturningWithData,
];

/// Three requests of one browser, or two and one of someone else.
fn scenes(starts: &[Start], budget: Budget) -> Vec<Scene> {
    let mut scenes = Vec::new();
    for (first, one) in OWN_VERBS.iter().enumerate() {
        for (second, two) in OWN_VERBS.iter().enumerate().skip(first) {
            let mut add = |start, actor, verb: Verb| {
                let requests = [(Actor::Owner, *one), (Actor::Owner, *two), (actor, verb)];
                scenes.push(Scene {
                    budget,
                    ..Scene::new(start, &requests)
                });
            };
            for start in starts {
                for three in OWN_VERBS.iter().skip(second) {
                    add(*start, Actor::Owner, *three);
                }
                if *start != Start::Nothing {
                    for verb in [Verb::Save, Verb::Login(User::E), Verb::Logout] {
                        add(*start, Actor::Stranger, verb);
                    }
                }
            }
            for verb in [
                Verb::Save,
                Verb::Confirm,
                Verb::Login(User::E),
                Verb::Logout,
            ] {
                add(Start::Planted, Actor::Planter, verb);
            }
            for start in [Start::Remembered, Start::Returning] {
                for verb in [Verb::Page, Verb::Save, Verb::Confirm] {
                    add(start, Actor::Thief, verb);
                }
                add(start, Actor::OtherBrowser, Verb::LogoutOthers);
            }
        }
    }
    scenes
}

/// Without faults.
pub fn plain_scenes() -> Vec<Scene> {
    scenes(&STARTS, NO_BUDGET)
}

/// With a fault, a lost response and the end of the grace, at any step.
pub fn faulty_scenes() -> Vec<Scene> {
    let budget = Budget {
        faults: 1,
        losses: 1,
        ticks: 1,
    };
    scenes(&STARTS, budget)
}
