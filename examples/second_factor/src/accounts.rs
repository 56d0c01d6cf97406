//! The accounts: your database, where each function here is one transaction.

use std::{
    borrow::Cow,
    collections::HashSet,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{SystemTime, UNIX_EPOCH},
};

use axum::http::StatusCode;
use login_manager::AuthUser;
use rand::{TryRng, rngs::SysRng};
use sha2::{Digest, Sha256};
use totp_rs::{Builder, Secret, Totp, TotpError};

#[derive(Clone)]
pub(crate) struct Account {
    pub(crate) name: String,
    pub(crate) password_hash: String,
    /// It changes with the password and the second factor.
    pub(crate) stamp: u64,
    pub(crate) has_second_factor: bool,
}

impl AuthUser for Account {
    type Id = String;

    fn id(&self) -> String {
        self.name.clone()
    }

    fn security_stamp(&self) -> Cow<'_, [u8]> {
        self.stamp.to_be_bytes().to_vec().into()
    }
}

/// The row of the only user.
struct Row {
    account: Account,
    /// Encrypt it with a key that is not in the database.
    secret: Option<[u8; 20]>,
    last_step: Option<u64>,
    recovery_codes: HashSet<[u8; 32]>,
}

#[derive(Clone)]
pub(crate) struct Accounts(Arc<Mutex<Row>>);

impl Accounts {
    pub(crate) fn new(password_hash: String) -> Self {
        Self(Arc::new(Mutex::new(Row {
            account: Account {
                name: "alice".to_owned(),
                password_hash,
                stamp: 0,
                has_second_factor: false,
            },
            secret: None,
            last_step: None,
            recovery_codes: HashSet::new(),
        })))
    }

    fn row(&self, name: &str) -> Option<MutexGuard<'_, Row>> {
        let row = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        (row.account.name == name).then_some(row)
    }

    pub(crate) fn find(&self, name: &str) -> Option<Account> {
        Some(self.row(name)?.account.clone())
    }

    /// Adds a second factor if the code is correct. Returns new recovery codes.
    pub(crate) fn add_factor(
        &self,
        name: &str,
        secret: [u8; 20],
        code: &str,
    ) -> Result<Option<Vec<String>>, StatusCode> {
        let Some(step) = step_of(name, secret, code) else {
            return Ok(None);
        };
        let codes = recovery_codes()?;
        let Some(mut row) = self.row(name) else {
            return Ok(None);
        };
        row.secret = Some(secret);
        row.last_step = Some(step);
        row.recovery_codes = codes.iter().map(|code| digest(code)).collect();
        row.account.has_second_factor = true;
        row.account.stamp += 1;
        Ok(Some(codes))
    }

    /// Uses up a code of the authenticator app, or a recovery code. In SQL, the step is written
    /// `where last_step < $step`, and a recovery code is deleted by its digest: one of two requests
    /// changes a row.
    pub(crate) fn use_code(&self, name: &str, code: &str) -> bool {
        let Some(mut row) = self.row(name) else {
            return false;
        };
        let step = row.secret.and_then(|secret| step_of(name, secret, code));
        match step {
            Some(step) if row.last_step.is_none_or(|last| last < step) => {
                row.last_step = Some(step);
                true
            }
            Some(_) => false,
            None => row.recovery_codes.remove(&digest(code)),
        }
    }
}

pub(crate) fn totp(name: &str, secret: [u8; 20]) -> Result<Totp, TotpError> {
    Builder::new()
        .with_secret(Secret::from(secret))
        .with_account_name(name)
        .with_issuer(Some("Example"))
        .with_skew(1)
        .build()
}

/// The time step of a code that is correct now.
fn step_of(name: &str, secret: [u8; 20], code: &str) -> Option<u64> {
    totp(name, secret).ok()?.check(code.trim(), seconds())
}

/// 24 characters of base32.
fn recovery_codes() -> Result<Vec<String>, StatusCode> {
    (0..10)
        .map(|_| random::<15>().map(|bytes| Secret::from(bytes).to_base32()))
        .collect()
}

fn digest(code: &str) -> [u8; 32] {
    let typed = code.chars().filter(char::is_ascii_alphanumeric);
    let code: String = typed.map(|c| c.to_ascii_uppercase()).collect();
    Sha256::digest(code).into()
}

pub(crate) fn random<const N: usize>() -> Result<[u8; N], StatusCode> {
    let mut bytes = [0; N];
    SysRng
        .try_fill_bytes(&mut bytes)
        .map_err(|_| StatusCode::SERVICE_UNAVAILABLE)?;
    Ok(bytes)
}

pub(crate) fn seconds() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |time| time.as_secs())
}
