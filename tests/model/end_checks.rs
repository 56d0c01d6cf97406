//! What must hold once nothing is left to happen.

use std::{collections::BTreeMap, rc::Rc};

use super::{
    checks::fail,
    protocol::{Cookies, GRACE, Id, Record, Rules, Verb},
    world::{Actor, Checked, Phase, World},
};

impl World {
    /// Once nothing is left to happen.
    pub fn check_end(&self, rules: &Rules) -> Checked<()> {
        for (number, sent) in self.requests.iter().enumerate() {
            let is_plain_login = matches!(sent.verb, Verb::Login(_) | Verb::LoginRemembered(_));
            let is_its_own =
                |it: &Rc<Record>| it.current.map(|it| usize::from(it / 64)) == Some(number);
            if is_plain_login
                && !sent.is_ok
                && sent.phase == Phase::Over
                && self.store.values().any(is_its_own)
            {
                return fail("(c) a login failed and takes effect");
            }
        }
        for user in &self.facts.limited {
            if !self.store.values().any(|it| it.owner == Some(*user)) {
                return fail("(c) two logins with a limit end each other");
            }
        }
        self.check_one_secret_per_record(rules)?;
        if self.facts.thief_acts {
            self.check_theft(rules)?;
        }
        Ok(())
    }

    fn check_one_secret_per_record(&self, rules: &Rules) -> Checked<()> {
        let mut valid = BTreeMap::<Id, usize>::new();
        for (secret, (id, _)) in &self.facts.made_for {
            if !self.store.contains_key(id) {
                continue;
            }
            let mut later = self.clone();
            later.now += GRACE + 1;
            later.jars.insert(
                Actor::OtherBrowser,
                Cookies {
                    session: Some((*id, *secret)),
                    remember: None,
                },
            );
            let response = later.serial(rules, Actor::OtherBrowser, Verb::Page)?;
            *valid.entry(*id).or_default() += usize::from(response.user.is_some());
        }
        match valid.values().all(|count| *count <= 1) {
            true => Ok(()),
            false => fail("(g) two session secrets of one record are valid"),
        }
    }

    /// Thief and owner come back in turn: one is detected, or is out.
    fn check_theft(&self, rules: &Rules) -> Checked<()> {
        let mut later = self.clone();
        let mut both = 0;
        for _ in 0..3 {
            later.now += GRACE + 1;
            let thief = later.serial(rules, Actor::Thief, Verb::Page)?;
            later.now += GRACE + 1;
            let owner = later.serial(rules, Actor::Owner, Verb::Page)?;
            if thief.alarm || owner.alarm {
                return Ok(());
            }
            both += usize::from(thief.user.is_some() && owner.user.is_some());
        }
        match both {
            3 => fail("(f) thief and owner are both logged in, and no alarm is raised"),
            _ => Ok(()),
        }
    }
}
