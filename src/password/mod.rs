//! Hashing and checking passwords.
//!
//! [`Passwords`] is all that a login form needs. Its defaults and their sources:
//!
//! - **argon2id with 19 MiB, 2 passes and 1 lane** is the minimum of the OWASP Password Storage
//!   Cheat Sheet. Less is rejected; for more, call [`with_cost`](Passwords::with_cost). The salt is
//!   16 random bytes from the operating system, the tag is 32 bytes (RFC 9106). Hashes are PHC
//!   strings, which contain their parameters.
//! - **Off the async threads, one hash per core at a time.** Simultaneous logins are queued instead
//!   of exhausting the memory: the peak is [slots](Passwords::with_max_concurrent) ×
//!   [memory](Argon2Cost::memory_kib). A stored hash that needs more memory takes several slots, or
//!   all of them. A caller that gets no slot within 5 seconds receives
//!   [`Busy`](PasswordError::Busy).
//! - **Timing does not reveal who has an account.** An unknown user, a wrong password, an account
//!   without a password and a cheaper stored hash all take the work of one hash with the current
//!   cost. (Until it is replaced, a cheaper hash may still be a tenth faster, since less memory
//!   fits the processor's caches better.) A stored hash with a higher cost takes longer, so raise
//!   the cost rather than lower it.
//! - **At most 4096 bytes, never truncated.** Longer passwords are rejected before any hashing, for
//!   all users alike. NIST SP 800-63B-4 (3.1.1.2) requires that at least 64 characters are
//!   accepted, and forbids truncation.
//! - **NFC normalization and nothing else.** Keyboards may encode é in two ways, so both are
//!   normalized, as NIST recommends. Spaces, case, look-alikes and NUL are significant.
//! - **Stored hashes are untrusted input.** A hash that cannot be parsed, or that requires more
//!   than 1 GiB, 64 passes or 16 lanes, matches no password. It causes neither an error nor a
//!   panic, and no allocation.
//!
//! # New passwords
//!
//! `Passwords` accepts every password that isn't empty. When a user chooses one, check it with a
//! [`PasswordPolicy`] first: its minimum length, the words of its context, and with the feature
//! `common-passwords` a list of the most common passwords. With the feature `breached-passwords`,
//! `BreachedPasswords` looks a password up in a file of those that were found in data breaches.
//!
//! # Hashes of other systems
//!
//! An application that replaces another one can keep its users' hashes. [`Passwords::verify`]
//! checks them, and the verdict is [outdated](Verdict::ValidOutdated), so that the login handler
//! replaces each hash at the user's next login. New hashes are always argon2id.
//!
//! | made by | stored as | feature |
//! |---|---|---|
//! | Werkzeug (Flask) | `scrypt:32768:8:1$…` | `scrypt` |
//! | | `pbkdf2:sha256:1000000$…`, `sha1`, `sha512` | `pbkdf2` |
//! | Django | `pbkdf2_sha256$…`, `pbkdf2_sha1$…` | `pbkdf2` |
//! | | `bcrypt_sha256$$2b$…`, `bcrypt$$2b$…` | `bcrypt` |
//! | | `scrypt$…` | `scrypt` |
//! | | `argon2$argon2id$…` | |
//! | passlib | `$pbkdf2-sha256$29000$…`, `$pbkdf2-sha512$…`, `$pbkdf2$…` | `pbkdf2` |
//! | Devise (Rails, without a pepper), PHP, passlib | `$2a$`, `$2y$`, `$2b$` | `bcrypt` |
//! | password-auth, RustCrypto, passlib | `$pbkdf2-sha256$i=…`; `$scrypt$ln=…` | `pbkdf2`; `scrypt` |
//! | password-auth, Phoenix, PHP, passlib | `$argon2id$…`, `$argon2i$…` | |
//!
//! Each feature also enables `argon2`. The argon2 hashes are judged by their cost, like this
//! crate's own: if they are at least as strong as a new one, they are kept. Differences from the
//! hashes of this crate:
//!
//! - **The password is hashed as received**, without NFC normalization, as the other system did.
//! - **bcrypt only uses the first 72 bytes** of a password. Until the hash is replaced, a password
//!   with the same beginning is accepted, as it was by the other system. A password with a NUL is
//!   not.
//! - **A check takes longer**: the work of one hash with the current cost, plus that of the other
//!   algorithm. The time reveals who has not logged in since the move. So limit the duration of the
//!   transition: after some months, delete the hashes that remain, and let their users reset the
//!   password.
//!
//! These limits bound the work that a stored hash can cause. A hash beyond them, or whose feature
//! is not enabled, matches no password, and a warning is logged.
//!
//! | | limit | source |
//! |---|---|---|
//! | bcrypt | cost 4 to 16 | bcrypt's minimum; OWASP's is 10, values of 10 to 14 are common, and each step doubles the time |
//! | PBKDF2 | 1000 to 10 million rounds | the minimum of NIST SP 800-132 (5.2); 10 times Django's default |
//! | scrypt | 256 MiB, 16 lanes, 1 GiB in all lanes | twice the memory of OWASP's first option, which has one lane |
//!
//! A check at a limit takes a few seconds, and occupies slots like any other check.
//!
//! In the manual: [Passwords, resets and throttling](crate::manual::passwords).
//!
//! # Debug builds
//!
//! Without optimization, argon2 takes more than ten times as long. Add these lines to the
//! `Cargo.toml` of your application (or workspace), so that logins are not slow during
//! development:
//!
//! ```toml
//! [profile.dev.package]
//! argon2.opt-level = 3
//! blake2.opt-level = 3
//! ```
//!
//! For hashes of other systems, do the same with `bcrypt` and `blowfish`, `scrypt`, or `pbkdf2`,
//! `sha1` and `sha2`.

