//! What must hold: nine invariants, from (a) to (i).

use std::{
    collections::{BTreeMap, BTreeSet},
    rc::Rc,
};

use super::{
    protocol::{Cookies, Datum, Id, Record, Secret, SetCookie, User, Verb},
    world::{Actor, Checked, Phase, World},
};

/// What the checks remember.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Facts {
    pub thief_acts: bool,
    pub had_fault: bool,
    deleted: BTreeSet<Id>,
    /// Session secrets that are no longer current, so never again.
    replaced: BTreeSet<Secret>,
    /// Session and series secrets, and for whom they were made.
    pub made_for: BTreeMap<Secret, (Id, Option<User>)>,
    /// Session secrets in whose record's place a login has come.
    before_login: BTreeSet<Secret>,
    /// Records that an acknowledged logout has ended.
    logged_out: BTreeSet<Id>,
    saved: BTreeSet<(Id, Datum)>,
    taken: BTreeSet<(Id, Datum)>,
    /// Users who were logged in with a limit, and have not logged out.
    pub limited: BTreeSet<User>,
}

fn ends_sessions(verb: Verb) -> bool {
    is_login(verb) || matches!(verb, Verb::Logout | Verb::LogoutOthers | Verb::EndLater(_))
}

/// Whether it may delete the closed record by which late requests are known.
fn deletes(verb: Verb) -> bool {
    matches!(
        verb,
        Verb::Logout | Verb::LogoutOthers | Verb::ChangePassword
    )
}

fn is_login(verb: Verb) -> bool {
    matches!(
        verb,
        Verb::Login(_) | Verb::LoginRemembered(_) | Verb::LoginLimited(_) | Verb::ChangePassword
    )
}

pub fn fail<T>(message: impl Into<String>) -> Checked<T> {
    Err(message.into())
}

/// Whether these cookies open the record for a logout.
fn opens(cookies: &Cookies, record: &Record) -> bool {
    let secret = cookies
        .session
        .filter(|(id, _)| *id == record.id)
        .map(|(_, secret)| secret);
    let series = cookies
        .remember
        .filter(|(id, ..)| *id == record.id)
        .map(|(_, series, _)| series);
    secret.is_some() && (record.current == secret || record.previous == secret)
        || series.is_some() && record.remember.map(|it| it.series) == series
}

impl World {
    /// The user whom a session cookie authenticates, without joins.
    fn user_of(&self, session: Option<(Id, Secret)>) -> Option<User> {
        let (id, secret) = session?;
        let record = self.store.get(&id)?;
        let owner = record.owner?;
        (record.current == Some(secret) && record.stamp == self.stamps[&owner]).then_some(owner)
    }

    /// Whether it has the series secret from before a login.
    pub fn is_from_before_login(&self, cookies: &Cookies) -> bool {
        let is_old =
            |(_, series, _): (Id, Secret, Secret)| self.facts.before_login.contains(&series);
        cookies.remember.is_some_and(is_old)
    }

    pub fn at_sending(&self, cookies: &Cookies) -> (bool, Vec<Id>) {
        let opened = self
            .store
            .values()
            .filter(|it| it.current.is_some() && opens(cookies, it));
        let ids = opened.map(|it| it.id).collect();
        (self.user_of(cookies.session).is_some(), ids)
    }

    fn creator(&self, id: Id) -> Option<Actor> {
        let number = usize::from(id / 64);
        self.requests.get(number).map(|it| it.actor)
    }

    /// Actors who have no secret of the record must not write to it.
    fn check_actor(&self, number: usize, old: &Record) -> Checked<()> {
        let sent = &self.requests[number];
        if sent.actor == Actor::Stranger && self.creator(old.id) != Some(Actor::Stranger) {
            return fail(format!("(i) {:?} by an id alone", sent.verb));
        }
        if sent.actor == Actor::Planter && matches!(old.owner, Some(User::A | User::B)) {
            return fail(format!("(d) {:?} by a planted secret", sent.verb));
        }
        Ok(())
    }

    /// Others learn that the record has changed.
    fn note_write(&mut self, number: usize, id: Id) {
        let ends = ends_sessions(self.requests[number].verb);
        for (other, request) in self.requests.iter_mut().enumerate() {
            if other != number && request.phase != Phase::Over {
                let request = Rc::make_mut(request);
                let Cookies { session, remember } = request.cookies;
                request.beside |= session.is_some_and(|it| it.0 == id);
                request.beside |= remember.is_some_and(|it| it.0 == id);
                request.overtaken |= ends && request.wrote == Some(id);
            }
        }
    }

