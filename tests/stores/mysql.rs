//! MariaDB or MySQL at `MYSQL_URL`.

use crate::{
    Store,
    sql::{self, Kind, Opening},
};

pub(crate) fn store() -> Store {
    sql::contract("mysql", Kind::MySql, Opening::default())
}
