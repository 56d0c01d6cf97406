//! One function per page and form.

use axum::{
    Form,
    extract::State,
    response::{Html, IntoResponse, Redirect, Response},
};
use login_manager::{Auth, DeviceId, FreshLoginRequired, LoginRequired, NextPath, PasswordError};
use minijinja::{Value, context};
use serde::Deserialize;

use super::{accounts::Account, app::App, error::AppError, page::Page};

/// In characters; as `maxlength` in the forms.
const MAX_NAME: usize = 64;
/// In characters; as `minlength` in the forms. The least that OWASP ASVS 5.0 (6.2.1) allows; it recommends 15, and NIST SP 800-63B-4
/// (3.1.1.2) asks for them where nothing but the password stands before the account.
const MIN_PASSWORD: usize = 8;
const TOO_SHORT: &str =
    "That password is too short: at least 8 characters, please. A few words are better.";

/// What is missing counts as empty, so that the visitor gets the form again and not a bare error.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(crate) struct Credentials {
    username: String,
    password: String,
    /// A box that isn't ticked isn't sent.
    remember: Option<String>,
}

pub(crate) async fn home(page: Page) -> Result<Html<String>, AppError> {
    page.render("home.html", context! {})
}

pub(crate) async fn protected(
    LoginRequired(user): LoginRequired<Account>,
    page: Page,
) -> Result<Html<String>, AppError> {
    page.render("protected.html", context! { name => user.name.as_str() })
}

pub(crate) async fn registration_form(page: Page) -> Result<Html<String>, AppError> {
    page.render("register.html", context! {})
}

pub(crate) async fn register(
    State(app): State<App>,
    page: Page,
    Form(form): Form<Credentials>,
) -> Result<Response, AppError> {
    let again = |complaint| {
        page.again(
            "register.html",
            context! { username => form.username.as_str(), complaint },
        )
    };
    if form.has_gaps() {
        return again("Please fill in both fields.");
    }
    if form.name().chars().count() > MAX_NAME {
        return again("That user name is too long: at most 64 characters, please.");
    }
    if is_too_short(&form.password) {
        return again(TOO_SHORT);
    }
    let hash = match app.passwords.hash(form.password.as_str()).await {
        Err(PasswordError::TooLong { .. }) => return again("That password is too long."),
        hash => hash?,
    };
    if !app.accounts.add(form.name(), &hash).await? {
        return again("That user name is taken.");
    }
    Ok(Redirect::to("/login?message=registered").into_response())
}

pub(crate) async fn login_form(page: Page) -> Result<Html<String>, AppError> {
    page.render("login.html", context! {})
}

pub(crate) async fn log_in(
    State(app): State<App>,
    auth: Auth<Account>,
    next: NextPath,
    page: Page,
    Form(form): Form<Credentials>,
) -> Result<Response, AppError> {
    let again = |complaint| {
        page.again(
            "login.html",
            context! { username => form.username.as_str(), complaint },
        )
    };
    if form.has_gaps() {
        return again("Please fill in both fields.");
    }
    let account = app.accounts.find_by_name(form.name()).await?;
    let is_right = is_password_of(&app, account.as_ref(), &form.password).await?;
    let Some(account) = account.filter(|_| is_right) else {
        // Which of the two is wrong stays unsaid: nobody learns here who has an account.
        return again("Wrong user name or password.");
    };
    auth.login(account)
        .remember(form.remember.is_some())
        .await?;
    Ok(next.redirect_or("/protected").into_response())
}

#[derive(Deserialize)]
pub(crate) struct Password {
    password: String,
}

/// For somebody who is logged in, and whom a page wants to be sure of.
pub(crate) async fn confirmation_form(
    _: LoginRequired<Account>,
    page: Page,
) -> Result<Html<String>, AppError> {
    page.render("confirm.html", context! {})
}

