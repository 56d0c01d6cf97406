//! What the verbs have in common: calls of the store, and compare-and-swap.

use std::collections::BTreeSet;

use super::protocol::{
    Answer, Datum, Id, Op, Record, Remember, Request, Run, Secret, SetCookie, Stop, Swap, TRIES,
    User, Verb,
};

impl Request<'_> {
    pub fn call(&mut self, op: Op) -> Run<Answer> {
        let answer = self.answers.get(self.at).cloned();
        self.at += 1;
        match answer {
            Some(Answer::Failed) => Err(Stop::StoreFailed),
            Some(answer) => Ok(answer),
            None => Err(Stop::Call(Box::new(op))),
        }
    }

    pub fn load(&mut self, id: Id) -> Run<Option<Record>> {
        match self.call(Op::Load(id))? {
            Answer::Record(record) => Ok(record),
            other => unreachable!("{other:?}"),
        }
    }

    pub fn stamp_of(&mut self, user: User) -> Run<u8> {
        match self.call(Op::Stamp(user))? {
            Answer::Stamp(stamp) => Ok(stamp),
            other => unreachable!("{other:?}"),
        }
    }

    pub fn list(&mut self, user: User) -> Run<Vec<Record>> {
        match self.call(Op::List(user))? {
            Answer::Records(records) => Ok(records),
            other => unreachable!("{other:?}"),
        }
    }

    /// Secrets, ids and marks are numbers that no other request makes.
    pub fn random(&mut self) -> u16 {
        self.made += 1;
        u16::from(self.number) * 64 + self.made
    }

    pub fn new_secrets(&mut self, is_remembered: bool) -> (Secret, Option<Remember>) {
        let (secret, series, current) = (self.random(), self.random(), self.random());
        let remember = Remember {
            series,
            current,
            previous: None,
            skipped: None,
            exchanged: 0,
            seen: true,
        };
        (secret, is_remembered.then_some(remember))
    }

    pub fn new_record(
        &self,
        id: Id,
        secret: Secret,
        owner: Option<User>,
        data: BTreeSet<Datum>,
    ) -> Record {
        Record {
            id,
            owner,
            version: 0,
            current: Some(secret),
            previous: None,
            rotated: 0,
            created: 0,
            epoch: 0,
            stamp: 0,
            remember: None,
            data,
            mark: 0,
        }
    }

    /// One compare-and-swap. An unknown outcome is settled by the mark.
    pub fn swap(&mut self, mut new: Record) -> Run<Swap> {
        let (id, version, mark) = (new.id, new.version, self.random());
        let is_new = |secret: &Secret| {
            usize::from(secret / 64) == self.number.into()
                && self.response.session != SetCookie::To((id, *secret))
        };
        let made = new.current.filter(is_new);
        new.mark = mark;
        match self.call(Op::Update(new)) {
            Ok(Answer::Done) => return Ok(Swap::Done),
            Ok(Answer::Gone) => return Ok(Swap::Gone),
            Ok(_) => return Ok(Swap::Conflict),
            Err(Stop::StoreFailed) => {}
            Err(stop) => return Err(stop),
        }
        for _ in 0..TRIES {
            let Some(now) = self.load(id)? else {
                return Ok(Swap::Gone);
            };
            let is_own = now.mark == mark || (made.is_some() && now.current == made);
            if is_own && self.rules.own_mark {
                return Ok(Swap::Done);
            }
            if now.version != version || !self.rules.fence {
                return Err(Stop::StoreFailed);
            }
            if let Answer::Done = self.call(Op::Update(now))? {
                return Err(Stop::StoreFailed);
            }
        }
        Err(Stop::StoreFailed)
    }

    /// After an unknown outcome the record is there, or it is queued for deletion.
    pub fn create(&mut self, record: Record) -> Run<()> {
        let id = record.id;
        match self.call(Op::Create(record)) {
            Ok(_) => Ok(()),
            Err(Stop::StoreFailed) => match self.load(id) {
                Ok(Some(_)) => Ok(()),
                Err(Stop::Call(op)) => Err(Stop::Call(op)),
                _ => {
                    self.response.later.push(Verb::DeleteLater(id));
                    Err(Stop::StoreFailed)
                }
            },
            Err(stop) => Err(stop),
        }
    }

    /// Returns whether it was saved. What belongs to another epoch is dropped.
    pub fn change_data(
        &mut self,
        mut record: Record,
        change: impl Fn(&mut BTreeSet<Datum>),
    ) -> Run<bool> {
        let epoch = record.epoch;
        for _ in 0..TRIES {
            let id = record.id;
            change(&mut record.data);
            match self.swap(record)? {
                Swap::Done => return Ok(true),
                Swap::Gone => return Ok(false),
                Swap::Conflict => {}
            }
            match self.load(id)? {
                Some(now)
                    if now.current.is_some()
                        && (now.epoch == epoch || !self.rules.epochs_are_compared) =>
                {
                    record = now;
                }
                _ => return Ok(false),
            }
        }
        Err(Stop::Refused)
    }

    /// Deletes a record because of what was read. `None` if it has changed since: judge again.
    pub fn end(&mut self, judged: &Record) -> Run<Option<()>> {
        let at = self
            .rules
            .delete_at_judged_version
            .then_some(judged.version);
        let answer = self.call(Op::Delete(judged.id, at))?;
        Ok((answer != Answer::Conflict).then_some(()))
    }

    /// Ends an anonymous record or another user's in whose place a login or a restore comes. What
    /// was saved late in an anonymous one is copied.
    pub fn close(&mut self, mut old: Record, copy_to: Option<Id>) -> Run<()> {
        let (owner, epoch) = (old.owner, old.epoch);
        for _ in 0..TRIES {
            let closed = Record {
                current: None,
                previous: old.current,
                epoch: old.epoch + 1,
                remember: None,
                data: BTreeSet::new(),
                ..old.clone()
            };
            if !self.rules.old_records_are_closed {
                return self.call(Op::Delete(old.id, None)).map(drop);
            }
            match self.swap(closed)? {
                Swap::Done | Swap::Gone => return Ok(()),
                Swap::Conflict => {}
            }
            let Some(now) = self.load(old.id)?.filter(|it| it.current.is_some()) else {
                return Ok(());
            };
            // A login of the same user beside this one has been written to it.
            if owner.is_some() && owner == self.response.user && now.epoch != epoch {
                return Ok(());
            }
            let late: BTreeSet<_> = now.data.difference(&old.data).copied().collect();
            if let Some(id) = copy_to
                && !late.is_empty()
                && let Some(mine) = self.load(id)?
            {
                self.change_data(mine, |data| data.extend(&late))?;
            }
            old = now;
        }
        Ok(())
    }

    pub fn or_later(&mut self, id: Id, end: impl FnOnce(&mut Self) -> Run<()>) -> Run<()> {
        match end(self) {
            Err(Stop::StoreFailed) => {
                self.response.later.push(Verb::EndLater(id));
                Ok(())
            }
            result => result,
        }
    }
}
