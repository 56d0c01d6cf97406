//! Finding one cookie among a request's, in linear time and never beyond limits.

use base64ct::{Base64UrlUnpadded, Encoding as _};
use http::HeaderValue;

/// Bytes of `Cookie` headers that are looked at, all together. Browsers send less: RFC 6265 (6.1) asks for 4096 per cookie.
const MAX_HEADER: usize = 16 * 1024;
/// Cookies that are looked at: Chromium keeps 180 per site.
const MAX_PAIRS: usize = 200;

/// What a request's `Cookie` headers say about one name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Found<'a> {
    Nothing,
    Value(&'a [u8]),
    /// Twice with different values, or in a header beyond all measure: nobody can say which is ours.
    Ambiguous,
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

/// The path in the cookie that keeps the way back.
pub(crate) fn way_back(value: &[u8]) -> Option<String> {
    let value = str::from_utf8(value).ok()?;
    String::from_utf8(Base64UrlUnpadded::decode_vec(value).ok()?).ok()
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
}
