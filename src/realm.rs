//! One kind of user: the configuration of its sessions, and the calls to their store.

use std::{
    collections::{BTreeMap, BTreeSet},
    future::poll_fn,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::Poll,
    time::Duration,
};

use tokio::time::timeout;

use crate::{
    clock::{Clock, Millis, millis},
    cookies::{CookieJar, Cookies},
    error::{BoxError, ConfigError, Error, ErrorKind},
    event::{Event, EventKind, OnEvent},
    known_browsers::KnownBrowsers,
    protection::SessionProtection,
    remember_me::RememberMe,
    retry::Retries,
    store::{
        CreateOutcome, Digester, Digests, Outcome, Page, SessionId, SessionRecord, SessionStore,
    },
    timeouts::Timeouts,
};

/// How far the clock that wrote a time may be ahead of this one's before the time counts as in the
/// future: five minutes, as in Kerberos (RFC 4120).
pub(crate) const CLOCK_SKEW: Millis = 5 * 60 * 1000;

#[derive(Clone)]
pub(crate) struct Realm {
    name: Arc<str>,
    type_name: &'static str,
    pub(crate) user_type: UserType,
    pub(crate) store: Arc<dyn SessionStore>,
    pub(crate) digests: Digests,
    pub(crate) cookies: CookieJar,
    pub(crate) timeouts: Timeouts,
    pub(crate) deadline: Duration,
    pub(crate) clock: Clock,
    pub(crate) on_event: Option<OnEvent>,
    pub(crate) max_sessions: Option<usize>,
    pub(crate) protection: SessionProtection,
    pub(crate) fresh_for: Option<Duration>,
    pub(crate) remember_me: RememberMe,
    pub(crate) known_browsers: Option<KnownBrowsers>,
    pub(crate) retries: Arc<Retries>,
    /// Logs a mistake in the order of the layers once.
    #[cfg(feature = "tracing")]
    pub(crate) misplaced: Arc<std::sync::Once>,
}

/// Tells the user types of one realm apart.
pub(crate) type UserType = [u8; 4];

/// The user types that this process uses in each realm. Usually there is one. If there are two, a
/// session of one must not log in the user of the other who has the same id.
fn user_types() -> MutexGuard<'static, BTreeMap<Box<str>, BTreeSet<UserType>>> {
    static USER_TYPES: Mutex<BTreeMap<Box<str>, BTreeSet<UserType>>> = Mutex::new(BTreeMap::new());
    USER_TYPES.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Registers a user type of a realm.
fn user_type(realm: &str, digests: &Digests, type_name: &str) -> UserType {
    let digest = digests.user_type.parts(&[type_name.as_bytes()]);
    let user_type = digest.0.first_chunk().copied().unwrap_or_default();
    user_types()
        .entry(realm.into())
        .or_default()
        .insert(user_type);
    user_type
}

impl Realm {
    pub(crate) fn new(type_name: &'static str, store: Arc<dyn SessionStore>) -> Self {
        let (name, digests) = (type_name, Digests::new(type_name));
        Self {
            name: name.into(),
            type_name,
            user_type: user_type(name, &digests, type_name),
            store,
            digests,
            cookies: CookieJar::new(name),
            timeouts: Timeouts::default(),
            deadline: Duration::from_secs(2),
            clock: Clock::System,
            on_event: None,
            max_sessions: None,
            protection: SessionProtection::default(),
            fresh_for: None,
            remember_me: RememberMe::new(),
            known_browsers: None,
            retries: Arc::default(),
            #[cfg(feature = "tracing")]
            misplaced: Arc::new(std::sync::Once::new()),
        }
    }

    pub(crate) fn set_cookies(&mut self, cookies: Cookies) -> Result<(), ConfigError> {
        self.cookies.set(cookies, &self.name)
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
        self.digests = Digests::new(name);
        self.cookies.rename(name);
        self.user_type = user_type(name, &self.digests, self.type_name);
        Ok(())
    }

    /// Whether a session was written for users of another type that shares this realm, as far as
    /// this process knows. It does not know a type that was renamed or moved.
    pub(crate) fn is_of_another_type(&self, user_type: UserType) -> bool {
        user_type != self.user_type
            && user_types()
                .get(&*self.name)
                .is_some_and(|types| types.contains(&user_type))
    }

    /// The owner of a user's records: realm and id, separated by a slash, which no realm contains.
    pub(crate) fn owner(&self, id: &str) -> Arc<str> {
        format!("{}/{id}", self.name).into()
    }

    /// The id in an owner of this realm.
    pub(crate) fn id_of<'a>(&self, owner: &'a str) -> Option<&'a str> {
        owner.strip_prefix(&*self.name)?.strip_prefix('/')
    }

    /// The owner of entries: realm, kind and a name, separated by a tilde, which no realm contains,
    /// and a slash, which no kind contains.
    pub(crate) fn entry_owner(&self, kind: &str, name: &str) -> Arc<str> {
        format!("{}~{kind}/{name}", self.name).into()
    }

    /// The name in an owner of entries of this kind.
    pub(crate) fn entry_name<'a>(&self, kind: &str, owner: &'a str) -> Option<&'a str> {
        let rest = owner.strip_prefix(&*self.name)?.strip_prefix('~')?;
        rest.strip_prefix(kind)?.strip_prefix('/')
    }

    /// Digests for this purpose in this realm.
    pub(crate) fn digester(&self, purpose: &str) -> Digester {
        Digester::new(purpose, &self.name)
    }

    /// Whether a record is an anonymous session or a user's of this realm.
    fn owns(&self, record: &SessionRecord) -> bool {
        let owner = record.owner.as_deref();
        owner.is_none_or(|owner| self.id_of(owner).is_some())
    }

    /// How long a login is fresh, in milliseconds.
    pub(crate) fn fresh_for(&self) -> Millis {
        self.fresh_for.map_or(Millis::MAX, millis)
    }

    /// Whether a time is further in the future than clocks may differ.
    pub(crate) fn is_from_the_future(at: Millis, now: Millis) -> bool {
        at > now.saturating_add(CLOCK_SKEW)
    }
}

