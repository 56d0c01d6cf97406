//! The names and attributes of a realm's cookies. Combinations that browsers would reject are
//! rejected here.

use super::{CookieJar, SameSite};
use crate::error::ConfigError;

impl CookieJar {
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
        if next_name(session).eq_ignore_ascii_case(remember) {
            return refused(remember, "this is the name of the cookie that keeps `next`");
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
                "browsers accept SameSite=None only with Secure",
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
                "browsers accept SameSite=None only with Secure",
            ));
        }
        self.secure = false;
        self.rename();
        Ok(())
    }

    /// Chooses the prefix that the attributes allow: `__Host-` requires the root path and no
    /// domain, `__Secure-` only `Secure`.
    pub(super) fn rename(&mut self) {
        let prefix = match (self.secure, &self.domain, &*self.path) {
            (false, ..) => "",
            (true, None, "/") => "__Host-",
            (true, ..) => "__Secure-",
        };
        let [session, remember] = &self.names;
        self.session = format!("{prefix}{session}").into();
        self.remember = format!("{prefix}{remember}").into();
        self.next = format!("{prefix}{}", next_name(session)).into();
    }
}

/// The name of the cookie for `next`, beside a session cookie of this name.
fn next_name(session: &str) -> String {
    format!(
        "{}-next",
        session.strip_suffix("-session").unwrap_or(session)
    )
}

pub(super) fn names_of(realm: &str) -> [Box<str>; 2] {
    let name = name_of(realm);
    ["session", "remember"].map(|purpose| format!("{name}-{purpose}").into())
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
