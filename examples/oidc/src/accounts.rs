//! The accounts: your database, where each function here is one transaction.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use login_manager::AuthUser;
use openidconnect::core::CoreIdTokenClaims;

#[derive(Clone)]
pub(crate) struct Account {
    id: usize,
    /// With the subject, the unique key: subjects of two providers may be equal.
    issuer: String,
    subject: String,
    pub(crate) name: String,
    /// Where to send mail. Never identify an account by it, even if it is verified: addresses
    /// change hands.
    pub(crate) verified_email: Option<String>,
}

impl AuthUser for Account {
    type Id = usize;

    fn id(&self) -> usize {
        self.id
    }
}

#[derive(Clone, Default)]
pub(crate) struct Accounts(Arc<Mutex<Vec<Account>>>);

impl Accounts {
    fn rows(&self) -> MutexGuard<'_, Vec<Account>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn find(&self, id: usize) -> Option<Account> {
        self.rows().get(id).cloned()
    }

    /// Finds the account by issuer and subject alone, or creates it (OWASP ASVS 5.0, 6.8.1). To let
    /// users have one account at two providers, add a table of identities, and add the second one
    /// to it only while the user is logged in with the first.
    pub(crate) fn find_or_create(&self, claims: &CoreIdTokenClaims) -> Account {
        let (issuer, subject) = (claims.issuer().as_str(), claims.subject().as_str());
        let mut rows = self.rows();
        let known = rows
            .iter()
            .find(|row| row.issuer == issuer && row.subject == subject);
        if let Some(account) = known {
            return account.clone();
        }
        let name = claims.preferred_username().map(|name| name.as_str());
        let is_verified = claims.email_verified() == Some(true);
        let email = claims.email().filter(|_| is_verified);
        let account = Account {
            id: rows.len(),
            issuer: issuer.to_owned(),
            subject: subject.to_owned(),
            name: name.unwrap_or(subject).to_owned(),
            verified_email: email.map(|email| email.as_str().to_owned()),
        };
        rows.push(account.clone());
        account
    }
}
