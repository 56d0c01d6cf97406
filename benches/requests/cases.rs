//! The cases, and the checks that a contender must pass before it is timed.

use axum::Router;
use http::{StatusCode, header};

use crate::{
    contenders::Contender,
    site::{Template, USER, ask, log_in},
    users::Users,
};

/// The cookie that a request sends.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Cookie {
    None,
    LoggedIn,
    /// The same, among twelve others.
    AmongOthers,
    Garbage,
    /// Well-formed, but from another instance of the site.
    Unknown,
}

#[derive(Clone, Copy)]
pub(crate) struct Case {
    pub(crate) name: &'static str,
    pub(crate) title: &'static str,
    pub(crate) kind: Kind,
}

#[derive(Clone, Copy)]
pub(crate) enum Kind {
    Page(Page),
    /// A login and a logout, timed as one.
    LoginThenLogout,
}

/// One page, requested repeatedly.
#[derive(Clone, Copy)]
pub(crate) struct Page {
    guarded: bool,
    cookie: Cookie,
}

const fn page(name: &'static str, title: &'static str, guarded: bool, cookie: Cookie) -> Case {
    let kind = Kind::Page(Page { guarded, cookie });
    Case { name, title, kind }
}

pub(crate) const GUARDED: Page = Page {
    guarded: true,
    cookie: Cookie::LoggedIn,
};

pub(crate) const ALL: [Case; 8] = [
    page("a", "public page, anonymous", false, Cookie::None),
    page("b", "public page, logged in", false, Cookie::LoggedIn),
    page("c", "guarded page, refused", true, Cookie::None),
    page("d", "guarded page, logged in", true, Cookie::LoggedIn),
    page(
        "e",
        "like d, among 12 other cookies (1.5 kB)",
        true,
        Cookie::AmongOthers,
    ),
    Case {
        name: "f",
        title: "login, then logout, without a password",
        kind: Kind::LoginThenLogout,
    },
    page("i", "guarded page, garbage cookie", true, Cookie::Garbage),
    page("j", "guarded page, unknown session", true, Cookie::Unknown),
];

impl Page {
    fn is_refused(self) -> bool {
        self.guarded && !matches!(self.cookie, Cookie::LoggedIn | Cookie::AmongOthers)
    }

    /// Returns the request of this case to this contender, after checking its response.
    pub(crate) async fn request(
        self,
        contender: Contender,
        site: &Router,
        users: &Users,
    ) -> Template {
        let cookie = self.cookie.header(contender, site, users).await;
        let template = Template::get(self.path(contender), cookie.as_deref());
        self.check(contender, site, users, &template).await;
        template
    }

    fn path(self, contender: Contender) -> &'static str {
        match self.guarded {
            false => "/public",
            true if self.is_refused() && contender.is_bare() => "/denied",
            true => "/private",
        }
    }

    async fn check(self, contender: Contender, site: &Router, users: &Users, request: &Template) {
        let answer = ask(site, request).await;
        let name = contender.name();
        if self.is_refused() {
            assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{name}");
            return;
        }
        let body = if self.guarded {
            users.find(USER).unwrap().name
        } else {
            "public".to_owned()
        };
        assert_eq!(
            (answer.status, answer.body),
            (StatusCode::OK, body),
            "{name}"
        );
    }
}

impl Cookie {
    async fn header(self, contender: Contender, site: &Router, users: &Users) -> Option<String> {
        match self {
            Self::None => None,
            Self::LoggedIn => log_in(site, USER).await,
            Self::AmongOthers => {
                let ours = log_in(site, USER).await;
                Some(among_others(ours.as_deref()))
            }
            Self::Garbage => log_in(site, USER).await.map(|cookie| garbage(&cookie)),
            Self::Unknown => log_in(&contender.site(users).await, USER).await,
        }
    }
}

/// Six cookies of other programs, ours, and six more: about 1.5 kB.
fn among_others(ours: Option<&str>) -> String {
    let other = |number| format!("_other_cookie_{number}={}", "0123456789".repeat(10));
    let before = (0..6).map(other);
    let after = (6..12).map(other);
    let cookies = before.chain(ours.map(str::to_owned)).chain(after);
    cookies.collect::<Vec<_>>().join("; ")
}

/// The same cookies with values that the site has not set.
fn garbage(cookies: &str) -> String {
    let names = cookies
        .split("; ")
        .map(|cookie| cookie.split('=').next().unwrap());
    let cookies = names.map(|name| format!("{name}=garbage"));
    cookies.collect::<Vec<_>>().join("; ")
}

/// Checks that a login sets a valid cookie, and that the logout ends the session or at least
/// removes the cookie.
pub(crate) async fn check_login_and_logout(contender: Contender, site: &Router, users: &Users) {
    let name = contender.name();
    let cookie = log_in(site, USER).await;
    assert_eq!(cookie.is_some(), !contender.is_bare(), "{name}");
    GUARDED.request(contender, site, users).await;

    let logout = ask(site, &Template::post("/logout", cookie.as_deref())).await;
    assert_eq!(logout.status, StatusCode::OK, "{name}");
    if contender.is_bare() {
        return;
    }
    let replayed = ask(site, &Template::get("/private", cookie.as_deref())).await;
    if contender.ends_sessions() {
        assert_eq!(replayed.status, StatusCode::UNAUTHORIZED, "{name}");
    } else {
        let removal = logout.headers[header::SET_COOKIE].to_str().unwrap();
        assert!(removal.contains("Max-Age=0"), "{name}");
    }
    let other = log_in(site, USER + 1).await;
    let other = ask(site, &Template::get("/private", other.as_deref())).await;
    assert_eq!(other.body, users.find(USER + 1).unwrap().name, "{name}");
}
