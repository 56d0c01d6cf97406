//! [`Auth`]: who this request is, and the verbs that change it.

mod arrive;
mod attached;
mod device;
mod devices;
mod handle;
mod inner;
mod login;
mod next;
mod replace;
mod verbs;

use std::{fmt, sync::Arc};

use http::Uri;
use tokio::runtime::Handle;

use crate::{
    clock::millis,
    error::{Error, ErrorKind},
    event::{Event, EventKind},
    identity::{Identity, claimed_id},
    refusal::Refusals,
    session::{Proof, Session, Visit, Visited},
    user::AuthUser,
    why::Why,
};

pub(crate) use self::inner::Inner;
pub use self::login::Login;
pub(crate) use self::{
    attached::Attached,
    devices::{devices, owner_of, revoke},
};
pub use self::{
    device::{Device, DeviceId},
    handle::LoginHandle,
};

/// Who this request is, and the verbs that change it: [`login`](Auth::login), [`logout`](Auth::logout),
/// [`confirm`](Auth::confirm), [`renew`](Auth::renew).
///
/// Nothing is read before the first question; the answer is shared by everything in the request that asks. A verb is
/// written to the store when it is awaited, and is carried out whole even if the client hangs up. What `Auth` says
/// changes only when the store has accepted. Verbs of one request run one after the other.
///
/// With axum it is an extractor; elsewhere [`Auth::of`] finds it in the request's extensions. Clones are the same request's.
pub struct Auth<U: AuthUser> {
    inner: Arc<Inner<U>>,
}

impl<U: AuthUser> Auth<U> {
    pub(crate) fn new(inner: Inner<U>) -> Self {
        Self {
            inner: Arc::new(inner),
        }
    }

    /// Finds it in a request that came through a [`LoginManager<U>`](crate::LoginManager). A middleware that keeps it sees
    /// afterwards what the handler did.
    #[must_use]
    pub fn of(extensions: &http::Extensions) -> Option<Self> {
        Attached::of(extensions)?.find()
    }

    /// The user who is logged in, if anybody is: loaded once per request, however often it is asked.
    ///
    /// # Errors
    /// [`ErrorKind::Store`], [`ErrorKind::Loader`], [`ErrorKind::WrongUser`], [`ErrorKind::Panicked`]: it can't be known who it is.
    pub async fn user(&self) -> Result<Option<Arc<U>>, Error> {
        Ok(match self.identity().await? {
            Identity::User(user, _) => Some(user),
            Identity::Nobody(_) => None,
        })
    }

    /// The id of the user whose session this is, without loading the user where that hasn't happened yet.
    ///
    /// It costs one store read. Whether the user still exists, is active and has the same stamp is then not known:
    /// good for a log line, not for letting anybody in. Who has no session yet, because only a remember cookie or a
    /// [request loader](crate::RequestLoader) will tell, has no id here before [`user`](Auth::user) was asked.
    ///
    /// # Errors
    /// [`ErrorKind::Store`].
    pub async fn user_id(&self) -> Result<Option<U::Id>, Error> {
        if let Some(identity) = self.peek() {
            return Ok(match identity {
                Identity::User(user, _) => Some(user.id()),
                Identity::Nobody(_) => None,
            });
        }
        let visit = &self.inner.visit;
        let _turn = visit.turn.lock().await;
        visit.read_at(visit.now()).await?;
        Ok(claimed_id::<U>(visit).ok())
    }

    /// Why nobody is logged in, or `None` where somebody is.
    ///
    /// # Errors
    /// As [`user`](Auth::user).
    pub async fn why(&self) -> Result<Option<Why>, Error> {
        Ok(match self.identity().await? {
            Identity::User(..) => None,
            Identity::Nobody(why) => Some(why),
        })
    }

    /// Whether the person proved who they are in this session, and not longer ago than
    /// [`with_fresh_for`](crate::LoginManager::with_fresh_for) says. False where nobody is logged in.
    ///
    /// # Errors
    /// As [`user`](Auth::user).
    pub async fn is_fresh(&self) -> Result<bool, Error> {
        Ok(match self.identity().await? {
            Identity::User(_, proof) => self.is_fresh_by(&proof),
            Identity::Nobody(_) => false,
        })
    }

    /// Whether this browser is remembered: whether the login behind this session gave it a remember
    /// cookie. `false` if the request is anonymous.
    ///
    /// A session that the remember cookie restored is remembered and not [fresh](Auth::is_fresh).
    /// Right after a login this returns what the login asked for.
    ///
    /// # Errors
    /// As [`user`](Auth::user).
    pub async fn is_remembered(&self) -> Result<bool, Error> {
        Ok(match self.identity().await? {
            Identity::User(_, proof) => proof.remembered,
            Identity::Nobody(_) => false,
        })
    }

