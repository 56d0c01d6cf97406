//! One kind of user: its own cookies, its own sessions, its own digests, and the store they live in.

mod later;
mod new;
mod report;

use std::{
    future::poll_fn,
    num::NonZeroUsize,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::pin,
    sync::Arc,
    task::Poll,
    time::Duration,
};

use tokio::{runtime::Handle, sync::Semaphore, time::timeout};

pub(crate) use self::{
    later::Line,
    new::{KEYS, NewRecord, every_key_exists},
};
use crate::{
    clock::{Clock, Millis},
    cookies::CookieJar,
    error::{BoxError, ConfigError, Error, ErrorKind},
    event::{EventKind, OnEvent},
    grace::RememberGrace,
    protection::SessionProtection,
    store::{Outcome, Page, Purpose, Record, RecordKey, Replaced, SessionStore, Token, Which},
    timeouts::Timeouts,
};

/// In how many browsers a user is remembered if nothing else is said: more than a person has, and no table to fill.
#[allow(clippy::expect_used, reason = "ten is not zero")]
const MAX_REMEMBERED: NonZeroUsize = NonZeroUsize::new(10).expect("ten is not zero");

#[derive(Clone)]
pub(crate) struct Realm {
    name: Arc<str>,
    pub(crate) store: Arc<dyn SessionStore>,
    pub(crate) cookies: CookieJar,
    pub(crate) timeouts: Timeouts,
    pub(crate) deadline: Duration,
    pub(crate) clock: Clock,
    pub(crate) on_event: Option<OnEvent>,
    pub(crate) max_sessions: Option<NonZeroUsize>,
    pub(crate) max_remembered: NonZeroUsize,
    pub(crate) protection: SessionProtection,
    pub(crate) fresh_for: Option<Duration>,
    pub(crate) remember_for: Duration,
    pub(crate) remember_grace: RememberGrace,
    owed: Arc<Semaphore>,
}

