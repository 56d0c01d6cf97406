//! Where to go after the login, without open redirects.

use std::{fmt, str::FromStr};

use http::{HeaderValue, Response, StatusCode, Uri, header::LOCATION};
use percent_encoding::{CONTROLS, percent_encode_byte, utf8_percent_encode};
use serde_core::{Deserialize, Deserializer, Serialize, Serializer};

use super::query::only_value;

/// The maximum length in bytes. A guard also drops a shorter path if the login URL with it would be
/// longer than proxies accept.
const MAX_LEN: usize = 2048;

/// Where to go after the login: a path on this site, or none.
///
/// The page that required the login is in the URL of the login page (`/login?next=%2Fphotos`), and
/// anyone can craft such a URL. Redirecting to it unchecked is an
/// [open redirect](https://cwe.mitre.org/data/definitions/601.html): a link to your site that ends
/// on the attacker's. A `NextPath` is checked when it is created.
///
/// # What is accepted
///
/// - At most 2048 bytes, starting with exactly one `/`: no scheme, no host, no relative path.
/// - Only characters that RFC 3986 allows in a path, query or fragment. Spaces, control characters,
///   backslashes, quotes, brackets and non-ASCII characters must be percent-encoded, and each `%`
///   must be followed by two hexadecimal digits.
/// - The path, percent-decoded as often as possible, must be UTF-8 without control characters and
///   must not start with `//`, not even after `.` and `..` are resolved. To ensure this, a path may
///   have dot segments or empty segments (`/a//b`), but not both. `\` is treated as `/` here, and
///   anything after a `;` in a segment is ignored.
///
/// The query only has to be spelled correctly. `?text=a%0D%0Ab`, two lines of a form, is accepted:
/// it stays encoded in the `Location` header, and only the page that it belongs to decodes it.
///
/// # Writing links to the login page
///
/// Guards write the URL of the login page themselves, and
/// [`Auth::login_url`](crate::Auth::login_url) returns it for use in a page. If you write the link
/// yourself, percent-encode the whole path once more, like any value in a query. The decoded value
/// is checked, so `/login?next=/a%20b` contains a space and is rejected. Use the URL filter of your
/// template engine, or `url::form_urlencoded`:
///
/// ```
/// use login_manager::NextPath;
///
/// let page = "/a%20b?page=2";
/// let query = url::form_urlencoded::Serializer::new(String::new()).append_pair("next", page).finish();
/// assert_eq!(query, "next=%2Fa%2520b%3Fpage%3D2"); // behind `/login?`
///
/// assert_eq!(NextPath::from_query(Some(&query), "next").as_str(), Some(page));
/// assert_eq!(NextPath::from_query(Some("next=/a%20b"), "next").as_str(), None);
/// ```
///
/// # Example
///
/// ```
/// use login_manager::NextPath;
///
/// let next = NextPath::try_from("/photos?page=2")?;
/// assert_eq!(next.as_str(), Some("/photos?page=2"));
///
/// assert!(NextPath::try_from("https://evil.example/").is_err());
/// assert!(NextPath::try_from("//evil.example/").is_err());
/// assert!(NextPath::try_from("/%5Cevil.example/").is_err());
///
/// let response = next.redirect_or("/dashboard");
/// assert_eq!(response.status(), 303);
/// assert_eq!(response.headers()["location"], "/photos?page=2");
/// # Ok::<(), login_manager::guard::InvalidNext>(())
/// ```
///
/// With several managers, the extractor follows the settings of the innermost one around the
/// handler. To follow another one's, call [`Auth::next`](crate::Auth::next).
///
/// In the manual: [Logging in and
/// out](crate::manual::logging_in_and_out#back-to-the-page-the-user-wanted).
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct NextPath(Option<Box<str>>);

impl NextPath {
    /// Returns a value without a path: [`or`](Self::or) and [`redirect_or`](Self::redirect_or) use
    /// their default.
    #[must_use]
    pub fn none() -> Self {
        Self(None)
    }

