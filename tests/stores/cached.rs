//! The cache, in front of memory and in front of Redis. The staleness is long: on one node nothing may be stale.

use std::{env, time::Duration};

use login_manager::{CachedStore, MemoryStore};

use crate::{Store, redis};

const HOUR: Duration = Duration::from_secs(60 * 60);

pub(crate) fn over_memory() -> Store {
    let store = CachedStore::new(MemoryStore::new(), HOUR);
    Store::new("cached_memory", move || {
        let store = store.clone();
        async { Ok(store) }
    })
}

pub(crate) fn over_redis() -> Store {
    match env::var("REDIS_URL") {
        Ok(url) => Store::new("cached_redis", move || {
            let url = url.clone();
            async move { Ok(CachedStore::new(redis::open(&url).await?, HOUR)) }
        })
        .that_clears_up_itself(),
        Err(_) => Store::left_out("cached_redis", redis::UNSET),
    }
}
