//! One request's visit to one realm: the session behind its cookie, read once, and what is to become of it.
//!
//! Whoever calls a function with `_at` in its name holds the visit's turn, so that reading, verbs and saving of one
//! request come one after the other. The state is locked only for moments in which nothing is awaited.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use http::{HeaderMap, HeaderValue, header::COOKIE};

use super::{
    data::Data,
    payload::{DecodeError, Payload},
    state::{CookieChange, Live, RememberChange, Slot, State},
};
use crate::{
    clock::Millis,
    cookies::{self, Found},
    error::Error,
    event::EventKind,
    protection::{Client, SessionProtection},
    realm::Realm,
    store::{Outcome, RecordKey, RememberToken, Token},
    why::Why,
};

pub(crate) struct Visit {
    pub(crate) realm: Arc<Realm>,
    pub(crate) turn: tokio::sync::Mutex<()>,
    cookies: CookieHeaders,
    client: Client,
    state: Mutex<State>,
}

/// The request's `Cookie` headers. HTTP/1 has one, HTTP/2 may have many; copying them allocates nothing for the first.
struct CookieHeaders {
    first: Option<HeaderValue>,
    more: Vec<HeaderValue>,
}

impl Visit {
    pub(crate) fn new(realm: Arc<Realm>, headers: &HeaderMap, client: Client) -> Self {
        let ignored = realm.cookies.are_ignored();
        let mut all = headers.get_all(COOKIE).iter().filter(|_| !ignored).cloned();
        let slot = match ignored {
            true => Slot::closed(Why::CookiesIgnored),
            false => Slot::Unread,
        };
        Self {
            realm,
            turn: tokio::sync::Mutex::new(()),
            cookies: CookieHeaders {
                first: all.next(),
                more: all.collect(),
            },
            client,
            state: Mutex::new(State {
                slot,
                cookie: None,
                remember_cookie: None,
                next_cookie: None,
                series: None,
                asked: false,
                is_ending: false,
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

    /// A digest of what the client looks like, where sessions are protected by it.
    pub(crate) fn client(&self) -> Option<[u8; 16]> {
        match self.realm.protection {
            SessionProtection::Off => None,
            _ => self.client.digest(self.realm.name()),
        }
    }

    /// What the browser calls itself, where that is plain text.
    pub(crate) fn agent(&self) -> Option<&str> {
        self.client.agent()
    }

    /// The live session, if there is one.
    pub(crate) fn live(&self) -> Option<Live> {
        match &self.state().slot {
            Slot::Live(live) => Some(live.clone()),
            _ => None,
        }
    }

    /// The visitor's data, as far as it has been read. What a closed session was given is nobody's.
    pub(crate) fn data(&self) -> Data {
        match &self.state().slot {
            Slot::Live(live) => live.data.clone(),
            Slot::Empty { data, closed, .. } if !closed => data.clone(),
            _ => Data::empty(),
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
            Err(why) => {
                match why {
                    Why::AmbiguousCookie => self.realm.report(EventKind::AmbiguousCookie),
                    Why::MalformedCookie => self.realm.report(EventKind::MalformedCookie),
                    _ => {}
                }
                Slot::empty(why)
            }
        };
        self.state().slot = slot;
        Ok(())
    }

    /// The key that the request's cookie stands for, wherever the request has got to since.
    pub(crate) fn key_in_cookie(&self) -> Result<RecordKey, Why> {
        match cookies::find(self.cookies.iter(), self.realm.cookies.session_name()) {
            Found::Nothing => Err(Why::NoCookie),
            Found::Ambiguous => Err(Why::AmbiguousCookie),
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

    /// What the cookie holds that keeps the way back, if it is there; empty where it can't be read.
    pub(crate) fn way_back(&self) -> Option<String> {
        match cookies::find(self.cookies.iter(), self.realm.cookies.next_name()) {
            Found::Nothing => None,
            Found::Ambiguous => Some(String::new()),
            Found::Value(value) => Some(cookies::way_back(value).unwrap_or_default()),
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
            self.realm.report(EventKind::UnknownToken);
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
        let timeout = match now {
            _ if now >= record.ends => Some(Why::AbsoluteTimeout),
            _ if !record.is_live(now) => Some(Why::IdleTimeout),
            _ => None,
        };
        if let Some(why) = timeout {
            let ended = EventKind::Ended(why);
            self.realm
                .report_of(ended, record.owner.as_deref(), record.family);
            let _next_time = self.realm.delete(&key, None).await;
            return Ok(Slot::empty(why));
        }
        match Payload::decode(Arc::clone(&record.payload)) {
            Ok(payload) => {
                let own = payload.proof.and_then(|proof| proof.timeouts);
                self.realm.touch(&record, own, now);
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
    /// come with it is left as it is, unless a login replaces it.
    pub(crate) fn keep_nothing(&self) {
        let mut state = self.state();
        let shown = match &state.slot {
            Slot::Live(live) => Some(live.record.key),
            Slot::Empty { stale, .. } => *stale,
            Slot::Unread => None,
        };
        state.slot = Slot::Empty {
            why: Why::UnknownSession,
            stale: shown,
            data: Data::empty(),
            closed: true,
        };
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
        let ended = match remove_cookie {
            true => self.realm.end_line(&live.record).await,
            false => self
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
}

impl CookieHeaders {
    fn iter(&self) -> impl Iterator<Item = &HeaderValue> {
        self.first.iter().chain(&self.more)
    }
}
