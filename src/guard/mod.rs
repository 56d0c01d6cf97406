//! Access control: the guard layer and the extractors share one decision.
//!
//! Use the extractor [`LoginRequired`](crate::LoginRequired) for a handler, and the layer
//! [`login_required`] for a whole router or any other tower service. Both give the same response:
//!
//! | | |
//! |---|---|
//! | anonymous | `303` to the login view for a page load, otherwise `401` |
//! | logged in, but not allowed | `403` |
//! | logged in, but [not fresh](fresh_login_required) | `303` to the refresh view for a page load, otherwise `401` |
//! | unknown, because the store, the loader or the check failed | `503`, never a redirect to the login view |
//! | no [`LoginManager`](crate::LoginManager) around the guard | `500`, and an error in the log that says what to add |

mod authorize;
mod except;
mod future;
mod layer;
mod service;
mod view;

use std::{any::type_name, sync::Arc};

use http::{Response, request::Parts};

use crate::{
    auth::Auth,
    error::{Error, ErrorKind},
    event::EventKind,
    identity::Identity,
    refusal::{Denied, LoginView, NextPath, Reason, Refused, ViewOf, respond},
    session::NextChange,
    user::AuthUser,
};

pub(crate) use self::layer::Rules;
pub use self::{
    authorize::{Authorize, IntoVerdict},
    future::GuardFuture,
    layer::{LoginRequiredLayer, fresh_login_required, login_required},
    service::LoginRequiredService,
    view::{LoginViewLayer, LoginViewService, login_view},
};

/// Why a request is not let through.
pub(crate) enum Refusal {
    Denied(Reason),
    Error(Error),
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        Self::Error(error)
    }
}

/// The decision, as far as it is synchronous: a user is logged in, meets the conditions, and is
/// fresh if that is required.
fn decide<U: AuthUser>(
    auth: &Auth<U>,
    identity: Identity<U>,
    rules: &Rules<U>,
) -> Result<Arc<U>, Refusal> {
    let reason = match identity {
        Identity::Nobody(why) => Reason::LoginRequired(why),
        Identity::User(user, _) if !rules.predicates.iter().all(|allows| allows(&user)) => {
            Reason::Forbidden
        }
        Identity::User(_, proof) if rules.fresh && !auth.is_fresh_by(&proof) => {
            Reason::FreshLoginRequired
        }
        Identity::User(user, _) => return Ok(user),
    };
    Err(Refusal::Denied(reason))
}

/// The whole decision, including asynchronous checks.
pub(crate) async fn admit<U: AuthUser>(
    auth: &Auth<U>,
    rules: &Rules<U>,
    head: &Parts,
) -> Result<Arc<U>, Refusal> {
    let user = decide(auth, auth.identity().await?, rules)?;
    for check in &rules.authorize {
        let realm = &auth.visit().realm;
        let asked = realm.ask(ErrorKind::Authorize, check.authorize(&user, head));
        let may = asked.await.inspect_err(|error| {
            let failed = EventKind::AuthorizeFailed;
            realm.tell(&auth.event(failed).because(error));
        })?;
        if !may {
            return Err(Refusal::Denied(Reason::Forbidden));
        }
    }
    Ok(user)
}

/// The response to a request that is not let through.
pub(crate) fn refuse<U: AuthUser>(
    auth: &Auth<U>,
    refusal: &Refusal,
    head: &Parts,
) -> Response<Vec<u8>> {
    match refusal {
        Refusal::Error(error) => error.to_response(),
        Refusal::Denied(reason) => {
            let refused = auth.event(EventKind::Refused(*reason));
            auth.visit().realm.tell(&refused);
            let (refusals, part) = (auth.refusals(), auth.views());
            let denied = Denied::new(*reason, head, auth.uri(), refusals);
            let computed = match part.as_ref().and_then(|views| views.of(*reason)) {
                Some(_) => None,
                None => refusals
                    .view_of
                    .as_ref()
                    .and_then(|view_of| compute(view_of, &denied)),
            };
            let part = part.as_ref().and_then(|views| views.of(*reason));
            let view = part.or(computed.as_ref()).or(refusals.views.of(*reason));
            let Refused { response, way_back } = respond(refusals, &denied.sent_to(view));
            match way_back.as_ref().map(NextPath::as_str) {
                Some(Some(path)) => {
                    auth.visit().state().next_cookie = Some(NextChange::Set(path.into()));
                }
                Some(None) => auth.drop_next(),
                None => {}
            }
            response
        }
    }
}

/// The login page that the application chose for this request.
fn compute(view_of: &Arc<ViewOf>, denied: &Denied<'_>) -> Option<LoginView> {
    let given = view_of(denied)?;
    LoginView::parse(&given)
        .inspect_err(|_error| {
            #[cfg(feature = "tracing")]
            tracing::error!("with_login_view_of: {_error}");
        })
        .ok()
}

/// No manager for this user type is around the handler.
pub(crate) fn no_manager<U>(asked: &str) -> Error {
    missing(asked, &format!("LoginManager<{}>", type_name::<U>()))
}

/// `asked` needs a manager, and none of its kind is around the handler.
pub(crate) fn missing(asked: &str, manager: &str) -> Error {
    #[cfg(feature = "tracing")]
    tracing::error!(
        "{asked} was asked for, but the request did not come through a {manager}. Put it around the routes and around \
         every guard, `Router::new().route(…).layer(login_manager)`: a layer is only around what was added before it"
    );
    #[cfg(not(feature = "tracing"))]
    let _ = (asked, manager);
    ErrorKind::NoManager.into()
}
