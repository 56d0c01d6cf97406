//! The visitor's data, kept by the server from one request to the next, and the session that it belongs to.

mod browser;
mod close;
mod data;
mod end;
mod entries;
mod finish;
mod load;
mod payload;
mod save;
mod state;
mod swap;

use std::{fmt, pin::Pin, sync::Arc};

use serde_core::{Serialize, de::DeserializeOwned};

use self::{data::TooLarge, entries::Entries};
use crate::error::{Error, ErrorKind};

pub(crate) use self::{
    browser::Browser,
    data::Changes,
    end::{Judged, Later, Proof, end_later, head_of, presented},
    entries::Entries as StoredData,
    finish::finish,
    load::TRIES,
    payload::{Head, Limits, LoginFacts, Payload, RememberPart},
    state::{Change, HeldBy, Open, RememberCookie, RequestSession, SessionState, Turn},
    swap::{NewSession, Step, Swapped, create, swap},
};

/// This visitor's data: named values, anonymous or logged in, kept by the server.
///
/// Nothing is read before the first call, and nothing is stored for a visitor for whom nothing was
/// inserted. Changes are saved when the handler is done, unless it returns a 5xx;
/// [`save`](Session::save) does it earlier, and [`take`](Session::take) at once. The data of an anonymous
/// visitor survives a login; that of a user is never visible to another one and is deleted by the logout.
///
/// Reading session data does not restore a remembered login; only asking for the user does. (With
/// [request loaders](crate::RequestLoader) reading data asks for the user first, since a user whom the
/// request brings has no session.)
///
/// All data of a session together takes at most 64 KiB of names and JSON.
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
/// Every method fails
/// - with [`ErrorKind::Store`] if the store fails
/// - as [`Auth::user`](crate::Auth::user) does if the session is a user's: the data of a user who is no
///   longer logged in is not returned. With request loaders also if one of those fails.
#[derive(Clone)]
pub struct Session {
    request: Arc<dyn SessionOwner>,
}

/// A request that knows whether its session's user is still logged in.
pub(crate) trait SessionOwner: Send + Sync + 'static {
    fn session(&self) -> &RequestSession;
    /// Whether the session has been read and, if it is a user's, the user has been checked.
    fn is_settled(&self) -> bool;
    /// Does both.
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
            .settled(|stored, changes| changes.get(stored, name).map(Box::<str>::from))
            .await?;
        json.as_deref().map(parse).transpose()
    }

    /// Puts a value under this name. An equal value is no change.
    ///
    /// # Errors
    /// - [`ErrorKind::Data`] if the value can't be turned into JSON
    /// - [`ErrorKind::TooLarge`] if the data would take more than 64 KiB; it stays as it was
    /// - those of [every method](Session#errors)
    pub async fn insert<T: Serialize + ?Sized>(&self, name: &str, value: &T) -> Result<(), Error> {
        let json =
            serde_json::to_string(value).map_err(|cause| Error::new(ErrorKind::Data, cause))?;
        self.settled(|stored, changes| changes.set(stored, name, &json))
            .await?
            .map_err(|TooLarge| ErrorKind::TooLarge.into())
    }

    /// Removes the value under this name. Returns whether there was one.
    ///
    /// # Errors
    /// Those of [every method](Session#errors).
    pub async fn remove(&self, name: &str) -> Result<bool, Error> {
        self.settled(|stored, changes| changes.remove(stored, name))
            .await
    }

    /// Removes the value under this name and returns it, once and only once: it is removed from the store
    /// before it is returned, so of several requests one gets it. A client that hangs up has used it up.
    ///
    /// # Errors
    /// - [`ErrorKind::Data`] if the stored value is not a `T`; it is removed all the same
    /// - [`ErrorKind::Conflict`] if other requests kept changing the session; the value stays
    /// - those of [every method](Session#errors)
    pub async fn take<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>, Error> {
        let (request, name) = (Arc::clone(&self.request), Box::<str>::from(name));
        let taking = finish(async move {
            if !request.is_settled() {
                Arc::clone(&request).settle().await?;
            }
            request.session().turn().await.take(&name).await
        });
        let json = taking.await?;
        json.as_deref().map(parse).transpose()
    }

    /// Removes all values. The session and the login are kept; use [`logout`](crate::Auth::logout) to end
    /// them.
    ///
    /// This removes the values that were there when the request read the session: a name that another
    /// request inserts at the same time stays.
    ///
    /// # Errors
    /// Those of [every method](Session#errors).
    pub async fn clear(&self) -> Result<(), Error> {
        self.settled(|stored, changes| changes.clear(stored)).await
    }

    /// Saves the changes now instead of at the end of the request: before a long response, or from a task
    /// that outlives the request.
    ///
    /// Two requests of one visitor that change different names both keep their changes. If the session has
    /// ended meanwhile, the data is dropped; that is no error.
    ///
    /// # Errors
    /// - [`ErrorKind::Conflict`] if other requests kept changing the session
    /// - [`ErrorKind::TooLarge`] if the data, together with what other requests saved, would take more than
    ///   64 KiB
    /// - [`ErrorKind::TooLate`] if the visitor has no session yet and the head of the response has left
    /// - those of [every method](Session#errors)
    pub async fn save(&self) -> Result<(), Error> {
        self.settled(|_, _| ()).await?;
        self.request.session().turn().await.save().await
    }

    async fn settled<T>(&self, then: impl FnOnce(&Entries, &mut Changes) -> T) -> Result<T, Error> {
        if !self.request.is_settled() {
            Arc::clone(&self.request).settle().await?;
        }
        let mut state = self.request.session().state();
        #[allow(
            clippy::expect_used,
            reason = "settled means read, and nothing unreads a session"
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
