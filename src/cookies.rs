//! The only file that reads `Cookie` and writes `Set-Cookie`.
//!
//! Reading is by exact bytes: no decoding, no trimming beyond the spaces that the syntax allows, so that no other spelling
//! passes for a `__Host-` name, and nothing in another cookie hides ours. Writing, setting and deleting alike, is by one
//! builder, so that what deletes has the attributes of what set and a browser obeys it.

use std::borrow::Cow;

use base64ct::{Base64UrlUnpadded, Encoding as _};
use cookie::{Cookie, time::Duration};
use http::HeaderValue;

use crate::{clock::Millis, error::ConfigError};

/// Bytes of `Cookie` headers that are looked at, all together. Browsers send less: RFC 6265 (6.1) asks for 4096 per cookie.
const MAX_HEADER: usize = 16 * 1024;
/// Cookies that are looked at: Chromium keeps 180 per site.
const MAX_PAIRS: usize = 200;
/// How long the way back is kept for who has been sent to log in.
const NEXT_MAX_AGE: Duration = Duration::minutes(30);

/// Whether a cookie travels with requests that another site started.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum SameSite {
    /// Never: a link from another site to a guarded page asks for a login, even where there is one.
    Strict,
    /// Only with top-level navigation by GET. The default.
    #[default]
    Lax,
    /// Always. Only with `Secure`, and only with a cross-origin check of your own.
    None,
}

/// What every cookie of one realm has in common.
#[derive(Clone, Debug)]
pub(crate) struct CookieJar {
    session: Cow<'static, str>,
    remember: Cow<'static, str>,
    next: Cow<'static, str>,
    /// Without the prefix: for the session, for the remember cookie.
    names: [Box<str>; 2],
    named: bool,
    ignored: bool,
    domain: Option<Box<str>>,
    path: Box<str>,
    secure: bool,
    same_site: SameSite,
}

/// What a request's `Cookie` headers say about one name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Found<'a> {
    Nothing,
    Value(&'a [u8]),
    /// Twice with different values, or in a header beyond all measure: nobody can say which is ours.
    Ambiguous,
}

impl CookieJar {
    pub(crate) fn new(realm: &str) -> Self {
        let mut jar = Self {
            session: Cow::Borrowed(""),
            remember: Cow::Borrowed(""),
            next: Cow::Borrowed(""),
            names: names_of(realm),
            named: false,
            ignored: false,
            domain: None,
            path: "/".into(),
            secure: true,
            same_site: SameSite::Lax,
        };
        jar.rename();
        jar
    }

    /// None is read from here on, and none sent.
    pub(crate) fn ignore(&mut self) {
        self.ignored = true;
    }

    pub(crate) fn are_ignored(&self) -> bool {
        self.ignored
    }

    pub(crate) fn session_name(&self) -> &str {
        &self.session
    }

    pub(crate) fn set_realm(&mut self, realm: &str) {
        if !self.named {
            self.names = names_of(realm);
            self.rename();
        }
    }

    pub(crate) fn set_names(&mut self, session: &str, remember: &str) -> Result<(), ConfigError> {
        let refused =
            |given: &str, accepted| Err(ConfigError::new("with_cookie_names", given, accepted));
        for name in [session, remember] {
            let is_token =
                |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
            if name.is_empty() || name.len() > 64 || !name.bytes().all(is_token) {
                return refused(
                    name,
                    "a cookie's name is 1 to 64 letters, digits and characters of !#$%&'*+-.^_`|~ (RFC 6265)",
                );
            }
            if name.starts_with("__") {
                return refused(
                    name,
                    "the prefix is put before it as Domain, Path and Secure allow",
                );
            }
        }
        if session.eq_ignore_ascii_case(remember) {
            return refused(remember, "the two cookies need two names");
        }
        self.names = [session.into(), remember.into()];
        self.named = true;
        self.rename();
        Ok(())
    }

