//! "Log in with another site": OpenID Connect, with a response in the URL or in a form.
//!
//! ```sh
//! cargo run -p oidc
//! ```
//!
//! Open <http://localhost:3000/?page=2>: you are redirected to the login page, to the provider, and
//! back to the page that you requested. The two buttons show the two ways in which a provider may
//! respond (`response_mode`):
//!
//! - `query`: it redirects the browser to `/callback?code=…&state=…`. That is a GET, with which
//!   browsers send the normal session cookie (`SameSite=Lax`). So the state of the flow is kept in
//!   the normal session.
//! - `form_post`: its page submits a form to `/callback`. Browsers send no `Lax` cookie with a POST
//!   from another site. So the state of the flow is kept by a second manager, which keeps nothing
//!   else. Its sessions last 10 minutes, and its cookie is `SameSite=None`. The first manager does
//!   the login.
//!
//! In the second case the login does not see the normal session of this browser. It neither takes
//! over its data, such as a cart, nor ends an earlier login. If you need that, and the code may
//! appear in a URL, redirect the POST (303) to the same path with the code and the state in its
//! query, and continue as in the first case, without a second manager.
//!
//! In both cases, the session keeps the nonce, the PKCE verifier and the page to return to, under
//! the `state`. The first response removes them, so no response is accepted twice, and none in
//! another browser. The account is found by issuer and subject, never by an e-mail address: at the
//! provider of this example, mallory claims to have alice's.
//!
//! The provider is a stand-in in this program, at another site (`127.0.0.1` instead of
//! `localhost`). For a real one, give [`app`] its issuer and a `reqwest::Client` that follows no
//! redirects, take the client's id and secret from your configuration, and fetch the provider's
//! metadata again from time to time, since its keys change.
//!
//! For a site that only offers OAuth 2.0, use the crate `oauth2`, whose types are the same. OAuth
//! has no ID token and no nonce, so ask the site's API for the user, with the access token, and use
//! the user's permanent id there as the subject.

mod accounts;
mod provider;

use std::{env, error::Error, future, time::Duration};

use axum::{
    Form, Router,
    extract::{Query, State},
    http::StatusCode,
    response::{Html, IntoResponse, Redirect, Response, Result},
    routing::{get, post},
};
use login_manager::{
    Auth, AuthUser, LoginManager, LoginRequired, MemoryStore, NextPath, Session,
    manager::{Cookies, SameSite, Timeouts},
};
use openidconnect::{
    AuthorizationCode, ClientId, ClientSecret, CsrfToken, EndpointMaybeSet, EndpointNotSet,
    EndpointSet, IssuerUrl, Nonce, PkceCodeChallenge, PkceCodeVerifier, RedirectUrl, Scope,
    TokenResponse,
    core::{CoreAuthenticationFlow, CoreClient, CoreIdTokenClaims, CoreProviderMetadata},
};
use serde::{Deserialize, Serialize};
use tokio::{net::TcpListener, signal};
use tower_http::csrf::CsrfLayer;
use tracing::warn;

use self::accounts::{Account, Accounts};
pub(crate) use self::provider::Provider;

/// As registered at the provider.
const CLIENT_ID: &str = "example";
const CLIENT_SECRET: &str = "keep-it-out-of-your-repository";

/// The user type of the second manager, in which no user logs in.
enum Nobody {}

impl AuthUser for Nobody {
    type Id = u8;

    fn id(&self) -> u8 {
        match *self {}
    }
}

/// The state of a login while the visitor is at the provider.
#[derive(Serialize, Deserialize)]
struct Flow {
    nonce: Nonce,
    verifier: PkceCodeVerifier,
    next: NextPath,
}

/// The provider, as it describes itself: it has a login page, and may have other endpoints.
type Client = CoreClient<
    EndpointSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointMaybeSet,
    EndpointMaybeSet,
>;

#[derive(Clone)]
struct App {
    accounts: Accounts,
    client: Client,
    http: Provider, // a `reqwest::Client`
}

