//! The accounts and their passkeys: your database, where each function here is one transaction.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use login_manager::AuthUser;
use webauthn_rs::prelude::{AuthenticationResult, CredentialID, Passkey, Uuid, WebauthnResult};

#[derive(Clone)]
pub(crate) struct Account {
    /// Also the user handle, which authenticators store and show to anyone who can read them. So it
    /// is random: never an e-mail address or a user name (WebAuthn Level 3, 14.6.1).
    pub(crate) id: Uuid,
    pub(crate) name: String,
    pub(crate) password_hash: String,
}

impl AuthUser for Account {
    type Id = Uuid;

    fn id(&self) -> Uuid {
        self.id
    }
}

struct Row {
    account: Account,
    /// In a database, one row for each, as JSON, with the credential id as its unique key.
    passkeys: Vec<Passkey>,
}

#[derive(Clone, Default)]
pub(crate) struct Accounts(Arc<Mutex<Vec<Row>>>);

impl Accounts {
    pub(crate) fn add(&self, name: &str, password_hash: String) {
        let account = Account {
            id: Uuid::new_v4(),
            name: name.to_owned(),
            password_hash,
        };
        let passkeys = Vec::new();
        self.rows().push(Row { account, passkeys });
    }

    fn rows(&self) -> MutexGuard<'_, Vec<Row>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn find(&self, id: Uuid) -> Option<Account> {
        let rows = self.rows();
        let row = rows.iter().find(|row| row.account.id == id)?;
        Some(row.account.clone())
    }

    pub(crate) fn find_by_name(&self, name: &str) -> Option<Account> {
        let rows = self.rows();
        let row = rows.iter().find(|row| row.account.name == name)?;
        Some(row.account.clone())
    }

    pub(crate) fn credential_ids(&self, id: Uuid) -> Vec<CredentialID> {
        let rows = self.rows();
        let row = rows.iter().find(|row| row.account.id == id);
        let passkeys = row.map_or(&[][..], |row| &row.passkeys);
        passkeys.iter().map(|it| it.cred_id().clone()).collect()
    }

    /// Returns false if any account has this passkey already (WebAuthn Level 3, 7.1, step 26).
    pub(crate) fn add_passkey(&self, id: Uuid, passkey: Passkey) -> bool {
        let mut rows = self.rows();
        if rows.iter().any(|row| row.passkeys.contains(&passkey)) {
            return false;
        }
        let Some(row) = rows.iter_mut().find(|row| row.account.id == id) else {
            return false;
        };
        row.passkeys.push(passkey);
        true
    }

    /// Returns the account if it has this passkey and `verify` accepts it, and stores the new
    /// counter. Both happen under one lock, or two logins could show the same counter. In SQL,
    /// write the counter `where counter < $counter`, unless it is 0.
    pub(crate) fn use_passkey(
        &self,
        id: Uuid,
        credential_id: &[u8],
        verify: impl FnOnce(&Passkey) -> WebauthnResult<AuthenticationResult>,
    ) -> Option<Account> {
        let mut rows = self.rows();
        let row = rows.iter_mut().find(|row| row.account.id == id)?;
        let mut passkeys = row.passkeys.iter_mut();
        let passkey = passkeys.find(|it| it.cred_id() == credential_id)?;
        let result = verify(passkey).ok()?;
        passkey.update_credential(&result);
        Some(row.account.clone())
    }
}