    /// Returns the path, including its query and fragment. To show it in a page, escape it like any
    /// other text.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        self.0.as_deref()
    }

    /// The path without query and fragment; empty if there is none.
    pub(crate) fn path(&self) -> &str {
        self.or("").split(['?', '#']).next().unwrap_or_default()
    }

    /// Returns the path, or `default` if there is none.
    ///
    /// The default is not checked and may be a URL on another site. Never take it from the request.
    #[must_use]
    pub fn or<'a>(&'a self, default: &'a str) -> &'a str {
        self.as_str().unwrap_or(default)
    }

    /// Returns a redirect (`303 See Other`, no body) to the path, or to `default` if there is none.
    ///
    /// As in [`or`](Self::or), the default is not checked. Characters that are not valid in a
    /// header (control characters, spaces, non-ASCII characters) are percent-encoded.
    #[must_use]
    pub fn redirect_or(&self, default: &str) -> Response<String> {
        let location = utf8_percent_encode(self.or(default), const { &CONTROLS.add(b' ') });
        // Only visible ASCII is left, which is always a valid header value.
        let location = HeaderValue::try_from(location.to_string());
        let location = location.unwrap_or(HeaderValue::from_static("/"));
        let mut response = Response::new(String::new());
        *response.status_mut() = StatusCode::SEE_OTHER;
        response.headers_mut().insert(LOCATION, location);
        response
    }

    /// Reads the path from `field` of this query. The result is [`none`](Self::none) if the value
    /// is not accepted or the field occurs twice, since another reader might use the other value.
    #[must_use]
    pub fn from_query(query: Option<&str>, field: &str) -> Self {
        let value = query
            .and_then(|query| only_value(query, field))
            .unwrap_or_default();
        Self::try_from(value).unwrap_or_default()
    }

    /// The path and query of this request, after the prefix that a proxy has removed. Scheme and
    /// host are dropped, since the client chooses them.
    ///
    /// Browsers send `|` and `{` unencoded in a query, so they are percent-encoded here. The result
    /// must pass the same check as a value from a query.
    pub(crate) fn of_request(prefix: &str, uri: &Uri) -> Self {
        let query = uri.query().map(|query| format!("?{query}"));
        let local = prefix.to_owned() + &encode(uri.path()) + &encode(&query.unwrap_or_default());
        Self::try_from(local).unwrap_or_default()
    }
}

/// Checks the path. The empty string (an empty form field) is [`NextPath::none`].
///
/// # Errors
///
/// - [`InvalidNext`] if the value is not [accepted](NextPath#what-is-accepted)
impl TryFrom<&str> for NextPath {
    type Error = InvalidNext;

    fn try_from(value: &str) -> Result<Self, InvalidNext> {
        if value.is_empty() {
            return Ok(Self::none());
        }
        check(value).map_err(InvalidNext)?;
        Ok(Self(Some(value.into())))
    }
}

impl TryFrom<String> for NextPath {
    type Error = InvalidNext;

    fn try_from(value: String) -> Result<Self, InvalidNext> {
        Self::try_from(value.as_str())
    }
}

impl FromStr for NextPath {
    type Err = InvalidNext;

    fn from_str(value: &str) -> Result<Self, InvalidNext> {
        Self::try_from(value)
    }
}

/// Serializes the path, or the empty string if there is none, for a template, or for a
/// [`Session`](crate::Session) that keeps it during a login with another site. Deserializing it
/// checks it again.
impl Serialize for NextPath {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.or(""))
    }
}

/// Deserializes the hidden field of a login form. A value that is not accepted, an empty one and
/// `null` become [`NextPath::none`], so that they don't fail the login. To learn what was wrong,
/// use `TryFrom`.
impl<'de> Deserialize<'de> for NextPath {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Option::<String>::deserialize(deserializer)?.unwrap_or_default();
        Ok(Self::try_from(value).unwrap_or_default())
    }
}

/// Writes the path, or the empty string if there is none.
impl fmt::Display for NextPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.or(""))
    }
}

/// The error for a value that [`NextPath`] does not accept. The message contains the reason, but
/// not the value, which may come from an attacker.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`next` must be a local path of at most {max} bytes, like `/photos?page=2`; this one {0}", max = MAX_LEN)]
pub struct InvalidNext(DeniedReason);

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
enum DeniedReason {
    #[error("is too long")]
    TooLong,
    #[error("doesn't begin with exactly one `/`")]
    NotLocal,
    #[error(
        "contains a character that must be percent-encoded, or a `%` without two hexadecimal digits"
    )]
    Spelling,
    #[error("isn't UTF-8, or contains a control character, when its path is percent-decoded")]
    Unreadable,
    #[error("could begin with `//` when its path is percent-decoded and `.` and `..` are resolved")]
    BecomesHost,
}