mod argon2_hash;
#[cfg(feature = "breached-passwords")]
mod breached;
#[cfg(feature = "common-passwords")]
mod common;
mod cost;
mod error;
mod hasher;
mod other;
mod plaintext;
mod policy;
mod scheme;
mod slots;
mod stored;
mod verdict;
mod weakness;

use std::{fmt, num::NonZeroUsize, time::Duration};

use rand::{TryRng, rngs::SysRng};

use self::{hasher::Hasher, plaintext::Plaintext, slots::Slots};

pub(crate) use self::stored::Stored;
use crate::error::ConfigError;

#[cfg(feature = "breached-passwords")]
pub use self::breached::BreachedPasswords;
pub use self::{
    cost::Argon2Cost, error::PasswordError, policy::PasswordPolicy, verdict::Verdict,
    weakness::Weakness,
};

/// Hashes and checks passwords, in bounded memory and off the async threads.
///
/// Create one and clone it wherever it is needed: clones share the slots that bound the memory. The
/// [module documentation](self) explains the defaults.
///
/// ```
/// use login_manager::{password::PasswordError, Passwords};
/// # struct Account { password_hash: String }
/// # struct Accounts;
/// # impl Accounts {
/// #     async fn find_by_name(&self, _name: &str) -> Option<Account> { None }
/// #     async fn replace_hash(&self, _account: &Account, _hash: &str) {}
/// # }
///
/// async fn check(
///     accounts: &Accounts,
///     passwords: &Passwords,
///     name: &str,
///     password: &str,
/// ) -> Result<Option<Account>, PasswordError> {
///     let account = accounts.find_by_name(name).await;
///     // Check the password even if there is no such account, so that the time does not reveal it.
///     let verdict = passwords.verify(password, account.as_ref().map(|a| &*a.password_hash)).await?;
///     let Some(account) = account.filter(|_| verdict.is_valid()) else {
///         return Ok(None);
///     };
///     if verdict.needs_rehash() {
///         // If this fails, log the user in anyway; the next login tries again.
///         if let Ok(hash) = passwords.hash(password).await {
///             // UPDATE accounts SET password_hash = $new WHERE id = $id AND password_hash = $old
///             accounts.replace_hash(&account, &hash).await;
///         }
///     }
///     Ok(Some(account))
/// }
/// ```
///
/// In the manual: [Passwords, resets and throttling](crate::manual::passwords).
#[derive(Clone)]
pub struct Passwords {
    hasher: Hasher,
    slots: Slots,
}