/// The whole app. Tests call it too.
pub(crate) async fn app(provider: Provider) -> Result<Router, Box<dyn Error>> {
    let issuer = IssuerUrl::new(provider.issuer())?;
    let metadata = CoreProviderMetadata::discover_async(issuer, &provider).await?;
    let (id, secret) = (CLIENT_ID.to_owned(), CLIENT_SECRET.to_owned());
    let (id, secret) = (ClientId::new(id), ClientSecret::new(secret));
    let client = CoreClient::from_provider_metadata(metadata, id, Some(secret))
        .set_redirect_uri(RedirectUrl::new(provider.callback())?);

    let store = MemoryStore::new();
    let accounts = Accounts::default();
    let login_manager = LoginManager::new(store.clone(), {
        let accounts = accounts.clone();
        move |id| future::ready(accounts.find(id))
    })
    .with_realm("account")
    .with_login_page("/login");

    let limit = Duration::from_secs(10 * 60);
    let flows = LoginManager::new(store, |_| async { None::<Nobody> })
        .with_realm("flow")
        .with_cookies(Cookies::new().same_site(SameSite::None))
        .with_timeouts(Timeouts::new(limit, limit));

    // Any site may POST to the callback, as the provider does. That is safe, because it accepts
    // only a state that is in this browser's session, and only once. Don't trust the provider's
    // origin instead, since it could then POST to every route.
    let csrf = CsrfLayer::new().with_insecure_bypass(|_, uri| uri.path() == "/callback");

    Ok(Router::new()
        .route("/", get(home))
        .route("/login", get(login_form).post(log_in))
        .route("/callback", get(answer_in_query).post(answer_in_form))
        .route("/logout", post(log_out))
        .layer(login_manager)
        .layer(flows)
        .layer(csrf)
        .with_state(App {
            accounts,
            client,
            http: provider,
        }))
}

async fn home(LoginRequired(user): LoginRequired<Account>) -> Html<String> {
    let name = &user.name; // it comes from the provider: let a template engine escape it
    let email = user.verified_email.as_deref();
    let email = email.unwrap_or("unknown");
    page(&format!(
        r#"<p>Hello, {name}! Your e-mail address: {email}</p>
<form method="post" action="/logout"><button>Log out</button></form>"#
    ))
}

/// Forms instead of links, so that no other site can start a login. Without an `action`, the form
/// is sent to the URL of the page, including `?next=`.
async fn login_form() -> Html<String> {
    page(
        r#"<form method="post">
  <button name="response_mode" value="query">Log in, response in the URL</button>
  <button name="response_mode" value="form_post">Log in, response in a form</button>
</form>"#,
    )
}

fn page(content: &str) -> Html<String> {
    Html(format!(
        "<!doctype html><title>Log in with another site</title><main>{content}</main>"
    ))
}

/// An application needs only one mode. This example shows both.
#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ResponseMode {
    Query,
    FormPost,
}

impl ResponseMode {
    fn as_str(self) -> &'static str {
        match self {
            Self::Query => "query",
            Self::FormPost => "form_post",
        }
    }
}

#[derive(Deserialize)]
struct Choice {
    response_mode: ResponseMode,
}

async fn log_in(
    State(app): State<App>,
    auth: Auth<Account>,
    flows: Auth<Nobody>,
    next: NextPath,
    Form(Choice { response_mode }): Form<Choice>,
) -> Result<Redirect> {
    let session = match response_mode {
        ResponseMode::Query => auth.session(),
        ResponseMode::FormPost => flows.session(),
    };
    let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
    let (url, state, nonce) = app
        .client
        .authorize_url(
            CoreAuthenticationFlow::AuthorizationCode,
            CsrfToken::new_random,
            Nonce::new_random,
        )
        .add_scope(Scope::new("email".to_owned()))
        .add_extra_param("response_mode", response_mode.as_str())
        .set_pkce_challenge(challenge)
        .url();
    let flow = Flow {
        nonce,
        verifier,
        next,
    };
    session.insert(&key(state.secret()), &flow).await?;
    Ok(Redirect::to(url.as_str()))
}

