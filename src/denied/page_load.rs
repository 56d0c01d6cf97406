//! Whether a request loads a page, so that a redirect to the login page reaches the user.

use http::{
    HeaderMap, HeaderValue,
    header::{ACCEPT, HeaderName},
};

const SEC_FETCH_MODE: HeaderName = HeaderName::from_static("sec-fetch-mode");
const SEC_PURPOSE: HeaderName = HeaderName::from_static("sec-purpose");
const X_REQUESTED_WITH: HeaderName = HeaderName::from_static("x-requested-with");
const HX_REQUEST: HeaderName = HeaderName::from_static("hx-request");
const HX_HISTORY_RESTORE: HeaderName = HeaderName::from_static("hx-history-restore-request");
const X_UP_VERSION: HeaderName = HeaderName::from_static("x-up-version");
const X_INERTIA: HeaderName = HeaderName::from_static("x-inertia");

/// What the client does with a response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Client {
    /// Shows it as a page and follows redirects.
    Page,
    /// htmx, which follows `HX-Redirect` and would swap a redirect's target into the page.
    Htmx,
    /// Passes it to a program.
    Script,
}

impl Client {
    /// Reads it from the request's headers, as the table in the docs of [`guard`](crate::guard)
    /// says.
    pub(super) fn of(headers: &HeaderMap) -> Self {
        if headers.contains_key(HX_HISTORY_RESTORE) {
            // htmx shows the response as a whole page, and ignores `HX-Redirect` for this request.
            Self::Page
        } else if headers.contains_key(HX_REQUEST) {
            Self::Htmx
        } else if is_page_load(headers) {
            Self::Page
        } else {
            Self::Script
        }
    }
}

fn is_page_load(headers: &HeaderMap) -> bool {
    // Fetched before anyone asks for it. The browser drops a 401, and requests the page again when
    // the user goes there, who may have logged in by then.
    if headers.contains_key(SEC_PURPOSE) {
        return false;
    }
    let mut modes = headers.get_all(SEC_FETCH_MODE).iter();
    let mode = match (modes.next(), modes.next()) {
        (mode, None) => mode.map(HeaderValue::as_bytes),
        // No browser sends it twice.
        (_, Some(_)) => return false,
    };
    match mode {
        // Scripts can't set this header, so it outranks `X-Requested-With`.
        Some(b"navigate") => accepts(headers, "text/html") || !accepts(headers, "application/json"),
        // Older browsers send no mode, and no browser does over plain http.
        Some(b"cors" | b"same-origin") | None => {
            loads_pages(headers) || (!is_ajax(headers) && accepts(headers, "text/html"))
        }
        // Images, scripts and other parts of a page; WebSockets.
        Some(_) => false,
    }
}

/// Unpoly and Inertia load pages by script. Both follow redirects, and neither can show a 401.
fn loads_pages(headers: &HeaderMap) -> bool {
    headers.contains_key(X_UP_VERSION) || headers.contains_key(X_INERTIA)
}

/// jQuery and its successors say so. Android web views send the name of their app in the same
/// header.
fn is_ajax(headers: &HeaderMap) -> bool {
    headers
        .get_all(X_REQUESTED_WITH)
        .iter()
        .any(|value| value.as_bytes().eq_ignore_ascii_case(b"XMLHttpRequest"))
}

/// Whether `Accept` names this media type. `*/*` names none.
fn accepts(headers: &HeaderMap, media_type: &str) -> bool {
    let ranges = headers
        .get_all(ACCEPT)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','));
    ranges
        .map(|range| range.split(';').map(str::trim))
        .any(|mut range| {
            range
                .next()
                .is_some_and(|name| name.eq_ignore_ascii_case(media_type))
                && !range.any(is_unwanted)
        })
}

/// `q=0`, with up to three decimals: not acceptable (RFC 9110, section 12.4.2).
fn is_unwanted(parameter: &str) -> bool {
    parameter
        .split_once('=')
        .filter(|(name, _)| name.trim().eq_ignore_ascii_case("q"))
        .and_then(|(_, weight)| weight.trim().parse::<f32>().ok())
        .is_some_and(|weight| weight <= 0.0)
}