impl Passwords {
    /// The maximum length of a password, in bytes of UTF-8 as received: 4096.
    pub const MAX_BYTES: usize = 4096;

    /// Creates a hasher with [`Argon2Cost::OWASP_MINIMUM`] and one slot per core, which waits at
    /// most 5 seconds for a slot.
    #[must_use]
    pub fn new() -> Self {
        Self {
            hasher: Hasher::new(Argon2Cost::OWASP_MINIMUM),
            slots: Slots::per_core(Duration::from_secs(5)),
        }
    }

    /// Sets the cost of new hashes. [`verify`](Self::verify) then reports every weaker stored hash
    /// as [outdated](Verdict::ValidOutdated).
    ///
    /// ```
    /// use login_manager::{password::Argon2Cost, Passwords};
    ///
    /// let passwords = Passwords::new().with_cost(Argon2Cost::RFC_9106_LOW_MEMORY)?;
    /// let passwords = Passwords::new().with_cost(Argon2Cost::new(47_104, 2, 1))?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Returns a [`ConfigError`] with the given cost and the accepted range if the cost
    /// - is below all equivalent minima of the OWASP Password Storage Cheat Sheet: 47104 KiB with 1
    ///   pass, 19456 with 2, 12288 with 3, 9216 with 4, 7168 with 5;
    /// - is above 1 GiB, 64 passes or 16 lanes, or has no lane.
    pub fn with_cost(mut self, cost: Argon2Cost) -> Result<Self, ConfigError> {
        self.hasher = Hasher::new(cost.checked()?);
        Ok(self)
    }

    /// Sets how many passwords are hashed or checked at once. Default: one per core
    /// ([`available_parallelism`](std::thread::available_parallelism)).
    ///
    /// More than one per core takes more memory and is not faster. Clones made before this call
    /// keep their own slots.
    #[must_use]
    pub fn with_max_concurrent(mut self, slots: NonZeroUsize) -> Self {
        self.slots = Slots::new(slots, self.slots.max_wait);
        self
    }

    /// Sets how long to wait for a slot before [`Busy`](PasswordError::Busy) is returned. Default:
    /// 5 seconds.
    #[must_use]
    pub fn with_max_wait(mut self, max_wait: Duration) -> Self {
        self.slots.max_wait = max_wait;
        self
    }

    /// Hashes a password for storage. Returns a PHC string (97 characters with the default cost)
    /// with a new random salt.
    ///
    /// # Errors
    ///
    /// - [`TooLong`](PasswordError::TooLong) if the password is longer than
    ///   [`MAX_BYTES`](Self::MAX_BYTES), [`Empty`](PasswordError::Empty) if it is empty
    /// - [`Busy`](PasswordError::Busy) if no slot became free in time
    /// - [`NoRuntime`](PasswordError::NoRuntime) outside a tokio runtime
    /// - [`Random`](PasswordError::Random) if the operating system returned no random bytes
    /// - [`Failed`](PasswordError::Failed) if there is not enough memory,
    ///   [`Panicked`](PasswordError::Panicked)
    pub async fn hash(&self, password: impl Into<String>) -> Result<String, PasswordError> {
        let password = Plaintext::receive(password)?;
        if password.is_empty() {
            return Err(PasswordError::Empty);
        }
        let hasher = self.hasher.clone();
        self.slots
            .run(move || hasher.hash(&password, salt(&mut SysRng)?))
            .await
    }

