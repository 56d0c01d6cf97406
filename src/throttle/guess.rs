//! One guess: counted, then checked by the application.

use std::{
    fmt,
    net::IpAddr,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use super::{
    Throttle, Wait,
    count::{Counted, count_guess, count_name},
};
use crate::{
    auth::KnownBrowser,
    entry::EntryKey,
    error::{Error, ErrorKind},
    event::{EventKind, Lane},
    random::random_bytes,
    realm::Realm,
    store::Digest,
};

/// A guess that is counted when it is awaited, before it is checked. Created by
/// [`Throttle::attempt`]; returns an [`Attempt`].
///
/// # Errors
/// - [`ErrorKind::Store`] if the store failed or missed its deadline. As a response it is a 503: no
///   password is checked while guesses can't be counted
/// - [`ErrorKind::Conflict`] if other guesses kept changing the count
/// - [`ErrorKind::Random`] if the operating system returned no random bytes
#[must_use = "a guess is not counted until it is awaited"]
pub struct Guess<'a> {
    throttle: &'a Throttle,
    name: &'a str,
    address: Option<IpAddr>,
    browser: Option<KnownBrowser>,
}

/// Whether a guess may be checked.
#[derive(Debug)]
#[must_use = "a guess may only be checked with a permit"]
#[allow(
    clippy::exhaustive_enums,
    reason = "a guess is permitted or has to wait, and callers match both"
)]
pub enum Attempt {
    /// Check the password or code, and call [`Permit::succeeded`] if it is correct.
    Permit(Permit),
    /// Don't check it. Return the wait as the response, or one of your own with its duration.
    Wait(Wait),
}

/// The permission to check one guess. It counts as a failure unless
/// [`succeeded`](Permit::succeeded) is called.
#[must_use = "a permit that is dropped is a failure"]
pub struct Permit {
    realm: Arc<Realm>,
    /// The failures of all names.
    all_failures: Arc<AtomicU64>,
    /// The count of the name, which a success clears.
    counted: Option<EntryKey>,
    failures: u32,
    has_succeeded: bool,
}

impl<'a> Guess<'a> {
    pub(super) fn new(throttle: &'a Throttle, name: &'a str) -> Self {
        Self {
            throttle,
            name,
            address: None,
            browser: None,
        }
    }

    /// Sets the client's address, if it is known. Then the names that it tries are counted, too.
    ///
    /// Behind a proxy, the address of the connection is that of the proxy, and all clients would
    /// share its count. Read the address from the header that your own proxy overwrites, and never
    /// from one that clients can send: see [addresses](crate::throttle#addresses).
    pub fn from(mut self, address: impl Into<Option<IpAddr>>) -> Self {
        self.address = address.into();
        self
    }

    /// Sets the browser, if [`Auth::known_browser`](crate::Auth::known_browser) knows it. Then the
    /// guess counts for this name in this browser only, and strangers can't make the owner wait.
    pub fn browser(mut self, browser: impl Into<Option<KnownBrowser>>) -> Self {
        self.browser = browser.into();
        self
    }

    async fn count(self) -> Result<Attempt, Error> {
        let (throttle, realm) = (self.throttle, &*self.throttle.realm);
        let name = throttle.name_digest(self.name);
        if let Some(address) = self.address {
            let key = throttle.address_key(address);
            let name = match name {
                Some(name) => name,
                // Each guess without a name counts as a different name.
                None => Digest(random_bytes().map_err(|_| ErrorKind::Random)?),
            };
            if let Counted::Waits(wait) = count_name(realm, &key, &throttle.limits, &name).await? {
                return Ok(throttle.wait(Lane::Address, wait));
            }
        }
        let (mut counted, mut failures) = (None, 0);
        if let Some(name) = name {
            let (lane, key) = match &self.browser {
                None => (Lane::Name, throttle.name_key(&name)),
                Some(browser) => (Lane::KnownBrowser, throttle.browser_key(&name, browser)),
            };
            match count_guess(realm, &key, &throttle.limits).await? {
                Counted::Waits(wait) => return Ok(throttle.wait(lane, wait)),
                Counted::After(before) => failures = before,
            }
            counted = Some(key);
        }
        Ok(Attempt::Permit(Permit {
            realm: Arc::clone(&throttle.realm),
            all_failures: Arc::clone(&throttle.failures),
            counted,
            failures,
            has_succeeded: false,
        }))
    }
}

impl<'a> IntoFuture for Guess<'a> {
    type Output = Result<Attempt, Error>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send + 'a>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.count())
    }
}

impl Permit {
    /// Records that the guess was correct: the failures of this name are cleared. Call it before
    /// [`login`](crate::Auth::login).
    ///
    /// # Errors
    /// - [`ErrorKind::Store`] if the store failed or missed its deadline. The guess may still count
    ///   as a failure
    pub async fn succeeded(mut self) -> Result<(), Error> {
        self.has_succeeded = true;
        if let Some(key) = &self.counted {
            // It may have expired or been cleared meanwhile.
            let _deleted = self.realm.delete(&key.id, None).await?;
        }
        Ok(())
    }

    /// Returns how many failures were counted before this guess, since the last success. It is 0
    /// for a guess without a name. From 3 failures on, for example, require a CAPTCHA: see
    /// [challenges](crate::throttle#challenges).
    #[must_use]
    pub fn failures(&self) -> u32 {
        self.failures
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        if !self.has_succeeded {
            self.all_failures.fetch_add(1, Ordering::Relaxed);
            self.realm.report(EventKind::GuessFailed);
        }
    }
}

impl Throttle {
    fn wait(&self, lane: Lane, millis: i64) -> Attempt {
        self.realm.report(EventKind::Throttled(lane));
        Attempt::Wait(Wait::new(millis))
    }
}

impl fmt::Debug for Guess<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Guess").finish_non_exhaustive()
    }
}

impl fmt::Debug for Permit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Permit")
            .field("failures", &self.failures)
            .finish_non_exhaustive()
    }
}
