//! What is done to a key at one go. Each script touches the one key that it is given, so that it runs on any cluster.

use std::sync::LazyLock;

use redis::Cmd;

macro_rules! script {
    ($($file:literal),+) => {
        LazyLock::new(|| Script::new(concat!($(include_str!(concat!("lua/", $file))),+)))
    };
}

pub(super) static ENLIST: LazyLock<Script> = script!("clock.lua", "enlist.lua");
pub(super) static INDEX: LazyLock<Script> = script!("clock.lua", "index.lua");
pub(super) static CREATE: LazyLock<Script> = script!("clock.lua", "create.lua");
pub(super) static UPDATE: LazyLock<Script> = script!("before.lua", "update.lua");
pub(super) static TOUCH: LazyLock<Script> = script!("clock.lua", "before.lua", "touch.lua");
pub(super) static DELETE: LazyLock<Script> = script!("bury.lua", "delete.lua");
pub(super) static REVOKE: LazyLock<Script> = script!("bury.lua", "revoke.lua");

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
    pub(super) fn by_hash(&self, key: &[u8]) -> Cmd {
        invocation("EVALSHA", &self.hash, key)
    }

    /// Runs it by its text, which the server then remembers.
    pub(super) fn by_text(&self, key: &[u8]) -> Cmd {
        invocation("EVAL", self.code, key)
    }
}

fn invocation(verb: &str, script: &str, key: &[u8]) -> Cmd {
    let mut command = redis::cmd(verb);
    command.arg(script).arg(1).arg(key);
    command
}
