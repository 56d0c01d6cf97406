//! The account page, with the user's sessions, and changing the password.

use std::time::Duration;

use axum::{
    Form,
    extract::State,
    response::{Html, IntoResponse, Redirect, Response},
};
use login_manager::{
    Auth, FreshLoginRequired, LoginRequired,
    flash::{Flash, Level},
    store::SessionId,
};
use minijinja::{Value, context};
use serde::Deserialize;

use super::{
    accounts::Account,
    app::App,
    error::AppError,
    guess::{Checked, Guesses},
    page::{Page, Problem, SITE, counted},
};

/// Lists the browsers in which the user is logged in. In a restored session, the password is
/// required first.
pub(crate) async fn account(
    FreshLoginRequired(user): FreshLoginRequired<Account>,
    auth: Auth<Account>,
    page: Page,
) -> Result<Html<String>, AppError> {
    // The current one comes first, then the most recently used.
    let mut sessions = auth.sessions().await?;
    sessions.sort_by_key(|session| !session.is_current());
    let sessions = sessions.into_iter().map(|session| {
        context! {
            id => session.id().to_string(),
            browser => session.browser(),
            last_used => ago(session.last_seen().elapsed().unwrap_or_default()),
            is_current => session.is_current(),
            is_remembered => session.is_remembered(),
        }
    });
    let sessions: Vec<Value> = sessions.collect();
    let email = user.email.as_str();
    page.render("account.html", context! { email, sessions })
        .await
}

fn ago(time: Duration) -> String {
    const MINUTE: u64 = 60;
    const HOUR: u64 = 60 * MINUTE;
    const DAY: u64 = 24 * HOUR;
    let seconds = time.as_secs();
    let (count, unit) = match seconds {
        0..MINUTE => return "just now".to_owned(),
        MINUTE..HOUR => (seconds / MINUTE, "minute"),
        HOUR..DAY => (seconds / HOUR, "hour"),
        _ => (seconds / DAY, "day"),
    };
    format!("{} ago", counted(count, unit))
}

#[derive(Deserialize)]
pub(crate) struct SessionToEnd {
    id: SessionId,
}

/// The id of another user's session has no effect.
pub(crate) async fn log_out_session(
    _: LoginRequired<Account>,
    auth: Auth<Account>,
    flash: Flash,
    Form(session): Form<SessionToEnd>,
) -> Result<Redirect, AppError> {
    auth.revoke(session.id).await?;
    let text = "That browser has been logged out.";
    flash.push(Level::Success, text).await?;
    Ok(Redirect::to("/account"))
}

pub(crate) async fn log_out_others(
    _: LoginRequired<Account>,
    auth: Auth<Account>,
    flash: Flash,
) -> Result<Redirect, AppError> {
    auth.logout_others().await?;
    let text = "All other browsers have been logged out.";
    flash.push(Level::Success, text).await?;
    Ok(Redirect::to("/account"))
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
    page.render("password.html", context! {}).await
}

pub(crate) async fn change_password(
    LoginRequired(account): LoginRequired<Account>,
    State(app): State<App>,
    auth: Auth<Account>,
    flash: Flash,
    guesses: Guesses,
    page: Page,
    Form(form): Form<NewPassword>,
) -> Result<Response, AppError> {
    let again = |problem| page.again("password.html", problem, context! {});
    let wrong = || Problem::new(&["current_password"], "That is not your current password.");
    let known = [&account.name, &account.email, SITE];
    if let Err(weakness) = app.policy.check(&form.new_password, &known) {
        return again(Problem::new(&["new_password"], weakness.to_string())).await;
    }
    let (name, current) = (account.name.as_str(), form.current_password.as_str());
    let checked = guesses.check(name, Some(account.clone()), current, wrong());
    if let Checked::Problem(problem) = checked.await? {
        return again(problem).await;
    }
    let hash = app.passwords.hash(form.new_password).await?;
    let Some(account) = app.accounts.change_password(&account, &hash).await? else {
        return again(wrong()).await; // not any more
    };
    app.mailer.password_changed(&account);
    // The new stamp has ended every session of the account, so this browser logs in again.
    auth.login(account).await?;
    // The other sessions are invalid already; this removes them from the list.
    auth.logout_others().await?;
    let text = "Your password has been changed. All other browsers are logged out.";
    flash.push(Level::Success, text).await?;
    Ok(Redirect::to("/account").into_response())
}

#[cfg(test)]
mod tests {
    #[test]
    fn last_use_is_given_in_the_largest_unit() {
        for (seconds, text) in [
            (0, "just now"),
            (59, "just now"),
            (60, "1 minute ago"),
            (3599, "59 minutes ago"),
            (3600, "1 hour ago"),
            (86399, "23 hours ago"),
            (86400, "1 day ago"),
            (30 * 86400, "30 days ago"),
        ] {
            assert_eq!(super::ago(super::Duration::from_secs(seconds)), text);
        }
    }
}
