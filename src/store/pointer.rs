//! A pointer to a store is a store.

use std::sync::Arc;

use async_trait::async_trait;

use super::{Created, Outcome, Page, Record, RecordKey, Replaced, SessionStore, Which};
use crate::error::BoxError;

/// Every method, the default ones too: what a store does in one step stays one behind a pointer.
macro_rules! store_behind {
    ($(#[doc = $doc:literal])+ $Pointer:ident) => {
        $(#[doc = $doc])+
        #[async_trait]
        impl<S: SessionStore + ?Sized> SessionStore for $Pointer<S> {
            async fn create(&self, record: Record) -> Result<Created, BoxError> {
                (**self).create(record).await
            }

            async fn load(&self, key: &RecordKey) -> Result<Option<Record>, BoxError> {
                (**self).load(key).await
            }

            async fn update(
                &self,
                key: &RecordKey,
                version: u64,
                payload: Arc<[u8]>,
                now: i64,
            ) -> Result<Outcome, BoxError> {
                (**self).update(key, version, payload, now).await
            }

            async fn touch(
                &self,
                key: &RecordKey,
                now: i64,
                expires: i64,
            ) -> Result<Outcome, BoxError> {
                (**self).touch(key, now, expires).await
            }

            async fn delete(
                &self,
                key: &RecordKey,
                version: Option<u64>,
            ) -> Result<Outcome, BoxError> {
                (**self).delete(key, version).await
            }

            async fn replace(
                &self,
                old: &RecordKey,
                version: u64,
                new: Record,
            ) -> Result<Replaced, BoxError> {
                (**self).replace(old, version, new).await
            }

            async fn list(
                &self,
                owner: &str,
                page: Page,
                now: i64,
            ) -> Result<Vec<Record>, BoxError> {
                (**self).list(owner, page, now).await
            }

            async fn delete_all(&self, owner: &str, which: Which) -> Result<u64, BoxError> {
                (**self).delete_all(owner, which).await
            }

            async fn delete_expired(&self, now: i64, limit: usize) -> Result<u64, BoxError> {
                (**self).delete_expired(now, limit).await
            }
        }
    };
}

store_behind! {
    /// A store behind an `Arc` is a store: share one between managers, or choose it at run time as `Arc<dyn SessionStore>`.
    Arc
}

store_behind! {
    /// So is one in a `Box`: a `Box<dyn SessionStore>` is chosen at run time and belongs to one manager.
    Box
}
