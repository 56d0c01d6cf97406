//! The scripts. All but two access only the keys that are passed to them, so with a single key they
//! run on any cluster.
//!
//! [`DELETE`] derives the key of the owner's index from the record, and [`DELETE_ALL`] derives the
//! keys of the records from the index. Redis and Valkey allow that outside of a cluster. If it is
//! rejected, both report what is left to do.

use std::sync::LazyLock;

use redis::Cmd;

macro_rules! script {
    ($($file:literal),+) => {
        LazyLock::new(|| Script::new(concat!($(include_str!(concat!("lua/", $file, ".lua"))),+)))
    };
}

pub(super) static CREATE: LazyLock<Script> = script!("parts/record", "parts/index", "create");
pub(super) static UPDATE: LazyLock<Script> = script!("parts/record", "parts/index", "update");
pub(super) static TOUCH: LazyLock<Script> = script!("parts/record", "touch");
pub(super) static DELETE: LazyLock<Script> = script!("parts/record", "delete");
pub(super) static DELETE_ALL: LazyLock<Script> = script!("parts/record", "delete_all");
pub(super) static ADD_TO_INDEX: LazyLock<Script> =
    script!("parts/record", "parts/index", "add_to_index");
pub(super) static PRUNE_INDEX: LazyLock<Script> = script!("parts/record", "prune_index");

/// A script, and the hash under which a server caches it.
pub(super) struct Script {
    code: &'static str,
    hash: String,
}

impl Script {
    fn new(code: &'static str) -> Self {
        let hash = redis::Script::new(code).get_hash().to_owned();
        Self { code, hash }
    }

    /// Runs the script from the server's cache.
    pub(super) fn by_hash(&self, keys: &[Vec<u8>]) -> Cmd {
        invocation("EVALSHA", &self.hash, keys)
    }

    /// Runs the script and adds it to the server's cache.
    pub(super) fn by_code(&self, keys: &[Vec<u8>]) -> Cmd {
        invocation("EVAL", self.code, keys)
    }
}

fn invocation(verb: &str, script: &str, keys: &[Vec<u8>]) -> Cmd {
    let mut command = redis::cmd(verb);
    command.arg(script).arg(keys.len()).arg(keys);
    command
}
