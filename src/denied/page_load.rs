//! Whether a request loads a page, so that a redirect to the login page reaches the user.

use http::{HeaderMap, HeaderValue};
use memchr::memchr;

/// What the client does with a response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Client {
    /// Shows it as a page and follows redirects.
    Page,
    /// htmx, which follows `HX-Redirect` and would swap a redirect's target into the page.
    Htmx,
    /// Passes it to a program.
    Script,
}

impl Client {
    /// Reads it from the request's headers, as the table in [the
    /// manual](crate::manual::guarding_pages#what-is-a-page-load) shows.
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        let seen = Seen::in_headers(headers);
        if seen.hx_history_restore {
            // htmx shows the response as a whole page, and ignores `HX-Redirect` for this request.
            Self::Page
        } else if seen.hx_request {
            Self::Htmx
        } else if seen.is_page_load() {
            Self::Page
        } else {
            Self::Script
        }
    }
}

/// What the headers say about the client. They are read in one pass, since ten lookups would take
/// as long as the rest of the response to a denied request.
#[derive(Default)]
struct Seen<'a> {
    hx_history_restore: bool,
    hx_request: bool,
    /// Unpoly and Inertia load pages by script. Both follow redirects, and neither can show a 401.
    loads_pages: bool,
    /// `X-Requested-With` names `XMLHttpRequest`, as jQuery and others send it. Android web views
    /// send the name of their app in the same header.
    is_ajax: bool,
    /// The browser prefetches or prerenders the page.
    is_prefetch: bool,
    mode: Option<&'a [u8]>,
    /// `Sec-Fetch-Mode` occurs twice, which no browser sends.
    has_two_modes: bool,
    accepts_html: bool,
    accepts_json: bool,
}

impl<'a> Seen<'a> {
    fn in_headers(headers: &'a HeaderMap) -> Self {
        let mut seen = Self::default();
        for (name, value) in headers {
            match name.as_str() {
                "hx-history-restore-request" => seen.hx_history_restore = true,
                "hx-request" => seen.hx_request = true,
                "x-up-version" | "x-inertia" => seen.loads_pages = true,
                "x-requested-with" => {
                    seen.is_ajax |= value.as_bytes().eq_ignore_ascii_case(b"XMLHttpRequest");
                }
                "sec-purpose" => seen.is_prefetch = true,
                "sec-fetch-mode" => {
                    let before = seen.mode.replace(value.as_bytes());
                    seen.has_two_modes |= before.is_some();
                }
                "accept" => seen.read_accept(value),
                _ => {}
            }
        }
        seen
    }

    /// Reads which media types the header names. `*/*` names none.
    fn read_accept(&mut self, accept: &HeaderValue) {
        let mut rest = accept.as_bytes();
        loop {
            let (range, more) = rest.split_at(memchr(b',', rest).unwrap_or(rest.len()));
            let (name, parameters) = range.split_at(memchr(b';', range).unwrap_or(range.len()));
            let names = |media_type: &[u8]| {
                name.trim_ascii().eq_ignore_ascii_case(media_type) && !is_unwanted(parameters)
            };
            self.accepts_html |= names(b"text/html");
            self.accepts_json |= names(b"application/json");
            match more.split_first() {
                Some((_, after)) => rest = after,
                None => return,
            }
        }
    }

    fn is_page_load(&self) -> bool {
        match self.mode {
            _ if self.has_two_modes => false,
            // The browser drops a 401, and requests the page again when the user goes there. By
            // then, they may have logged in.
            _ if self.is_prefetch => false,
            // Scripts can't set this header, so it outranks `X-Requested-With`.
            Some(b"navigate") => self.accepts_html || !self.accepts_json,
            // Older browsers send no mode, nor does any browser over plain http.
            Some(b"cors" | b"same-origin") | None => {
                self.loads_pages || (!self.is_ajax && self.accepts_html)
            }
            // Images, scripts and other parts of a page; WebSockets.
            Some(_) => false,
        }
    }
}

/// `q=0`, with up to three decimals: not acceptable (RFC 9110, section 12.4.2).
fn is_unwanted(parameters: &[u8]) -> bool {
    let parameters = str::from_utf8(parameters).unwrap_or_default().split(';');
    parameters
        .filter_map(|parameter| parameter.split_once('='))
        .filter(|(name, _)| name.trim().eq_ignore_ascii_case("q"))
        .filter_map(|(_, weight)| weight.trim().parse::<f32>().ok())
        .any(|weight| weight <= 0.0)
}
