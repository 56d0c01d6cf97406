//! Redis: the server of `REDIS_URL`, and a cluster of three nodes where a `redis-server` is
//! installed.

use std::{
    env, process,
    sync::{Mutex, OnceLock},
    time::{Duration, SystemTime},
};

use login_manager::RedisStore;
use redis::{AsyncConnectionConfig, cluster::ClusterClientBuilder};

use crate::{
    Store,
    redis_server::{RedisServer, missing},
};

const PATIENCE: Duration = Duration::from_secs(10);
pub(crate) const UNSET: &str = "REDIS_URL isn't set";

pub(crate) fn store() -> Store {
    match env::var("REDIS_URL") {
        Ok(url) => Store::new("redis", move || {
            let url = url.clone();
            async move { open(&url).await }
        })
        .that_clears_up_itself(),
        Err(_) => Store::left_out("redis", UNSET),
    }
}

pub(crate) fn cluster() -> Store {
    if let Some(reason) = missing() {
        return Store::left_out("redis_cluster", reason);
    }
    Store::new("redis_cluster", || async {
        let client = ClusterClientBuilder::new([cluster_url()]).response_timeout(PATIENCE);
        let client = client.build()?;
        Ok(RedisStore::new(client.get_async_connection().await?))
    })
    .that_clears_up_itself()
}

/// A store on a shared server: its keys begin with a prefix of this run.
pub(crate) async fn open(url: &str) -> Result<RedisStore, login_manager::BoxError> {
    open_apart(url, "").await
}

/// The same, with a prefix of its own after that of the run.
pub(crate) async fn open_apart(
    url: &str,
    apart: &str,
) -> Result<RedisStore, login_manager::BoxError> {
    let client = redis::Client::open(url)?;
    // Half a second is too short for a machine that runs all checks at once.
    let config = AsyncConnectionConfig::new().set_response_timeout(Some(PATIENCE));
    let connection = client.get_multiplexed_async_connection_with_config(&config);
    let store = RedisStore::new(connection.await?);
    Ok(store.with_prefix(&format!("{}{apart}", prefix()))?)
}

fn prefix() -> &'static str {
    static PREFIX: OnceLock<String> = OnceLock::new();
    PREFIX.get_or_init(|| {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        let now = now.unwrap_or_default().as_nanos();
        format!("login-manager-test:{now}-{}:", process::id())
    })
}

static CLUSTER: Mutex<Option<[RedisServer; 3]>> = Mutex::new(None);

/// Starts it on first use. The client finds the other nodes itself.
fn cluster_url() -> String {
    let mut cluster = CLUSTER.lock().unwrap();
    cluster.get_or_insert_with(RedisServer::start_cluster_of)[0].url()
}

/// Stops the cluster, and deletes this run's keys from the shared server.
pub(crate) fn clean_up() {
    drop(CLUSTER.lock().unwrap().take());
    let Ok(client) = env::var("REDIS_URL").map(redis::Client::open) else {
        return;
    };
    let mut connection = client.unwrap().get_connection().unwrap();
    let pattern = format!("{}*", prefix());
    let mut cursor = 0_u64;
    loop {
        let (next, keys): (u64, Vec<Vec<u8>>) = redis::cmd("SCAN")
            .arg(cursor)
            .arg(&["MATCH", &pattern, "COUNT", "1000"])
            .query(&mut connection)
            .unwrap();
        for key in keys {
            redis::cmd("UNLINK").arg(key).exec(&mut connection).unwrap();
        }
        cursor = next;
        if cursor == 0 {
            break;
        }
    }
}
