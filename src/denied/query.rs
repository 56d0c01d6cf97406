//! Reading one field of a query.

use percent_encoding::percent_decode_str;

/// The longest query, in bytes, that is searched. It has room for two of the longest paths, fully
/// percent-encoded.
pub(super) const MAX_QUERY: usize = 16 * 1024;

/// The value of the field with exactly this name. `None` if it occurs twice, since another reader
/// might use the other value.
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
