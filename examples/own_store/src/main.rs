//! A custom store in one file, and the contract suite run on it.
//!
//! ```sh
//! cargo run -p own_store
//! ```
//!
//! ```sh
//! curl http://localhost:3000                         # anonymous
//! curl -c jar -X POST http://localhost:3000/login
//! curl -b jar http://localhost:3000                  # alice
//! ```

use std::{
    collections::{BTreeMap, btree_map::Entry},
    env,
    error::Error,
    sync::{Mutex, MutexGuard},
};

use axum::{
    Router,
    routing::{get, post},
};
use login_manager::{
    Auth, AuthUser, BoxError, CurrentUser, LoginManager,
    store::{CreateOutcome, Outcome, Page, SessionId, SessionRecord, SessionStore, async_trait},
    testing::store_contract,
};
use tokio::{net::TcpListener, signal};
use tower_http::csrf::CsrfLayer;

/// A map in the order of the ids, behind one lock. No call holds the lock across an `await`, so
/// each call is atomic. A database would have indexes on `owner` and `expires`; here, every search
/// reads the whole map.
#[derive(Default)]
pub(crate) struct OwnStore(Mutex<Records>);

type Records = BTreeMap<SessionId, SessionRecord>;

#[async_trait]
impl SessionStore for OwnStore {
    async fn create(&self, record: SessionRecord) -> Result<CreateOutcome, BoxError> {
        Ok(match self.lock()?.entry(record.id) {
            Entry::Occupied(_) => CreateOutcome::Exists,
            Entry::Vacant(entry) => {
                entry.insert(record);
                CreateOutcome::Done
            }
        })
    }

    async fn load(&self, id: &SessionId) -> Result<Option<SessionRecord>, BoxError> {
        Ok(self.lock()?.get(id).cloned())
    }

    // `update` and `touch` never insert: a request that holds an old copy must not bring back a
    // session that a logout has deleted.
    async fn update(&self, new: SessionRecord, now: i64) -> Result<Outcome, BoxError> {
        Ok(match live(&mut *self.lock()?, &new.id, now) {
            None => Outcome::Gone,
            Some(stored) if stored.version != new.version => Outcome::Conflict,
            Some(stored) => {
                stored.version += 1;
                stored.touched = stored.touched.max(new.touched);
                stored.expires = new.expires;
                stored.ends = new.ends;
                stored.payload = new.payload;
                Outcome::Done
            }
        })
    }

    async fn touch(&self, id: &SessionId, now: i64, expires: i64) -> Result<Outcome, BoxError> {
        Ok(match live(&mut *self.lock()?, id, now) {
            None => Outcome::Gone,
            Some(stored) => {
                stored.touched = stored.touched.max(now);
                stored.expires = stored.expires.max(expires).min(stored.ends);
                Outcome::Done
            }
        })
    }

    async fn delete(&self, id: &SessionId, version: Option<u64>) -> Result<Outcome, BoxError> {
        let mut records = self.lock()?;
        Ok(match records.get(id) {
            None => Outcome::Gone,
            Some(stored) if version.is_some_and(|version| version != stored.version) => {
                Outcome::Conflict
            }
            Some(_) => {
                records.remove(id);
                Outcome::Done
            }
        })
    }

    async fn list(
        &self,
        owner: &str,
        page: Page,
        now: i64,
    ) -> Result<Vec<SessionRecord>, BoxError> {
        let records = self.lock()?;
        let due = records.values().filter(|record| {
            record.owner.as_deref() == Some(owner)
                && record.is_live(now)
                && page.after.is_none_or(|after| record.id > after)
        });
        // The limit is applied last: a page that is not full means that there are no more records.
        Ok(due.take(page.limit).cloned().collect())
    }

    async fn delete_all(&self, owner: &str, except: Option<SessionId>) -> Result<u64, BoxError> {
        Ok(delete(&mut *self.lock()?, usize::MAX, |record| {
            record.owner.as_deref() == Some(owner) && Some(record.id) != except
        }))
    }

    async fn delete_expired(&self, now: i64, limit: usize) -> Result<u64, BoxError> {
        Ok(delete(&mut *self.lock()?, limit, |record| {
            !record.is_live(now)
        }))
    }

    async fn delete_any(&self, limit: usize) -> Result<u64, BoxError> {
        self.delete_expired(i64::MAX, limit).await
    }
}

impl OwnStore {
    fn lock(&self) -> Result<MutexGuard<'_, Records>, BoxError> {
        self.0.lock().map_err(|_| "a call panicked earlier".into())
    }
}

/// Returns a record unless it has expired by the caller's time.
fn live<'a>(records: &'a mut Records, id: &SessionId, now: i64) -> Option<&'a mut SessionRecord> {
    records.get_mut(id).filter(|record| record.is_live(now))
}

fn delete(records: &mut Records, limit: usize, which: impl Fn(&SessionRecord) -> bool) -> u64 {
    let found = records.values().filter(|record| which(record));
    let ids: Vec<_> = found.take(limit).map(|record| record.id).collect();
    ids.iter().filter_map(|id| records.remove(id)).count() as u64
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
    user.map_or("anonymous\n".to_owned(), |user| format!("{}\n", user.0))
}

/// Check the credentials here; see the quickstart.
async fn log_in(auth: Auth<Account>) -> Result<(), login_manager::Error> {
    let alice = Account("alice".to_owned());
    auth.login(alice).await.map(drop)
}

#[tokio::main]
#[expect(clippy::print_stdout, reason = "output for the terminal")]
async fn main() -> Result<(), Box<dyn Error>> {
    tracing_subscriber::fmt::init();
    // In your crate, this is a test with #[tokio::test(flavor = "multi_thread")].
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
