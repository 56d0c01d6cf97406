//! One request's visit to one realm: the session behind its cookie, read once, and what is to become of it.
//!
//! Whoever calls a function with `_at` in its name holds the visit's turn, so that reading, verbs and saving of one
//! request come one after the other. The state is locked only for moments in which nothing is awaited.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use http::{HeaderMap, HeaderValue, header::COOKIE};

use super::{
    data::Data,
    payload::{DecodeError, Payload, Proof},
    save::pause,
};
use crate::{
    clock::Millis,
    cookies::{self, Found},
    error::{Error, ErrorKind},
    event::EventKind,
    realm::{NewRecord, Realm},
    store::{Outcome, Record, RecordKey, RememberToken, Token, Which},
    why::Why,
};

/// How often a verb copies what late writers put into the session that it replaces.
const TRIES: u32 = 64;

pub(crate) struct Visit {
    pub(crate) realm: Arc<Realm>,
    pub(crate) turn: tokio::sync::Mutex<()>,
    cookies: CookieHeaders,
    state: Mutex<State>,
}

pub(crate) struct State {
    pub(crate) slot: Slot,
    pub(crate) cookie: Option<CookieChange>,
    pub(crate) remember_cookie: Option<RememberChange>,
    /// The remember series of this browser, once it isn't what the request's cookie says.
    pub(crate) series: Option<Option<RecordKey>>,
    /// Somebody asked, so the response depends on who is asking.
    pub(crate) asked: bool,
    /// The head of the response has left: no cookie can follow.
    pub(crate) sent: bool,
}

/// The session of this visit.
pub(crate) enum Slot {
    Unread,
    /// There is none. Data waits for one to be made.
    Empty {
        why: Why,
        stale: Option<RecordKey>,
        data: Data,
        /// It ended under this request: the browser may have another by now, so none is made for mere data.
        closed: bool,
    },
    Live(Live),
}

#[derive(Clone)]
pub(crate) struct Live {
    pub(crate) record: Record,
    pub(crate) data: Data,
}

/// What the browser is told with the response.
pub(crate) enum CookieChange {
    Set(Token),
    Remove,
}

/// What the browser is told about its remember cookie.
pub(crate) enum RememberChange {
    Set {
        token: RememberToken,
        max_age: Millis,
    },
    Remove,
}

/// The request's `Cookie` headers. HTTP/1 has one, HTTP/2 may have many; copying them allocates nothing for the first.
struct CookieHeaders {
    first: Option<HeaderValue>,
    more: Vec<HeaderValue>,
}

impl Visit {
    pub(crate) fn new(realm: Arc<Realm>, headers: &HeaderMap) -> Self {
        let mut all = headers.get_all(COOKIE).iter().cloned();
        Self {
            realm,
            turn: tokio::sync::Mutex::new(()),
            cookies: CookieHeaders {
                first: all.next(),
                more: all.collect(),
            },
            state: Mutex::new(State {
                slot: Slot::Unread,
                cookie: None,
                remember_cookie: None,
                series: None,
                asked: false,
                sent: false,
            }),
        }
    }

    /// The state, for a moment. No code of others runs under this lock, so a poisoned one still guards a whole value.
    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn now(&self) -> Millis {
        self.realm.clock.now()
    }

    /// The live session, if there is one.
    pub(crate) fn live(&self) -> Option<Live> {
        match &self.state().slot {
            Slot::Live(live) => Some(live.clone()),
            _ => None,
        }
    }

    /// Reads the session behind the cookie, unless that has been done.
    pub(crate) async fn read_at(&self, now: Millis) -> Result<(), Error> {
        {
            let mut state = self.state();
            state.asked = true;
            if !matches!(state.slot, Slot::Unread) {
                return Ok(());
            }
        }
        let slot = match self.key_in_cookie() {
            Ok(key) => self.read_record_at(key, now).await?,
            Err(why) => Slot::empty(why),
        };
        self.state().slot = slot;
        Ok(())
    }

    /// The key that the request's cookie stands for, wherever the request has got to since.
    pub(crate) fn key_in_cookie(&self) -> Result<RecordKey, Why> {
        match cookies::find(self.cookies.iter(), self.realm.cookies.session_name()) {
            Found::Nothing => Err(Why::NoCookie),
            Found::Ambiguous => {
                self.realm.report(EventKind::AmbiguousCookie);
                Err(Why::AmbiguousCookie)
            }
            Found::Value(value) => Token::parse(value)
                .map(|token| self.realm.key(&token))
                .ok_or(Why::MalformedCookie),
        }
    }