    pub fn check_write(
        &mut self,
        number: usize,
        old: Option<&Record>,
        new: &Record,
    ) -> Checked<()> {
        let (verb, actor) = (self.requests[number].verb, self.requests[number].actor);
        match old {
            None if self.facts.deleted.contains(&new.id) => {
                return fail("(b) a deleted id is created again");
            }
            None => {}
            Some(old) => self.check_actor(number, old)?,
        }
        let is_foreign = |it: &Datum| it.owner.is_some() && it.owner != new.owner;
        if new.data.iter().any(is_foreign) {
            return fail("(h) data of one user in a session of another");
        }
        if let Some(old) = old {
            let is_late = |it: &&Datum| usize::from(it.by) == number && it.epoch != old.epoch;
            if verb == Verb::Save && new.data.difference(&old.data).any(|it| is_late(&it)) {
                return fail("(d) data of an earlier epoch is merged");
            }
            let lost: Vec<_> = old.data.difference(&new.data).collect();
            if new.current.is_none() {
                self.check_moved(number, old)?;
            } else if verb != Verb::Take && lost.iter().any(|it| self.is_saved(old.id, it)) {
                return fail("(h) an update loses saved data");
            }
        }
        if old.is_some_and(|old| old.epoch != new.epoch) {
            let series = old.and_then(|old| old.remember).map(|it| it.series);
            Rc::make_mut(&mut self.facts).before_login.extend(series);
        }
        let before = old.and_then(|old| old.current);
        if before != new.current {
            Rc::make_mut(&mut self.facts).replaced.extend(before);
            if let Some(secret) = new.current {
                if self.facts.replaced.contains(&secret) {
                    return fail("(b) a replaced session secret is valid again");
                }
                Rc::make_mut(&mut self.facts)
                    .made_for
                    .insert(secret, (new.id, new.owner));
                let request = Rc::make_mut(&mut self.requests[number]);
                request.wrote = Some(new.id);
                request.overtaken = false;
            } else if is_login(verb) {
                Rc::make_mut(&mut self.facts).before_login.extend(before);
            }
        }
        if let Some(remember) = new.remember {
            let made_for = (new.id, new.owner);
            Rc::make_mut(&mut self.facts)
                .made_for
                .insert(remember.series, made_for);
        }
        if actor == Actor::Owner && verb == Verb::LoginLimited(User::A) {
            Rc::make_mut(&mut self.facts).limited.insert(User::A);
        }
        self.note_write(number, new.id);
        Ok(())
    }

    fn is_saved(&self, id: Id, datum: &Datum) -> bool {
        self.facts.saved.contains(&(id, *datum))
    }

    /// The data of an anonymous session is kept by what takes its place.
    fn check_moved(&self, number: usize, old: &Record) -> Checked<()> {
        // If the store fails meanwhile, the old record is ended all the same.
        if old.owner.is_some()
            || self.requests[number].actor != Actor::Owner
            || self.facts.had_fault
        {
            return Ok(());
        }
        let is_elsewhere = |datum: &Datum| {
            let mut others = self.store.values().filter(|it| it.id != old.id);
            others.any(|it| it.data.contains(datum))
                // The new record is gone again, or its user has taken the value.
                || self.requests.iter().any(|it| it.overtaken)
                || self.facts.taken.iter().any(|(_, taken)| taken == datum)
        };
        let mut saved = old.data.iter().filter(|it| self.is_saved(old.id, it));
        match saved.all(is_elsewhere) {
            true => Ok(()),
            false => fail("(h) a login loses saved data"),
        }
    }

    pub fn check_deletion(&mut self, number: usize, old: &Record) -> Checked<()> {
        let verb = self.requests[number].verb;
        if !matches!(verb, Verb::DeleteLater(_)) {
            self.check_actor(number, old)?;
        }
        let is_judged = matches!(verb, Verb::Page | Verb::Save | Verb::Take | Verb::Confirm);
        if is_judged
            && !self.facts.thief_acts
            && old
                .owner
                .is_some_and(|owner| self.stamps[&owner] == old.stamp)
        {
            return fail("(c), (e) a session is ended because of what was read before it changed");
        }
        if is_login(verb) {
            self.check_moved(number, old)?;
            Rc::make_mut(&mut self.facts)
                .before_login
                .extend(old.current);
        }
        if let Some(owner) = old.owner
            && !is_login(verb)
        {
            Rc::make_mut(&mut self.facts).limited.remove(&owner);
        }
        Rc::make_mut(&mut self.facts).deleted.insert(old.id);
        Rc::make_mut(&mut self.facts).replaced.extend(old.current);
        self.note_write(number, old.id);
        Ok(())
    }

