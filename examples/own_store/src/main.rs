//! A store of your own: the whole contract on one page, and the suite that finds out whether you kept it.
//!
//! ```sh
//! cargo run -p own_store
//! ```
//!
//! ```sh
//! curl http://localhost:3000                         # nobody
//! curl -c jar -X POST http://localhost:3000/login
//! curl -b jar http://localhost:3000                  # alice
//! ```

use std::{
    collections::{BTreeSet, HashMap, hash_map::Entry},
    env,
    error::Error,
    sync::{Arc, Mutex, MutexGuard},
};

use axum::{
    Router,
    routing::{get, post},
};
use login_manager::{
    Auth, AuthUser, BoxError, CurrentUser, LoginManager, SessionStore, async_trait,
    store::{Created, Outcome, Page, Record, RecordKey, Which},
    testing::store_contract,
};
use tokio::{net::TcpListener, signal};
use tower_http::csrf::CsrfLayer;

/// Two maps under one lock, which no call holds while it waits: so each is whole or never was, and sees all that ended before.
#[derive(Default)]
pub(crate) struct OwnStore(Mutex<Maps>);

#[derive(Default)]
struct Maps {
    records: HashMap<RecordKey, Record>,
    // By owner, then in the order in which `list` hands them out.
    owned: BTreeSet<(Arc<str>, RecordKey)>,
}

#[async_trait]
impl SessionStore for OwnStore {
    async fn create(&self, record: Record) -> Result<Created, BoxError> {
        let mut maps = self.lock()?;
        let (key, owner) = (record.key, record.owner.clone());
        // Never an upsert, here and below: whoever comes late must not revive what a logout deleted.
        match maps.records.entry(key) {
            Entry::Occupied(_) => return Ok(Created::Exists),
            Entry::Vacant(entry) => entry.insert(record),
        };
        maps.owned.extend(owner.map(|owner| (owner, key)));
        Ok(Created::Done)
    }

    // Expired or not: whoever asks will look, and delete it.
    async fn load(&self, key: &RecordKey) -> Result<Option<Record>, BoxError> {
        Ok(self.lock()?.records.get(key).cloned())
    }

    async fn update(
        &self,
        key: &RecordKey,
        version: u64,
        payload: Arc<[u8]>,
        now: i64,
    ) -> Result<Outcome, BoxError> {
        Ok(match self.lock()?.live(key, now) {
            None => Outcome::Gone,
            Some(record) if record.version != version => Outcome::Conflict,
            Some(record) => {
                record.payload = payload;
                record.version += 1;
                Outcome::Done
            }
        })
    }

    async fn touch(&self, key: &RecordKey, now: i64, expires: i64) -> Result<Outcome, BoxError> {
        Ok(match self.lock()?.live(key, now) {
            None => Outcome::Gone,
            Some(record) => {
                record.touched = now;
                record.expires = record.expires.max(expires).min(record.ends);
                Outcome::Done
            }
        })
    }

    async fn delete(&self, key: &RecordKey, version: Option<u64>) -> Result<Outcome, BoxError> {
        let mut maps = self.lock()?;
        let Some(record) = maps.records.get(key) else {
            return Ok(Outcome::Gone);
        };
        if version.is_some_and(|version| version != record.version) {
            return Ok(Outcome::Conflict);
        }
        maps.remove(&[*key]);
        Ok(Outcome::Done)
    }

    async fn list(&self, owner: &str, page: Page, now: i64) -> Result<Vec<Record>, BoxError> {
        let maps = self.lock()?;
        let is_due = |record: &&Record| page.after.is_none_or(|after| record.key > after);
        let live = maps.of(owner).filter(|record| record.is_live(now));
        // The limit comes last: a page that isn't full says that there are no more.
        Ok(live.filter(is_due).take(page.limit).cloned().collect())
    }

    async fn delete_all(&self, owner: &str, which: Which) -> Result<u64, BoxError> {
        let mut maps = self.lock()?;
        let meant = maps
            .of(owner)
            .filter(|record| which.includes(record.family));
        let keys: Vec<_> = meant.map(|record| record.key).collect();
        Ok(maps.remove(&keys))
    }

    async fn delete_expired(&self, now: i64, limit: usize) -> Result<u64, BoxError> {
        let mut maps = self.lock()?;
        let expired = maps.records.values().filter(|record| !record.is_live(now));
        let keys: Vec<_> = expired.map(|record| record.key).take(limit).collect();
        Ok(maps.remove(&keys))
    }
}

impl OwnStore {
    fn lock(&self) -> Result<MutexGuard<'_, Maps>, BoxError> {
        self.0.lock().map_err(|_| "a call panicked before".into())
    }
}

impl Maps {
    /// Expired is absent. The caller says what time it is.
    fn live(&mut self, key: &RecordKey, now: i64) -> Option<&mut Record> {
        let record = self.records.get_mut(key);
        record.filter(|record| record.is_live(now))
    }

    fn of(&self, owner: &str) -> impl Iterator<Item = &Record> {
        let [first, last] = [0x00, 0xff].map(|byte| RecordKey::from_bytes([byte; 32]));
        self.owned
            .range((owner.into(), first)..=(owner.into(), last))
            .filter_map(|(_, key)| self.records.get(key))
    }

    fn remove(&mut self, keys: &[RecordKey]) -> u64 {
        for key in keys {
            let record = self.records.remove(key);
            let owner = record.and_then(|record| record.owner);
            owner.map(|owner| self.owned.remove(&(owner, *key)));
        }
        keys.len() as u64
    }
}

struct Account(String);

impl AuthUser for Account {
    type Id = String;

    fn id(&self) -> String {
        self.0.clone()
    }
}

/// The whole app. Tests call it too.
pub(crate) fn app() -> Router {
    let login_manager = LoginManager::new(OwnStore::default(), |name| async move {
        Some(Account(name)) // your database
    });
    Router::new()
        .route("/", get(who))
        .route("/login", post(log_in))
        .layer(login_manager)
        .layer(CsrfLayer::new())
}

async fn who(CurrentUser(user): CurrentUser<Account>) -> String {
    user.map_or("nobody\n".to_owned(), |user| format!("{}\n", user.0))
}

/// How you find out who it is comes here; see the quickstart.
async fn log_in(auth: Auth<Account>) -> Result<(), login_manager::Error> {
    let alice = Account("alice".to_owned());
    auth.login(alice).await.map(drop)
}

#[tokio::main]
#[expect(clippy::print_stdout, reason = "for whoever started it")]
async fn main() -> Result<(), Box<dyn Error>> {
    tracing_subscriber::fmt::init();
    // In your crate this is a test: #[tokio::test(flavor = "multi_thread")].
    store_contract(OwnStore::default()).await;
    println!("The store keeps the contract.");

    let port = env::var("PORT").unwrap_or("3000".to_owned());
    let port: u16 = port
        .parse()
        .map_err(|_| format!("PORT must be a number up to 65535, not '{port}'"))?;
    let listener = TcpListener::bind(("127.0.0.1", port))
        .await
        .map_err(|error| format!("can't listen on port {port}: {error}"))?;
    println!(
        "Listening on http://localhost:{}",
        listener.local_addr()?.port()
    );
    axum::serve(listener, app())
        .with_graceful_shutdown(async { signal::ctrl_c().await.unwrap_or_default() })
        .await?;
    Ok(())
}
