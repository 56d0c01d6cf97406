//! The store, the browsers and the network: which steps there are, and what each does.

use std::{
    collections::{BTreeMap, BTreeSet},
    rc::Rc,
};

use super::{
    checks::Facts,
    protocol::{
        Answer, Cookies, GRACE, Id, Op, Record, Request, Response, Rules, SetCookie, Stop, User,
        Verb,
    },
};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Actor {
    /// The honest browser; its requests are tabs of one jar.
    Owner,
    /// Another browser of the same user.
    OtherBrowser,
    /// Has a copy of the remember cookie as it was first issued.
    Thief,
    /// Has planted its own anonymous session in the owner's browser.
    Planter,
    /// Knows the id of the owner's session, and no secret.
    Stranger,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Phase {
    NotSent,
    Running,
    /// The response is on its way.
    Answered,
    Over,
}

/// One request of an actor.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Sent {
    pub actor: Actor,
    pub verb: Verb,
    pub phase: Phase,
    pub cookies: Cookies,
    pub arrived: u8,
    pub answers: Vec<Answer>,
    pub waits_for: Option<Op>,
    pub is_ok: bool,
    pub response: Response,
    // For the checks.
    pub was_valid: bool,
    pub was_from_before_login: bool,
    /// Records that its cookies opened when it was sent.
    pub opened: Vec<Id>,
    /// Another request has written to a record of its cookies.
    pub beside: bool,
    /// The record in which it has made a session secret.
    pub wrote: Option<Id>,
    /// A login, a logout or a revocation has written to that record since.
    pub overtaken: bool,
}

#[derive(Clone, Copy, Debug)]
pub enum Step {
    Send(usize),
    /// The store executes the call that the request waits for.
    Call(usize, Fate),
    /// A call that its caller has given up is executed now.
    LateCall(usize),
    Deliver(usize),
    Lose(usize),
    /// The grace ends.
    Tick,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    Answered,
    Fails,
    AnswerLost,
    DoneLater,
}

/// How often each of these may happen in one run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Budget {
    pub faults: u8,
    pub losses: u8,
    pub ticks: u8,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct World {
    pub store: BTreeMap<Id, Rc<Record>>,
    pub stamps: BTreeMap<User, u8>,
    pub now: u8,
    pub requests: Vec<Rc<Sent>>,
    pub jars: BTreeMap<Actor, Cookies>,
    pub late_calls: Vec<(usize, Op)>,
    pub budget: Budget,
    pub facts: Rc<Facts>,
}

pub type Checked<T> = Result<T, String>;

impl World {
    pub fn new() -> Self {
        Self {
            store: BTreeMap::new(),
            stamps: [User::A, User::B, User::E].map(|user| (user, 0)).into(),
            now: GRACE,
            requests: Vec::new(),
            jars: BTreeMap::new(),
            late_calls: Vec::new(),
            budget: Budget::default(),
            facts: Rc::default(),
        }
    }

    pub fn jar(&self, actor: Actor) -> Cookies {
        self.jars.get(&actor).copied().unwrap_or_default()
    }

    pub fn add(&mut self, actor: Actor, verb: Verb) -> usize {
        self.requests.push(Rc::new(Sent {
            actor,
            verb,
            phase: Phase::NotSent,
            cookies: Cookies::default(),
            arrived: 0,
            answers: Vec::new(),
            waits_for: None,
            is_ok: false,
            response: Response::default(),
            was_valid: false,
            was_from_before_login: false,
            opened: Vec::new(),
            beside: false,
            wrote: None,
            overtaken: false,
        }));
        self.requests.len() - 1
    }

    /// Runs a request from its sending to the delivery of its response, with nothing beside it.
    pub fn serial(&mut self, rules: &Rules, actor: Actor, verb: Verb) -> Checked<Response> {
        let number = self.add(actor, verb);
        self.take(rules, Step::Send(number))?;
        while self.requests[number].phase == Phase::Running {
            self.take(rules, Step::Call(number, Fate::Answered))?;
        }
        let response = self.requests[number].response.clone();
        self.take(rules, Step::Deliver(number))?;
        Ok(response)
    }

    /// A step that commutes with all others, so that no other order needs to be explored: a look
    /// at a user whom no request changes, and a response behind which no request is sent.
    fn commuting_step(&self) -> Option<Step> {
        let changes_stamps =
            |it: &Rc<Sent>| it.verb == Verb::ChangePassword && it.phase != Phase::Over;
        let changes_stamps = self.requests.iter().any(changes_stamps);
        let all_are_sent = self.requests.iter().all(|it| it.phase != Phase::NotSent);
        let commutes = |it: &Rc<Sent>| match &it.waits_for {
            Some(Op::Stamp(_)) => !changes_stamps,
            _ => it.phase == Phase::Answered && all_are_sent && !self.facts.thief_acts,
        };
        let number = self.requests.iter().position(commutes)?;
        Some(match self.requests[number].phase {
            Phase::Answered => Step::Deliver(number),
            _ => Step::Call(number, Fate::Answered),
        })
    }

