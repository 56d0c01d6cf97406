//! Events, logs and metrics: every kind of event, an audit log, counters, and what to watch.
//!
//! The crate emits an [`Event`](crate::event::Event) at each step in the life of a session, a
//! one-time token or an API key: a login, a logout, a denied request, a theft, a failing store. An
//! event has a [kind](crate::event::EventKind), a time and a realm. If they are known, it also has
//! the ids of the user, of the session or key, and of the user who
//! [impersonates](super::sessions_of_a_user#impersonation). It contains no secret.
//!
//! # The kinds
//!
//! | name | level | what happened |
//! |---|---|---|
//! | [`logged_in`](crate::event::EventKind::LoggedIn) | INFO | a user logged in |
//! | [`logged_out`](crate::event::EventKind::LoggedOut) | INFO | a user logged out, or an anonymous session ended by a logout |
//! | [`confirmed`](crate::event::EventKind::Confirmed) | INFO | a user entered their credentials again |
//! | [`login_rejected`](crate::event::EventKind::LoginRejected) | INFO | the login of an inactive user was rejected |
//! | [`new_browser`](crate::event::EventKind::NewBrowser) | INFO | a login from a browser that is not [known](super::sessions_of_a_user#known-browsers) for the user; it follows `logged_in` |
//! | [`restored`](crate::event::EventKind::Restored) | INFO | a remember cookie restored a login |
//! | [`revoked`](crate::event::EventKind::Revoked) | INFO | a session was ended by another one, by the application or by [`with_max_sessions`](crate::LoginManager::with_max_sessions) |
//! | [`impersonation_started`](crate::event::EventKind::ImpersonationStarted) | INFO | a user began to [act as another one](super::sessions_of_a_user#impersonation) |
//! | [`impersonation_ended`](crate::event::EventKind::ImpersonationEnded) | INFO | an impersonation was stopped or ended otherwise, for example by its timeout |
//! | [`token_issued`](crate::event::EventKind::TokenIssued) | INFO | a [one-time token](crate::tokens) was issued |
//! | [`token_redeemed`](crate::event::EventKind::TokenRedeemed) | INFO | a one-time token was redeemed |
//! | [`api_key_created`](crate::event::EventKind::ApiKeyCreated) | INFO | an [API key](crate::api_keys) was created |
//! | [`api_key_revoked`](crate::event::EventKind::ApiKeyRevoked) | INFO | an API key, or all keys of a user, were revoked |
//! | [`remember_theft`](crate::event::EventKind::RememberTheft) | WARN | a used remember cookie was presented: it was copied. The session has ended |
//! | [`logout_incomplete`](crate::event::EventKind::LogoutIncomplete) | WARN | a logout could not end every session |
//! | [`store_failed`](crate::event::EventKind::StoreFailed) | WARN | the store failed or was too slow |
//! | [`loader_failed`](crate::event::EventKind::LoaderFailed) | WARN | the user loader failed or was too slow |
//! | [`authorize_failed`](crate::event::EventKind::AuthorizeFailed) | WARN | the check of a guard failed or was too slow |
//! | [`wrong_user`](crate::event::EventKind::WrongUser) | WARN | the loader returned another user than requested |
//! | [`unreadable`](crate::event::EventKind::Unreadable) | WARN | a record in the store can't be read |
//! | [`token_not_sent`](crate::event::EventKind::TokenNotSent) | WARN | [`send`](crate::tokens::Tokens::send) could not deliver a token |
//! | [`denied`](crate::event::EventKind::Denied) | DEBUG | a guard did not let a request through, for a [reason](crate::guard::DeniedReason) |
//! | [`ended`](crate::event::EventKind::Ended) | DEBUG | a session was deleted, for a [reason](crate::auth::AnonymousReason) such as a timeout |
//! | [`guess_failed`](crate::event::EventKind::GuessFailed) | DEBUG | a guess that a [throttle](crate::throttle) permitted was wrong |
//! | [`throttled`](crate::event::EventKind::Throttled) | DEBUG | a guess had to wait, because of this [lane](crate::event::Lane) |
//! | [`token_refused`](crate::event::EventKind::TokenRefused) | DEBUG | a one-time token was not accepted, for a [reason](crate::tokens::RefusedReason) |
//! | [`api_key_used`](crate::event::EventKind::ApiKeyUsed) | DEBUG | an API key authenticated a request |
//! | [`api_key_refused`](crate::event::EventKind::ApiKeyRefused) | DEBUG | a bearer token authenticates no user, for a [reason](crate::auth::AnonymousReason) |
//! | [`loaded_by_request`](crate::event::EventKind::LoadedByRequest) | DEBUG | a request loader found the user |
//! | [`rotated`](crate::event::EventKind::Rotated) | DEBUG | [`rotate`](crate::Auth::rotate) replaced a session's secret |
//! | [`joined`](crate::event::EventKind::Joined) | DEBUG | a request came with a secret that was replaced moments ago |
//! | [`forgotten`](crate::event::EventKind::Forgotten) | DEBUG | the oldest remembered session is no longer remembered, because of [`RememberMe::max_browsers`](crate::manager::RememberMe::max_browsers) |
//! | [`client_changed`](crate::event::EventKind::ClientChanged) | DEBUG | a session was presented by a different-looking client |
//! | [`next_rejected`](crate::event::EventKind::NextRejected) | DEBUG | the `next` of a login page was not a path on this site |
//! | [`ambiguous_cookie`](crate::event::EventKind::AmbiguousCookie) | DEBUG | a request has session cookies of several users, or too many |
//! | [`malformed_cookie`](crate::event::EventKind::MalformedCookie) | DEBUG | a cookie's value was not set by this crate |
//! | [`unknown_session`](crate::event::EventKind::UnknownSession) | DEBUG | the store has no session for a cookie |
//! | [`data_dropped`](crate::event::EventKind::DataDropped) | DEBUG | session data was not saved: the session ended meanwhile, or the request was late |
//! | [`data_rolled_back`](crate::event::EventKind::DataRolledBack) | DEBUG | session data was not saved, since the response has a 5xx status |
//! | [`resolved`](crate::event::EventKind::Resolved) | TRACE | the current user was looked up for the first time in a request |
//!
//! # Logs
//!
//! With the feature `tracing` (on by default), each event is logged at its level, with the target
//! `login_manager::event`. Without a subscriber, nothing is logged: call
//! `tracing_subscriber::fmt::init()` or set up another one. Mistakes in the configuration are
//! logged at ERROR, such as a guard without a manager around it.
//!
//! Events are logged inside the request's span, so what `TraceLayer` or your middleware put there
//! is in the same line. Put those layers outside the manager.
//!
//! # An audit log
//!
//! [`with_on_event`](crate::LoginManager::with_on_event) takes a function for every event. It is
//! called where the event occurs, so it must return quickly; do slow work in a task:
//!
//! ```
//! # use login_manager::{AuthUser, LoginManager, MemoryStore};
//! # struct Account { id: i64 }
//! # impl AuthUser for Account { type Id = i64; fn id(&self) -> i64 { self.id } }
//! use login_manager::event::{Event, EventKind};
//!
//! let (audit, mut events) = tokio::sync::mpsc::unbounded_channel::<Event>();
//! let login_manager = LoginManager::new(MemoryStore::new(), async |id| Some(Account { id }))
//!     .with_on_event(move |event| {
//!         if event.kind() != EventKind::Resolved {
//!             audit.send(event.clone()).ok();
//!         }
//!     });
//!
//! let write = async move {
//!     while let Some(event) = events.recv().await {
//!         // insert into audit (at, kind, realm, user_id, session_id, actor_id) …
//!         let _ = (event.at(), event.kind().as_str(), event.realm());
//!         let _ = (event.user_id(), event.session_id(), event.actor_id());
//!     }
//! };
//! # let _ = (login_manager, write);
//! ```
//!
//! # Metrics
//!
//! [`EventKind::as_str`](crate::event::EventKind::as_str) is a stable name such as `logged_in`,
//! suitable as a label. The reasons and lanes that some kinds carry have names of their own:
//!
//! ```
//! # use login_manager::{AuthUser, LoginManager, MemoryStore};
//! # struct Account { id: i64 }
//! # impl AuthUser for Account { type Id = i64; fn id(&self) -> i64 { self.id } }
//! # fn count(_kind: &str, _reason: &str) {}
//! use login_manager::event::EventKind;
//!
//! let login_manager = LoginManager::new(MemoryStore::new(), async |id| Some(Account { id }))
//!     .with_on_event(|event| {
//!         let kind = event.kind();
//!         let reason = match kind {
//!             EventKind::Denied(reason) => reason.as_str(),
//!             EventKind::Ended(reason) | EventKind::ApiKeyRefused(reason) => reason.as_str(),
//!             EventKind::TokenRefused(reason) => reason.as_str(),
//!             EventKind::Throttled(lane) => lane.as_str(),
//!             _ => "",
//!         };
//!         count(kind.as_str(), reason); // a counter of your metrics library
//!     });
//! ```
//!
//! # What to watch
//!
//! | event | meaning, and what to do |
//! |---|---|
//! | [`RememberTheft`](crate::event::EventKind::RememberTheft) | a remember cookie was copied. Tell the user |
//! | [`StoreFailed`](crate::event::EventKind::StoreFailed), [`LoaderFailed`](crate::event::EventKind::LoaderFailed) | users get 503. [`cause`](crate::event::Event::cause) is the reason |
//! | [`LogoutIncomplete`](crate::event::EventKind::LogoutIncomplete) | a session may have outlived its logout |
//! | [`GuessFailed`](crate::event::EventKind::GuessFailed), more than usual | one password is tried with many names. Require a [challenge](crate::throttle#challenges) of all users |
//! | [`Throttled`](crate::event::EventKind::Throttled) | someone guesses one user's password, or tries many names from one address |
//! | [`NewBrowser`](crate::event::EventKind::NewBrowser) | tell the user by mail |
//! | [`TokenNotSent`](crate::event::EventKind::TokenNotSent) | the mail server fails, and users wait for a link |
//! | [`TokenRefused`](crate::event::EventKind::TokenRefused), with `wrong_code` or `unknown`, many at once | someone guesses codes or links |
//! | [`ApiKeyCreated`](crate::event::EventKind::ApiKeyCreated) | tell the user by mail |
//! | [`ApiKeyRefused`](crate::event::EventKind::ApiKeyRefused), again and again for one key | a program still has a key that was revoked or has expired |
//! | [`ImpersonationStarted`](crate::event::EventKind::ImpersonationStarted) | keep it in the audit log |
//! | [`Unreadable`](crate::event::EventKind::Unreadable) | a record is damaged |
//! | [`UnknownSession`](crate::event::EventKind::UnknownSession), [`MalformedCookie`](crate::event::EventKind::MalformedCookie), many at once | someone makes up cookies, or the store lost its records |
//! | [`ClientChanged`](crate::event::EventKind::ClientChanged) | a session is presented by another kind of browser |
//! | [`NextRejected`](crate::event::EventKind::NextRejected) | someone tries `next` with another site |
//! | [`DataDropped`](crate::event::EventKind::DataDropped) | session data was not saved |
//!
//! # What events don't contain
//!
//! - **The client's address.** The crate does not know which proxies to trust. Your request log
//!   does, and events are logged in the same span.
//! - **The name that was typed.** Users type passwords into the wrong field. A wrong password is
//!   only reported by a [throttle](crate::throttle), without a name; if your log needs the user's
//!   id, log it in your handler.
//! - **A store's or loader's error in the log**, unless it is safe to log, as the errors of this
//!   crate's stores are. [`Event::cause`](crate::event::Event::cause) has it in any case.
//!
//! # Next
//!
//! [Security](super::security): attack by attack. Reference: [`Event`](crate::event::Event),
//! [`EventKind`](crate::event::EventKind), [`with_on_event`](crate::LoginManager::with_on_event),
//! [`AnonymousReason`](crate::auth::AnonymousReason), [`DeniedReason`](crate::guard::DeniedReason).
//! [All pages](super).
