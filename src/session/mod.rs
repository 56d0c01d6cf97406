//! One request's session, and the visitor's data in it.

mod actor;
mod browser;
mod close;
mod data;
mod end;
mod entries;
mod finish;
mod load;
mod methods;
mod payload;
mod request;
mod save;
mod state;
mod swap;

use std::{fmt, pin::Pin, sync::Arc};

use serde_core::{Serialize, de::DeserializeOwned};

use self::{data::TooLarge, entries::Entries};
use crate::error::{Error, ErrorKind};

#[cfg(any(test, fuzzing))]
pub(crate) use self::payload::DecodeError;
pub(crate) use self::{
    actor::{Actor, ActorSession, ActorStanding, actor_of},
    browser::Browser,
    data::Changes,
    end::{Judged, Later, Proof, delete_shown, end_later, head_of, presented},
    entries::Entries as StoredData,
    finish::finish,
    load::TRIES,
    methods::{MethodName, Methods},
    payload::{Head, Limits, LoginFacts, Payload, RememberPart},
    request::{RequestSession, Shown, Turn},
    state::{Change, HeldBy, Open, RememberCookie, SessionState},
    swap::{NewSession, Step, Swapped, create, discard_later, swap},
};

/// The data of a visitor's session: named values, kept on the server.
///
/// Nothing is read before the first call, and no session is created before the first value is
/// inserted. Changes are saved after the handler has returned, unless the response has a 5xx
/// status; [`save`](Session::save) saves them earlier. Only [`take`](Session::take) removes its
/// value from the store at once. A login keeps the data of an anonymous session. The data of a
/// user's session is never visible to another user and is deleted by the logout.
///
/// Reading session data does not restore a remembered login; only looking up the user does. If
/// there are [request loaders](crate::RequestLoader) or a bearer token that may be an [API
/// key](crate::api_keys), reading data looks up the user first, since a user found by one of them
/// has no session data.
///
/// The names and the JSON of a session's data take at most 64 KiB. Values that are inserted while
/// the user is authenticated by an API key or a request loader are dropped.
///
/// Data is dropped with an [event](crate::event::EventKind::DataDropped) if the browser withholds
/// the session cookie because the request comes from another site: for example a `POST` with
/// [`SameSite::Lax`](crate::manager::SameSite). If it were saved, a new session would replace the
/// one that the browser has.
///
/// With several managers, the extractor returns the session of the innermost one around the
/// handler. For the session of another manager, call [`Auth::session`](crate::Auth::session).
///
/// In the manual: [How it works](crate::manual::how_it_works#the-session).
///
/// ```
/// # use login_manager::{Error, Session};
/// async fn visits(session: Session) -> Result<String, Error> {
///     let visits: u32 = session.get("visits").await?.unwrap_or(0) + 1;
///     session.insert("visits", &visits).await?;
///     Ok(format!("visit number {visits}"))
/// }
/// ```
///
/// # Errors
/// Every method returns
/// - [`ErrorKind::Store`] if the store failed or missed its deadline
/// - [`ErrorKind::Conflict`] if other requests kept changing the session
/// - the errors of [`Auth::user`](crate::Auth::user) if there are request loaders or a bearer token
///   that may be an API key, or if a user owns the session, since data of a user who is no longer
///   logged in is not returned
#[derive(Clone)]
pub struct Session {
    request: Arc<dyn SessionOwner>,
}

/// Checks whether the user of a request's session is still logged in.
pub(crate) trait SessionOwner: Send + Sync + 'static {
    fn session(&self) -> &RequestSession;
    /// Whether the session has been read and, if it is a user's, the user has been checked.
    fn is_settled(&self) -> bool;
    /// Reads the session and checks its user.
    fn settle(self: Arc<Self>) -> Pin<Box<dyn Future<Output = Result<(), Error>> + Send>>;
}

impl Session {
    pub(crate) fn new(request: Arc<dyn SessionOwner>) -> Self {
        Self { request }
    }

    /// Returns the value under this name.
    ///
    /// # Errors
    /// - [`ErrorKind::Data`] if the stored value is not a `T`
    /// - those of [every method](Session#errors)
    pub async fn get<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>, Error> {
        // Parsed outside the lock: `Deserialize` is foreign code.
        let json = self
            .edit(|stored, changes| changes.get(stored, name).map(Box::<str>::from))
            .await?;
        json.as_deref().map(parse).transpose()
    }

