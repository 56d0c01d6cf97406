//! A store, in memory by default, that counts its calls, fails on command and waits for a signal.

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use login_manager::{
    BoxError, MemoryStore, SessionStore,
    store::{CreateOutcome, Outcome, Page, SessionId, SessionRecord},
};
use tokio::{
    sync::{Notify, oneshot},
    time::{sleep, timeout},
};

/// A test that waits for longer than this fails.
const PATIENCE: Duration = Duration::from_secs(60);
/// The delay of a call that takes effect late. It exceeds the deadline.
const LATE: Duration = Duration::from_secs(3);

/// One of the store's methods.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Call {
    Create,
    Load,
    LoadFresh,
    Update,
    Touch,
    Delete,
    List,
    DeleteAll,
    DeleteExpired,
}

/// Clones share everything.
#[derive(Clone, Default)]
pub struct FaultyStore<S = MemoryStore> {
    pub inner: S,
    plan: Arc<Mutex<Plan>>,
}

#[derive(Default)]
struct Plan {
    calls: Vec<Call>,
    asked: Vec<SessionId>,
    created: Vec<SessionId>,
    failing: HashMap<Call, Fault>,
    failing_once: Vec<(Call, Fault)>,
    gates: Vec<(Call, When, Gate)>,
    gate_after: Option<(usize, When, Gate)>,
    fault_after: Option<(usize, Fault)>,
    handed_out: Option<SessionRecord>,
    turnstile: Option<Turnstile>,
    is_remote: bool,
    takes: Duration,
    knows_every_key: bool,
    collisions: usize,
    taken: HashSet<SessionId>,
}

/// How a call goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It fails and does nothing.
    Fails,
    /// It takes effect and then fails: the outcome is unknown to the caller.
    DoesAndFails,
    /// It never answers.
    Hangs,
    /// It never returns, and takes effect three seconds later.
    DoesLater,
    /// It panics.
    Panics,
}

/// Whether a call waits before or after it takes effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    Before,
    After,
}

/// Holds one call until it is opened.
#[derive(Clone)]
pub struct Gate {
    reached: Arc<Notify>,
    opened: Arc<Notify>,
}

impl Gate {
    pub fn new() -> Self {
        Self {
            reached: Arc::default(),
            opened: Arc::default(),
        }
    }

    /// Waits until a call has reached the gate.
    pub async fn reached(&self) {
        let came = timeout(PATIENCE, self.reached.notified()).await;
        came.expect("somebody comes to the gate");
    }

    /// Lets it pass.
    pub fn open(&self) {
        self.opened.notify_one();
    }

    /// Stands at the gate until it is opened.
    pub async fn pass(&self) {
        self.reached.notify_one();
        self.opened.notified().await;
    }
}

/// Calls that wait until they are let through, one by one.
#[derive(Clone, Default)]
pub struct Turnstile(Arc<Mutex<Waiting>>);

#[derive(Default)]
struct Waiting {
    is_open: bool,
    calls: Vec<(Call, oneshot::Sender<Option<Fault>>)>,
}

impl Turnstile {
    /// The calls that wait, in the order in which they came.
    pub fn waiting(&self) -> Vec<Call> {
        let mut waiting = self.0.lock().unwrap();
        // The caller of the others has given up.
        waiting.calls.retain(|(_, release)| !release.is_closed());
        waiting.calls.iter().map(|(call, _)| *call).collect()
    }

    /// Lets one call through, which may go wrong.
    pub fn release(&self, index: usize, fault: Option<Fault>) {
        let (_, release) = self.0.lock().unwrap().calls.remove(index);
        release.send(fault).ok();
    }

    /// Lets all calls through that come from now on, or none.
    pub fn set_open(&self, is_open: bool) {
        self.0.lock().unwrap().is_open = is_open;
    }