impl Realm {
    pub(crate) fn new(name: &str, store: Arc<dyn SessionStore>) -> Self {
        Self {
            name: name.into(),
            store,
            cookies: CookieJar::new(name),
            timeouts: Timeouts::default(),
            deadline: Duration::from_secs(2),
            clock: Clock::System,
            on_event: None,
            max_sessions: None,
            max_remembered: MAX_REMEMBERED,
            protection: SessionProtection::default(),
            fresh_for: None,
            remember_for: Duration::from_secs(30 * 24 * 60 * 60),
            remember_grace: RememberGrace::default(),
            owed: Arc::new(Semaphore::new(later::MOST_OWED)),
        }
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn set_name(&mut self, name: &str) -> Result<(), ConfigError> {
        if name.is_empty()
            || name.len() > 64
            || !name
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b':'))
        {
            return Err(ConfigError::new(
                "with_realm",
                name,
                "a realm is 1 to 64 ASCII letters, digits, hyphens, underscores, dots and colons",
            ));
        }
        self.name = name.into();
        self.cookies.set_realm(name);
        Ok(())
    }

    /// The owner of a user's records: the realm and the id, which a slash keeps apart, since no realm has one.
    pub(crate) fn owner(&self, id: &str) -> Arc<str> {
        format!("{}/{id}", self.name).into()
    }

    /// The id in an owner of this realm.
    pub(crate) fn id_of<'a>(&self, owner: &'a str) -> Option<&'a str> {
        owner.strip_prefix(&*self.name)?.strip_prefix('/')
    }

    pub(crate) fn key(&self, token: &Token) -> RecordKey {
        token.key(Purpose::Session, &self.name)
    }

    /// The record under this key, expired or not.
    pub(crate) async fn read(&self, key: &RecordKey) -> Result<Option<Record>, Error> {
        self.ask_store(self.store.load(key)).await
    }

    /// The record under this key, if it is live.
    pub(crate) async fn load(&self, key: &RecordKey, now: Millis) -> Result<Option<Record>, Error> {
        let record = self.read(key).await?;
        Ok(record.filter(|record| record.is_live(now)))
    }

    pub(crate) async fn update(
        &self,
        record: &Record,
        payload: Arc<[u8]>,
        now: Millis,
    ) -> Result<Outcome, Error> {
        self.ask_store(self.store.update(&record.key, record.version, payload, now))
            .await
    }

    pub(crate) async fn replace(
        &self,
        old: &RecordKey,
        version: u64,
        new: &Record,
    ) -> Result<Replaced, Error> {
        self.ask_store(self.store.replace(old, version, new.clone()))
            .await
    }

    pub(crate) async fn delete(
        &self,
        key: &RecordKey,
        version: Option<u64>,
    ) -> Result<Outcome, Error> {
        self.ask_store(self.store.delete(key, version)).await
    }

    pub(crate) async fn list(
        &self,
        owner: &str,
        page: Page,
        now: Millis,
    ) -> Result<Vec<Record>, Error> {
        self.ask_store(self.store.list(owner, page, now)).await
    }

    pub(crate) async fn delete_all(&self, owner: &str, which: Which) -> Result<u64, Error> {
        self.ask_store(self.store.delete_all(owner, which)).await
    }

    /// Ends the line of descent that a record belongs to. Answers whether there was anything left of it.
    ///
    /// Where the owner's list has none of it the record goes by its own key: a list may have been lost, and a logout is none
    /// that leaves the record behind.
    pub(crate) async fn end_line(&self, record: &Record) -> Result<bool, Error> {
        if let Some(owner) = &record.owner
            && self.delete_all(owner, Which::Only(record.family)).await? > 0
        {
            return Ok(true);
        }
        Ok(self.delete(&record.key, None).await? == Outcome::Done)
    }

    pub(crate) async fn delete_expired(&self, now: Millis, limit: usize) -> Result<u64, Error> {
        self.ask_store(self.store.delete_expired(now, limit)).await
    }

    /// Notes a use, in the background: it neither delays nor fails the response.
    pub(crate) fn touch(self: &Arc<Self>, record: &Record, own: Option<Timeouts>, now: Millis) {
        let timeouts = own.unwrap_or(self.timeouts);
        if !timeouts.wants_touch(record.touched, now) {
            return;
        }
        let Ok(runtime) = Handle::try_current() else {
            return;
        };
        let (realm, key) = (Arc::clone(self), record.key);
        let expires = timeouts.expires(now, record.ends);
        runtime.spawn(async move {
            let _background = realm.ask_store(realm.store.touch(&key, now, expires)).await;
        });
    }

    async fn ask_store<T>(
        &self,
        call: impl Future<Output = Result<T, BoxError>>,
    ) -> Result<T, Error> {
        self.ask(ErrorKind::Store, call)
            .await
            .inspect_err(|error| self.report_failure(EventKind::StoreFailed, error))
    }

    /// Awaits code that isn't ours: it gets the deadline and no longer, and a panic of its is an error here.
    pub(crate) async fn ask<T>(
        &self,
        kind: ErrorKind,
        call: impl Future<Output = Result<T, BoxError>>,
    ) -> Result<T, Error> {
        let mut call = pin!(call);
        let mut contained =
            poll_fn(
                |cx| match catch_unwind(AssertUnwindSafe(|| call.as_mut().poll(cx))) {
                    Ok(Poll::Pending) => Poll::Pending,
                    Ok(Poll::Ready(answer)) => {
                        Poll::Ready(answer.map_err(|cause| Error::new(kind, cause)))
                    }
                    Err(_) => Poll::Ready(Err(Error::from(ErrorKind::Panicked))),
                },
            );
        // What answers at once, as memory does, needs no timer.
        let at_once = poll_fn(|cx| Poll::Ready(pin!(&mut contained).poll(cx))).await;
        if let Poll::Ready(answer) = at_once {
            return answer;
        }
        if Handle::try_current().is_err() {
            return contained.await;
        }
        match catch_unwind(AssertUnwindSafe(|| timeout(self.deadline, contained))) {
            Ok(limited) => limited
                .await
                .unwrap_or_else(|late| Err(Error::new(kind, late))),
            // A runtime that was built without timers.
            Err(_) => Err(ErrorKind::NoRuntime.into()),
        }
    }
}
