//! A short label of a browser, in place of its whole user agent.

use std::fmt;

/// The browser and the system that a user agent names.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Browser {
    program: u8,
    system: u8,
}

/// In the order of the search: most user agents also name older browsers.
const PROGRAMS: [(&str, &str); 10] = [
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser", "Samsung Internet"),
    ("Firefox", "Firefox"),
    ("FxiOS", "Firefox"),
    ("CriOS", "Chrome"),
    ("Chrome", "Chrome"),
    ("Safari", "Safari"),
    ("curl", "curl"),
    ("okhttp", "an app"),
];

const SYSTEMS: [(&str, &str); 8] = [
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("CrOS", "ChromeOS"),
    ("Windows", "Windows"),
    ("Macintosh", "macOS"),
    ("Linux", "Linux"),
    ("FreeBSD", "FreeBSD"),
];

impl Browser {
    pub(crate) fn of(user_agent: &str) -> Self {
        Self {
            program: find(&PROGRAMS, user_agent),
            system: find(&SYSTEMS, user_agent),
        }
    }

    pub(crate) const fn to_bytes(self) -> [u8; 2] {
        [self.program, self.system]
    }

    pub(crate) const fn from_bytes([program, system]: [u8; 2]) -> Self {
        Self { program, system }
    }
}

/// "Firefox on Windows", "Firefox", "a browser on Windows", or "an unknown browser".
impl fmt::Display for Browser {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (name(&PROGRAMS, self.program), name(&SYSTEMS, self.system)) {
            (Some(program), Some(system)) => write!(f, "{program} on {system}"),
            (Some(program), None) => f.write_str(program),
            (None, Some(system)) => write!(f, "a browser on {system}"),
            (None, None) => f.write_str("an unknown browser"),
        }
    }
}

/// The number of the first one that the user agent contains, counted from 1; 0 for none.
fn find(names: &[(&str, &str)], user_agent: &str) -> u8 {
    let found = names
        .iter()
        .position(|(needle, _)| user_agent.contains(needle));
    found.map_or(0, |index| index as u8 + 1)
}

fn name(names: &[(&str, &'static str)], number: u8) -> Option<&'static str> {
    let index = usize::from(number).checked_sub(1)?;
    names.get(index).map(|(_, label)| *label)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn label_names_browser_and_system() {
        for (user_agent, label) in [
            (
                "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36",
                "Chrome on Windows",
            ),
            (
                "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36 Edg/140.0.0.0",
                "Edge on Windows",
            ),
            (
                "Mozilla/5.0 (Android 15; Mobile; rv:142.0) Gecko/142.0 Firefox/142.0",
                "Firefox on Android",
            ),
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.6 Mobile/15E148 Safari/604.1",
                "Safari on iPhone",
            ),
            ("curl/8.9.1", "curl"),
            ("something on Linux", "a browser on Linux"),
            ("", "an unknown browser"),
        ] {
            assert_eq!(Browser::of(user_agent).to_string(), label, "{user_agent}");
        }
    }

    #[test]
    fn label_from_unknown_bytes_is_unknown() {
        let browser = Browser::from_bytes([250, 0]);
        assert_eq!(browser.to_string(), "an unknown browser");
    }
}
