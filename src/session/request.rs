//! One request's session: the cookies that the request presents, and the lock for changing the
//! session.

use std::{
    ops::Deref,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use http::{
    HeaderMap, HeaderValue, Method,
    header::{COOKIE, HeaderName},
};

use super::{
    payload::Head,
    state::{NoSession, Open, SessionState, State},
};
use crate::{
    clock::Millis,
    cookies::{self, Found},
    protection::{Client, ClientMark, SessionProtection},
    realm::{CLOCK_SKEW, Realm},
    reason::AnonymousReason,
    store::{BrowserToken, RememberToken, SessionId, SessionRecord, SessionToken},
};

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// The session of one realm in one request. Nothing is read before it is needed.
pub(crate) struct RequestSession {
    realm: Arc<Realm>,
    headers: CookieHeaders,
    client: Client,
    /// When the request arrived. The grace of a replaced secret is measured up to this time.
    arrived: Millis,
    /// Whether the request reads the session without extending it.
    without_touch: bool,
    /// Whether the request comes from another site, so that browsers withhold the cookies.
    cross_site: bool,
    turn: tokio::sync::Mutex<()>,
    state: Mutex<State>,
}

/// The exclusive right to change a request's session, and the time of the change.
pub(crate) struct Turn<'a> {
    session: &'a RequestSession,
    pub(crate) now: Millis,
    _lock: tokio::sync::MutexGuard<'a, ()>,
}

/// The request's `Cookie` headers. HTTP/1 has one, HTTP/2 may have many.
struct CookieHeaders {
    first: Option<HeaderValue>,
    more: Vec<HeaderValue>,
}

impl RequestSession {
    pub(crate) fn new(
        realm: Arc<Realm>,
        method: &Method,
        headers: &HeaderMap,
        client: Client,
        without_touch: bool,
    ) -> Self {
        let ignored = realm.cookies.are_ignored();
        let mut all = headers.get_all(COOKIE).iter().filter(|_| !ignored).cloned();
        let session = match ignored {
            true => SessionState::none_to_create(AnonymousReason::CookiesIgnored),
            false => SessionState::Unread,
        };
        let first = all.next();
        Self {
            // Without a cookie there is no secret, and no grace to measure.
            arrived: first.as_ref().map_or(0, |_| realm.clock.now()),
            cross_site: realm.cookies.are_withheld(method)
                && headers
                    .get(SEC_FETCH_SITE)
                    .is_some_and(|site| site == "cross-site"),
            realm,
            headers: CookieHeaders {
                first,
                more: all.collect(),
            },
            client,
            without_touch,
            turn: tokio::sync::Mutex::new(()),
            state: Mutex::new(State {
                session,
                cookie: None,
                remember_cookie: None,
                next_cookie: None,
                browser_cookie: None,
                asked: false,
                sent: false,
            }),
        }
    }

    pub(crate) fn realm(&self) -> &Arc<Realm> {
        &self.realm
    }

    pub(crate) fn arrived(&self) -> Millis {
        self.arrived
    }

    pub(crate) fn is_without_touch(&self) -> bool {
        self.without_touch
    }

    /// Whether another request has replaced the session of this one: see [`NoSession::late`].
    pub(crate) fn is_late(&self) -> bool {
        matches!(&self.state().session, SessionState::None(none) if none.late)
    }

    /// Whether the browser may have a session whose cookie it has withheld, because the request
    /// comes from another site.
    pub(crate) fn may_be_withheld(&self) -> bool {
        let name = self.realm.cookies.session_name();
        self.cross_site && self.find(name).as_slice().is_empty()
    }

    pub(crate) fn has_remember_cookie(&self) -> bool {
        !self
            .find(self.realm.cookies.remember_name())
            .as_slice()
            .is_empty()
    }

    /// Whether the session cookie shows the previous secret of this record, replaced moments ago.
    pub(crate) fn shows_previous_secret(&self, id: SessionId, head: &Head) -> bool {
        let digests = &self.realm.digests;
        self.is_within_grace(head)
            && self.session_tokens().iter().any(|token| {
                token.id == id && head.previous == Some(digests.session.secret(id, &token.secret))
            })
    }

    /// Whether this record's secret was replaced at most the grace before the request arrived.
    pub(crate) fn is_within_grace(&self, head: &Head) -> bool {
        let age = self.arrived.saturating_sub(head.rotated);
        (-CLOCK_SKEW..=self.realm.remember_me.grace_length()).contains(&age)
    }

