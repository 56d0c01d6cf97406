//! One function per page and form.

use axum::{
    Form,
    extract::State,
    response::{Html, IntoResponse, Redirect, Response},
};
use login_manager::{Auth, FreshLoginRequired, LoginRequired, NextPath, PasswordError};
use minijinja::{Value, context};
use serde::Deserialize;

use super::{accounts::Account, app::App, error::AppError, page::Page};

/// In characters; as `maxlength` in the forms.
const MAX_NAME: usize = 64;

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
    let Some(account) = authenticate(&app, &form).await? else {
        // Which of the two is wrong stays unsaid: nobody learns here who has an account.
        return again("Wrong user name or password.");
    };
    auth.login(account)
        .remember(form.remember.is_some())
        .await?;
    Ok(next.redirect_or("/protected").into_response())
}

/// The password, for those who have just given the old one, and the browsers that are logged in.
pub(crate) async fn account(
    FreshLoginRequired(_): FreshLoginRequired<Account>,
    auth: Auth<Account>,
    page: Page,
) -> Result<Html<String>, AppError> {
    let devices = devices(&auth).await?;
    page.render("account.html", context! { devices })
}

#[derive(Deserialize)]
pub(crate) struct NewPassword {
    password: String,
}

/// The new stamp ends every session of the account, so this browser logs in anew.
pub(crate) async fn change_password(
    FreshLoginRequired(account): FreshLoginRequired<Account>,
    State(app): State<App>,
    auth: Auth<Account>,
    page: Page,
    Form(form): Form<NewPassword>,
) -> Result<Response, AppError> {
    let complaint = match app.passwords.hash(form.password).await {
        Ok(hash) => {
            let account = app.accounts.change_password(account.id, &hash).await?;
            auth.login(account).await?;
            auth.logout_others().await?;
            return Ok(Redirect::to("/?message=password-changed").into_response());
        }
        Err(PasswordError::Empty) => "Please fill in the new password.",
        Err(PasswordError::TooLong { .. }) => "That password is too long.",
        Err(error) => return Err(error.into()),
    };
    let devices = devices(&auth).await?;
    page.again("account.html", context! { devices, complaint })
}

#[derive(Deserialize)]
pub(crate) struct Device {
    id: String,
}

pub(crate) async fn log_out_device(
    _: LoginRequired<Account>,
    auth: Auth<Account>,
    Form(device): Form<Device>,
) -> Result<Redirect, AppError> {
    // An id that is none, or somebody else's, logs nobody out.
    if let Ok(id) = device.id.parse() {
        auth.revoke(id).await?;
    }
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

/// The account, if this is its password.
async fn authenticate(app: &App, form: &Credentials) -> Result<Option<Account>, AppError> {
    let account = app.accounts.find_by_name(form.name()).await?;
    let stored = account.as_ref().map(|account| &*account.password_hash);
    let verdict = app.passwords.verify(form.password.as_str(), stored).await?;
    let account = account.filter(|_| verdict.is_valid());
    if let Some(account) = &account
        && verdict.needs_rehash()
        && let Err(error) = renew_hash(app, account, form.password.as_str()).await
    {
        // No reason to refuse the login: the next one tries again.
        tracing::warn!(error = &error as &dyn std::error::Error, "a hash stays old");
    }
    Ok(account)
}

async fn renew_hash(app: &App, account: &Account, password: &str) -> Result<(), AppError> {
    let hash = app.passwords.hash(password).await?;
    Ok(app.accounts.replace_hash(account, &hash).await?)
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