    /// Checks a password against a stored hash, and whether that hash should be replaced.
    ///
    /// Pass `None` if there is no such user or the user has no password. The result is then
    /// [`Invalid`](Verdict::Invalid) and takes as long as any other. The same holds for an empty
    /// password, and for a stored hash that can't be checked. argon2i and argon2d hashes, and those
    /// of [other systems](self#hashes-of-other-systems), are checked and reported as
    /// [outdated](Verdict::ValidOutdated).
    ///
    /// # Errors
    ///
    /// No error reveals whether there is such a user:
    /// - [`Busy`](PasswordError::Busy) if no slot became free in time
    /// - [`NoRuntime`](PasswordError::NoRuntime) outside a tokio runtime
    /// - [`Failed`](PasswordError::Failed) if there is not enough memory,
    ///   [`Panicked`](PasswordError::Panicked)
    pub async fn verify(
        &self,
        password: impl Into<String>,
        stored: Option<&str>,
    ) -> Result<Verdict, PasswordError> {
        // Over-long passwords are rejected without hashing. No account can have one, so the
        // shortcut reveals nothing.
        let Ok(password) = Plaintext::receive(password) else {
            return Ok(Verdict::Invalid);
        };
        // An empty password is never valid, even if a stored hash matches it.
        let stored = stored.filter(|_| !password.is_empty()).and_then(|text| {
            let stored = Stored::parse(text);
            #[cfg(feature = "tracing")]
            if stored.is_none() {
                tracing::warn!(
                    "a stored password hash matches no password: it can't be parsed, needs more \
                     work than is allowed, or needs a feature (`bcrypt`, `pbkdf2`, `scrypt`)"
                );
            }
            stored
        });
        let hasher = self.hasher.clone();
        let memory_kib = stored.as_ref().map_or(0, Stored::memory_kib);
        let slots = memory_kib.div_ceil(hasher.cost.memory_kib());
        self.slots
            .run_in(slots, move || hasher.verify(&password, stored.as_ref()))
            .await
    }
}

impl Default for Passwords {
    /// Calls [`Passwords::new`].
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Passwords {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Passwords")
            .field("cost", &self.hasher.cost)
            .field("free_slots", &self.slots.free.available_permits())
            .field("max_wait", &self.slots.max_wait)
            .finish()
    }
}

fn salt<R>(random: &mut R) -> Result<[u8; scheme::SALT_BYTES], PasswordError>
where
    R: TryRng<Error: Send + Sync + 'static>,
{
    let mut salt = [0; scheme::SALT_BYTES];
    match random.try_fill_bytes(&mut salt) {
        Ok(()) => Ok(salt),
        Err(error) => Err(PasswordError::Random(error.into())),
    }
}

#[cfg(test)]
mod tests {
    use std::{
        collections::HashSet,
        error::Error as _,
        sync::{Arc, atomic::Ordering},
    };

    use super::*;

    const FULL: u32 = 64 * 2;

    impl Passwords {
        fn cheap() -> Self {
            Self {
                hasher: Hasher::new(Argon2Cost::new(64, 2, 1)),
                ..Self::new()
            }
        }

        /// The KiB filled since the last call.
        fn spent(&self) -> u32 {
            self.hasher.spent.swap(0, Ordering::Relaxed)
        }
    }

    #[tokio::test]
    async fn new_hash_is_argon2id_at_the_owasp_minimum() {
        let passwords = Passwords::default();
        let hash = passwords
            .hash("correct horse battery staple")
            .await
            .unwrap();
        assert!(
            hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"),
            "{hash}"
        );
        assert_eq!(hash.len(), 97);
        let parts: Vec<_> = hash.split('$').collect();
        assert_eq!((parts[4].len(), parts[5].len()), (22, 43));
        let verdict = passwords
            .verify("correct horse battery staple", Some(&hash))
            .await;
        assert_eq!(verdict.unwrap(), Verdict::Valid);
        assert_eq!(passwords.spent(), 2 * 2 * 19_456);
    }

