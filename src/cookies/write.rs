//! Setting and removing cookies, by one builder.

use base64ct::{Base64UrlUnpadded, Encoding as _};
use http::HeaderValue;
use tower_cookies::{
    Cookie,
    cookie::{
        self,
        time::{Duration, OffsetDateTime},
    },
};

use super::{CookieJar, Cookies, SameSite};
use crate::clock::Millis;

/// How long `next` is kept for a visitor who was redirected to the login page.
const NEXT_MAX_AGE: Duration = Duration::minutes(30);

/// Headers and parts of headers that are the same for every response. They are formatted once,
/// because formatting a cookie takes longer than everything else at the end of a login.
#[derive(Clone, Debug)]
pub(super) struct Prepared {
    /// The attributes of the session cookie.
    attributes: Box<str>,
    remove_session: HeaderValue,
    remove_remember: HeaderValue,
    remove_next: HeaderValue,
}

impl CookieJar {
    /// The header that sets the session cookie. It expires with the browser session; the server
    /// enforces the timeouts.
    pub(crate) fn set_session(&self, token: &str) -> HeaderValue {
        let attributes = &self.prepared.attributes;
        header([self.session_name(), "=", token, attributes].concat())
    }

    /// The header that removes the session cookie.
    pub(crate) fn remove_session(&self) -> HeaderValue {
        self.prepared.remove_session.clone()
    }

    /// The header that sets the remember cookie. The server enforces its end, too.
    pub(crate) fn set_remember(&self, token: &str, max_age: Millis) -> HeaderValue {
        let mut cookie = Cookie::new(self.remember_name(), token);
        // At least a second: `Max-Age=0` would remove the cookie.
        cookie.set_max_age(Duration::milliseconds(max_age).max(Duration::SECOND));
        header(self.settings.text(cookie))
    }

    /// The header that removes the remember cookie.
    pub(crate) fn remove_remember(&self) -> HeaderValue {
        self.prepared.remove_remember.clone()
    }

    /// The header that sets the browser cookie. The server enforces its end, too.
    pub(crate) fn set_browser(&self, token: &str, max_age: Millis) -> HeaderValue {
        let mut cookie = Cookie::new(self.browser_name(), token);
        cookie.set_max_age(Duration::milliseconds(max_age).max(Duration::SECOND));
        header(self.settings.text(cookie))
    }

    /// The header that keeps `next` while a visitor logs in.
    pub(crate) fn set_next(&self, path: &str) -> HeaderValue {
        // A path may contain characters that a cookie may not.
        let value = Base64UrlUnpadded::encode_string(path.as_bytes());
        let mut cookie = Cookie::new(self.next_name(), value);
        cookie.set_max_age(NEXT_MAX_AGE);
        header(self.settings.text(cookie))
    }

    /// The header that removes the cookie for `next`.
    pub(crate) fn remove_next(&self) -> HeaderValue {
        self.prepared.remove_next.clone()
    }
}

impl Cookies {
    /// Prepares the headers for cookies of these names.
    pub(super) fn prepare(&self, [session, remember, next]: [&str; 3]) -> Prepared {
        let attributes = self.text(Cookie::new("", ""));
        let removal = |name: &str| {
            let mut cookie = Cookie::new(name, "");
            cookie.set_max_age(Duration::ZERO);
            cookie.set_expires(OffsetDateTime::UNIX_EPOCH);
            header(self.text(cookie))
        };
        Prepared {
            attributes: attributes.strip_prefix('=').unwrap_or(&attributes).into(),
            remove_session: removal(session),
            remove_remember: removal(remember),
            remove_next: removal(next),
        }
    }

    /// The text of a cookie with these attributes.
    fn text(&self, mut cookie: Cookie<'_>) -> String {
        cookie.set_path(self.path.to_string());
        cookie.set_secure(self.secure);
        cookie.set_http_only(true);
        cookie.set_same_site(match self.same_site {
            SameSite::Strict => cookie::SameSite::Strict,
            SameSite::Lax => cookie::SameSite::Lax,
            SameSite::None => cookie::SameSite::None,
        });
        if self.partitioned {
            cookie.set_partitioned(true);
        }
        if let Some(domain) = &self.domain {
            cookie.set_domain(domain.trim_start_matches('.').to_owned());
        }
        cookie.to_string()
    }
}

fn header(cookie: String) -> HeaderValue {
    #[allow(
        clippy::expect_used,
        reason = "name, path and domain are checked when they are set, the value is base64url"
    )]
    let mut value =
        HeaderValue::try_from(cookie).expect("a cookie of visible ASCII is a header value");
    value.set_sensitive(true);
    value
}