fn check(value: &str) -> Result<(), DeniedReason> {
    if value.len() > MAX_LEN {
        return Err(DeniedReason::TooLong);
    }
    if !value.starts_with('/') || value.starts_with("//") || value.starts_with("/\\") {
        return Err(DeniedReason::NotLocal);
    }
    let (local, fragment) = value.split_once('#').unwrap_or((value, ""));
    if encode(local) != local || encode(fragment) != fragment {
        return Err(DeniedReason::Spelling);
    }

    // Proxies and routers may decode the path once too often, treat `\` as `/`, end a segment at
    // `;` or resolve dots, in any order.
    let path = decode_fully(local.split('?').next().unwrap_or_default());
    let path = str::from_utf8(&path).map_err(|_| DeniedReason::Unreadable)?;
    if path.contains(char::is_control) {
        return Err(DeniedReason::Unreadable);
    }
    let segments = path.split(['/', '\\']).skip(1);
    let mut names: Vec<&str> = segments.filter_map(|all| all.split(';').next()).collect();
    let has_dots = names.contains(&".") || names.contains(&"..");
    names.pop(); // The last may be empty: `/a/`.
    if names.first() == Some(&"") || (has_dots && names.contains(&"")) {
        return Err(DeniedReason::BecomesHost);
    }
    Ok(())
}

/// Percent-decodes repeatedly (`%252F` to `%2F` to `/`), in one pass.
///
/// Escapes do not overlap, so their order makes no difference, and a slash, a dot or a control
/// character that appears at any stage is still there at the end.
fn decode_fully(path: &str) -> Vec<u8> {
    let mut decoded = Vec::with_capacity(path.len());
    for byte in path.bytes() {
        decoded.push(byte);
        // The decoded byte may complete another escape.
        while let [before @ .., b'%', high, low] = decoded.as_slice()
            && let Some(byte) = hex_byte(*high, *low)
        {
            decoded.truncate(before.len());
            decoded.push(byte);
        }
    }
    decoded
}

/// Percent-encodes what RFC 3986 does not allow in a path or query. Existing escapes are kept.
fn encode(raw: &str) -> String {
    let mut text = String::with_capacity(raw.len());
    let mut rest = raw.as_bytes();
    while let [byte, after @ ..] = rest {
        let is_plain = byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:@/?".contains(byte);
        let is_escape = matches!(rest, [b'%', high, low, ..] if hex_byte(*high, *low).is_some());
        if is_plain || is_escape {
            text.push(char::from(*byte));
        } else {
            text.push_str(percent_encode_byte(*byte));
        }
        rest = after;
    }
    text
}

fn hex_byte(high: u8, low: u8) -> Option<u8> {
    let digit = |byte| char::from(byte).to_digit(16);
    u8::try_from(digit(high)? * 16 + digit(low)?).ok()
}

#[cfg(test)]
mod tests {
    use percent_encoding::{NON_ALPHANUMERIC, percent_decode, percent_decode_str};
    use proptest::prelude::*;

    use super::{super::query::MAX_QUERY, *};

    fn next(path: &str) -> NextPath {
        NextPath(Some(path.into()))
    }

    fn none() -> NextPath {
        NextPath::none()
    }

    fn from_query(query: &str) -> NextPath {
        NextPath::from_query(Some(query), "next")
    }

    fn of_request(uri: &str) -> NextPath {
        NextPath::of_request("", &uri.parse().unwrap())
    }

    #[test]
    fn next_is_path_and_query() {
        assert_eq!(of_request("/"), next("/"));
        assert_eq!(of_request("/photos?page=2"), next("/photos?page=2"));
        assert_eq!(of_request("/photos?"), next("/photos?"));
        assert_eq!(of_request("/a%2Fb;v=1/"), next("/a%2Fb;v=1/"));
    }

    #[test]
    fn next_has_no_scheme_and_no_host() {
        assert_eq!(of_request("http://evil.example/y?z"), next("/y?z"));
        assert_eq!(of_request("https://me@evil.example:8443"), next("/"));
        assert_eq!(of_request("https://evil.example?x=1"), next("/?x=1"));
        assert_eq!(of_request("http://evil.example//evil.example"), none());
        assert_eq!(of_request("http://evil.example/\\evil.example"), none());
    }

    #[test]
    fn request_that_is_no_page_gets_no_next() {
        assert_eq!(of_request("*"), none());
        assert_eq!(of_request("evil.example:443"), none());
        assert_eq!(of_request("//evil.example/x"), none());
        assert_eq!(of_request("/\\evil.example/x"), none());
        assert_eq!(of_request("/.//evil.example"), none());
        assert_eq!(of_request("/%2Fevil.example"), none());
        assert_eq!(of_request("/a%0D%0Ab"), none());
        assert_eq!(of_request("/%FF"), none());
    }