/// The calls of the store. Each gets the deadline, and a failure is reported.
impl Realm {
    /// The store itself: a call through its `Arc` would box its future twice.
    fn store(&self) -> &dyn SessionStore {
        &*self.store
    }

    pub(crate) async fn create(&self, record: SessionRecord) -> Result<CreateOutcome, Error> {
        self.call_store(self.store().create(record)).await
    }

    /// Loads a session of this realm. Returns `None` for records of other realms, and for entries.
    pub(crate) async fn load(&self, id: &SessionId) -> Result<Option<SessionRecord>, Error> {
        let record = self.call_store(self.store().load(id)).await?;
        Ok(record.filter(|record| record.id == *id && self.owns(record)))
    }

    /// Loads a session of this realm, bypassing any cache.
    pub(crate) async fn load_fresh(&self, id: &SessionId) -> Result<Option<SessionRecord>, Error> {
        let record = self.load_any(id).await?;
        Ok(record.filter(|record| self.owns(record)))
    }

    /// Loads any record, bypassing any cache.
    pub(crate) async fn load_any(&self, id: &SessionId) -> Result<Option<SessionRecord>, Error> {
        let record = self.call_store(self.store().load_fresh(id)).await?;
        Ok(record.filter(|record| record.id == *id))
    }

    pub(crate) async fn update(
        &self,
        record: SessionRecord,
        now: Millis,
    ) -> Result<Outcome, Error> {
        self.call_store(self.store().update(record, now)).await
    }

    pub(crate) async fn touch(
        &self,
        id: &SessionId,
        now: Millis,
        expires: Millis,
    ) -> Result<Outcome, Error> {
        self.call_store(self.store().touch(id, now, expires)).await
    }

    pub(crate) async fn delete(
        &self,
        id: &SessionId,
        version: Option<u64>,
    ) -> Result<Outcome, Error> {
        self.call_store(self.store().delete(id, version)).await
    }

    pub(crate) async fn list(
        &self,
        owner: &str,
        page: Page,
        now: Millis,
    ) -> Result<Vec<SessionRecord>, Error> {
        self.call_store(self.store().list(owner, page, now)).await
    }

    pub(crate) async fn delete_all(
        &self,
        owner: &str,
        except: Option<SessionId>,
    ) -> Result<u64, Error> {
        self.call_store(self.store().delete_all(owner, except))
            .await
    }

    pub(crate) async fn delete_expired(&self, now: Millis, limit: usize) -> Result<u64, Error> {
        self.call_store(self.store().delete_expired(now, limit))
            .await
    }

    pub(crate) async fn delete_any(&self, limit: usize) -> Result<u64, Error> {
        self.call_store(self.store().delete_any(limit)).await
    }

    async fn call_store<T>(
        &self,
        call: impl Future<Output = Result<T, BoxError>>,
    ) -> Result<T, Error> {
        self.call(ErrorKind::Store, call)
            .await
            .inspect_err(|error| self.report_failure(EventKind::StoreFailed, error))
    }

    /// Awaits a call to the store or the application, at most until the deadline.
    pub(crate) async fn call<T>(
        &self,
        kind: ErrorKind,
        call: impl Future<Output = Result<T, BoxError>>,
    ) -> Result<T, Error> {
        let mut call = pin!(call);
        // A call that returns at once, such as those of a `MemoryStore`, needs no timer.
        let answer = match poll_fn(|cx| Poll::Ready(call.as_mut().poll(cx))).await {
            Poll::Ready(answer) => answer,
            // Boxed, so that the timer does not make the future of every request larger.
            Poll::Pending => match Box::pin(timeout(self.deadline, call)).await {
                Ok(answer) => answer,
                Err(elapsed) => return Err(Error::new(kind, elapsed)),
            },
        };
        answer.map_err(|cause| Error::new(kind, cause))
    }
}

/// Events.
impl Realm {
    /// Whether events are logged or have a handler.
    pub(crate) fn is_heard(&self) -> bool {
        self.on_event.is_some() || Event::is_traced()
    }

    pub(crate) fn event(&self, kind: EventKind) -> Event {
        Event::new(kind, &self.name, self.clock.now())
    }

    /// An event about one session.
    pub(crate) fn event_of(
        &self,
        kind: EventKind,
        owner: Option<&str>,
        session: SessionId,
    ) -> Event {
        let user_id = owner.and_then(|owner| self.id_of(owner));
        self.event(kind).of(user_id, Some(session))
    }

    pub(crate) fn report(&self, kind: EventKind) {
        self.emit(&self.event(kind));
    }

    pub(crate) fn report_failure(&self, kind: EventKind, error: &Error) {
        self.emit(&self.event(kind).because(error));
    }

    pub(crate) fn report_of(&self, kind: EventKind, record: &SessionRecord) {
        self.emit(&self.event_of(kind, record.owner.as_deref(), record.id));
    }

    pub(crate) fn report_user(&self, kind: EventKind, user_id: &str) {
        self.emit(&self.event(kind).of(Some(user_id), None));
    }

    pub(crate) fn emit(&self, event: &Event) {
        #[cfg(feature = "tracing")]
        event.trace();
        if let Some(OnEvent(on_event)) = &self.on_event {
            // Events are emitted in the middle of operations. A handler that panics must not leave
            // an operation half done. The panic hook has already reported the panic.
            catch_unwind(AssertUnwindSafe(|| on_event(event))).ok();
        }
    }
}