    pub fn steps(&self) -> Vec<Step> {
        if let Some(step) = self.commuting_step() {
            return vec![step];
        }
        let mut steps = Vec::new();
        for (number, request) in self.requests.iter().enumerate() {
            match (request.phase, &request.waits_for) {
                // It is repeated for longer than the call can be late.
                (Phase::NotSent, _)
                    if matches!(request.verb, Verb::DeleteLater(_))
                        && !self.late_calls.is_empty() => {}
                (Phase::NotSent, _) => steps.push(Step::Send(number)),
                (Phase::Running, Some(op)) => {
                    steps.push(Step::Call(number, Fate::Answered));
                    if self.budget.faults > 0 && !matches!(op, Op::Stamp(_) | Op::ChangeStamp(_)) {
                        steps.push(Step::Call(number, Fate::Fails));
                        if !matches!(op, Op::Load(_) | Op::List(_)) {
                            steps.push(Step::Call(number, Fate::AnswerLost));
                            steps.push(Step::Call(number, Fate::DoneLater));
                        }
                    }
                }
                (Phase::Answered, _) => {
                    steps.push(Step::Deliver(number));
                    if self.budget.losses > 0 {
                        steps.push(Step::Lose(number));
                    }
                }
                _ => {}
            }
        }
        steps.extend((0..self.late_calls.len()).map(Step::LateCall));
        // A store call and the way of a response take less than the grace.
        let is_quiet = |request: &Rc<Sent>| matches!(request.phase, Phase::NotSent | Phase::Over);
        if self.budget.ticks > 0
            && self.requests.iter().all(is_quiet)
            && self.requests.iter().any(|it| it.phase == Phase::NotSent)
            && self.late_calls.is_empty()
        {
            steps.push(Step::Tick);
        }
        steps
    }

    pub fn take(&mut self, rules: &Rules, step: Step) -> Checked<()> {
        match step {
            Step::Send(number) => self.send(rules, number)?,
            Step::Call(number, fate) => self.call(rules, number, fate)?,
            Step::LateCall(index) => {
                let (number, op) = self.late_calls.remove(index);
                self.execute(number, op)?;
            }
            Step::Deliver(number) => self.deliver(number)?,
            Step::Lose(number) => {
                self.budget.losses -= 1;
                self.end(number);
            }
            Step::Tick => {
                self.budget.ticks -= 1;
                self.now += GRACE + 1;
            }
        }
        self.check_state()
    }

    fn send(&mut self, rules: &Rules, number: usize) -> Checked<()> {
        let actor = self.requests[number].actor;
        let mut cookies = self.jar(actor);
        if actor == Actor::Stranger {
            let id = self.jar(Actor::Owner);
            let id = id.session.map(|it| it.0).or(id.remember.map(|it| it.0));
            let wrong = u16::MAX;
            cookies.session = id.map(|id| (id, wrong));
            cookies.remember = id.map(|id| (id, wrong, wrong));
        }
        if actor == Actor::Thief {
            Rc::make_mut(&mut self.facts).thief_acts = true;
        }
        let (was_valid, opened) = self.at_sending(&cookies);
        let was_from_before_login = self.is_from_before_login(&cookies);
        let now = self.now;
        let request = Rc::make_mut(&mut self.requests[number]);
        if !matches!(request.verb, Verb::EndLater(_) | Verb::DeleteLater(_)) {
            request.cookies = cookies;
        }
        request.arrived = now;
        request.phase = Phase::Running;
        (request.was_valid, request.opened) = (was_valid, opened);
        request.was_from_before_login = was_from_before_login;
        self.advance(rules, number)
    }

    fn call(&mut self, rules: &Rules, number: usize, fate: Fate) -> Checked<()> {
        let Some(op) = Rc::make_mut(&mut self.requests[number]).waits_for.take() else {
            return Ok(());
        };
        let answer = match fate {
            Fate::Answered => self.execute(number, op)?,
            _ => {
                self.budget.faults -= 1;
                Rc::make_mut(&mut self.facts).had_fault = true;
                match fate {
                    Fate::AnswerLost => drop(self.execute(number, op)?),
                    Fate::DoneLater => self.late_calls.push((number, op)),
                    _ => {}
                }
                Answer::Failed
            }
        };
        Rc::make_mut(&mut self.requests[number])
            .answers
            .push(answer);
        self.advance(rules, number)
    }

