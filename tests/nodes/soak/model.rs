//! What one browser may be told.

use super::data::{Data, Key};

/// A request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    Public,
    Me,
    Who,
    Get(Key),
    Put(Key, String),
    Login(i64),
    Remember(i64),
    Confirm,
    Rotate,
    Logout,
}

/// An answer, and the circumstances under which it was given.
#[derive(Clone, Debug)]
pub struct Heard {
    pub status: u16,
    pub body: String,
    /// Whether it sets a session cookie.
    pub sets_session: bool,
    /// Whether it is a complete 503: with `Retry-After`, and without a body.
    pub is_unavailable: bool,
    /// Whether all was well with the servers during the whole request.
    pub is_calm: bool,
    /// Whether the browser sent a remember cookie.
    pub had_remember: bool,
}

/// Who the browser's cookies log in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Who {
    Nobody,
    /// By the session cookie.
    User(i64),
    /// By the remember cookie alone: the next request that asks for the user restores the login.
    Remembered(i64),
    /// One of the browser's own users, or nobody. Two verbs at once have this outcome, until the
    /// next logout.
    Unsettled,
}

/// What is known about one browser.
#[derive(Clone, Debug)]
pub struct Model {
    users: [i64; 2],
    /// Every value that this browser saves begins with it, and no other browser's does.
    mark: String,
    who: Who,
    /// Of the session that the session cookie opens.
    data: Data,
    /// Of the session that the remember cookie restores.
    kept: Data,
    /// A write of unknown outcome may have replaced the session secret. Then the cookie is valid
    /// only for the grace.
    session_fades: bool,
    /// The same of the remember cookie.
    remember_fades: bool,
}

impl Action {
    /// Whether it changes nothing, a restore apart.
    pub fn is_passive(&self) -> bool {
        matches!(self, Self::Public | Self::Me | Self::Who | Self::Get(_))
    }

    /// Whether it restores a remembered login.
    fn asks_for_user(&self) -> bool {
        matches!(self, Self::Me | Self::Who | Self::Confirm)
    }

    pub fn logs_in(&self) -> Option<i64> {
        match self {
            Self::Login(user) | Self::Remember(user) => Some(*user),
            _ => None,
        }
    }
}

impl Model {
    pub fn new(users: [i64; 2], mark: String) -> Self {
        Self {
            users,
            mark,
            who: Who::Nobody,
            data: Data::default(),
            kept: Data::default(),
            session_fades: false,
            remember_fades: false,
        }
    }

    /// Whether a verb and a passive request at once have a known outcome.
    pub fn is_settled_beside(&self, verb: &Action) -> bool {
        let is_known = match self.who {
            Who::User(_) => true,
            Who::Nobody => verb.logs_in().is_some(),
            Who::Remembered(_) | Who::Unsettled => false,
        };
        is_known && !self.session_fades && !self.remember_fades
    }

    pub fn is_unsettled(&self) -> bool {
        self.who == Who::Unsettled
    }

    /// Two verbs are sent at once.
    pub fn unsettle(&mut self) {
        self.who = Who::Unsettled;
    }

    /// Whether a login of this user is another's in the browser.
    pub fn is_other(&self, user: i64) -> bool {
        match self.who {
            Who::User(owner) | Who::Remembered(owner) => owner != user,
            Who::Nobody | Who::Unsettled => false,
        }
    }

    /// The browser is closed, and has forgotten its session cookie.
    pub fn close(&mut self, has_remember: bool) {
        let data = std::mem::take(&mut self.data);
        match self.who {
            Who::User(user) if has_remember => {
                self.who = Who::Remembered(user);
                self.kept = data;
            }
            Who::User(_) => self.who = Who::Nobody,
            Who::Nobody | Who::Remembered(_) | Who::Unsettled => {}
        }
        self.session_fades = false;
    }

    /// Whether this answer may be true. `beside` is another request with the same cookies that was
    /// under way.
    pub fn allows(&self, action: &Action, heard: &Heard, beside: Option<&Action>) -> bool {
        if *action == Action::Public {
            return (heard.status, &*heard.body) == (200, "public");
        }
        if heard.status == 503 {
            return !heard.is_calm && heard.is_unavailable;
        }
        let ends_beside = beside.is_some_and(|beside| {
            let replaces = beside.logs_in().is_some_and(|user| self.is_other(user));
            *beside == Action::Logout || replaces
        });
        let may_be_nobody = ends_beside || self.may_be_nobody(heard);
        let is_user = || heard.body.parse().is_ok_and(|user| self.may_be(user));
        let is_certain = matches!(self.who, Who::User(_)) && !self.session_fades;
        match (action, heard.status) {
            (Action::Me, 200) => is_user(),
            (Action::Me, 401) => may_be_nobody,
            (Action::Who, 200) if heard.body == "nobody" => may_be_nobody,
            (Action::Who, 200) => is_user(),
            (Action::Get(key), 200) => match beside {
                Some(Action::Put(other, value)) if key == other && heard.body == *value => true,
                _ if heard.body.is_empty() && (ends_beside || self.may_lose_data(beside)) => true,
                _ => self.may_read(key, &heard.body),
            },
            // A new session in place of the user's would have lost the login.
            (Action::Put(..), 200) => !(is_certain && heard.sets_session),
            (Action::Login(user) | Action::Remember(user), 200) => {
                heard.body == user.to_string() && heard.sets_session
            }
            (Action::Confirm | Action::Rotate, 200) => heard.sets_session || !is_certain,
            // A request that only joins the session gets no new secret.
            (Action::Confirm, 409) => !is_certain && self.who != Who::Nobody,
            (Action::Rotate, 409) => self.session_fades || self.is_unsettled(),
            (Action::Logout, 200) => true,
            (Action::Logout, 409) => {
                self.session_fades || self.remember_fades || self.is_unsettled()
            }
            _ => false,
        }
    }

