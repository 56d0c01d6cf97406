//! A browser that does what comes to its mind, and checks every answer.

use std::{collections::VecDeque, sync::Arc, time::Duration};

use tokio::{task::JoinSet, time::sleep};

use super::{
    course::Course,
    data::KEYS,
    model::{Action, Heard, Model},
    random::Random,
};
use crate::{
    app::{REMEMBER, SESSION},
    browser::Browser,
};

/// How many copies of cookies a browser keeps.
const COPIES: usize = 4;
/// How many of its last steps a browser can tell.
const STEPS: usize = 16;

pub struct Visitor {
    browser: Browser,
    model: Model,
    users: [i64; 2],
    number: usize,
    values: usize,
    random: Random,
    /// Cookies from before an acknowledged logout, or from before the login of another user. None
    /// of them may authenticate.
    copies: Vec<Browser>,
    /// The quiet phase in which it has been answered.
    served: Option<usize>,
    steps: VecDeque<String>,
    course: Arc<Course>,
}

impl Visitor {
    pub fn new(number: usize, browser: Browser, seed: u64, course: Arc<Course>) -> Self {
        let first = 1000 + 2 * i64::try_from(number).unwrap();
        let users = [first, first + 1];
        Self {
            browser,
            model: Model::new(users, format!("{number}x")),
            users,
            number,
            values: 0,
            random: Random(Random(seed ^ number as u64).next()),
            copies: Vec::new(),
            served: None,
            steps: VecDeque::new(),
            course,
        }
    }

    /// Goes on until the soak is over. Returns what was wrong with an answer.
    pub async fn visit(mut self) -> Result<(), String> {
        while !self.course.is_over() {
            if let Err(wrong) = self.step().await {
                let steps: Vec<_> = self.steps.into();
                let (number, steps) = (self.number, steps.join("\n  "));
                return Err(format!(
                    "browser {number}: {wrong}\n  {steps}\n  {:?}",
                    self.model
                ));
            }
        }
        Ok(())
    }

    async fn step(&mut self) -> Result<(), String> {
        // In each quiet phase it first asks who it is.
        let phase = self.course.quiet_phase();
        if phase.is_some() && phase != self.served {
            return self.send(Action::Me).await;
        }
        if self.model.is_unsettled() {
            let action = match self.random.below(2) {
                0 => Action::Logout,
                _ => self.passive(),
            };
            return self.send(action).await;
        }
        match self.random.below(100) {
            0..5 => {
                self.close();
                Ok(())
            }
            5..12 => self.show_a_copy().await,
            12..24 => self.send_two().await,
            24..58 => {
                let action = self.passive();
                self.send(action).await
            }
            _ => {
                let action = self.verb();
                self.send(action).await
            }
        }
    }

    fn passive(&mut self) -> Action {
        match self.random.below(8) {
            0 => Action::Public,
            1..4 => Action::Me,
            4 => Action::Who,
            _ => Action::Get(self.random.one_of(&KEYS)),
        }
    }

    fn verb(&mut self) -> Action {
        match self.random.below(12) {
            0..3 => Action::Login(self.random.one_of(&self.users)),
            3..5 => Action::Remember(self.random.one_of(&self.users)),
            5 => Action::Confirm,
            6..8 => Action::Rotate,
            8 => Action::Logout,
            _ => {
                self.values += 1;
                let value = format!("{}x{}", self.number, self.values);
                Action::Put(self.random.one_of(&KEYS), value)
            }
        }
    }

    /// Only the remember cookie is left.
    fn close(&mut self) {
        if self.browser.cookie_names().contains(&SESSION) {
            self.browser.forget(SESSION);
        }
        self.model.close(self.has_remember());
        self.note("closed".into());
    }

    fn has_remember(&self) -> bool {
        self.browser.cookie_names().contains(&REMEMBER)
    }

    async fn send(&mut self, action: Action) -> Result<(), String> {
        let had_remember = self.has_remember();
        let before = self.browser.clone();
        let node = self.random.below(2);
        let sent = self.course.send(before.clone(), node, &action).await;
        self.browser.receive(&sent.answer);
        let heard = sent.heard(had_remember);
        self.note(sent.describe(&action));
        self.check(self.model.allows(&action, &heard, None), &heard)?;
        self.check_cookies(&before, &action, &heard)?;
        self.keep_copy(before, &action, &heard);
        self.model.learn(&action, &heard);
        if heard.is_calm
            && let Some(phase) = sent.phase
            && self.served != Some(phase)
        {
            self.served = Some(phase);
            self.course.is_served_in(phase);
        }
        Ok(())
    }

