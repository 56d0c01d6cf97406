//! One-time tokens: for links in mails (password reset, verification and change of an address,
//! login, invitation) and for short codes.
//!
//! [`LoginManager::tokens`] returns the handle that issues and redeems them. Keep it in the state
//! of your application. The crate sends no mail and has no pages; the example `password_reset` in
//! the repository has both.
//!
//! ```
//! # use std::io;
//! # use login_manager::{AuthUser, Error, LoginManager, MemoryStore};
//! # struct Account { id: i64, email: String }
//! # impl AuthUser for Account { type Id = i64; fn id(&self) -> i64 { self.id } }
//! # async fn mail(to: &str, text: String) -> io::Result<()> { Ok(()) }
//! # struct Db;
//! # impl Db {
//! #     async fn by_email(&self, email: &str) -> Option<Account> { None }
//! #     async fn set_password(&self, account: &Account, password: String) {}
//! # }
//! # let login_manager = LoginManager::new(MemoryStore::new(), |id| async move { None::<Account> });
//! use login_manager::tokens::{Purpose, Tokens};
//!
//! const RESET: Purpose = Purpose::reset();
//!
//! let tokens = login_manager
//!     .tokens()
//!     .with_address(|account: &Account| &account.email);
//!
//! /// POST of the form "forgot your password?". The response is the same for every address.
//! async fn forgot(db: &Db, tokens: &Tokens<Account>, typed: &str) {
//!     let account = db.by_email(typed).await;
//!     tokens.send(account, RESET, async |account, token| {
//!         let link = format!("https://example.com/reset?token={}", token.text());
//!         mail(&account.email, link).await
//!     });
//! }
//!
//! /// POST of the new password.
//! async fn reset(
//!     db: &Db, tokens: &Tokens<Account>, token: &str, password: String,
//! ) -> Result<&'static str, Error> {
//!     // Check the password against your policy first: this uses up the token.
//!     let Some(redeemed) = tokens.redeem(token, RESET).await? else {
//!         return Ok("This link is no longer valid.");
//!     };
//!     db.set_password(redeemed.user(), password).await; // with a new stamp: all sessions end
//!     tokens.withdraw_all(redeemed.user()).await?;
//!     Ok("Log in with your new password.")
//! }
//! # let _ = tokens;
//! ```
//!
//! # What makes a token valid
//!
//! - It was issued for this [`Purpose`], in this realm, and is the newest of its user and purpose:
//!   issuing one replaces the older one.
//! - It has not expired, and has not been redeemed or [withdrawn](Tokens::withdraw).
//! - Its user exists, [is active](AuthUser::is_active), and has the same [security
//!   stamp](AuthUser::security_stamp) and, with [`Tokens::with_address`], the same address as when
//!   it was issued. So a change of password or address makes all open tokens invalid except an
//!   [undo](Purpose::undo), without deleting them.
//!
//! Every other token yields `None`. Only the event
//! [`TokenRefused`](crate::event::EventKind::TokenRefused) has the [reason](RefusedReason).
//!
//! # What the application does
//!
//! - **Peek on GET, redeem on POST.** Mail scanners and previews open links. On GET (and HEAD),
//!   call [`peek`](Tokens::peek), which changes nothing, and show a form; on its POST, call
//!   [`redeem`](Tokens::redeem).
//! - **Redeem last**, after you have checked everything else that can be wrong with the form. A
//!   redeemed token is used up, even if the application then fails to write; the user has to ask
//!   for another one.
//! - **Take the token out of the URL**: put it into the [`Session`](crate::Session), redirect to
//!   the path without it, and send `Referrer-Policy: no-referrer` with both responses (OWASP Forgot
//!   Password Cheat Sheet; ASVS 5.0, 14.2.1). Until the token is used or expires, the session's
//!   data in the store then contains it in plain text.
//! - **Build links from your configuration**, never from the `Host` header, which the client
//!   chooses.
//! - **Mail to the stored address**, never to the one that was typed: two addresses that look or
//!   compare alike need not be the same mailbox.
//! - **Don't log the user in** after a reset (OWASP). After a [login link](Purpose::login_link) or
//!   a code, call [`Auth::login`](crate::Auth::login); a second factor still has to follow.
//! - **After a reset**: set a new stamp, so that all sessions end, call
//!   [`withdraw_all`](Tokens::withdraw_all), and notify the user by mail.
//! - **At a change of address**, require a [fresh login](crate::fresh_login_required). Put the new
//!   address into the token ([`carry`](Issue::carry)), not into the user's row. Afterwards, mail an
//!   [undo](Purpose::undo) to the old one. If the user corrects a typing mistake, call
//!   [`withdraw`](Tokens::withdraw) before you issue the next token, since the gap would delay it.
//! - **Verify before you trust**: anyone can register with an address that isn't theirs. When it is
//!   verified for the first time, or used for a login link, end the account's sessions and forget
//!   its password, which someone else may have chosen.
//! - **Limit requests** by client address, in front of the handlers. The gap only limits the mails
//!   to one user.
//!
//! # Codes
//!
//! A code is typed, so it is short, and can be guessed. [`Tokens::redeem_code`] finds it by user
//! and purpose, and counts the try in the store before it compares the code. However many guesses
//! are concurrent, at most 5 are compared; after that, the code is invalid. Since a new code can be
//! requested every 5 minutes, 1440 guesses a day are possible for each user, out of a million
//! codes, so limit how often codes are issued, too.
//!
//! # Failures
//!
//! An error does not tell whether a token is valid. If the store fails while a token is issued, the
//! token is not returned, so it cannot be redeemed. If the store fails while a token is redeemed,
//! the token may have been used up: it is accepted at most once, and after the error perhaps not at
//! all. A client that hangs up interrupts neither; a token is then used up as if the client had
//! waited.
//!
//! # In the store
//!
//! Tokens are kept in the manager's [store](crate::SessionStore), as records that are not sessions:
//! [`Auth::sessions`](crate::Auth::sessions) doesn't list them, no session cookie is valid for them
//! or can end them, and reads of them bypass a `CachedStore`. They contain the digests of the token
//! and of the stamp, the address and the data; the data is deleted when the token is redeemed.
//! Expired tokens are removed with expired sessions. [`LoginManager::logout_user`] leaves tokens
//! alone; [`LoginManager::logout_everyone`] deletes all records, and so all tokens.
//!
//! # Numbers
//!
//! | | default | source |
//! |---|---|---|
//! | length of a token | 256 bits | ASVS 5.0, 7.2.3 requires 128; from 112 on a plain hash suffices in the store (6.5.2) |
//! | password reset | 1 hour, at most 24 | OWASP: "appropriate"; NIST SP 800-63B-4, 4.2.1.2: at most 24 hours by mail |
//! | verification, change of address | 24 hours | NIST SP 800-63B-4, 4.2.1.2 |
//! | undo of a change of address | 7 days | ours: covers a week's holiday |
//! | login link, code | 10 minutes, at most 24 hours | ASVS 5.0, 6.5.5: 10 minutes out of band |
//! | invitation | 7 days | ours |
//! | digits of a code | 6, at most 12 | ASVS 5.0, 6.5.4: 20 bits |
//! | tries of a code | 5, at most 10 | ours; NIST SP 800-63B-4, 3.2.2 requires a limit below 100 |
//! | gap between two tokens | 5 minutes, at most 24 hours | Rodauth's default |
//! | data, address | 4 KiB, 254 bytes | ours; RFC 5321, 4.5.3.1.3 |
//! | tokens sent at a time, and for how long | 256, 1 minute | ours |
//!
//! In the manual: [a complete reset](crate::manual::passwords#reset-a-password).

