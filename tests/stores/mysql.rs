//! MariaDB or MySQL at `MYSQL_URL`.

use crate::{
    Store,
    sql::{Kind, Opening},
    sql_contract::contract,
};

pub(crate) fn store() -> Store {
    contract("mysql", Kind::MySql, Opening::default())
}
