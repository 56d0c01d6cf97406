//! A second factor: codes of an authenticator app (TOTP), and recovery codes.
//!
//! ```sh
//! cargo run -p second_factor
//! ```
//!
//! ```sh
//! login='-d username=alice -d password=wonderland'
//! curl -b jar -c jar $login http://localhost:3000/login                 # Welcome: one factor is enough yet
//! curl -b jar -c jar -X POST http://localhost:3000/factor               # the secret, for the authenticator app
//! code() { oathtool --totp -b "$SECRET"; }                              # SECRET=… as printed
//! curl -b jar -c jar -d code=$(code) http://localhost:3000/factor/confirm # ten recovery codes
//! curl -b jar -c jar -X POST http://localhost:3000/logout
//! curl -b jar -c jar $login http://localhost:3000/login                 # Enter a code
//! curl -b jar -c jar http://localhost:3000/me -i                        # 401: still anonymous
//! curl -b jar -c jar -d code=$(code) http://localhost:3000/code         # Welcome; or a recovery code
//! ```
//!
//! - Between the two factors the request is anonymous: the user's name waits in the session, on the
//!   server, for ten minutes.
//! - Each code is accepted once. The time step of the last one is stored and refused again, as
//!   RFC 6238 (5.2) and OWASP ASVS 5.0 (6.5.1) require. The codes before and after the current one
//!   are accepted, too, since clocks differ.
//! - Codes have six digits, so guesses are throttled: five are free, and further ones have to wait.
//!   Codes and recovery codes share one count, separate from that of the passwords.
//! - Recovery codes have 120 random bits, so their plain SHA-256 can be stored (ASVS 6.5.2). If two
//!   requests use the same one, only one succeeds, and new codes replace the old ones.
//! - A new factor changes the security stamp: all other sessions end, and no browser is trusted any
//!   more.

mod accounts;

use std::{env, error::Error, future};

use axum::{
    Form, Router,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response, Result},
    routing::{get, post},
};
use login_manager::{
    Auth, FreshLoginRequired, LoginManager, LoginRequired, MemoryStore, Passwords, Session,
    manager::KnownBrowsers,
    throttle::{Attempt, Throttle},
};
use serde::{Deserialize, Serialize};
use tokio::{net::TcpListener, signal};
use tower_http::csrf::CsrfLayer;

use self::accounts::{Account, Accounts, random, seconds};

#[derive(Clone)]
struct App {
    accounts: Accounts,
    passwords: Passwords,
    password_guesses: Throttle,
    code_guesses: Throttle,
}

/// The whole app. Tests call it too.
pub(crate) async fn app() -> Result<Router, Box<dyn Error>> {
    let passwords = Passwords::new();
    let accounts = Accounts::new(passwords.hash("wonderland").await?);
    let login_manager = LoginManager::new(MemoryStore::new(), {
        let accounts = accounts.clone();
        move |name: String| future::ready(accounts.find(&name))
    })
    .with_realm("account")
    .with_known_browsers(KnownBrowsers::new());

    Ok(Router::new()
        .route("/me", get(me))
        .route("/login", post(enter_password))
        .route("/code", post(enter_code))
        .route("/logout", post(log_out))
        .route("/factor", post(begin_factor))
        .route("/factor/confirm", post(confirm_factor))
        .layer(login_manager.clone())
        .layer(CsrfLayer::new())
        .with_state(App {
            accounts,
            passwords,
            password_guesses: login_manager.throttle(),
            code_guesses: login_manager.throttle().named("code"),
        }))
}

async fn me(LoginRequired(user): LoginRequired<Account>) -> String {
    format!("{}\n", user.name)
}

async fn log_out(auth: Auth<Account>) -> Result<()> {
    Ok(auth.logout().await?)
}

#[derive(Deserialize)]
struct Credentials {
    username: String,
    password: String,
}

/// The name in the session of the user whose password was correct.
const PENDING: &str = "second-factor";
const TEN_MINUTES: u64 = 10 * 60;

#[derive(Serialize, Deserialize)]
struct Pending {
    name: String,
    stamp: u64,
    /// In Unix seconds.
    since: u64,
}

