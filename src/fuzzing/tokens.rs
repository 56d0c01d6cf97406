//! Tokens and ids: one spelling each.

use base64ct::{Base64UrlUnpadded, Encoding as _};

use crate::store::{RememberToken, SessionId, SessionToken};

/// Reads the bytes as the text of each token, and as the bytes that a text stands for.
pub fn tokens(data: &[u8]) {
    has_one_spelling(data, 48, |text| {
        SessionToken::parse(text).map(|token| token.text())
    });
    has_one_spelling(data, 80, |text| {
        RememberToken::parse(text).map(|token| token.text())
    });
    has_one_spelling(data, 16, |text| {
        let id: SessionId = str::from_utf8(text).ok()?.parse().ok()?;
        Some(id.to_string())
    });
}

/// `reread` parses a text and writes it again.
fn has_one_spelling(data: &[u8], length: usize, reread: fn(&[u8]) -> Option<String>) {
    let decoded = str::from_utf8(data)
        .ok()
        .and_then(|text| Base64UrlUnpadded::decode_vec(text).ok())
        .filter(|bytes| bytes.len() == length);
    let again = reread(data);
    assert_eq!(again.is_some(), decoded.is_some());
    if let Some(again) = again {
        assert_eq!(again.as_bytes(), data);
    }

    let mut bytes = data.to_vec();
    bytes.resize(length, 0);
    let text = Base64UrlUnpadded::encode_string(&bytes);
    assert_eq!(reread(text.as_bytes()).as_ref(), Some(&text));
    let at = data.len() % text.len();
    for bit in 0..8 {
        let mut other = text.clone().into_bytes();
        if let Some(byte) = other.get_mut(at) {
            *byte ^= 1 << bit;
        }
        assert_ne!(reread(&other).as_ref(), Some(&text));
    }
    assert_eq!(reread(text.get(1..).unwrap_or_default().as_bytes()), None);
    assert_eq!(reread(format!("{text}A").as_bytes()), None);
}
