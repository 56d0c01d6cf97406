//! The head of a denied request: which client it comes from, and the page that it asked for.

use http::{HeaderMap, HeaderName, HeaderValue, Uri};

use crate::denied::{Client, NextPath};

/// Reads the first line as the request's target and the others as headers.
pub fn request_head(data: &[u8]) {
    let mut lines = data.split(|byte| *byte == b'\n');
    let target = lines.next().unwrap_or_default();
    let mut headers = HeaderMap::new();
    let mut backwards = Vec::new();
    for line in lines.take(32) {
        let Some(colon) = line.iter().position(|byte| *byte == b':') else {
            continue;
        };
        let (name, value) = line.split_at(colon);
        let value = value.get(1..).unwrap_or_default().trim_ascii();
        if let Ok(name) = HeaderName::from_bytes(name)
            && let Ok(value) = HeaderValue::from_bytes(value)
        {
            headers.append(&name, value.clone());
            backwards.push((name, value));
        }
    }
    let client = Client::of(&headers);
    assert_eq!(client, expected(&headers));
    backwards.reverse();
    assert_eq!(client, Client::of(&HeaderMap::from_iter(backwards)));

    if let Ok(uri) = Uri::try_from(target)
        && let Some(path) = NextPath::of_request("", &uri).as_str()
    {
        assert_eq!(
            NextPath::try_from(path).map(|next| next.or("") == path),
            Ok(true)
        );
        assert!(path.starts_with('/') && !path.starts_with("//"));
    }
}

/// The table in the docs of `guard`, row by row.
fn expected(headers: &HeaderMap) -> Client {
    let has = |name: &str| headers.contains_key(name);
    if has("hx-history-restore-request") {
        return Client::Page;
    }
    if has("hx-request") {
        return Client::Htmx;
    }
    let modes: Vec<_> = headers.get_all("sec-fetch-mode").iter().collect();
    if modes.len() > 1 || has("sec-purpose") {
        return Client::Script;
    }
    let (html, json) = (
        names(headers, "text/html"),
        names(headers, "application/json"),
    );
    let is_ajax = headers
        .get_all("x-requested-with")
        .iter()
        .any(|value| value.as_bytes().eq_ignore_ascii_case(b"xmlhttprequest"));
    let is_page = match modes.first().map(|mode| mode.as_bytes()) {
        Some(b"navigate") => html || !json,
        None | Some(b"cors" | b"same-origin") => {
            has("x-up-version") || has("x-inertia") || (html && !is_ajax)
        }
        Some(_) => false,
    };
    if is_page {
        Client::Page
    } else {
        Client::Script
    }
}

/// Whether an `Accept` header names this type, and not with `q=0`.
fn names(headers: &HeaderMap, media_type: &str) -> bool {
    let ranges = headers.get_all("accept").iter().flat_map(|accept| {
        let ranges = accept.as_bytes().split(|byte| *byte == b',');
        ranges.map(|range| String::from_utf8_lossy(range).into_owned())
    });
    ranges.into_iter().any(|range| {
        let mut parts = range.split(';');
        let name = parts.next().unwrap_or_default();
        // If there are bytes that are not text, the weight is ignored.
        let is_text = !range.contains(char::REPLACEMENT_CHARACTER);
        let is_refused = parts.any(|parameter| {
            let (name, weight) = parameter.split_once('=').unwrap_or_default();
            let weight: f32 = weight.trim().parse().unwrap_or(1.0);
            name.trim().eq_ignore_ascii_case("q") && weight <= 0.0
        });
        name.trim_matches(|c: char| c.is_ascii_whitespace())
            .eq_ignore_ascii_case(media_type)
            && !(is_refused && is_text)
    })
}
