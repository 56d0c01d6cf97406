//! Closing a record that a login or a restore has replaced by another one.

use super::{
    data::Changes,
    end::{Later, Proof, end_later},
    entries::Entries,
    methods::Methods,
    payload::{Head, Limits, Payload},
    request::Turn,
    state::Open,
    swap::{Step, Swapped, swap},
};
use crate::{error::Error, store::SessionRecord};

/// How often data that was saved late is copied to the new record. Without a limit, an attacker who
/// planted the old cookie and saves in a loop could delay the closing and write to the new session.
const COPIES: usize = 8;

/// Another request has saved data in the old record since it was read.
struct SavedMeanwhile(SessionRecord, Payload);

impl Turn<'_> {
    /// Closes the record that a login or a restore has replaced. If the store fails, the new
    /// session is valid all the same, and the old one is ended in the background.
    pub(crate) async fn close_or_retry(
        &self,
        old: (SessionRecord, Payload),
        proof: Proof,
        new: &mut Open,
    ) {
        let id = old.0.id;
        if self.close(old, proof, new).await.is_err() {
            end_later(self.realm(), id, proof, Later::Replaced);
        }
    }

    /// Removes the old record's secret, data and remember part, and keeps the replaced secret as
    /// the previous one, by which late requests are recognized for the grace. Data that other
    /// requests save there meanwhile is copied to the new record if the old one is anonymous.
    async fn close(
        &self,
        (mut record, mut payload): (SessionRecord, Payload),
        proof: Proof,
        new: &mut Open,
    ) -> Result<(), Error> {
        let first_epoch = payload.epoch;
        let may_copy = record.owner.is_none();
        for copies in 0.. {
            let seen = payload.entries.clone();
            let epoch = payload.epoch;
            let step = |record: &SessionRecord, payload: &Payload| {
                // A concurrent login of the same user has taken this record over.
                let is_taken = record.owner.is_some()
                    && record.owner == new.record.owner
                    && payload.epoch != first_epoch;
                if payload.head.current.is_none() || is_taken {
                    return Step::Stop(None);
                }
                let is_late = !payload.entries.iter().eq(seen.iter());
                if may_copy && is_late && payload.epoch == epoch && copies < COPIES {
                    return Step::Stop(Some(SavedMeanwhile(record.clone(), payload.clone())));
                }
                Step::Write(self.closed(payload, proof), self.now)
            };
            match swap(self.realm(), record.clone(), payload.clone(), step).await? {
                Swapped::Stopped(Some(SavedMeanwhile(late_record, late))) => {
                    let mut changes = Changes::between(&payload.entries, &late.entries);
                    // Don't overwrite a value that the new session has changed itself.
                    changes.keep(|name| new.payload.entries.get(name) == payload.entries.get(name));
                    self.copy(changes, new).await?;
                    (record, payload) = (late_record, late);
                }
                _ => break,
            }
        }
        Ok(())
    }

    pub(super) fn closed(&self, payload: &Payload, proof: Proof) -> Payload {
        let now = self.realm().clock.now();
        let grace = self.realm().remember_me.grace_length();
        Payload {
            head: Head {
                current: None,
                // Requests that were sent before the login present the same secret, and are
                // recognized by it.
                previous: match proof {
                    Proof::Session(presented) => Some(presented),
                    Proof::Series(_) => payload.head.current,
                },
                rotated: now,
                series: None,
            },
            mark: payload.mark,
            limits: Limits {
                idle: grace,
                absolute: grace,
                ends: now.saturating_add(grace),
            },
            epoch: payload.epoch.wrapping_add(1),
            excludes_previous: false,
            login: None,
            methods: Methods::default(),
            remember: None,
            actor: payload.actor.clone(),
            entries: Entries::empty(),
        }
    }

    async fn copy(&self, changes: Changes, new: &mut Open) -> Result<(), Error> {
        let epoch = new.payload.epoch;
        let step = |record: &SessionRecord, payload: &Payload| match changes.apply(&payload.entries)
        {
            Ok(entries) if payload.epoch == epoch => {
                let payload = Payload {
                    entries,
                    ..payload.clone()
                };
                Step::Write(payload, record.touched)
            }
            // Data that doesn't fit into the new session is dropped.
            _ => Step::Stop(()),
        };
        let swapped = swap(self.realm(), new.record.clone(), new.payload.clone(), step);
        if let Swapped::Done(record, payload) = swapped.await? {
            (new.record, new.payload) = (record, payload);
        }
        Ok(())
    }
}