    #[test]
    fn cost_below_the_minimum_is_rejected() {
        let refusal = Passwords::new()
            .with_cost(Argon2Cost::new(19_456, 1, 1))
            .unwrap_err();
        assert!(refusal.to_string().contains("m=19456,t=1,p=1"), "{refusal}");
        let passwords = Passwords::new()
            .with_cost(Argon2Cost::RFC_9106_LOW_MEMORY)
            .unwrap();
        assert_eq!(passwords.hasher.cost, Argon2Cost::new(65_536, 3, 4));
    }

    #[test]
    fn salts_never_repeat() {
        let salts: HashSet<_> = (0..10_000).map(|_| salt(&mut SysRng).unwrap()).collect();
        assert_eq!(salts.len(), 10_000);
    }

    #[tokio::test]
    async fn one_password_has_a_different_hash_each_time() {
        let passwords = Passwords::cheap();
        assert_ne!(
            passwords.hash("same").await.unwrap(),
            passwords.hash("same").await.unwrap()
        );
    }

    #[test]
    fn failing_random_source_is_an_error() {
        struct Broken;
        impl TryRng for Broken {
            type Error = fmt::Error;
            fn try_next_u32(&mut self) -> Result<u32, Self::Error> {
                Err(fmt::Error)
            }
            fn try_next_u64(&mut self) -> Result<u64, Self::Error> {
                Err(fmt::Error)
            }
            fn try_fill_bytes(&mut self, _: &mut [u8]) -> Result<(), Self::Error> {
                Err(fmt::Error)
            }
        }
        let error = salt(&mut Broken).unwrap_err();
        assert!(matches!(error, PasswordError::Random(_)));
        assert!(error.source().is_some());
    }

    #[tokio::test]
    async fn weaker_hash_is_reported_until_it_is_replaced() {
        let passwords = Passwords::cheap();
        let old = Passwords {
            hasher: Hasher::new(Argon2Cost::new(32, 2, 1)),
            ..Passwords::new()
        };
        let hash = old.hash("right").await.unwrap();
        assert!(
            !passwords
                .verify("wrong", Some(&hash))
                .await
                .unwrap()
                .needs_rehash()
        );
        assert!(
            passwords
                .verify("right", Some(&hash))
                .await
                .unwrap()
                .needs_rehash()
        );
        let renewed = passwords.hash("right").await.unwrap();
        assert_eq!(
            passwords.verify("right", Some(&renewed)).await.unwrap(),
            Verdict::Valid
        );
        assert_eq!(
            old.verify("right", Some(&renewed)).await.unwrap(),
            Verdict::Valid
        );
    }

    #[tokio::test]
    async fn too_long_password_is_rejected_without_hashing() {
        let passwords = Passwords::cheap();
        let hash = passwords.hash("right").await.unwrap();
        passwords.spent();
        let long = "a".repeat(4097);
        for stored in [Some(&*hash), None, Some(""), Some("$argon2id$broken")] {
            let verdict = passwords.verify(&*long, stored).await.unwrap();
            assert_eq!(verdict, Verdict::Invalid);
        }
        let refused = passwords.hash(&*long).await.unwrap_err();
        assert!(matches!(refused, PasswordError::TooLong { limit: 4096 }));
        assert_eq!(passwords.spent(), 0);
    }

