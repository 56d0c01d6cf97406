//! Implements a store on a pool and its statements. It is a macro, because the bounds that sqlx
//! requires of code that is generic over databases are longer than the code.

macro_rules! sql_store {
    ($store:ident, $database:ty, $pool:ty $(, one_writer: $writer:ident)?) => {
        impl $store {
            /// Creates a store on the table `login_sessions` of this pool's database. Does not
            /// connect yet.
            #[must_use]
            pub fn new(pool: $pool) -> Self {
                let table = Table::default();
                Self {
                    pool,
                    statements: Arc::new(Statements::new(&dialect(&table))),
                    table,
                    $($writer: Arc::default(),)?
                }
            }

            fn in_table(self, table: Table) -> Self {
                Self {
                    statements: Arc::new(Statements::new(&dialect(&table))),
                    table,
                    ..self
                }
            }
        }

        const _: () = {
            use std::fmt;

            use async_trait::async_trait;

            use crate::{
                error::BoxError,
                store::{
                    CreateOutcome, Outcome, Page, SessionId, SessionRecord, SessionStore,
                    sql::{
                        query::{Value, query, record},
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
                    $(let _writer = self.$writer.lock().await;)?
                    let done = query::<$database>(statement, values)
                        .execute(&self.pool)
                        .await?;
                    Ok(done.rows_affected())
                }

                async fn execute_text(&self, sql: String) -> Result<u64, sqlx::Error> {
                    $(let _writer = self.$writer.lock().await;)?
                    let sql = sqlx::raw_sql(sqlx::AssertSqlSafe(sql));
                    Ok(sql.execute(&self.pool).await?.rows_affected())
                }

                async fn fetch(
                    &self,
                    statement: &Statement,
                    values: &[Value<'_>],
                ) -> Result<Vec<Option<SessionRecord>>, sqlx::Error> {
                    let rows = query::<$database>(statement, values).fetch_all(&self.pool);
                    rows.await?.iter().map(record).collect()
                }
            }

            #[async_trait]
            impl SessionStore for $store {
                async fn create(&self, record: SessionRecord) -> Result<CreateOutcome, BoxError> {
                    verbs::create(self, record).await
                }

                async fn load(&self, id: &SessionId) -> Result<Option<SessionRecord>, BoxError> {
                    verbs::load(self, id).await
                }

                async fn update(
                    &self,
                    record: SessionRecord,
                    now: i64,
                ) -> Result<Outcome, BoxError> {
                    verbs::update(self, record, now).await
                }

                async fn touch(
                    &self,
                    id: &SessionId,
                    now: i64,
                    expires: i64,
                ) -> Result<Outcome, BoxError> {
                    verbs::touch(self, id, now, expires).await
                }

                async fn delete(
                    &self,
                    id: &SessionId,
                    version: Option<u64>,
                ) -> Result<Outcome, BoxError> {
                    verbs::delete(self, id, version).await
                }

                async fn list(
                    &self,
                    owner: &str,
                    page: Page,
                    now: i64,
                ) -> Result<Vec<SessionRecord>, BoxError> {
                    verbs::list(self, owner, page, now).await
                }

                async fn delete_all(
                    &self,
                    owner: &str,
                    except: Option<SessionId>,
                ) -> Result<u64, BoxError> {
                    verbs::delete_all(self, owner, except).await
                }

                async fn delete_expired(&self, now: i64, limit: usize) -> Result<u64, BoxError> {
                    verbs::delete_expired(self, now, limit).await
                }

                async fn delete_any(&self, limit: usize) -> Result<u64, BoxError> {
                    verbs::delete_expired(self, i64::MAX, limit).await
                }
            }

            // The pool's own `Debug` prints its options, with a host and a user.
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
