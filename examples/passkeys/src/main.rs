//! Passkeys: a login without a user name and a password, with the crate `webauthn-rs`.
//!
//! ```sh
//! cargo run -p passkeys
//! ```
//!
//! Open <http://localhost:3000/?page=2>, log in as `alice` with the password `wonderland`, and add
//! a passkey. Log out, and log in with the passkey. Without an authenticator, use that of
//! Chromium's developer tools: "More tools", "WebAuthn", "Enable virtual authenticator
//! environment", with "Supports resident keys" and "Supports user verification".
//!
//! The challenges can be seen without a browser:
//!
//! ```sh
//! curl -X POST http://localhost:3000/login/passkey/challenge   # for any visitor, without a name
//! curl -X POST http://localhost:3000/passkeys/challenge -i     # 401: only after a fresh login
//! ```
//!
//! - Only a fresh login may add a passkey, as for changing a password.
//! - The user enters no name: the passkey is *discoverable*, and the authenticator returns the user
//!   handle that it has stored. The challenge is the same for every visitor, so it does not show
//!   who has an account.
//! - Both ceremonies require *user verification* (a PIN, a fingerprint), and the server checks it.
//!   So the passkey is two factors in one, and [`Auth::login`] makes the login fresh.
//! - The state of a ceremony is kept in the [`Session`], on the server, and the first response
//!   removes it: the same response is never accepted again. After five minutes, a response is too
//!   late.
//! - A counter that does not rise means that the passkey was copied, and the login is refused.
//!   Passkeys that are synchronized between devices have no counter: theirs is always 0.
//!
//! In an application, let users name, list and remove their passkeys, notify them by e-mail of a
//! new one, and throttle the password (example `throttled_login`).

mod accounts;

use std::{env, error::Error, future, time::SystemTime};

use axum::{
    Form, Json, Router,
    extract::State,
    http::{StatusCode, header},
    response::{Html, IntoResponse, Redirect, Response, Result},
    routing::{get, post},
};
use login_manager::{
    Auth, FreshLoginRequired, LoginManager, LoginRequired, MemoryStore, NextPath, Passwords,
    Session,
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use tokio::{net::TcpListener, signal};
use tower_http::csrf::CsrfLayer;
use webauthn_rs::{DEFAULT_AUTHENTICATOR_TIMEOUT, prelude::*};

use self::accounts::{Account, Accounts};

#[derive(Clone)]
struct App {
    accounts: Accounts,
    passwords: Passwords,
    webauthn: Webauthn,
}

/// The whole app, at this origin. Tests call it too.
pub(crate) async fn app(origin: &str) -> Result<Router, Box<dyn Error>> {
    let origin = Url::parse(origin)?;
    // Passkeys are bound to this domain, and work in its subdomains.
    let domain = origin.domain().ok_or("the origin has no domain")?;
    let webauthn = WebauthnBuilder::new(domain, &origin)?
        .rp_name("Example")
        .build()?;
    let (accounts, passwords) = (Accounts::default(), Passwords::new());
    for (name, password) in [("alice", "wonderland"), ("bob", "builder")] {
        accounts.add(name, passwords.hash(password).await?);
    }
    let login_manager = LoginManager::new(MemoryStore::new(), {
        let accounts = accounts.clone();
        move |id| future::ready(accounts.find(id))
    })
    .with_realm("account")
    .with_login_page("/login");

    Ok(Router::new()
        .route("/", get(home))
        .route("/login", get(login_form).post(log_in_with_password))
        .route("/login/passkey/challenge", post(begin_login))
        .route("/login/passkey", post(finish_login))
        .route("/passkeys/challenge", post(begin_registration))
        .route("/passkeys", post(finish_registration))
        .route("/logout", post(log_out))
        .layer(login_manager)
        .layer(CsrfLayer::new())
        .route("/passkeys.js", get(script))
        .with_state(App {
            accounts,
            passwords,
            webauthn,
        }))
}

async fn home(State(app): State<App>, LoginRequired(user): LoginRequired<Account>) -> Html<String> {
    let name = &user.name; // let a template engine escape it
    let passkeys = app.accounts.credential_ids(user.id).len();
    page(&format!(
        r#"<p>Hello, {name}! Number of your passkeys: {passkeys}</p>
<button data-passkey="add">Add a passkey</button>
<form method="post" action="/logout"><button>Log out</button></form>"#
    ))
}

/// Without an `action`, the form is sent to the URL of the page, including `?next=`.
async fn login_form() -> Html<String> {
    page(
        r#"<button data-passkey="login">Log in with a passkey</button>
<form method="post">
  <label>User name <input name="username" autocomplete="username" required></label>
  <label>Password <input name="password" type="password" autocomplete="current-password" required></label>
  <button type="submit">Log in</button>
</form>"#,
    )
}

fn page(content: &str) -> Html<String> {
    Html(format!(
        r#"<!doctype html><html lang="en"><meta charset="utf-8"><title>Passkeys</title>
<main>{content}<p role="status"></p></main>
<script type="module" src="/passkeys.js"></script></html>"#
    ))
}

async fn script() -> impl IntoResponse {
    let kind = (header::CONTENT_TYPE, "text/javascript");
    ([kind], include_str!("passkeys.js"))
}

#[derive(Deserialize)]
struct Credentials {
    username: String,
    password: String,
}

async fn log_in_with_password(
    State(app): State<App>,
    auth: Auth<Account>,
    next: NextPath,
    Form(form): Form<Credentials>,
) -> Result<Response> {
    let account = app.accounts.find_by_name(&form.username);
    let stored = account.as_ref().map(|account| &*account.password_hash);
    let verdict = app.passwords.verify(form.password, stored).await?;
    let Some(account) = account.filter(|_| verdict.is_valid()) else {
        let page = page(r#"<p>Wrong user name or password. <a href="/login">Try again</a></p>"#);
        return Ok((StatusCode::UNPROCESSABLE_ENTITY, page).into_response());
    };
    auth.login(account).await?;
    Ok(next.redirect_or("/").into_response())
}

async fn log_out(auth: Auth<Account>) -> Result<Redirect> {
    auth.logout().await?;
    Ok(Redirect::to("/"))
}

/// The names in the session of the two ceremonies' states.
const REGISTRATION: &str = "passkey-registration";
const LOGIN: &str = "passkey-login";

async fn begin<S: Serialize>(session: &Session, name: &str, state: S) -> Result<()> {
    Ok(session.insert(name, &(state, SystemTime::now())).await?)
}

/// Taken out of the session, so that only one answer is verified, valid or not.
async fn take<S: DeserializeOwned>(session: &Session, name: &str) -> Result<Option<S>> {
    let begun: Option<(S, SystemTime)> = session.take(name).await?;
    let in_time = |since: SystemTime| {
        let age = since.elapsed();
        age.is_ok_and(|age| age <= DEFAULT_AUTHENTICATOR_TIMEOUT)
    };
    Ok(begun.and_then(|(state, since)| in_time(since).then_some(state)))
}

async fn begin_registration(
    State(app): State<App>,
    FreshLoginRequired(user): FreshLoginRequired<Account>,
    session: Session,
) -> Result<Json<CreationChallengeResponse>> {
    let existing = app.accounts.credential_ids(user.id);
    let (mut challenge, state) = app
        .webauthn
        .start_passkey_registration(user.id, &user.name, &user.name, Some(existing))
        .map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)?;
    // By default, webauthn-rs leaves it to the authenticator whether a passkey is discoverable.
    if let Some(selection) = &mut challenge.public_key.authenticator_selection {
        selection.resident_key = None;
        selection.require_resident_key = true;
    }
    begin(&session, REGISTRATION, state).await?;
    Ok(Json(challenge))
}

async fn finish_registration(
    State(app): State<App>,
    FreshLoginRequired(user): FreshLoginRequired<Account>,
    session: Session,
    Json(answer): Json<RegisterPublicKeyCredential>,
) -> Result<Response> {
    let Some(state) = take(&session, REGISTRATION).await? else {
        return Ok((StatusCode::FORBIDDEN, "Please try again.").into_response());
    };
    let passkey = app.webauthn.finish_passkey_registration(&answer, &state);
    let is_added = passkey.is_ok_and(|passkey| app.accounts.add_passkey(user.id, passkey));
    if !is_added {
        let message = "This passkey is not accepted.";
        return Ok((StatusCode::UNPROCESSABLE_ENTITY, message).into_response());
    }
    Ok(Json("/").into_response())
}

async fn begin_login(
    State(app): State<App>,
    session: Session,
) -> Result<Json<RequestChallengeResponse>> {
    let (mut challenge, state) = app
        .webauthn
        .start_discoverable_authentication()
        .map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)?;
    challenge.mediation = None; // a dialog, since the visitor has clicked a button
    begin(&session, LOGIN, state).await?;
    Ok(Json(challenge))
}

