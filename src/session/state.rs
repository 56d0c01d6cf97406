//! What a visit knows at one moment, and what the response is to say.

use super::{data::Data, payload::Payload};
use crate::{
    clock::Millis,
    store::{Record, RecordKey, RememberToken, Token},
    why::Why,
};

pub(crate) struct State {
    pub(crate) slot: Slot,
    pub(crate) cookie: Option<CookieChange>,
    pub(crate) remember_cookie: Option<RememberChange>,
    pub(crate) next_cookie: Option<NextChange>,
    /// The remember series of this browser, once it isn't what the request's cookie says.
    pub(crate) series: Option<Option<RecordKey>>,
    /// Somebody asked, so the response depends on who is asking.
    pub(crate) asked: bool,
    /// A logout failed, and is tried again: the line of descent has no future.
    pub(crate) is_ending: bool,
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

/// A new session that isn't this visit's yet.
pub(crate) struct Successor {
    pub(crate) token: Token,
    pub(crate) record: Record,
    pub(crate) data: Data,
    pub(crate) payload: Payload,
    /// It is in the store.
    pub(crate) is_written: bool,
}

/// What the browser is told with the response.
pub(crate) enum CookieChange {
    Set(Token),
    Remove,
}

/// What the browser is told about its remember cookie.
pub(crate) enum RememberChange {
    Set {
        token: Box<RememberToken>,
        max_age: Millis,
    },
    Remove,
}

/// What the browser is told about the cookie that keeps its way back.
pub(crate) enum NextChange {
    Set(Box<str>),
    Remove,
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

    /// Drops the data of a visit whose session ended under it. Answers whether it is one.
    pub(super) fn drop_if_closed(&mut self) -> bool {
        match &mut self.slot {
            Slot::Empty {
                closed: true, data, ..
            } => {
                *data = Data::empty();
                true
            }
            _ => false,
        }
    }

    /// The session that a cookie was to name is known to be dead.
    pub(crate) fn keep_cookies_back(&mut self) {
        if matches!(self.cookie, Some(CookieChange::Set(_))) {
            self.cookie = None;
            self.remember_cookie = None;
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
        if same_visitor
            && !self.drop_if_closed()
            && let Some(changed) = self.data_mut()
        {
            std::mem::swap(&mut data, changed);
        }
        data.rebase(payload);
        self.slot = Slot::Live(Live { record, data });
        self.cookie = Some(CookieChange::Set(token));
    }
}

impl Slot {
    /// There is none, and none is to be made: it ended under this request, or has no cookie to name it.
    pub(crate) fn closed(why: Why) -> Self {
        Self::Empty {
            why,
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

    pub(super) fn stale(why: Why, key: RecordKey) -> Self {
        Self::Empty {
            why,
            stale: Some(key),
            data: Data::empty(),
            closed: false,
        }
    }
}
