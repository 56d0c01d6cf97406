//! Finding our cookies, against a plain reading of the same rules and the `cookie` crate.

use base64ct::{Base64UrlUnpadded, Encoding as _};
use http::HeaderValue;
use tower_cookies::Cookie;

use crate::cookies::{decode_next, find};

const NAME: &str = "__Host-account-session";
/// The maximum number of values that are read.
const MOST: usize = 8;

/// Reads each line as a `Cookie` header.
pub fn cookie_header(data: &[u8]) {
    let headers: Vec<_> = data
        .split(|byte| *byte == b'\n')
        .filter_map(|line| HeaderValue::from_bytes(line).ok())
        .collect();
    let found = find(headers.iter(), NAME);

    let pairs = headers
        .iter()
        .flat_map(|header| header.as_bytes().split(|byte| *byte == b';'));
    let mut expected = distinct(pairs.clone().filter_map(value));
    assert_eq!(found.more_than_enough, expected.len() > MOST);
    expected.truncate(MOST);
    assert_eq!(found.as_slice(), expected);

    for pair in pairs {
        agrees_with_cookie_crate(pair);
    }
    for value in found.as_slice() {
        if let Some(next) = decode_next(value) {
            assert_eq!(
                Base64UrlUnpadded::encode_string(next.as_bytes()).as_bytes(),
                *value
            );
        }
    }
}

fn distinct<'a>(values: impl Iterator<Item = &'a [u8]>) -> Vec<&'a [u8]> {
    let mut distinct = Vec::new();
    for value in values {
        if !distinct.contains(&value) {
            distinct.push(value);
        }
    }
    distinct
}

/// RFC 6265, section 5.4, read from right to left: the name is the part before the first `=`.
fn value(pair: &[u8]) -> Option<&[u8]> {
    let is_blank = |byte: &u8| matches!(byte, b' ' | b'\t');
    let at = pair.iter().position(|byte| *byte == b'=')?;
    let (name, value) = (pair.get(..at)?, pair.get(at + 1..)?);
    let start = name.iter().position(|byte| !is_blank(byte))?;
    let end = value.iter().rposition(|byte| !is_blank(byte));
    let value = value.get(..end.map_or(0, |last| last + 1))?;
    (name.get(start..)? == NAME.as_bytes()).then_some(value)
}

/// The `cookie` crate also trims other white space and the end of a name, which makes other names
/// into ours. Apart from that, both read the same.
fn agrees_with_cookie_crate(pair: &[u8]) {
    let Ok(text) = str::from_utf8(pair) else {
        return;
    };
    let parsed = Cookie::parse(text).ok();
    let theirs = parsed.as_ref().filter(|cookie| cookie.name() == NAME);
    match (value(pair), theirs) {
        (Some(ours), Some(theirs)) => {
            assert_eq!(str::from_utf8(ours).map(str::trim), Ok(theirs.value()));
        }
        (None, None) => {}
        (Some(_), None) => panic!("the cookie crate does not find {text:?}"),
        (None, Some(_)) => {
            let name = text.split('=').next().unwrap_or_default();
            let trimmed = name.trim_start_matches([' ', '\t']);
            assert_ne!(trimmed, NAME, "{text:?}");
        }
    }
}