    pub(crate) fn set_domain(&mut self, domain: &str) -> Result<(), ConfigError> {
        let bare = domain.strip_prefix('.').unwrap_or(domain);
        let is_label = |label: &str| {
            let known = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
            !label.is_empty() && label.len() <= 63 && label.bytes().all(known)
        };
        if bare.len() > 253 || !bare.split('.').all(is_label) {
            return Err(ConfigError::new(
                "with_cookie_domain",
                domain,
                "a domain is labels of ASCII letters, digits and hyphens, such as example.com",
            ));
        }
        self.domain = Some(bare.into());
        self.rename();
        Ok(())
    }

    pub(crate) fn set_path(&mut self, path: &str) -> Result<(), ConfigError> {
        if !path.starts_with('/')
            || path.len() > 1024
            || !path.bytes().all(|b| b.is_ascii_graphic() && b != b';')
        {
            return Err(ConfigError::new(
                "with_cookie_path",
                path,
                "a path starts with a slash and has only visible ASCII without a semicolon",
            ));
        }
        self.path = path.into();
        self.rename();
        Ok(())
    }

    pub(crate) fn set_same_site(&mut self, same_site: SameSite) -> Result<(), ConfigError> {
        if same_site == SameSite::None && !self.secure {
            return Err(ConfigError::new(
                "with_same_site",
                "None",
                "browsers take SameSite=None only with Secure",
            ));
        }
        self.same_site = same_site;
        Ok(())
    }

    pub(crate) fn set_insecure(&mut self) -> Result<(), ConfigError> {
        if self.same_site == SameSite::None {
            return Err(ConfigError::new(
                "with_insecure_cookies",
                "SameSite=None",
                "browsers take SameSite=None only with Secure",
            ));
        }
        self.secure = false;
        self.rename();
        Ok(())
    }

    /// The prefix promises what the attributes hold: `__Host-` no Domain and the root path, `__Secure-` only Secure.
    fn rename(&mut self) {
        let prefix = match (self.secure, &self.domain, &*self.path) {
            (false, ..) => "",
            (true, None, "/") => "__Host-",
            (true, ..) => "__Secure-",
        };
        let [session, remember] = &self.names;
        self.session = format!("{prefix}{session}").into();
        self.remember = format!("{prefix}{remember}").into();
        self.next = match session.strip_suffix("-session") {
            Some(name) => format!("{prefix}{name}-next").into(),
            None => format!("{prefix}{session}-next").into(),
        };
    }