    /// Stores a value under this name. An equal value is not a change.
    ///
    /// # Errors
    /// - [`ErrorKind::Data`] if the value can't be serialized to JSON
    /// - [`ErrorKind::TooLarge`] if the data would take more than 64 KiB; it is left unchanged
    /// - those of [every method](Session#errors)
    pub async fn insert<T: Serialize + ?Sized>(&self, name: &str, value: &T) -> Result<(), Error> {
        let json =
            serde_json::to_string(value).map_err(|cause| Error::new(ErrorKind::Data, cause))?;
        self.edit(|stored, changes| changes.set(stored, name, &json))
            .await?
            .map_err(|TooLarge| ErrorKind::TooLarge.into())
    }

    /// Removes the value under this name. Returns whether there was one.
    ///
    /// # Errors
    /// - those of [every method](Session#errors)
    pub async fn remove(&self, name: &str) -> Result<bool, Error> {
        self.edit(|stored, changes| changes.remove(stored, name))
            .await
    }

    /// Removes the value under this name and returns it to one request only: the value is removed
    /// from the store before it is returned. If the client hangs up meanwhile, the value is lost.
    ///
    /// # Errors
    /// - [`ErrorKind::Data`] if the stored value is not a `T`; it is removed all the same
    /// - [`ErrorKind::Conflict`] if other requests kept changing the session; the value is kept
    /// - those of [every method](Session#errors)
    pub async fn take<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>, Error> {
        let taken_name = Box::<str>::from(name);
        let taken = self.take_where(move |name| *name == *taken_name).await?;
        taken.first().map(|(_, json)| parse(json)).transpose()
    }

    /// Removes the values under all names with this prefix and returns them, as `take` does.
    pub(crate) async fn take_all(
        &self,
        prefix: &'static str,
    ) -> Result<Vec<(Box<str>, Box<str>)>, Error> {
        self.take_where(move |name| name.starts_with(prefix)).await
    }

    async fn take_where(
        &self,
        is_taken: impl Fn(&str) -> bool + Send + Sync + 'static,
    ) -> Result<Vec<(Box<str>, Box<str>)>, Error> {
        let request = Arc::clone(&self.request);
        finish(async move {
            if !request.is_settled() {
                Arc::clone(&request).settle().await?;
            }
            request.session().turn().await.take(&is_taken).await
        })
        .await
    }

    /// Removes all values. The session and the login are kept; use [`logout`](crate::Auth::logout)
    /// to end them.
    ///
    /// This removes the values that existed when the request read the session. A value that a
    /// concurrent request inserts is kept.
    ///
    /// # Errors
    /// - those of [every method](Session#errors)
    pub async fn clear(&self) -> Result<(), Error> {
        self.edit(|stored, changes| changes.clear(stored)).await
    }

    /// Saves the changes now instead of at the end of the request. Call it before a long response,
    /// or from a task that outlives the request.
    ///
    /// Two concurrent requests that change different names both keep their changes. If the session
    /// has ended or another login has taken it over meanwhile, the changes are dropped. That is not
    /// an error, but emits a [`DataDropped`](crate::event::EventKind::DataDropped) event.
    ///
    /// # Errors
    /// - [`ErrorKind::Conflict`] if other requests kept changing the session
    /// - [`ErrorKind::TooLarge`] if the data, together with what other requests saved, would take
    ///   more than 64 KiB
    /// - [`ErrorKind::TooLate`] if there is no session yet and the response head has already been
    ///   sent
    /// - [`ErrorKind::Random`] if there is no session yet and the operating system returned no
    ///   random bytes
    /// - those of [every method](Session#errors)
    pub async fn save(&self) -> Result<(), Error> {
        self.edit(|_, _| ()).await?;
        self.request.session().turn().await.save().await
    }

    /// Reads the session first. Foreign code must not run in `then`, which is called while a lock
    /// is held.
    pub(crate) async fn edit<T>(
        &self,
        then: impl FnOnce(&Entries, &mut Changes) -> T,
    ) -> Result<T, Error> {
        if !self.request.is_settled() {
            Arc::clone(&self.request).settle().await?;
        }
        let mut state = self.request.session().state();
        #[allow(
            clippy::expect_used,
            reason = "a settled session has been read, and its data is never unloaded"
        )]
        let (stored, changes) = state.data().expect("a settled session has been read");
        Ok(then(stored, changes))
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Session([redacted])")
    }
}

fn parse<T: DeserializeOwned>(json: &str) -> Result<T, Error> {
    serde_json::from_str(json).map_err(|cause| Error::new(ErrorKind::Data, cause))
}
