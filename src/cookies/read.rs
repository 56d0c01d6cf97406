//! Finding one cookie in a request, in linear time.

use base64ct::{Base64UrlUnpadded, Encoding as _};
use http::HeaderValue;
use memchr::memchr;

/// The maximum number of values under one name. A browser sends two if a release changed the
/// `Domain`.
const MAX_VALUES: usize = 8;

/// The different values under one name, in the order in which they were sent.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Found<'a> {
    values: [&'a [u8]; MAX_VALUES],
    len: usize,
    /// Whether there are more values than are read.
    pub(crate) more_than_enough: bool,
}

impl<'a> Found<'a> {
    pub(crate) fn as_slice(&self) -> &[&'a [u8]] {
        self.values.get(..self.len).unwrap_or_default()
    }

    fn push(&mut self, value: &'a [u8]) {
        if self.as_slice().contains(&value) {
            return;
        }
        match self.values.get_mut(self.len) {
            Some(free) => {
                *free = value;
                self.len += 1;
            }
            None => self.more_than_enough = true,
        }
    }
}

/// Finds the values of a cookie by its exact name, in headers of any size that the server accepts.
pub(crate) fn find<'a>(headers: impl Iterator<Item = &'a HeaderValue>, name: &str) -> Found<'a> {
    let mut found = Found {
        values: [&[]; MAX_VALUES],
        len: 0,
        more_than_enough: false,
    };
    for header in headers {
        let mut rest = header.as_bytes();
        loop {
            let end = memchr(b';', rest).unwrap_or(rest.len());
            let (pair, more) = rest.split_at(end);
            if let Some(value) = value_of(pair, name) {
                found.push(value);
            }
            match more.split_first() {
                Some((_, after)) => rest = after,
                None => break,
            }
        }
    }
    found
}

/// The value of a pair with this name. Spaces and tabs around the pair are trimmed, but no other
/// Unicode white space.
fn value_of<'a>(pair: &'a [u8], name: &str) -> Option<&'a [u8]> {
    let mut pair = pair;
    while let [b' ' | b'\t', after @ ..] = pair {
        pair = after;
    }
    let mut value = pair.strip_prefix(name.as_bytes())?.strip_prefix(b"=")?;
    while let [before @ .., b' ' | b'\t'] = value {
        value = before;
    }
    Some(value)
}

/// The path in the cookie that keeps `next`.
pub(crate) fn decode_next(value: &[u8]) -> Option<String> {
    let value = str::from_utf8(value).ok()?;
    String::from_utf8(Base64UrlUnpadded::decode_vec(value).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAME: &str = "__Host-account-session";

    fn find_in(headers: &[&[u8]]) -> Option<String> {
        let headers: Vec<_> = headers
            .iter()
            .map(|header| HeaderValue::from_bytes(header).unwrap())
            .collect();
        let found = find(headers.iter(), NAME);
        let texts: Vec<_> = found
            .as_slice()
            .iter()
            .map(|value| str::from_utf8(value).unwrap())
            .collect();
        (!texts.is_empty())
            .then(|| texts.join(" ") + if found.more_than_enough { " …" } else { "" })
    }

    #[test]
    fn only_the_exact_name_is_ours() {
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
    fn different_values_are_found_in_order() {
        let twice = b"__Host-account-session=a; __Host-account-session=b";
        assert_eq!(find_in(&[twice]).unwrap(), "a b");
        assert_eq!(
            find_in(&[b"__Host-account-session=a", b"__Host-account-session=b"]).unwrap(),
            "a b"
        );
        assert_eq!(
            find_in(&[b"__Host-account-session=a;__Host-account-session=a"]).unwrap(),
            "a"
        );
        let many: Vec<_> = (0..9)
            .map(|n| format!("__Host-account-session={n}"))
            .collect();
        let many = many.join("; ");
        assert_eq!(find_in(&[many.as_bytes()]).unwrap(), "0 1 2 3 4 5 6 7 …");
    }

    #[test]
    fn our_cookie_is_found_behind_many_kilobytes() {
        let many = vec![b"a=b".as_slice(); 100_000].join(b"; ".as_slice());
        let all = [&many, b";__Host-account-session=t".as_slice()].concat();
        assert_eq!(find_in(&[&all]).unwrap(), "t");
    }
}