    pub fn check_response(&mut self, number: usize) -> Checked<()> {
        let sent = Rc::clone(&self.requests[number]);
        let (verb, response) = (sent.verb, &sent.response);
        let is_honest = matches!(sent.actor, Actor::Owner | Actor::OtherBrowser);
        if response.alarm && !self.facts.thief_acts {
            return fail(format!("(e) {verb:?} raises an alarm without a thief"));
        }
        if response.joined
            && (matches!(response.session, SetCookie::To(_))
                || matches!(response.remember, SetCookie::To(_)))
            && !is_login(verb)
        {
            return fail(format!("(f) {verb:?} turns a join into a lasting secret"));
        }
        if response.is_late && matches!(response.session, SetCookie::To(_)) && !is_login(verb) {
            return fail(format!("(f) {verb:?} gives a late request a session"));
        }
        if let Some(user) = response.user
            && !is_login(verb)
        {
            let secrets = [
                sent.cookies.session.map(|(_, secret)| secret),
                sent.cookies.remember.map(|(_, series, _)| series),
            ];
            let made_for = |secret| self.facts.made_for.get(&secret).map(|it| it.1);
            let is_proved = |secret| made_for(secret) == Some(Some(user));
            if sent.was_from_before_login && !secrets[0].is_some_and(is_proved) {
                return fail(format!(
                    "(d) {verb:?} by a remember cookie from before a login"
                ));
            }
            if !secrets.into_iter().flatten().any(is_proved) {
                return fail(format!("(d) {verb:?} by a secret that is not {user:?}'s"));
            }
        }
        let is_foreign = |it: &&Datum| it.owner.is_some() && it.owner != response.user;
        if response.seen.iter().find(is_foreign).is_some() {
            return fail(format!("(h) {verb:?} shows data of another user"));
        }
        if let Some(taken) = response.taken
            && !Rc::make_mut(&mut self.facts).taken.insert(taken)
        {
            return fail("(h) a value is handed out twice");
        }
        if sent.is_ok {
            Rc::make_mut(&mut self.facts).saved.extend(response.saved);
        }
        if is_honest && (is_login(verb) || verb == Verb::Confirm) {
            self.check_login(number)?;
        }
        if is_honest && verb == Verb::Logout {
            self.check_logout(number)?;
        }
        Ok(())
    }

    fn check_login(&self, number: usize) -> Checked<()> {
        let sent = &self.requests[number];
        let verb = sent.verb;
        if self.facts.thief_acts {
            return Ok(());
        }
        if sent.is_ok {
            let SetCookie::To(session) = sent.response.session else {
                return Ok(());
            };
            let is_valid = self.store.get(&session.0).and_then(|it| it.current) == Some(session.1);
            if !is_valid && !sent.overtaken {
                return fail(format!("(c) {verb:?} was acknowledged and does not work"));
            }
        } else if sent.was_valid
            && !sent.beside
            && !self
                .requests
                .iter()
                .any(|it| it.verb == Verb::ChangePassword)
            && self.user_of(sent.cookies.session).is_none()
        {
            return fail(format!("(c) {verb:?} failed and ended the session"));
        }
        Ok(())
    }

    fn check_logout(&mut self, number: usize) -> Checked<()> {
        let sent = Rc::clone(&self.requests[number]);
        if sent.is_ok {
            Rc::make_mut(&mut self.facts)
                .logged_out
                .extend(&sent.opened);
        } else if !self.facts.had_fault
            && let (_, opened) = self.at_sending(&sent.cookies)
            && !opened.is_empty()
        {
            return fail("(a) a logout fails whose cookies open the session");
        }
        Ok(())
    }

    /// A late response of a visitor must not take the place of a login.
    pub fn check_delivery(&self, number: usize) -> Checked<()> {
        let sent = &self.requests[number];
        if let Some((_, secret)) = sent.cookies.session
            && self.facts.before_login.contains(&secret)
            && let SetCookie::To((id, _)) = sent.response.session
            && self.store.get(&id).is_some_and(|it| it.owner.is_none())
            && self.user_of(self.jar(sent.actor).session).is_some()
            && !self.facts.had_fault
            && !self.requests.iter().any(|it| deletes(it.verb))
        {
            return fail("(c) a late response puts an anonymous session in a login's place");
        }
        Ok(())
    }

    /// After each step.
    pub fn check_state(&self) -> Checked<()> {
        let is_live = |id: &&Id| self.store.get(id).is_some_and(|it| it.current.is_some());
        if self.facts.logged_out.iter().find(is_live).is_some() {
            return fail("(a) a session outlives its logout");
        }
        Ok(())
    }
}