    #[tokio::test]
    async fn composed_and_decomposed_accents_are_one_password() {
        let passwords = Passwords::cheap();
        for (set, typed) in [("caf\u{e9}", "cafe\u{301}"), ("cafe\u{301}", "caf\u{e9}")] {
            let hash = passwords.hash(set).await.unwrap();
            assert!(
                passwords
                    .verify(typed, Some(&hash))
                    .await
                    .unwrap()
                    .is_valid()
            );
        }
        for (set, typed) in [
            ("ﬁ", "fi"),
            (" a", "a"),
            ("a ", "a"),
            ("A", "a"),
            ("a\0b", "a"),
            ("a\0b", "a\0c"),
        ] {
            let hash = passwords.hash(set).await.unwrap();
            assert!(passwords.verify(set, Some(&hash)).await.unwrap().is_valid());
            assert!(
                !passwords
                    .verify(typed, Some(&hash))
                    .await
                    .unwrap()
                    .is_valid(),
                "{set:?} {typed:?}"
            );
        }
    }

    #[tokio::test]
    async fn missing_or_unusable_hash_matches_no_password() {
        let passwords = Passwords::cheap();
        let hash = passwords.hash("right").await.unwrap();
        let of_nothing = hash_of_nothing();
        passwords.spent();
        for (password, stored) in [
            ("right", None),
            ("right", Some("")),
            ("right", Some("!")),
            ("right", Some("right")),
            (
                "right",
                Some(
                    "$argon2id$v=19$m=4294967295,t=4294967295,p=16777215$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEg",
                ),
            ),
            (
                "right",
                Some("$2b$12$R9h/cIPz0gi.URNNX3kh2OPST9/PgBkqquzi.Ss7KIUgO2t0jWMUW"),
            ),
            ("", None),
            ("", Some("")),
            ("", Some(&*hash)),
            ("", Some(&*of_nothing)),
            ("wrong", Some(&*hash)),
        ] {
            let verdict = passwords.verify(password, stored).await.unwrap();
            assert_eq!(verdict, Verdict::Invalid, "{password:?} {stored:?}");
            assert_eq!(passwords.spent(), FULL, "{password:?} {stored:?}");
        }
    }

    fn hash_of_nothing() -> String {
        let nothing = Plaintext::receive("").unwrap();
        let hash = Passwords::cheap()
            .hasher
            .hash(&nothing, [0; scheme::SALT_BYTES]);
        hash.unwrap()
    }

    #[tokio::test]
    async fn empty_password_is_rejected() {
        let refused = Passwords::cheap().hash("").await.unwrap_err();
        assert!(matches!(refused, PasswordError::Empty));
    }

    #[tokio::test(start_paused = true)]
    async fn clones_share_the_slots() {
        let passwords = Passwords::cheap()
            .with_max_concurrent(NonZeroUsize::MIN)
            .with_max_wait(Duration::from_millis(1));
        let clone = passwords.clone();
        let taken = Arc::clone(&passwords.slots.free)
            .try_acquire_owned()
            .unwrap();
        assert!(matches!(
            clone.verify("right", None).await,
            Err(PasswordError::Busy)
        ));
        assert!(matches!(
            clone.hash("right").await,
            Err(PasswordError::Busy)
        ));
        drop(taken);
        assert!(clone.hash("right").await.is_ok());
    }

    #[tokio::test]
    async fn debug_prints_no_passwords_or_hashes() {
        let passwords = Passwords::cheap();
        let hash = passwords.hash("hunter2").await.unwrap();
        let verdict = passwords.verify("hunter2", Some(&hash)).await.unwrap();
        let refused = passwords.hash("hunter2".repeat(1000)).await.unwrap_err();
        let shown = format!("{passwords:?} {verdict:?} {refused:?} {refused}");
        assert!(
            !shown.contains("hunter2") && !shown.contains('$'),
            "{shown}"
        );
    }

    #[test]
    fn a_login_handler_can_await_it() {
        fn send(_: impl Future<Output: Send> + Send) {}
        let passwords = Passwords::cheap();
        let account = Some((7, String::from("$argon2id$…")));
        send(async move {
            let form = String::from("right");
            let stored = account.as_ref().map(|(_, hash)| &**hash);
            let verdict = passwords.verify(form, stored).await?;
            Ok::<_, PasswordError>(account.filter(|_| verdict.is_valid()))
        });
    }
}