    fn may_be(&self, user: i64) -> bool {
        match self.who {
            Who::Nobody => false,
            Who::User(owner) | Who::Remembered(owner) => owner == user,
            Who::Unsettled => self.users.contains(&user),
        }
    }

    fn may_be_nobody(&self, heard: &Heard) -> bool {
        match self.who {
            Who::Nobody | Who::Unsettled => true,
            Who::User(_) => self.session_fades && (!heard.had_remember || self.remember_fades),
            Who::Remembered(_) => self.remember_fades,
        }
    }

    /// Whether the session can't be read any more, or is replaced at the same time: a restore takes
    /// over the data of the anonymous session.
    fn may_lose_data(&self, beside: Option<&Action>) -> bool {
        let restores = matches!(self.who, Who::Remembered(_) | Who::Nobody)
            && beside.is_some_and(|beside| beside.asks_for_user() || beside.logs_in().is_some());
        self.session_fades || restores
    }

    fn may_read(&self, key: Key, value: &str) -> bool {
        match self.who {
            Who::Unsettled => value.is_empty() || value.starts_with(&self.mark),
            _ => self.data.allows(key, value),
        }
    }

    /// Learns from an answer that was allowed.
    pub fn learn(&mut self, action: &Action, heard: &Heard) {
        if *action == Action::Logout {
            // Its cookies are gone even if the store failed.
            *self = Self::new(self.users, std::mem::take(&mut self.mark));
            return;
        }
        if self.is_unsettled() {
            return;
        }
        match action {
            Action::Login(user) | Action::Remember(user) => self.learn_login(*user, heard),
            Action::Put(key, value) => self.learn_put(key, value, heard),
            Action::Rotate if heard.sets_session => self.session_fades = false,
            Action::Rotate => self.session_fades |= heard.status == 503,
            _ if action.asks_for_user() => self.learn_user(action, heard),
            _ => {}
        }
    }

    fn learn_login(&mut self, user: i64, heard: &Heard) {
        if heard.status == 200 {
            if self.session_fades {
                self.data.may_be_lost();
            }
            // A login keeps the data of an anonymous session and of one of the same user.
            if matches!(self.who, Who::User(owner) if owner != user) {
                self.data = Data::default();
            }
            self.kept = Data::default();
            self.who = Who::User(user);
            (self.session_fades, self.remember_fades) = (false, false);
        } else if self.who == Who::User(user) {
            // It is written over the session, with new secrets for both cookies.
            self.session_fades = true;
            self.remember_fades |= heard.had_remember;
        }
    }

    fn learn_put(&mut self, key: Key, value: &str, heard: &Heard) {
        if heard.sets_session && self.session_fades {
            // The grace is over: this is a new anonymous session.
            self.close(heard.had_remember);
        }
        if heard.status == 200 && !self.session_fades {
            self.data.set(key, value);
        } else {
            self.data.may_be(key, value);
        }
    }

    fn learn_user(&mut self, action: &Action, heard: &Heard) {
        let is_nobody = heard.status == 401 || heard.body == "nobody";
        if heard.sets_session {
            if let Who::Remembered(user) = self.who {
                self.data = self.kept.filled_by(&self.data);
                self.kept = Data::default();
                self.who = Who::User(user);
                self.remember_fades = false;
            }
            self.session_fades = false;
        } else if is_nobody {
            if let Who::User(_) = self.who {
                self.data = Data::default();
            }
            self.kept = Data::default();
            self.who = Who::Nobody;
        } else if heard.status == 503 && matches!(self.who, Who::Remembered(_)) {
            // It may have been restored all the same.
            self.kept = self.kept.or(&self.kept.filled_by(&self.data));
        }
        if *action == Action::Confirm && heard.status == 503 && matches!(self.who, Who::User(_)) {
            self.session_fades = true;
        }
    }
}