    async fn pass(&self, call: Call) -> Option<Fault> {
        let released = {
            let mut waiting = self.0.lock().unwrap();
            if waiting.is_open {
                return None;
            }
            let (release, released) = oneshot::channel();
            waiting.calls.push((call, release));
            released
        };
        released.await.ok().flatten()
    }
}

impl FaultyStore {
    pub fn new() -> Self {
        Self::default()
    }

    /// Changes every record directly, without a store call.
    pub async fn rewrite(&self, change: impl Fn(&mut SessionRecord)) {
        for mut record in self.inner.records() {
            assert_eq!(
                self.inner.delete(&record.id, None).await.unwrap(),
                Outcome::Done
            );
            change(&mut record);
            assert_eq!(
                self.inner.create(record).await.unwrap(),
                CreateOutcome::Done
            );
        }
    }

    /// Loses every record, as a store that was wiped.
    pub async fn forget_all(&self) {
        for record in self.inner.records() {
            let _deleted = self.inner.delete(&record.id, None).await.unwrap();
        }
    }
}

impl<S: SessionStore + Clone> FaultyStore<S> {
    /// The same over another store.
    pub fn over(inner: S) -> Self {
        Self {
            inner,
            plan: Arc::default(),
        }
    }

    /// The records that were created through this store and are still there.
    pub async fn stored(&self) -> Vec<SessionRecord> {
        let created = self.plan.lock().unwrap().created.clone();
        let mut records = Vec::new();
        for id in created {
            records.extend(self.inner.load_fresh(&id).await.unwrap());
        }
        records
    }

    /// Deletes what was created through this store.
    pub async fn clean_up(&self) {
        for record in self.stored().await {
            let _deleted = self.inner.delete(&record.id, None).await.unwrap();
        }
    }

    /// Lets every call of this method go wrong from now on.
    pub fn fail(&self, call: Call, fault: Fault) {
        self.plan.lock().unwrap().failing.insert(call, fault);
    }

    /// Lets the next call of this method go wrong, and no other.
    pub fn fail_once(&self, call: Call, fault: Fault) {
        self.plan.lock().unwrap().failing_once.push((call, fault));
    }

    /// Whether a call that was to fail once is still to come.
    pub fn is_still_to_fail(&self) -> bool {
        let plan = self.plan.lock().unwrap();
        !plan.failing_once.is_empty() || plan.fault_after.is_some()
    }

    /// Lets every call of every method go wrong from now on.
    pub fn fail_all(&self, fault: Fault) {
        use Call::*;
        for call in [
            Create,
            Load,
            LoadFresh,
            Update,
            Touch,
            Delete,
            List,
            DeleteAll,
            DeleteExpired,
        ] {
            self.fail(call, fault);
        }
    }

    /// Lets everything go right from now on.
    pub fn heal(&self) {
        let mut plan = self.plan.lock().unwrap();
        plan.failing.clear();
        plan.failing_once.clear();
        plan.fault_after = None;
        plan.handed_out = None;
    }

    /// Returns this record from every `load`, for any id.
    pub fn hand_out(&self, record: SessionRecord) {
        self.plan.lock().unwrap().handed_out = Some(record);
    }

    /// Answers every `create` with `Exists`.
    pub fn knows_every_key(&self) {
        self.plan.lock().unwrap().knows_every_key = true;
    }

    /// Every call is Pending once before and once after its work, as behind a network.
    pub fn be_remote(&self) {
        self.plan.lock().unwrap().is_remote = true;
    }

    /// Every call takes so long from now on before it does its work.
    pub fn be_slow(&self, takes: Duration) {
        self.plan.lock().unwrap().takes = takes;
    }

    /// Finds that the next keys under which something is to be created, so many of them, are taken.
    pub fn collide(&self, times: usize) {
        self.plan.lock().unwrap().collisions = times;
    }

    fn is_taken(&self, key: SessionId) -> bool {
        let mut plan = self.plan.lock().unwrap();
        if plan.collisions > 0 && plan.taken.insert(key) {
            plan.collisions -= 1;
        }
        plan.taken.contains(&key)
    }