    /// What the request's remember cookie holds, if there is one; `Err` where it can't be read.
    pub(crate) fn remember_token(&self) -> Option<Result<RememberToken, Why>> {
        match cookies::find(self.cookies.iter(), self.realm.cookies.remember_name()) {
            Found::Nothing => None,
            Found::Ambiguous => Some(Err(Why::AmbiguousCookie)),
            Found::Value(value) => Some(RememberToken::parse(value).ok_or(Why::MalformedCookie)),
        }
    }

    /// The key of this browser's remember series, as far as this request knows.
    pub(crate) fn series_key(&self) -> Option<RecordKey> {
        match self.state().series {
            Some(known) => known,
            None => Some(self.remember_token()?.ok()?.key(self.realm.name())),
        }
    }

    pub(crate) async fn read_record_at(&self, key: RecordKey, now: Millis) -> Result<Slot, Error> {
        let Some(record) = self.realm.read(&key).await? else {
            return Ok(Slot::empty(Why::UnknownSession));
        };
        // A store that hands out somebody else's record, or one of another realm, lets nobody in.
        let ours = record.key == key
            && record
                .owner
                .as_deref()
                .is_none_or(|owner| self.realm.id_of(owner).is_some());
        if !ours {
            self.realm.report(EventKind::Unreadable);
            return Ok(Slot::empty(Why::Unreadable));
        }
        if !record.is_live(now) || now >= record.ends {
            self.realm.report_of(
                EventKind::Ended(Why::Expired),
                record.owner.as_deref(),
                record.family,
            );
            let _next_time = self.realm.delete(&key, None).await;
            return Ok(Slot::empty(Why::Expired));
        }
        match Payload::decode(Arc::clone(&record.payload)) {
            Ok(payload) => {
                self.realm.touch(&record, now);
                Ok(Slot::Live(Live::new(record, payload)))
            }
            Err(DecodeError::Newer) => Ok(Slot::stale(Why::NewerRecord, key)),
            Err(DecodeError::Unreadable) => {
                self.realm.report_of(
                    EventKind::Unreadable,
                    record.owner.as_deref(),
                    record.family,
                );
                let _next_time = self.realm.delete(&key, None).await;
                Ok(Slot::stale(Why::Unreadable, key))
            }
        }
    }

    /// The session is somebody's, nobody can say whose: it stays in the store, out of this request's reach.
    pub(crate) fn disown(&self) {
        let mut state = self.state();
        if let Slot::Live(live) = &state.slot {
            state.slot = Slot::stale(Why::BadId, live.record.key);
        }
    }

    /// The user is logged in for this request only: data that it leaves behind is dropped, and an anonymous session that may
    /// come with it is left as it is.
    pub(crate) fn keep_nothing(&self) {
        self.state().slot = Slot::closed();
    }

    /// The session turned out to be nobody's: it is deleted, and the data in it is out of reach.
    ///
    /// The cookie goes too where no newer login of this browser can be behind it.
    pub(crate) async fn end_at(&self, live: &Live, why: Why, remove_cookie: bool) {
        self.realm.report_of(
            EventKind::Ended(why),
            live.record.owner.as_deref(),
            live.record.family,
        );
        let ended = match &live.record.owner {
            Some(owner) if remove_cookie => {
                let line = Which::Only(live.record.family);
                self.realm
                    .delete_all(owner, line)
                    .await
                    .map(|deleted| deleted > 0)
            }
            _ => self
                .realm
                .delete(&live.record.key, None)
                .await
                .map(|outcome| outcome == Outcome::Done),
        };
        let remembered = self.remember_token().is_some();
        let mut state = self.state();
        state.slot = Slot::stale(why, live.record.key);
        // Where it was gone already the browser has another by now, or was told to forget this one.
        if remove_cookie && matches!(ended, Ok(true)) {
            state.cookie = Some(CookieChange::Remove);
            if remembered {
                state.remember_cookie = Some(RememberChange::Remove);
            }
        }
    }

    /// Deletes the old record at the version that was copied; what late writers put into it is copied first.
    pub(crate) async fn hand_over_at(
        &self,
        old: &Record,
        new: &mut Successor,
        now: Millis,
    ) -> Result<Outcome, Error> {
        let mut version = old.version;
        for attempt in 0..TRIES {
            match self.realm.delete(&old.key, Some(version)).await {
                Ok(Outcome::Conflict) => {}
                Ok(outcome) => return Ok(outcome),
                // It may have been deleted all the same: then going back would leave neither.
                Err(error) => return self.was_handed_over_at(old, new, error, now).await,
            }
            pause(attempt).await;
            let Some(late) = self.realm.load(&old.key, now).await? else {
                return Ok(Outcome::Gone);
            };
            let proof = new.payload.proof;
            new.data
                .rebase(Payload::decode(late.payload).map_err(|_| ErrorKind::Conflict)?);
            new.payload = new.data.encode(proof.as_ref());
            match self
                .realm
                .update(&new.record, new.payload.bytes(), now)
                .await?
            {
                Outcome::Done => new.record.version += 1,
                outcome => return Ok(outcome),
            }
            version = late.version;
        }
        Ok(Outcome::Conflict)
    }