/// The state is part of the name, so a visitor can log in from two tabs at once.
fn key(state: &str) -> String {
    format!("flow {state}")
}

#[derive(Deserialize)]
struct Answer {
    state: String,
    /// Missing if the visitor cancelled the login.
    code: Option<String>,
}

async fn answer_in_query(
    State(app): State<App>,
    auth: Auth<Account>,
    Query(answer): Query<Answer>,
) -> Result<Response> {
    let session = auth.session();
    finish(app, auth, session, answer).await
}

async fn answer_in_form(
    State(app): State<App>,
    auth: Auth<Account>,
    flows: Auth<Nobody>,
    Form(answer): Form<Answer>,
) -> Result<Response> {
    finish(app, auth, flows.session(), answer).await
}

async fn finish(
    app: App,
    auth: Auth<Account>,
    session: Session,
    answer: Answer,
) -> Result<Response> {
    // Removed from the session, so that the same response can't be used again.
    let Some(flow) = session.take::<Flow>(&key(&answer.state)).await? else {
        return Ok(refusal(
            "This login has expired or was started in another browser.",
        ));
    };
    let Some(code) = answer.code else {
        return Ok(refusal("The provider did not log you in."));
    };
    let claims = match redeem(&app, code, flow.verifier, &flow.nonce).await {
        Ok(claims) => claims,
        Err(error) => {
            warn!("the provider's answer is not accepted: {error}");
            return Ok(refusal("The provider did not log you in."));
        }
    };
    auth.login(app.accounts.find_or_create(&claims)).await?;
    Ok(flow.next.redirect_or("/").into_response())
}

/// Exchanges the code for an ID token, and checks its signature, issuer, audience, time and nonce.
async fn redeem(
    app: &App,
    code: String,
    verifier: PkceCodeVerifier,
    nonce: &Nonce,
) -> Result<CoreIdTokenClaims, Box<dyn Error + Send + Sync>> {
    let response = app
        .client
        .exchange_code(AuthorizationCode::new(code))?
        .set_pkce_verifier(verifier)
        .request_async(&app.http)
        .await?;
    let token = response.id_token().ok_or("no ID token")?;
    Ok(token
        .claims(&app.client.id_token_verifier(), nonce)?
        .clone())
}

fn refusal(why: &str) -> Response {
    let page = page(&format!(
        r#"<p>{why} <a href="/login">Log in again</a></p>"#
    ));
    (StatusCode::FORBIDDEN, page).into_response()
}

async fn log_out(auth: Auth<Account>) -> Result<Redirect> {
    auth.logout().await?;
    Ok(Redirect::to("/"))
}

#[tokio::main]
#[expect(clippy::print_stdout, reason = "output for the terminal")]
async fn main() -> Result<(), Box<dyn Error>> {
    tracing_subscriber::fmt::init();
    let port = env::var("PORT").unwrap_or("3000".to_owned());
    let port: u16 = port
        .parse()
        .map_err(|_| format!("PORT must be a number up to 65535, not '{port}'"))?;
    let listener = TcpListener::bind(("127.0.0.1", port))
        .await
        .map_err(|error| format!("can't listen on port {port}: {error}"))?;
    let site = format!("http://localhost:{}", listener.local_addr()?.port());
    let other_listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    let other_site = format!("http://{}", other_listener.local_addr()?);

    let provider = Provider::new(other_site, format!("{site}/callback"))?;
    println!("Listening on {site}");
    let app = axum::serve(listener, app(provider.clone()).await?);
    let other_app = axum::serve(other_listener, provider.pages());
    tokio::select! {
        ended = app => ended?,
        ended = other_app => ended?,
        _ = signal::ctrl_c() => {}
    }
    Ok(())
}
