//! A stand-in for an OpenID provider: its pages, discovery, keys and signed ID tokens, but no
//! passwords.

use std::{
    collections::HashMap,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{SystemTime, UNIX_EPOCH},
};

use axum::{
    Form, Json, Router,
    body::{Body, to_bytes},
    extract::{Query, State},
    http::{HeaderMap, StatusCode, header},
    response::{Html, Result},
    routing::{get, post},
};
use base64ct::{Base64, Base64UrlUnpadded, Encoding};
use openidconnect::{
    AccessToken, AsyncHttpClient, HttpRequest, HttpResponse, JsonWebKeyId, PkceCodeChallenge,
    PkceCodeVerifier, PrivateSigningKey,
    core::{CoreEdDsaPrivateSigningKey, CoreIdToken, CoreJsonWebKeySet, CoreJwsSigningAlgorithm},
};
use rand::{TryRng, rngs::SysRng};
use serde::Deserialize;
use serde_json::{Value, json};
use tower::ServiceExt;

use super::{CLIENT_ID, CLIENT_SECRET, ResponseMode};

/// Subject, name, e-mail address, and whether the provider has verified it.
type User = (&'static str, &'static str, &'static str, bool);

const USERS: [User; 2] = [
    ("1001", "alice", "alice@example.org", true),
    ("1002", "mallory", "alice@example.org", false),
];

/// What precedes the 32 bytes of an Ed25519 key in PKCS #8 (RFC 8410, 7).
const PKCS8_HEADER: [u8; 16] = *b"\x30\x2e\x02\x01\x00\x30\x05\x06\x03\x2b\x65\x70\x04\x22\x04\x20";

#[derive(Clone)]
pub(crate) struct Provider(Arc<Inner>);

struct Inner {
    site: String,
    /// Registered in advance, so that an attacker can't have a code sent to another URL.
    callback: String,
    key: CoreEdDsaPrivateSigningKey,
    codes: Mutex<HashMap<String, Grant>>,
}

/// What a code was issued for.
struct Grant {
    user: User,
    nonce: String,
    code_challenge: String,
}

impl Provider {
    /// # Errors
    ///
    /// - The operating system has no random bytes.
    pub(crate) fn new(site: String, callback: String) -> Result<Self, String> {
        let mut key = [0; 32];
        let filled = SysRng.try_fill_bytes(&mut key);
        filled.map_err(|error| error.to_string())?;
        let der = Base64::encode_string(&[PKCS8_HEADER.as_slice(), &key].concat());
        let pem = format!("-----BEGIN PRIVATE KEY-----\n{der}\n-----END PRIVATE KEY-----\n");
        let id = JsonWebKeyId::new("1".to_owned());
        Ok(Self(Arc::new(Inner {
            site,
            callback,
            key: CoreEdDsaPrivateSigningKey::from_ed25519_pem(&pem, Some(id))?,
            codes: Mutex::default(),
        })))
    }

    pub(super) fn issuer(&self) -> String {
        self.0.site.clone()
    }

    pub(super) fn callback(&self) -> String {
        self.0.callback.clone()
    }

    fn codes(&self) -> MutexGuard<'_, HashMap<String, Grant>> {
        let codes = self.0.codes.lock();
        codes.unwrap_or_else(PoisonError::into_inner)
    }

    /// The pages that it shows in the browser, and the endpoints for applications.
    pub(crate) fn pages(self) -> Router {
        Router::new()
            .route("/authorize", get(authorize))
            .route("/.well-known/openid-configuration", get(configuration))
            .route("/keys", get(keys))
            .route("/token", post(token))
            .with_state(self)
    }
}

/// A stand-in for `reqwest::Client`. The provider is in this program, so no request leaves it.
impl<'c> AsyncHttpClient<'c> for Provider {
    type Error = axum::Error;
    type Future = Pin<Box<dyn Future<Output = Result<HttpResponse, axum::Error>> + Send + 'c>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        Box::pin(async move {
            let pages = self.clone().pages();
            let Ok(response) = pages.oneshot(request.map(Body::from)).await;
            let (head, body) = response.into_parts();
            let body = to_bytes(body, usize::MAX).await?;
            Ok(HttpResponse::from_parts(head, body.to_vec()))
        })
    }
}

