//! The answer to a refused visitor, negotiated.

use http::{
    HeaderMap, HeaderValue, Response, StatusCode,
    header::{ACCEPT, HeaderName, LOCATION, WWW_AUTHENTICATE},
};

use super::{Denied, NextIn, NextPath, Reason, Refusals};

const SEC_FETCH_MODE: HeaderName = HeaderName::from_static("sec-fetch-mode");
const X_REQUESTED_WITH: HeaderName = HeaderName::from_static("x-requested-with");
const HX_REQUEST: HeaderName = HeaderName::from_static("hx-request");
const HX_BOOSTED: HeaderName = HeaderName::from_static("hx-boosted");
const HX_REDIRECT: HeaderName = HeaderName::from_static("hx-redirect");

/// The answer to a refused visitor.
pub(crate) struct Refused {
    pub(crate) response: Response<Vec<u8>>,
    /// The way back for the cookie that keeps it, none where there is none; `None` where what is in it stays.
    pub(crate) way_back: Option<NextPath>,
}

/// The application's answer if it has one, else ours.
pub(crate) fn respond(refusals: &Refusals, denied: &Denied<'_>) -> Refused {
    let response = match &refusals.unauthorized {
        Some(unauthorized) => unauthorized(denied),
        None => default_response(denied),
    };
    let leads_on = [LOCATION, HX_REDIRECT]
        .iter()
        .any(|header| response.headers().contains_key(header));
    let way_back = match refusals.next_in {
        NextIn::Cookie if leads_on && !is_part_of_a_page(denied.headers()) => Some(denied.next()),
        _ => None,
    };
    Refused { response, way_back }
}

/// A page load is sent to the login page; htmx is told to go there; everything else gets the bare status.
fn default_response(denied: &Denied<'_>) -> Response<Vec<u8>> {
    let mut response = Response::new(Vec::new());
    let headers = denied.headers();
    match denied.reason() {
        Reason::Forbidden => *response.status_mut() = StatusCode::FORBIDDEN,
        _ if headers.contains_key(HX_REQUEST) => {
            unauthorized(&mut response);
            let next = match is_part_of_a_page(headers) {
                true => NextPath::none(),
                false => denied.next(),
            };
            if let Some(url) = header_value(denied.login_url_with(&next)) {
                response.headers_mut().insert(HX_REDIRECT, url);
            }
        }
        _ => match header_value(denied.login_url().filter(|_| is_page_load(headers))) {
            Some(url) => {
                *response.status_mut() = StatusCode::SEE_OTHER;
                response.headers_mut().insert(LOCATION, url);
            }
            None => unauthorized(&mut response),
        },
    }
    response
}

/// What htmx asks for is a part of a page, no place to come back to, unless it stands in for a page load.
fn is_part_of_a_page(headers: &HeaderMap) -> bool {
    headers.contains_key(HX_REQUEST) && !headers.contains_key(HX_BOOSTED)
}

fn unauthorized(response: &mut Response<Vec<u8>>) {
    *response.status_mut() = StatusCode::UNAUTHORIZED;
    // A 401 has to name a scheme (RFC 9110, 15.5.2). No browser knows this one, so none asks for a password by itself.
    response
        .headers_mut()
        .insert(WWW_AUTHENTICATE, HeaderValue::from_static("Session"));
}

/// A login address is visible ASCII, which always makes a header value.
fn header_value(url: Option<String>) -> Option<HeaderValue> {
    url.and_then(|url| HeaderValue::try_from(url).ok())
}

/// Whether a browser is about to show the answer as a page: it says so itself, or, one from before 2023, asks for HTML.
fn is_page_load(headers: &HeaderMap) -> bool {
    if headers.contains_key(X_REQUESTED_WITH) {
        return false;
    }
    let mut modes = headers.get_all(SEC_FETCH_MODE).iter();
    match (modes.next(), modes.next()) {
        (None, _) => accepts(headers, "text/html"),
        (Some(mode), None) => {
            mode == "navigate"
                && (accepts(headers, "text/html") || !accepts(headers, "application/json"))
        }
        (Some(_), Some(_)) => false,
    }
}

fn accepts(headers: &HeaderMap, media_type: &str) -> bool {
    let ranges = headers
        .get_all(ACCEPT)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','));
    ranges
        .filter_map(|range| range.split(';').next())
        .any(|range| range.trim().eq_ignore_ascii_case(media_type))
}
