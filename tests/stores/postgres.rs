//! PostgreSQL at `POSTGRES_URL`, as it comes and where every transaction is serializable.

use crate::{
    Store,
    sql::{Kind, Opening},
    sql_contract::contract,
};

pub(crate) fn store() -> Store {
    contract("postgres", Kind::Postgres, Opening::default())
}

pub(crate) fn serializable() -> Store {
    let opening = Opening {
        first: Some("SET default_transaction_isolation = 'serializable'"),
        ..Opening::default()
    };
    contract("postgres_serializable", Kind::Postgres, opening)
}