async fn configuration(State(provider): State<Provider>) -> Json<Value> {
    let site = &provider.0.site;
    Json(json!({
        "issuer": site,
        "authorization_endpoint": format!("{site}/authorize"),
        "token_endpoint": format!("{site}/token"),
        "jwks_uri": format!("{site}/keys"),
        "response_types_supported": ["code"],
        "response_modes_supported": ["query", "form_post"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["EdDSA"],
    }))
}

async fn keys(State(provider): State<Provider>) -> Json<CoreJsonWebKeySet> {
    let key = provider.0.key.as_verification_key();
    Json(CoreJsonWebKeySet::new(vec![key]))
}

#[derive(Deserialize)]
struct Question {
    client_id: String,
    redirect_uri: String,
    response_mode: ResponseMode,
    state: String,
    nonce: String,
    code_challenge: String,
}

/// Logs the visitor in as any user they choose. A form with the method GET leads to the same URL as
/// a redirect.
async fn authorize(
    State(provider): State<Provider>,
    Query(question): Query<Question>,
) -> Result<Html<String>> {
    let callback = &provider.0.callback;
    let state = &question.state;
    let is_known = question.client_id == CLIENT_ID && question.redirect_uri == *callback;
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
    let is_plain = state.bytes().all(is_plain); // it becomes part of the page
    if !is_known || !is_plain {
        return Err(StatusCode::BAD_REQUEST.into());
    }
    let method = match question.response_mode {
        ResponseMode::Query => "get",
        ResponseMode::FormPost => "post",
    };
    let mut forms = String::new();
    for user in USERS {
        let (code, name) = (random()?, user.1);
        forms += &format!(
            r#"<form method="{method}" action="{callback}">
  <input type="hidden" name="code" value="{code}">
  <input type="hidden" name="state" value="{state}">
  <button>Continue as {name}</button>
</form>"#
        );
        let grant = Grant {
            user,
            nonce: question.nonce.clone(),
            code_challenge: question.code_challenge.clone(),
        };
        provider.codes().insert(code, grant);
    }
    Ok(Html(format!(
        "<!doctype html><title>Provider</title><main>{forms}</main>"
    )))
}

#[derive(Deserialize)]
struct Exchange {
    code: String,
    code_verifier: String,
}

/// Exchanges a code, once, for an ID token. The application sends this request, not the browser.
async fn token(
    State(provider): State<Provider>,
    headers: HeaderMap,
    Form(exchange): Form<Exchange>,
) -> Result<Json<Value>> {
    let credentials = Base64::encode_string(format!("{CLIENT_ID}:{CLIENT_SECRET}").as_bytes());
    let authorization = headers.get(header::AUTHORIZATION);
    if authorization.is_none_or(|it| it != &format!("Basic {credentials}")) {
        return Err(StatusCode::UNAUTHORIZED.into());
    }
    let grant = provider.codes().remove(&exchange.code);
    let verifier = PkceCodeVerifier::new(exchange.code_verifier);
    let challenge = PkceCodeChallenge::from_code_verifier_sha256(&verifier);
    let grant = grant.filter(|grant| grant.code_challenge == challenge.as_str());
    let Some(grant) = grant else {
        let error = Json(json!({ "error": "invalid_grant" }));
        return Err((StatusCode::BAD_REQUEST, error).into());
    };

    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    let now = now.map_or(0, |time| time.as_secs());
    let (subject, name, email, is_verified) = grant.user;
    let claims = serde_json::from_value(json!({
        "iss": provider.0.site,
        "aud": CLIENT_ID,
        "exp": now + 300,
        "iat": now,
        "nonce": grant.nonce,
        "sub": subject,
        "preferred_username": name,
        "email": email,
        "email_verified": is_verified,
    }));
    let claims = claims.map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)?;
    let access_token = AccessToken::new(random()?);
    let algorithm = CoreJwsSigningAlgorithm::EdDsa;
    let key = &provider.0.key;
    let id_token = CoreIdToken::new(claims, key, algorithm, Some(&access_token), None)
        .map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)?;
    Ok(Json(json!({
        "access_token": access_token.secret(),
        "token_type": "Bearer",
        "id_token": id_token.to_string(),
    })))
}

/// A text that can't be guessed.
fn random() -> Result<String, StatusCode> {
    let mut bytes = [0; 32];
    SysRng
        .try_fill_bytes(&mut bytes)
        .map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)?;
    Ok(Base64UrlUnpadded::encode_string(&bytes))
}