mod code;
mod content;
mod invite;
mod issue;
mod purpose;
mod redeem;
mod redeemed;
mod send;
mod subject;
mod token;
mod withdraw;

use std::{fmt, sync::Arc};

use tokio::sync::Semaphore;

use crate::{
    error::{ConfigError, Error},
    loader::LoadUser,
    manager::LoginManager,
    realm::Realm,
    session::finish,
    store::SessionToken,
    user::AuthUser,
};

pub use self::{
    code::RedeemCode,
    issue::Issue,
    purpose::Purpose,
    redeemed::{Invitation, Peeked, Redeemed},
    token::Token,
};
#[doc(inline)]
pub use crate::reason::RefusedReason;

/// Issues and redeems one-time tokens: see [the module](self). Clones are cheap and share the limit
/// of tokens that are sent at a time.
pub struct Tokens<U: AuthUser> {
    realm: Arc<Realm>,
    load_user: LoadUser<U>,
    address: Option<AddressOf<U>>,
    sending: Arc<Semaphore>,
}

type AddressOf<U> = Arc<dyn Fn(&U) -> &str + Send + Sync>;

impl<U: AuthUser> LoginManager<U> {
    /// Returns a handle for one-time tokens, with the store, the realm, the user loader and the
    /// events of this manager. Call it after the last setting, and keep the handle in the state of
    /// your application.
    #[must_use]
    pub fn tokens(&self) -> Tokens<U> {
        Tokens {
            realm: Arc::clone(self.realm()),
            load_user: Arc::clone(self.load_user()),
            address: None,
            sending: Arc::new(Semaphore::new(send::MAX_SENDING)),
        }
    }
}

