//! Which clients are redirected to the login page: the table in the docs of `guard`, a row for each
//! client.

use http::{HeaderMap, HeaderName, Method};

use crate::support::doors::{DOORS, HTML, with_login_page};

#[derive(Clone, Copy, Debug, PartialEq)]
enum Gets {
    /// 303 to the login page.
    Page,
    /// 401 with `HX-Redirect`.
    HxRedirect,
    /// 401.
    Status,
}
use Gets::{HxRedirect, Page, Status};

/// The header that jQuery, Rails and others send.
const AJAX: (&str, &str) = ("x-requested-with", "XMLHttpRequest");
const APP: (&str, &str) = ("x-requested-with", "com.example.shop");
const TURBO: (&str, &str) = ("accept", "text/html, application/xhtml+xml");
const TURBO_STREAM: &str = "text/vnd.turbo-stream.html, text/html, application/xhtml+xml";
const AXIOS: &str = "application/json, text/plain, */*";
const ANY: (&str, &str) = ("accept", "*/*");
const PAGE: (&str, &str) = ("accept", HTML);
const NAVIGATE: (&str, &str) = ("sec-fetch-mode", "navigate");
const CORS: (&str, &str) = ("sec-fetch-mode", "cors");
const SAME_ORIGIN: (&str, &str) = ("sec-fetch-mode", "same-origin");
const NO_CORS: (&str, &str) = ("sec-fetch-mode", "no-cors");
const EMPTY: (&str, &str) = ("sec-fetch-dest", "empty");
const HX: (&str, &str) = ("hx-request", "true");

type Row = (&'static str, &'static [(&'static str, &'static str)], Gets);

#[rustfmt::skip]
const CLIENTS: &[Row] = &[
    // Browsers.
    ("link", &[PAGE, NAVIGATE, ("sec-fetch-dest", "document")], Page),
    ("iframe", &[PAGE, NAVIGATE, ("sec-fetch-dest", "iframe")], Page),
    ("form", &[PAGE, NAVIGATE, ("sec-fetch-user", "?1")], Page),
    ("object", &[PAGE, NAVIGATE, ("sec-fetch-dest", "object")], Page),
    ("browser over plain http", &[PAGE], Page),
    ("navigation for anything", &[ANY, NAVIGATE], Page),
    ("navigation for json", &[("accept", "application/json"), NAVIGATE], Status),
    // Web views of apps.
    ("Android web view", &[PAGE, NAVIGATE, APP], Page),
    ("Android web view over plain http", &[PAGE, APP], Page),
    ("web view with a misleading app", &[PAGE, NAVIGATE, AJAX], Page),
    ("app whose name contains the word", &[PAGE, ("x-requested-with", "com.XMLHttpRequest")], Page),
    // Pages loaded by script.
    ("Turbo Drive", &[TURBO, CORS, EMPTY], Page),
    ("Turbo Drive over plain http", &[TURBO], Page),
    ("Turbo Frame", &[TURBO, CORS, EMPTY, ("turbo-frame", "cart")], Page),
    ("Turbo form", &[("accept", TURBO_STREAM), CORS, EMPTY], Page),
    ("Turbo in an Android web view", &[TURBO, CORS, EMPTY, APP], Page),
    ("Unpoly", &[ANY, CORS, EMPTY, ("x-up-version", "3.10.2")], Page),
    ("Unpoly 1", &[ANY, CORS, AJAX, ("x-up-version", "1.0.3")], Page),
    ("Inertia", &[TURBO, CORS, EMPTY, AJAX, ("x-inertia", "true")], Page),
    ("fetch for a page", &[("accept", "text/html"), SAME_ORIGIN, EMPTY], Page),
    ("fetch for a page in capitals", &[("accept", "Text/HTML;level=1"), CORS], Page),
    // htmx.
    ("htmx", &[ANY, CORS, EMPTY, HX], HxRedirect),
    ("htmx that names html", &[PAGE, HX], HxRedirect),
    ("htmx boosted", &[ANY, CORS, HX, ("hx-boosted", "true")], HxRedirect),
    ("htmx in an Android web view", &[ANY, CORS, HX, APP], HxRedirect),
    ("htmx history", &[ANY, CORS, HX, ("hx-history-restore-request", "true")], Page),
    ("htmx 1 history", &[ANY, ("hx-history-restore-request", "true")], Page),
    // Scripts.
    ("jQuery", &[ANY, CORS, EMPTY, AJAX], Status),
    ("jQuery for html", &[("accept", "text/html, */*; q=0.01"), CORS, AJAX], Status),
    ("jQuery over plain http", &[("accept", "text/html, */*; q=0.01"), AJAX], Status),
    ("ajax in lower case", &[PAGE, CORS, ("x-requested-with", "xmlhttprequest")], Status),
    ("fetch", &[ANY, CORS, EMPTY], Status),
    ("fetch in an Android web view", &[ANY, CORS, EMPTY, APP], Status),
    ("axios", &[("accept", AXIOS), CORS, EMPTY], Status),
    ("fetch for json", &[("accept", "application/json"), SAME_ORIGIN], Status),
    ("fetch that refuses html", &[("accept", "application/json, text/html;q=0"), CORS], Status),
    ("client that refuses html", &[("accept", "text/html ; Q=0.000")], Status),
    ("html at a low weight", &[("accept", "text/html;q=0.001"), CORS], Page),
    ("EventSource", &[("accept", "text/event-stream"), CORS, EMPTY], Status),
    ("WebSocket", &[PAGE, ("sec-fetch-mode", "websocket")], Status),
    // Parts of a page.
    ("image", &[("accept", "image/avif,image/webp,*/*;q=0.8"), NO_CORS], Status),
    ("link prefetch", &[ANY, NO_CORS, EMPTY, ("sec-purpose", "prefetch")], Status),
    ("prefetch of a page", &[PAGE, NAVIGATE, ("sec-purpose", "prefetch")], Status),
    ("prerendering", &[PAGE, NAVIGATE, ("sec-purpose", "prefetch;prerender")], Status),
    ("prefetch that names html", &[PAGE, NO_CORS, EMPTY, ("sec-purpose", "prefetch")], Status),
    // Programs.
    ("curl", &[ANY], Status),
    ("no headers", &[], Status),
    ("two modes", &[PAGE, NAVIGATE, CORS], Status),
];

