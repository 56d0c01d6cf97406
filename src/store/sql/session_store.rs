//! What makes a pool with its statements a store. A macro, because the bounds that sqlx asks of code that is generic over
//! databases are longer than the code.

macro_rules! session_store {
    ($store:ty, $database:ty) => {
        const _: () = {
            use std::{fmt, sync::Arc};

            use async_trait::async_trait;

            use crate::{
                error::BoxError,
                store::{
                    Created, Outcome, Page, Record, RecordKey, Replaced, SessionStore, Which,
                    sql::{
                        query::{Value, plain_record, query, record},
                        statements::{Statement, Statements},
                        verbs::{self, Connected},
                    },
                },
            };

            impl Connected for $store {
                fn statements(&self) -> &Statements {
                    &self.statements
                }

                async fn execute(
                    &self,
                    statement: &Statement,
                    values: &[Value<'_>],
                ) -> Result<u64, sqlx::Error> {
                    let done = query::<$database>(statement, values)
                        .execute(&self.pool)
                        .await?;
                    Ok(done.rows_affected())
                }

                async fn execute_plain(&self, sql: String) -> Result<u64, sqlx::Error> {
                    let sql = sqlx::raw_sql(sqlx::AssertSqlSafe(sql));
                    Ok(sql.execute(&self.pool).await?.rows_affected())
                }

                async fn fetch_plain(
                    &self,
                    sql: String,
                ) -> Result<Vec<Option<Record>>, sqlx::Error> {
                    let rows = sqlx::raw_sql(sqlx::AssertSqlSafe(sql)).fetch_all(&self.pool);
                    rows.await?.iter().map(plain_record).collect()
                }

                async fn fetch(
                    &self,
                    statement: &Statement,
                    values: &[Value<'_>],
                ) -> Result<Vec<Option<Record>>, sqlx::Error> {
                    let rows = query::<$database>(statement, values).fetch_all(&self.pool);
                    rows.await?.iter().map(record).collect()
                }
            }

            #[async_trait]
            impl SessionStore for $store {
                async fn create(&self, record: Record) -> Result<Created, BoxError> {
                    verbs::create(self, record).await
                }

                async fn load(&self, key: &RecordKey) -> Result<Option<Record>, BoxError> {
                    verbs::load(self, key).await
                }

                async fn update(
                    &self,
                    key: &RecordKey,
                    version: u64,
                    payload: Arc<[u8]>,
                    now: i64,
                ) -> Result<Outcome, BoxError> {
                    verbs::update(self, key, version, payload, now).await
                }

                async fn touch(
                    &self,
                    key: &RecordKey,
                    now: i64,
                    expires: i64,
                ) -> Result<Outcome, BoxError> {
                    verbs::touch(self, key, now, expires).await
                }

                async fn delete(
                    &self,
                    key: &RecordKey,
                    version: Option<u64>,
                ) -> Result<Outcome, BoxError> {
                    verbs::delete(self, key, version).await
                }

                async fn replace(
                    &self,
                    old: &RecordKey,
                    version: u64,
                    new: Record,
                ) -> Result<Replaced, BoxError> {
                    verbs::replace(self, old, version, new).await
                }

                async fn list(
                    &self,
                    owner: &str,
                    page: Page,
                    now: i64,
                ) -> Result<Vec<Record>, BoxError> {
                    verbs::list(self, owner, page, now).await
                }

                async fn delete_all(&self, owner: &str, which: Which) -> Result<u64, BoxError> {
                    verbs::delete_all(self, owner, which).await
                }

                async fn delete_expired(&self, now: i64, limit: usize) -> Result<u64, BoxError> {
                    verbs::delete_expired(self, now, limit).await
                }
            }

            // The pool's own `Debug` prints its options, and with them a host and a user.
            impl fmt::Debug for $store {
                fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                    f.debug_struct(stringify!($store))
                        .field("table", &self.table.name)
                        .finish_non_exhaustive()
                }
            }
        };
    };
}
