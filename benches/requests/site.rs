//! Requests as a browser sends them, and a browser that keeps its cookies.

use std::hint::black_box;

use axum::{
    Router,
    body::{Body, Bytes},
    response::Response,
};
use http::{HeaderMap, HeaderValue, Method, Request, StatusCode, header};
use http_body_util::BodyExt;
use tower::ServiceExt;

/// The user of cases with one user.
pub(crate) const USER: i64 = 7;

pub(crate) fn login_path(user: i64) -> String {
    format!("/login/{user}")
}

/// A request that can be built any number of times. Its headers share their buffers, as those of a
/// server do.
pub(crate) struct Template {
    method: Method,
    path: String,
    headers: HeaderMap,
}

impl Template {
    pub(crate) fn get(path: &str, cookie: Option<&str>) -> Self {
        Self::new(Method::GET, path, cookie)
    }

    pub(crate) fn post(path: &str, cookie: Option<&str>) -> Self {
        Self::new(Method::POST, path, cookie)
    }

    fn new(method: Method, path: &str, cookie: Option<&str>) -> Self {
        let browser = [
            (header::HOST, "app.example"),
            (
                header::USER_AGENT,
                "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
            ),
            (header::ACCEPT, "*/*"),
            (header::ACCEPT_LANGUAGE, "en-GB,en;q=0.5"),
        ];
        let headers = browser.into_iter();
        let cookie = cookie.map(|cookie| (header::COOKIE, cookie));
        let headers = headers.chain(cookie).map(|(name, value)| {
            let value = HeaderValue::from_str(value).unwrap();
            // The first clone makes the buffer shared.
            (name, value.clone())
        });
        Self {
            method,
            path: path.to_owned(),
            headers: headers.collect(),
        }
    }

    pub(crate) fn request(&self) -> Request<Body> {
        let mut request = Request::new(Body::empty());
        *request.method_mut() = self.method.clone();
        *request.uri_mut() = self.path.parse().unwrap();
        *request.headers_mut() = self.headers.clone();
        request
    }
}

/// Serves a request and discards the body of the response. This is what is timed and counted.
pub(crate) async fn serve(site: &Router, request: Request<Body>) -> (StatusCode, HeaderMap) {
    let mut response = site.clone().oneshot(request).await.unwrap();
    let (status, headers) = (response.status(), std::mem::take(response.headers_mut()));
    black_box(drain(response).await);
    (status, headers)
}

async fn drain(response: Response) -> usize {
    let mut body = response.into_body();
    let mut length = 0;
    while let Some(frame) = body.frame().await {
        length += frame.unwrap().data_ref().map_or(0, Bytes::len);
    }
    length
}

/// A response with its body, for the checks.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

pub(crate) async fn ask(site: &Router, template: &Template) -> Answer {
    let response = site.clone().oneshot(template.request()).await.unwrap();
    let (parts, body) = response.into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    Answer {
        status: parts.status,
        headers: parts.headers,
        body: String::from_utf8(body.into()).unwrap(),
    }
}

/// The `Cookie` header of a browser that has received these cookies, or `None` if there are none.
pub(crate) fn cookie_header(headers: &HeaderMap) -> Option<String> {
    let cookies = headers.get_all(header::SET_COOKIE).into_iter();
    let cookies: Vec<_> = cookies
        .map(|cookie| cookie.to_str().unwrap().split(';').next().unwrap())
        .collect();
    (!cookies.is_empty()).then(|| cookies.join("; "))
}

/// Logs a user in and returns the `Cookie` header of the browser, or `None` for the bare router.
pub(crate) async fn log_in(site: &Router, user: i64) -> Option<String> {
    let answer = ask(site, &Template::post(&login_path(user), None)).await;
    assert_eq!(answer.status, StatusCode::OK);
    cookie_header(&answer.headers)
}
