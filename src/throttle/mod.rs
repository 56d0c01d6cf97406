//! [`Throttle`]: limits how often passwords and codes can be guessed.
//!
//! Each guess is counted before it is checked. The first ones are free; after that, the next guess
//! has to wait, longer with each failure. Guesses are slowed down, not stopped. No handler sleeps,
//! and no password is hashed for a guess that has to wait.
//!
//! ```
//! # use std::net::IpAddr;
//! # use axum::response::{IntoResponse, Response, Result};
//! # use login_manager::{Auth, AuthUser};
//! # #[derive(Clone)] struct Account { name: String }
//! # impl AuthUser for Account { type Id = String; fn id(&self) -> String { self.name.clone() } }
//! # struct Form { username: String, password: String }
//! # struct App { throttle: Throttle }
//! # impl App { async fn verify(&self, form: &Form) -> Option<Account> { None } }
//! use login_manager::throttle::{Attempt, Throttle};
//!
//! // let throttle = login_manager.throttle(); // once, in `main`
//!
//! async fn log_in(app: App, auth: Auth<Account>, ip: IpAddr, form: Form) -> Result<Response> {
//!     let permit = match app.throttle.attempt(&form.username).from(ip).await? {
//!         Attempt::Permit(permit) => permit,
//!         Attempt::Wait(wait) => return Ok(wait.into_response()), // 429
//!     };
//!     let Some(account) = app.verify(&form).await else {
//!         return Ok("Wrong username or password".into_response()); // a dropped permit is a failure
//!     };
//!     permit.succeeded().await?;
//!     auth.login(account).await?;
//!     Ok("Welcome".into_response())
//! }
//! ```
//!
//! The counts are in the manager's store, so all nodes share them. The store contains digests, no
//! names and no addresses. [`logout_everyone`](crate::LoginManager::logout_everyone) deletes the
//! counts with everything else.
//!
//! # Lanes
//!
//! A guess is counted in up to two lanes, and waits if one of them makes it wait:
//!
//! - **its address**: how many different names it has tried within a minute. One name that is tried
//!   often counts once. IPv6 addresses count by their network (`/64`), and an IPv4 address that is
//!   written as an IPv6 one is the same address.
//! - **its name**: how many guesses have failed since the last success, from all clients together,
//!   so a botnet gets no more guesses than one client. Guesses from a [browser that the user has
//!   logged in with before](crate::Auth::known_browser) are counted separately for each such
//!   browser, so strangers can't make the owner wait there. Pass the browser to [`Guess::browser`].
//!
//! A guess that has to wait is not counted as a failure of its name, and does not prolong any wait.
//! A success clears the lane of the name in which it was counted, but not the lane of the address.
//!
//! While an attacker keeps guessing a name, the owner may have to wait, too, in a browser that is
//! not known. So the reset by mail must not depend on this count; call [`clear`](Throttle::clear)
//! after it.
//!
//! # Names
//!
//! A nonexistent name is counted like any other, so the responses don't reveal which names exist:
//! call [`attempt`](Throttle::attempt) whether or not you find a user, and before you check
//! anything.
//!
//! White space around the name is ignored, and so is the difference between upper and lower case.
//! If your lookup accepts other spellings for one user, such as other Unicode forms, normalize the
//! name first and pass the result to both; otherwise each spelling has guesses of its own. Don't
//! pass the stored name of the user that you found: if two spellings share a count, an attacker can
//! tell that the user exists. At most 1 KiB of a name is read. A guess without a name is counted
//! for its address only, each time as another name.
//!
//! # Addresses
//!
//! This crate reads no header. Pass the address of the connection
//! (`axum::extract::ConnectInfo<SocketAddr>`), or behind a proxy the one that your proxy has set,
//! for example with the crate `axum-client-ip`. If you trust a header that clients can send, an
//! attacker has as many addresses as they like; if all clients have the address of the proxy, they
//! share one count. Without an address, only the name is counted.
//!
//! # Challenges
//!
//! [`Permit::failures`] is the number of failures before a guess. To require a CAPTCHA from the
//! third one, check it before the password and drop the permit if it is missing or wrong.
//!
//! If `?` returns an error after the attempt, for example because the password hasher is busy, the
//! permit is dropped, too: the guess counts, although nothing was checked.
//!
//! # Other guesses
//!
//! Use the same type for everything short enough to be guessed, with a [name](Throttle::named) for
//! each kind, so that it has counts of its own: the codes of a second factor, recovery codes, a
//! password that is entered again for [`confirm`](crate::Auth::confirm). It also limits how many
//! mails are sent to one address if you drop the permit of each:
//!
//! ```
//! # use std::time::Duration;
//! # use login_manager::{AuthUser, LoginManager, MemoryStore};
//! # struct Account { id: i64 }
//! # impl AuthUser for Account { type Id = i64; fn id(&self) -> i64 { self.id } }
//! # let load = |id| async move { Some(Account { id }) };
//! # let login_manager = LoginManager::new(MemoryStore::new(), load);
//! const FIVE_MINUTES: Duration = Duration::from_secs(5 * 60);
//! let codes = login_manager.throttle().named("totp");
//! let mails = login_manager.throttle().named("reset-mail")
//!     .free(1).first_wait(FIVE_MINUTES).longest_wait(FIVE_MINUTES);
//! ```
//!
//! # Passwords that are tried with many names
//!
//! No count by name or address notices a botnet that tries one password with each of your users.
//! Each failure emits a [`GuessFailed`](crate::event::EventKind::GuessFailed) event, and
//! [`failures`](Throttle::failures) counts those of this process. Watch their rate, and require a
//! challenge from everyone while it is unusual.
//!
//! # Cost
//!
//! Two store calls for each lane (a load and a write), one if the guess has to wait or the address
//! has tried the name already, and one for a success. There is one more if an expired count has not
//! been [cleaned up](crate::LoginManager::cleanup), and two more each time that another guess
//! changed the count in between. By default, a count takes less than 300 bytes of a record's
//! payload and expires.
//!
//! # Numbers
//!
//! | | default | why |
//! |---|---|---|
//! | [`free`](Throttle::free) | 5 failures | typing errors; the same as in ASP.NET Core Identity |
//! | [`first_wait`](Throttle::first_wait) | 1 second, then doubled with each failure | NIST SP 800-63B-4 (3.2.2) names waits that grow from 30 seconds to an hour; these reach 30 seconds with the tenth failure |
//! | [`longest_wait`](Throttle::longest_wait) | 15 minutes | within that range; the longest that the owner may have to wait |
//! | [`forget_after`](Throttle::forget_after) | 24 hours after the first failure | with the above, at most 109 guesses a day for each name, of the same order as the 100 consecutive failures of NIST SP 800-63B-4 (3.2.2) |
//! | [`names_per_address`](Throttle::names_per_address) | 30 different names a minute | more than people behind one address enter, far less than a list of names |
//! | [`stop_after`](Throttle::stop_after) | never | a stop lets anyone lock any user out |
//!
//! In the manual: [Throttling](crate::manual::passwords#throttling).