#[tokio::test]
async fn each_client_gets_a_redirect_or_401_as_documented() {
    let to_login = Some("/login?next=/me%3Ftab%3D2&notice=login");
    for (client, headers, gets) in CLIENTS {
        for door in DOORS {
            let (mut world, runs) = door.world(with_login_page);
            let mut sent = HeaderMap::new();
            for (name, value) in *headers {
                sent.append(name.parse::<HeaderName>().unwrap(), value.parse().unwrap());
            }
            world.browser.headers = sent;
            let answer = world.browser.send(Method::GET, "/me?tab=2").await;
            let (location, hx) = (answer.header("location"), answer.header("hx-redirect"));
            // The page around htmx's part is not known.
            let is_part = *gets == HxRedirect && *client != "htmx boosted";
            let url = if is_part {
                Some("/login?notice=login")
            } else {
                to_login
            };
            let expected = match gets {
                Page => (303, to_login, None),
                HxRedirect => (401, None, url),
                Status => (401, None, None),
            };
            assert_eq!(
                (answer.status.as_u16(), location, hx),
                expected,
                "{client}, {door:?}"
            );
            assert_eq!(runs.take(), 0, "{client}, {door:?}");
        }
    }
}

#[tokio::test]
async fn page_loads_get_401_if_there_is_no_login_page() {
    for (client, headers, gets) in CLIENTS.iter().filter(|(.., gets)| *gets == Page) {
        let (mut world, _) = DOORS[1].world(|manager| manager);
        for (name, value) in *headers {
            let name = name.parse::<HeaderName>().unwrap();
            world.browser.headers.insert(name, value.parse().unwrap());
        }
        let answer = world.browser.get("/me").await;
        assert_eq!(answer.status, 401, "{client}: {gets:?}");
        assert!(answer.header("www-authenticate").is_some(), "{client}");
    }
}
