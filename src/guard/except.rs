//! The paths that a guard does not apply to.

/// Exact paths, and prefixes that end in `/*`.
#[derive(Clone, Debug, Default)]
pub(super) struct Except {
    exact: Vec<Box<str>>,
    below: Vec<Box<str>>,
}

impl Except {
    pub(super) fn add(&mut self, pattern: &str) {
        match pattern
            .strip_suffix('*')
            .filter(|below| below.ends_with('/'))
        {
            Some(below) => self.below.push(below.into()),
            None => self.exact.push(pattern.into()),
        }
    }

    /// Whether this exact spelling of the path is excepted. Other spellings of the same path are
    /// not, so that a doubtful path requires a login.
    pub(super) fn includes(&self, path: &str) -> bool {
        self.exact.iter().any(|exact| **exact == *path)
            || (self.below.iter().any(|below| path.starts_with(&**below)) && is_plain(path))
    }
}

/// Whether every router, proxy and file server resolves this path to itself.
fn is_plain(path: &str) -> bool {
    let lower = path.to_ascii_lowercase();
    let encoded = |hidden: &[&str]| hidden.iter().any(|hidden| lower.contains(hidden));
    !path.contains("//")
        && !path.contains('\\')
        && !encoded(&["%2e", "%2f", "%5c", "%25"])
        && path
            .split('/')
            .all(|segment| !matches!(segment.split(';').next(), Some("." | "..")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_exact_spelling_is_excepted() {
        let mut except = Except::default();
        except.add("/login");
        except.add("/static/*");
        for path in ["/login", "/static/", "/static/a.css", "/static/a/b;v=1"] {
            assert!(except.includes(path), "{path}");
        }
        let others = [
            "/",
            "/login/",
            "//login",
            "/./login",
            "/%6Cogin",
            "/login;x",
            "/LOGIN",
            "/loginx",
            "/static",
            "/staticx",
            "/static/../admin",
            "/static/..;/admin",
            "/static/%2e%2e/admin",
            "/static/%2E%2E%2Fadmin",
            "/static//admin",
            "/static/%252e%252e/admin",
            "/static/..\\admin",
            "/static/..%5cadmin",
            "/static/./a",
            "*",
            "",
        ];
        for path in others {
            assert!(!except.includes(path), "{path}");
        }
    }
}
