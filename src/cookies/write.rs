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

use super::{CookieJar, SameSite};
use crate::clock::Millis;

/// How long `next` is kept for a visitor who was redirected to the login page.
const NEXT_MAX_AGE: Duration = Duration::minutes(30);

impl CookieJar {
    /// The header that sets the session cookie. It expires with the browser session; the server
    /// enforces the timeouts.
    pub(crate) fn set_session<'a>(&'a self, token: &'a str) -> HeaderValue {
        self.header(Cookie::new(self.session_name(), token))
    }

    /// The header that removes the session cookie.
    pub(crate) fn remove_session(&self) -> HeaderValue {
        self.removal(self.session_name())
    }

    /// The header that sets the remember cookie. The server enforces its end, too.
    pub(crate) fn set_remember<'a>(&'a self, token: &'a str, max_age: Millis) -> HeaderValue {
        let mut cookie = Cookie::new(self.remember_name(), token);
        // In whole seconds, and never 0, which would remove it.
        cookie.set_max_age(Duration::milliseconds(max_age).max(Duration::SECOND));
        self.header(cookie)
    }

    /// The header that removes the remember cookie.
    pub(crate) fn remove_remember(&self) -> HeaderValue {
        self.removal(self.remember_name())
    }

    /// The header that keeps `next` while a visitor logs in.
    pub(crate) fn set_next(&self, path: &str) -> HeaderValue {
        // A path may contain characters that a cookie may not.
        let value = Base64UrlUnpadded::encode_string(path.as_bytes());
        let mut cookie = Cookie::new(self.next_name(), value);
        cookie.set_max_age(NEXT_MAX_AGE);
        self.header(cookie)
    }

    /// The header that removes it.
    pub(crate) fn remove_next(&self) -> HeaderValue {
        self.removal(self.next_name())
    }

    fn removal<'a>(&'a self, name: &'a str) -> HeaderValue {
        let mut cookie = Cookie::new(name, "");
        cookie.set_max_age(Duration::ZERO);
        cookie.set_expires(OffsetDateTime::UNIX_EPOCH);
        self.header(cookie)
    }

    fn header<'a>(&'a self, mut cookie: Cookie<'a>) -> HeaderValue {
        let settings = &self.settings;
        cookie.set_path(&*settings.path);
        cookie.set_secure(settings.secure);
        cookie.set_http_only(true);
        cookie.set_same_site(match settings.same_site {
            SameSite::Strict => cookie::SameSite::Strict,
            SameSite::Lax => cookie::SameSite::Lax,
            SameSite::None => cookie::SameSite::None,
        });
        if settings.partitioned {
            cookie.set_partitioned(true);
        }
        if let Some(domain) = &settings.domain {
            cookie.set_domain(domain.strip_prefix('.').unwrap_or(domain));
        }
        #[allow(
            clippy::expect_used,
            reason = "name, path and domain are checked when they are set, the value is base64url"
        )]
        let mut value = HeaderValue::try_from(cookie.to_string())
            .expect("a cookie of visible ASCII is a header value");
        value.set_sensitive(true);
        value
    }
}
