//! A request on the wire, and what came back.

use http::Method;

use super::model::{Action, Heard};
use crate::{app::SESSION, browser::Answer};

/// A request that was answered.
pub struct Sent {
    pub answer: Answer,
    pub node: usize,
    /// The quiet phase during which it was sent and answered.
    pub phase: Option<usize>,
}

impl Sent {
    pub fn heard(&self, had_remember: bool) -> Heard {
        let sets_session = |cookie: &String| {
            cookie.starts_with(&format!("{SESSION}=")) && !cookie.contains("Max-Age=0")
        };
        Heard {
            status: self.answer.status.as_u16(),
            body: self.answer.body.clone(),
            sets_session: self.answer.set_cookies().iter().any(sets_session),
            is_unavailable: self.answer.header("retry-after").is_some()
                && self.answer.body.is_empty(),
            is_calm: self.phase.is_some(),
            had_remember,
        }
    }

    /// Without the cookies themselves.
    pub fn describe(&self, action: &Action) -> String {
        let cookies: Vec<_> = self
            .answer
            .set_cookies()
            .iter()
            .map(|cookie| {
                let name = cookie.split('=').next().unwrap_or_default().to_owned();
                match cookie.contains("Max-Age=0") {
                    true => format!("-{name}"),
                    false => format!("+{name}"),
                }
            })
            .collect();
        let calm = if self.phase.is_some() { "" } else { " (fault)" };
        let Answer { status, body, .. } = &self.answer;
        let node = self.node;
        format!("{action:?} on {node}: {status} {body:?} {cookies:?}{calm}")
    }
}

impl Action {
    pub fn request(&self) -> (Method, String) {
        match self {
            Self::Public => (Method::GET, "/".into()),
            Self::Me => (Method::GET, "/me".into()),
            Self::Who => (Method::GET, "/who".into()),
            Self::Get(key) => (Method::GET, format!("/get/{key}")),
            Self::Put(key, value) => (Method::POST, format!("/put/{key}/{value}")),
            Self::Login(user) => (Method::POST, format!("/login/{user}")),
            Self::Remember(user) => (Method::POST, format!("/remember/{user}")),
            Self::Confirm => (Method::POST, "/confirm".into()),
            Self::Rotate => (Method::POST, "/rotate".into()),
            Self::Logout => (Method::POST, "/logout".into()),
        }
    }
}