    /// What became of a deletion whose outcome is unknown. A logout would have deleted the new record too.
    async fn was_handed_over_at(
        &self,
        old: &Record,
        new: &Successor,
        error: Error,
        now: Millis,
    ) -> Result<Outcome, Error> {
        match self.realm.read(&old.key).await {
            Ok(None) if self.realm.load(&new.record.key, now).await?.is_some() => Ok(Outcome::Done),
            Ok(None) => Ok(Outcome::Gone),
            _ => Err(error),
        }
    }

    /// Makes the record that is to take the place of this visitor's session, with the data that is in it.
    pub(crate) async fn succeed_at(
        &self,
        new: NewRecord,
        proof: Option<Proof>,
        now: Millis,
    ) -> Result<Successor, Error> {
        let data = self.state().data_mut().cloned();
        self.succeed_with_at(new, proof, data.unwrap_or_else(Data::empty), now)
            .await
    }

    /// The same with data of another origin.
    pub(crate) async fn succeed_with_at(
        &self,
        mut new: NewRecord,
        proof: Option<Proof>,
        data: Data,
        now: Millis,
    ) -> Result<Successor, Error> {
        let payload = data.encode(proof.as_ref());
        new.payload = payload.bytes();
        let (token, record) = self.realm.create(new, now).await?;
        Ok(Successor {
            token,
            record,
            data,
            payload,
        })
    }
}

/// A new session that has been written and isn't this visit's yet.
pub(crate) struct Successor {
    pub(crate) token: Token,
    pub(crate) record: Record,
    pub(crate) data: Data,
    pub(crate) payload: Payload,
}

impl Live {
    pub(crate) fn new(record: Record, payload: Payload) -> Self {
        Self {
            record,
            data: Data::new(payload),
        }
    }
}

impl State {
    /// Whose session it is, once it has been read: nobody's, or a user's.
    pub(crate) fn owner(&self) -> Option<Option<&str>> {
        match &self.slot {
            Slot::Unread => None,
            Slot::Empty { .. } => Some(None),
            Slot::Live(live) => Some(live.record.owner.as_deref()),
        }
    }

    pub(crate) fn data_mut(&mut self) -> Option<&mut Data> {
        match &mut self.slot {
            Slot::Unread => None,
            Slot::Empty { data, .. } | Slot::Live(Live { data, .. }) => Some(data),
        }
    }

    pub(crate) fn has_unsaved_data(&self) -> bool {
        match &self.slot {
            Slot::Unread => false,
            Slot::Empty { data, .. } | Slot::Live(Live { data, .. }) => data.is_changed(),
        }
    }

    /// A session was made: from here on it is this visit's.
    ///
    /// What this request has changed and the new record doesn't hold yet is kept for later if it belongs to the same visitor.
    pub(crate) fn adopt(&mut self, new: Successor, same_visitor: bool) {
        let Successor {
            token,
            record,
            payload,
            ..
        } = new;
        let mut data = Data::empty();
        if same_visitor && let Some(changed) = self.data_mut() {
            std::mem::swap(&mut data, changed);
        }
        data.rebase(payload);
        self.slot = Slot::Live(Live { record, data });
        self.cookie = Some(CookieChange::Set(token));
    }
}

impl Slot {
    /// The session ended under this request.
    pub(crate) fn closed() -> Self {
        Self::Empty {
            why: Why::UnknownSession,
            stale: None,
            data: Data::empty(),
            closed: true,
        }
    }

    /// No session, for this reason.
    pub(crate) fn empty(why: Why) -> Self {
        Self::Empty {
            why,
            stale: None,
            data: Data::empty(),
            closed: false,
        }
    }

    fn stale(why: Why, key: RecordKey) -> Self {
        Self::Empty {
            why,
            stale: Some(key),
            data: Data::empty(),
            closed: false,
        }
    }
}

impl CookieHeaders {
    fn iter(&self) -> impl Iterator<Item = &HeaderValue> {
        self.first.iter().chain(&self.more)
    }
}