    /// Holds the next call of this method, before or after it does its work.
    pub fn gate(&self, call: Call, when: When) -> Gate {
        let gate = Gate::new();
        self.plan
            .lock()
            .unwrap()
            .gates
            .push((call, when, gate.clone()));
        gate
    }

    /// Holds one call, whatever its method, after this many others.
    pub fn gate_after(&self, calls: usize, when: When) -> Gate {
        let gate = Gate::new();
        self.plan.lock().unwrap().gate_after = Some((calls, when, gate.clone()));
        gate
    }

    /// Lets one call go wrong, whatever its method, after this many others.
    pub fn fail_after(&self, calls: usize, fault: Fault) {
        self.plan.lock().unwrap().fault_after = Some((calls, fault));
    }

    /// Lets every call wait from now on until the turnstile lets it through.
    pub fn turnstile(&self) -> Turnstile {
        let turnstile = Turnstile::default();
        self.plan.lock().unwrap().turnstile = Some(turnstile.clone());
        turnstile
    }

    /// The calls since the last time this was called.
    pub fn take_calls(&self) -> Vec<Call> {
        std::mem::take(&mut self.plan.lock().unwrap().calls)
    }

    /// The ids that were loaded since the last time this was called.
    pub fn take_asked(&self) -> Vec<SessionId> {
        std::mem::take(&mut self.plan.lock().unwrap().asked)
    }

    async fn run<T: Send + 'static>(
        &self,
        call: Call,
        work: impl Future<Output = Result<T, BoxError>> + Send + 'static,
    ) -> Result<T, BoxError> {
        let (fault, gate, is_remote, takes, turnstile) = {
            let mut plan = self.plan.lock().unwrap();
            plan.calls.push(call);
            let once = plan.failing_once.iter().position(|(at, _)| *at == call);
            let once = once.map(|at| plan.failing_once.remove(at).1);
            let counted = plan.fault_after.take_if(|(calls, _)| is_due(calls));
            let fault = once.or(counted.map(|(_, fault)| fault));
            let fault = fault.or(plan.failing.get(&call).copied());
            let gate = plan.gate_after.take_if(|(calls, ..)| is_due(calls));
            let turnstile = plan.turnstile.clone();
            (fault, gate, plan.is_remote, plan.takes, turnstile)
        };
        let pass = async |at: When| {
            if let Some((_, when, gate)) = &gate
                && *when == at
            {
                gate.pass().await;
            }
            self.wait_at(call, at).await;
        };
        if takes > Duration::ZERO {
            sleep(takes).await;
        }
        if is_remote {
            tokio::task::yield_now().await;
        }
        pass(When::Before).await;
        let fault = match turnstile {
            Some(turnstile) => turnstile.pass(call).await.or(fault),
            None => fault,
        };
        match fault {
            Some(Fault::Fails) => return Err("the store is down".into()),
            Some(Fault::Hangs) => std::future::pending().await,
            Some(Fault::DoesLater) => {
                tokio::spawn(async {
                    sleep(LATE).await;
                    work.await
                });
                return std::future::pending().await;
            }
            Some(Fault::Panics) => panic!("the store panics"),
            Some(Fault::DoesAndFails) | None => {}
        }
        let done = work.await;
        if is_remote {
            tokio::task::yield_now().await;
        }
        pass(When::After).await;
        if fault == Some(Fault::DoesAndFails) {
            Err("the connection broke".into())
        } else {
            done
        }
    }

    fn look_up(
        &self,
        id: &SessionId,
        is_fresh: bool,
    ) -> impl Future<Output = Result<Option<SessionRecord>, BoxError>> + Send + use<S> {
        let handed_out = {
            let mut plan = self.plan.lock().unwrap();
            plan.asked.push(*id);
            plan.handed_out.clone()
        };
        let (inner, id) = (self.inner.clone(), *id);
        async move {
            match handed_out {
                Some(record) => Ok(Some(record)),
                None if is_fresh => inner.load_fresh(&id).await,
                None => inner.load(&id).await,
            }
        }
    }

    async fn wait_at(&self, call: Call, when: When) {
        let gate = {
            let mut plan = self.plan.lock().unwrap();
            let at = plan
                .gates
                .iter()
                .position(|(gated, at, _)| (*gated, *at) == (call, when));
            at.map(|at| plan.gates.remove(at).2)
        };
        if let Some(gate) = gate {
            gate.pass().await;
        }
    }
}

