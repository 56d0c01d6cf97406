//! Deleting every record of one application.

use redis::Value;

use super::{RedisStore, failure};
use crate::{
    error::{BoxError, StoreError},
    store::SessionId,
};

/// How many keys the server looks at in one command.
const COUNT: usize = 1000;

impl RedisStore {
    /// Deletes records as a scan finds them, until there are no more or `limit` are deleted. Their
    /// entries in the indexes of owners remain until a `list` removes them or they expire. The
    /// indexes can't be deleted, since they may contain a session that is created meanwhile.
    pub(super) async fn delete_scanned(&self, limit: usize) -> Result<u64, BoxError> {
        self.check_single().await?;
        let records = self.key("r:", &[]);
        let pattern = [&*records, b"*"].concat();
        let (mut cursor, mut deleted) = (0_u64, 0);
        loop {
            let mut scan = redis::cmd("SCAN");
            scan.arg(cursor).arg("MATCH").arg(&pattern);
            scan.arg("COUNT").arg(COUNT.min(limit));
            let (next, mut keys): (u64, Vec<Vec<u8>>) =
                self.server.query(&scan).await.map_err(failure)?;
            // Other applications may have longer keys that begin alike.
            keys.retain(|key| key.len() == records.len() + SessionId::LEN);
            if !keys.is_empty() {
                let mut unlink = redis::cmd("UNLINK");
                unlink.arg(&keys);
                deleted += self.server.query::<u64>(&unlink).await.map_err(failure)?;
            }
            cursor = next;
            if cursor == 0 || deleted >= limit as u64 {
                return Ok(deleted);
            }
        }
    }

    /// In a cluster, a scan sees the keys of one node only.
    async fn check_single(&self) -> Result<(), BoxError> {
        let mut info = redis::cmd("INFO");
        info.arg("server");
        let info: Value = self.server.query(&info).await.map_err(failure)?;
        match is_cluster(&info) {
            false => Ok(()),
            true => Err(StoreError::new(
                "redis: the sessions of all users can't be deleted in a cluster; \
                 use another prefix instead, `RedisStore::with_prefix`",
            )
            .into()),
        }
    }
}

/// Redis names its mode `redis_mode`, and Valkey `server_mode`. A cluster client collects the
/// replies of all nodes, and the result is not a text.
fn is_cluster(info: &Value) -> bool {
    let text = match info {
        Value::BulkString(text) => text.as_slice(),
        Value::VerbatimString { text, .. } | Value::SimpleString(text) => text.as_bytes(),
        _ => return true,
    };
    let mut lines = text.split(|&byte| byte == b'\n').map(<[u8]>::trim_ascii);
    lines.any(|line| line.ends_with(b"_mode:cluster"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clusters_are_recognized() {
        let text = |text: &str| Value::BulkString(text.into());
        for single in [
            "# Server\r\nredis_version:7.0.15\r\nredis_mode:standalone\r\nos:Linux\r\n",
            "# Server\r\nserver_name:valkey\r\nserver_mode:standalone\r\n",
            "redis_mode:sentinel\r\n",
            "",
        ] {
            assert!(!is_cluster(&text(single)), "{single}");
        }
        for cluster in [
            "redis_mode:cluster\r\nos:Linux",
            "a:b\r\nserver_mode:cluster\r\n",
        ] {
            assert!(is_cluster(&text(cluster)), "{cluster}");
        }
        assert!(is_cluster(&Value::Map(vec![(
            text("node"),
            text("redis_mode:standalone")
        )])));
    }
}
