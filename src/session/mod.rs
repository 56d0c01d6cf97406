//! The visitor's data, kept by the server from one request to the next.

mod data;
mod payload;
mod save;
mod state;
mod succeed;
mod visit;

use std::{fmt, pin::Pin, sync::Arc};

use serde_core::{Serialize, de::DeserializeOwned};
use tokio::runtime::Handle;

use crate::error::{Error, ErrorKind};

pub(crate) use self::{
    data::Data,
    payload::{MAX_AGENT, Payload, Proof},
    state::{CookieChange, Live, NextChange, RememberChange, Slot, Successor},
    visit::Visit,
};

/// This visitor's data: named values, anonymous or logged in, kept by the server.
///
/// Nothing is read before the first question, and nothing is kept for a visitor for whom nothing
/// was inserted. Changes are saved when the handler is done, unless it answers with a 5xx;
/// [`save`](Session::save) does it earlier, and [`take`](Session::take) writes at once. The data of
/// an anonymous visitor survives a login; that of a user is never another's, and goes with the
/// logout.
///
/// It is the data behind the session cookie: a browser that has only its remember cookie is logged in again when somebody asks who
/// it is, and not by a question about data. (With [request loaders](crate::RequestLoader) such a question asks that first, since a user
/// whom the request brings has no session.)
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
/// Every method fails where the store does ([`ErrorKind::Store`]) and, for the session of somebody who is logged in, where
/// the user can't be loaded: the data of a user who is out by now is nobody's. With request loaders it fails where those do.
#[derive(Clone)]
pub struct Session {
    owner: Arc<dyn Visited>,
}

/// A visit that knows whether its session is still somebody's.
pub(crate) trait Visited: Send + Sync {
    fn visit(&self) -> &Visit;
    /// Whether the session has been read and, if it is a user's, the user is known to be in.
    fn is_settled(&self) -> bool;
    /// Does that.
    fn settle(&self) -> Pin<Box<dyn Future<Output = Result<(), Error>> + Send + '_>>;
}

impl Session {
    pub(crate) fn new(owner: Arc<dyn Visited>) -> Self {
        Self { owner }
    }

    /// The value under this name.
    ///
    /// # Errors
    /// [`ErrorKind::Data`] where what is there is no `T`, and as said [above](Session#errors).
    pub async fn get<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>, Error> {
        // Parsed outside the lock: a `Deserialize` is code that isn't ours.
        let json = self
            .settled(|data| data.get(name).map(Box::<str>::from))
            .await?;
        json.as_deref().map(parse).transpose()
    }

    /// Puts a value under this name. One that is there already, and equal, is no change.
    ///
    /// # Errors
    /// [`ErrorKind::Data`] where the value can't be JSON, [`ErrorKind::TooLarge`] where the data would take more than 64 KiB:
    /// then it stays as it was. And as said [above](Session#errors).
    pub async fn insert<T: Serialize + ?Sized>(&self, name: &str, value: &T) -> Result<(), Error> {
        let json =
            serde_json::to_string(value).map_err(|cause| Error::new(ErrorKind::Data, cause))?;
        self.settled(|data| {
            data.set(name, &json)
                .map_err(|_| ErrorKind::TooLarge.into())
        })
        .await?
    }

    /// Removes the value under this name when the changes are saved. Returns whether there was one:
    /// of parallel requests, each may find it. [`take`](Session::take) is for one of them.
    ///
    /// # Errors
    /// As described [above](Session#errors).
    pub async fn remove(&self, name: &str) -> Result<bool, Error> {
        self.settled(|data| data.take(name).is_some()).await
    }

    /// Removes the value under this name and returns it, to one caller only: for a message that is
    /// shown once, a one-time code, the state of an OAuth login.
    ///
    /// The value is removed from the store before it is returned. Of parallel requests that take
    /// it, one gets it and the others get `None`. It stays removed if the client disconnects while
    /// this runs, and if the handler then responds with a 5xx. Other changes of this request are
    /// saved at its end, as always.
    ///
    /// # Errors
    /// - [`ErrorKind::Data`] if the value is not a `T`. It is removed anyway.
    /// - [`ErrorKind::Conflict`] if other requests kept changing the session.
    /// - [`ErrorKind::Store`] if the store failed. The value may have been removed, but no caller
    ///   has it.
    /// - As described [above](Session#errors).
    pub async fn take<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>, Error> {
        let (session, name) = (self.clone(), Box::<str>::from(name));
        let taking = async move { session.take_json(&name).await };
        let json = match Handle::try_current() {
            // On a task of its own, which a client that disconnects doesn't cancel.
            Ok(runtime) => runtime.spawn(taking).await.unwrap_or_else(|error| {
                Err(if error.is_panic() {
                    ErrorKind::Panicked
                } else {
                    ErrorKind::NoRuntime
                }
                .into())
            }),
            Err(_) => taking.await,
        };
        json?.as_deref().map(parse).transpose()
    }

    async fn take_json(&self, name: &str) -> Result<Option<Box<str>>, Error> {
        self.settled(|_| ()).await?;
        let visit = self.owner.visit();
        let _turn = visit.turn.lock().await;
        visit.take_at(name, visit.now()).await
    }

    /// Removes every value that this visitor has. The session stays, and so does who is logged in: what ends them is
    /// [`logout`](crate::Auth::logout).
    ///
    /// What counts is what there was when this request read the session: a name that another request inserts at the same time
    /// stays.
    ///
    /// # Errors
    /// As said [above](Session#errors).
    pub async fn clear(&self) -> Result<(), Error> {
        self.settled(Data::clear).await
    }

    /// Saves the changes now instead of at the end: before a long answer, or from a task that outlives the request.
    ///
    /// Two requests of one visitor that change different names both keep their changes. Where the session has ended
    /// meanwhile the data is dropped; that is no error.
    ///
    /// # Errors
    /// [`ErrorKind::Conflict`] where other requests kept changing the session, [`ErrorKind::TooLate`] where the visitor has no
    /// session yet and the head of the response has left. And as said [above](Session#errors).
    pub async fn save(&self) -> Result<(), Error> {
        self.settled(|_| ()).await?;
        let visit = self.owner.visit();
        let _turn = visit.turn.lock().await;
        visit.save_at(visit.now()).await
    }

    async fn settled<T>(&self, then: impl FnOnce(&mut Data) -> T) -> Result<T, Error> {
        if !self.owner.is_settled() {
            self.owner.settle().await?;
        }
        let mut state = self.owner.visit().state();
        // Settled means read, and nothing unreads a session.
        state
            .data_mut()
            .map(then)
            .ok_or_else(|| ErrorKind::Store.into())
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