    #[test]
    fn raw_bytes_are_percent_encoded() {
        assert_eq!(
            of_request("/caf\u{e9}?q=\u{20ac}"),
            next("/caf%C3%A9?q=%E2%82%AC")
        );
        assert_eq!(
            of_request("/\"s\"?f[0]={a|b}^`c\\"),
            next("/%22s%22?f%5B0%5D=%7Ba%7Cb%7D%5E%60c%5C")
        );
        assert_eq!(of_request("/s?q=100%"), next("/s?q=100%25"));
        assert_eq!(of_request("/s?q=%4x%zz%%41"), next("/s?q=%254x%25zz%25%41"));
    }

    #[test]
    fn too_long_target_gets_no_next() {
        let page = format!("/{}", "a".repeat(MAX_LEN - 1));
        assert_eq!(of_request(&page), next(&page));
        assert_eq!(of_request(&format!("{page}b")), none());
        // 684 times `€` is 2052 bytes raw; 300 times is 900 bytes raw and 2700 encoded.
        assert_eq!(of_request(&format!("/?{}", "\u{20ac}".repeat(684))), none());
        assert_eq!(of_request(&format!("/?{}", "\u{20ac}".repeat(300))), none());
        assert_eq!(of_request(&format!("/?{}", "\\".repeat(60_000))), none());
    }

    #[test]
    fn reads_the_field_of_exactly_this_name() {
        assert_eq!(from_query("next=/a"), next("/a"));
        assert_eq!(from_query("a=b&next=%2Fa%3Fb%3Dc%26d&e"), next("/a?b=c&d"));
        assert_eq!(from_query("n%65xt=/a"), next("/a"));
        assert_eq!(from_query("next=/a=b"), next("/a=b"));
        for query in [
            "nextish=/a",
            "nex=/a",
            "Next=/a",
            "next[]=/a",
            "next+=/a",
            " next=/a",
            "next%00=/a",
        ] {
            assert_eq!(from_query(query), none(), "{query}");
        }
        assert_eq!(NextPath::from_query(Some("go+on=/a"), "go on"), next("/a"));
        assert_eq!(NextPath::from_query(None, "next"), none());
        for query in ["", "&", "=", "next", "next=", "/a", "=/a"] {
            assert_eq!(from_query(query), none(), "{query}");
        }
    }

    #[test]
    fn decodes_the_value_once() {
        assert_eq!(from_query("next=/a%2520b"), next("/a%20b"));
        // `+` stands for a space, which must be percent-encoded in a path.
        assert_eq!(from_query("next=/a+b"), none());
        assert_eq!(from_query("next=/a%2Bb"), next("/a+b"));
        assert_eq!(from_query("next=/a%FF"), none());
        assert_eq!(from_query("next=/a%"), none());
        assert_eq!(from_query("next=%2F%2Fevil.example"), none());
        assert_eq!(from_query("next=%252Fevil.example"), none());
        assert_eq!(from_query("next=https://evil.example"), none());
    }

    #[test]
    fn repeated_field_is_none() {
        for query in [
            "next=/a&next=//evil.example",
            "next=//evil.example&next=/a",
            "next=/a&next=/a",
            "next=/a&next=",
            "next=&next=/a",
            "next&next=/a",
            "next=/a&n%65xt=/b",
            "next=/a&b=c&next=/d&next=/e",
        ] {
            assert_eq!(from_query(query), none(), "{query}");
        }
        assert_eq!(from_query("next=/a&nextish=/b"), next("/a"));
    }

    #[test]
    fn a_long_query_is_not_searched() {
        let padding = "&".repeat(MAX_QUERY - "next=/a".len());
        assert_eq!(from_query(&format!("{padding}next=/a")), next("/a"));
        assert_eq!(from_query(&format!("&{padding}next=/a")), none());
        assert_eq!(from_query(&"next=/a&".repeat(1 << 17)), none());
    }

    #[test]
    fn the_longest_path_fits_the_query_twice_over() {
        let path = format!("/?{}", "&".repeat(MAX_LEN - 2));
        let query = utf8_percent_encode(&path, NON_ALPHANUMERIC).to_string();
        assert_eq!(from_query(&format!("a={query}&next={query}")), next(&path));
    }

    #[test]
    fn says_what_is_wrong() {
        let cases = [
            ("evil.example", DeniedReason::NotLocal),
            ("//evil.example", DeniedReason::NotLocal),
            ("/\\evil.example", DeniedReason::NotLocal),
            ("/a b", DeniedReason::Spelling),
            ("/a%zz", DeniedReason::Spelling),
            ("/a#b#c", DeniedReason::Spelling),
            ("/%00", DeniedReason::Unreadable),
            ("/%FF", DeniedReason::Unreadable),
            ("/%252Fevil.example", DeniedReason::BecomesHost),
            ("/..//evil.example", DeniedReason::BecomesHost),
        ];
        for (value, reason) in cases {
            assert_eq!(check(value), Err(reason), "{value}");
        }
        assert_eq!(check(&"/".repeat(1 << 20)), Err(DeniedReason::TooLong));
    }

