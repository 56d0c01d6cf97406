//! The two verbs, what the browser has before them, and what goes wrong.

/// What the browser has at the start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    Stranger,
    Cart,
    Alice,
    AliceRemembered,
    /// Only with the remember cookie.
    AliceReturning,
    AliceReturningWithCart,
    /// Another user's session and remember cookie.
    ZoeRemembered,
    /// Two records: the remember cookie is another user's.
    AliceBesideZoesCookie,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    Login,
    Remember,
    LoginOther,
    Logout,
    Confirm,
    Rotate,
    /// A restore if there is only a remember cookie.
    Ask,
    Save,
    Take,
    Revoke,
    LogoutOthers,
    LogoutEverywhere,
    /// Changes the security stamp and logs in again.
    ChangeStamp,
}

use Start::*;
use Verb::*;

pub const STARTS: [Start; 8] = [
    Stranger,
    Cart,
    Alice,
    AliceRemembered,
    AliceReturning,
    AliceReturningWithCart,
    ZoeRemembered,
    AliceBesideZoesCookie,
];

pub const VERBS: [Verb; 13] = [
    Login,
    Remember,
    LoginOther,
    Logout,
    Confirm,
    Rotate,
    Ask,
    Save,
    Take,
    Revoke,
    LogoutOthers,
    LogoutEverywhere,
    ChangeStamp,
];

/// Which call goes wrong.
#[derive(Clone, Copy, Debug)]
pub enum Where {
    /// The one that is held.
    Held,
    /// One of the other verb.
    Beside(usize),
    /// One that the held verb makes afterwards.
    Later(usize),
}

impl Start {
    /// The owner of the session that the session cookie names.
    pub fn owner(self) -> Option<&'static str> {
        match self {
            Alice | AliceRemembered | AliceBesideZoesCookie => Some("alice"),
            ZoeRemembered => Some("zoe"),
            _ => None,
        }
    }

    /// The user as whom a request is answered.
    pub fn user(self) -> Option<&'static str> {
        match self {
            AliceReturning | AliceReturningWithCart => Some("alice"),
            _ => self.owner(),
        }
    }

    /// The user whom the remember cookie brings back.
    pub fn remembered(self) -> Option<&'static str> {
        match self {
            AliceRemembered | AliceReturning | AliceReturningWithCart => Some("alice"),
            ZoeRemembered | AliceBesideZoesCookie => Some("zoe"),
            _ => None,
        }
    }

    pub fn has_cart(self) -> bool {
        matches!(self, Cart | AliceReturningWithCart)
    }

    pub fn has_session(self) -> bool {
        !matches!(self, Stranger | AliceReturning)
    }
}

impl Verb {
    pub fn uri(self, elsewhere: &str) -> String {
        match self {
            Login => "/login/alice".into(),
            Remember => "/remember/alice".into(),
            LoginOther => "/login/bob".into(),
            Logout => "/logout".into(),
            Confirm => "/confirm".into(),
            Rotate => "/rotate".into(),
            Ask => "/who".into(),
            Save => "/put/late/1".into(),
            Take => "/take/mine".into(),
            Revoke => format!("/revoke/{elsewhere}"),
            LogoutOthers => "/others".into(),
            LogoutEverywhere => "/everywhere".into(),
            ChangeStamp => "/stamp".into(),
        }
    }

    /// The user whom this verb logs in.
    pub fn logs_in(self, start: Start) -> Option<&'static str> {
        match self {
            Login | Remember => Some("alice"),
            LoginOther => Some("bob"),
            ChangeStamp => start.user(),
            _ => None,
        }
    }

    pub fn logs_out(self) -> bool {
        matches!(self, Logout | LogoutEverywhere)
    }

    pub fn rotates(self) -> bool {
        matches!(self, Confirm | Rotate | LogoutOthers)
    }

    /// Does nothing to a session but use it and its data.
    pub fn is_harmless(self) -> bool {
        matches!(self, Save | Take | Revoke | Ask)
    }

    /// Ends sessions of the user in other browsers.
    pub fn ends_others(self) -> bool {
        matches!(self, Revoke | LogoutOthers | LogoutEverywhere | ChangeStamp)
    }
}
