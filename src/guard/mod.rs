//! Access control: the guard layer and the extractors share one decision.
//!
//! The extractor [`LoginRequired`] guards one handler, the layer [`login_required`] a whole router
//! or any other tower service. Both give the same response:
//!
//! | request | response |
//! |---|---|
//! | anonymous | 303 to the login page for a page load, else 401 |
//! | the user is not allowed | 403 |
//! | the user's [API key](crate::api_keys) lacks a [scope](LoginRequiredLayer::and_scope) | 403 |
//! | anonymous, with a bearer token that is not a valid API key; or the guard [requires an API key](LoginRequiredLayer::keys_only) and none authenticates the user | 401 |
//! | the login is [not fresh](fresh_login_required), or a [method](LoginRequiredLayer::needs) is missing | 303 to the refresh page for a page load, else 401 |
//! | the same, but the user is [impersonated](crate::Auth::impersonate) | 403, since no credentials can be entered |
//! | the store, the loader or a check failed | 503, never "not logged in" |
//! | no [`LoginManager`](crate::LoginManager) is around the guard | 500, and an error in the log that says what to add; in debug builds the body says it, too |
//!
//! # Page loads
//!
//! A redirect to the login page only helps a client that shows the login page, so only page loads
//! are redirected. [Guarding pages](crate::manual::guarding_pages#what-is-a-page-load) in the
//! manual has the table of all clients.
//! [`with_unauthorized`](crate::LoginManager::with_unauthorized) replaces these responses with
//! your own.
//!
//! # With other layers
//!
//! Guards go inside the manager. Apart from that, guards and managers may be outside or inside any
//! other layer, in a `Router` or a `ServiceBuilder`, and around services such as `ServeDir`. The
//! only requirement is on the body of the responses: see [`InnerBody`].
//!
#![cfg_attr(feature = "axum", doc = include_str!("../manual/links/axum.md"))]
#![cfg_attr(not(feature = "axum"), doc = include_str!("../manual/links/axum_online.md"))]

mod authorize;
mod except;
mod future;
mod layer;
mod page;
mod rules;
mod service;

use std::{any::type_name, sync::Arc};

use bytes::Bytes;
use http::{Response, request::Parts};

use crate::{
    auth::Auth,
    denied::{Bearer, PageUrl, Refusal},
    error::{Error, ErrorKind},
    event::EventKind,
    identity::Identity,
    session::MethodName,
    user::AuthUser,
};

pub(crate) use self::rules::Rules;
pub use self::{
    authorize::{Authorize, IntoAuthorize, IntoVerdict},
    future::GuardFuture,
    layer::{LoginRequiredLayer, fresh_login_required, login_required},
    page::{LoginPageLayer, LoginPageService, login_page},
    service::LoginRequiredService,
};
#[doc(inline)]
pub use crate::{
    body::InnerBody,
    denied::{Denied, IntoDeniedResponse, InvalidNext, Notice},
    reason::DeniedReason,
};

/// Why a request is not let through.
pub(crate) enum Denial {
    Denied(DeniedReason),
    /// The API key lacks one of these scopes, which are separated by spaces.
    Scope(Arc<str>),
    /// The user has to enter credentials by this method.
    MethodRequired(MethodName),
    Error(Error),
}

impl From<Error> for Denial {
    fn from(error: Error) -> Self {
        Self::Error(error)
    }
}

/// The decision, as far as it is synchronous: a user is logged in, meets the conditions, has the
/// scopes if an API key authenticates them, has used the methods that are needed, and is fresh if
/// that is required.
fn decide<U: AuthUser>(
    auth: &Auth<U>,
    identity: Identity<U>,
    rules: &Rules<U>,
) -> Result<Arc<U>, Denial> {
    let (user, key) = match &identity {
        Identity::ByKey { user, key } => (user, Some(key)),
        _ if rules.keys_only => return Err(Denial::Denied(DeniedReason::ApiKeyRequired)),
        Identity::Anonymous(why) => {
            return Err(Denial::Denied(DeniedReason::LoginRequired(*why)));
        }
        Identity::BySession { user, .. } | Identity::ByRequest(user) => (user, None),
    };
    if !rules.predicates.iter().all(|allows| allows(user)) {
        return Err(Denial::Denied(DeniedReason::Forbidden));
    }
    if let (Some(scopes), Some(key)) = (&rules.scopes, key)
        && !scopes.split(' ').all(|scope| key.has_scope(scope))
    {
        return Err(Denial::Scope(Arc::clone(scopes)));
    }
    let realm = auth.realm();
    let wants_credentials = rules.fresh.is_some() || !rules.needs.is_empty();
    // An impersonation can't be confirmed, so the refresh page would not help.
    if wants_credentials && identity.actor().is_some() {
        return Err(Denial::Denied(DeniedReason::Forbidden));
    }
    // Checked before freshness, since confirming by the missing method also makes the session
    // fresh.
    let was_used = |method: &&MethodName| identity.was_used(realm, **method, rules.fresh);
    if let Some(missing) = rules.needs.iter().find(|method| !was_used(method)) {
        return Err(Denial::MethodRequired(*missing));
    }
    if rules
        .fresh
        .is_some_and(|age| !identity.is_fresh(realm, age))
    {
        return Err(Denial::Denied(DeniedReason::FreshLoginRequired));
    }
    Ok(Arc::clone(user))
}