impl<U: AuthUser> Tokens<U> {
    /// Sets how to read the current address of a user. Tokens are then issued for it, and are
    /// invalid as soon as the user has another one. An empty address counts as none.
    ///
    /// Addresses are compared byte by byte. If you change how they are spelled, open tokens become
    /// invalid.
    #[must_use]
    pub fn with_address(self, address: impl Fn(&U) -> &str + Send + Sync + 'static) -> Self {
        Self {
            address: Some(Arc::new(address)),
            ..self
        }
    }

    /// Issues a token for this user. An older one for the same purpose becomes invalid.
    ///
    /// Returns `None` if the older token was issued within the [gap](Purpose::gap) for the same
    /// address. That token then remains valid, and there is nothing to send. Show the same page in
    /// both cases. If you could not deliver a token, [`withdraw`](Tokens::withdraw) it, so that the
    /// next request need not wait.
    ///
    /// Visitors who request a reset or a login link are anonymous: use [`send`](Tokens::send) for
    /// them.
    ///
    /// ```
    /// # use login_manager::{AuthUser, Error, tokens::{Purpose, Tokens}};
    /// # struct Account { id: i64, email: String }
    /// # impl AuthUser for Account { type Id = i64; fn id(&self) -> i64 { self.id } }
    /// # async fn mail(to: &str, text: String) {}
    /// # async fn handler(tokens: Tokens<Account>, account: Account, new: String) -> Result<(), Error> {
    /// let issued = tokens.issue(&account, Purpose::change_of_address()).carry(&new).await?;
    /// if let Some(token) = issued {
    ///     let link = format!("https://example.com/address?token={}", token.text());
    ///     mail(&new, link).await;
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// When it is awaited:
    /// - [`ErrorKind::Store`](crate::ErrorKind::Store) if the store failed or missed its deadline
    /// - [`ErrorKind::Conflict`](crate::ErrorKind::Conflict) if concurrent requests kept replacing
    ///   the token
    /// - [`ErrorKind::TooLarge`](crate::ErrorKind::TooLarge) if the data or the address is too long
    /// - [`ErrorKind::Data`](crate::ErrorKind::Data) if the data can't be serialized
    /// - [`ErrorKind::UnstableId`](crate::ErrorKind::UnstableId) if the text of the user's id does
    ///   not parse back to the same id
    /// - [`ErrorKind::Random`](crate::ErrorKind::Random) if the operating system returned no random
    ///   bytes
    ///
    /// # Panics
    /// Panics if a setting of the purpose is [invalid](Purpose::check).
    #[track_caller]
    pub fn issue(&self, user: &U, purpose: Purpose) -> Issue<U> {
        ConfigError::expect_none(purpose.check());
        Issue::to_user(self, user, purpose)
    }

