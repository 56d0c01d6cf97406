//! A stand-in for an OpenID provider, without passwords, secrets and signatures. With a real
//! provider, use the crate `openidconnect` instead of the methods of [`Provider`].

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use axum::{
    Router,
    extract::{Query, State},
    http::StatusCode,
    response::{Html, Result},
    routing::get,
};
use base64ct::{Base64UrlUnpadded, Encoding};
use rand::{TryRng, rngs::SysRng};
use serde::Deserialize;

use super::ResponseMode;

#[derive(Clone)]
pub(crate) struct Provider {
    site: String,
    /// Registered in advance, so that an attacker can't have a code sent to another URL.
    callback: String,
    codes: Arc<Mutex<HashMap<String, IdToken>>>,
}

/// The user who has logged in, and the nonce of the request.
pub(super) struct IdToken {
    pub(super) subject: String,
    pub(super) nonce: String,
}

impl Provider {
    pub(crate) fn new(site: String, callback: String) -> Self {
        Self {
            site,
            callback,
            codes: Arc::default(),
        }
    }

    /// `Client::authorize_url` in `openidconnect`.
    pub(super) fn login_url(&self, mode: ResponseMode, state: &str, nonce: &str) -> String {
        let site = &self.site;
        let mode = match mode {
            ResponseMode::Query => "query",
            ResponseMode::FormPost => "form_post",
        };
        format!("{site}/authorize?response_mode={mode}&state={state}&nonce={nonce}")
    }

    /// `Client::exchange_code` in `openidconnect`: a request from your server to the provider's.
    pub(super) fn redeem(&self, code: &str) -> Option<IdToken> {
        let mut codes = self.codes.lock().unwrap_or_else(PoisonError::into_inner);
        codes.remove(code)
    }

    /// The pages that the provider shows in the browser.
    pub(crate) fn pages(self) -> Router {
        Router::new()
            .route("/authorize", get(authorize))
            .with_state(self)
    }
}

/// A text that can't be guessed: `CsrfToken::new_random` and `Nonce::new_random` in
/// `openidconnect`.
pub(super) fn random() -> Result<String, StatusCode> {
    let mut bytes = [0; 32];
    SysRng
        .try_fill_bytes(&mut bytes)
        .map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)?;
    Ok(Base64UrlUnpadded::encode_string(&bytes))
}

#[derive(Deserialize)]
struct Question {
    response_mode: ResponseMode,
    state: String,
    nonce: String,
}

/// Logs every visitor in as alice. A form with the method GET leads to the same URL as a redirect.
async fn authorize(
    State(provider): State<Provider>,
    Query(question): Query<Question>,
) -> Result<Html<String>> {
    let Question { state, nonce, .. } = question;
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
    if !state.bytes().all(is_plain) {
        return Err(StatusCode::BAD_REQUEST.into()); // it becomes part of the page
    }
    let method = match question.response_mode {
        ResponseMode::Query => "get",
        ResponseMode::FormPost => "post",
    };
    let code = random()?;
    let subject = "alice".to_owned();
    let mut codes = provider
        .codes
        .lock()
        .unwrap_or_else(PoisonError::into_inner);
    codes.insert(code.clone(), IdToken { subject, nonce });
    let callback = &provider.callback;
    Ok(Html(format!(
        r#"<!doctype html><title>Provider</title><main><form method="{method}" action="{callback}">
  <input type="hidden" name="code" value="{code}">
  <input type="hidden" name="state" value="{state}">
  <button>Continue as alice</button>
</form></main>"#
    )))
}