async fn enter_password(
    State(app): State<App>,
    auth: Auth<Account>,
    session: Session,
    Form(form): Form<Credentials>,
) -> Result<Response> {
    let account = app.accounts.find(&form.username);
    let id = account.as_ref().map(|account| &account.name);
    let browser = auth.known_browser(id).await?;
    let guess = app
        .password_guesses
        .attempt(&form.username)
        .browser(browser);
    let permit = match guess.await? {
        Attempt::Permit(permit) => permit,
        Attempt::Wait(wait) => return Ok(wait.into_response()),
    };
    let stored = account.as_ref().map(|account| &*account.password_hash);
    let verdict = app.passwords.verify(form.password, stored).await?;
    let Some(account) = account.filter(|_| verdict.is_valid()) else {
        let message = "Wrong user name or password\n";
        return Ok((StatusCode::UNPROCESSABLE_ENTITY, message).into_response());
    };
    permit.succeeded().await?;

    if !account.has_second_factor || auth.is_browser_trusted(&account).await? {
        auth.login(account).await?;
        return Ok("Welcome\n".into_response());
    }
    let pending = Pending {
        name: account.name,
        stamp: account.stamp,
        since: seconds(),
    };
    auth.logout().await?; // ends an earlier login of this browser
    session.insert(PENDING, &pending).await?;
    Ok("Enter a code\n".into_response())
}

#[derive(Deserialize)]
struct Code {
    code: String,
    /// "Don't ask again in this browser."
    #[serde(default)]
    trust: bool,
}

async fn enter_code(
    State(app): State<App>,
    auth: Auth<Account>,
    session: Session,
    Form(form): Form<Code>,
) -> Result<Response> {
    let pending: Option<Pending> = session.get(PENDING).await?;
    let pending = pending.filter(|pending| seconds().saturating_sub(pending.since) <= TEN_MINUTES);
    let account = pending.and_then(|pending| {
        let account = app.accounts.find(&pending.name)?;
        (account.stamp == pending.stamp).then_some(account)
    });
    let Some(account) = account else {
        let message = "Enter your password first\n";
        return Ok((StatusCode::UNAUTHORIZED, message).into_response());
    };
    let permit = match app.code_guesses.attempt(&account.name).await? {
        Attempt::Permit(permit) => permit,
        Attempt::Wait(wait) => return Ok(wait.into_response()),
    };
    if !app.accounts.use_code(&account.name, &form.code) {
        return Ok((StatusCode::UNPROCESSABLE_ENTITY, "Wrong code\n").into_response());
    }
    permit.succeeded().await?;
    session.remove(PENDING).await?;
    auth.login(account).await?;
    if form.trust {
        auth.trust_browser().await?;
    }
    Ok("Welcome\n".into_response())
}

/// The name in the session of a secret that has not been confirmed yet.
const NEW_SECRET: &str = "new-secret";

/// The password is enough for the first factor of a user who has none, but it must be fresh.
async fn begin_factor(
    FreshLoginRequired(user): FreshLoginRequired<Account>,
    session: Session,
) -> Result<Response> {
    let secret: [u8; 20] = random()?;
    session.insert(NEW_SECRET, &secret).await?;
    let totp = accounts::totp(&user.name, secret).map_err(|_| StatusCode::CONFLICT)?;
    let url = totp.to_url().map_err(|_| StatusCode::CONFLICT)?; // show it as a QR code
    let secret = totp.secret().to_base32();
    Ok(format!("SECRET={secret}\n{url}\n").into_response())
}

/// The secret becomes valid when the user has shown that their app has it.
async fn confirm_factor(
    State(app): State<App>,
    FreshLoginRequired(user): FreshLoginRequired<Account>,
    auth: Auth<Account>,
    session: Session,
    Form(form): Form<Code>,
) -> Result<Response> {
    let Some(secret) = session.get(NEW_SECRET).await? else {
        return Ok(StatusCode::CONFLICT.into_response());
    };
    let Some(codes) = app.accounts.add_factor(&user.name, secret, &form.code)? else {
        return Ok((StatusCode::UNPROCESSABLE_ENTITY, "Wrong code\n").into_response());
    };
    session.remove(NEW_SECRET).await?;
    // The stamp has changed, so this session would end with the others.
    if let Some(account) = app.accounts.find(&user.name) {
        auth.login(account).await?;
    }
    Ok(codes.join("\n").into_response())
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
    println!(
        "Listening on http://localhost:{}",
        listener.local_addr()?.port()
    );
    axum::serve(listener, app().await?)
        .with_graceful_shutdown(async { signal::ctrl_c().await.unwrap_or_default() })
        .await?;
    Ok(())
}
