//! The response to a denied request, which depends on the kind of client.

use http::{
    HeaderMap, HeaderValue, Response, StatusCode,
    header::{ACCEPT, HeaderName, LOCATION, WWW_AUTHENTICATE},
};

use super::{Denied, NextIn, NextPath, Reason, Refusals};

const SEC_FETCH_MODE: HeaderName = HeaderName::from_static("sec-fetch-mode");
const X_REQUESTED_WITH: HeaderName = HeaderName::from_static("x-requested-with");
const HX_REQUEST: HeaderName = HeaderName::from_static("hx-request");
const HX_BOOSTED: HeaderName = HeaderName::from_static("hx-boosted");
const HX_CURRENT_URL: HeaderName = HeaderName::from_static("hx-current-url");
const HX_REDIRECT: HeaderName = HeaderName::from_static("hx-redirect");

/// The response to a denied request.
pub(crate) struct Refused {
    pub(crate) response: Response<Vec<u8>>,
    /// The path for the cookie that keeps it; `None` if the cookie is not changed.
    pub(crate) way_back: Option<NextPath>,
}

/// The application's response if it sets one, otherwise the default.
pub(crate) fn respond(refusals: &Refusals, denied: &Denied<'_>) -> Refused {
    let response = match &refusals.unauthorized {
        Some(unauthorized) => unauthorized(denied),
        None => default_response(denied),
    };
    let leads_on = [LOCATION, HX_REDIRECT]
        .iter()
        .any(|header| response.headers().contains_key(header));
    let way_back = match refusals.next_in {
        NextIn::Cookie if leads_on => way_back(denied),
        _ => None,
    };
    Refused { response, way_back }
}

/// If the page around an htmx part is not known, the path that is already kept stays.
fn way_back(denied: &Denied<'_>) -> Option<NextPath> {
    let headers = denied.headers();
    match is_part_of_a_page(headers) {
        true => page_around(headers),
        false => Some(denied.next()),
    }
}

/// A page load is redirected to the login page, htmx gets `HX-Redirect`, and everything else the
/// bare status.
pub(super) fn default_response(denied: &Denied<'_>) -> Response<Vec<u8>> {
    let mut response = Response::new(Vec::new());
    let headers = denied.headers();
    match denied.reason() {
        Reason::Forbidden => *response.status_mut() = StatusCode::FORBIDDEN,
        _ if headers.contains_key(HX_REQUEST) => {
            unauthorized(&mut response);
            if let Some(url) = header_value(denied.login_url()) {
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

/// htmx requests a part of a page, which is not a page to return to, unless the link is boosted.
pub(super) fn is_part_of_a_page(headers: &HeaderMap) -> bool {
    headers.contains_key(HX_REQUEST) && !headers.contains_key(HX_BOOSTED)
}

/// The page around a part, from the header that htmx sends: path and query, with any host.
pub(super) fn page_around(headers: &HeaderMap) -> Option<NextPath> {
    let url = headers.get(HX_CURRENT_URL)?.to_str().ok()?;
    Some(NextPath::of_request(&url.parse().ok()?)).filter(|next| next.as_str().is_some())
}

fn unauthorized(response: &mut Response<Vec<u8>>) {
    *response.status_mut() = StatusCode::UNAUTHORIZED;
    // A 401 must name a scheme (RFC 9110, 15.5.2). Browsers do not know this one, so they do not
    // open a password dialog.
    response
        .headers_mut()
        .insert(WWW_AUTHENTICATE, HeaderValue::from_static("Session"));
}

/// A login URL is visible ASCII, which is always a valid header value.
fn header_value(url: Option<String>) -> Option<HeaderValue> {
    url.and_then(|url| HeaderValue::try_from(url).ok())
}

/// Whether a browser will show the response as a page: it sends `Sec-Fetch-Mode`, or, if it is
/// older than 2023, accepts HTML.
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
