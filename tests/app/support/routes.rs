//! Routes for more of the verbs than [`routes`] has.

use axum::{
    Router,
    extract::{Path, State},
    routing::{get, post},
};
use login_manager::{Auth, Error, Session, auth::SessionInfo, store::SessionId};

use super::world::{Account, Accounts, routes};

/// [`routes`], and routes that list and revoke the sessions of the current user.
pub fn with_sessions(accounts: &Accounts) -> Router {
    routes(accounts)
        .route("/sessions", get(sessions))
        .route("/revoke/{id}", post(revoke))
        .route(
            "/others",
            post(|auth: Auth<Account>| async move { auth.logout_others().await }),
        )
        .route(
            "/everywhere",
            post(|auth: Auth<Account>| async move { auth.logout_everywhere().await }),
        )
}

/// One line for each session: its id, and whether it is current and remembered.
async fn sessions(auth: Auth<Account>) -> Result<String, Error> {
    let line = |session: SessionInfo| {
        let current = if session.is_current() { " current" } else { "" };
        let remembered = if session.is_remembered() {
            " remembered"
        } else {
            ""
        };
        format!("{}{current}{remembered}", session.id())
    };
    Ok(auth
        .sessions()
        .await?
        .into_iter()
        .map(line)
        .collect::<Vec<_>>()
        .join("\n"))
}

async fn revoke(auth: Auth<Account>, Path(id): Path<SessionId>) -> Result<String, Error> {
    auth.revoke(id).await.map(|done| done.to_string())
}

/// The routes of all verbs.
pub fn every_verb(accounts: &Accounts) -> Router {
    let take = |session: Session, Path(key): Path<String>| async move {
        let value = session.take::<String>(&key).await?;
        Ok::<_, Error>(value.unwrap_or_default())
    };
    with_sessions(accounts)
        .route("/take/{key}", post(take))
        .route("/stamp", post(change_stamp).with_state(accounts.clone()))
}

async fn change_stamp(
    State(accounts): State<Accounts>,
    auth: Auth<Account>,
) -> Result<String, Error> {
    let Some(user) = auth.user().await? else {
        return Ok("nobody".into());
    };
    accounts.change(user.id, |user| user.stamp.push('+'));
    let user = auth.login(accounts.get(user.id).unwrap()).await?;
    Ok(user.name.clone())
}
