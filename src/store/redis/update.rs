//! Updating a record. If its end is extended, its index entry is extended first.

use super::{
    MARGIN, RedisStore, call_id, lifetime, outcome,
    packed::{ordered, owner_digest},
    script,
};
use crate::{
    error::BoxError,
    store::{Outcome, SessionRecord},
};

impl RedisStore {
    pub(super) async fn update_record(
        &self,
        record: &SessionRecord,
        now: i64,
    ) -> Result<Outcome, BoxError> {
        let call = call_id()?;
        let next_version = record.version.wrapping_add(1);
        let end = record.ends.max(record.expires);
        let until_end = lifetime(now, end);
        let id = record.id.as_bytes();
        let lifetimes = (id, MARGIN, lifetime(now, record.expires), until_end);
        let changes = (
            &ordered(now),
            &record.version.to_be_bytes(),
            &next_version.to_be_bytes(),
            &ordered(record.touched),
            &ordered(record.expires),
            &ordered(record.ends),
            &ordered(end),
            &call,
            &*record.payload,
        );
        let (server, script, key) = (&self.server, &script::UPDATE, self.record_key(&record.id));
        let owner = owner_digest(record.owner.as_deref());
        if record.owner.is_some() {
            let keys = [self.index_key(&owner), key.clone()];
            let updated = server.run(script, &keys, (lifetimes, "", changes));
            if let Some(updated) = server.together(updated).await.transpose() {
                return outcome(updated);
            }
        }
        let keys = [key];
        let updated: Result<Vec<u8>, _> = server.run(script, &keys, (lifetimes, "", changes)).await;
        if updated.as_deref().ok() == Some(&b"index"[..]) {
            let (_, limit) = self.add_to_index(&owner, &record.id, until_end).await?;
            let updated = server.run(script, &keys, (lifetimes, limit, changes));
            return outcome(updated.await);
        }
        outcome(updated)
    }
}