    /// A failed login changes no cookie, and a logout removes them all.
    fn check_cookies(
        &self,
        before: &Browser,
        action: &Action,
        heard: &Heard,
    ) -> Result<(), String> {
        if *action == Action::Logout {
            let has_none = self.browser.cookie_names().is_empty();
            check(has_none, "a logout leaves a cookie")?;
        }
        if action.logs_in().is_some() && heard.status != 200 {
            let is_same = self.browser.cookie_header("/") == before.cookie_header("/");
            check(is_same, "a failed login changes a cookie")?;
        }
        Ok(())
    }

    fn keep_copy(&mut self, before: Browser, action: &Action, heard: &Heard) {
        // If the store fails, a login ends the other user's session later.
        let replaced = |user| heard.is_calm && self.model.is_other(user);
        let is_over = *action == Action::Logout || action.logs_in().is_some_and(replaced);
        if heard.status != 200 || !is_over || before.cookie_names().is_empty() {
            return;
        }
        if self.copies.len() == COPIES {
            let oldest = self.random.below(COPIES);
            self.copies.remove(oldest);
        }
        self.copies.push(before);
    }

    /// Two requests with the same cookies at once.
    async fn send_two(&mut self) -> Result<(), String> {
        let both = match self.random.below(6) {
            0 => [self.verb(), self.verb()],
            1 | 2 => [self.passive(), self.passive()],
            _ => [self.passive(), self.verb()],
        };
        let [first, second] = &both;
        let is_settled =
            second.is_passive() || first.is_passive() && self.model.is_settled_beside(second);
        if !is_settled {
            self.model.unsettle();
        }
        let (before, had_remember) = (self.browser.clone(), self.has_remember());
        let known = self.model.clone();
        let mut requests = JoinSet::new();
        for (at, action) in both.iter().cloned().enumerate() {
            let (browser, node) = (before.clone(), self.random.below(2));
            let course = Arc::clone(&self.course);
            // Either may be late, so that it reads what the other has written.
            let late = Duration::from_millis(self.random.below(12) as u64);
            requests.spawn(async move {
                sleep(late).await;
                (at, course.send(browser, node, &action).await)
            });
        }
        while let Some(done) = requests.join_next().await {
            let (at, sent) = done.unwrap();
            let (action, other) = (&both[at], &both[1 - at]);
            self.browser.receive(&sent.answer);
            let heard = sent.heard(had_remember);
            self.note(format!("beside {other:?}: {}", sent.describe(action)));
            self.check(known.allows(action, &heard, Some(other)), &heard)?;
            self.keep_copy(before.clone(), action, &heard);
            // Beside a verb, a passive request teaches nothing.
            if is_settled && other.is_passive() {
                self.model.learn(action, &heard);
            }
        }
        Ok(())
    }

    /// Nobody is logged in by cookies from before a logout.
    async fn show_a_copy(&mut self) -> Result<(), String> {
        let Some(at) = self.copies.len().checked_sub(1) else {
            return Ok(());
        };
        let copy = self.copies[self.random.below(at + 1)].clone();
        let action = match self.random.below(3) {
            0 => Action::Who,
            1 => Action::Me,
            _ => Action::Get(self.random.one_of(&KEYS)),
        };
        let node = self.random.below(2);
        let sent = self.course.send(copy, node, &action).await;
        let nobody = Model::new([0; 2], String::new());
        self.note(format!("with a copy: {}", sent.describe(&action)));
        let heard = sent.heard(false);
        self.check(nobody.allows(&action, &heard, None), &heard)
    }

    fn check(&self, is_allowed: bool, heard: &Heard) -> Result<(), String> {
        if is_allowed {
            return Ok(());
        }
        Err(match (heard.status, heard.is_calm) {
            (503, true) => {
                let answered = self.course.answered();
                format!("a 503 in a quiet phase, after {answered} answers")
            }
            _ => "the last answer can't be true".to_owned(),
        })
    }

    fn note(&mut self, step: String) {
        if self.steps.len() == STEPS {
            self.steps.pop_front();
        }
        self.steps.push_back(step);
    }
}

fn check(is_so: bool, otherwise: &str) -> Result<(), String> {
    is_so.then_some(()).ok_or_else(|| otherwise.to_owned())
}
