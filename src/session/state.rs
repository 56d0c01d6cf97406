//! The state of one request's session, and the cookies that its response will set.

use std::{
    ops::Deref,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use http::{HeaderMap, HeaderValue, header::COOKIE};

use super::{
    data::Changes,
    entries::Entries,
    payload::{Head, Payload},
};
use crate::{
    clock::{Millis, millis},
    cookies::{self, Found},
    protection::{Client, SessionProtection},
    realm::{CLOCK_SKEW, Realm},
    reason::AnonymousReason,
    store::{Digest, RememberToken, SessionId, SessionRecord, SessionToken},
};

/// The session of one realm in one request. Nothing is read before it is needed.
pub(crate) struct RequestSession {
    realm: Arc<Realm>,
    headers: CookieHeaders,
    client: Client,
    /// When the request arrived. The grace of a replaced secret is measured up to this time.
    arrived: Millis,
    /// This request reads the session without extending it.
    without_touch: bool,
    turn: tokio::sync::Mutex<()>,
    state: Mutex<State>,
}

/// The exclusive right to change a request's session, and the time at which that happens.
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

pub(crate) struct State {
    pub(crate) session: SessionState,
    pub(crate) cookie: Option<Change<SessionToken>>,
    pub(crate) remember_cookie: Option<Change<RememberCookie>>,
    pub(crate) next_cookie: Option<Change<Box<str>>>,
    /// Something read the session, so the response depends on the cookies.
    pub(crate) asked: bool,
    /// The response head has been sent, so no cookie can be set any more.
    pub(crate) sent: bool,
}

/// What the response does to a cookie.
#[derive(Debug)]
pub(crate) enum Change<T> {
    Set(T),
    Remove,
}

#[derive(Debug)]
pub(crate) struct RememberCookie {
    pub(crate) token: RememberToken,
    pub(crate) max_age: Millis,
}

#[allow(
    clippy::large_enum_variant,
    reason = "there is one per request, and a box would cost an allocation"
)]
pub(crate) enum SessionState {
    Unread,
    None(NoSession),
    Open(Open),
}

/// There is no session. Changed data waits for one to be created.
#[derive(Default)]
pub(crate) struct NoSession {
    pub(crate) why: AnonymousReason,
    pub(crate) changes: Changes,
    /// The browser has another session by now, or one that this request must not replace, so none
    /// is created for data.
    pub(crate) late: bool,
    /// The record that was read, if its session is over and it may live on for the remember cookie.
    pub(crate) loaded: Option<Box<SessionRecord>>,
}

/// A session that a cookie of this request opened, or that this request created.
#[derive(Clone)]
pub(crate) struct Open {
    pub(crate) record: SessionRecord,
    pub(crate) payload: Payload,
    pub(crate) changes: Changes,
    /// How this request holds it.
    pub(crate) held_by: HeldBy,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum HeldBy {
    /// The current session secret, presented by the browser or made by this request.
    Secret(Digest),
    /// The previous session secret, or a used token secret: valid for this request only.
    Joined,
}

impl RequestSession {
    pub(crate) fn new(
        realm: Arc<Realm>,
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
        Self {
            arrived: realm.clock.now(),
            realm,
            headers: CookieHeaders {
                first: all.next(),
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
        (-CLOCK_SKEW..=millis(self.realm.remember_grace.length())).contains(&age)
    }

    /// Takes the record that the lookup has read if its session is over, to save another read.
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

    /// The same, if no verb is running.
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

    /// A copy of the session, if there is one.
    pub(crate) fn open(&self) -> Option<Open> {
        match &self.state().session {
            SessionState::Open(open) => Some(open.clone()),
            _ => None,
        }
    }

    /// A digest of the client's looks, if session protection is on.
    pub(crate) fn client_digest(&self) -> Option<[u8; 16]> {
        match self.realm.protection {
            SessionProtection::Off => None,
            _ => self.client.digest(&self.realm.digests),
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

impl Open {
    /// The digest of the session secret that this request presents or has created.
    pub(crate) fn shown(&self) -> Option<Digest> {
        match self.held_by {
            HeldBy::Secret(secret) => Some(secret),
            HeldBy::Joined => self.payload.head.previous,
        }
    }
}

/// The values that a request presents under the name of one of our cookies.
#[derive(Debug)]
pub(crate) struct Shown<T> {
    /// In the order of the request. The first one is kept apart to avoid an allocation, since it is
    /// usually the only one.
    first: Option<T>,
    more: Vec<T>,
    /// There are values, but none can be parsed.
    pub(crate) malformed: bool,
    /// There are more values than are read.
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

impl State {
    /// The owner of the session, once it has been read.
    #[allow(
        clippy::option_option,
        reason = "unread, anonymous, or owned by a user"
    )]
    pub(crate) fn owner(&self) -> Option<Option<&str>> {
        match &self.session {
            SessionState::Unread => None,
            SessionState::None(_) => Some(None),
            SessionState::Open(open) => Some(open.record.owner.as_deref()),
        }
    }

    /// What is stored, and what this request has changed; `None` if nothing has been read.
    pub(crate) fn data(&mut self) -> Option<(&Entries, &mut Changes)> {
        match &mut self.session {
            SessionState::Unread => None,
            SessionState::None(none) => Some((Entries::none(), &mut none.changes)),
            SessionState::Open(open) => Some((&open.payload.entries, &mut open.changes)),
        }
    }

    pub(crate) fn has_unsaved_data(&self) -> bool {
        match &self.session {
            SessionState::Unread => false,
            SessionState::None(none) => !none.changes.is_empty(),
            SessionState::Open(open) => !open.changes.is_empty(),
        }
    }

    /// Removes both cookies.
    pub(crate) fn remove_cookies(&mut self) {
        self.cookie = Some(Change::Remove);
        self.remember_cookie = Some(Change::Remove);
    }

    /// Uses a session whose new secret has just been written, and sets its cookie.
    ///
    /// Unsaved changes of this request are kept if they belong to the same visitor.
    pub(crate) fn adopt(&mut self, mut open: Open, token: SessionToken, same_visitor: bool) {
        if same_visitor && let Some((_, changes)) = self.data() {
            open.changes = std::mem::take(changes);
            open.changes.saved(&open.payload.entries);
        }
        self.session = SessionState::Open(open);
        self.cookie = Some(Change::Set(token));
    }

    /// The session ended during this request: unsaved changes are dropped, and a cookie that names
    /// the session is not sent.
    pub(crate) fn session_ended(&mut self, why: AnonymousReason) {
        self.session = SessionState::none_to_create(why);
        if matches!(self.cookie, Some(Change::Set(_))) {
            self.cookie = None;
        }
        if matches!(self.remember_cookie, Some(Change::Set(_))) {
            self.remember_cookie = None;
        }
    }
}

impl SessionState {
    /// No session; one may be created for data.
    pub(crate) fn none(why: AnonymousReason) -> Self {
        Self::None(NoSession {
            why,
            changes: Changes::default(),
            late: false,
            loaded: None,
        })
    }

    /// No session, and none is created for data.
    pub(crate) fn none_to_create(why: AnonymousReason) -> Self {
        Self::None(NoSession {
            why,
            changes: Changes::default(),
            late: true,
            loaded: None,
        })
    }
}
