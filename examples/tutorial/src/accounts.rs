//! The accounts, in SQLite.

use std::borrow::Cow;

use login_manager::{AuthUser, BoxError, UserLoader};
use sqlx::{Row, SqlitePool, sqlite::SqliteRow};

pub(crate) struct Account {
    pub(crate) id: i64,
    pub(crate) name: String,
    pub(crate) email: String,
    pub(crate) password_hash: String,
    stamp: Vec<u8>,
}

impl AuthUser for Account {
    type Id = i64;

    fn id(&self) -> i64 {
        self.id
    }

    fn security_stamp(&self) -> Cow<'_, [u8]> {
        self.stamp.as_slice().into()
    }
}

/// `AUTOINCREMENT` ensures that the id of a deleted account is never used again. `NOCASE` ensures
/// that no user can impersonate alice as Alice. Several accounts can have one address, so the
/// registration tells no one whose address is known. The stamp changes with the password, which
/// ends every session of the account, and makes the links for a new password invalid.
const SCHEMA: &str = "
    CREATE TABLE IF NOT EXISTS accounts (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        name TEXT NOT NULL UNIQUE COLLATE NOCASE,
        email TEXT NOT NULL,
        password_hash TEXT NOT NULL,
        stamp BLOB NOT NULL DEFAULT (randomblob(16))
    ) STRICT";

#[derive(Clone)]
pub(crate) struct Accounts(SqlitePool);

impl Accounts {
    /// Returns the accounts of this database. Creates their table if it is missing.
    pub(crate) async fn new(database: SqlitePool) -> Result<Self, sqlx::Error> {
        sqlx::query(SCHEMA).execute(&database).await?;
        Ok(Self(database))
    }

    pub(crate) async fn find(&self, id: i64) -> Result<Option<Account>, sqlx::Error> {
        let account = sqlx::query("SELECT * FROM accounts WHERE id = ?").bind(id);
        account.try_map(from_row).fetch_optional(&self.0).await
    }

    pub(crate) async fn find_by_name(&self, name: &str) -> Result<Option<Account>, sqlx::Error> {
        let account = sqlx::query("SELECT * FROM accounts WHERE name = ?").bind(name);
        account.try_map(from_row).fetch_optional(&self.0).await
    }

    /// Adds an account. Returns `None` if the name is taken, even by a concurrent registration.
    pub(crate) async fn add(
        &self,
        name: &str,
        email: &str,
        password_hash: &str,
    ) -> Result<Option<Account>, sqlx::Error> {
        let sql = "INSERT INTO accounts (name, email, password_hash) VALUES (?, ?, ?)
            ON CONFLICT (name) DO NOTHING RETURNING *";
        let added = sqlx::query(sql).bind(name).bind(email).bind(password_hash);
        added.try_map(from_row).fetch_optional(&self.0).await
    }

    /// Replaces the password and the stamp, which ends every session of the account. Returns the
    /// changed account, or `None` if the password was changed after `account` was loaded.
    pub(crate) async fn change_password(
        &self,
        account: &Account,
        password_hash: &str,
    ) -> Result<Option<Account>, sqlx::Error> {
        let sql = "UPDATE accounts SET password_hash = ?, stamp = randomblob(16)
            WHERE id = ? AND stamp = ? RETURNING *";
        let changed = sqlx::query(sql).bind(password_hash).bind(account.id);
        changed
            .bind(&account.stamp)
            .try_map(from_row)
            .fetch_optional(&self.0)
            .await
    }

    /// Replaces the hash that was just checked, unless the password has been changed meanwhile.
    pub(crate) async fn replace_hash(
        &self,
        account: &Account,
        hash: &str,
    ) -> Result<(), sqlx::Error> {
        let sql = "UPDATE accounts SET password_hash = ? WHERE id = ? AND password_hash = ?";
        let replaced = sqlx::query(sql).bind(hash).bind(account.id);
        replaced
            .bind(&account.password_hash)
            .execute(&self.0)
            .await?;
        Ok(())
    }
}

/// The login manager loads the user of a session by this.
impl UserLoader<Account> for Accounts {
    async fn load(&self, id: &i64) -> Result<Option<Account>, BoxError> {
        Ok(self.find(*id).await?)
    }
}

fn from_row(row: SqliteRow) -> Result<Account, sqlx::Error> {
    Ok(Account {
        id: row.try_get("id")?,
        name: row.try_get("name")?,
        email: row.try_get("email")?,
        password_hash: row.try_get("password_hash")?,
        stamp: row.try_get("stamp")?,
    })
}