    /// The header that sets the session cookie. The browser forgets it at its end; the server sets the limits.
    pub(crate) fn set_session<'a>(&'a self, token: &'a str) -> HeaderValue {
        self.header(Cookie::new(self.session_name(), token))
    }

    /// The header that deletes the session cookie.
    pub(crate) fn remove_session(&self) -> HeaderValue {
        self.removal(self.session_name())
    }

    pub(crate) fn remember_name(&self) -> &str {
        &self.remember
    }

    /// The header that sets the remember cookie. The browser forgets it in time; the server sets the limits.
    pub(crate) fn set_remember<'a>(&'a self, token: &'a str, max_age: Millis) -> HeaderValue {
        let mut cookie = Cookie::new(self.remember_name(), token);
        // In whole seconds, and never the 0 that would delete it.
        cookie.set_max_age(Duration::milliseconds(max_age).max(Duration::SECOND));
        self.header(cookie)
    }

    /// The header that deletes the remember cookie.
    pub(crate) fn remove_remember(&self) -> HeaderValue {
        self.removal(self.remember_name())
    }

    pub(crate) fn next_name(&self) -> &str {
        &self.next
    }

    /// The header that keeps the way back while a visitor logs in.
    pub(crate) fn set_next(&self, path: &str) -> HeaderValue {
        // A path has characters that no cookie may have.
        let value = Base64UrlUnpadded::encode_string(path.as_bytes());
        let mut cookie = Cookie::new(self.next_name(), value);
        cookie.set_max_age(NEXT_MAX_AGE);
        self.header(cookie)
    }

    /// The header that deletes it.
    pub(crate) fn remove_next(&self) -> HeaderValue {
        self.removal(self.next_name())
    }

    /// The text in such a cookie.
    pub(crate) fn read_next(value: &[u8]) -> Option<String> {
        let value = str::from_utf8(value).ok()?;
        String::from_utf8(Base64UrlUnpadded::decode_vec(value).ok()?).ok()
    }

    fn removal<'a>(&'a self, name: &'a str) -> HeaderValue {
        let mut cookie = Cookie::new(name, "");
        cookie.set_max_age(Duration::ZERO);
        cookie.set_expires(cookie::time::OffsetDateTime::UNIX_EPOCH);
        self.header(cookie)
    }

    fn header<'a>(&'a self, mut cookie: Cookie<'a>) -> HeaderValue {
        cookie.set_path(&*self.path);
        cookie.set_secure(self.secure);
        cookie.set_http_only(true);
        cookie.set_same_site(match self.same_site {
            SameSite::Strict => cookie::SameSite::Strict,
            SameSite::Lax => cookie::SameSite::Lax,
            SameSite::None => cookie::SameSite::None,
        });
        if let Some(domain) = &self.domain {
            cookie.set_domain(&**domain);
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

fn names_of(realm: &str) -> [Box<str>; 2] {
    let name = name_of(realm);
    ["session", "remember"].map(|purpose| format!("{name}-{purpose}").into())
}

/// A realm's name for cookies: its last segment, in the characters that a cookie name may have.
fn name_of(realm: &str) -> String {
    let outer = realm.split(['<', '(', '[']).next().unwrap_or(realm);
    let last = outer.rsplit("::").next().unwrap_or(outer);
    last.chars()
        .map(|c| {
            if c.is_ascii_alphanumeric() || c == '-' || c == '_' {
                c.to_ascii_lowercase()
            } else {
                '-'
            }
        })
        .take(64)
        .collect()
}

/// Looks for one cookie, by its exact name, in linear time and never beyond the limits above.
pub(crate) fn find<'a>(headers: impl Iterator<Item = &'a HeaderValue>, name: &str) -> Found<'a> {
    let mut found = Found::Nothing;
    let (mut bytes, mut pairs) = (0_usize, 0_usize);
    for header in headers {
        bytes = bytes.saturating_add(header.len());
        if bytes > MAX_HEADER {
            return Found::Ambiguous;
        }
        for pair in header.as_bytes().split(|&byte| byte == b';') {
            pairs += 1;
            if pairs > MAX_PAIRS {
                return Found::Ambiguous;
            }
            let Some(value) = value_of(trim(pair), name) else {
                continue;
            };
            found = match found {
                Found::Nothing => Found::Value(value),
                Found::Value(first) if first == value => found,
                _ => return Found::Ambiguous,
            };
        }
    }
    found
}

fn value_of<'a>(pair: &'a [u8], name: &str) -> Option<&'a [u8]> {
    pair.strip_prefix(name.as_bytes())?.strip_prefix(b"=")
}

