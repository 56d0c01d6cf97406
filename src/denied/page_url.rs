//! The login page that guards redirect to.

use http::Uri;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::{NextPath, Notice};
use crate::{error::ConfigError, session::MethodName};

/// Characters that are not percent-encoded in a query value. A slash is harmless there and keeps
/// the URL readable.
const QUERY_VALUE: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'~')
    .remove(b'/');
/// The longest URL that a guard redirects to. Proxies and old browsers accept 2 kB.
const MAX: usize = 2000;

/// The login page: a path of this application, or a URL on another host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PageUrl {
    address: Box<str>,
    fragment: Box<str>,
    local: bool,
}

impl PageUrl {
    /// Parses a login page. The error names this setting.
    pub(crate) fn parse(setting: &'static str, given: &str) -> Result<Self, ConfigError> {
        let refused = || {
            ConfigError::new(
                setting,
                given,
                "a login page is a local path such as /login, or an http(s) URL on another host, \
                 of at most 1000 bytes",
            )
        };
        let local = given.starts_with('/');
        if local {
            NextPath::try_from(given).map_err(|_| refused())?;
        }
        let (address, fragment) = given.split_at(given.find('#').unwrap_or(given.len()));
        let uri: Uri = address.parse().map_err(|_| refused())?;
        let remote = matches!(uri.scheme_str(), Some("http" | "https"))
            && uri.host().is_some_and(|host| !host.is_empty());
        let userinfo = uri
            .authority()
            .is_some_and(|authority| authority.as_str().contains('@'));
        if given.len() > MAX / 2
            || userinfo
            || !(local || remote)
            || !given.bytes().all(|byte| byte.is_ascii_graphic())
        {
            return Err(refused());
        }
        Ok(Self {
            address: address.into(),
            fragment: fragment.into(),
            local,
        })
    }

    /// Whether this is the path of the login page itself.
    pub(crate) fn is_at(&self, path: &str) -> bool {
        self.local && self.address.split('?').next() == Some(path)
    }

    /// Whether it is a path of this application that ends with this one.
    pub(super) fn ends_with(&self, path: &str) -> bool {
        let own = self.address.split('?').next().unwrap_or_default();
        let is_root = path.trim_end_matches('/').is_empty();
        self.local && path.starts_with('/') && !is_root && own.ends_with(path)
    }

    /// The URL of the login page, with `next`, the notice and the needed method in its query.
    pub(crate) fn url(
        &self,
        next: Option<(&str, &NextPath)>,
        notice: Option<(Notice, Option<MethodName>)>,
    ) -> String {
        let next = next.and_then(|(field, next)| match next.as_str()?.split_once('?') {
            // Do not disclose the query to another host.
            Some((path, _)) if !self.local => Some((field, path)),
            _ => next.as_str().map(|next| (field, next)),
        });
        let field = next.map(|(field, _)| field);
        let method = notice.and_then(|(_, method)| method);
        let mut url = self.address_without(|name| {
            Some(name) == field || name == "notice" || (name == "method" && method.is_some())
        });
        let mut separator = if url.contains('?') { '&' } else { '?' };
        let longest = "&=&notice=refresh&method=0123456789abcdef".len();
        let room = MAX.saturating_sub(url.len() + self.fragment.len() + longest);
        if let Some((field, next)) = next {
            let next = utf8_percent_encode(next, QUERY_VALUE).to_string();
            if field.len() + next.len() <= room {
                url.push(separator);
                url.push_str(field);
                url.push('=');
                url.push_str(&next);
                separator = '&';
            }
        }
        if let Some((notice, _)) = notice {
            url.push(separator);
            url.push_str("notice=");
            url.push_str(notice.as_str());
        }
        if let Some(method) = method {
            url.push_str("&method=");
            url.push_str(method.as_str());
        }
        url.push_str(&self.fragment);
        url
    }

    /// The URL without the pairs of its query that are replaced.
    fn address_without(&self, is_given: impl Fn(&str) -> bool) -> String {
        let Some((path, query)) = self.address.split_once('?') else {
            return String::from(&*self.address);
        };
        let kept: Vec<&str> = query
            .split('&')
            .filter(|pair| !is_given(pair.split('=').next().unwrap_or(pair)))
            .collect();
        match kept.is_empty() {
            true => path.to_owned(),
            false => format!("{path}?{}", kept.join("&")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(page: &str, next: &str) -> String {
        PageUrl::parse("LoginPage::new", page).unwrap().url(
            Some(("next", &NextPath::try_from(next).unwrap())),
            Some((Notice::Login, None)),
        )
    }

    #[test]
    fn next_of_the_login_page_is_replaced() {
        assert_eq!(
            url("/login?lang=de&next=/old&notice=x#top", "/new"),
            "/login?lang=de&next=/new&notice=login#top"
        );
        assert_eq!(
            url("/login?next=/old", "/new"),
            "/login?next=/new&notice=login"
        );
    }

    #[test]
    fn carries_next_and_the_notice_in_the_query() {
        assert_eq!(
            url("/login", "/a?b=c&d=e"),
            "/login?next=/a%3Fb%3Dc%26d%3De&notice=login"
        );
        assert_eq!(
            url("/login?lang=de#form", "/a"),
            "/login?lang=de&next=/a&notice=login#form"
        );
        let none = PageUrl::parse("LoginPage::new", "/login").unwrap().url(
            Some(("next", &NextPath::none())),
            Some((Notice::Login, None)),
        );
        assert_eq!(none, "/login?notice=login");
    }

    #[test]
    fn another_host_learns_no_query() {
        assert_eq!(
            url("https://id.example/login", "/a?token=x"),
            "https://id.example/login?next=/a&notice=login"
        );
    }

    #[test]
    fn stays_below_two_kilobytes() {
        let long = format!("/{}", "?".repeat(1500));
        let url = url("/login", &long);
        assert_eq!(url, "/login?notice=login");
        assert!(self::url("/login", &format!("/{}", "a".repeat(1900))).len() < 2048);
    }

    #[test]
    fn invalid_login_url_is_rejected() {
        for bad in [
            "",
            "login",
            "//evil.com",
            "/\\evil.com",
            "javascript:alert(1)",
            "ftp://a/b",
            "https://",
            "https://me:pw@a/b",
            "/a b",
            "/\u{e9}",
            "https://a/\r\nb",
        ] {
            let error = PageUrl::parse("LoginPage::new", bad).unwrap_err();
            assert!(error.to_string().contains(&format!("{bad:?}")), "{error}");
        }
    }

    #[test]
    fn knows_its_own_path() {
        let page = PageUrl::parse("LoginPage::new", "/login?lang=de").unwrap();
        assert!(page.is_at("/login"));
        assert!(!page.is_at("/login/") && !page.is_at("/"));
        assert!(
            !PageUrl::parse("LoginPage::new", "https://id.example/login")
                .unwrap()
                .is_at("/login")
        );
    }
}
