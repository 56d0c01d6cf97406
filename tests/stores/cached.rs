//! The cache in front of every store. The staleness is long: on one node no entry may be stale.

use crate::{Store, memory, mysql, postgres, redis, sqlite};

pub(crate) fn over_memory() -> Store {
    memory::store().cached("cached_memory")
}

pub(crate) fn over_sqlite() -> Store {
    sqlite::store().cached("cached_sqlite")
}

pub(crate) fn over_postgres() -> Store {
    postgres::store().cached("cached_postgres")
}

pub(crate) fn over_mysql() -> Store {
    mysql::store().cached("cached_mysql")
}

pub(crate) fn over_redis() -> Store {
    redis::store().cached("cached_redis")
}
