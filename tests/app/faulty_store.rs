//! A memory store that counts its calls, fails on command and waits for a signal.

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex},
};

use async_trait::async_trait;
use login_manager::{
    BoxError, MemoryStore, SessionStore,
    store::{Created, Outcome, Page, Record, RecordKey, Which},
};
use tokio::sync::Notify;

/// One of the store's methods.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Call {
    Create,
    Load,
    Update,
    Touch,
    Delete,
    List,
    DeleteAll,
    DeleteExpired,
}

/// Clones share everything.
#[derive(Clone, Default)]
pub struct FaultyStore {
    pub inner: MemoryStore,
    plan: Arc<Mutex<Plan>>,
}

#[derive(Default)]
struct Plan {
    calls: Vec<Call>,
    failing: HashMap<Call, Fault>,
    gates: Vec<(Call, When, Gate)>,
    collisions: usize,
    taken: HashSet<RecordKey>,
}

/// How a call goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It fails and does nothing.
    Fails,
    /// It does what it should and then fails: the outcome is unknown to the caller.
    DoesAndFails,
    /// It never answers.
    Hangs,
    /// It panics.
    Panics,
}

/// Where a call waits at a gate.
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
    /// Waits until a call stands at the gate.
    pub async fn reached(&self) {
        self.reached.notified().await;
    }

    /// Lets it pass.
    pub fn open(&self) {
        self.opened.notify_one();
    }
}

impl FaultyStore {
    pub fn new() -> Self {
        Self::default()
    }

    /// Lets every call of this method go wrong from now on.
    pub fn fail(&self, call: Call, fault: Fault) {
        self.plan.lock().unwrap().failing.insert(call, fault);
    }

    /// Lets every call of every method go wrong from now on.
    pub fn fail_all(&self, fault: Fault) {
        use Call::*;
        for call in [
            Create,
            Load,
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
        self.plan.lock().unwrap().failing.clear();
    }

    /// Finds that the next keys under which something is to be created, so many of them, are taken.
    pub fn collide(&self, times: usize) {
        self.plan.lock().unwrap().collisions = times;
    }

    fn is_taken(&self, key: RecordKey) -> bool {
        let mut plan = self.plan.lock().unwrap();
        if plan.collisions > 0 && plan.taken.insert(key) {
            plan.collisions -= 1;
        }
        plan.taken.contains(&key)
    }

    /// Holds the next call of this method, before or after it does its work.
    pub fn gate(&self, call: Call, when: When) -> Gate {
        let gate = Gate {
            reached: Arc::default(),
            opened: Arc::default(),
        };
        self.plan
            .lock()
            .unwrap()
            .gates
            .push((call, when, gate.clone()));
        gate
    }

    /// The calls since the last time this was asked.
    pub fn take_calls(&self) -> Vec<Call> {
        std::mem::take(&mut self.plan.lock().unwrap().calls)
    }

    async fn run<T>(
        &self,
        call: Call,
        work: impl Future<Output = Result<T, BoxError>> + Send,
    ) -> Result<T, BoxError> {
        let fault = {
            let mut plan = self.plan.lock().unwrap();
            plan.calls.push(call);
            plan.failing.get(&call).copied()
        };
        self.wait_at(call, When::Before).await;
        match fault {
            Some(Fault::Fails) => return Err("the store is down".into()),
            Some(Fault::Hangs) => std::future::pending().await,
            Some(Fault::Panics) => panic!("the store panics"),
            Some(Fault::DoesAndFails) | None => {}
        }
        let done = work.await;
        self.wait_at(call, When::After).await;
        if fault == Some(Fault::DoesAndFails) {
            Err("the connection broke".into())
        } else {
            done
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
            gate.reached.notify_one();
            gate.opened.notified().await;
        }
    }
}

#[async_trait]
impl SessionStore for FaultyStore {
    async fn create(&self, record: Record) -> Result<Created, BoxError> {
        let create = async {
            if self.is_taken(record.key) {
                Ok(Created::Exists)
            } else {
                self.inner.create(record).await
            }
        };
        self.run(Call::Create, create).await
    }

    async fn load(&self, key: &RecordKey, now: i64) -> Result<Option<Record>, BoxError> {
        self.run(Call::Load, self.inner.load(key, now)).await
    }

    async fn update(
        &self,
        key: &RecordKey,
        version: u64,
        payload: Arc<[u8]>,
        now: i64,
    ) -> Result<Outcome, BoxError> {
        self.run(Call::Update, self.inner.update(key, version, payload, now))
            .await
    }

    async fn touch(&self, key: &RecordKey, now: i64, expires: i64) -> Result<Outcome, BoxError> {
        self.run(Call::Touch, self.inner.touch(key, now, expires))
            .await
    }

    async fn delete(&self, key: &RecordKey, version: Option<u64>) -> Result<Outcome, BoxError> {
        self.run(Call::Delete, self.inner.delete(key, version))
            .await
    }

    async fn list(&self, owner: &str, page: Page, now: i64) -> Result<Vec<Record>, BoxError> {
        self.run(Call::List, self.inner.list(owner, page, now))
            .await
    }

    async fn delete_all(&self, owner: &str, which: Which) -> Result<u64, BoxError> {
        self.run(Call::DeleteAll, self.inner.delete_all(owner, which))
            .await
    }

    async fn delete_expired(&self, now: i64, limit: usize) -> Result<u64, BoxError> {
        self.run(Call::DeleteExpired, self.inner.delete_expired(now, limit))
            .await
    }
}
