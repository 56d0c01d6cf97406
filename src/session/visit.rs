//! One request's visit to one realm: the session behind its cookie, read once, and what is to become of it.
//!
//! Whoever calls a function with `_at` in its name holds the visit's turn, so that reading, verbs and saving of one
//! request come one after the other. The state is locked only for moments in which nothing is awaited.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use http::{HeaderMap, HeaderValue, header::COOKIE};

use super::{
    data::Data,
    payload::{DecodeError, Payload},
};
use crate::{
    clock::Millis,
    cookies::{self, Found},
    error::Error,
    event::EventKind,
    realm::Realm,
    store::{Record, RecordKey, Token},
    why::Why,
};

pub(crate) struct Visit {
    pub(crate) realm: Arc<Realm>,
    pub(crate) turn: tokio::sync::Mutex<()>,
    cookies: CookieHeaders,
    state: Mutex<State>,
}

pub(crate) struct State {
    pub(crate) slot: Slot,
    pub(crate) cookie: Option<CookieChange>,
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

    async fn read_record_at(&self, key: RecordKey, now: Millis) -> Result<Slot, Error> {
        let Some(record) = self.realm.load(&key, now).await? else {
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
                Ok(Slot::Live(Live {
                    record,
                    data: Data::new(payload),
                }))
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

    /// The session turned out to be nobody's: it is deleted, and the data in it is out of reach.
    ///
    /// The cookie goes too where no newer login of this browser can be behind it.
    pub(crate) async fn end_at(&self, live: &Live, why: Why, remove_cookie: bool) {
        self.realm.report_of(
            EventKind::Ended(why),
            live.record.owner.as_deref(),
            live.record.family,
        );
        let _next_time = self.realm.delete(&live.record.key, None).await;
        let mut state = self.state();
        state.slot = Slot::stale(why, live.record.key);
        if remove_cookie {
            state.cookie = Some(CookieChange::Remove);
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
    pub(crate) fn adopt(
        &mut self,
        token: Token,
        record: Record,
        payload: Payload,
        same_visitor: bool,
    ) {
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
    /// No session, for this reason.
    pub(crate) fn empty(why: Why) -> Self {
        Self::Empty {
            why,
            stale: None,
            data: Data::empty(),
        }
    }

    fn stale(why: Why, key: RecordKey) -> Self {
        Self::Empty {
            why,
            stale: Some(key),
            data: Data::empty(),
        }
    }
}

impl CookieHeaders {
    fn iter(&self) -> impl Iterator<Item = &HeaderValue> {
        self.first.iter().chain(&self.more)
    }
}
