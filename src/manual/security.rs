//! Security: attack by attack, what the crate does, the OWASP ASVS requirement, and what is left to
//! you.
//!
//! Numbers such as *ASVS 7.2.4* are requirements of the OWASP [Application Security Verification
//! Standard](https://owasp.org/www-project-application-security-verification-standard/), version
//! 5.0.
//!
//! # Guessing a session
//!
//! *ASVS 7.2.1, 7.2.3, 14.2.1, 14.3.3.* A session secret is 256 random bits from the operating
//! system, twice what ASVS requires. If the system returns none, the login fails. The server checks
//! it in constant time against a SHA-256 digest. It is accepted from the cookie only, never from a
//! URL. Besides it, the cookie contains the session's id, and nothing about the user.
//!
//! There are no keys to store, rotate or lose: nothing is signed or encrypted. To end all sessions
//! in an incident, call [`logout_everyone`](crate::LoginManager::logout_everyone).
//!
//! # Session fixation
//!
//! *ASVS 7.2.4.* An attacker plants a session cookie of theirs in the victim's browser and waits
//! for the login. A login in an anonymous session, or in another user's, creates a new record with
//! a new id and secret before the response is sent, and closes the old record: its secret is
//! invalid at once, without the [grace](crate::manager::RememberMe::grace) for replaced secrets. A
//! further login of the same user, a confirmation, a restore and [`rotate`](crate::Auth::rotate)
//! replace the secret. A cookie that the store does not know is never adopted, and `__Host-`
//! cookies cannot be planted by a sibling domain or over plain http.
//!
//! **Left to you:** data moves from the anonymous session to the login, so an attacker who planted
//! the cookie can choose that data. Do not keep decisions about access in an anonymous session.
//!
//! # Stolen session cookies
//!
//! *ASVS 3.3.1, 3.3.2, 3.3.3, 3.3.4, 7.3.1, 7.3.2.* A script cannot read the cookie (`HttpOnly`),
//! an eavesdropper on the network does not see it (`Secure`), and other hosts cannot set it
//! (`__Host-`). An attacker who reads the store, or a backup of it, only finds digests of the
//! secrets.
//!
//! A copy of a session cookie is **not detected**. It is valid until the secret is rotated (plus
//! the grace) or the session ends: by a logout, by the idle or absolute timeout, or by a change of
//! the security stamp. The grace, 30 seconds by default, exists for requests that were sent before
//! a rotation and arrive after it. During the grace, a copy of the replaced secret is accepted,
//! too, but a request with it is not fresh, gets no new cookie, and cannot confirm or rotate. There
//! is no grace after [`logout_others`](crate::Auth::logout_others), or after a login with a changed
//! security stamp, for example after a change of password. To shorten the grace, use
//! [`RememberMe::grace`](crate::manager::RememberMe::grace).
//!
//! A session that is presented by a client with a different user agent is not fresh there, so it
//! does not pass a guard that requires a fresh login;
//! [`SessionProtection::Strong`](crate::manager::SessionProtection::Strong) ends it. This only
//! makes a stolen cookie harder to use: a thief who knows the user agent can imitate it.
//!
//! **Left to you:** https everywhere, with `Strict-Transport-Security`;
//! [timeouts](crate::LoginManager::with_timeouts) that fit the risk; escaping what users have
//! written, and a `Content-Security-Policy`, since a script in your page can act as the user
//! without reading the cookie.
//!
//! # Stolen remember cookies
//!
//! *ASVS 7.3.2.* The remember cookie holds a session id and two secrets. The *series secret* stays
//! the same until the next login and proves that its bearer once held a genuine cookie of this
//! login. The *token secret* is exchanged each time the cookie restores the login. By default the
//! cookie expires 30 days after the login, however often it is used, and a restored session is not
//! fresh.
//!
//! If a token secret that has already been exchanged is presented again, the crate assumes that the
//! cookie has been copied: the session ends, its cookies become invalid, and [an
//! event](crate::event::EventKind::RememberTheft) is emitted. A cookie with a wrong series secret
//! is ignored, so an attacker who only knows a session id cannot end the session.
//!
//! A browser can present a used token secret without a theft: it sends several requests at once, or
//! it loses a response. Therefore, during the grace, a request with a used token secret joins the
//! session. After the grace, the used secret still restores the login until the browser has shown
//! that it received the new one. See [`RememberGrace`](crate::manager::RememberGrace).
//!
//! **Left to you:** telling the user about a theft.
//!
//! # Replay after logout
//!
//! *ASVS 7.4.1, 14.3.1.* A logout deletes the session's record, and with it the remember cookie's
//! secrets. A concurrent request cannot bring it back: stores only update a record that exists, at
//! the version that was read. An attacker cannot log others out, either: a logout only deletes a
//! session to which a presented secret belongs.
//!
//! **Left to you:** a logout by POST that users can find on every page (7.4.4). The logout removes
//! the cookies of this crate. On shared computers, also clear the other data that the browser
//! stores for your site:
//!
//! ```
//! # use axum::response::{IntoResponse, Redirect};
//! # use login_manager::{Auth, AuthUser, Error};
//! # struct Account;
//! # impl AuthUser for Account { type Id = i64; fn id(&self) -> i64 { 1 } }
//! async fn logout(auth: Auth<Account>) -> Result<impl IntoResponse, Error> {
//!     auth.logout().await?;
//!     Ok(([("clear-site-data", r#""cache", "storage""#)], Redirect::to("/")))
//! }
//! ```
//!
//! The header is not sent by default: browsers may need seconds to clear their data, and
//! `"cookies"` would also remove those of other applications and of sibling domains.
//!
//! # Sessions that should have ended
//!
//! *ASVS 7.4.2, 7.4.3, 7.4.5, 7.5.2, 8.3.2.* The user is loaded for each request that needs it, so
//! a change of a role applies at once. An inactive or deleted user is logged out at the next
//! request. A new [security stamp](crate::AuthUser::security_stamp) ends every session of the user.
//! Users can [list and end](super::sessions_of_a_user) their sessions, and so can administrators.
//!
//! **Left to you:** replace the stamp together with the password or a factor, and call
//! [`auth.login`](crate::Auth::login) with the changed user: this browser stays logged in, and
//! every other session ends at its next request. [`logout_others`](crate::Auth::logout_others)
//! deletes them at once. If you only upgrade the parameters of a password hash, keep the stamp.
//!
//! # An unattended or stolen browser
//!
//! *ASVS 6.2.3, 7.3.1, 7.5.1, 7.5.3.* Sessions expire when they are not used. A guard can require a
//! [fresh login](super::fresh_logins) before a sensitive operation, limit its age, and require a
//! certain method. A restored session is not fresh until the user enters credentials again; a
//! request with an API key and an impersonation are never fresh.
//!
//! **Left to you:** requiring it for changes of the password, the e-mail address, a second factor
//! and payment details, and for creating API keys, and limiting its age with
//! [`within`](crate::guard::LoginRequiredLayer::within) or
//! [`with_fresh_for`](crate::LoginManager::with_fresh_for).
//!
//! # A stranger's browser
//!
//! *ASVS 6.3.5.* With [known browsers](super::sessions_of_a_user#known-browsers), the first login
//! of a user from a browser is an event, so that you can tell the user. The cookie that recognizes
//! the browser has 256 random bits, is replaced when the browser is trusted, and grants no access.
//! A trusted browser skips the second factor until the trust expires or the stamp changes; it never
//! skips the password.
//!
//! **Left to you:** the mail, and a page on which the user can end the session.
//!
//! # Cross-site request forgery
//!
//! *ASVS 3.5.1, 3.5.3, 3.3.2.* A form on another site can send a request to yours, and the browser
//! may send the user's cookie along (CSRF). `SameSite=Lax` is one line of defence: browsers send
//! the cookie from other sites only if the user follows a link. It is not enough by itself, since a
//! sibling domain is the same site.
//!
//! **Left to you:** put tower-http's
//! [`CsrfLayer`](https://docs.rs/tower-http/latest/tower_http/csrf/) around your application,
//! outside everything else. It rejects requests that the browser marks (`Sec-Fetch-Site`, `Origin`)
//! as sent from elsewhere, including those to the login form, so that users are not logged in to
//! another account without noticing. Change nothing on a GET, and log out by POST. For requests
//! that other sites may send, see [APIs, single-page apps and other
//! origins](super::apis#requests-from-other-sites).
//!
//! # Open redirects
//!
//! *ASVS 3.7.2.* Anyone can write `?next=`. [`NextPath`](crate::NextPath) accepts a path on this
//! site and nothing else, however it is encoded.
//!
//! **Left to you:** never redirect to a plain string from the request.
//!
//! # User enumeration
//!
//! *ASVS 6.3.8.* [`Passwords::verify`] takes the same time for a user who does not exist. A
//! throttle counts guesses for nonexistent names like any others.
//! [`Tokens::send`](crate::tokens::Tokens::send) returns at once, whether or not there is an
//! account, and no response reveals that the mail server failed. Every invalid token gets the same
//! response.
//!
//! **Left to you:** uniform responses of your own: one message for both a wrong name and a wrong
//! password, and one for every request for a reset. A registration form that reports a taken name
//! reveals who has an account; if that matters, send an e-mail instead.
//!
//! # Password guessing
//!
//! *ASVS 6.1.1, 6.3.1, 2.4.1.* A [throttle](super::passwords#throttling) counts each guess in the
//! store before it is checked, so an attacker gains nothing by guessing in parallel or on several
//! nodes. For each name, it counts the failures of all clients together; for each address, it
//! counts the names that the address tries. It slows attackers down and locks no user out, and each
//! [known browser](super::sessions_of_a_user#known-browsers) of the user has a count of its own. If
//! the store fails, no guess is checked. It also works for the codes of a second factor and for
//! one-time codes.
//!
//! **Left to you:** calling it in every handler that checks a secret, the refresh page included,
//! with the client's address (4.1.3, 15.3.4); watching
//! [`GuessFailed`](crate::event::EventKind::GuessFailed) for one password that is tried with many
//! names; and a description of the limits (6.1.1).
//!
//! # Weak passwords
//!
//! *ASVS 6.2.1, 6.2.4, 6.2.5, 6.2.10, 6.2.11, 6.2.12.* A [policy](super::passwords#new-passwords)
//! requires 15 characters, or 8 with a second factor, and rejects context-specific words and, if
//! these features are enabled, common and breached passwords. It requires no symbols, and no
//! password expires.
//!
//! **Left to you:** calling it wherever a password is set, and passing the context-specific words.
//!
//! # Stolen, replayed and forged links
//!
//! *ASVS 6.4.3, 6.5.1, 6.5.2, 6.5.4, 6.5.5, 6.6.2, 14.2.1.* The [token](crate::tokens) in a link
//! has 256 random bits, of which the store has a digest. It is accepted once, even if concurrent
//! requests present it, within its lifetime, for one purpose, and only while the user's stamp and
//! address are the same as when it was issued. So a reset makes all outstanding links invalid, and
//! neither a leaked backup of the store nor an old mail grants access. A code has 6 digits and
//! allows 5 attempts, each counted before it is checked, and can be [bound to the
//! browser](crate::tokens::Issue::bound_to) that requested it.
//!
//! **Left to you:** redeeming on POST only; taking the token out of the URL; building links from
//! your configuration and never from the `Host` header; mailing to the stored address; no login
//! after a reset; telling the user by mail about changes of the password or address (6.3.7). [Reset
//! a password](super::passwords#reset-a-password) does all of it.
//!
//! # Stolen API keys
//!
//! *ASVS 6.4.5, 7.2.3, 14.2.1.* A [key](super::apis#api-keys) has 256 random bits, of which the
//! store has a digest, and is accepted from the `Authorization` header only. Once it is revoked,
//! every node rejects it. Its lifetime must be chosen, its scopes limit what it can do, and it
//! passes no guard that requires a fresh login, so a thief can't create another one. Secret
//! scanners recognize its prefix and checksum.
//!
//! **Left to you:** creating keys only after a fresh login; mails when one is created and before
//! one expires; scopes on the routes; revoking the keys of a user whose account was taken over,
//! since a new password does not revoke them.
//!
//! # Support staff and impersonation
//!
//! An [impersonation](super::sessions_of_a_user#impersonation) is a session of its own. It needs a
//! fresh login of the actor, lasts an hour at most, ends with the actor's login, can't start
//! another one, and passes no guard that requires a fresh login, so it can't change the user's
//! credentials. The user sees it and can end it. The events of its requests name both users.
//!
//! **Left to you:** deciding who may impersonate whom; checking [`actor`](crate::Auth::actor)
//! before actions that only the user may perform; keeping the events. The cookie of an
//! impersonation can restore the actor's session, so it is as sensitive as the actor's own.
//!
//! # Stolen password hashes
//!
//! *ASVS 11.4.2, 6.2.9.* [`Passwords`] hashes with argon2id at the cost that OWASP's Password
//! Storage Cheat Sheet names as the minimum, and rejects a lower cost. Passwords of up to 4096
//! bytes are accepted and never truncated. They are normalized to NFC, as NIST SP 800-63B-4
//! (3.1.1.2) recommends, and not changed otherwise; ASVS 6.2.8 asks for no change at all.
//!
//! Hashes of [other systems](super::passwords#hashes-of-other-systems) are accepted, and
//! [`verify`][`Passwords::verify`] reports that they need a rehash. Until you replace them at the
//! user's next login, they are as weak as they were.
//!
//! **Left to you:** raising the [cost][`Passwords::with_cost`] as machines become faster, and
//! deleting the old hashes that remain after some months.
//!
//! # A second factor that is bypassed
//!
//! *ASVS 6.4.3.* An anonymous session grants no access, and neither does a half-completed login if
//! you implement it [as described](super::logging_in_and_out#a-second-factor): the visitor stays
//! anonymous until the second step.
//!
//! If only some pages need the factor, their guard can
//! [require](super::fresh_logins#by-a-certain-method) its method. The session records the method
//! when the code is checked, and drops it when a remember cookie restores the login.
//!
//! **Left to you:** the factors themselves (the example `second_factor` has authenticator app
//! codes, each accepted once, and recovery codes; 6.5.1, 6.5.2), and making sure that neither a
//! password reset nor another way to log in bypasses them.
//!
//! # Bypassing the guard
//!
//! *ASVS 8.2.1, 8.3.1, 16.5.2, 16.5.3.* The guard runs inside the router and sees the same request
//! as the handler, so no header and no other spelling of a path bypasses it. It also guards OPTIONS
//! and HEAD. If the store, a loader or a check fails, the response is 503; the request is never let
//! through and never treated as anonymous. [`except`](crate::guard::LoginRequiredLayer::except)
//! lets through exactly the paths that you name.
//!
//! **Left to you:** a route that you forget to guard is open. To deny access to forgotten routes,
//! [guard the whole router](super::guarding_pages#everything-except-what-you-list). Whether a user
//! may see *this* order is a question for the handler or for
//! [`and_authorize`](crate::guard::LoginRequiredLayer::and_authorize) (8.2.2).
//!
//! # Shared caches
//!
//! *ASVS 14.2.2, 14.3.2.* If the current user or the session was used, the response gets `Vary:
//! Cookie`, and `Cache-Control: no-store` unless the handler sets `Cache-Control` itself. A
//! response that sets or removes one of our cookies gets `no-store` even if the handler set
//! `public, max-age=60`; the handler's value is only kept if it contains `private` or `no-store`.
//! Such a response also loses `CDN-Cache-Control` and the like: a cookie in a shared cache would be
//! sent to everyone.
//!
//! # Leaking logs
//!
//! *ASVS 16.2.5, 16.3.1, 16.3.2, 16.5.1.* No secret, password, hash or cookie appears in a log
//! line, error or `Debug` output of this crate, and no response contains the cause of a failure.
//! (In debug builds only, if a manager is missing, the response says which layer to add.) Logins,
//! logouts, denied requests and failures are [events](super::events). The errors of your own store
//! or loader are only available from [`source`](std::error::Error::source) and
//! [`Event::cause`](crate::event::Event::cause).
//!
//! **Left to you:** logging whose password was wrong, if you need it: a throttle reports failed
//! guesses without a name, since users type passwords into the wrong field.
//!
//! # Denial of service
//!
//! *ASVS 16.5.2.* A malformed cookie costs no store call. Each call to the store or a loader has a
//! [deadline](crate::LoginManager::with_deadline). Anonymous visitors who only read create no
//! records. The data of a session is at most 64 KiB, and only a limited number of password checks
//! run at once, which bounds their memory. A stored hash with absurd parameters is rejected without
//! an allocation. A throttle reads at most 1 KiB of a name, and its counts expire. A user has at
//! most 50 API keys and 20 known browsers, and one token for each purpose.
//!
//! **Left to you:** limits on requests and bodies in front of the application; the example
//! `throttled_login` has one by address. Anyone can create anonymous sessions if a page inserts
//! session data or a flash message for anonymous visitors; they expire by the idle timeout. Anyone
//! can create counts by guessing made-up names, 30 a minute from each address.
//!
//! # Known limits
//!
//! - **A late response can look like a theft.** If a response that restores a login arrives after
//!   the grace, and the browser has restored the login by another request meanwhile, it overwrites
//!   the newer cookie. The next restore then presents a used token secret: the session ends, and
//!   the user logs in again.
//! - **The older of two responses may arrive last.** If both set cookies, the browser keeps the
//!   older ones. Requests with them are still accepted during the grace; after it, the user may
//!   have to log in again.
//! - **A lost response to a login without remember-me.** The browser never received the secret, so
//!   the user logs in again. The session that was created expires by its idle timeout.
//! - **A stolen session cookie is not detected.** It becomes invalid at the next rotation.
//! - **Anyone who can read a user's mail can reset the password.** A second factor, if there is
//!   one, is still required.
//! - **An attacker can make a user wait** for up to 15 minutes in a browser that is not known,
//!   while the guessing goes on. The reset by mail always works.
//! - **A copy of a replaced secret is accepted during the grace**, as described above. If another
//!   process exchanged the token secret, five minutes are added for clock skew, unless the grace is
//!   [`Strict`](crate::manager::RememberGrace::Strict).
//!
//! To report a vulnerability, see `SECURITY.md` in the repository.
//!
//! # Next
//!
//! [Troubleshooting](super::troubleshooting). Reference: [`Cookies`](crate::manager::Cookies),
//! [`NextPath`](crate::NextPath), [`SessionProtection`](crate::manager::SessionProtection),
//! [`RememberGrace`](crate::manager::RememberGrace), [`Passwords`], [`throttle`](crate::throttle),
//! [`tokens`](crate::tokens), [`api_keys`](crate::api_keys). [All pages](super).
//!
#![cfg_attr(feature = "argon2", doc = include_str!("links/argon2.md"))]
#![cfg_attr(not(feature = "argon2"), doc = include_str!("links/argon2_online.md"))]
