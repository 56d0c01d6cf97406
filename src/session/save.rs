//! Saving a visitor's data: compare-and-swap, so that two requests of one visitor both keep what they changed.

use std::sync::Arc;

use super::{
    payload::Payload,
    state::{Live, Slot},
    visit::Visit,
};
use crate::{
    clock::Millis,
    error::{Error, ErrorKind},
    event::EventKind,
    realm::NewRecord,
    store::{Family, Outcome, pause},
    why::Why,
};

/// How often a save meets somebody else's before it gives up: with the pauses between, about two seconds.
const TRIES: u32 = 64;

impl Visit {
    /// Writes this request's changes to the store; where there is no session yet, makes one.
    ///
    /// A session that ended meanwhile takes its data along: that is no error, but an event says so.
    pub(crate) async fn save_at(&self, now: Millis) -> Result<(), Error> {
        for attempt in 0..TRIES {
            let (live, sent) = {
                let state = self.state();
                match &state.slot {
                    _ if !state.has_unsaved_data() => return Ok(()),
                    Slot::Live(live) => (Some(live.clone()), state.sent),
                    _ => (None, state.sent),
                }
            };
            let Some(live) = live else {
                return match sent {
                    true => Err(ErrorKind::TooLate.into()),
                    false => self.create_first_at(now).await,
                };
            };
            let payload = live
                .data
                .encode(live.data.proof().as_ref(), live.data.agent());
            match self
                .realm
                .update(&live.record, payload.bytes(), now)
                .await?
            {
                Outcome::Done => {
                    self.rebase(live.record.version + 1, payload);
                    return Ok(());
                }
                Outcome::Conflict => {
                    pause(attempt).await;
                    self.reload_at(&live, now).await?;
                }
                Outcome::Gone => self.drop_data(&live),
            }
        }
        Err(ErrorKind::Conflict.into())
    }

    /// Removes a value from the store, and only then returns it. This request's other changes stay
    /// unsaved.
    ///
    /// If A and B take the same value and A's update is first, B's fails with a conflict, and B
    /// finds the value gone when it reads the record again. If the outcome of an update is unknown,
    /// the value is not returned: it may have been removed.
    pub(crate) async fn take_at(&self, name: &str, now: Millis) -> Result<Option<Box<str>>, Error> {
        for attempt in 0..TRIES {
            let (live, rest) = {
                let mut state = self.state();
                let stored = match &state.slot {
                    Slot::Live(live) => live
                        .data
                        .get(name)
                        .and_then(|_| live.data.stored_without(name))
                        .map(|rest| (live.clone(), rest)),
                    _ => None,
                };
                match stored {
                    Some(stored) => stored,
                    // No other request can know a value that is not in the store.
                    None => return Ok(state.data_mut().and_then(|data| data.take(name))),
                }
            };
            match self.realm.update(&live.record, rest.bytes(), now).await? {
                Outcome::Done => {
                    self.rebase(live.record.version + 1, rest);
                    let mut state = self.state();
                    let changed = state.data_mut().and_then(|data| data.take(name));
                    return Ok(changed.or_else(|| live.data.get(name).map(Box::from)));
                }
                Outcome::Conflict => {
                    pause(attempt).await;
                    self.reload_at(&live, now).await?;
                }
                Outcome::Gone => self.drop_data(&live),
            }
        }
        Err(ErrorKind::Conflict.into())
    }

    /// The first data of an anonymous visitor: only now is there something to remember.
    async fn create_first_at(&self, now: Millis) -> Result<(), Error> {
        if self.state().drop_if_closed() {
            self.realm.report(EventKind::DataDropped);
            return Ok(());
        }
        let family = Family::random().map_err(|_| ErrorKind::Random)?;
        let ends = self.realm.timeouts.ends(now);
        let new = NewRecord {
            family,
            owner: None,
            created: now,
            ends,
            timeouts: self.realm.timeouts,
            payload: Arc::default(),
        };
        let mut new = self.draft(new, None, self.data(), now)?;
        self.create_at(&mut new).await?;
        self.state().adopt(new, true);
        Ok(())
    }

    /// Brings the copy up to what the store holds by now.
    async fn reload_at(&self, live: &Live, now: Millis) -> Result<(), Error> {
        let stored = match self.realm.load(&live.record.key, now).await? {
            Some(record) => Payload::decode(record.payload.clone())
                .ok()
                .map(|payload| (record.version, payload)),
            None => None,
        };
        match stored {
            Some((version, payload)) => self.rebase(version, payload),
            None => self.drop_data(live),
        }
        Ok(())
    }

    fn rebase(&self, version: u64, payload: Payload) {
        if let Slot::Live(live) = &mut self.state().slot {
            live.record.version = version;
            live.record.payload = payload.bytes();
            live.data.rebase(payload);
        }
    }

    /// The session ended under this request. So did a cookie that was to name it.
    fn drop_data(&self, live: &Live) {
        self.realm.report_of(
            EventKind::DataDropped,
            live.record.owner.as_deref(),
            live.record.family,
        );
        let mut state = self.state();
        state.slot = Slot::closed(Why::UnknownSession);
        state.keep_cookies_back();
    }
}