    /// Looks at a token without using it: for the GET of a link. Returns the user and the data of a
    /// [valid](self#what-makes-a-token-valid) token, and `None` for any other text.
    ///
    /// # Errors
    /// - [`ErrorKind::Store`](crate::ErrorKind::Store) if the store failed or missed its deadline
    /// - [`ErrorKind::Loader`](crate::ErrorKind::Loader) if the user loader failed or missed its
    ///   deadline
    /// - [`ErrorKind::WrongUser`](crate::ErrorKind::WrongUser) if it returned a user with another
    ///   id than requested
    ///
    /// # Panics
    /// Panics if a setting of the purpose is [invalid](Purpose::check), or if it has codes.
    #[track_caller]
    pub fn peek(
        &self,
        token: &str,
        purpose: Purpose,
    ) -> impl Future<Output = Result<Option<Peeked<U>>, Error>> + Send + use<U> {
        let token = SessionToken::parse(token.as_bytes());
        self.clone().peek_at(token, purpose.expect_link())
    }

    /// Redeems a token: for the POST of a form. Returns the user and the data of a
    /// [valid](self#what-makes-a-token-valid) token, once, and `None` for any other text. Of
    /// several concurrent calls, only one succeeds.
    ///
    /// It is carried out completely even if the client hangs up.
    ///
    /// # Errors
    /// - those of [`peek`](Tokens::peek). After [`ErrorKind::Store`](crate::ErrorKind::Store) the
    ///   token may be used up
    /// - [`ErrorKind::Conflict`](crate::ErrorKind::Conflict) if concurrent requests kept changing
    ///   the token
    ///
    /// # Panics
    /// Panics if a setting of the purpose is [invalid](Purpose::check), or if it has codes.
    #[track_caller]
    pub fn redeem(
        &self,
        token: &str,
        purpose: Purpose,
    ) -> impl Future<Output = Result<Option<Redeemed<U>>, Error>> + Send + use<U> {
        let token = SessionToken::parse(token.as_bytes());
        finish(self.clone().redeem_now(token, purpose.expect_link()))
    }

    /// Redeems a code that a user has typed: see [Codes](self#codes). Spaces in it are ignored.
    ///
    /// If there is no such user, pass `None`: the result is the same as for a wrong code, and takes
    /// the same single read as for a user without a code. If the user has a code, a wrong guess
    /// also takes a write, to count the try.
    ///
    /// ```
    /// # use login_manager::{AuthUser, Error, tokens::{Purpose, Tokens}};
    /// # struct Account { id: i64 }
    /// # impl AuthUser for Account { type Id = i64; fn id(&self) -> i64 { self.id } }
    /// # async fn handler(tokens: Tokens<Account>, account: Account, typed: String) -> Result<(), Error> {
    /// let redeemed = tokens.redeem_code(&account, Purpose::code(), &typed).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// - those of [`redeem`](Tokens::redeem), when it is awaited. The try may have been counted
    ///
    /// # Panics
    /// Panics if a setting of the purpose is [invalid](Purpose::check), or if it has no codes.
    #[track_caller]
    pub fn redeem_code<'a>(
        &self,
        user: impl Into<Option<&'a U>>,
        purpose: Purpose,
        code: &str,
    ) -> RedeemCode<U> {
        purpose.expect_code();
        RedeemCode::new(self, user.into(), purpose, code)
    }

    /// The current address of a user, if the application has set how to read it, and it isn't
    /// empty.
    fn address_of<'a>(&self, user: &'a U) -> Option<&'a str> {
        let address = self.address.as_ref().map(|address| address(user));
        address.filter(|address| !address.is_empty())
    }

    fn knows_addresses(&self) -> bool {
        self.address.is_some()
    }
}

impl<U: AuthUser> Clone for Tokens<U> {
    fn clone(&self) -> Self {
        Self {
            realm: Arc::clone(&self.realm),
            load_user: Arc::clone(&self.load_user),
            address: self.address.clone(),
            sending: Arc::clone(&self.sending),
        }
    }
}

impl<U: AuthUser> fmt::Debug for Tokens<U> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tokens")
            .field("realm", &self.realm.name())
            .finish_non_exhaustive()
    }
}
