//! "Forgot your password?": a link by mail, with which a new one can be chosen.

use std::net::SocketAddr;

use axum::{
    Form,
    extract::{ConnectInfo, Query, State},
    http::header::REFERRER_POLICY,
    response::{Html, IntoResponse, Redirect, Response},
};
use login_manager::{
    Auth, Session,
    flash::{Flash, Level},
    throttle::Attempt,
    tokens::Purpose,
};
use minijinja::context;
use serde::Deserialize;

use super::{
    accounts::Account,
    app::App,
    error::AppError,
    page::{Page, Problem, SITE},
};

const RESET: Purpose = Purpose::reset();
/// The name of the token in the session data.
const TOKEN: &str = "reset-token";

#[derive(Default, Deserialize)]
#[serde(default)]
pub(crate) struct Request {
    username: String,
}

pub(crate) async fn request_form(page: Page) -> Result<Html<String>, AppError> {
    page.render("forgot.html", context! {}).await
}

/// The response and its time are the same whether or not there is an account.
pub(crate) async fn request(
    State(app): State<App>,
    ConnectInfo(client): ConnectInfo<SocketAddr>,
    page: Page,
    Form(form): Form<Request>,
) -> Result<Response, AppError> {
    // Without a name, only the client's address is counted.
    match app.throttle.attempt("").from(client.ip()).await? {
        Attempt::Permit(permit) => permit.succeeded().await?,
        Attempt::Wait(wait) => return page.again("forgot.html", wait.into(), context! {}).await,
    }
    let account = app.accounts.find_by_name(form.username.trim()).await?;
    let mailer = app.mailer;
    app.tokens
        .send(account, RESET, async move |account, token| {
            mailer.reset_link(&account, &token).await
        });
    let page = page.render("forgot.html", context! { is_sent => true });
    Ok(page.await?.into_response())
}

#[derive(Deserialize)]
pub(crate) struct Link {
    token: Option<String>,
}

/// The link in the mail. It changes nothing, since mail scanners open links, too. The token moves
/// from the URL into the session, so that no history, log or `Referer` header has it.
pub(crate) async fn form(
    State(app): State<App>,
    session: Session,
    page: Page,
    Query(link): Query<Link>,
) -> Result<Response, AppError> {
    let no_referrer = [(REFERRER_POLICY, "no-referrer")];
    if let Some(token) = link.token {
        session.insert(TOKEN, &token).await?;
        return Ok((no_referrer, Redirect::to("/reset")).into_response());
    }
    let token: String = session.get(TOKEN).await?.unwrap_or_default();
    let Some(peeked) = app.tokens.peek(&token, RESET).await? else {
        return invalid(&page).await;
    };
    let name = peeked.user().name.as_str();
    let page = page.render("reset.html", context! { name }).await?;
    Ok((no_referrer, page).into_response())
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(crate) struct NewPassword {
    new_password: String,
}

pub(crate) async fn reset(
    State(app): State<App>,
    auth: Auth<Account>,
    flash: Flash,
    session: Session,
    page: Page,
    Form(form): Form<NewPassword>,
) -> Result<Response, AppError> {
    let token: String = session.get(TOKEN).await?.unwrap_or_default();
    let Some(peeked) = app.tokens.peek(&token, RESET).await? else {
        return invalid(&page).await;
    };
    let (name, email) = (peeked.user().name.as_str(), peeked.user().email.as_str());
    if let Err(weakness) = app.policy.check(&form.new_password, &[name, email, SITE]) {
        let problem = Problem::new(&["new_password"], weakness.to_string());
        return page.again("reset.html", problem, context! { name }).await;
    }
    let hash = app.passwords.hash(form.new_password).await?;
    // Last, since this uses the token up.
    let Some(redeemed) = app.tokens.redeem(&token, RESET).await? else {
        return invalid(&page).await;
    };
    let changed = app.accounts.change_password(redeemed.user(), &hash).await?;
    let Some(account) = changed else {
        return invalid(&page).await;
    };
    app.mailer.password_changed(&account);
    app.tokens.withdraw_all(&account).await?;
    app.throttle.clear(&account.name).await?;
    app.login_manager.logout_user(&account.id).await?;
    // Ends an earlier login of this browser, and deletes the token in its session.
    auth.logout().await?;
    let text = "Your password has been changed. Please log in with it.";
    flash.push(Level::Success, text).await?;
    Ok(Redirect::to("/login").into_response())
}

async fn invalid(page: &Page) -> Result<Response, AppError> {
    let text = "This link is no longer valid. You can request another one.";
    let problem = Problem::new(&["username"], text);
    page.again("forgot.html", problem, context! {}).await
}
