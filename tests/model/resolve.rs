//! Who a request is found to be.

use super::protocol::{
    Found, GRACE, Op, Record, Remember, Request, Run, SetCookie, Stop, Swap, TRIES,
};

impl Request<'_> {
    pub fn resolve(&mut self) -> Run<Found> {
        let mut anonymous = None;
        if let Some((id, secret)) = self.cookies.session {
            for _ in 0..TRIES {
                let Some(record) = self.load(id)? else { break };
                if record.current == Some(secret) {
                    let Some(owner) = record.owner else {
                        anonymous = Some(record);
                        break;
                    };
                    if self.stamp_of(owner)? == record.stamp {
                        self.mark_seen(&record)?;
                        return Ok(Found::Session(record));
                    }
                    if self.end(&record)?.is_some() {
                        return Ok(Found::Nobody);
                    }
                    continue;
                }
                if record.previous == Some(secret)
                    && record.was_replaced_moments_before(self.arrived)
                    && self.rules.late_requests_join
                {
                    self.response.is_late = true;
                    // The previous secret of a closed record is of another login.
                    let Some(owner) = record.owner.filter(|_| record.current.is_some()) else {
                        return Ok(Found::Nobody);
                    };
                    if self.stamp_of(owner)? != record.stamp {
                        return Ok(Found::Nobody);
                    }
                    return Ok(self.join(record));
                }
                break;
            }
        }
        if let Some(found) = self.restore(anonymous.as_ref())? {
            return Ok(found);
        }
        Ok(anonymous.map_or(Found::Nobody, Found::Anonymous))
    }

    pub fn join(&mut self, record: Record) -> Found {
        self.response.joined = true;
        if !self.rules.seen_by_current_only
            && let Some(remember) = record.remember
        {
            // Written together with what the request does next.
            let remember = Some(Remember {
                seen: true,
                ..remember
            });
            return Found::Joined(Record { remember, ..record });
        }
        Found::Joined(record)
    }

    /// The current session secret was shown, so the cookies of the last restore were received. A
    /// failure does not matter: the next request does it again.
    pub fn mark_seen(&mut self, record: &Record) -> Run<()> {
        let Some(remember) = record.remember.filter(|remember| !remember.seen) else {
            return Ok(());
        };
        let mut new = record.clone();
        new.remember = Some(Remember {
            seen: true,
            skipped: None,
            ..remember
        });
        new.mark = self.random();
        match self.call(Op::Update(new)) {
            Err(Stop::Call(op)) => Err(Stop::Call(op)),
            _ => Ok(()),
        }
    }

    pub fn restore(&mut self, anonymous: Option<&Record>) -> Run<Option<Found>> {
        let Some((id, series, token)) = self.cookies.remember else {
            return Ok(None);
        };
        for _ in 0..TRIES {
            let Some(record) = self.load(id)? else {
                return Ok(None);
            };
            let Some(remember) = record.remember.filter(|it| it.series == series) else {
                return Ok(None);
            };
            let is_in_grace = self.arrived <= remember.exchanged.saturating_add(GRACE);
            let (joins, restores) = if token == remember.current {
                (false, true)
            } else if remember.previous == Some(token) {
                (is_in_grace, !is_in_grace && !remember.seen)
            } else {
                let is_skipped = remember.skipped == Some(token) && !remember.seen;
                (false, is_skipped && self.rules.skipped_is_accepted)
            };
            if !joins && !restores {
                if self.end(&record)?.is_none() {
                    continue;
                }
                self.response.alarm = true;
                self.response.session = SetCookie::Remove;
                self.response.remember = SetCookie::Remove;
                return Ok(None);
            }
            let Some(owner) = record.owner else {
                return Ok(None);
            };
            if self.stamp_of(owner)? != record.stamp {
                if self.end(&record)?.is_none() {
                    continue;
                }
                return Ok(None);
            }
            if joins {
                return Ok(Some(self.join(record)));
            }
            let (secret, new_token) = (self.random(), self.random());
            let mut new = record.clone();
            new.previous = record.current;
            new.current = Some(secret);
            new.remember = Some(Remember {
                current: new_token,
                previous: Some(token),
                skipped: (remember.previous == Some(token)).then_some(remember.current),
                seen: false,
                ..remember
            });
            if let Some(anonymous) = anonymous {
                new.data.extend(&anonymous.data);
            }
            match self.swap(new.clone())? {
                Swap::Done => {}
                Swap::Conflict => continue,
                Swap::Gone => return Ok(None),
            }
            new.version += 1;
            self.response.session = SetCookie::To((id, secret));
            self.response.remember = SetCookie::To((id, series, new_token));
            self.cookies.session = Some((id, secret));
            if let Some(anonymous) = anonymous {
                self.close(anonymous.clone(), Some(id))?;
            }
            return Ok(Some(Found::Session(new)));
        }
        Ok(None)
    }
}
