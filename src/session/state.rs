//! What is known about one request's session, and which cookies the response sets.

use std::sync::Arc;

use super::{data::Changes, entries::Entries, payload::Payload};
use crate::{
    clock::Millis,
    reason::AnonymousReason,
    store::{BrowserToken, Digest, RememberToken, SessionRecord, SessionToken},
};

pub(crate) struct State {
    pub(crate) session: SessionState,
    pub(crate) cookie: Option<Change<SessionToken>>,
    pub(crate) remember_cookie: Option<Change<Box<RememberCookie>>>,
    pub(crate) next_cookie: Option<Change<Box<str>>>,
    /// The browser cookie to set. It is never removed.
    pub(crate) browser_cookie: Option<Box<BrowserToken>>,
    /// Whether the session was read, so that the response depends on the cookies.
    pub(crate) asked: bool,
    /// Whether the response head has been sent, so that no more cookies can be set.
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

pub(crate) enum SessionState {
    Unread,
    None(NoSession),
    /// Shared, since it is large and most requests only read it.
    Open(Arc<Open>),
}

/// There is no session. Changed data is kept until one is created.
#[derive(Default)]
pub(crate) struct NoSession {
    pub(crate) why: AnonymousReason,
    pub(crate) changes: Changes,
    /// Whether no session is created for data, because the browser has another session by now, or
    /// one that this request must not replace.
    pub(crate) late: bool,
    /// The record that was read, if its session is over but the remember cookie may restore it.
    pub(crate) loaded: Option<Box<SessionRecord>>,
}

/// A session that a cookie of this request opened, or that this request created.
#[derive(Clone)]
pub(crate) struct Open {
    pub(crate) record: SessionRecord,
    pub(crate) payload: Payload,
    pub(crate) changes: Changes,
    /// The secret by which the request has opened it.
    pub(crate) held_by: HeldBy,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum HeldBy {
    /// The current session secret, presented by the browser or made by this request.
    Secret(Digest),
    /// The previous session secret, or a used token secret: valid for this request only.
    Joined,
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

    pub(crate) fn open(&self) -> Option<&Open> {
        match &self.session {
            SessionState::Open(open) => Some(open),
            _ => None,
        }
    }

    /// What is stored, and what this request has changed; `None` if nothing has been read.
    pub(crate) fn data(&mut self) -> Option<(&Entries, &mut Changes)> {
        match &mut self.session {
            SessionState::Unread => None,
            SessionState::None(none) => Some((Entries::none(), &mut none.changes)),
            SessionState::Open(open) => {
                let open = Arc::make_mut(open);
                Some((&open.payload.entries, &mut open.changes))
            }
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
        self.session = SessionState::Open(Arc::new(open));
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
    /// No session. One may be created for data.
    pub(crate) fn none(why: AnonymousReason) -> Self {
        Self::None(NoSession {
            why,
            changes: Changes::default(),
            late: false,
            loaded: None,
        })
    }

    /// No session. None is created for data.
    pub(crate) fn none_to_create(why: AnonymousReason) -> Self {
        Self::None(NoSession {
            why,
            changes: Changes::default(),
            late: true,
            loaded: None,
        })
    }
}
