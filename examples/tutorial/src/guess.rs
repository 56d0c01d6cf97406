//! Checking a password that a visitor has entered.

use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
};

use axum::{
    extract::{ConnectInfo, FromRequestParts},
    http::request::Parts,
    response::Response,
};
use login_manager::{Auth, throttle::Attempt};

use super::{accounts::Account, app::App, error::AppError, page::Problem};

/// Checks the passwords that the client of this request enters, and slows down those who guess.
pub(crate) struct Guesses {
    app: App,
    auth: Auth<Account>,
    client: IpAddr,
}

pub(crate) enum Checked {
    Right(Arc<Account>),
    /// The message of the form in this case.
    Problem(Problem),
}

impl Guesses {
    /// Checks the password of the account that a visitor has named. Returns the problem `wrong` if
    /// the password is wrong. If there is no such account, the check takes just as long.
    pub(crate) async fn check(
        &self,
        name: &str,
        account: Option<Arc<Account>>,
        password: &str,
        wrong: Problem,
    ) -> Result<Checked, AppError> {
        let id = account.as_ref().map(|account| &account.id);
        let browser = self.auth.known_browser(id).await?;
        let guess = self.app.throttle.attempt(name);
        let permit = match guess.from(self.client).browser(browser).await? {
            Attempt::Permit(permit) => permit,
            Attempt::Wait(wait) => return Ok(Checked::Problem(wait.into())),
        };
        let hash = account.as_ref().map(|account| &*account.password_hash);
        let verdict = self.app.passwords.verify(password, hash).await?;
        let Some(account) = account.filter(|_| verdict.is_valid()) else {
            return Ok(Checked::Problem(wrong)); // dropping the permit counts the failure
        };
        permit.succeeded().await?;
        if verdict.needs_rehash()
            && let Err(error) = self.renew_hash(&account, password).await
        {
            // The login succeeds anyway, and the next login tries again.
            let error = &error as &dyn std::error::Error;
            tracing::warn!(error, "an outdated hash was not renewed");
        }
        Ok(Checked::Right(account))
    }

    async fn renew_hash(&self, account: &Account, password: &str) -> Result<(), AppError> {
        let hash = self.app.passwords.hash(password).await?;
        Ok(self.app.accounts.replace_hash(account, &hash).await?)
    }
}

impl FromRequestParts<App> for Guesses {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Response> {
        // Behind a proxy, this is the address of the proxy: read the header that it overwrites.
        type Client = (Auth<Account>, ConnectInfo<SocketAddr>);
        let (auth, ConnectInfo(client)) = Client::from_request_parts(parts, app).await?;
        Ok(Self {
            app: app.clone(),
            auth,
            client: client.ip(),
        })
    }
}
