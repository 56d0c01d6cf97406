//! Deleting every record of one application.

use super::{RedisStore, failure};
use crate::error::{BoxError, StoreError};

/// How many keys the server looks at in one command.
const COUNT: usize = 1000;

impl RedisStore {
    /// Deletes records and indexes as a scan finds them, until there are no more or `limit` records
    /// are deleted.
    pub(super) async fn delete_scanned(&self, limit: usize) -> Result<u64, BoxError> {
        self.check_single().await?;
        let records = self.key("r:", &[]);
        let (mut cursor, mut deleted) = (0_u64, 0);
        loop {
            let mut scan = redis::cmd("SCAN");
            scan.arg(cursor)
                .arg("MATCH")
                .arg(self.key("*", &[]))
                .arg("COUNT")
                .arg(COUNT.min(limit));
            let (next, keys): (u64, Vec<Vec<u8>>) =
                self.server.query(&scan).await.map_err(failure)?;
            if !keys.is_empty() {
                let mut unlink = redis::cmd("UNLINK");
                unlink.arg(&keys);
                self.server.query::<()>(&unlink).await.map_err(failure)?;
            }
            deleted += keys.iter().filter(|key| key.starts_with(&records)).count();
            cursor = next;
            if cursor == 0 || deleted >= limit {
                return Ok(deleted.min(limit) as u64);
            }
        }
    }

    /// In a cluster, a scan sees the keys of one node only.
    async fn check_single(&self) -> Result<(), BoxError> {
        let mut info = redis::cmd("INFO");
        info.arg("server");
        // A cluster client collects the answers of all nodes, which are no text.
        let mode: Option<String> = self.server.query(&info).await.ok();
        match mode {
            Some(mode) if mode.contains("redis_mode:standalone") => Ok(()),
            Some(mode) if mode.contains("redis_mode:sentinel") => Ok(()),
            _ => Err(StoreError::new(
                "redis: only a single server can delete the sessions of everyone; \
                 use another prefix instead, `RedisStore::with_prefix`",
            )
            .into()),
        }
    }
}
