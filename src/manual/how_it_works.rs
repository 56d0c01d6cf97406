//! How it works: the path of a request, from the cookie to the response.
//!
//! You provide a user type and a function that loads a user by id. The crate keeps one *session*
//! for each browser: one record in your store, and a cookie with which the browser proves that the
//! record is its own.
//!
#![doc = include_str!("request.svg")]
//!
//! 1. The browser sends a request, with the session cookie if it has one.
//! 2. The [`LoginManager`](crate::LoginManager) is a tower layer. It attaches an
//!    [`Auth`](crate::Auth) to the request and reads nothing: no cookie, no store.
//! 3. A guard, an extractor or a call to [`Auth::user`](crate::Auth::user) needs the current user.
//!    Only then is the cookie parsed and the session's record read. The secret in the cookie must
//!    match the digest in the record, and the session must not have expired.
//! 4. The user is loaded. The user must have the id that is stored with the session, be
//!    [active](crate::AuthUser::is_active), and have the same [security
//!    stamp](crate::AuthUser::security_stamp) as at the login.
//! 5. The guard decides. A request that is denied never reaches the handler: it is redirected to
//!    the login page, or gets a 401 or 403.
//! 6. Otherwise the handler runs. The operations of `Auth`, such as [`login`](crate::Auth::login)
//!    and [`logout`](crate::Auth::logout), change the store at once.
//! 7. The handler returns its response.
//! 8. The manager saves the session data that the handler has changed.
//! 9. It adds the cookies that have changed, and headers that keep the response out of shared
//!    caches.
//!
//! Steps 3 and 4 happen at most once per request, however many guards and extractors need the user.
//! If neither the current user nor the session is used, they don't happen at all, and the response
//! is passed on unchanged.
//!
//! # Who the current user is
//!
//! The first of these that identifies a user wins:
//!
//! 1. The **session cookie** of a session that a user owns.
//! 2. The **remember cookie**, if the user asked to be remembered. It
//!    [restores](super::remember_me) the login, and the browser gets a new session cookie.
//! 3. The **API key** in the `Authorization` header, if [keys](super::apis#api-keys) are turned on.
//! 4. The [**request loaders**](crate::RequestLoader), for other tokens, in the order in which they
//!    were added.
//!
//! If none does, the request is anonymous, and
//! [`Auth::anonymous_reason`](crate::Auth::anonymous_reason) returns the reason. If the store or a
//! loader fails, the user is unknown: the response is 503, and the request is neither let through
//! nor treated as anonymous.
//!
//! # The session
//!
//! A session is one [record](crate::store::SessionRecord). It is anonymous, or it belongs to one
//! user for its whole life. Its [id](crate::store::SessionId) never changes and is not a secret.
//! Its *secret* is 256 random bits, of which the store keeps only the SHA-256; a login, a
//! confirmation and a restore replace it.
//!
//! Every change to a record is one compare-and-swap: it is written only if the record has not
//! changed since it was read. If two requests change the same session at once, the second reads it
//! again and merges its change. A record that a logout has deleted cannot come back, since updates
//! never create a record.
//!
//! A secret that was replaced is accepted for another 30 seconds by default, the *grace*. A browser
//! often sends several requests at once, and those that it sent before it received the new cookie
//! must still work. They *join* the session: they are authenticated, but not fresh, and get no new
//! cookie.
//!
//! The session can also hold [data of the visitor](crate::Session): a cart, a draft, the state of a
//! wizard. A record is created when the first value is inserted, not before, so visitors who only
//! read pages leave nothing in the store.
//!
//! One-time tokens, API keys, the counts of throttles and known browsers are kept [in the same
//! store](super::choosing_a_store#what-else-is-in-the-store). Their records are not sessions: no
//! session cookie is valid for them, and no list of sessions contains them.
//!
//! # Operations are all or nothing
//!
//! [`login`](crate::Auth::login), [`logout`](crate::Auth::logout),
//! [`confirm`](crate::Auth::confirm) and [`rotate`](crate::Auth::rotate) are carried out
//! completely, even if the client hangs up or the handler is dropped. The values that
//! [`Auth`](crate::Auth) returns change only after the store has accepted the change. If an
//! operation returns an error, the current user is the same as before. The exception is a logout:
//! the browser's cookies are removed even if the store fails.
//!
//! # Costs
//!
//! | request | calls |
//! |---|---|
//! | uses neither the current user nor the session | none |
//! | anonymous, without our cookies | none |
//! | logged in | one read of the store, one user load |
//! | by an API key | the same |
//! | in an [impersonation](super::sessions_of_a_user#impersonation) | two reads, two user loads: the user's and the actor's |
//!
//! A session's last use is written in the background, at most once per tenth of the idle timeout.
//! [Choosing a store](super::choosing_a_store#costs) lists the calls of every operation, and
//! [Benchmarks](super::benchmarks) shows the time.
//!
//! # Other servers
//!
//! The layers, the guards and [`Auth`](crate::Auth) need `tower` and `http`, not axum. Without the
//! feature `axum`, a service takes the `Auth` from the request with
//! [`Auth::from_extensions`](crate::Auth::from_extensions); the examples `hyper_server` and
//! `tonic_server` do so. The runtime is tokio.
//!
//! # Next
//!
//! [Guarding pages](super::guarding_pages): who is let through, and what the others get. Reference:
//! [`LoginManager`](crate::LoginManager), [`Auth`](crate::Auth), [`Session`](crate::Session),
//! [`store`](crate::store). [All pages](super).
