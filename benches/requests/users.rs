//! The users of all sites, and the one loader that finds them.

use std::{collections::HashMap, fmt, sync::Arc};

/// As long as an argon2 hash with its parameters. The users of most groups have this hash; it is
/// never checked.
pub(crate) const PASSWORD_HASH: &str = "$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHRzYWx0c2FsdA$\
                             aGFzaGhhc2hoYXNoaGFzaGhhc2hoYXNoaGFzaGhhc2g";

#[derive(Clone, Debug)]
pub(crate) struct User {
    pub(crate) id: i64,
    pub(crate) name: String,
    #[expect(dead_code, reason = "it is only copied, as most columns are")]
    pub(crate) email: String,
    pub(crate) password_hash: String,
}

impl User {
    fn new(id: i64, password_hash: &str) -> Self {
        Self {
            id,
            name: format!("user number {id}"),
            email: format!("user.{id}@mail.example"),
            password_hash: password_hash.to_owned(),
        }
    }
}

/// A table of users in memory. Clones share the table.
#[derive(Clone)]
pub(crate) struct Users(Arc<HashMap<i64, User>>);

impl Users {
    /// Creates users with ids from 0 on, all with the same password.
    pub(crate) fn new(count: i64, password_hash: &str) -> Self {
        let users = (0..count).map(|id| (id, User::new(id, password_hash)));
        Self(Arc::new(users.collect()))
    }

    /// Returns the user by value, as a database would.
    pub(crate) fn find(&self, id: i64) -> Option<User> {
        self.0.get(&id).cloned()
    }
}

impl fmt::Debug for Users {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Users").field(&self.0.len()).finish()
    }
}