    #[test]
    fn decodes_what_only_decoding_completes() {
        assert_eq!(decode_fully("%2F"), b"/");
        assert_eq!(decode_fully("%252F"), b"/");
        assert_eq!(decode_fully("%25%32%46"), b"/");
        assert_eq!(decode_fully(&format!("%{}2F", "25".repeat(1000))), b"/");
        assert_eq!(decode_fully("100%25"), b"100%");
        assert_eq!(decode_fully("%25zz"), b"%zz");
    }

    /// The parts of typical attacks, well-formed or not.
    fn token() -> impl Strategy<Value = Vec<u8>> {
        let known = [
            "/", "/", "/", "\\", ".", "..", "?", "#", "@", ":", ";", "a", "b=c", "&", "+", "%",
            "%25", "%2f", "%5C", "%2e", "%3B", "%09", "%0d%0A", "%C3%A9", "%80", "%41", "32",
            "\u{e9}", "\u{2028}", "\u{ff0f}", "\t", "\0", " ", "|", "{", "[", "\"",
        ];
        prop_oneof![
            8 => prop::sample::select(known.to_vec()).prop_map(|token| token.as_bytes().to_vec()),
            1 => any::<char>().prop_map(|char| char.to_string().into_bytes()),
            1 => any::<u8>().prop_map(|byte| vec![byte]),
        ]
    }

    fn text() -> impl Strategy<Value = Vec<u8>> {
        prop::collection::vec(token(), 0..12).prop_map(|tokens| tokens.concat())
    }

    fn decoded(text: &str) -> Vec<u8> {
        percent_decode_str(text).collect()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(1024))]

        #[test]
        fn accepted_path_survives_the_query(text in text(), rest in text()) {
            let text = format!("/{}", String::from_utf8_lossy(&text));
            // Raw and percent-encoded, since most tokens are rejected raw.
            for value in [encode(&text), text] {
                if let Ok(next) = NextPath::try_from(&*value) {
                    let encoded = utf8_percent_encode(&value, NON_ALPHANUMERIC);
                    let form: String = url::form_urlencoded::byte_serialize(value.as_bytes()).collect();
                    prop_assert_eq!(&from_query(&format!("next={encoded}")), &next);
                    prop_assert_eq!(&from_query(&format!("a=b&next={form}&c")), &next);
                }
            }
            // Whatever the query contains, it yields only paths that are accepted.
            let query = format!("next={}", String::from_utf8_lossy(&rest));
            if let Some(path) = from_query(&query).as_str() {
                prop_assert_eq!(check(path), Ok(()));
            }
        }

        #[test]
        fn next_leads_to_the_same_page(
            start in prop::sample::select(&["", "/", "/a", "//", "http://h.example", "https://u@h:1/", "*", "h:1"][..]),
            text in text(),
        ) {
            let Ok(uri) = Uri::try_from([start.as_bytes(), &text].concat()) else {
                return Ok(());
            };
            if let Some(path) = NextPath::of_request("", &uri).as_str() {
                prop_assert_eq!(check(path), Ok(()));
                let back: Uri = path.parse().unwrap();
                prop_assert_eq!(back.host(), None);
                prop_assert_eq!(decoded(back.path()), decoded(uri.path()));
                prop_assert_eq!(back.query().map(decoded), uri.query().map(decoded));
            }
        }

        #[test]
        fn ordinary_page_always_gets_a_next(
            path in "(/[a-zA-Z0-9_~-][a-zA-Z0-9._~!$&'()*+,;=:@-]{0,9}){1,6}/?",
        ) {
            prop_assert_eq!(of_request(&path), next(&path));
        }

        #[test]
        fn any_query_gives_a_next(text in text()) {
            if let Ok(uri) = Uri::try_from([b"/page?", &*text].concat()) {
                prop_assert_ne!(NextPath::of_request("", &uri), none());
            }
        }

        #[test]
        fn decodes_in_one_pass_what_takes_many_rounds(text in "(%|2|5|3|[46]|F|f|a|/){0,40}") {
            let mut rounds = text.clone().into_bytes();
            loop {
                let next: Vec<u8> = percent_decode(&rounds).collect();
                if next == rounds {
                    break;
                }
                rounds = next;
            }
            prop_assert_eq!(decode_fully(&text), rounds);
        }
    }
}
