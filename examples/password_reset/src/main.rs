//! Links by mail: reset a password, verify an address, change it, and undo the change.
//!
//! ```sh
//! cargo run -p password_reset
//! ```
//!
//! Open <http://localhost:3000>. There is one account, `alice@example.com` with the password
//! `down the rabbit hole`. Mails are files in the folder `mails`. `PORT=8080` changes the port.
//!
//! ```sh
//! curl -d email=alice@example.com http://localhost:3000/forgot    # the same for any address
//! grep -h token= mails/*.eml                                      # the link
//! curl -i -c jar "$(grep -ho 'http.*token=.*' mails/*.eml | tr -d '\r')"   # 303: without the token
//! curl -b jar http://localhost:3000/link/reset                    # the form
//! curl -b jar -d 'password=through the looking glass' http://localhost:3000/link/reset
//! ```
//!
//! `mail` sends the mails, `accounts` is the table of users. Below, `open_link` and `use_link`
//! serve every link, and `act` carries out its purpose.

mod accounts;
mod mail;

use std::{env, fs, path::Path as FilePath};

use axum::{
    Form, Router,
    extract::{Path, Query, State},
    http::{StatusCode, header::REFERRER_POLICY},
    response::{Html, IntoResponse, Redirect, Response, Result},
    routing::{get, post},
};
use login_manager::{
    Auth, BoxError, CurrentUser, FreshLoginRequired, LoginManager, LoginRequired, MemoryStore,
    NextPath, Passwords, Session,
    tokens::{Purpose, Redeemed, Tokens},
};
use serde::Deserialize;
use tokio::{net::TcpListener, signal};
use tower_http::csrf::CsrfLayer;

use self::{
    accounts::{Account, Accounts},
    mail::Mailer,
};

const RESET: Purpose = Purpose::reset();
const VERIFY: Purpose = Purpose::verification();
const CHANGE: Purpose = Purpose::change_of_address();
const UNDO: Purpose = Purpose::undo();

#[derive(Clone)]
struct App {
    accounts: Accounts,
    mailer: Mailer,
    passwords: Passwords,
    tokens: Tokens<Account>,
}

/// The whole app. `site` is the beginning of its URLs: from the configuration, never from the
/// `Host` header, which the client chooses. Tests call it, too.
pub(crate) async fn app(site: &str, mails: &FilePath) -> Result<Router, BoxError> {
    let passwords = Passwords::new();
    let accounts = Accounts::new(passwords.hash("down the rabbit hole").await?);
    let login_manager = LoginManager::new(MemoryStore::new(), accounts.clone())
        .with_realm("account")
        .with_login_page("/login");
    let tokens = login_manager.tokens();
    let state = App {
        mailer: Mailer::new(site, mails),
        tokens: tokens.with_address(|account: &Account| &account.email),
        accounts,
        passwords,
    };
    Ok(Router::new()
        .route("/", get(home))
        .route("/login", get(Html(LOGIN)).post(log_in))
        .route("/forgot", get(Html(FORGOT)).post(forgot))
        .route("/verify", post(verify))
        .route("/address", post(change_address))
        .route("/link/{name}", get(open_link).post(use_link))
        .layer(login_manager)
        .layer(CsrfLayer::new())
        .with_state(state))
}

const LOGIN: &str = r#"<form method="post"><input name="email"><input name="password" type="password">
<button>Log in</button></form><a href="/forgot">Forgot your password?</a>"#;
const FORGOT: &str =
    r#"<form method="post"><input name="email"><button>Send me a link</button></form>"#;
const NEW_PASSWORD: &str = r#"<form method="post">
<input name="password" type="password" autocomplete="new-password"><button>Set password</button></form>"#;
const CONFIRM: &str = r#"<form method="post"><button>Confirm</button></form>"#;
const INVALID: &str = "This link is not valid, or not any more.";

async fn home(CurrentUser(user): CurrentUser<Account>) -> Html<String> {
    let Some(user) = user else {
        return Html(r#"<a href="/login">Log in</a>"#.to_owned());
    };
    let state = if user.is_verified {
        "verified"
    } else {
        "not verified"
    };
    Html(format!(
        r#"{} ({state}) <form method="post" action="/verify"><button>Verify</button></form>
<form method="post" action="/address"><input name="email"><button>Change address</button></form>"#,
        mail::escaped(&user.email),
    ))
}

#[derive(Deserialize)]
struct Credentials {
    email: String,
    password: String,
}

async fn log_in(
    State(app): State<App>,
    auth: Auth<Account>,
    next: NextPath,
    Form(form): Form<Credentials>,
) -> Result<Response> {
    let account = app.accounts.by_email(&form.email);
    let stored = account
        .as_ref()
        .and_then(|account| account.password_hash.as_deref());
    let verdict = app.passwords.verify(form.password, stored).await?;
    let Some(account) = account.filter(|_| verdict.is_valid()) else {
        return Ok(Html("Wrong address or password.").into_response());
    };
    auth.login(account).await?;
    Ok(next.redirect_or("/").into_response())
}

#[derive(Deserialize)]
struct Address {
    email: String,
}

/// The response and its time are the same for every address, and the mail goes to the stored one.
async fn forgot(State(app): State<App>, Form(typed): Form<Address>) -> Html<&'static str> {
    let account = app.accounts.by_email(&typed.email);
    app.tokens
        .send(account, RESET, async move |account, token| {
            app.mailer.link(&account.email, RESET, &token).await
        });
    Html("If there is an account with this address, a mail is on its way.")
}