/// The whole decision, including asynchronous checks.
pub(crate) async fn admit<U: AuthUser>(
    auth: &Auth<U>,
    rules: &Rules<U>,
    head: &Parts,
) -> Result<Arc<U>, Denial> {
    let user = decide(auth, auth.identity().await?, rules)?;
    for check in &rules.authorize {
        let realm = auth.realm();
        let asked = realm.call(ErrorKind::Authorize, check(&user, head));
        let may = asked.await.inspect_err(|error| {
            let failed = EventKind::AuthorizeFailed;
            realm.emit(&auth.event(failed).because(error));
        })?;
        if !may {
            return Err(Denial::Denied(DeniedReason::Forbidden));
        }
    }
    Ok(user)
}

/// The response to a request that is not let through.
pub(crate) async fn deny<U: AuthUser>(
    auth: &Auth<U>,
    denial: &Denial,
    head: &Parts,
) -> Response<Bytes> {
    let (reason, method) = match denial {
        Denial::Error(error) => return error.response().map(Bytes::from),
        Denial::Denied(reason) => (*reason, None),
        Denial::Scope(_) => (DeniedReason::InsufficientScope, None),
        Denial::MethodRequired(method) => (DeniedReason::MethodRequired, Some(*method)),
    };
    if auth.realm().is_heard() {
        auth.realm().emit(&auth.event(EventKind::Denied(reason)));
    }
    let (config, part) = (auth.denied_config(), auth.pages());
    let part = part.as_ref().and_then(|pages| pages.of(reason));
    let mut refusal = Refusal {
        reason,
        method,
        head,
        uri: auth.uri(),
        login_page: part.or(config.pages.of(reason)),
        bearer: bearer(auth, denial),
        config,
    };
    let chosen;
    if let (None, Some(choose)) = (part, &config.chosen_by) {
        chosen = checked(choose(&Denied::new(&refusal)));
        refusal.login_page = chosen.as_ref().or(refusal.login_page);
    }
    #[cfg(feature = "tracing")]
    refusal.log_loop();
    let response = match &config.unauthorized {
        Some(unauthorized) => unauthorized(Denied::new(&refusal)).await,
        None => refusal.default_response().map(Bytes::from),
    };
    if let Some(next) = refusal.next_to_keep(&response) {
        auth.keep_next(&next);
    }
    response
}

/// The challenge for a client that uses, or has to use, an API key. `None` for a browser.
fn bearer<'a, U: AuthUser>(auth: &Auth<U>, denial: &'a Denial) -> Option<Bearer<'a>> {
    let identity = auth.peek();
    let is_refused = matches!(identity, Some(Identity::Anonymous(_))) && auth.shows_bearer_token();
    match denial {
        Denial::Scope(scopes) => Some(Bearer::Scope(scopes)),
        Denial::Denied(DeniedReason::LoginRequired(_) | DeniedReason::ApiKeyRequired)
            if is_refused =>
        {
            Some(Bearer::Invalid)
        }
        Denial::Denied(DeniedReason::ApiKeyRequired) => Some(Bearer::Required),
        Denial::MethodRequired(_) | Denial::Denied(DeniedReason::FreshLoginRequired) => {
            match identity {
                Some(Identity::ByKey { .. }) => Some(Bearer::NotFresh),
                _ => None,
            }
        }
        _ => None,
    }
}

/// The login page that the application chose for this request.
fn checked(chosen: Option<String>) -> Option<PageUrl> {
    PageUrl::parse("LoginPage::chosen_by", &chosen?)
        .inspect_err(|_error| {
            #[cfg(feature = "tracing")]
            tracing::error!("{_error}");
        })
        .ok()
}

/// The error if the request did not come through a manager for this user type. Logs what to add.
pub(crate) fn no_manager<U>(used: &str) -> Error {
    missing(used, &format!("LoginManager<{}>", type_name::<U>()))
}

/// The error if the request did not come through a manager. Logs what to add; the response says the
/// same in debug builds.
pub(crate) fn missing(used: &str, manager: &str) -> Error {
    let hint = format!(
        "{used} was used, but the request did not come through a {manager}: \
         `.layer(login_manager)` is missing on this router, or the handler or guard is outside it. \
         Add the layer after the routes and guards, \
         `Router::new().route(…).layer(login_manager)`: \
         a layer only covers what was added before it."
    );
    #[cfg(feature = "tracing")]
    tracing::error!("{hint}");
    Error::new(ErrorKind::NoManager, hint)
}
