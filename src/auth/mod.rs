//! [`Auth`]: the current user, and the operations that change it.

mod confirm;
mod extension;
mod freshness;
mod impersonate;
mod known_browser;
mod login;
mod login_handle;
mod methods;
mod next_path;
mod request;
mod session_info;
mod sessions;
mod settings;
mod verbs;

use std::{fmt, sync::Arc};

use http::Uri;

use crate::{
    api_key::ApiKeyInfo,
    denied::DeniedConfig,
    error::Error,
    event::{Event, EventKind},
    identity::{Identity, claimed_id},
    realm::Realm,
    session::{Session, SessionOwner, finish},
    user::AuthUser,
};

use self::verbs::Renew;
pub use self::{
    confirm::Confirm, impersonate::Impersonate, known_browser::KnownBrowser, login::Login,
    login_handle::LoginHandle, methods::Method, session_info::SessionInfo,
};
pub(crate) use self::{
    extension::AuthExtension,
    known_browser::owner as browsers_of,
    request::RequestAuth,
    sessions::{delete_all, owner_of, revoke, sessions},
    settings::Settings,
};
#[doc(inline)]
pub use crate::{reason::AnonymousReason, user::IntoUser};

/// The current user, and the operations that change it: [`login`](Auth::login),
/// [`logout`](Auth::logout), [`confirm`](Auth::confirm), [`rotate`](Auth::rotate).
///
/// Nothing is read before the first call, and the whole request shares the result. An operation is
/// written to the store when it is awaited, and is carried out completely even if the client hangs
/// up. What `Auth` returns changes only after the store has accepted the change, except that a
/// logout makes the request anonymous even if the store fails. The operations of one request run
/// one after the other. Await an operation or drop it: one that has begun but is no longer polled
/// blocks the others and the response.
///
/// Loaders and checks run where the request runs: in its tracing span and with its task-locals.
/// Only the rest of an operation whose client has hung up runs on another task. For events, see
/// [`with_on_event`](crate::LoginManager::with_on_event).
///
/// With axum it is an extractor; elsewhere [`Auth::from_extensions`] finds it in the request's
/// extensions. Clones refer to the same request.
///
/// In the manual: [Logging in and out](crate::manual::logging_in_and_out), [Sessions of a
/// user](crate::manual::sessions_of_a_user).
pub struct Auth<U: AuthUser> {
    request: Arc<RequestAuth<U>>,
}

impl<U: AuthUser> Auth<U> {
    pub(crate) fn new(request: RequestAuth<U>) -> Self {
        Self {
            request: Arc::new(request),
        }
    }

    /// Returns the `Auth` of a request that came through a
    /// [`LoginManager<U>`](crate::LoginManager), or `None` if it did not. A middleware can keep it
    /// and, once the inner service has responded, see the changes that the handler made.
    #[must_use]
    pub fn from_extensions(extensions: &http::Extensions) -> Option<Self> {
        AuthExtension::of(extensions)?.find()
    }

    /// Returns the current user, or `None` if the request is anonymous. The user is loaded once per
    /// request, however often this is called.
    ///
    /// # Errors
    /// - [`ErrorKind::Store`](crate::ErrorKind::Store) if the store failed or missed its deadline
    /// - [`ErrorKind::Loader`](crate::ErrorKind::Loader) if a user loader or request loader failed
    ///   or missed its deadline
    /// - [`ErrorKind::WrongUser`](crate::ErrorKind::WrongUser) if the user loader returned a user
    ///   with a different id than the requested one
    /// - [`ErrorKind::Conflict`](crate::ErrorKind::Conflict) if other requests kept changing the
    ///   session
    /// - [`ErrorKind::Random`](crate::ErrorKind::Random) if the operating system returned no random
    ///   bytes to restore a remembered login
    pub async fn user(&self) -> Result<Option<Arc<U>>, Error> {
        Ok(self.identity().await?.user().cloned())
    }

    /// Returns the id of the user who owns the session, without loading the user. This costs one
    /// store read.
    ///
    /// It does not check whether the user still exists, is active and has the same security stamp.
    /// Use it for a log line, not to decide about access. Until [`user`](Auth::user) has been
    /// called, it returns `None` for a user who is only found by the remember cookie, by an [API
    /// key](crate::api_keys) or by a [request loader](crate::RequestLoader).
    ///
    /// # Errors
    /// - [`ErrorKind::Store`](crate::ErrorKind::Store) if the store failed or missed its deadline
    /// - [`ErrorKind::Conflict`](crate::ErrorKind::Conflict) if other requests kept changing the
    ///   session
    pub async fn user_id(&self) -> Result<Option<U::Id>, Error> {
        if let Some(identity) = self.peek() {
            return Ok(identity.user().map(|user| user.id()));
        }
        let turn = self.request.session.turn().await;
        turn.load().await?;
        Ok(claimed_id::<U>(turn.realm(), turn.open().as_deref()))
    }

    /// Returns why the request is anonymous, or `None` if a user is logged in.
    ///
    /// # Errors
    /// - those of [`user`](Auth::user)
    pub async fn anonymous_reason(&self) -> Result<Option<AnonymousReason>, Error> {
        Ok(match self.identity().await? {
            Identity::Anonymous(why) => Some(why),
            _ => None,
        })
    }

    /// Returns the API key that authenticated this request, or `None` if the request is anonymous
    /// or its user was found in another way.
    ///
    /// # Errors
    /// - those of [`user`](Auth::user)
    pub async fn api_key(&self) -> Result<Option<Arc<ApiKeyInfo>>, Error> {
        Ok(match self.identity().await? {
            Identity::ByKey { key, .. } => Some(key),
            _ => None,
        })
    }

