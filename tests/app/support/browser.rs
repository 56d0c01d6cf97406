//! A browser, which stores and sends cookies by the rules of RFC 6265bis.

use std::collections::BTreeMap;

use axum::{Router, body::Body};
use http::{HeaderMap, HeaderValue, Method, Request, StatusCode, header};
use tokio::task::JoinHandle;
use tower::ServiceExt;

/// One visitor's browser, at `https://app.example`.
#[derive(Clone)]
pub struct Browser {
    app: Router,
    cookies: BTreeMap<String, Stored>,
    /// Sent with every request, cookies apart.
    pub headers: HeaderMap,
}

#[derive(Clone, Debug)]
struct Stored {
    value: String,
    path: String,
}

/// A response.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: String,
}

impl Answer {
    pub fn location(&self) -> &str {
        self.headers[header::LOCATION].to_str().unwrap()
    }

    /// The `Set-Cookie` headers as they are.
    pub fn set_cookies(&self) -> Vec<String> {
        self.headers
            .get_all(header::SET_COOKIE)
            .iter()
            .map(|value| value.to_str().unwrap().to_owned())
            .collect()
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }
}

impl Browser {
    pub fn new(app: Router) -> Self {
        let mut headers = HeaderMap::new();
        headers.insert(
            header::ACCEPT,
            "text/html,application/xhtml+xml,*/*;q=0.8".parse().unwrap(),
        );
        headers.insert(
            header::USER_AGENT,
            "Mozilla/5.0 (X11; Linux x86_64) Test/1.0".parse().unwrap(),
        );
        Self {
            app,
            cookies: BTreeMap::new(),
            headers,
        }
    }

    /// The application that it visits.
    pub fn app(&self) -> Router {
        self.app.clone()
    }

    /// Sends a request on a task of its own, from a copy of this browser that comes back with the
    /// answer.
    pub fn start(&self, method: Method, uri: &str) -> JoinHandle<(Self, Answer)> {
        let (mut browser, uri) = (self.clone(), uri.to_owned());
        tokio::spawn(async move {
            let answer = browser.send(method, &uri).await;
            (browser, answer)
        })
    }

    /// Applies the `Set-Cookie` headers of a response to another request.
    pub fn receive(&mut self, answer: &Answer) {
        for cookie in answer.set_cookies() {
            self.obey(&cookie);
        }
    }

    /// The same visitor, after the application was started anew.
    pub fn moved_to(&self, app: Router) -> Self {
        Self {
            app,
            ..self.clone()
        }
    }

    /// Closes the browser and opens it again: only the remember cookies are left.
    pub fn restart(&mut self) {
        self.cookies.retain(|name, _| name.ends_with("-remember"));
    }

    /// Another visitor of the same application.
    pub fn another(&self) -> Self {
        Self {
            cookies: BTreeMap::new(),
            ..self.clone()
        }
    }

    pub async fn get(&mut self, uri: &str) -> Answer {
        self.send(Method::GET, uri).await
    }

    pub async fn post(&mut self, uri: &str) -> Answer {
        self.send(Method::POST, uri).await
    }

    pub async fn send(&mut self, method: Method, uri: &str) -> Answer {
        let request = self.request(method, uri);
        self.deliver(request).await
    }

    /// The request that this browser would send now; [`deliver`](Self::deliver) sends it.
    pub fn request(&self, method: Method, uri: &str) -> Request<Body> {
        let mut request = Request::builder()
            .method(method)
            .uri(uri)
            .body(Body::empty())
            .unwrap();
        request.headers_mut().extend(self.headers.clone());
        if let Some(cookies) = self.cookie_header(uri.split('?').next().unwrap()) {
            request
                .headers_mut()
                .insert(header::COOKIE, cookies.parse().unwrap());
        }
        request
    }

    /// A GET of another browser with exactly these `Cookie` headers.
    pub async fn get_with_cookies<C: AsRef<[u8]>>(&self, uri: &str, cookies: &[C]) -> Answer {
        let mut request = self.another().request(Method::GET, uri);
        for cookie in cookies {
            let cookie = HeaderValue::from_bytes(cookie.as_ref()).unwrap();
            request.headers_mut().append(header::COOKIE, cookie);
        }
        send(&self.app, request).await
    }

    pub async fn deliver(&mut self, request: Request<Body>) -> Answer {
        let answer = send(&self.app, request).await;
        self.receive(&answer);
        answer
    }

    /// The `Cookie` header for a path.
    pub fn cookie_header(&self, path: &str) -> Option<String> {
        let sent = self
            .cookies
            .iter()
            .filter(|(_, cookie)| path_matches(path, &cookie.path));
        let sent: Vec<_> = sent
            .map(|(name, cookie)| format!("{name}={}", cookie.value))
            .collect();
        (!sent.is_empty()).then(|| sent.join("; "))
    }

    /// The value of the cookie whose name ends so.
    pub fn cookie(&self, ending: &str) -> Option<String> {
        self.cookies
            .iter()
            .find(|(name, _)| name.ends_with(ending))
            .map(|(_, cookie)| cookie.value.clone())
    }

    pub fn cookie_names(&self) -> Vec<&str> {
        self.cookies.keys().map(String::as_str).collect()
    }

    /// Adds a cookie, as an attacker or an earlier release would.
    pub fn plant(&mut self, name: &str, value: &str) {
        self.cookies.insert(
            name.into(),
            Stored {
                value: value.into(),
                path: "/".into(),
            },
        );
    }

    pub fn forget(&mut self, name: &str) {
        self.cookies.remove(name).unwrap();
    }

    pub fn forget_cookies(&mut self) {
        self.cookies.clear();
    }

    fn obey(&mut self, set_cookie: &str) {
        let mut parts = set_cookie.split(';').map(str::trim);
        let (name, value) = parts.next().unwrap().split_once('=').unwrap();
        let attributes: BTreeMap<String, &str> = parts
            .map(|part| part.split_once('=').unwrap_or((part, "")))
            .map(|(name, value)| (name.to_ascii_lowercase(), value))
            .collect();
        let secure = attributes.contains_key("secure");
        let path = attributes.get("path").copied().unwrap_or("/");
        if name.starts_with("__Host-")
            && !(secure && path == "/" && !attributes.contains_key("domain"))
        {
            return;
        }
        if name.starts_with("__Secure-") && !secure {
            return;
        }
        let gone = attributes
            .get("max-age")
            .is_some_and(|age| age.parse::<i64>().unwrap() <= 0);
        if gone {
            self.cookies.remove(name);
        } else {
            self.cookies.insert(
                name.into(),
                Stored {
                    value: value.into(),
                    path: path.into(),
                },
            );
        }
    }
}

/// One request to an application, without a browser's memory.
pub async fn send(app: &Router, request: Request<Body>) -> Answer {
    let response = app.clone().oneshot(request).await.unwrap();
    let (head, body) = response.into_parts();
    let body = axum::body::to_bytes(body, usize::MAX).await.unwrap();
    // Background tasks of the request get their turn.
    for _ in 0..8 {
        tokio::task::yield_now().await;
    }
    Answer {
        status: head.status,
        headers: head.headers,
        body: String::from_utf8(body.to_vec()).unwrap(),
    }
}

fn path_matches(path: &str, cookie_path: &str) -> bool {
    path == cookie_path
        || path
            .strip_prefix(cookie_path)
            .is_some_and(|rest| cookie_path.ends_with('/') || rest.starts_with('/'))
}