/// Counts a call down. Returns whether it is the one.
fn is_due(calls: &mut usize) -> bool {
    let is_due = *calls == 0;
    *calls = calls.saturating_sub(1);
    is_due
}

#[async_trait]
impl<S: SessionStore + Clone> SessionStore for FaultyStore<S> {
    async fn create(&self, record: SessionRecord) -> Result<CreateOutcome, BoxError> {
        let knows_it = {
            let mut plan = self.plan.lock().unwrap();
            plan.created.push(record.id);
            plan.knows_every_key
        };
        let store = self.clone();
        let create = async move {
            if knows_it || store.is_taken(record.id) {
                Ok(CreateOutcome::Exists)
            } else {
                store.inner.create(record).await
            }
        };
        self.run(Call::Create, create).await
    }

    async fn load(&self, id: &SessionId) -> Result<Option<SessionRecord>, BoxError> {
        let load = self.look_up(id, false);
        self.run(Call::Load, load).await
    }

    async fn load_fresh(&self, id: &SessionId) -> Result<Option<SessionRecord>, BoxError> {
        let load = self.look_up(id, true);
        self.run(Call::LoadFresh, load).await
    }

    fn is_cache(&self) -> bool {
        self.inner.is_cache()
    }

    async fn update(&self, record: SessionRecord, now: i64) -> Result<Outcome, BoxError> {
        let inner = self.inner.clone();
        let update = async move { inner.update(record, now).await };
        self.run(Call::Update, update).await
    }

    async fn touch(&self, id: &SessionId, now: i64, expires: i64) -> Result<Outcome, BoxError> {
        let (inner, id) = (self.inner.clone(), *id);
        let touch = async move { inner.touch(&id, now, expires).await };
        self.run(Call::Touch, touch).await
    }

    async fn delete(&self, id: &SessionId, version: Option<u64>) -> Result<Outcome, BoxError> {
        let (inner, id) = (self.inner.clone(), *id);
        let delete = async move { inner.delete(&id, version).await };
        self.run(Call::Delete, delete).await
    }

    async fn list(
        &self,
        owner: &str,
        page: Page,
        now: i64,
    ) -> Result<Vec<SessionRecord>, BoxError> {
        let (inner, owner) = (self.inner.clone(), owner.to_owned());
        let list = async move { inner.list(&owner, page, now).await };
        self.run(Call::List, list).await
    }

    async fn delete_all(&self, owner: &str, except: Option<SessionId>) -> Result<u64, BoxError> {
        let (inner, owner) = (self.inner.clone(), owner.to_owned());
        let delete_all = async move { inner.delete_all(&owner, except).await };
        self.run(Call::DeleteAll, delete_all).await
    }

    async fn delete_expired(&self, now: i64, limit: usize) -> Result<u64, BoxError> {
        let inner = self.inner.clone();
        let delete_expired = async move { inner.delete_expired(now, limit).await };
        self.run(Call::DeleteExpired, delete_expired).await
    }

    async fn delete_any(&self, limit: usize) -> Result<u64, BoxError> {
        let inner = self.inner.clone();
        let delete_any = async move { inner.delete_any(limit).await };
        self.run(Call::DeleteExpired, delete_any).await
    }
}