async fn finish_login(
    State(app): State<App>,
    auth: Auth<Account>,
    session: Session,
    next: NextPath,
    Json(answer): Json<PublicKeyCredential>,
) -> Result<Response> {
    let Some(state) = take(&session, LOGIN).await? else {
        return Ok((StatusCode::FORBIDDEN, "Please try again.").into_response());
    };
    let Some(account) = verify(&app, &answer, state) else {
        let message = "This passkey is not accepted.";
        return Ok((StatusCode::FORBIDDEN, message).into_response());
    };
    auth.login(account).await?;
    Ok(Json(next.or("/")).into_response())
}

fn verify(
    app: &App,
    answer: &PublicKeyCredential,
    state: DiscoverableAuthentication,
) -> Option<Account> {
    let webauthn = &app.webauthn;
    let (id, credential_id) = webauthn.identify_discoverable_authentication(answer).ok()?;
    app.accounts.use_passkey(id, credential_id, |passkey| {
        webauthn.finish_discoverable_authentication_v2(answer, state, passkey)
    })
}

#[tokio::main]
#[expect(clippy::print_stdout, reason = "output for the terminal")]
async fn main() -> Result<(), Box<dyn Error>> {
    tracing_subscriber::fmt::init();
    let port = env::var("PORT").unwrap_or("3000".to_owned());
    let port: u16 = port
        .parse()
        .map_err(|_| format!("PORT must be a number up to 65535, not '{port}'"))?;
    let listener = TcpListener::bind(("127.0.0.1", port))
        .await
        .map_err(|error| format!("can't listen on port {port}: {error}"))?;
    let origin = format!("http://localhost:{}", listener.local_addr()?.port());
    println!("Listening on {origin}");
    axum::serve(listener, app(&origin).await?)
        .with_graceful_shutdown(async { signal::ctrl_c().await.unwrap_or_default() })
        .await?;
    Ok(())
}