pub(crate) async fn confirm(
    account: LoginRequired<Account>,
    State(app): State<App>,
    auth: Auth<Account>,
    next: NextPath,
    page: Page,
    Form(form): Form<Password>,
) -> Result<Response, AppError> {
    if !is_password_of(&app, Some(&account), &form.password).await? {
        return page.again(
            "confirm.html",
            context! { complaint => "That is not your password." },
        );
    }
    auth.confirm().await?;
    Ok(next.redirect_or("/account").into_response())
}

/// The password, for those who have lately given the old one, and the browsers that are logged in.
pub(crate) async fn account(
    FreshLoginRequired(_): FreshLoginRequired<Account>,
    auth: Auth<Account>,
    page: Page,
) -> Result<Html<String>, AppError> {
    let devices = devices(&auth).await?;
    page.render("account.html", context! { devices })
}

/// The new stamp ends every session of the account, so this browser logs in anew.
pub(crate) async fn change_password(
    account: FreshLoginRequired<Account>,
    State(app): State<App>,
    auth: Auth<Account>,
    page: Page,
    Form(form): Form<Password>,
) -> Result<Response, AppError> {
    let devices = devices(&auth).await?;
    let again = |complaint| page.again("account.html", context! { devices, complaint });
    if is_too_short(&form.password) {
        return again(TOO_SHORT);
    }
    let hash = match app.passwords.hash(form.password).await {
        Err(PasswordError::TooLong { .. }) => return again("That password is too long."),
        hash => hash?,
    };
    let account = app.accounts.change_password(account.id, &hash).await?;
    auth.login(account).await?;
    auth.logout_others().await?;
    Ok(Redirect::to("/?message=password-changed").into_response())
}

#[derive(Deserialize)]
pub(crate) struct Device {
    id: DeviceId,
}

/// The id of somebody else's browser logs nobody out.
pub(crate) async fn log_out_device(
    _: LoginRequired<Account>,
    auth: Auth<Account>,
    Form(device): Form<Device>,
) -> Result<Redirect, AppError> {
    auth.revoke(device.id).await?;
    Ok(Redirect::to("/account"))
}

async fn devices(auth: &Auth<Account>) -> Result<Vec<Value>, AppError> {
    let devices = auth.sessions().await?.into_iter().map(|device| {
        let seen = device.last_seen().elapsed().unwrap_or_default();
        context! {
            id => device.id().to_string(),
            minutes => seen.as_secs() / 60,
            is_current => device.is_current(),
            user_agent => device.user_agent(),
            is_remembered => device.is_remembered(),
        }
    });
    Ok(devices.collect())
}

pub(crate) async fn log_out(auth: Auth<Account>) -> Result<Redirect, AppError> {
    auth.logout().await?;
    Ok(Redirect::to("/?message=logged-out"))
}

/// Whether this is the account's password. Where there is no account it takes as long to say no.
async fn is_password_of(
    app: &App,
    account: Option<&Account>,
    password: &str,
) -> Result<bool, AppError> {
    let stored = account.map(|account| &*account.password_hash);
    let verdict = app.passwords.verify(password, stored).await?;
    if let Some(account) = account
        && verdict.needs_rehash()
        && let Err(error) = renew_hash(app, account, password).await
    {
        // No reason to refuse anybody: the next time tries again.
        tracing::warn!(error = &error as &dyn std::error::Error, "a hash stays old");
    }
    Ok(verdict.is_valid())
}

async fn renew_hash(app: &App, account: &Account, password: &str) -> Result<(), AppError> {
    let hash = app.passwords.hash(password).await?;
    Ok(app.accounts.replace_hash(account, &hash).await?)
}

/// Of those that are chosen now. Who has a shorter one from before may log in with it.
fn is_too_short(password: &str) -> bool {
    password.chars().count() < MIN_PASSWORD
}

impl Credentials {
    /// Without the blanks that a phone's keyboard adds.
    fn name(&self) -> &str {
        self.username.trim()
    }

    fn has_gaps(&self) -> bool {
        self.name().is_empty() || self.password.is_empty()
    }
}