    /// Returns whether this browser is remembered: its remember cookie restores the login when the
    /// session is over. False if the request is anonymous.
    ///
    /// # Errors
    /// - those of [`user`](Auth::user)
    pub async fn is_remembered(&self) -> Result<bool, Error> {
        self.identity().await?;
        let now = self.realm().clock.now();
        let open = self.request.session.open();
        let remember = open.and_then(|open| open.payload.remember);
        Ok(remember.is_some_and(|remember| now < remember.ends))
    }

    /// Returns a [`Login`], which logs this user in when it is awaited.
    ///
    /// Check the password or other credentials first: this only checks that the user is active. The
    /// session gets a new secret.
    pub fn login(&self, user: impl IntoUser<U>) -> Login<U> {
        Login::new(self.clone(), user.into_user())
    }

    /// Logs this browser out: deletes from the store every session to which a secret in its cookies
    /// belongs, and removes both cookies. If there is no session, only the cookies are removed.
    ///
    /// A session secret is accepted even if it has been rotated, and a remember cookie even if its
    /// token secret has been exchanged. No user is loaded, so it also works for a user who no
    /// longer exists.
    ///
    /// # Errors
    /// The cookies are removed even if the logout fails, so the client cannot retry.
    /// - [`ErrorKind::Store`](crate::ErrorKind::Store) if the store failed: the session may still
    ///   be valid. The deletion is retried in the background for about a minute; a
    ///   [`LoggedOut`](crate::event::EventKind::LoggedOut) event is emitted when it succeeds
    /// - [`ErrorKind::LogoutIncomplete`](crate::ErrorKind::LogoutIncomplete) if a cookie names a
    ///   live session, but no presented secret belongs to it, or if there are more than 8 cookies
    ///   with one name
    pub async fn logout(&self) -> Result<(), Error> {
        let request = Arc::clone(&self.request);
        self.asked();
        finish(async move {
            let turn = request.session.turn().await;
            request.logout(&turn).await
        })
        .await
    }

    /// Replaces the session secret and keeps everything else. Call it after a change of privileges
    /// that is not a login. Does nothing if there is no session.
    ///
    /// Requests with the old secret of a user's session are still authenticated, but not fresh, for
    /// [30 seconds](crate::manager::RememberMe::grace); the old secret of an anonymous session is
    /// invalid at once. If the response is lost, the browser still has the old secret: after this
    /// time its requests are anonymous, unless its remember cookie restores the login.
    ///
    /// # Errors
    /// - [`ErrorKind::Store`](crate::ErrorKind::Store) if the store failed or missed its deadline
    /// - [`ErrorKind::Gone`](crate::ErrorKind::Gone) if the session ended meanwhile
    /// - [`ErrorKind::Conflict`](crate::ErrorKind::Conflict) if the presented secret has been
    ///   replaced, or if other requests kept changing the session
    /// - [`ErrorKind::TooLate`](crate::ErrorKind::TooLate) if the response head has already been
    ///   sent
    /// - [`ErrorKind::Random`](crate::ErrorKind::Random) if the operating system returned no random
    ///   bytes
    pub async fn rotate(&self) -> Result<(), Error> {
        let request = Arc::clone(&self.request);
        self.asked();
        finish(async move {
            let turn = request.session.turn().await;
            request.rotate(&turn, Renew::Session).await
        })
        .await
    }

    /// Returns the data of this realm's session.
    #[must_use]
    pub fn session(&self) -> Session {
        Session::new(Arc::clone(&self.request) as Arc<dyn SessionOwner>)
    }

    /// Whether the request has a bearer token, and there are API keys.
    pub(crate) fn shows_bearer_token(&self) -> bool {
        self.request.bearer.is_some()
    }

    /// The current user, if already known.
    pub(crate) fn peek(&self) -> Option<Identity<U>> {
        self.request.known()
    }

    pub(crate) async fn identity(&self) -> Result<Identity<U>, Error> {
        if let Some(identity) = self.peek() {
            return Ok(identity);
        }
        let request = Arc::clone(&self.request);
        let resolve = async move {
            let turn = request.session.turn().await;
            request.resolve(&turn).await
        };
        // A restore must run to its end, like every other operation.
        match self.request.session.has_remember_cookie() {
            true => finish(resolve).await,
            false => resolve.await,
        }
    }

    /// An event about the current user, as far as that is known.
    pub(crate) fn event(&self, kind: EventKind) -> Event {
        match self.peek() {
            Some(identity) => self.request.event(kind, &identity),
            None => self.realm().event(kind),
        }
    }

    pub(crate) fn realm(&self) -> &Arc<Realm> {
        self.request.session.realm()
    }

    /// Whether a manager with these settings handles this request.
    #[cfg(feature = "tracing")]
    pub(crate) fn is_configured_by(&self, settings: &Arc<Settings<U>>) -> bool {
        Arc::ptr_eq(&self.request.settings, settings)
    }

    pub(crate) fn denied_config(&self) -> &DeniedConfig {
        &self.request.settings.denied
    }

    /// The URI that the client requested, before any nested router removed a prefix.
    pub(crate) fn uri(&self) -> &Uri {
        &self.request.uri
    }

    /// Records that the response depends on the cookies.
    fn asked(&self) {
        self.request.session.state().asked = true;
    }
}

impl<U: AuthUser> Clone for Auth<U> {
    fn clone(&self) -> Self {
        Self {
            request: Arc::clone(&self.request),
        }
    }
}

impl<U: AuthUser> fmt::Debug for Auth<U> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Auth([redacted])")
    }
}
