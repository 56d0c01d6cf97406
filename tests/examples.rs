//! The examples on axum, driven in process: what people copy has to work.
#![allow(unreachable_pub, reason = "there is no outside to a test crate")]
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "it is a test"
)]

#[allow(dead_code, reason = "a helper for the next test does no harm")]
#[path = "app/support/browser.rs"]
mod browser;

mod folder;

#[allow(dead_code, reason = "its main isn't called")]
#[path = "../examples/quickstart/src/main.rs"]
mod quickstart;

#[allow(dead_code, reason = "its main isn't called")]
#[path = "../examples/tutorial/src/main.rs"]
mod tutorial;

#[allow(dead_code, reason = "its main isn't called")]
#[path = "../examples/two_realms/src/main.rs"]
mod two_realms;

#[allow(dead_code, reason = "its main isn't called")]
#[path = "../examples/api_keys/src/main.rs"]
mod api_keys;

#[allow(dead_code, reason = "its main isn't called")]
#[path = "../examples/import_users/src/main.rs"]
mod import_users;

#[allow(dead_code, reason = "its main isn't called")]
#[path = "../examples/oidc/src/main.rs"]
mod oidc;

#[allow(dead_code, reason = "its main isn't called")]
#[path = "../examples/passkeys/src/main.rs"]
mod passkeys;

#[allow(dead_code, reason = "its main isn't called")]
#[path = "../examples/password_reset/src/main.rs"]
mod password_reset;

#[allow(dead_code, reason = "its main isn't called")]
#[path = "../examples/payment/src/main.rs"]
mod payment;

#[allow(dead_code, reason = "its main isn't called")]
#[path = "../examples/single_page_app/src/main.rs"]
mod single_page_app;

#[allow(dead_code, reason = "its main isn't called")]
#[path = "../examples/own_store/src/main.rs"]
mod own_store;

#[allow(dead_code, reason = "its main isn't called")]
#[path = "../examples/stores/src/main.rs"]
mod stores;

#[allow(dead_code, reason = "its main isn't called")]
#[path = "../examples/second_factor/src/main.rs"]
mod second_factor;

#[allow(dead_code, reason = "its main isn't called")]
#[path = "../examples/throttled_login/src/main.rs"]
mod throttled_login;

#[allow(dead_code, reason = "its main isn't called")]
#[path = "../examples/with_tower_cookies/src/main.rs"]
mod with_tower_cookies;

#[allow(dead_code, reason = "its main isn't called")]
#[path = "../examples/permissions/src/main.rs"]
mod permissions;

#[allow(dead_code, reason = "its main isn't called")]
#[path = "../examples/event_metrics/src/main.rs"]
mod event_metrics;

#[allow(dead_code, reason = "its main isn't called")]
#[path = "../examples/htmx/src/main.rs"]
mod htmx;

use std::{
    collections::BTreeMap,
    fs,
    net::SocketAddr,
    path::PathBuf,
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{
    Router,
    body::Body,
    extract::{ConnectInfo, connect_info::MockConnectInfo},
};
use http::{HeaderValue, Method, StatusCode, header::CONTENT_TYPE};
use login_manager::{Passwords, testing::store_contract};
use sqlx::{Connection, SqliteConnection, sqlite::SqliteConnectOptions};
use tokio::task::{self, JoinHandle};
use url::{Url, form_urlencoded};

use crate::{
    browser::{Answer, Browser},
    folder::Folder,
};

/// She registers in the tutorial, where the login ignores her address.
const ALICE: [(&str, &str); 3] = [
    ("username", "alice"),
    ("password", "down the rabbit hole"),
    ("email", "alice@example.com"),
];
/// She changes it.
const NEW_PASSWORD: [(&str, &str); 2] = [
    ("current_password", ALICE[1].1),
    ("new_password", "through the glass"),
];
/// She is one of the quickstart's two.
const QUICK_ALICE: [(&str, &str); 2] = [("username", "alice"), ("password", "wonderland")];

async fn submit(browser: &mut Browser, uri: &str, fields: &[(&str, &str)]) -> Answer {
    let mut request = browser.request(Method::POST, uri);
    let form = form_urlencoded::Serializer::new(String::new())
        .extend_pairs(fields)
        .finish();
    *request.body_mut() = Body::from(form);
    let kind = HeaderValue::from_static("application/x-www-form-urlencoded");
    request.headers_mut().insert(CONTENT_TYPE, kind);
    browser.deliver(request).await
}

#[track_caller]
fn assert_redirects(answer: &Answer, to: &str) {
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.body);
    assert_eq!(answer.location(), to);
}

