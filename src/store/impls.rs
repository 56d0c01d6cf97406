//! [`SessionStore`] for a store behind a pointer.

use std::sync::Arc;

use async_trait::async_trait;

use super::{CreateOutcome, Outcome, Page, SessionId, SessionRecord, SessionStore};
use crate::error::BoxError;

/// Forwards every method, including those with a default, so that a cache behind a pointer is still
/// known to be one.
macro_rules! store_behind {
    ($(#[doc = $doc:literal])+ $Pointer:ident) => {
        $(#[doc = $doc])+
        #[async_trait]
        impl<S: SessionStore + ?Sized> SessionStore for $Pointer<S> {
            async fn create(&self, record: SessionRecord) -> Result<CreateOutcome, BoxError> {
                (**self).create(record).await
            }

            async fn load(&self, id: &SessionId) -> Result<Option<SessionRecord>, BoxError> {
                (**self).load(id).await
            }

            async fn load_fresh(&self, id: &SessionId) -> Result<Option<SessionRecord>, BoxError> {
                (**self).load_fresh(id).await
            }

            fn is_cache(&self) -> bool {
                (**self).is_cache()
            }

            async fn update(&self, record: SessionRecord, now: i64) -> Result<Outcome, BoxError> {
                (**self).update(record, now).await
            }

            async fn touch(
                &self,
                id: &SessionId,
                now: i64,
                expires: i64,
            ) -> Result<Outcome, BoxError> {
                (**self).touch(id, now, expires).await
            }

            async fn delete(
                &self,
                id: &SessionId,
                version: Option<u64>,
            ) -> Result<Outcome, BoxError> {
                (**self).delete(id, version).await
            }

            async fn list(
                &self,
                owner: &str,
                page: Page,
                now: i64,
            ) -> Result<Vec<SessionRecord>, BoxError> {
                (**self).list(owner, page, now).await
            }

            async fn delete_all(
                &self,
                owner: &str,
                except: Option<SessionId>,
            ) -> Result<u64, BoxError> {
                (**self).delete_all(owner, except).await
            }

            async fn delete_expired(&self, now: i64, limit: usize) -> Result<u64, BoxError> {
                (**self).delete_expired(now, limit).await
            }

            async fn delete_any(&self, limit: usize) -> Result<u64, BoxError> {
                (**self).delete_any(limit).await
            }
        }
    };
}

store_behind! {
    /// A store in an `Arc` can be shared between managers, or chosen at run time as `Arc<dyn
    /// SessionStore>`.
    Arc
}

store_behind! {
    /// A `Box<dyn SessionStore>` is chosen at run time and belongs to one manager.
    Box
}
