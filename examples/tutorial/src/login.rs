//! Logging in, confirming the password, and logging out.

use axum::{
    Form,
    extract::State,
    response::{Html, IntoResponse, Redirect, Response},
};
use login_manager::{Auth, LoginRequired, NextPath};
use minijinja::context;
use serde::Deserialize;

use super::{
    accounts::Account,
    app::App,
    error::AppError,
    guess::{Checked, Guesses},
    page::{Page, Problem},
};

#[derive(Default, Deserialize)]
#[serde(default)]
pub(crate) struct Credentials {
    username: String,
    password: String,
    /// Browsers send nothing for a box that isn't ticked.
    remember: Option<String>,
}

pub(crate) async fn form(page: Page) -> Result<Html<String>, AppError> {
    page.render("login.html", context! {}).await
}

pub(crate) async fn log_in(
    State(app): State<App>,
    auth: Auth<Account>,
    next: NextPath,
    guesses: Guesses,
    page: Page,
    Form(form): Form<Credentials>,
) -> Result<Response, AppError> {
    let (username, remember) = (form.username.trim(), form.remember.is_some());
    let account = app.accounts.find_by_name(username).await?.map(Into::into);
    // The response doesn't say which of the two is wrong, so it doesn't reveal who has an account.
    let wrong = Problem::new(&["password", "username"], "Wrong user name or password.");
    let checked = guesses.check(username, account, &form.password, wrong);
    let account = match checked.await? {
        Checked::Right(account) => account,
        Checked::Problem(problem) => {
            let context = context! { username, remember };
            return page.again("login.html", problem, context).await;
        }
    };
    auth.login(account).remember(remember).await?;
    Ok(next.redirect_or("/protected").into_response())
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(crate) struct Password {
    password: String,
}

/// Shows the form to users who are logged in, but have not entered the password recently enough for
/// the page that redirected them here.
pub(crate) async fn confirmation(
    _: LoginRequired<Account>,
    page: Page,
) -> Result<Html<String>, AppError> {
    page.render("confirm.html", context! {}).await
}

pub(crate) async fn confirm(
    LoginRequired(account): LoginRequired<Account>,
    auth: Auth<Account>,
    next: NextPath,
    guesses: Guesses,
    page: Page,
    Form(form): Form<Password>,
) -> Result<Response, AppError> {
    let wrong = Problem::new(&["password"], "That is not your password.");
    let name = account.name.clone();
    let checked = guesses.check(&name, Some(account), &form.password, wrong);
    if let Checked::Problem(problem) = checked.await? {
        return page.again("confirm.html", problem, context! {}).await;
    }
    auth.confirm().await?;
    Ok(next.redirect_or("/account").into_response())
}

pub(crate) async fn log_out(auth: Auth<Account>) -> Result<Redirect, AppError> {
    auth.logout().await?;
    Ok(Redirect::to("/logged-out"))
}

/// A page of its own, since a flash message would start another session.
pub(crate) async fn logged_out(page: Page) -> Result<Html<String>, AppError> {
    page.render("logged_out.html", context! {}).await
}