    /// Runs the request up to its next store call, or to its end.
    fn advance(&mut self, rules: &Rules, number: usize) -> Checked<()> {
        let sent = &self.requests[number];
        let mut request = Request {
            rules,
            number: number as u8,
            verb: sent.verb,
            cookies: sent.cookies,
            arrived: sent.arrived,
            answers: &sent.answers,
            at: 0,
            made: 0,
            response: Response::default(),
        };
        let result = request.run();
        let response = request.response;
        let sent = Rc::make_mut(&mut self.requests[number]);
        if let Err(Stop::Call(op)) = result {
            sent.waits_for = Some(*op);
            return Ok(());
        }
        sent.is_ok = result.is_ok();
        sent.phase = Phase::Answered;
        sent.response = response;
        let (actor, cookies) = (sent.actor, sent.cookies);
        for verb in sent.response.later.clone() {
            let later = self.add(actor, verb);
            Rc::make_mut(&mut self.requests[later]).cookies = cookies;
        }
        self.check_response(number)?;
        if matches!(
            self.requests[number].verb,
            Verb::EndLater(_) | Verb::DeleteLater(_)
        ) {
            self.end(number);
        }
        Ok(())
    }

    fn deliver(&mut self, number: usize) -> Checked<()> {
        self.check_delivery(number)?;
        let request = &self.requests[number];
        let jar = self.jars.entry(request.actor).or_default();
        match request.response.session {
            SetCookie::No => {}
            SetCookie::Remove => jar.session = None,
            SetCookie::To(cookie) => jar.session = Some(cookie),
        }
        match request.response.remember {
            SetCookie::No => {}
            SetCookie::Remove => jar.remember = None,
            SetCookie::To(cookie) => jar.remember = Some(cookie),
        }
        self.end(number);
        Ok(())
    }

    /// What no longer matters is forgotten, so that equal states are found to be equal.
    fn end(&mut self, number: usize) {
        let request = Rc::make_mut(&mut self.requests[number]);
        request.phase = Phase::Over;
        request.cookies = Cookies::default();
        request.answers.clear();
        request.response = Response::default();
        request.opened.clear();
        (request.arrived, request.was_valid, request.beside) = (0, false, false);
        request.was_from_before_login = false;
    }

    /// One call of the store. It is atomic.
    fn execute(&mut self, number: usize, op: Op) -> Checked<Answer> {
        Ok(match op {
            Op::Load(id) => Answer::Record(self.store.get(&id).map(|it| (**it).clone())),
            Op::List(user) => {
                let theirs = self.store.values().filter(|it| it.owner == Some(user));
                Answer::Records(theirs.map(|it| (**it).clone()).collect())
            }
            Op::Stamp(user) => Answer::Stamp(self.stamps[&user]),
            Op::ChangeStamp(user) => {
                *self.stamps.entry(user).or_default() += 1;
                Answer::Done
            }
            Op::Create(mut new) => {
                new.rotated = self.now;
                if let Some(remember) = &mut new.remember {
                    remember.exchanged = self.now;
                }
                self.check_write(number, None, &new)?;
                self.store.insert(new.id, Rc::new(new));
                Answer::Done
            }
            Op::Update(mut new) => {
                let Some(old) = self.store.get(&new.id).cloned() else {
                    return Ok(Answer::Gone);
                };
                if old.version != new.version {
                    return Ok(Answer::Conflict);
                }
                new.version += 1;
                new.rotated = match new.current == old.current {
                    true => old.rotated,
                    false => self.now,
                };
                if let Some(remember) = &mut new.remember {
                    let before = old.remember.filter(|it| it.current == remember.current);
                    remember.exchanged = before.map_or(self.now, |it| it.exchanged);
                }
                self.check_write(number, Some(&old), &new)?;
                self.store.insert(new.id, Rc::new(new));
                Answer::Done
            }
            Op::Delete(id, version) => {
                let Some(old) = self.store.get(&id).cloned() else {
                    return Ok(Answer::Gone);
                };
                if version.is_some_and(|version| version != old.version) {
                    return Ok(Answer::Conflict);
                }
                self.check_deletion(number, &old)?;
                self.store.remove(&id);
                Answer::Done
            }
            Op::DeleteAll(owner, except) => {
                let theirs = self.store.values().filter(|it| it.owner == Some(owner));
                let ids: BTreeSet<_> = theirs.map(|it| it.id).filter(|id| *id != except).collect();
                for id in ids {
                    let old = self.store[&id].clone();
                    self.check_deletion(number, &old)?;
                    self.store.remove(&id);
                }
                Answer::Done
            }
        })
    }
}
