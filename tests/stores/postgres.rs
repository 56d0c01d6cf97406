//! PostgreSQL at `POSTGRES_URL`, with its defaults and with serializable transactions.

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