async fn verify(
    State(app): State<App>,
    LoginRequired(user): LoginRequired<Account>,
) -> Result<Html<&'static str>> {
    let token = app.tokens.issue(&user, VERIFY).await?;
    Ok(app.mailer.answer(&user.email, VERIFY, token).await)
}

/// The new address is in the token, not in the account, until its owner has confirmed it.
async fn change_address(
    State(app): State<App>,
    FreshLoginRequired(user): FreshLoginRequired<Account>,
    Form(new): Form<Address>,
) -> Result<Html<&'static str>> {
    let token = app.tokens.issue(&user, CHANGE).carry(&new.email).await?;
    Ok(app.mailer.answer(&new.email, CHANGE, token).await)
}

fn purpose(name: &str) -> Result<Purpose, StatusCode> {
    let purpose = [RESET, VERIFY, CHANGE, UNDO].into_iter();
    let mut named = purpose.filter(|purpose| purpose.name() == name);
    named.next().ok_or(StatusCode::NOT_FOUND)
}

#[derive(Deserialize)]
struct Link {
    token: Option<String>,
}

/// GET uses no token, since mail scanners open links, too. The token moves from the URL into the
/// session, so that no history, log or `Referer` header has it.
async fn open_link(
    State(app): State<App>,
    session: Session,
    Path(name): Path<String>,
    Query(link): Query<Link>,
) -> Result<Response> {
    let purpose = purpose(&name)?;
    let no_referrer = [(REFERRER_POLICY, "no-referrer")];
    if let Some(token) = link.token {
        session.insert(&name, &token).await?;
        let clean = Redirect::to(&format!("/link/{name}"));
        return Ok((no_referrer, clean).into_response());
    }
    let token: String = session.get(&name).await?.unwrap_or_default();
    let page = match app.tokens.peek(&token, purpose).await? {
        None => INVALID,
        Some(_) if purpose == RESET => NEW_PASSWORD,
        Some(_) => CONFIRM,
    };
    Ok((no_referrer, Html(page)).into_response())
}

#[derive(Deserialize)]
struct NewPassword {
    #[serde(default)]
    password: String,
}

async fn use_link(
    State(app): State<App>,
    session: Session,
    Path(name): Path<String>,
    Form(form): Form<NewPassword>,
) -> Result<Response> {
    let purpose = purpose(&name)?;
    let token: String = session.get(&name).await?.unwrap_or_default();
    if app.tokens.peek(&token, purpose).await?.is_none() {
        return Ok(Html(INVALID).into_response());
    }
    let mut hash = None;
    if purpose == RESET {
        // NIST SP 800-63B-4 (3.1.1.2). Checked before `redeem`, so that a bad password does not use
        // up the token.
        if form.password.chars().count() < 15 {
            let page = Html(format!("At least 15 characters, please.{NEW_PASSWORD}"));
            return Ok((StatusCode::UNPROCESSABLE_ENTITY, page).into_response());
        }
        hash = Some(app.passwords.hash(form.password).await?);
    }
    let Some(redeemed) = app.tokens.redeem(&token, purpose).await? else {
        return Ok(Html(INVALID).into_response());
    };
    let done = act(&app, purpose, redeemed, hash).await?;
    Ok(Html(format!(r#"{done} <a href="/">Continue</a>"#)).into_response())
}

/// This logs no one in. A new stamp ends all sessions and makes all tokens but an undo invalid.
async fn act(
    app: &App,
    purpose: Purpose,
    redeemed: Redeemed<Account>,
    hash: Option<String>,
) -> Result<&'static str> {
    let account = redeemed.user();
    let old = &account.email;
    let done = match purpose {
        VERIFY => {
            app.accounts
                .change(account.id, |account| account.is_verified = true);
            return Ok("Your address is verified.");
        }
        RESET => {
            app.accounts
                .change(account.id, |account| account.password_hash = hash);
            app.mailer.notify(old, "Your password was changed.");
            "Your password is changed. Log in with it."
        }
        CHANGE => {
            let new: String = redeemed.data()?;
            if app.accounts.by_email(&new).is_some() {
                return Ok("Another account has this address.");
            }
            // Issued before the change. If it is `None`, an older mail restores the same address.
            let undo = app.tokens.issue(account, UNDO).await?;
            app.accounts
                .change(account.id, |account| account.move_to(&new));
            app.mailer.notify_of_change(old, undo.as_ref());
            "Your address is changed. Log in with it."
        }
        _ => {
            let old = redeemed.address().unwrap_or(old);
            app.accounts.change(account.id, |account| {
                account.move_to(old);
                account.password_hash = None; // an intruder may have chosen it
            });
            app.mailer.notify(old, "Your address was changed back.");
            "Your address is as before. Choose a new password: “Forgot your password?”"
        }
    };
    app.accounts.change(account.id, Account::renew_stamp);
    app.tokens.withdraw_all(account).await?;
    Ok(done)
}

#[tokio::main]
#[expect(clippy::print_stdout, reason = "output for the terminal")]
async fn main() -> Result<(), BoxError> {
    tracing_subscriber::fmt::init();
    let port: u16 = env::var("PORT").map_or(Ok(3000), |port| port.parse())?;
    let site = format!("http://localhost:{port}");
    fs::create_dir_all("mails")?;
    let app = app(&site, FilePath::new("mails")).await?;
    let listener = TcpListener::bind(("127.0.0.1", port)).await?;
    println!("Listening on {site}");
    axum::serve(listener, app)
        .with_graceful_shutdown(async { signal::ctrl_c().await.unwrap_or_default() })
        .await?;
    Ok(())
}
