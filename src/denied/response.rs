//! The response to a denied request, negotiated.

use http::{
    HeaderMap, HeaderValue, Response, StatusCode,
    header::{HeaderName, LOCATION, WWW_AUTHENTICATE},
};

use super::{Denied, DeniedConfig, NextIn, NextPath, page_load::Client};
use crate::reason::DeniedReason;

const HX_BOOSTED: HeaderName = HeaderName::from_static("hx-boosted");
const HX_CURRENT_URL: HeaderName = HeaderName::from_static("hx-current-url");
const HX_REDIRECT: HeaderName = HeaderName::from_static("hx-redirect");

/// The response to a denied request.
pub(crate) struct DeniedResponse {
    pub(crate) response: Response<Vec<u8>>,
    /// The path for the cookie that keeps it; `None` if the cookie is not changed.
    pub(crate) way_back: Option<NextPath>,
}

/// The application's response if it sets one, otherwise the default.
pub(crate) fn respond(denied_config: &DeniedConfig, denied: &Denied<'_>) -> DeniedResponse {
    let response = match &denied_config.unauthorized {
        Some(unauthorized) => unauthorized(denied),
        None => default_response(denied),
    };
    let leads_on = [LOCATION, HX_REDIRECT]
        .iter()
        .any(|header| response.headers().contains_key(header));
    let way_back = match denied_config.next_in {
        NextIn::Cookie if leads_on => way_back(denied),
        _ => None,
    };
    DeniedResponse { response, way_back }
}

/// If the page around an htmx part is not known, the path that is already kept stays.
fn way_back(denied: &Denied<'_>) -> Option<NextPath> {
    let headers = denied.headers();
    match is_part_of_a_page(headers) {
        true => page_around(headers),
        false => Some(denied.next()),
    }
}

/// Redirects a page load to the login page, and tells htmx to go there. Everything else gets the
/// bare status.
pub(super) fn default_response(denied: &Denied<'_>) -> Response<Vec<u8>> {
    let mut response = Response::new(Vec::new());
    if denied.reason() == DeniedReason::Forbidden {
        *response.status_mut() = StatusCode::FORBIDDEN;
        return response;
    }
    let client = Client::of(denied.headers());
    let url = match client {
        Client::Page | Client::Htmx => header_value(denied.login_url()),
        Client::Script => None,
    };
    match (client, url) {
        (Client::Page, Some(url)) => {
            *response.status_mut() = StatusCode::SEE_OTHER;
            response.headers_mut().insert(LOCATION, url);
        }
        (_, url) => {
            unauthorized(&mut response);
            if let Some(url) = url {
                response.headers_mut().insert(HX_REDIRECT, url);
            }
        }
    }
    response
}

/// Whether htmx loads a part of a page, which is no place to return to. A boosted link loads a
/// whole page.
pub(super) fn is_part_of_a_page(headers: &HeaderMap) -> bool {
    Client::of(headers) == Client::Htmx && !headers.contains_key(HX_BOOSTED)
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