/// The space and tab that may stand around a pair; nothing that Unicode calls white.
fn trim(pair: &[u8]) -> &[u8] {
    let blank = |byte: &u8| matches!(byte, b' ' | b'\t');
    let start = pair
        .iter()
        .position(|byte| !blank(byte))
        .unwrap_or(pair.len());
    let end = pair
        .iter()
        .rposition(|byte| !blank(byte))
        .map_or(start, |last| last + 1);
    pair.get(start..end).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;

    const NAME: &str = "__Host-account-session";

    fn find_in(headers: &[&[u8]]) -> Option<String> {
        let headers: Vec<_> = headers
            .iter()
            .map(|header| HeaderValue::from_bytes(header).unwrap())
            .collect();
        match find(headers.iter(), NAME) {
            Found::Nothing => None,
            Found::Value(value) => Some(String::from_utf8(value.to_vec()).unwrap()),
            Found::Ambiguous => Some("ambiguous".into()),
        }
    }

    #[test]
    fn e5_only_the_exact_name_is_ours() {
        assert_eq!(
            find_in(&[b"a=b; __Host-account-session=t; c=d"]).unwrap(),
            "t"
        );
        assert_eq!(find_in(&[b"__Host-account-session=t"]).unwrap(), "t");
        assert_eq!(find_in(&[b"__Host-account-session=a=b"]).unwrap(), "a=b");
        let others: [&[u8]; 10] = [
            b"__%48ost-account-session=t",
            b"__host-account-session=t",
            b"=__Host-account-session=t",
            b"\xe2\x80\x80__Host-account-session=t",
            b"\xa0__Host-account-session=t",
            b"__Host-account-session =t",
            b"__Host-account-sessions=t",
            b"x__Host-account-session=t",
            b"\"__Host-account-session=t\"",
            b"__Host-account-session",
        ];
        for other in others {
            assert_eq!(find_in(&[other]), None, "{other:?}");
            let both = [other, b"; __Host-account-session=t"].concat();
            assert_eq!(find_in(&[&both]).unwrap(), "t", "{other:?}");
        }
    }

    #[test]
    fn e6_two_of_ours_count_only_if_they_say_the_same() {
        let twice = b"__Host-account-session=a; __Host-account-session=b";
        assert_eq!(find_in(&[twice]).unwrap(), "ambiguous");
        assert_eq!(
            find_in(&[b"__Host-account-session=a", b"__Host-account-session=b"]).unwrap(),
            "ambiguous"
        );
        assert_eq!(
            find_in(&[b"__Host-account-session=a;__Host-account-session=a"]).unwrap(),
            "a"
        );
    }

    #[test]
    fn e8_reading_is_bounded() {
        let many = vec![b"a=b".as_slice(); 100_000].join(b"; ".as_slice());
        let start = Instant::now();
        assert_eq!(find_in(&[&many]).unwrap(), "ambiguous");
        let few_bytes = vec![b"=".as_slice(); MAX_PAIRS].join(b";".as_slice());
        let pairs = [&few_bytes, b";__Host-account-session=t".as_slice()].concat();
        assert_eq!(find_in(&[&pairs]).unwrap(), "ambiguous");
        assert!(
            start.elapsed().as_secs() < 5,
            "nothing here depends on the length of what isn't read"
        );
    }

    #[test]
    fn a_realm_gives_a_cookie_name() {
        let name = |realm: &str| CookieJar::new(realm).session_name().to_owned();
        assert_eq!(name("shop::model::Account"), NAME);
        assert_eq!(name("shop::Wrapper<shop::User>"), "__Host-wrapper-session");
        assert_eq!(name("admin"), "__Host-admin-session");
        assert_eq!(name("shop::Größe"), "__Host-gr--e-session");
    }

    #[test]
    fn e1_the_prefix_promises_what_the_attributes_hold() {
        let mut jar = CookieJar::new("account");
        jar.set_path("/shop").unwrap();
        assert_eq!(jar.session_name(), "__Secure-account-session");
        jar.set_path("/").unwrap();
        assert_eq!(jar.session_name(), NAME);
        jar.set_domain(".example.com").unwrap();
        assert_eq!(jar.session_name(), "__Secure-account-session");
        assert!(
            jar.set_session("t")
                .to_str()
                .unwrap()
                .ends_with("; Path=/; Domain=example.com")
        );
        jar.set_insecure().unwrap();
        assert_eq!(jar.session_name(), "account-session");
        assert!(!jar.set_session("t").to_str().unwrap().contains("Secure"));
    }
}
