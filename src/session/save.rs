//! Saving session data by compare-and-swap, so that two concurrent requests both keep their
//! changes.

use std::sync::Arc;

use super::{
    data::Changes,
    entries::Entries,
    methods::Methods,
    payload::{Head, Limits, Payload},
    request::Turn,
    state::{Change, HeldBy, Open, SessionState},
    swap::{NewSession, Step, Swapped, create, swap},
};
use crate::{
    error::{Error, ErrorKind},
    event::EventKind,
    reason::AnonymousReason,
    store::{SessionId, SessionRecord, SessionToken},
};

/// Why data was not written.
enum Dropped {
    /// A login has happened since the data was read.
    OtherEpoch,
    TooLarge,
    /// There is no such value.
    NoValue,
}

impl Turn<'_> {
    /// Writes this request's changes to the store, and creates a session if there is none.
    ///
    /// If the session ended meanwhile, the changes are dropped. That is not an error, but emits an
    /// event.
    pub(crate) async fn save(&self) -> Result<(), Error> {
        let open = {
            let state = self.state();
            match &state.session {
                _ if !state.has_unsaved_data() => return Ok(()),
                SessionState::Open(open) => Some(open.clone()),
                _ => None,
            }
        };
        let Some(open) = open else {
            return self.create_for_data().await;
        };
        let epoch = open.payload.epoch;
        let changes = open.changes.clone();
        let swapped = swap(
            self.realm(),
            open.record.clone(),
            open.payload.clone(),
            |record, payload| {
                if payload.epoch != epoch {
                    return Step::Stop(Dropped::OtherEpoch);
                }
                let Ok(entries) = changes.apply(&payload.entries) else {
                    return Step::Stop(Dropped::TooLarge);
                };
                let new = Payload {
                    entries,
                    ..payload.clone()
                };
                Step::Write(new, self.touched(&open, record.touched, payload))
            },
        )
        .await?;
        match swapped {
            Swapped::Done(record, payload) => self.stored(record, payload),
            Swapped::Gone => self.drop_data(&open, true),
            Swapped::Stopped(Dropped::TooLarge) => return Err(ErrorKind::TooLarge.into()),
            Swapped::Stopped(_) => self.drop_data(&open, false),
        }
        Ok(())
    }

    /// Removes the values under some names from the store before returning them, so that only one
    /// request gets each.
    pub(crate) async fn take(
        &self,
        is_taken: impl Fn(&str) -> bool + Copy,
    ) -> Result<Vec<(Box<str>, Box<str>)>, Error> {
        let (pending, open) = {
            let mut state = self.state();
            let pending = match state.data() {
                Some((_, changes)) => changes.only(is_taken),
                None => Changes::default(),
            };
            let open = match &state.session {
                SessionState::Open(open) => Some(open.clone()),
                _ => None,
            };
            (pending, open)
        };
        let has_any = |entries: &Entries| entries.iter().any(|(name, _)| is_taken(name));
        let Some(open) = open.filter(|open| pending.remove_any() || has_any(&open.payload.entries))
        else {
            return Ok(self.taken(&pending, Entries::none()));
        };
        let epoch = open.payload.epoch;
        let mut stored = Entries::empty();
        let swapped = swap(
            self.realm(),
            open.record.clone(),
            open.payload.clone(),
            |record, payload| {
                if payload.epoch != epoch {
                    return Step::Stop(Dropped::OtherEpoch);
                }
                if !has_any(&payload.entries) {
                    return Step::Stop(Dropped::NoValue);
                }
                let entries = || payload.entries.iter();
                stored = Entries::new(entries().filter(|(name, _)| is_taken(name)));
                let new = Payload {
                    entries: Entries::new(entries().filter(|(name, _)| !is_taken(name))),
                    ..payload.clone()
                };
                Step::Write(new, self.touched(&open, record.touched, payload))
            },
        )
        .await?;
        Ok(match swapped {
            Swapped::Done(record, payload) => {
                let taken = self.taken(&pending, &stored);
                self.stored(record, payload);
                taken
            }
            Swapped::Stopped(Dropped::NoValue) => self.taken(&pending, Entries::none()),
            Swapped::Stopped(_) => {
                self.drop_data(&open, false);
                Vec::new()
            }
            Swapped::Gone => {
                self.drop_data(&open, true);
                Vec::new()
            }
        })
    }

    /// The removed values as this request saw them. Its own changes to them are discarded.
    fn taken(&self, pending: &Changes, stored: &Entries) -> Vec<(Box<str>, Box<str>)> {
        if let Some((_, changes)) = self.state().data() {
            changes.take_back(pending);
        }
        let merged = pending.merged(stored);
        merged
            .map(|(name, json)| (name.into(), json.into()))
            .collect()
    }

    /// The time of the last use, to write with an update by this request. Only the bearer of the
    /// current secret uses the session.
    fn touched(&self, open: &Open, touched: i64, payload: &Payload) -> i64 {
        match open.held_by {
            HeldBy::Secret(digest) if payload.head.current == Some(digest) => touched.max(self.now),
            _ => touched,
        }
    }

    /// Adopts the record as it is stored now. Changes that were made while it was written still
    /// have to be saved.
    fn stored(&self, record: SessionRecord, payload: Payload) {
        if let SessionState::Open(open) = &mut self.state().session {
            let open = Arc::make_mut(open);
            open.record = record;
            open.changes.saved(&payload.entries);
            open.payload = payload;
        }
    }

    fn drop_data(&self, open: &Open, session_ended: bool) {
        self.realm().report_of(EventKind::DataDropped, &open.record);
        let mut state = self.state();
        match &mut state.session {
            _ if session_ended => state.session_ended(AnonymousReason::UnknownSession),
            SessionState::Open(open) => Arc::make_mut(open).changes = Changes::default(),
            _ => {}
        }
    }

    async fn create_for_data(&self) -> Result<(), Error> {
        // The cookie of a new session would replace that of the browser's own session.
        let has_another = self.is_late() || self.may_be_withheld();
        let changes = {
            let mut state = self.state();
            let sent = state.sent;
            match &mut state.session {
                SessionState::None(none) if has_another => {
                    none.changes = Changes::default();
                    drop(state);
                    self.realm().report(EventKind::DataDropped);
                    return Ok(());
                }
                SessionState::None(_) if sent => return Err(ErrorKind::TooLate.into()),
                SessionState::None(none) => none.changes.clone(),
                _ => return Ok(()),
            }
        };
        let realm = self.realm();
        let id = SessionId::random().map_err(|_| ErrorKind::Random)?;
        let token = SessionToken::random(id).map_err(|_| ErrorKind::Random)?;
        let digest = realm.digests.session.secret(id, &token.secret);
        let entries = changes
            .apply(Entries::none())
            .map_err(|_| ErrorKind::TooLarge)?;
        let payload = Payload {
            head: Head {
                current: Some(digest),
                previous: None,
                rotated: self.now,
                series: None,
            },
            mark: [0; 8],
            limits: Limits::new(realm.timeouts, self.now),
            epoch: 0,
            excludes_previous: false,
            login: None,
            methods: Methods::default(),
            remember: None,
            actor: None,
            entries,
        };
        let new = NewSession {
            id,
            owner: None,
            created: self.now,
            now: self.now,
            payload,
        };
        let (record, payload) = create(realm, new).await?;
        let mut state = self.state();
        let mut changes = match state.data() {
            Some((_, changes)) => std::mem::take(changes),
            None => Changes::default(),
        };
        changes.saved(&payload.entries);
        state.session = SessionState::Open(Arc::new(Open {
            record,
            payload,
            changes,
            held_by: HeldBy::Secret(digest),
        }));
        state.cookie = Some(Change::Set(token));
        Ok(())
    }
}
