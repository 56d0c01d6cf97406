//! Passwords, resets and throttling: hashing and checking, changing and resetting a password, and
//! what limits guessing.
//!
//! # Check a password
//!
//! [`Passwords`] (feature `argon2`, on by default) hashes and checks passwords with argon2id.
//! Create one, and clone it wherever it is needed: clones share the slots that bound the memory.
//!
//! ```
//! use login_manager::{password::PasswordError, Passwords};
//! # struct Account { password_hash: String }
//! # struct Accounts;
//! # impl Accounts {
//! #     async fn find_by_name(&self, _name: &str) -> Option<Account> { None }
//! #     async fn replace_hash(&self, _account: &Account, _hash: &str) {}
//! # }
//!
//! async fn check(
//!     accounts: &Accounts, passwords: &Passwords, name: &str, password: &str,
//! ) -> Result<Option<Account>, PasswordError> {
//!     let account = accounts.find_by_name(name).await;
//!     // Also if there is no such account, so that the time does not reveal it.
//!     let verdict = passwords.verify(password, account.as_ref().map(|a| &*a.password_hash)).await?;
//!     let Some(account) = account.filter(|_| verdict.is_valid()) else {
//!         return Ok(None);
//!     };
//!     if verdict.needs_rehash() {
//!         // If this fails, log the user in anyway; the next login tries again.
//!         if let Ok(hash) = passwords.hash(password).await {
//!             // UPDATE accounts SET password_hash = $new WHERE id = $id AND password_hash = $old
//!             accounts.replace_hash(&account, &hash).await;
//!         }
//!     }
//!     Ok(Some(account))
//! }
//! ```
//!
//! - Call [`verify`][`Passwords::verify`] even if there is no such user, with `None` for the hash.
//!   It takes the same time.
//! - Show one message for a wrong name and a wrong password.
//! - If [`needs_rehash`][`Verdict::needs_rehash`] returns true, the stored hash is weaker than a
//!   new one. Replace it while the password is at hand.
//!
//! # The cost
//!
//! | setting | default | source |
//! |---|---|---|
//! | [`with_cost`][`Passwords::with_cost`] | 19 MiB, 2 passes, 1 lane | the minimum of OWASP's Password Storage Cheat Sheet; less is rejected |
//! | [`with_max_concurrent`][`Passwords::with_max_concurrent`] | one hash per core at a time | more takes memory and is not faster |
//! | [`with_max_wait`][`Passwords::with_max_wait`] | 5 seconds | after it a caller gets [`Busy`][`PasswordError::Busy`], a 503 |
//!
//! Hashing runs off the async threads. Hashes of your cost take at most the number of slots times
//! the memory of one. A password may have up to 4096 bytes and is never truncated. It is normalized
//! to Unicode's NFC and not changed otherwise. [`password`] has the reasons and their sources.
//!
//! The crate does not check how long or how common a new password is. Do that when users choose
//! one: OWASP ASVS 5.0 requires at least 8 characters and recommends 15 (6.2.1), and requires a
//! check against the 3000 most common passwords (6.2.4). Don't require digits or symbols (6.2.5),
//! and don't let passwords expire (6.2.10).
//!
//! # Hashes of another system
//!
//! [`verify`][`Passwords::verify`] reads argon2 hashes in the PHC format (`$argon2id$…`), also
//! those of other libraries. Other hashes are checked beside it until they are replaced: see
//! [Coming from Flask-Login](super::coming_from_flask_login#passwords) for werkzeug's.
//!
//! # Change a password
//!
//! Ask for the current password, and replace the hash and the [security
//! stamp](crate::AuthUser::security_stamp) in one statement. The new stamp ends every session of
//! the user, so log this browser in again with the changed user:
//!
//! ```
//! # use axum::response::{Redirect, Result};
//! # use login_manager::{Auth, AuthUser, Passwords};
//! # struct Account { id: i64, password_hash: String }
//! # impl AuthUser for Account { type Id = i64; fn id(&self) -> i64 { self.id } }
//! # async fn replace_hash_and_stamp(account: &Account, hash: &str) -> Option<Account> { None }
//! async fn change_password(
//!     user: &Account, auth: Auth<Account>, passwords: Passwords, current: String, new: String,
//! ) -> Result<Redirect> {
//!     if !passwords.verify(current, Some(&user.password_hash)).await?.is_valid() {
//!         return Ok(Redirect::to("/account/password?wrong"));
//!     }
//!     let hash = passwords.hash(new).await?;
//!     // UPDATE accounts SET password_hash = $new, stamp = $random
//!     // WHERE id = $id AND stamp = $old RETURNING *
//!     let Some(changed) = replace_hash_and_stamp(user, &hash).await else {
//!         return Ok(Redirect::to("/account/password?wrong")); // it was changed meanwhile
//!     };
//!     auth.login(changed).await?;
//!     // The others are invalid already; this removes them from the list.
//!     auth.logout_others().await?;
//!     Ok(Redirect::to("/account"))
//! }
//! # let _ = change_password;
//! ```
//!
//! If you only upgrade the parameters of a hash, keep the stamp.
//!
//! # Reset a password
//!
//! The crate sends no e-mail and keeps no tokens for its links; bring your own. When the new
//! password is set:
//!
//! - Replace the stamp together with the password, so that every session ends.
//! - Call [`logout_user`](crate::LoginManager::logout_user) to end them in the store as well.
//! - Don't log the user in. Redirect to the login page, so that a second factor is not bypassed
//!   (OWASP ASVS 5.0, 6.4.3).
//! - Answer the request for a reset in the same way and time whether or not the account exists.
//!
//! # Throttling
//!
//! The crate does not count attempts. Limit them in front of the login route, by account and by
//! address, and do it before the password is checked. Slow attempts down instead of locking the
//! account: a lock lets anyone lock out any user. OWASP ASVS 5.0 requires protection against
//! guessing (6.3.1) and a description of it (6.1.1).
//!
//! What the crate does bound is the work: simultaneous checks wait for a slot, and are refused with
//! a 503 after 5 seconds, so guessing cannot exhaust memory.
//!
//! # Next
//!
//! [Choosing a store, several nodes](super::choosing_a_store). Reference: [`Passwords`],
//! [`password`], [`AuthUser::security_stamp`](crate::AuthUser::security_stamp),
//! [`Auth::logout_others`](crate::Auth::logout_others). [All pages](super).
//!
#![cfg_attr(feature = "argon2", doc = include_str!("links/argon2.md"))]
#![cfg_attr(not(feature = "argon2"), doc = include_str!("links/argon2_online.md"))]
