//! What is done at one go. A script touches the keys that it is given and no others: one of them runs on any cluster, several
//! run where one server has them all.

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