    /// Takes the record that the lookup has read for a session that is over, to save another read.
    pub(crate) fn take_loaded(&self, id: &SessionId) -> Option<SessionRecord> {
        match &mut self.state().session {
            SessionState::None(NoSession { loaded, .. }) => loaded
                .take_if(|record| record.id == *id)
                .map(|record| *record),
            _ => None,
        }
    }

    pub(crate) async fn turn(&self) -> Turn<'_> {
        let lock = self.turn.lock().await;
        Turn {
            session: self,
            now: self.realm.clock.now(),
            _lock: lock,
        }
    }

    /// Takes the turn if no operation is running.
    pub(crate) fn try_turn(&self) -> Option<Turn<'_>> {
        Some(Turn {
            session: self,
            now: self.realm.clock.now(),
            _lock: self.turn.try_lock().ok()?,
        })
    }

    /// Locks the state for a moment. No foreign code runs under this lock, so the value behind a
    /// poisoned one is consistent.
    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The session as it is now, if there is one.
    pub(crate) fn open(&self) -> Option<Arc<Open>> {
        match &self.state().session {
            SessionState::Open(open) => Some(Arc::clone(open)),
            _ => None,
        }
    }

    /// A digest of the client's fingerprint, if session protection is on.
    pub(crate) fn client_mark(&self) -> Option<ClientMark> {
        match self.realm.protection {
            SessionProtection::Off => None,
            _ => self.client.mark(&self.realm.digests),
        }
    }

    pub(crate) fn user_agent(&self) -> Option<&str> {
        self.client.user_agent()
    }

    /// The values of the session cookie that can be read, in the order in which they were sent.
    pub(crate) fn session_tokens(&self) -> Shown<SessionToken> {
        self.shown(self.realm.cookies.session_name(), SessionToken::parse)
    }

    /// The values of the remember cookie that can be read.
    pub(crate) fn remember_tokens(&self) -> Shown<RememberToken> {
        self.shown(self.realm.cookies.remember_name(), RememberToken::parse)
    }

    /// The browser's secret: the one that the response sets, or else the one that the request
    /// shows.
    pub(crate) fn browser_token(&self) -> Option<BrowserToken> {
        if let Some(token) = &self.state().browser_cookie {
            return Some(BrowserToken::clone(token));
        }
        let name = self.realm.cookies.browser_name();
        self.shown(name, BrowserToken::parse).first
    }

    /// The path in the cookie that keeps `next`, if there is one; empty if it can't be read.
    pub(crate) fn next_cookie(&self) -> Option<String> {
        match self.find(self.realm.cookies.next_name()).as_slice() {
            [] => None,
            [value] => Some(cookies::decode_next(value).unwrap_or_default()),
            _ => Some(String::new()),
        }
    }

    fn shown<T>(&self, name: &str, parse: fn(&[u8]) -> Option<T>) -> Shown<T> {
        let values = self.find(name);
        let mut tokens = values.as_slice().iter().filter_map(|value| parse(value));
        let first = tokens.next();
        Shown {
            more: tokens.collect(),
            malformed: first.is_none() && !values.as_slice().is_empty(),
            too_many: values.more_than_enough,
            first,
        }
    }

    fn find(&self, name: &str) -> Found<'_> {
        cookies::find(self.headers.iter(), name)
    }
}

/// The values that a request presents under the name of one of our cookies.
#[derive(Debug)]
pub(crate) struct Shown<T> {
    /// In the order of the request. The first one is kept apart to avoid an allocation, since it is
    /// usually the only one.
    first: Option<T>,
    more: Vec<T>,
    /// Whether there are values, but none that can be parsed.
    pub(crate) malformed: bool,
    /// Whether there are more values than are read.
    pub(crate) too_many: bool,
}

impl<T> Shown<T> {
    pub(crate) fn iter(&self) -> impl Iterator<Item = &T> {
        self.first.iter().chain(&self.more)
    }

    /// The values, if there is more than one.
    pub(crate) fn several(&self) -> impl Iterator<Item = &T> {
        self.iter().filter(|_| !self.more.is_empty())
    }
}

impl Deref for Turn<'_> {
    type Target = RequestSession;

    fn deref(&self) -> &RequestSession {
        self.session
    }
}

impl CookieHeaders {
    fn iter(&self) -> impl Iterator<Item = &HeaderValue> {
        self.first.iter().chain(&self.more)
    }
}
