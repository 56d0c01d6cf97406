//! PostgreSQL at `POSTGRES_URL`, as it comes and where every transaction is serializable.

use crate::{
    Store,
    sql::{self, Kind, Opening},
};

pub(crate) fn store() -> Store {
    sql::contract("postgres", Kind::Postgres, Opening::default())
}

pub(crate) fn serializable() -> Store {
    let opening = Opening {
        first: Some("SET default_transaction_isolation = 'serializable'"),
        ..Opening::default()
    };
    sql::contract("postgres_serializable", Kind::Postgres, opening)
}
