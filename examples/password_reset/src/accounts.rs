//! The table of users: your database.

use std::{
    borrow::Cow,
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use login_manager::{AuthUser, BoxError, UserLoader};

#[derive(Clone)]
pub(crate) struct Account {
    pub(crate) id: i64,
    pub(crate) email: String,
    pub(crate) is_verified: bool,
    pub(crate) password_hash: Option<String>,
    stamp: u64,
}

impl Account {
    /// The address is verified: a mail to it was read.
    pub(crate) fn move_to(&mut self, email: &str) {
        email.clone_into(&mut self.email);
        self.is_verified = true;
    }

    pub(crate) fn renew_stamp(&mut self) {
        self.stamp += 1;
    }
}

impl AuthUser for Account {
    type Id = i64;

    fn id(&self) -> i64 {
        self.id
    }

    fn security_stamp(&self) -> Cow<'_, [u8]> {
        self.stamp.to_be_bytes().to_vec().into()
    }
}

#[derive(Clone)]
pub(crate) struct Accounts(Arc<Mutex<HashMap<i64, Account>>>);

impl Accounts {
    pub(crate) fn new(password_hash: String) -> Self {
        let alice = Account {
            id: 1,
            email: "alice@example.com".to_owned(),
            is_verified: false,
            password_hash: Some(password_hash),
            stamp: 0,
        };
        Self(Arc::new(Mutex::new(HashMap::from([(1, alice)]))))
    }

    pub(crate) fn by_email(&self, email: &str) -> Option<Account> {
        let rows = self.rows();
        rows.values()
            .find(|account| account.email == email)
            .cloned()
    }

    pub(crate) fn change(&self, id: i64, change: impl FnOnce(&mut Account)) {
        self.rows().get_mut(&id).map(change);
    }

    fn rows(&self) -> MutexGuard<'_, HashMap<i64, Account>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl UserLoader<Account> for Accounts {
    async fn load(&self, id: &i64) -> Result<Option<Account>, BoxError> {
        Ok(self.rows().get(id).cloned())
    }
}