    /// Logs this user in, when it is awaited: see [`Login`].
    ///
    /// The password, or whatever else proves it, has been checked by then: this asks nothing more than that the user is
    /// active. The session gets a new token; the old one is worth nothing from then on.
    pub fn login(&self, user: impl Into<Arc<U>>) -> Login<U> {
        Login::new(self.clone(), user.into())
    }

    /// Logs out: ends the session and everything else of this browser's line of descent, here and in the store, and
    /// tells the browser to forget its cookies. Without a session it does no more than the latter.
    ///
    /// It needs no user loader, so it also works when the user is gone. A request that still shows the token from before a renewal has
    /// no session: it ends what the remember cookie stands for, and without one nothing.
    ///
    /// # Errors
    /// [`ErrorKind::Store`]: the session may live on in the store. The browser forgets its cookies all the same, so a second request
    /// has nothing to log out by. It is tried again in the background for a minute, with as many as 64 deletions waiting at a time, and
    /// an [event](crate::EventKind::LoggedOut) tells when it is done. A login in the same request, after this, is a new one and lives
    /// on. [`ErrorKind::NoRuntime`], [`ErrorKind::Panicked`].
    pub async fn logout(&self) -> Result<(), Error> {
        self.run(|inner| async move { inner.logout_at(inner.visit.now()).await })
            .await
    }

    /// The person has just proved again who they are: the session is fresh, has its whole time before it and a new token.
    ///
    /// Answers whether anybody is logged in by a session; where nobody is, it does nothing.
    ///
    /// # Errors
    /// As [`user`](Auth::user); [`ErrorKind::Gone`] where the session ended meanwhile, by a logout elsewhere, say, and where the
    /// store's answer got lost and it can't be told whether it had: then it has. [`ErrorKind::Conflict`], [`ErrorKind::TooLate`],
    /// [`ErrorKind::Random`], [`ErrorKind::NoRuntime`].
    pub async fn confirm(&self) -> Result<bool, Error> {
        self.run(|inner| async move { inner.confirm_at(inner.visit.now()).await })
            .await
    }

    /// Gives the session a new token and keeps everything else: for a change of privilege of your own. Without a
    /// session it does nothing.
    ///
    /// # Errors
    /// As [`confirm`](Auth::confirm).
    pub async fn renew(&self) -> Result<(), Error> {
        self.run(|inner| async move { inner.renew_at(inner.visit.now()).await })
            .await
    }

    /// The data of this realm's session.
    #[must_use]
    pub fn session(&self) -> Session {
        Session::new(Arc::clone(&self.inner) as Arc<dyn Visited>)
    }

    pub(crate) fn is_fresh_by(&self, proof: &Proof) -> bool {
        let visit = &self.inner.visit;
        let age = visit.now().saturating_sub(proof.at);
        proof.fresh
            && visit
                .realm
                .fresh_for
                .is_none_or(|limit| age <= millis(limit))
    }

    /// The answer if it is known already.
    pub(crate) fn peek(&self) -> Option<Identity<U>> {
        self.inner.identity().clone()
    }

    pub(crate) async fn identity(&self) -> Result<Identity<U>, Error> {
        if let Some(identity) = self.peek() {
            return Ok(identity);
        }
        let _turn = self.inner.visit.turn.lock().await;
        self.inner.identity_at(self.inner.visit.now()).await
    }

    /// An event about whoever this request is, as far as that has been asked.
    pub(crate) fn event(&self, kind: EventKind) -> Event {
        match self.peek() {
            Some(identity) => self.inner.event(kind, &identity),
            None => self.visit().realm.event(kind),
        }
    }

    pub(crate) fn visit(&self) -> &Visit {
        &self.inner.visit
    }

    pub(crate) fn refusals(&self) -> &Refusals {
        &self.inner.refusals
    }

    /// The URI that the client asked for, before any router took a part of it away.
    pub(crate) fn uri(&self) -> &Uri {
        &self.inner.uri
    }

    /// Carries out a verb: on a task of its own, so that a client that hangs up can't halve it.
    async fn run<T, F>(&self, verb: impl FnOnce(Arc<Inner<U>>) -> F) -> Result<T, Error>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, Error>> + Send + 'static,
    {
        let runtime = Handle::try_current().map_err(|_| ErrorKind::NoRuntime)?;
        let inner = Arc::clone(&self.inner);
        inner.visit.state().asked = true;
        let verb = verb(Arc::clone(&inner));
        let task = runtime.spawn(async move {
            let _turn = inner.visit.turn.lock().await;
            verb.await
        });
        task.await.unwrap_or_else(|error| {
            Err(if error.is_panic() {
                ErrorKind::Panicked
            } else {
                ErrorKind::NoRuntime
            }
            .into())
        })
    }
}

impl<U: AuthUser> Clone for Auth<U> {
    fn clone(&self) -> Self {
        Self {
            inner: Arc::clone(&self.inner),
        }
    }
}

impl<U: AuthUser> fmt::Debug for Auth<U> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Auth([redacted])")
    }
}
