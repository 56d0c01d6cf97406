//! Creating a record and its index entry: both at once on one server, the entry first in a cluster.

use redis::RedisError;

use super::{
    MARGIN, RedisStore, call_id, lifetime,
    packed::{owner_digest, pack},
    script,
    server::failure,
    unknown_reply,
};
use crate::{
    error::{BoxError, StoreError},
    store::{CreateOutcome, SessionRecord},
};

impl RedisStore {
    pub(super) async fn create_record(
        &self,
        record: &SessionRecord,
    ) -> Result<CreateOutcome, BoxError> {
        let call = call_id()?;
        let value = pack(record, call)?;
        let until_expires = lifetime(record.touched, record.expires);
        let until_end = lifetime(record.touched, record.ends.max(record.expires));
        let id = record.id.as_bytes();
        let arguments = (id, MARGIN, until_expires, until_end);
        let (server, script, key) = (&self.server, &script::CREATE, self.record_key(&record.id));
        let Some(owner) = record.owner.as_deref() else {
            let arguments = (arguments, "", "", &call, &value);
            return created_outcome(server.run(script, &[key], arguments).await);
        };
        let owner = owner_digest(Some(owner));
        let keys = [self.index_key(&owner), key];
        let created = server.run(script, &keys, (arguments, "", "", &call, &value));
        if let Some(created) = server.together(created).await.transpose() {
            return created_outcome(created);
        }
        let (made, limit) = self.add_to_index(&owner, &record.id, until_end).await?;
        let [_, key] = keys;
        let arguments = (arguments, made, limit, &call, &value);
        created_outcome(server.run(script, &[key], arguments).await)
    }
}

fn created_outcome(reply: Result<Vec<u8>, RedisError>) -> Result<CreateOutcome, BoxError> {
    match &*reply.map_err(failure)? {
        b"done" => Ok(CreateOutcome::Done),
        b"exists" => Ok(CreateOutcome::Exists),
        b"late" => Err(StoreError::new("redis: a session was not written in time").into()),
        _ => Err(unknown_reply()),
    }
}
