//! One function per page and form.

use axum::{
    Form,
    extract::State,
    response::{Html, IntoResponse, Redirect, Response},
};
use login_manager::{
    Auth, FreshLoginRequired, LoginRequired, NextPath, password::PasswordError, store::SessionId,
};
use minijinja::context;
use serde::Deserialize;

use super::{
    accounts::Account,
    app::App,
    error::AppError,
    page::{Page, Problem},
    sessions,
};

/// The maximum length in characters, as in the `maxlength` of the forms.
const MAX_NAME: usize = 64;
/// The minimum length in characters, as in the `minlength` of the forms. It is that of OWASP ASVS
/// 5.0 (6.2.1), which recommends 15; NIST SP 800-63B-4 (3.1.1.2) requires 15 if the password is the
/// only factor.
const MIN_PASSWORD: usize = 8;
const TOO_SHORT: &str =
    "That password is too short: at least 8 characters, please. A few words are better.";
const TOO_LONG: &str = "That password is too long.";
const NOT_CURRENT: &str = "That is not your current password.";
const EMPTY: &str = "Please fill in both fields.";

/// A missing field counts as empty, so the visitor gets the form again instead of an error.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(crate) struct Credentials {
    username: String,
    password: String,
    /// Browsers send nothing for a box that isn't ticked.
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
    let again = |text, fields| {
        let problem = Problem { text, fields };
        let username = form.username.as_str();
        page.again("register.html", problem, context! { username })
    };
    let empty = form.empty_fields();
    if !empty.is_empty() {
        return again(EMPTY, empty);
    }
    if form.name().chars().count() > MAX_NAME {
        let text = "That user name is too long: at most 64 characters, please.";
        return again(text, vec!["username"]);
    }
    if is_too_short(&form.password) {
        return again(TOO_SHORT, vec!["password"]);
    }
    let hash = match app.passwords.hash(form.password.as_str()).await {
        Err(PasswordError::TooLong { .. }) => return again(TOO_LONG, vec!["password"]),
        hash => hash?,
    };
    if !app.accounts.add(form.name(), &hash).await? {
        return again("That user name is taken.", vec!["username"]);
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
    let again = |text, fields| {
        let problem = Problem { text, fields };
        let (username, remember) = (form.username.as_str(), form.remember.is_some());
        page.again("login.html", problem, context! { username, remember })
    };
    let empty = form.empty_fields();
    if !empty.is_empty() {
        return again(EMPTY, empty);
    }
    let account = app.accounts.find_by_name(form.name()).await?;
    let is_right = is_password_of(&app, account.as_ref(), &form.password).await?;
    let Some(account) = account.filter(|_| is_right) else {
        // The response doesn't say which of the two is wrong, so it doesn't reveal who has an
        // account.
        let fields = vec!["password", "username"];
        return again("Wrong user name or password.", fields);
    };
    auth.login(account)
        .remember(form.remember.is_some())
        .await?;
    Ok(next.redirect_or("/protected").into_response())
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(crate) struct Password {
    password: String,
}

/// Shows the form to users who are logged in, but have not entered the password recently enough for
/// the page that redirected them here.
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
        let problem = Problem {
            text: "That is not your password.",
            fields: vec!["password"],
        };
        return page.again("confirm.html", problem, context! {});
    }
    auth.confirm().by("password").await?;
    Ok(next.redirect_or("/account").into_response())
}

/// Lists the browsers in which the user is logged in. In a restored session, the password is
/// required first.
pub(crate) async fn account(
    FreshLoginRequired(_): FreshLoginRequired<Account>,
    auth: Auth<Account>,
    page: Page,
) -> Result<Html<String>, AppError> {
    let sessions = sessions::of_current_user(&auth).await?;
    page.render("account.html", context! { sessions })
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(crate) struct NewPassword {
    current_password: String,
    new_password: String,
}

/// The form requires the current password, so the login need not be fresh.
pub(crate) async fn password_form(
    _: LoginRequired<Account>,
    page: Page,
) -> Result<Html<String>, AppError> {
    page.render("password.html", context! {})
}

pub(crate) async fn change_password(
    account: LoginRequired<Account>,
    State(app): State<App>,
    auth: Auth<Account>,
    page: Page,
    Form(form): Form<NewPassword>,
) -> Result<Response, AppError> {
    let again = |text, fields| page.again("password.html", Problem { text, fields }, context! {});
    let empty = empty_fields(&[
        ("current_password", &form.current_password),
        ("new_password", &form.new_password),
    ]);
    if !empty.is_empty() {
        return again(EMPTY, empty);
    }
    if is_too_short(&form.new_password) {
        return again(TOO_SHORT, vec!["new_password"]);
    }
    if !is_password_of(&app, Some(&account), &form.current_password).await? {
        return again(NOT_CURRENT, vec!["current_password"]);
    }
    let hash = match app.passwords.hash(form.new_password).await {
        Err(PasswordError::TooLong { .. }) => return again(TOO_LONG, vec!["new_password"]),
        hash => hash?,
    };
    let Some(account) = app.accounts.change_password(&account, &hash).await? else {
        return again(NOT_CURRENT, vec!["current_password"]);
    };
    // The new stamp has ended every session of the account, so this browser logs in again.
    auth.login(account).await?;
    // The other sessions are invalid already; this removes them from the list.
    auth.logout_others().await?;
    Ok(Redirect::to("/account?message=password-changed").into_response())
}

#[derive(Deserialize)]
pub(crate) struct SessionToEnd {
    id: SessionId,
}

/// The id of another user's session has no effect.
pub(crate) async fn log_out_session(
    _: LoginRequired<Account>,
    auth: Auth<Account>,
    Form(session): Form<SessionToEnd>,
) -> Result<Redirect, AppError> {
    auth.revoke(session.id).await?;
    Ok(Redirect::to("/account"))
}

pub(crate) async fn log_out_others(
    _: LoginRequired<Account>,
    auth: Auth<Account>,
) -> Result<Redirect, AppError> {
    auth.logout_others().await?;
    Ok(Redirect::to("/account?message=others-logged-out"))
}

pub(crate) async fn log_out(auth: Auth<Account>) -> Result<Redirect, AppError> {
    auth.logout().await?;
    Ok(Redirect::to("/?message=logged-out"))
}

/// Whether this is the account's password. If there is no account, the check takes as long.
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
        // The login succeeds anyway, and the next login tries again.
        tracing::warn!(
            error = &error as &dyn std::error::Error,
            "an outdated hash was not renewed"
        );
    }
    Ok(verdict.is_valid())
}

async fn renew_hash(app: &App, account: &Account, password: &str) -> Result<(), AppError> {
    let hash = app.passwords.hash(password).await?;
    Ok(app.accounts.replace_hash(account, &hash).await?)
}

/// Checked for new passwords only: users with a shorter one can still log in.
fn is_too_short(password: &str) -> bool {
    password.chars().count() < MIN_PASSWORD
}

impl Credentials {
    /// The name without the spaces that a phone's keyboard adds.
    fn name(&self) -> &str {
        self.username.trim()
    }

    fn empty_fields(&self) -> Vec<&'static str> {
        empty_fields(&[("username", self.name()), ("password", &self.password)])
    }
}

/// The names of the empty fields.
fn empty_fields(fields: &[(&'static str, &str)]) -> Vec<&'static str> {
    let empty = fields.iter().filter(|(_, value)| value.is_empty());
    empty.map(|(name, _)| *name).collect()
}
