//! What is done at one go. A script that is given one key touches no other and runs on any cluster; one that is given several
//! runs where one server has them all.
//!
//! [`REVOKE_ALL`] alone touches keys that it wasn't given: it makes those of records from an index. Redis and Valkey say that
//! a script should be given every key, and insist on it in a cluster, which refuses this one for the keys that it is given.
//! Elsewhere both let it. Behind a proxy it may run where not all records are: it deletes what it finds, and of what it doesn't
//! find it changes nothing and says so.

use std::sync::LazyLock;

use redis::Cmd;

macro_rules! script {
    ($($file:literal),+) => {
        LazyLock::new(|| Script::new(concat!($(include_str!(concat!("lua/", $file, ".lua"))),+)))
    };
}

pub(super) static ENLIST: LazyLock<Script> = script!("parts/clock", "parts/enlist", "enlist");
pub(super) static INDEX: LazyLock<Script> = script!("parts/clock", "index");
pub(super) static CREATE: LazyLock<Script> =
    script!("parts/clock", "parts/enlist", "parts/insert", "create");
pub(super) static REPLACE: LazyLock<Script> = script!(
    "parts/clock",
    "parts/enlist",
    "parts/insert",
    "parts/find",
    "parts/bury",
    "replace"
);
pub(super) static UPDATE: LazyLock<Script> = script!("parts/before", "update");
pub(super) static TOUCH: LazyLock<Script> = script!("parts/clock", "parts/before", "touch");
pub(super) static DELETE: LazyLock<Script> = script!("parts/find", "parts/bury", "delete");
pub(super) static REVOKE_ALL: LazyLock<Script> = script!("parts/bury", "revoke_all");
pub(super) static REVOKE: LazyLock<Script> = script!("parts/bury", "revoke");

/// A script, and the hash under which a server remembers it.
pub(super) struct Script {
    code: &'static str,
    hash: String,
}

impl Script {
    fn new(code: &'static str) -> Self {
        let hash = redis::Script::new(code).get_hash().to_owned();
        Self { code, hash }
    }

    /// Runs it by its hash, which a server knows that has seen it before.
    pub(super) fn by_hash(&self, keys: &[Vec<u8>]) -> Cmd {
        invocation("EVALSHA", &self.hash, keys)
    }

    /// Runs it by its text, which the server then remembers.
    pub(super) fn by_text(&self, keys: &[Vec<u8>]) -> Cmd {
        invocation("EVAL", self.code, keys)
    }
}

fn invocation(verb: &str, script: &str, keys: &[Vec<u8>]) -> Cmd {
    let mut command = redis::cmd(verb);
    command.arg(script).arg(keys.len()).arg(keys);
    command
}
