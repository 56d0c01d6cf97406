//! The verbs.

use std::collections::BTreeSet;

use super::protocol::{
    Datum, Found, Id, Op, Record, Request, Run, SetCookie, Stop, Swap, TRIES, User, Verb,
};

impl Request<'_> {
    pub fn run(&mut self) -> Run<()> {
        match self.verb {
            Verb::Page => self.page(),
            Verb::Save => self.save(),
            Verb::Take => self.take(),
            Verb::Login(user) | Verb::LoginLimited(user) => self.login(user, false),
            Verb::LoginRemembered(user) => self.login(user, true),
            Verb::ChangePassword => self.change_password(),
            Verb::Confirm => self.confirm(),
            Verb::Logout => self.logout(),
            Verb::LogoutOthers => self.logout_others(),
            Verb::EndLater(id) => self.end_later(id),
            Verb::DeleteLater(id) => self.call(Op::Delete(id, None)).map(drop),
        }
    }

    fn page(&mut self) -> Run<()> {
        let found = self.resolve()?;
        self.report(&found);
        Ok(())
    }

    /// What the handler sees.
    fn report(&mut self, found: &Found) {
        if let Found::Anonymous(record) | Found::Session(record) | Found::Joined(record) = found {
            self.response.user = record.owner;
            self.response.seen.clone_from(&record.data);
        }
    }

    fn save(&mut self) -> Run<()> {
        let found = self.resolve()?;
        self.report(&found);
        let datum = |owner, epoch| Datum {
            by: self.number,
            owner,
            epoch,
        };
        let (Found::Anonymous(record) | Found::Session(record) | Found::Joined(record)) = found
        else {
            if self.response.is_late {
                return Ok(());
            }
            let (datum, id, secret) = (datum(None, 0), self.random(), self.random());
            let record = self.new_record(id, secret, None, BTreeSet::from([datum]));
            self.create(record)?;
            self.response.session = SetCookie::To((id, secret));
            self.response.saved = Some((id, datum));
            return Ok(());
        };
        let datum = datum(record.owner, record.epoch);
        if self.change_data(record.clone(), |data| data.extend([datum]))? {
            self.response.saved = Some((record.id, datum));
        }
        Ok(())
    }

    fn take(&mut self) -> Run<()> {
        let found = self.resolve()?;
        let (Found::Anonymous(record) | Found::Session(record) | Found::Joined(record)) = found
        else {
            return Ok(());
        };
        let Some(value) = record.data.first().copied() else {
            return Ok(());
        };
        for _ in 0..TRIES {
            let Some(now) = self.load(record.id)? else {
                return Ok(());
            };
            if now.epoch != record.epoch || !now.data.contains(&value) {
                return Ok(());
            }
            let mut new = now;
            new.data.remove(&value);
            let swapped = self.swap(new)?;
            if matches!(swapped, Swap::Done) || !self.rules.take_after_update {
                self.response.taken = Some((record.id, value));
                return Ok(());
            }
        }
        Err(Stop::Refused)
    }

    fn login(&mut self, user: User, remembered: bool) -> Run<()> {
        let (mut old, mut other) = (None, None);
        if let Some((id, secret)) = self.cookies.session {
            old = self.load(id)?.filter(|it| it.current == Some(secret));
        }
        if let Some((id, series, _)) = self.cookies.remember
            && old.as_ref().is_none_or(|old| old.id != id)
        {
            let is_ours = |it: &Record| it.remember.is_some_and(|it| it.series == series);
            other = self.load(id)?.filter(is_ours);
        }
        let stamp = self.stamp_of(user)?;
        let keeps_remember = |it: &Record| it.owner == Some(user) && it.remember.is_some();
        let is_remembered = remembered || old.iter().chain(&other).any(keeps_remember);

        let (mut secret, mut remember) = self.new_secrets(is_remembered);
        let in_place = old.clone().filter(|it| it.owner == Some(user));
        let mut data = match &old {
            Some(old) if old.owner.is_none_or(|owner| owner == user) => old.data.clone(),
            _ => BTreeSet::new(),
        };
        let mut written = None;
        if let Some(mut record) = in_place {
            let epoch = record.epoch;
            for _ in 0..TRIES {
                let id = record.id;
                let mut new = record.clone();
                new.previous = new.current;
                new.current = Some(secret);
                new.epoch += 1;
                new.stamp = stamp;
                new.remember = match record.remember {
                    Some(kept) if !self.rules.login_renews_series && !remembered => Some(kept),
                    _ => remember,
                };
                let kept = new.remember;
                match self.swap(new)? {
                    Swap::Done => {
                        written = Some((id, kept));
                        break;
                    }
                    Swap::Gone => {
                        data.clear();
                        break;
                    }
                    Swap::Conflict => {}
                }
                match self.load(id)? {
                    Some(now) if now.epoch == epoch => record = now,
                    _ => break,
                }
            }
            old = None;
        }
        let (id, remember) = match written {
            Some(written) => written,
            None => {
                let id = self.random();
                (secret, remember) = self.new_secrets(is_remembered);
                let mut record = self.new_record(id, secret, Some(user), data);
                record.stamp = stamp;
                record.remember = remember;
                if let Verb::LoginLimited(_) = self.verb {
                    let newest = self.list(user)?.iter().map(|it| it.created).max();
                    record.created = newest.map_or(0, |newest| newest + 1);
                }
                let created = record.created;
                self.create(record)?;
                if let Verb::LoginLimited(_) = self.verb {
                    self.end_beyond_limit(user, created, id)?;
                }
                (id, remember)
            }
        };
        self.response.user = Some(user);
        self.response.session = SetCookie::To((id, secret));
        self.response.remember = match remember {
            Some(it) => SetCookie::To((id, it.series, it.current)),
            None => SetCookie::Remove,
        };
        // From here on the login stands, whatever fails.
        if let Some(old) = old {
            let copy_to = old.owner.is_none().then_some(id);
            let old_id = old.id;
            self.or_later(old_id, |request| request.close(old, copy_to))?;
        }
        if let Some(other) = other.filter(|it| it.id != id && self.rules.login_ends_other_record) {
            self.or_later(other.id, |request| request.close(other, None))?;
        }
        Ok(())
    }

    /// With a limit of one session.
    fn end_beyond_limit(&mut self, user: User, created: u8, id: Id) -> Run<()> {
        for record in self.list(user)? {
            let is_before = (record.created, record.id) < (created, id);
            if record.id != id && (is_before || !self.rules.limit_ends_older_only) {
                self.call(Op::Delete(record.id, None))?;
            }
        }
        Ok(())
    }

    fn change_password(&mut self) -> Run<()> {
        let Found::Session(record) = self.resolve()? else {
            return Err(Stop::Refused);
        };
        let Some(owner) = record.owner else {
            return Err(Stop::Refused);
        };
        // The login shows what a restore in this request has set.
        if let SetCookie::To(remember) = self.response.remember {
            self.cookies.remember = Some(remember);
        }
        self.call(Op::ChangeStamp(owner))?;
        self.login(owner, false)
    }

    /// A new session secret, as after a second factor.
    fn confirm(&mut self) -> Run<()> {
        let (Found::Session(mut record) | Found::Anonymous(mut record)) = self.resolve()? else {
            return Err(Stop::Refused);
        };
        let (id, presented) = (record.id, self.cookies.session.map(|(_, secret)| secret));
        let secret = self.random();
        for _ in 0..TRIES {
            if record.current == presented {
                let mut new = record.clone();
                new.previous = record.current;
                new.current = Some(secret);
                match self.swap(new)? {
                    Swap::Done => {
                        self.response.user = record.owner;
                        self.response.session = SetCookie::To((id, secret));
                        return Ok(());
                    }
                    Swap::Gone => return Err(Stop::Refused),
                    Swap::Conflict => {}
                }
            }
            record = match self.load(id)? {
                Some(now) if now.current == presented => now,
                _ => return Err(Stop::Refused),
            };
        }
        Err(Stop::Refused)
    }

    /// Whether a logout by these cookies may end the record.
    fn opens(&self, record: &Record) -> bool {
        let accepts = self.rules.logout_accepts_replaced;
        let by_session = self.cookies.session.is_some_and(|(id, secret)| {
            id == record.id
                && (record.current == Some(secret) || (accepts && record.previous == Some(secret)))
        });
        let by_remember = self.cookies.remember.is_some_and(|(id, series, token)| {
            id == record.id
                && record
                    .remember
                    .is_some_and(|it| it.series == series && (accepts || it.current == token))
        });
        by_session || by_remember
    }

    fn logout(&mut self) -> Run<()> {
        self.response.session = SetCookie::Remove;
        self.response.remember = SetCookie::Remove;
        let session = self.cookies.session.map(|(id, _)| id);
        let remember = self.cookies.remember.map(|(id, ..)| id);
        let mut is_complete = true;
        for id in session
            .into_iter()
            .chain(remember.filter(|id| session != Some(*id)))
        {
            match self.logout_of(id) {
                Ok(is_ended) => is_complete &= is_ended,
                Err(Stop::StoreFailed) => {
                    is_complete = false;
                    self.response.later.push(Verb::EndLater(id));
                }
                Err(stop) => return Err(stop),
            }
        }
        match is_complete {
            true => Ok(()),
            false => Err(Stop::Refused),
        }
    }

    fn logout_of(&mut self, id: Id) -> Run<bool> {
        let Some(record) = self.load(id)?.filter(|it| it.current.is_some()) else {
            return Ok(true);
        };
        if !self.opens(&record) {
            return Ok(!self.rules.logout_reports_rest);
        }
        self.call(Op::Delete(id, None))?;
        Ok(true)
    }

    fn end_later(&mut self, id: Id) -> Run<()> {
        if self.rules.retries_check_secrets {
            match self.load(id)? {
                Some(record) if self.opens(&record) => {}
                _ => return Ok(()),
            }
        }
        self.call(Op::Delete(id, None)).map(drop)
    }

    fn logout_others(&mut self) -> Run<()> {
        let Found::Session(record) = self.resolve()? else {
            return Err(Stop::Refused);
        };
        let Some(owner) = record.owner else {
            return Err(Stop::Refused);
        };
        self.response.user = Some(owner);
        self.call(Op::DeleteAll(owner, record.id)).map(drop)
    }
}
