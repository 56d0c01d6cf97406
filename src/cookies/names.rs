//! The names of a realm's cookies.

use std::borrow::Cow;

use super::{CookieJar, Cookies, settings::name_beside};

impl CookieJar {
    /// Sets the names of the cookies. The prefix is the one that the attributes allow: `__Host-`
    /// requires the root path and no domain, `__Secure-` only `Secure`.
    pub(crate) fn rename(&mut self, realm: &str) {
        let Cookies {
            names,
            domain,
            path,
            secure,
            ..
        } = &self.settings;
        let prefix = match (*secure, domain, &**path) {
            (false, ..) => "",
            (true, None, "/") => "__Host-",
            (true, ..) => "__Secure-",
        };
        let [session, remember] = match names {
            Some(names) => names.clone(),
            None => {
                let name = name_of(realm);
                ["session", "remember"].map(|purpose| Cow::Owned(format!("{name}-{purpose}")))
            }
        };
        self.session = format!("{prefix}{session}").into();
        self.remember = format!("{prefix}{remember}").into();
        self.next = format!("{prefix}{}", name_beside(&session, "next")).into();
        self.browser = format!("{prefix}{}", name_beside(&session, "browser")).into();
        self.prepared = self
            .settings
            .prepare([&self.session, &self.remember, &self.next]);
    }
}

/// The part of a cookie name that comes from the realm: its last segment, in the characters that
/// are allowed there.
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

#[cfg(test)]
mod tests {
    use super::*;

    const NAME: &str = "__Host-account-session";

    #[test]
    fn a_realm_gives_a_cookie_name() {
        let name = |realm: &str| CookieJar::new(realm).session_name().to_owned();
        assert_eq!(name("shop::model::Account"), NAME);
        assert_eq!(name("shop::Wrapper<shop::User>"), "__Host-wrapper-session");
        assert_eq!(name("admin"), "__Host-admin-session");
        assert_eq!(name("shop::Größe"), "__Host-gr--e-session");
    }

    #[test]
    fn prefix_matches_the_attributes() {
        let jar = |cookies: Cookies| {
            let mut jar = CookieJar::new("account");
            jar.set(cookies, "account").unwrap();
            jar
        };
        let cookies = Cookies::new();
        let below = jar(cookies.clone().path("/shop"));
        assert_eq!(below.session_name(), "__Secure-account-session");
        assert_eq!(jar(cookies.clone()).session_name(), NAME);
        let wide = jar(cookies.clone().domain(".example.com"));
        assert_eq!(wide.session_name(), "__Secure-account-session");
        let set = wide.set_session("t");
        assert!(
            set.to_str()
                .unwrap()
                .ends_with("; Path=/; Domain=example.com")
        );
        let insecure = jar(cookies.domain("example.com").insecure());
        assert_eq!(insecure.session_name(), "account-session");
        let set = insecure.set_session("t");
        assert!(!set.to_str().unwrap().contains("Secure"));
    }
}
