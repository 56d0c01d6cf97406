//! One field of a query.

use percent_encoding::percent_decode_str;

/// Bytes of a query that is searched. It could hold two of the longest paths, all of them percent-encoded.
pub(super) const MAX_QUERY: usize = 16 * 1024;

/// The value of the field of exactly this name. `None` also where it is given twice: the next reader might take the
/// other one.
pub(crate) fn only_value(query: &str, field: &str) -> Option<String> {
    if query.len() > MAX_QUERY {
        return None;
    }
    let decode = |raw: &str| percent_decode_str(&raw.replace('+', " ")).collect::<Vec<u8>>();
    let mut values = query.split('&').filter_map(|pair| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        (decode(name) == field.as_bytes()).then_some(value)
    });
    let (Some(value), None) = (values.next(), values.next()) else {
        return None;
    };
    String::from_utf8(decode(value)).ok()
}
