//! One record in the place of another, in one step where no fault says otherwise.

use login_manager::{
    BoxError, SessionStore as _,
    store::{Created, Outcome, Record, RecordKey, Replaced},
};
use tokio::task::yield_now;

use super::{BrokenStore, is_dead};
use crate::broken_stores::fault::Fault;

impl BrokenStore {
    pub(super) async fn put_in_place(
        &self,
        old: RecordKey,
        version: u64,
        new: Record,
    ) -> Result<Replaced, BoxError> {
        match self.fault {
            Fault::ReplaceTakesNothingBack => {
                if !self.create_free(new).await? {
                    return Ok(Replaced::Exists);
                }
                let deleted = self.inner.delete(&old, Some(version)).await?;
                return Ok(in_the_end(deleted));
            }
            Fault::ReplaceDeletesFirst => {
                let deleted = self.inner.delete(&old, Some(version)).await?;
                if deleted == Outcome::Done {
                    yield_now().await;
                    if !self.create_free(new).await? {
                        return Ok(Replaced::Exists);
                    }
                }
                return Ok(in_the_end(deleted));
            }
            _ if old == new.key => return Ok(Replaced::Exists),
            _ => {}
        }
        let before = match self.peek(&old).await {
            None => return self.what_is_missing(new).await,
            Some(dead) if is_dead(&dead) && self.fault == Fault::ReplaceSparesTheExpired => {
                return Ok(Replaced::Gone);
            }
            Some(other)
                if other.version != version && self.fault != Fault::ReplaceIgnoresTheVersion =>
            {
                return Ok(Replaced::Conflict);
            }
            Some(before) => before,
        };
        self.lag(&old).await;
        self.lag(&new.key).await;
        if self.fault == Fault::ReplaceReadsFirst {
            yield_now().await;
        }
        let after = self.instead_of(&before, new);
        let key = after.key;
        match self.fault {
            Fault::ReplaceOverwrites => self.put(after).await,
            Fault::ReplaceLooksFirst => {
                let is_there = self.peek(&key).await.is_some();
                yield_now().await;
                if is_there {
                    return Ok(Replaced::Exists);
                }
                self.put(after).await;
            }
            Fault::HalfOfAReplace => {
                let half = Record {
                    payload: [][..].into(),
                    ..after.clone()
                };
                if !self.create_free(half).await? {
                    return Ok(Replaced::Exists);
                }
                yield_now().await;
                self.put(after).await;
            }
            _ if !self.create_free(after).await? => return Ok(Replaced::Exists),
            _ => {}
        }
        match self.fault {
            Fault::ReplaceLeavesTheOld => return Ok(Replaced::Done),
            Fault::ReplaceIsNotListed => self.unlisted.lock().unwrap().push(key),
            _ => {}
        }
        let _before: Outcome = self.inner.delete(&old, None).await?;
        Ok(Replaced::Done)
    }

    async fn what_is_missing(&self, new: Record) -> Result<Replaced, BoxError> {
        match self.fault {
            Fault::WhatIsMissingIsDone => Ok(Replaced::Done),
            Fault::WhatIsMissingIsConflict => Ok(Replaced::Conflict),
            Fault::ReplaceRevives => {
                let _free = self.create_free(new).await?;
                Ok(Replaced::Done)
            }
            _ => Ok(Replaced::Gone),
        }
    }

    /// What a statement that forgets a column makes of it.
    fn instead_of(&self, before: &Record, new: Record) -> Record {
        match self.fault {
            Fault::ReplaceKeepsTheOwner => Record {
                owner: before.owner.clone(),
                ..new
            },
            Fault::ReplaceKeepsTheFamily => Record {
                family: before.family,
                ..new
            },
            Fault::ReplaceKeepsTheTimes => Record {
                created: before.created,
                ends: before.ends,
                ..new
            },
            Fault::ReplaceRaisesTheVersion => Record {
                version: before.version + 1,
                ..new
            },
            Fault::PayloadsUpTo(len) => Record {
                payload: new.payload.iter().copied().take(len).collect(),
                ..new
            },
            _ => new,
        }
    }

    /// Whether it was.
    async fn create_free(&self, record: Record) -> Result<bool, BoxError> {
        let (key, born) = (record.key, record.clone());
        if self.inner.create(record).await? == Created::Exists {
            return Ok(false);
        }
        self.born.lock().unwrap().entry(key).or_insert(born);
        self.list_again(&key);
        Ok(true)
    }
}

fn in_the_end(deleted: Outcome) -> Replaced {
    match deleted {
        Outcome::Done => Replaced::Done,
        Outcome::Conflict => Replaced::Conflict,
        Outcome::Gone => Replaced::Gone,
    }
}
