//! Users whom no other test of the same server has.

use login_manager::AuthUser;

use crate::sql::random_text;

#[derive(Clone)]
pub(crate) struct Account(pub(crate) String);

impl Account {
    pub(crate) fn new() -> Self {
        Self(random_text())
    }
}

impl AuthUser for Account {
    type Id = String;

    fn id(&self) -> String {
        self.0.clone()
    }
}