/// The form once more, with this to read.
#[track_caller]
fn assert_complains(answer: &Answer, complaint: &str) {
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(answer.body.contains(complaint), "{}", answer.body);
    assert!(answer.body.contains(r#"<form method="post""#));
}

/// The tutorial's form once more: the title says so, and these fields, and no others, refer to the
/// error.
#[track_caller]
fn assert_complains_of(answer: &Answer, fields: &[&str], complaint: &str) {
    assert_complains(answer, complaint);
    let page = &answer.body;
    assert!(page.contains("<title>Error: "), "{page}");
    assert!(page.contains(r#"id="problem" role="alert""#), "{page}");
    let mut focused = 0;
    for input in page.split("<input ").skip(1) {
        let (input, _) = input.split_once('>').unwrap();
        let (_, name) = input.split_once("name=\"").unwrap();
        let (name, _) = name.split_once('"').unwrap();
        let is_wrong = fields.contains(&name);
        assert_eq!(
            input.contains(r#"aria-invalid="true""#),
            is_wrong,
            "{input}"
        );
        let describes = input.contains(r#"aria-describedby="problem"#);
        assert_eq!(describes, is_wrong, "{input}");
        if input.contains("autofocus") {
            assert!(is_wrong, "{input}");
            focused += 1;
        }
    }
    assert_eq!(focused, 1, "{page}");
    for form in page.split("<form ").skip(1) {
        let (form, _) = form.split_once('>').unwrap();
        assert!(!form.contains("aria-"), "a form describes nothing: {form}");
    }
}

/// To the last header: nobody learns from one of them what the other doesn't tell.
#[track_caller]
fn assert_same(one: &Answer, other: &Answer) {
    assert_eq!(one.status, other.status);
    assert_eq!(one.headers, other.headers);
    assert_eq!(one.body, other.body);
}

#[tokio::test]
async fn quickstart_logs_in_stays_logged_in_and_logs_out() {
    let mut browser = Browser::new(quickstart::app().await.unwrap());
    assert!(browser.get("/").await.body.contains("Hello, stranger!"));
    let sent_away = browser.get("/dashboard").await;
    assert_redirects(&sent_away, "/login?next=/dashboard&notice=login");
    assert!(
        browser
            .get(sent_away.location())
            .await
            .body
            .contains("<form")
    );

    assert_redirects(
        &submit(&mut browser, sent_away.location(), &QUICK_ALICE).await,
        "/dashboard",
    );
    assert_eq!(browser.cookie_names(), ["__Host-user-session"]);
    assert!(
        browser
            .get("/dashboard")
            .await
            .body
            .contains("Hello, alice!")
    );
    assert!(browser.get("/").await.body.contains("Hello, alice!"));

    assert_redirects(&browser.post("/logout").await, "/");
    assert!(browser.cookie_names().is_empty());
    assert_eq!(
        browser.get("/dashboard").await.status,
        StatusCode::SEE_OTHER
    );
}

#[tokio::test]
async fn quickstart_treats_wrong_names_and_passwords_alike() {
    let mut browser = Browser::new(quickstart::app().await.unwrap());
    let wrong_password = [("username", "alice"), ("password", "builder")];
    let wrong_name = [("username", "nobody"), ("password", "wonderland")];
    let answer = submit(&mut browser, "/login", &wrong_password).await;
    assert_complains(&answer, "Wrong user name or password.");
    let other = submit(&mut browser, "/login", &wrong_name).await;
    assert_same(&answer, &other);
    assert!(browser.cookie_names().is_empty());

    let long = "a".repeat(Passwords::MAX_BYTES + 1);
    let [answer, other] = [
        submit(
            &mut browser,
            "/login",
            &[("username", "alice"), ("password", &long)],
        )
        .await,
        submit(
            &mut browser,
            "/login",
            &[("username", "nobody"), ("password", &long)],
        )
        .await,
    ];
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_same(&answer, &other);
}

#[tokio::test]
async fn quickstart_stays_on_its_site_after_a_login() {
    let mut browser = Browser::new(quickstart::app().await.unwrap());
    let elsewhere = "/login?next=https://evil.example/";
    assert_redirects(
        &submit(&mut browser, elsewhere, &QUICK_ALICE).await,
        "/dashboard",
    );
}

#[tokio::test]
async fn forms_of_other_sites_are_refused() {
    let database = Database::new();
    for app in [quickstart::app().await.unwrap(), database.app().await] {
        let mut browser = Browser::new(app);
        let cross_site = HeaderValue::from_static("cross-site");
        browser.headers.insert("sec-fetch-site", cross_site);
        for uri in ["/login", "/logout"] {
            let answer = submit(&mut browser, uri, &ALICE).await;
            assert_eq!(answer.status, StatusCode::FORBIDDEN);
        }
    }
}

#[tokio::test]
async fn import_users_renews_each_hash_at_the_first_login() {
    let folder = Folder::new();
    let database = import_users::open(folder.path().join("flaskr.db"));
    let database = database.await.unwrap();
    let app = import_users::app(database.clone()).await.unwrap();
    let hash_of = async |name| {
        let sql = "SELECT password FROM user WHERE username = ?";
        let hash = sqlx::query_scalar(sql).bind(name).fetch_one(&database);
        let hash: String = hash.await.unwrap();
        hash
    };
    for (name, password, other) in [
        ("alice", "wonderland", "builder"),
        ("bob", "builder", "wonderland"),
    ] {
        let old = hash_of(name).await;
        assert!(!old.starts_with('$'), "{old}");
        let mut browser = Browser::new(app.clone());
        let wrong = [("username", name), ("password", other)];
        let answer = submit(&mut browser, "/login", &wrong).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert_eq!(answer.body, "Wrong user name or password.\n");
        assert_eq!(hash_of(name).await, old);

        let right = [("username", name), ("password", password)];
        let answer = submit(&mut browser, "/login", &right).await;
        assert_eq!(answer.body, "Logged in, and the hash was renewed.\n");
        let hash = hash_of(name).await;
        assert!(hash.starts_with("$argon2id$"), "{hash}");
        let home = browser.get("/").await.body;
        assert_eq!(home, format!("Hello, {name}!\n"));

        let answer = submit(&mut browser, "/login", &right).await;
        assert_eq!(answer.body, "Logged in.\n");
        assert_eq!(hash_of(name).await, hash);
    }
    let unknown = [("username", "nobody"), ("password", "wonderland")];
    let answer = submit(&mut Browser::new(app), "/login", &unknown).await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
}

#[tokio::test]
async fn tutorial_registers_logs_in_and_logs_out() {
    let database = Database::new();
    let mut browser = Browser::new(database.app().await);
    assert!(browser.get("/").await.body.contains("Welcome, stranger!"));

    assert!(browser.cookie_names().is_empty());
    let registered = submit(&mut browser, "/register", &ALICE).await;
    assert_redirects(&registered, "/protected");
    let known = "__Host-account-browser";
    assert_eq!(browser.cookie_names(), [known, "__Host-account-session"]);
    let created = "Your account has been created";
    let page = browser.get("/protected").await.body;
    assert!(page.contains("Hello, alice!") && page.contains(created));
    assert!(!browser.get("/protected").await.body.contains(created));

    for _ in 0..2 {
        let logged_out = browser.post("/logout").await;
        assert_redirects(&logged_out, "/logged-out");
        let page = browser.get(logged_out.location()).await.body;
        assert!(page.contains("You have been logged out."), "{page}");
        assert_eq!(browser.cookie_names(), [known]);
        let denied = browser.get("/protected").await;
        assert_eq!(denied.status, StatusCode::SEE_OTHER);

        let logged_in = submit(&mut browser, "/login", &ALICE).await;
        assert_redirects(&logged_in, "/protected");
        let protected = browser.get("/protected").await;
        assert!(protected.body.contains("Hello, alice!"));
        assert_eq!(protected.header("cache-control"), Some("no-store"));
    }
}

#[tokio::test]
async fn tutorial_leads_back_to_the_page_that_was_denied() {
    let database = Database::new();
    let mut browser = Browser::new(database.app().await);
    submit(&mut browser, "/register", &ALICE).await;
    let mut browser = browser.another();
    let sent_away = browser.get("/protected?page=2").await;
    assert_redirects(&sent_away, "/login?next=/protected%3Fpage%3D2&notice=login");
    let page = browser.get(sent_away.location()).await.body;
    assert!(
        page.contains("Please log in to access this page."),
        "{page}"
    );
    let back = submit(&mut browser, sent_away.location(), &ALICE).await;
    assert_redirects(&back, "/protected?page=2");
}

#[tokio::test]
async fn tutorial_treats_wrong_names_and_passwords_alike() {
    let database = Database::new();
    let mut browser = Browser::new(database.app().await);
    submit(&mut browser, "/register", &ALICE).await;
    let mut browser = browser.another();
    let long = "a".repeat(Passwords::MAX_BYTES + 1);
    let mut answers = Vec::new();
    for (name, password) in [
        ("alice", "mirror"),
        ("nobody", ALICE[1].1),
        ("alice", &long),
        ("nobody", &long),
    ] {
        let form = [("username", name), ("password", password)];
        let answer = submit(&mut browser, "/login?next=/&notice=login", &form).await;
        let fields = ["username", "password"];
        assert_complains_of(&answer, &fields, "Wrong user name or password.");
        assert!(answer.body.contains(&format!(r#"value="{name}""#)));
        assert!(!answer.body.contains(password), "a password comes back");
        assert!(!answer.body.contains("Please log in to access"));
        let mut answer = answer;
        // All that differs is what was typed.
        answer.body = answer.body.replace(name, "typed");
        answer.headers.remove("content-length");
        answers.push(answer);
    }
    assert!(browser.cookie_names().is_empty());
    for answer in &answers[1..] {
        assert_same(&answers[0], answer);
    }
}

/// After five failures the next guess waits, whether or not the name is that of a user.
#[tokio::test]
async fn tutorial_throttles_unknown_names_and_old_hashes_alike() {
    let database = Database::new();
    let mut browser = Browser::new(database.app().await);
    submit(&mut browser, "/register", &ALICE).await;
    let from_cheaper_days = "UPDATE accounts SET password_hash = '$argon2id$v=19$m=64,t=1,p=1$b25seSBmb3IgYSB0ZXN0IQ$tfRMN+egWZHqzmYVD6S+iSM4mnfvqA/waroBmPZEg7A'";
    database.execute(from_cheaper_days).await;
    let bob = [("username", "bob"), ALICE[1]];
    submit(&mut browser.another(), "/register", &bob).await;
    let mut answers = Vec::new();
    for name in ["alice", "bob", "nobody"] {
        let form = [("username", name), ("password", "through the mirror")];
        let mut guesses = Vec::new();
        for _ in 0..6 {
            let mut answer = submit(&mut browser.another(), "/login", &form).await;
            answer.body = answer.body.replace(name, "typed");
            answer.headers.remove("content-length");
            guesses.push(answer);
        }
        let statuses: Vec<_> = guesses.iter().map(|it| it.status.as_u16()).collect();
        assert_eq!(statuses, [422, 422, 422, 422, 422, 429], "{name}");
        answers.push(guesses);
    }
    for others in &answers[1..] {
        for (one, other) in answers[0].iter().zip(others) {
            assert_same(one, other);
        }
    }
}

#[tokio::test]
async fn tutorial_says_what_is_wrong_with_a_registration() {
    let database = Database::new();
    let mut browser = Browser::new(database.app().await);
    submit(&mut browser, "/register", &ALICE).await;
    let (long_name, long_password) = ("é".repeat(65), "a".repeat(Passwords::MAX_BYTES + 1));
    let good = "through the glass";
    let long_email = format!("{}@example.com", "a".repeat(243));
    let email = "bob@example.com";
    let (taken, choose) = ("That user name is taken.", "Please choose a user name");
    let (address, short) = (
        "Please enter your e-mail address",
        "use at least 15 characters",
    );
    for (name, email, password, field, complaint) in [
        ("alice", email, good, "username", taken),
        (" ALICE ", email, good, "username", taken),
        ("", email, good, "username", choose),
        (" \t", email, good, "username", choose),
        (&long_name, email, good, "username", choose),
        ("bob", "", good, "email", address),
        ("bob", "bob", good, "email", address),
        ("bob", "bob@", good, "email", address),
        ("bob", "@example.com", good, "email", address),
        ("bob", "bob@example.com\r\nBcc: a@b", good, "email", address),
        ("bob", &long_email, good, "email", address),
        ("bob", email, "", "password", short),
        ("bob", email, "14 characters!", "password", short),
        (
            "bob",
            email,
            &long_password,
            "password",
            "The password is too long",
        ),
        (
            "bob",
            email,
            "bob@example.com 1",
            "password",
            "little more than your name",
        ),
        (
            "bob",
            email,
            "Login tutorial 2026",
            "password",
            "little more than your name",
        ),
        (
            "bob",
            email,
            "qwertyuiopasdfgh",
            "password",
            "one of the most common",
        ),
    ] {
        let form = [("username", name), ("email", email), ("password", password)];
        let answer = submit(&mut browser, "/register", &form).await;
        assert_complains_of(&answer, &[field], complaint);
    }
    let answer = submit(&mut browser, "/register", &[]).await;
    assert_complains_of(&answer, &["username"], choose);
    let answer = submit(&mut browser, "/login", &[]).await;
    let both = ["username", "password"];
    assert_complains_of(&answer, &both, "Wrong user name or password.");
    let just_enough = [
        ("username", " bob "),
        ("email", " bob@localhost "),
        ("password", "é€, 15 letters!"),
    ];
    assert_eq!(just_enough[2].1.chars().count(), 15);
    let registered = submit(&mut browser, "/register", &just_enough).await;
    assert_redirects(&registered, "/protected");
    assert!(
        browser
            .get("/account")
            .await
            .body
            .contains("<dd>bob@localhost</dd>")
    );
}

#[tokio::test]
async fn tutorial_gives_a_name_to_one_of_two_registrations() {
    let database = Database::new();
    let browser = Browser::new(database.app().await);
    let (mut one, mut other) = (browser.another(), browser.another());
    let answers = tokio::join!(
        submit(&mut one, "/register", &ALICE),
        submit(&mut other, "/register", &ALICE)
    );
    let (winner, loser) = match answers {
        (one, other) if one.status == StatusCode::SEE_OTHER => (one, other),
        (one, other) => (other, one),
    };
    assert_redirects(&winner, "/protected");
    assert_complains(&loser, "That user name is taken.");
}

#[tokio::test]
async fn tutorial_escapes_what_people_type() {
    let database = Database::new();
    let mut browser = Browser::new(database.app().await);
    let mallory = [
        ("username", "\"><script>alert(1)</script>"),
        ("email", "\"><script>@example.com"),
        ("password", "x marks the spot"),
    ];
    let pages = [
        submit(&mut browser, "/login", &mallory).await.body,
        submit(&mut browser, "/register", &mallory).await.body,
        submit(&mut browser, "/login", &mallory).await.body,
        browser.get("/protected").await.body,
        browser.get("/account").await.body,
    ];
    assert!(pages[4].contains("&lt;script&gt;@"), "{}", pages[4]);
    assert!(pages[3].contains("&lt;script&gt;"), "{}", pages[3]);
    for page in pages {
        assert!(!page.contains("<script>"), "{page}");
    }
}

#[tokio::test]
async fn tutorial_rehashing_a_password_ends_no_session() {
    let database = Database::new();
    let mut browser = Browser::new(database.app().await);
    submit(&mut browser, "/register", &ALICE).await;
    let mut other = browser.another();
    submit(&mut other, "/login", &ALICE).await;
    let from_cheaper_days = "UPDATE accounts SET password_hash = '$argon2id$v=19$m=64,t=1,p=1$b25seSBmb3IgYSB0ZXN0IQ$tfRMN+egWZHqzmYVD6S+iSM4mnfvqA/waroBmPZEg7A'";
    database.execute(from_cheaper_days).await;
    // Its password is from days that asked for fewer characters; it stays good.
    let old = [ALICE[0], ("password", "wonderland")];
    assert_redirects(&submit(&mut browser, "/login", &old).await, "/protected");
    let hash = database.password_hash().await;
    assert!(
        hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"),
        "{hash}"
    );
    assert_redirects(&submit(&mut browser, "/login", &old).await, "/protected");
    assert_eq!(other.get("/protected").await.status, StatusCode::OK);
}

#[tokio::test]
async fn tutorial_ends_the_sessions_of_a_changed_stamp() {
    let database = Database::new();
    let mut browser = Browser::new(database.app().await);
    submit(&mut browser, "/register", &ALICE).await;
    submit(&mut browser, "/login", &ALICE).await;
    assert_eq!(browser.get("/protected").await.status, StatusCode::OK);
    database
        .execute("UPDATE accounts SET stamp = randomblob(16)")
        .await;
    assert_eq!(
        browser.get("/protected").await.status,
        StatusCode::SEE_OTHER
    );
}

#[tokio::test]
async fn tutorial_keeps_logins_over_a_restart() {
    let database = Database::new();
    let mut browser = Browser::new(database.app().await);
    submit(&mut browser, "/register", &ALICE).await;
    submit(&mut browser, "/login", &ALICE).await;
    let mut gone = browser.clone();
    let mut after_restart = browser.moved_to(database.app().await);
    assert_eq!(after_restart.get("/protected").await.status, StatusCode::OK);
    after_restart.post("/logout").await;
    let refused = gone.get("/protected").await;
    assert_eq!(refused.status, StatusCode::SEE_OTHER, "nor back in");
}

#[tokio::test]
async fn tutorial_reveals_nothing_when_it_is_down() {
    let database = Database::new();
    let mut browser = Browser::new(database.app().await);
    submit(&mut browser, "/register", &ALICE).await;
    submit(&mut browser, "/login", &ALICE).await;
    database
        .execute("ALTER TABLE accounts RENAME TO elsewhere")
        .await;
    let mut stranger = browser.another();
    for answer in [
        browser.get("/").await,
        browser.get("/protected").await,
        submit(&mut stranger, "/login", &ALICE).await,
        submit(&mut stranger, "/register", &ALICE).await,
    ] {
        assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
        assert!(
            answer.body.contains("Please try again in a moment."),
            "{}",
            answer.body
        );
        assert!(!answer.body.contains("accounts"), "{}", answer.body);
        assert_eq!(answer.header("retry-after"), Some("1"));
    }
    assert_eq!(stranger.get("/").await.status, StatusCode::OK);
    assert_redirects(&browser.post("/logout").await, "/logged-out");
}

#[tokio::test]
async fn tutorial_sends_its_security_headers_with_everything() {
    let database = Database::new();
    let mut browser = Browser::new(database.app().await);
    for (uri, status) in [
        ("/", 200),
        ("/protected", 303),
        ("/style.css", 200),
        ("/script.js", 200),
        ("/icon.svg", 200),
        ("/no", 404),
        ("/logout", 405),
    ] {
        let answer = browser.get(uri).await;
        assert_eq!(answer.status.as_u16(), status, "{uri}");
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
        let policy = answer.header("content-security-policy").unwrap();
        assert!(policy.starts_with("default-src 'self'"), "{policy}");
        assert_eq!(
            status >= 400,
            answer.body.contains("Back to the home page"),
            "{uri}"
        );
    }
}

#[tokio::test]
async fn tutorial_asks_a_remembered_browser_for_the_password() {
    let database = Database::new();
    let mut browser = Browser::new(database.app().await);
    submit(&mut browser, "/register", &ALICE).await;
    let box_ticked = [ALICE[0], ALICE[1], ("remember", "on")];
    submit(&mut browser, "/login", &box_ticked).await;
    let mut other = browser.another();
    submit(&mut other, "/login", &box_ticked).await;

    // The browser was closed.
    let remember = browser.cookie("remember").unwrap();
    browser.forget_cookies();
    browser.plant("__Host-account-remember", &remember);
    assert_eq!(browser.get("/protected").await.status, StatusCode::OK);
    let refused = browser.get("/account").await;
    assert_redirects(&refused, "/confirm?next=/account&notice=refresh");
    let page = browser.get(refused.location()).await.body;
    assert!(page.contains("Please reauthenticate to access this page."));
    let wrong = [("password", "through the glass")];
    let wrong = submit(&mut browser, refused.location(), &wrong).await;
    assert_complains_of(&wrong, &["password"], "That is not your password.");
    let nothing = submit(&mut browser, refused.location(), &[]).await;
    assert_complains_of(&nothing, &["password"], "That is not your password.");
    assert_eq!(browser.get("/account").await.status, StatusCode::SEE_OTHER);
    let confirmed = submit(&mut browser, refused.location(), &[ALICE[1]]).await;
    assert_redirects(&confirmed, "/account");
    let page = browser.get("/account").await.body;
    assert_eq!(page.matches("a browser on Linux</strong>").count(), 2);
    assert_eq!(page.matches("This browser").count(), 1, "{page}");
    assert_eq!(page.matches(", remembered").count(), 2, "{page}");

    let before = browser.clone();
    let changed = submit(&mut browser, "/account/password", &NEW_PASSWORD).await;
    assert_redirects(&changed, "/account");
    assert_eq!(browser.get("/protected").await.status, StatusCode::OK);
    assert_ne!(browser.cookie("session"), before.cookie("session"));
    // Neither cookie of before opens anything, here or in the other browser.
    for mut ended in [before, other.clone()] {
        let mut remembered = ended.another();
        let remember = ended.cookie("remember").unwrap();
        remembered.plant("__Host-account-remember", &remember);
        ended.forget("__Host-account-remember");
        for browser in [&mut ended, &mut remembered] {
            assert_eq!(
                browser.get("/protected").await.status,
                StatusCode::SEE_OTHER
            );
        }
    }
    let old = submit(&mut other, "/login", &ALICE).await;
    assert_complains(&old, "Wrong user name or password.");
}

#[tokio::test]
async fn tutorial_asks_for_the_password_again_after_a_while() {
    let database = Database::new();
    let mut browser = Browser::new(database.app().await);
    let stranger = browser.get("/confirm").await;
    assert_redirects(&stranger, "/login?next=/confirm&notice=login");
    submit(&mut browser, "/register", &ALICE).await;
    assert_eq!(browser.get("/account").await.status, StatusCode::OK);
    database.age_the_login().await;
    assert_eq!(browser.get("/protected").await.status, StatusCode::OK);
    let refused = browser.get("/account").await;
    assert_redirects(&refused, "/confirm?next=/account&notice=refresh");
    let before = browser.cookie("session");
    let confirmed = submit(&mut browser, refused.location(), &[ALICE[1]]).await;
    assert_redirects(&confirmed, "/account");
    assert_ne!(browser.cookie("session"), before);
    assert_eq!(browser.get("/account").await.status, StatusCode::OK);
}

#[tokio::test]
async fn tutorial_logs_out_another_browser() {
    let database = Database::new();
    let mut browser = Browser::new(database.app().await);
    submit(&mut browser, "/register", &ALICE).await;
    let mut other = browser.another();
    submit(&mut other, "/login", &ALICE).await;
    submit(&mut browser, "/login", &ALICE).await;
    let page = browser.get("/account").await.body;
    let (_, id) = page.split_once("name=\"id\" value=\"").unwrap();
    let id = &id[..id.find('"').unwrap()];
    submit(&mut browser, "/account/log-out", &[("id", id)]).await;
    assert_eq!(other.get("/protected").await.status, StatusCode::SEE_OTHER);
    let rubbish = submit(&mut browser, "/account/log-out", &[("id", "rubbish")]).await;
    assert_eq!(rubbish.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(browser.get("/protected").await.status, StatusCode::OK);
}

#[tokio::test]
async fn tutorial_logs_out_all_other_browsers() {
    let database = Database::new();
    let mut browser = Browser::new(database.app().await);
    submit(&mut browser, "/register", &ALICE).await;
    submit(&mut browser, "/login", &ALICE).await;
    let button = "Log out all other browsers";
    assert!(!browser.get("/account").await.body.contains(button));
    let (mut second, mut third) = (browser.another(), browser.another());
    for other in [&mut second, &mut third] {
        submit(other, "/login", &ALICE).await;
    }
    assert!(browser.get("/account").await.body.contains(button));

    let ended = browser.post("/account/log-out-others").await;
    assert_redirects(&ended, "/account");
    let page = browser.get(ended.location()).await.body;
    assert!(page.contains("All other browsers have been logged out."));
    assert!(!page.contains(button), "{page}");
    for mut other in [second, third] {
        assert_eq!(other.get("/protected").await.status, StatusCode::SEE_OTHER);
    }
    let stranger = browser.another().post("/account/log-out-others").await;
    assert_redirects(&stranger, "/login?notice=login");
    assert_eq!(browser.get("/protected").await.status, StatusCode::OK);
}

#[tokio::test]
async fn tutorial_lists_browsers_by_name() {
    let database = Database::new();
    let mut browser = Browser::new(database.app().await);
    submit(&mut browser, "/register", &ALICE).await;
    submit(&mut browser, "/login", &ALICE).await;
    let mut phone = browser.another();
    let firefox = "Mozilla/5.0 (Android 15; Mobile; rv:140.0) Gecko/140.0 Firefox/140.0";
    let firefox = HeaderValue::from_static(firefox);
    phone.headers.insert(http::header::USER_AGENT, firefox);
    submit(&mut phone, "/login", &ALICE).await;

    let page = browser.get("/account").await.body;
    assert!(
        page.contains("<strong>Firefox on Android</strong>"),
        "{page}"
    );
    assert!(!page.contains("Mozilla"), "{page}");
    // The name of each button says whom it logs out.
    let name = r#"Log out<span class="unseen"> Firefox on Android, last used just now</span>"#;
    assert_eq!(page.matches(name).count(), 1, "{page}");
    assert_eq!(page.matches(">Log out</button>").count(), 1, "{page}");
}

#[tokio::test]
async fn tutorial_asks_for_the_current_password_to_change_it() {
    let database = Database::new();
    let mut browser = Browser::new(database.app().await);
    submit(&mut browser, "/register", &ALICE).await;
    let stranger = submit(&mut browser.another(), "/account/password", &NEW_PASSWORD).await;
    assert_redirects(&stranger, "/login?notice=login");
    submit(&mut browser, "/login", &ALICE).await;
    let before = database.password_hash().await;
    let long = "a".repeat(Passwords::MAX_BYTES + 1);
    let (current, new) = (ALICE[1].1, NEW_PASSWORD[1].1);
    for (current, new, field, complaint) in [
        (
            "mirror",
            new,
            "current_password",
            "That is not your current password.",
        ),
        ("", new, "current_password", "That is not your current"),
        (current, "", "new_password", "use at least 15 characters"),
        (
            current,
            "14 characters!",
            "new_password",
            "use at least 15 characters",
        ),
        (
            current,
            "alice@example.com",
            "new_password",
            "little more than your name",
        ),
        (current, &long, "new_password", "The password is too long"),
    ] {
        let form = [("current_password", current), ("new_password", new)];
        let answer = submit(&mut browser, "/account/password", &form).await;
        assert_complains_of(&answer, &[field], complaint);
        assert!(!answer.body.contains(ALICE[1].1), "a password comes back");
    }
    let nothing = submit(&mut browser, "/account/password", &[]).await;
    assert_complains_of(&nothing, &["new_password"], "use at least 15 characters");
    assert_eq!(database.password_hash().await, before);

    let changed = submit(&mut browser, "/account/password", &NEW_PASSWORD).await;
    assert_redirects(&changed, "/account");
    let page = browser.get(changed.location()).await.body;
    assert!(page.contains("Your password has been changed."), "{page}");
    let mut other = browser.another();
    let old = submit(&mut other, "/login", &ALICE).await;
    assert_complains(&old, "Wrong user name or password.");
    let new = [ALICE[0], ("password", new)];
    assert_redirects(&submit(&mut other, "/login", &new).await, "/protected");
}

#[tokio::test]
async fn tutorial_accepts_one_of_two_password_changes_at_once() {
    let database = Database::new();
    let mut browser = Browser::new(database.app().await);
    submit(&mut browser, "/register", &ALICE).await;
    submit(&mut browser, "/login", &ALICE).await;
    let mut other = browser.another();
    submit(&mut other, "/login", &ALICE).await;
    let answers = tokio::join!(
        submit(&mut browser, "/account/password", &NEW_PASSWORD),
        submit(&mut other, "/account/password", &NEW_PASSWORD)
    );
    let is_change = |answer: &&Answer| {
        answer.status == StatusCode::SEE_OTHER && answer.location() == "/account"
    };
    let answers = [answers.0, answers.1];
    assert_eq!(answers.iter().filter(is_change).count(), 1, "{answers:?}");
}

#[tokio::test]
async fn tutorial_keeps_what_was_ticked_after_an_error() {
    let database = Database::new();
    let mut browser = Browser::new(database.app().await);
    let ticked = r#"name="remember" checked"#;
    assert!(!browser.get("/login").await.body.contains(ticked));
    let form = [ALICE[0], ("password", "mirror"), ("remember", "on")];
    let answer = submit(&mut browser, "/login", &form).await;
    assert!(answer.body.contains(ticked), "{}", answer.body);
    let answer = submit(&mut browser, "/login", &form[..2]).await;
    assert!(!answer.body.contains(ticked), "{}", answer.body);
}

#[tokio::test]
async fn tutorial_password_change_keeps_remember_me() {
    let database = Database::new();
    let mut browser = Browser::new(database.app().await);
    submit(&mut browser, "/register", &ALICE).await;
    let box_ticked = [ALICE[0], ALICE[1], ("remember", "on")];
    submit(&mut browser, "/login", &box_ticked).await;
    let before = browser.cookie("remember").unwrap();
    let changed = submit(&mut browser, "/account/password", &NEW_PASSWORD).await;
    assert_redirects(&changed, "/account");
    let page = browser.get(changed.location()).await.body;
    assert!(page.contains(", remembered"), "{page}");

    // The browser is closed and opened again.
    let after = browser.cookie("remember").unwrap();
    browser.forget_cookies();
    browser.plant("__Host-account-remember", &after);
    assert_eq!(browser.get("/protected").await.status, StatusCode::OK);
    browser.forget_cookies();
    browser.plant("__Host-account-remember", &before);
    let refused = browser.get("/protected").await;
    assert_eq!(
        refused.status,
        StatusCode::SEE_OTHER,
        "the old one is invalid"
    );
}

#[tokio::test]
async fn tutorial_makes_those_who_guess_wait() {
    let database = Database::new();
    let mut owner = Browser::new(database.app().await);
    submit(&mut owner, "/register", &ALICE).await;
    let mut answers = Vec::new();
    for name in ["alice", "nobody"] {
        let mut stranger = owner.another();
        let wrong = [
            ("username", name),
            ("password", "mirror"),
            ("remember", "on"),
        ];
        for _ in 0..5 {
            let answer = submit(&mut stranger, "/login", &wrong).await;
            assert_complains(&answer, "Wrong user name or password.");
        }
        let mut right = wrong;
        right[1].1 = ALICE[1].1;
        let mut answer = submit(&mut stranger, "/login", &right).await;
        assert_eq!(answer.status, StatusCode::TOO_MANY_REQUESTS);
        assert_eq!(answer.header("retry-after"), Some("1"));
        let text = "Too many attempts. Please try again in 1 second.</p>";
        for part in [text, "<title>Error: ", r#"role="alert""#, r#" checked>"#] {
            assert!(answer.body.contains(part), "no {part} in {}", answer.body);
        }
        assert_eq!(answer.body.matches("autofocus").count(), 1);
        assert!(!answer.body.contains("aria-invalid"), "no field is wrong");
        assert!(stranger.cookie_names().is_empty());
        answer.body = answer.body.replace(name, "typed");
        answer.headers.remove("content-length");
        answers.push(answer);
    }
    assert_same(&answers[0], &answers[1]);

    // She doesn't wait with them in a browser that she has used before.
    owner.post("/logout").await;
    assert_redirects(&submit(&mut owner, "/login", &ALICE).await, "/protected");
}

#[tokio::test]
async fn tutorial_counts_guesses_of_logged_in_users() {
    let database = Database::new();
    for uri in ["/confirm", "/account/password"] {
        let mut browser = Browser::new(database.app().await);
        submit(&mut browser, "/register", &ALICE).await;
        submit(&mut browser, "/login", &ALICE).await;
        let wrong = [
            ("password", "mirror"),
            ("current_password", "mirror"),
            NEW_PASSWORD[1],
        ];
        for _ in 0..5 {
            let answer = submit(&mut browser, uri, &wrong).await;
            assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
        }
        let answer = submit(&mut browser, uri, &wrong).await;
        assert_eq!(answer.status, StatusCode::TOO_MANY_REQUESTS, "{uri}");
        assert!(answer.body.contains("Too many attempts."));
        assert_eq!(answer.body.matches("autofocus").count(), 1);
        submit(&mut browser, "/logout", &[]).await;
    }
}

const RESET: [(&str, &str); 1] = [("new_password", NEW_PASSWORD[1].1)];

#[tokio::test]
async fn tutorial_resets_a_password_by_mail() {
    let database = Database::new();
    let mut other = Browser::new(database.app().await);
    submit(&mut other, "/register", &ALICE).await;
    let mut browser = other.another();
    for _ in 0..6 {
        submit(&mut browser, "/login", &[ALICE[0], ("password", "mirror")]).await;
    }

    let page = browser.get("/login").await.body;
    assert!(page.contains(r#"<a href="/forgot">Forgot your password?</a>"#));
    let name = [("username", " Alice ")];
    let sent = submit(&mut browser, "/forgot", &name).await;
    assert_eq!(sent.status, StatusCode::OK);
    assert!(browser.cookie_names().is_empty());
    let link = database.next_link().await;

    // Scanners of mails open it first.
    other.another().get(&link).await;
    let clean = browser.get(&link).await;
    assert_redirects(&clean, "/reset");
    assert_eq!(clean.header("referrer-policy"), Some("no-referrer"));
    for _ in 0..2 {
        let form = browser.get("/reset").await;
        assert_eq!(form.header("referrer-policy"), Some("no-referrer"));
        assert!(form.body.contains("Choose a new password"), "{}", form.body);
        assert!(
            form.body
                .contains(r#"autocomplete="username" value="alice""#)
        );
    }
    for (weak, complaint) in [
        ("", "use at least 15 characters"),
        ("14 characters!", "use at least 15 characters"),
        ("alice@example.com", "little more than your name"),
    ] {
        let answer = submit(&mut browser, "/reset", &[("new_password", weak)]).await;
        assert_complains_of(&answer, &["new_password"], complaint);
    }
    let old = database.password_hash().await;
    assert_eq!(other.get("/protected").await.status, StatusCode::OK);

    let changed = submit(&mut browser, "/reset", &RESET).await;
    assert_redirects(&changed, "/login");
    let notified = database.next_mail().await;
    assert!(
        notified.contains("your password has been changed"),
        "{notified}"
    );
    assert_ne!(database.password_hash().await, old);
    let page = browser.get("/login").await.body;
    assert!(page.contains("Your password has been changed. Please log in with it."));
    // She has to log in, and waits for nothing that was guessed before.
    let denied = browser.get("/protected").await;
    assert_redirects(&denied, "/login?next=/protected&notice=login");
    let denied = other.get("/protected").await;
    assert_eq!(denied.status, StatusCode::SEE_OTHER);
    let new = [ALICE[0], ("password", NEW_PASSWORD[1].1)];
    assert_redirects(&submit(&mut browser, "/login", &new).await, "/protected");
    let page = browser.get("/account").await.body;
    assert_eq!(page.matches("</strong>").count(), 1, "one session: {page}");

    for again in [browser.get(&link).await, browser.get("/reset").await] {
        assert!(!again.body.contains("Choose a new password"));
    }
    let used = submit(&mut browser, "/reset", &RESET).await;
    assert_complains_of(&used, &["username"], "This link is no longer valid.");
}

#[tokio::test]
async fn tutorial_tells_no_one_who_has_an_account() {
    let database = Database::new();
    let mut browser = Browser::new(database.app().await);
    submit(&mut browser, "/register", &ALICE).await;
    let mut browser = browser.another();
    let mut answers = Vec::new();
    for name in ["alice", "alice", "nobody", ""] {
        answers.push(submit(&mut browser, "/forgot", &[("username", name)]).await);
    }
    database.next_mail().await;
    let text = "If there is an account with this name, a link is on its way";
    assert!(answers[0].body.contains(text), "{}", answers[0].body);
    for answer in &answers[1..] {
        assert_same(&answers[0], answer);
    }
}

#[tokio::test]
async fn tutorial_password_change_ends_links_for_a_reset() {
    let database = Database::new();
    let mut browser = Browser::new(database.app().await);
    submit(&mut browser, "/register", &ALICE).await;
    let mut thief = browser.another();
    submit(&mut thief, "/forgot", &ALICE[..1]).await;
    let link = database.next_link().await;
    thief.get(&link).await;
    submit(&mut browser, "/account/password", &NEW_PASSWORD).await;
    let notified = database.next_mail().await;
    assert!(
        notified.contains("your password has been changed"),
        "{notified}"
    );
    let hash = database.password_hash().await;
    let refused = submit(
        &mut thief,
        "/reset",
        &[("new_password", "mine all mine now")],
    )
    .await;
    assert_complains_of(&refused, &["username"], "This link is no longer valid.");
    assert_eq!(database.password_hash().await, hash);
}

#[tokio::test]
async fn tutorial_pages_need_no_inline_code() {
    let database = Database::new();
    let mut browser = Browser::new(database.app().await);
    submit(&mut browser, "/register", &ALICE).await;
    let mut stranger = browser.another();
    submit(&mut browser, "/login", &ALICE).await;
    let change = "Change your password";
    for (is_logged_in, uri, title, current) in [
        (false, "/", "Home", "page"),
        (false, "/register", "Register", "page"),
        (false, "/login", "Log in", "page"),
        (true, "/protected", "Protected page", "page"),
        (true, "/account", "Account", "page"),
        (true, "/account/password", change, "true"),
    ] {
        let visitor = if is_logged_in {
            &mut browser
        } else {
            &mut stranger
        };
        let page = visitor.get(uri).await.body;
        let title = format!("<title>{title} – Login tutorial</title>");
        assert!(page.contains(&title), "{page}");
        let link = uri.strip_suffix("/password").unwrap_or(uri);
        let link = format!(r#"href="{link}" aria-current="{current}""#);
        assert!(page.contains(&link), "{page}");
        assert_eq!(page.matches("aria-current").count(), 1, "{page}");
        // The policy of the app would block all of these.
        for inline in ["<style", "<script>", " style=", " onclick="] {
            assert!(!page.contains(inline), "{inline} in {page}");
        }
        // Without the script there is no button that does nothing.
        for button in page.split("<button type=\"button\"").skip(1) {
            assert!(button.split_once('>').unwrap().0.ends_with(" hidden"));
        }
    }
}

#[tokio::test]
async fn with_tower_cookies_keeps_both_kinds_of_cookies() {
    let mut browser = Browser::new(with_tower_cookies::app());
    assert_eq!(browser.get("/").await.body, "Hello, stranger, in light!\n");
    browser.post("/dark").await;
    browser.post("/login").await;
    assert_eq!(browser.cookie_names(), ["__Host-reader-session", "theme"]);
    assert_eq!(browser.get("/").await.body, "Hello, alice, in dark!\n");
}

#[tokio::test]
async fn two_realms_keeps_customers_and_staff_apart() {
    let mut browser = Browser::new(two_realms::app());
    assert_redirects(&browser.get("/").await, "/login?next=/&notice=login");
    assert_redirects(
        &browser.get("/staff").await,
        "/staff/login?next=/staff&notice=login",
    );
    browser.post("/login").await;
    assert_redirects(
        &browser.get("/staff").await,
        "/staff/login?next=/staff&notice=login",
    );
    browser.post("/staff/login").await;
    let cookies = ["__Host-customer-session", "__Host-staff-session"];
    assert_eq!(browser.cookie_names(), cookies);
    assert_eq!(browser.get("/").await.body, "Hello, customer 1.\n");
    assert_eq!(
        browser.get("/staff").await.body,
        "Hello, member of staff 1.\n"
    );
    browser.post("/staff/logout").await;
    assert_eq!(browser.get("/").await.body, "Hello, customer 1.\n");
    assert_eq!(browser.get("/staff").await.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn api_keys_work_beside_cookies() {
    let mut browser = Browser::new(api_keys::app());
    let mut program = browser.another();
    program.headers.clear();
    assert_eq!(program.get("/api/me").await.status, 401);
    browser.post("/login").await;
    assert_eq!(browser.get("/me").await.body, "alice\n");
    assert_eq!(browser.get("/api/me").await.status, 401, "by a cookie");

    let fields = [("name", "CI"), ("scopes", "read admin")];
    let refused = submit(&mut program, "/keys", &fields).await;
    assert_eq!(refused.status, 401, "without a login");
    let created = submit(&mut browser, "/keys", &fields).await;
    assert_eq!(created.status, StatusCode::CREATED);
    let key = created.body.trim_end();
    let headers = &mut program.headers;
    headers.insert("authorization", format!("Bearer {key}").parse().unwrap());
    let answer = program.get("/api/me").await;
    assert_eq!(answer.body, "alice\n");
    assert!(answer.set_cookies().is_empty());
    assert_eq!(program.get("/me").await.status, 401, "pages take no keys");
    let refused = submit(&mut program, "/keys", &fields).await;
    assert_eq!(refused.status, 401, "a key makes no keys");
    let refused = program.post("/api/orders").await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    let challenge = r#"Bearer error="insufficient_scope", scope="write""#;
    assert_eq!(refused.header("www-authenticate"), Some(challenge));

    let list = browser.get("/keys").await.body;
    assert!(!list.contains(key));
    let shown = format!(r#""CI" acme_…{} ["read"] used"#, &key[key.len() - 4..]);
    assert!(list.contains(&shown), "{list}");
    let id = [("id", list.split(' ').next().unwrap())];
    let revoked = submit(&mut browser, "/keys/revoke", &id).await;
    assert_eq!(revoked.status, StatusCode::NO_CONTENT);
    let again = submit(&mut browser, "/keys/revoke", &id).await;
    assert_eq!(again.status, StatusCode::NOT_FOUND);
    let refused = program.get("/api/me").await;
    assert_eq!(refused.status, 401);
    let challenge = r#"Bearer error="invalid_token""#;
    assert_eq!(refused.header("www-authenticate"), Some(challenge));

    let fields = [("name", "deploy"), ("scopes", "read write")];
    let key = submit(&mut browser, "/keys", &fields).await.body;
    let headers = &mut program.headers;
    headers.insert(
        "authorization",
        format!("Bearer {}", key.trim_end()).parse().unwrap(),
    );
    let order = program.post("/api/orders").await;
    assert_eq!(
        (order.status, &*order.body),
        (StatusCode::CREATED, "ordered by alice\n")
    );
}

/// The two fields of alice's form at the provider, whose method is this.
async fn provider_answers(
    provider: &mut Browser,
    url: &str,
    method: &str,
) -> [(String, String); 2] {
    provider_answers_for("alice", provider, url, method).await
}

async fn provider_answers_for(
    name: &str,
    provider: &mut Browser,
    url: &str,
    method: &str,
) -> [(String, String); 2] {
    let page = provider.get(url.strip_prefix("https://id.example").unwrap());
    let page = page.await.body;
    let (page, _) = page.split_once(&format!("Continue as {name}")).unwrap();
    let (_, page) = page.rsplit_once("<form").unwrap();
    let page = format!("<form{page}");
    let form = format!(r#"<form method="{method}" action="https://app.example/callback">"#);
    assert!(page.contains(&form), "{page}");
    ["code", "state"].map(|name| {
        let before = format!(r#"name="{name}" value=""#);
        let (_, value) = page.split_once(&before).unwrap();
        let (value, _) = value.split_once('"').unwrap();
        (name.to_owned(), value.to_owned())
    })
}

async fn oidc_sites() -> (Browser, Browser) {
    let (site, callback) = ("https://id.example", "https://app.example/callback");
    let provider = oidc::Provider::new(site.to_owned(), callback.to_owned()).unwrap();
    let app = oidc::app(provider.clone()).await.unwrap();
    (Browser::new(app), Browser::new(provider.pages()))
}

#[tokio::test]
async fn oidc_accepts_an_answer_in_the_url_once() {
    let (mut browser, mut provider) = oidc_sites().await;
    let denied = browser.get("/?page=2").await;
    let mode = [("response_mode", "query")];
    let asked = submit(&mut browser, denied.location(), &mode).await;
    assert_eq!(browser.cookie_names(), ["__Host-account-session"]);
    // Another tab, in which the visitor changes their mind.
    let elsewhere = submit(&mut browser, "/login", &mode).await;
    let [(_, code), (_, state)] = provider_answers(&mut provider, asked.location(), "get").await;
    let answer = format!("/callback?code={code}&state={state}");
    let stranger = browser.another().get(&answer).await;
    assert_eq!(stranger.status, StatusCode::FORBIDDEN);
    assert_redirects(&browser.get(&answer).await, "/?page=2");
    assert!(browser.get("/").await.body.contains("Hello, alice!"));
    assert_eq!(browser.get(&answer).await.status, StatusCode::FORBIDDEN);

    let (_, state) = elsewhere.location().split_once("&state=").unwrap();
    let (state, _) = state.split_once('&').unwrap();
    let refused = format!("/callback?error=access_denied&state={state}");
    assert_eq!(browser.get(&refused).await.status, StatusCode::FORBIDDEN);
    assert_eq!(browser.get("/").await.status, StatusCode::OK);
}

#[tokio::test]
async fn oidc_accepts_an_answer_in_a_form_once() {
    let (mut browser, mut provider) = oidc_sites().await;
    let mode = [("response_mode", "form_post")];
    let asked = submit(&mut browser, "/login?next=/?page=2", &mode).await;
    let name = "__Host-flow-session";
    assert_eq!(browser.cookie_names(), [name]);
    assert!(asked.set_cookies()[0].contains("SameSite=None"));
    let [code, state] = provider_answers(&mut provider, asked.location(), "post").await;
    let form = [(&*code.0, &*code.1), (&*state.0, &*state.1)];
    let cross_site = HeaderValue::from_static("cross-site");
    browser.headers.insert("sec-fetch-site", cross_site);
    let stranger = submit(&mut browser.another(), "/callback", &form).await;
    assert_eq!(stranger.status, StatusCode::FORBIDDEN);
    assert_redirects(&submit(&mut browser, "/callback", &form).await, "/?page=2");
    let again = submit(&mut browser, "/callback", &form).await;
    assert_eq!(again.status, StatusCode::FORBIDDEN);
    assert!(browser.get("/").await.body.contains("Hello, alice!"));
    // The cookie that other sites may send opens nothing.
    let flow = browser.cookie("flow-session").unwrap();
    let mut other = browser.another();
    other.plant(name, &flow);
    assert_eq!(other.get("/").await.status, StatusCode::SEE_OTHER);
    for uri in ["/login", "/logout"] {
        let answer = submit(&mut browser, uri, &mode).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{uri}");
    }
}

/// The value of a field of a URL.
fn field_of(url: &str, name: &str) -> String {
    let url = Url::parse(url).unwrap();
    let mut fields = url.query_pairs();
    let (_, value) = fields.find(|(found, _)| found == name).unwrap();
    value.into_owned()
}

#[tokio::test]
async fn oidc_refuses_the_answer_to_another_login() {
    let (mut browser, mut provider) = oidc_sites().await;
    let mode = [("response_mode", "query")];
    let mut urls = Vec::new();
    for _ in 0..3 {
        let answer = submit(&mut browser, "/login", &mode).await;
        urls.push(answer.location().to_owned());
    }
    let [other, url, url_of_other_nonce] = &urls[..] else {
        unreachable!()
    };
    // The code of another login: the provider finds that its PKCE challenge differs.
    let [(_, code), _] = provider_answers(&mut provider, other, "get").await;
    let state = field_of(url, "state");
    // A provider that doesn't look at the challenge leaves the nonce.
    let nonces = [url, url_of_other_nonce].map(|url| field_of(url, "nonce"));
    let mixed = url_of_other_nonce.replace(&nonces[1], &nonces[0]);
    let [(_, mixed_code), (_, mixed_state)] = provider_answers(&mut provider, &mixed, "get").await;
    for (code, state) in [(code, state), (mixed_code, mixed_state)] {
        let answer = format!("/callback?code={code}&state={state}");
        let answer = browser.get(&answer).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN);
        assert!(answer.body.contains("did not log you in"));
    }
    assert_eq!(browser.get("/").await.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn oidc_never_finds_an_account_by_its_address() {
    let (mut alice, mut provider) = oidc_sites().await;
    let mut mallory = alice.another();
    let mode = [("response_mode", "query")];
    let hello_alice = "Hello, alice! Your e-mail address: alice@example.org";
    let hello_mallory = "Hello, mallory! Your e-mail address: unknown";
    for (name, browser, hello) in [
        ("alice", &mut alice, hello_alice),
        ("mallory", &mut mallory, hello_mallory),
    ] {
        let asked = submit(browser, "/login", &mode).await;
        let url = asked.location();
        let [(_, code), (_, state)] = provider_answers_for(name, &mut provider, url, "get").await;
        let answer = format!("/callback?code={code}&state={state}");
        assert_redirects(&browser.get(&answer).await, "/");
        let page = browser.get("/").await.body;
        assert!(page.contains(hello), "{page}");
    }
}

#[tokio::test]
async fn oidc_provider_accepts_no_other_callback_or_client() {
    let (mut browser, mut provider) = oidc_sites().await;
    let asked = submit(&mut browser, "/login", &[("response_mode", "query")]).await;
    let url = asked.location().strip_prefix("https://id.example").unwrap();
    assert_eq!(provider.get(url).await.status, StatusCode::OK);
    for (right, wrong) in [("app.example", "evil.example"), ("=example&", "=other&")] {
        let url = url.replace(right, wrong);
        assert_eq!(provider.get(&url).await.status, StatusCode::BAD_REQUEST);
    }
    let [(_, code), _] = provider_answers(&mut provider, asked.location(), "get").await;
    let form = [("code", &*code), ("code_verifier", "a")];
    let refused = submit(&mut provider, "/token", &form).await;
    assert_eq!(refused.status, StatusCode::UNAUTHORIZED);
}

/// The ceremonies themselves are tested in Chromium.
#[tokio::test]
async fn passkeys_are_asked_for_without_a_name() {
    let mut browser = Browser::new(passkeys::app("https://app.example").await.unwrap());
    let challenge = browser.post("/login/passkey/challenge").await;
    let options: serde_json::Value = serde_json::from_str(&challenge.body).unwrap();
    let options = &options["publicKey"];
    assert_eq!(options["allowCredentials"], serde_json::json!([]));
    assert_eq!(options["userVerification"], "required");
    assert_eq!(options["rpId"], "app.example");
    let rubbish = browser.post("/login/passkey").await;
    assert!(rubbish.status.is_client_error(), "{}", rubbish.body);

    let mut stranger = browser.another();
    for uri in ["/passkeys/challenge", "/passkeys"] {
        let denied = stranger.post(uri).await;
        assert_redirects(&denied, "/login?notice=login");
    }
    let mut handles = Vec::new();
    for (name, password) in [("alice", "wonderland"), ("bob", "builder")] {
        let mut browser = browser.another();
        let credentials = [("username", name), ("password", password)];
        let logged_in = submit(&mut browser, "/login?next=/?page=2", &credentials).await;
        assert_redirects(&logged_in, "/?page=2");
        let challenge = browser.post("/passkeys/challenge").await;
        let options: serde_json::Value = serde_json::from_str(&challenge.body).unwrap();
        let options = &options["publicKey"];
        let selection = &options["authenticatorSelection"];
        assert_eq!(selection["requireResidentKey"], true);
        assert_eq!(selection["residentKey"], serde_json::Value::Null);
        assert_eq!(selection["userVerification"], "required");
        assert_eq!(options["user"]["name"], name);
        handles.push(options["user"]["id"].clone());
    }
    assert_ne!(handles[0], handles[1]);
}

#[tokio::test]
async fn payment_is_believed_if_the_provider_knows_it() {
    let back_to = "https://app.example/paid".to_owned();
    let provider = payment::Provider::new("https://pay.example".to_owned(), back_to);
    let mut browser = Browser::new(payment::app(provider.clone()));
    let mut other_site = Browser::new(provider.pages());
    browser.post("/login").await;
    let ordered = browser.post("/orders").await;
    assert_redirects(&ordered, "https://pay.example/pay?order=1");
    let mut without_cookie = browser.another();
    let cross_site = HeaderValue::from_static("cross-site");
    without_cookie.headers.insert("sec-fetch-site", cross_site);
    let form = [("order", "1")];
    let forged = submit(&mut without_cookie, "/paid", &form).await;
    assert_eq!(forged.status, StatusCode::PAYMENT_REQUIRED);
    assert!(browser.get("/orders/1").await.body.contains("is not paid"));

    submit(&mut other_site, "/pay", &form).await;
    let paid = submit(&mut without_cookie, "/paid", &form).await;
    assert_redirects(&paid, "/orders/1");
    assert!(paid.set_cookies().is_empty());
    let page = browser.get("/orders/1").await.body;
    assert!(page.contains("alice, your order 1 is paid."), "{page}");
    let other = without_cookie.post("/orders").await;
    assert_eq!(other.status, StatusCode::FORBIDDEN);
    assert_redirects(
        &browser.another().get("/orders/1").await,
        "/?next=/orders/1&notice=login",
    );
    assert_eq!(browser.get("/orders/2").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn single_page_app_answers_its_front_end_alone() {
    let (front_end, stranger) = ("https://front.example", "https://stranger.example");
    let mut browser = Browser::new(single_page_app::app(front_end).unwrap());
    let page = Browser::new(single_page_app::front_end("https://app.example"));
    let page = page.clone().get("/").await.body;
    assert!(
        page.contains("fetch('https://app.example' + path"),
        "{page}"
    );
    browser.headers.insert("accept", "*/*".parse().unwrap());
    browser
        .headers
        .insert("sec-fetch-mode", "cors".parse().unwrap());
    browser
        .headers
        .insert("sec-fetch-site", "same-site".parse().unwrap());
    let credentials = |password| format!(r#"{{"username":"alice","password":"{password}"}}"#);
    let log_in = |browser: &Browser, password| {
        let mut request = browser.request(Method::POST, "/login");
        let json = HeaderValue::from_static("application/json");
        request.headers_mut().insert(CONTENT_TYPE, json);
        *request.body_mut() = Body::from(credentials(password));
        request
    };
    let allowed = |answer: &Answer| {
        let of = |name| answer.header(name).map(str::to_owned);
        [
            of("access-control-allow-origin"),
            of("access-control-allow-credentials"),
        ]
    };

    browser.headers.insert("origin", stranger.parse().unwrap());
    let refused = browser.deliver(log_in(&browser, "wonderland")).await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    assert_ne!(allowed(&refused)[0].as_deref(), Some(stranger));

    browser.headers.insert("origin", front_end.parse().unwrap());
    let yes = [Some(front_end.to_owned()), Some("true".to_owned())];
    let asked = browser.send(Method::OPTIONS, "/login").await;
    assert_eq!(
        (asked.status, allowed(&asked)),
        (StatusCode::OK, yes.clone())
    );
    assert_eq!(
        asked.header("access-control-allow-headers"),
        Some("content-type")
    );
    let denied = browser.get("/me").await;
    assert_eq!(
        (denied.status, allowed(&denied)),
        (StatusCode::UNAUTHORIZED, yes.clone())
    );
    assert_eq!(denied.body, r#"{"error":"login_required"}"#);
    assert_eq!(denied.header("content-type"), Some("application/json"));
    assert_eq!(denied.header("www-authenticate"), Some("Session"));
    let wrong = browser.deliver(log_in(&browser, "mirror")).await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    let right = browser.deliver(log_in(&browser, "wonderland")).await;
    assert_eq!((right.status, allowed(&right)), (StatusCode::OK, yes));
    let me = browser.get("/me").await;
    assert_eq!(me.body, r#"{"name":"alice"}"#);
    assert_eq!(me.header("vary"), Some("cookie"));

    browser.headers.insert("origin", stranger.parse().unwrap());
    assert_eq!(browser.post("/logout").await.status, StatusCode::FORBIDDEN);
    browser.headers.insert("origin", front_end.parse().unwrap());
    assert_eq!(browser.post("/logout").await.status, StatusCode::NO_CONTENT);
    assert_eq!(browser.get("/me").await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test(flavor = "multi_thread")]
async fn own_store_keeps_the_contract() {
    store_contract(own_store::OwnStore::default()).await;
}

#[tokio::test]
async fn own_store_keeps_logins() {
    let mut browser = Browser::new(own_store::app());
    assert_eq!(browser.get("/").await.body, "anonymous\n");
    browser.post("/login").await;
    assert_eq!(browser.get("/").await.body, "alice\n");
}

#[tokio::test]
async fn stores_keeps_logins_as_long_as_the_store_does() {
    let folder = Folder::new();
    let file = format!("sqlite:{}", folder.path().join("sessions.db").display());
    for (address, after_restart) in [("memory", "Hello, stranger!\n"), (&file, "Hello, alice!\n")] {
        let start = async || stores::app(stores::open(address).await.unwrap());
        let mut browser = Browser::new(start().await);
        browser.post("/login").await;
        assert_eq!(browser.get("/").await.body, "Hello, alice!\n");
        let mut browser = browser.moved_to(start().await);
        assert_eq!(browser.get("/").await.body, after_restart, "{address}");
        browser.post("/logout").await;
        assert_eq!(browser.get("/").await.body, "Hello, stranger!\n");
    }
    let error = stores::open("file:x").await.map(drop).unwrap_err();
    assert!(error.to_string().contains("not \"file\""), "{error}");
}

/// A database of the tutorial, in a file that goes with it, and the mails of its apps.
struct Database {
    folder: Folder,
    mails: Arc<Mutex<Vec<(String, String)>>>,
}

impl Database {
    fn new() -> Self {
        Self {
            folder: Folder::new(),
            mails: Arc::default(),
        }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("tutorial.db")
    }

    async fn app(&self) -> Router {
        let database = tutorial::open(self.path()).await.unwrap();
        let mails = Arc::clone(&self.mails);
        let mailer = tutorial::Mailer::new("https://app.example".to_owned(), move |to, text| {
            mails.lock().unwrap().push((to.to_owned(), text.to_owned()));
        });
        let client = SocketAddr::from(([192, 0, 2, 1], 1024));
        let app = tutorial::app(database, mailer).await.unwrap();
        app.layer(MockConnectInfo(client))
    }

    /// The next mail to alice, which is sent in the background.
    async fn next_mail(&self) -> String {
        loop {
            let mail = self.mails.lock().unwrap().pop();
            match mail {
                Some((to, text)) => {
                    assert_eq!(to, ALICE[2].1);
                    return text;
                }
                None => task::yield_now().await,
            }
        }
    }

    /// Path and query of the link in the next mail.
    async fn next_link(&self) -> String {
        let mail = self.next_mail().await;
        let (_, link) = mail.split_once("https://app.example").unwrap();
        link.split('\n').next().unwrap().to_owned()
    }

    /// Changes something behind the app's back.
    async fn execute(&self, sql: &'static str) {
        let mut connection = self.connect().await;
        sqlx::query(sql).execute(&mut connection).await.unwrap();
        connection.close().await.unwrap();
    }

    /// As if the only login were from 1970. A new record has its own time and that of its login in
    /// common, so the test need not know where the payload has it.
    async fn age_the_login(&self) {
        let mut connection = self.connect().await;
        let sql = "SELECT id, created, payload FROM login_sessions";
        let records = sqlx::query_as(sql).fetch_all(&mut connection).await;
        let records: Vec<(Vec<u8>, i64, Vec<u8>)> = records.unwrap();
        let mut aged = 0;
        for (id, created, mut payload) in records {
            let created = created.to_be_bytes();
            let Some(at) = payload.windows(8).rposition(|bytes| bytes == created) else {
                continue; // no session
            };
            payload[at..at + 8].fill(0);
            let sql = "UPDATE login_sessions SET payload = ? WHERE id = ?";
            let update = sqlx::query(sql).bind(payload).bind(id);
            update.execute(&mut connection).await.unwrap();
            aged += 1;
        }
        assert_eq!(aged, 1);
        connection.close().await.unwrap();
    }

    async fn password_hash(&self) -> String {
        let sql = "SELECT password_hash FROM accounts";
        let mut connection = self.connect().await;
        let hash = sqlx::query_scalar(sql).fetch_one(&mut connection).await;
        hash.unwrap()
    }

    async fn connect(&self) -> SqliteConnection {
        let options = SqliteConnectOptions::new().filename(self.path());
        SqliteConnection::connect_with(&options).await.unwrap()
    }
}

#[tokio::test]
async fn permissions_decide_on_routes_objects_and_buttons() {
    let app = permissions::app();
    let (mut bob, mut admin) = (Browser::new(app.clone()), Browser::new(app));
    bob.post("/login/bob").await;
    admin.post("/login/alice").await;

    let page = bob.get("/").await.body;
    assert!(page.contains(r#"action="/articles/1/edit""#), "{page}");
    assert!(!page.contains(r#"action="/articles/2/edit""#), "{page}");
    assert!(!page.contains(r#"href="/roles""#), "{page}");
    assert_eq!(bob.post("/articles/1/edit").await.status, StatusCode::OK);
    let denied = bob.post("/articles/2/edit").await;
    assert_eq!(denied.status, StatusCode::FORBIDDEN);
    assert_eq!(bob.get("/roles").await.status, StatusCode::FORBIDDEN);

    assert_eq!(admin.post("/articles/2/edit").await.status, StatusCode::OK);
    let granted = submit(&mut admin, "/roles/bob", &[("role", "admin")]).await;
    assert_eq!(granted.status, StatusCode::NO_CONTENT);
    assert!(bob.get("/roles").await.body.contains("bob: Admin"));

    let withdrawn = submit(&mut admin, "/roles/bob", &[("role", "reader")]).await;
    assert_eq!(withdrawn.status, StatusCode::NO_CONTENT);
    let denied = bob.post("/articles/1/edit").await;
    assert_eq!(denied.status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn event_metrics_counts_logins_and_refusals() {
    let mut browser = Browser::new(event_metrics::app());
    let denied = browser.get("/private").await;
    assert_eq!(denied.status, StatusCode::UNAUTHORIZED);
    browser.post("/login").await;
    browser.get("/private").await;
    browser.post("/logout").await;

    let metrics = browser.get("/metrics").await.body;
    for (event, reason) in [
        ("denied", "login_required"),
        ("logged_in", ""),
        ("logged_out", ""),
    ] {
        let line = format!(
            "login_manager_events_total{{realm=\"account\",event=\"{event}\",reason=\"{reason}\"}} 1"
        );
        assert!(metrics.contains(&line), "no {line} in {metrics}");
    }
}

#[tokio::test]
async fn htmx_goes_to_the_login_page_and_back_to_the_page() {
    let mut browser = Browser::new(htmx::app());
    assert_redirects(&browser.post("/login").await, "/notes");
    let part = submit(&mut browser, "/notes", &[("text", "<tea>")]).await;
    assert_eq!(part.body, "<ul><li>&lt;tea></ul>");
    assert!(browser.get("/notes").await.body.contains(&part.body));

    browser.post("/logout").await;
    let yes = HeaderValue::from_static("true");
    browser.headers.insert("hx-request", yes);
    let page = HeaderValue::from_static("http://localhost/notes?page=2");
    browser.headers.insert("hx-current-url", page);
    let denied = submit(&mut browser, "/notes", &[("text", "milk")]).await;
    assert_eq!(denied.status, StatusCode::UNAUTHORIZED);
    let login = denied.header("hx-redirect").unwrap().to_owned();
    assert_eq!(login, "/login?next=/notes%3Fpage%3D2&notice=login");
    browser.headers.clear();
    let back = browser.post(&login).await;
    assert_redirects(&back, "/notes?page=2");
}

/// Alice has added a second factor. Her secret, and her recovery codes.
async fn with_second_factor() -> (Browser, totp_rs::Totp, Vec<String>) {
    let mut browser = Browser::new(second_factor::app().await.unwrap());
    let answer = submit(&mut browser, "/login", &QUICK_ALICE).await;
    assert_eq!(answer.body, "Welcome\n", "one factor is enough");
    let secret = browser.post("/factor").await.body;
    let secret = secret.lines().next().unwrap();
    let secret = secret.strip_prefix("SECRET=").unwrap();
    let totp = totp_rs::Builder::new()
        .with_secret(totp_rs::Secret::try_from_base32(secret).unwrap())
        .build()
        .unwrap();
    let wrong = submit(&mut browser, "/factor/confirm", &[("code", "000000x")]).await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    let answer = submit(
        &mut browser,
        "/factor/confirm",
        &[("code", &code(&totp, 0))],
    )
    .await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    let codes: Vec<String> = answer.body.lines().map(str::to_owned).collect();
    assert!(codes.len() == 10 && codes.iter().all(|code| code.len() == 24));
    assert_eq!(
        browser.get("/me").await.body,
        "alice\n",
        "this session stays"
    );
    (browser, totp, codes)
}

/// The code of this many time steps from now.
fn code(totp: &totp_rs::Totp, steps: u64) -> String {
    let now = std::time::UNIX_EPOCH.elapsed().unwrap().as_secs();
    totp.generate(now + steps * totp.step()).to_string()
}

async fn enter_code(browser: &mut Browser, code: &str) -> Answer {
    submit(browser, "/code", &[("code", code)]).await
}

/// How often each status is the answer, in order.
async fn count_statuses(answers: impl Iterator<Item = JoinHandle<u16>>) -> Vec<(u16, usize)> {
    let mut counts = BTreeMap::new();
    for answer in answers.collect::<Vec<_>>() {
        *counts.entry(answer.await.unwrap()).or_default() += 1;
    }
    counts.into_iter().collect()
}

#[tokio::test]
async fn second_factor_accepts_each_code_once() {
    let (browser, totp, _) = with_second_factor().await;
    let mut browser = browser.another();
    let answer = enter_code(&mut browser, &code(&totp, 1)).await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "no password yet");

    let answer = submit(&mut browser, "/login", &QUICK_ALICE).await;
    assert_eq!(answer.body, "Enter a code\n");
    assert_eq!(browser.get("/me").await.status, StatusCode::UNAUTHORIZED);
    let answer = browser.post("/factor").await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "no way around");

    let next = code(&totp, 1);
    let parallel = (0..4).map(|_| {
        let (mut browser, next) = (browser.clone(), next.clone());
        tokio::spawn(async move { enter_code(&mut browser, &next).await.status.as_u16() })
    });
    let statuses = count_statuses(parallel).await;
    assert_eq!(statuses[0], (200, 1), "{statuses:?}");

    let mut later = browser.another();
    submit(&mut later, "/login", &QUICK_ALICE).await;
    let answer = enter_code(&mut later, &next).await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "a replay");
    assert_eq!(later.get("/me").await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn second_factor_accepts_each_recovery_code_once() {
    let (browser, _, codes) = with_second_factor().await;
    let mut statuses = Vec::new();
    let spaced = format!("{} {}", &codes[0][..12], codes[0][12..].to_lowercase());
    for code in [&spaced, &codes[0], &codes[1]] {
        let mut browser = browser.another();
        submit(&mut browser, "/login", &QUICK_ALICE).await;
        statuses.push(enter_code(&mut browser, code).await.status.as_u16());
    }
    assert_eq!(statuses, [200, 422, 200]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn second_factor_accepts_a_recovery_code_of_64_parallel_uses_once() {
    let (browser, _, codes) = with_second_factor().await;
    let mut browser = browser.another();
    submit(&mut browser, "/login", &QUICK_ALICE).await;
    let uses = (0..64).map(|_| {
        let (mut browser, code) = (browser.clone(), codes[0].clone());
        tokio::spawn(async move { enter_code(&mut browser, &code).await.status.as_u16() })
    });
    let statuses = count_statuses(uses).await;
    assert_eq!(statuses[0], (200, 1), "{statuses:?}");
    assert_eq!(statuses.iter().map(|(_, count)| count).sum::<usize>(), 64);
}

/// The attacker knows the password and tries codes in parallel.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn second_factor_checks_five_of_200_parallel_guesses() {
    let (browser, _, codes) = with_second_factor().await;
    let mut attacker = browser.another();
    submit(&mut attacker, "/login", &QUICK_ALICE).await;
    let guesses = (0..200).map(|n| {
        let mut attacker = attacker.clone();
        tokio::spawn(async move {
            let guess = format!("x{n}");
            enter_code(&mut attacker, &guess).await.status.as_u16()
        })
    });
    assert_eq!(count_statuses(guesses).await, [(422, 5), (429, 195)]);
    let answer = enter_code(&mut attacker, &codes[0]).await;
    assert_eq!(answer.status, StatusCode::TOO_MANY_REQUESTS);
    assert!(answer.header("retry-after").is_some());
}

#[tokio::test]
async fn second_factor_is_skipped_in_a_trusted_browser() {
    let (browser, _, codes) = with_second_factor().await;
    let mut trusted = browser.another();
    submit(&mut trusted, "/login", &QUICK_ALICE).await;
    let form = [("code", &*codes[0]), ("trust", "true")];
    assert_eq!(
        submit(&mut trusted, "/code", &form).await.status,
        StatusCode::OK
    );
    trusted.post("/logout").await;
    let answer = submit(&mut trusted, "/login", &QUICK_ALICE).await;
    assert_eq!(answer.body, "Welcome\n");
    let answer = submit(&mut browser.another(), "/login", &QUICK_ALICE).await;
    assert_eq!(answer.body, "Enter a code\n");
}

/// A request from this address.
async fn from_address(browser: &mut Browser, address: &str, guess: Option<&str>) -> Answer {
    let (method, uri) = match guess {
        Some(_) => (Method::POST, "/login"),
        None => (Method::GET, "/me"),
    };
    let mut request = browser.request(method, uri);
    let address: SocketAddr = format!("{address}:1234").parse().unwrap();
    request.extensions_mut().insert(ConnectInfo(address));
    if let Some(password) = guess {
        let credentials = format!(r#"{{"username":"alice","password":"{password}"}}"#);
        *request.body_mut() = Body::from(credentials);
        let json = HeaderValue::from_static("application/json");
        request.headers_mut().insert(CONTENT_TYPE, json);
    }
    browser.deliver(request).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn throttled_login_checks_five_guesses_of_a_botnet() {
    let mut owner = Browser::new(throttled_login::app().await.unwrap());
    let answer = from_address(&mut owner, "192.0.2.1", Some("wonderland")).await;
    assert_eq!(answer.status, StatusCode::OK);
    let stranger = owner.another();
    let guesses = (0..50).map(|n| {
        let mut bot = stranger.clone();
        tokio::spawn(async move {
            let address = format!("198.51.100.{n}");
            let answer = from_address(&mut bot, &address, Some("wrong")).await;
            answer.status.as_u16()
        })
    });
    assert_eq!(count_statuses(guesses).await, [(422, 5), (429, 45)]);
    let answer = from_address(&mut owner, "192.0.2.1", Some("wonderland")).await;
    assert_eq!(answer.status, StatusCode::OK, "the browser is known");
    assert_eq!(
        from_address(&mut owner, "192.0.2.1", None).await.body,
        "alice\n"
    );
}

#[tokio::test]
async fn throttled_login_limits_the_requests_of_an_address() {
    let mut browser = Browser::new(throttled_login::app().await.unwrap());
    let mut last = StatusCode::OK;
    for _ in 0..100 {
        last = from_address(&mut browser, "192.0.2.1", None).await.status;
        if last == StatusCode::TOO_MANY_REQUESTS {
            break;
        }
    }
    assert_eq!(last, StatusCode::TOO_MANY_REQUESTS);
    let other = from_address(&mut browser, "192.0.2.2", None).await;
    assert_eq!(other.status, StatusCode::UNAUTHORIZED);
}

const RESET_ALICE: [(&str, &str); 2] = [
    ("email", "alice@example.com"),
    ("password", "down the rabbit hole"),
];

/// The example with links by mail, and the folder with its mails.
async fn password_reset_app() -> (Browser, Folder) {
    let mails = Folder::new();
    let app = password_reset::app("https://app.example", mails.path());
    (Browser::new(app.await.unwrap()), mails)
}

/// The next mail with this text, once it is there, and its link without the site.
async fn mail_with(mails: &Folder, text: &str) -> (String, String) {
    let search = async {
        loop {
            for file in fs::read_dir(mails.path()).unwrap() {
                let path = file.unwrap().path();
                let mail = fs::read_to_string(&path).unwrap();
                if path.extension().is_some_and(|eml| eml == "eml") && mail.contains(text) {
                    fs::remove_file(path).unwrap();
                    return mail;
                }
            }
            task::yield_now().await;
        }
    };
    let mail = tokio::time::timeout(Duration::from_secs(60), search).await;
    let mail = mail.expect("there is such a mail");
    let link = mail.split_once("https://app.example");
    let link = link.map_or("", |(_, link)| link.lines().next().unwrap());
    (link.to_owned(), mail)
}

/// Opens a link as a mail program does, which leads to a path without the token.
async fn follow(browser: &mut Browser, link: &str) -> Answer {
    let moved = browser.get(link).await;
    let (path, _) = link.split_once('?').unwrap();
    assert_redirects(&moved, path);
    assert_eq!(moved.header("referrer-policy"), Some("no-referrer"));
    let page = browser.get(path).await;
    assert_eq!(page.header("referrer-policy"), Some("no-referrer"));
    assert_eq!(page.header("cache-control"), Some("no-store"));
    page
}

#[tokio::test]
async fn password_reset_sets_a_password_once_and_ends_sessions() {
    let (mut browser, mails) = password_reset_app().await;
    let mut thief = browser.another();
    assert_redirects(&submit(&mut thief, "/login", &RESET_ALICE).await, "/");
    assert!(thief.get("/").await.body.contains("alice@example.com"));

    let [known, unknown] = ["alice@example.com", "nobody@example.com"];
    let answer = submit(&mut browser, "/forgot", &[("email", known)]).await;
    let other = submit(&mut browser, "/forgot", &[("email", unknown)]).await;
    assert_same(&answer, &other);
    let (link, mail) = mail_with(&mails, "/link/reset?token=").await;
    assert!(mail.contains("To: alice@example.com"), "{mail}");

    // A mail scanner.
    let mut scanner = browser.another();
    assert!(follow(&mut scanner, &link).await.body.contains("<form"));
    let page = follow(&mut browser, &link).await;
    assert!(page.body.contains("new-password"), "{}", page.body);
    let short = submit(&mut browser, "/link/reset", &[("password", "short")]).await;
    assert_complains(&short, "At least 15 characters");
    let new = [("password", "through the looking glass")];
    let done = submit(&mut browser, "/link/reset", &new).await;
    assert!(
        done.body.contains("Your password is changed."),
        "{}",
        done.body
    );
    mail_with(&mails, "Your password was changed.").await;
    assert!(!browser.get("/").await.body.contains("alice"), "logged in");
    assert!(
        !thief.get("/").await.body.contains("alice"),
        "still logged in"
    );

    for browser in [&mut browser, &mut scanner] {
        let again = submit(browser, "/link/reset", &new).await;
        assert!(again.body.contains("not valid"), "{}", again.body);
    }
    let old = submit(&mut browser, "/login", &RESET_ALICE).await;
    assert!(old.body.contains("Wrong address or password."));
    let new = [RESET_ALICE[0], new[0]];
    assert_redirects(&submit(&mut browser, "/login", &new).await, "/");
    assert_eq!(
        browser.get("/link/other").await.status,
        StatusCode::NOT_FOUND
    );
}

#[tokio::test]
async fn password_reset_verifies_the_address() {
    let (mut browser, mails) = password_reset_app().await;
    submit(&mut browser, "/login", &RESET_ALICE).await;
    assert!(browser.get("/").await.body.contains("(not verified)"));
    assert!(browser.post("/verify").await.body.contains("on its way"));
    assert!(browser.post("/verify").await.body.contains("minutes ago"));
    let (link, _) = mail_with(&mails, "/link/verification?token=").await;
    // In the browser of the mail program.
    let mut other = browser.another();
    assert!(follow(&mut other, &link).await.body.contains("Confirm"));
    assert!(browser.get("/").await.body.contains("(not verified)"));
    let done = submit(&mut other, "/link/verification", &[]).await;
    assert!(done.body.contains("is verified"), "{}", done.body);
    assert!(browser.get("/").await.body.contains("(verified)"));
}

#[tokio::test]
async fn password_reset_changes_the_address_and_back() {
    let (mut thief, mails) = password_reset_app().await;
    let mut owner = thief.another();
    submit(&mut thief, "/login", &RESET_ALICE).await;
    let new = [("email", "thief@example.com")];
    let asked = submit(&mut thief, "/address", &new).await;
    assert!(asked.body.contains("on its way"), "{}", asked.body);
    let (link, mail) = mail_with(&mails, "/link/change_of_address?token=").await;
    assert!(mail.contains("To: thief@example.com"), "{mail}");
    assert!(follow(&mut thief, &link).await.body.contains("Confirm"));
    let done = submit(&mut thief, "/link/change_of_address", &[]).await;
    assert!(
        done.body.contains("Your address is changed."),
        "{}",
        done.body
    );
    let log_in = [new[0], RESET_ALICE[1]];
    assert_redirects(&submit(&mut thief, "/login", &log_in).await, "/");

    let (undo, mail) = mail_with(&mails, "/link/undo?token=").await;
    assert!(mail.contains("To: alice@example.com"), "{mail}");
    assert!(follow(&mut owner, &undo).await.body.contains("Confirm"));
    let done = submit(&mut owner, "/link/undo", &[]).await;
    assert!(done.body.contains("as before"), "{}", done.body);
    mail_with(&mails, "changed back").await;
    assert!(!thief.get("/").await.body.contains("@"), "still logged in");
    for form in [log_in, RESET_ALICE] {
        let answer = submit(&mut thief, "/login", &form).await;
        assert!(answer.body.contains("Wrong address or password."));
    }
    submit(&mut owner, "/forgot", &[RESET_ALICE[0]]).await;
    mail_with(&mails, "/link/reset?token=").await;
}
