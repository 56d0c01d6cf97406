//! Cookies for the contenders that have no library for them.

use http::{HeaderMap, HeaderValue, header};

/// The value of the first cookie of this name.
pub(super) fn find<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let cookies = headers.get_all(header::COOKIE).into_iter();
    cookies
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split("; "))
        .find_map(|cookie| cookie.strip_prefix(name)?.strip_prefix('='))
}

/// A `Set-Cookie` header that sets a cookie until the browser is closed.
pub(super) fn set(name: &str, value: &str) -> [(header::HeaderName, HeaderValue); 1] {
    header(format!(
        "{name}={value}; Path=/; HttpOnly; Secure; SameSite=Lax"
    ))
}

/// A `Set-Cookie` header that removes a cookie.
pub(super) fn remove(name: &str) -> [(header::HeaderName, HeaderValue); 1] {
    header(format!(
        "{name}=; Path=/; HttpOnly; Secure; SameSite=Lax; Max-Age=0"
    ))
}

fn header(cookie: String) -> [(header::HeaderName, HeaderValue); 1] {
    [(header::SET_COOKIE, cookie.try_into().unwrap())]
}