mod count;
mod guess;
mod limits;
mod wait;

use std::{
    fmt,
    net::IpAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use base64ct::{Base64UrlUnpadded, Encoding as _};

use self::limits::Limits;
pub use self::{
    guess::{Attempt, Guess, Permit},
    wait::Wait,
};
use crate::{
    auth::KnownBrowser,
    entry::EntryKey,
    error::{ConfigError, Error},
    manager::LoginManager,
    realm::Realm,
    store::{Digest, Digester},
    user::AuthUser,
};

/// The part of a name that is read.
const LONGEST_NAME: usize = 1024;

/// Limits how often passwords and codes can be guessed: see the [module](self). Created by
/// [`LoginManager::throttle`].
///
/// It is cheap to clone; clones share [`failures`](Throttle::failures). The methods that configure
/// it panic if a value is invalid.
#[derive(Clone)]
pub struct Throttle {
    realm: Arc<Realm>,
    /// The kind of secret that is guessed.
    kind: Arc<str>,
    limits: Limits,
    digester: Digester,
    failures: Arc<AtomicU64>,
}

impl<U: AuthUser> LoginManager<U> {
    /// Returns a [throttle](crate::throttle) for guesses of passwords, in the store of this
    /// manager. Configure the manager first: the throttle keeps a copy of its current settings.
    #[must_use]
    pub fn throttle(&self) -> Throttle {
        let realm = Arc::clone(self.realm());
        Throttle {
            kind: "login".into(),
            limits: Limits::new(),
            digester: realm.digester("throttle"),
            failures: Arc::default(),
            realm,
        }
    }
}

impl Throttle {
    /// Sets what is guessed. Each kind has counts of its own. Default: `login`.
    ///
    /// # Panics
    /// Panics if it is not 1 to 64 ASCII letters, digits, hyphens and underscores.
    #[must_use]
    #[track_caller]
    pub fn named(mut self, kind: &str) -> Self {
        ConfigError::expect_none(check_kind(kind));
        self.kind = kind.into();
        self.failures = Arc::default();
        self
    }

    /// Sets how many failures are free: only guesses after them have to wait. Default: 5.
    ///
    /// # Panics
    /// Panics if it is 0.
    #[must_use]
    #[track_caller]
    pub fn free(self, failures: usize) -> Self {
        self.setting(|limits| limits.set_free(failures))
    }

    /// Sets the wait after the last free failure. Each further failure doubles it. Default: 1
    /// second.
    ///
    /// # Panics
    /// Panics if it is less than a second or more than 400 days.
    #[must_use]
    #[track_caller]
    pub fn first_wait(self, wait: Duration) -> Self {
        self.setting(|limits| limits.set_first_wait(wait))
    }

    /// Sets the longest wait. Default: 15 minutes.
    ///
    /// # Panics
    /// Panics if it is less than a second or more than 400 days.
    #[must_use]
    #[track_caller]
    pub fn longest_wait(self, wait: Duration) -> Self {
        self.setting(|limits| limits.set_longest_wait(wait))
    }

    /// Sets how long after its first failure a count is forgotten, and its wait with it. Default:
    /// 24 hours.
    ///
    /// # Panics
    /// Panics if it is less than a second or more than 400 days.
    #[must_use]
    #[track_caller]
    pub fn forget_after(self, time: Duration) -> Self {
        self.setting(|limits| limits.set_forget_after(time))
    }

    /// Sets how many different names an address may try within a minute. Default: 30. Raise it if
    /// many of your users share an address and log in at the same time, as a school does.
    ///
    /// # Panics
    /// Panics if it is 0 or more than 1024.
    #[must_use]
    #[track_caller]
    pub fn names_per_address(self, names: usize) -> Self {
        self.setting(|limits| limits.set_names_per_address(names))
    }

    /// Rejects further guesses for a name after this many failures, until
    /// [`clear`](Throttle::clear) is called, for at most 400 days. Default: never.
    ///
    /// With this setting, **anyone can lock out any user whose name they know**. Use it only if a
    /// regulation requires it, and only with a reset by mail that is not stopped itself, calls
    /// `clear`, and is explained to users who are locked out. Failures are counted together if they
    /// occur within [`forget_after`](Throttle::forget_after) of the first one.
    ///
    /// Call it for every throttle with this [name](Throttle::named), on every node: a throttle
    /// without it mistakes the long wait for a clock error, and lifts it.
    ///
    /// # Panics
    /// Panics if it is 0.
    #[must_use]
    #[track_caller]
    pub fn stop_after(self, failures: usize) -> Self {
        self.setting(|limits| limits.set_stop_after(failures))
    }

    /// Counts a guess for this name when it is awaited, before you check it: see [`Guess`].
    ///
    /// Pass the name in the form in which you look it up, whether or not you find a user: see
    /// [names](self#names).
    pub fn attempt<'a>(&'a self, name: &'a str) -> Guess<'a> {
        Guess::new(self, name)
    }

    /// Forgets the failures of a name. Call it after the password has been reset by mail, or on an
    /// administrator's request.
    ///
    /// # Errors
    /// - [`ErrorKind::Store`](crate::ErrorKind::Store) if the store failed or missed its deadline
    pub async fn clear(&self, name: &str) -> Result<(), Error> {
        if let Some(name) = self.name_digest(name) {
            self.realm.delete_all(&self.owner(&name), None).await?;
        }
        Ok(())
    }

    /// Returns how many permitted guesses have failed, for all names together. This counts only the
    /// guesses of this process, by this throttle and its clones, and costs no store call.
    #[must_use]
    pub fn failures(&self) -> u64 {
        self.failures.load(Ordering::Relaxed)
    }

    #[track_caller]
    fn setting(mut self, set: impl FnOnce(&mut Limits) -> Result<(), ConfigError>) -> Self {
        ConfigError::expect_none(set(&mut self.limits));
        self
    }
}

/// The keys of the counts. Each name and each address is an owner, so that one call clears a name.
impl Throttle {
    /// `None` for an empty name.
    fn name_digest(&self, name: &str) -> Option<Digest> {
        let name = name.trim();
        let end = (0..=name.len().min(LONGEST_NAME))
            .rev()
            .find(|end| name.is_char_boundary(*end));
        let name = name.get(..end?).filter(|name| !name.is_empty())?;
        Some(self.digest("name", name.to_lowercase().as_bytes()))
    }

    fn name_key(&self, name: &Digest) -> EntryKey {
        EntryKey::named(self.owner(name), name)
    }

    fn browser_key(&self, name: &Digest, browser: &KnownBrowser) -> EntryKey {
        let digest = [name.0, browser.digest().0].concat();
        EntryKey::named(self.owner(name), &self.digest("browser", &digest))
    }

    fn address_key(&self, address: IpAddr) -> EntryKey {
        let address = match address.to_canonical() {
            IpAddr::V4(address) => self.digest("address", &address.octets()),
            IpAddr::V6(address) => {
                let network = address.segments().into_iter().take(4);
                let network: Vec<u8> = network.flat_map(u16::to_be_bytes).collect();
                self.digest("address", &network)
            }
        };
        EntryKey::named(self.owner(&address), &address)
    }

    fn digest(&self, lane: &str, of: &[u8]) -> Digest {
        self.digester
            .parts(&[self.kind.as_bytes(), lane.as_bytes(), of])
    }

    fn owner(&self, digest: &Digest) -> Arc<str> {
        let name = Base64UrlUnpadded::encode_string(&digest.0);
        self.realm.entry_owner("throttle", &name)
    }
}

fn check_kind(kind: &str) -> Result<(), ConfigError> {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    match (1..=64).contains(&kind.len()) && kind.bytes().all(is_plain) {
        true => Ok(()),
        false => Err(ConfigError::new(
            "Throttle::named",
            kind,
            "a kind is 1 to 64 ASCII letters, digits, hyphens and underscores",
        )),
    }
}

impl fmt::Debug for Throttle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Throttle")
            .field("realm", &self.realm.name())
            .field("kind", &self.kind)
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}
