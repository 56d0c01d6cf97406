//! Creating an account.

use axum::{
    Form,
    extract::State,
    response::{Html, IntoResponse, Redirect, Response},
};
use login_manager::{
    Auth,
    flash::{Flash, Level},
};
use minijinja::context;
use serde::Deserialize;

use super::{
    accounts::Account,
    app::App,
    error::AppError,
    page::{Page, Problem, SITE},
};

/// In characters, as in the `maxlength` of the forms.
const MAX_NAME: usize = 64;
/// In bytes: RFC 5321, 4.5.3.1.3.
const MAX_EMAIL: usize = 254;

/// A missing field counts as empty, so the visitor gets the form again instead of an error.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(crate) struct Registration {
    username: String,
    email: String,
    password: String,
}

pub(crate) async fn form(page: Page) -> Result<Html<String>, AppError> {
    page.render("register.html", context! {}).await
}

pub(crate) async fn register(
    State(app): State<App>,
    auth: Auth<Account>,
    flash: Flash,
    page: Page,
    Form(form): Form<Registration>,
) -> Result<Response, AppError> {
    // Without the spaces that a phone's keyboard adds.
    let (username, email) = (form.username.trim(), form.email.trim());
    let again = |problem| page.again("register.html", problem, context! { username, email });
    if !(1..=MAX_NAME).contains(&username.chars().count()) {
        let text = "Please choose a user name of at most 64 characters.";
        return again(Problem::new(&["username"], text)).await;
    }
    if !is_address(email) {
        let text = "Please enter your e-mail address, such as alice@example.com.";
        return again(Problem::new(&["email"], text)).await;
    }
    if let Err(weakness) = app.policy.check(&form.password, &[username, email, SITE]) {
        return again(Problem::new(&["password"], weakness.to_string())).await;
    }
    let hash = app.passwords.hash(form.password).await?;
    let Some(account) = app.accounts.add(username, email, &hash).await? else {
        return again(Problem::new(&["username"], "That user name is taken.")).await;
    };
    auth.login(account).await?;
    let text = "Your account has been created, and you are logged in.";
    flash.push(Level::Success, text).await?;
    Ok(Redirect::to("/protected").into_response())
}

/// Whether this looks like an address. Only a mail can tell whether it is one, and whose.
fn is_address(text: &str) -> bool {
    let is_odd = |char: char| char.is_whitespace() || char.is_control();
    let parts = text.split_once('@');
    let has_both = parts.is_some_and(|(name, host)| !name.is_empty() && !host.is_empty());
    has_both && text.len() <= MAX_EMAIL && !text.contains(is_odd)
}
