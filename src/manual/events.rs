//! Events, logs and metrics: what happened to whose session, for an audit log, alarms and counters.
//!
//! The crate emits an [`Event`](crate::event::Event) at each step in the life of a session: a
//! login, a logout, a restore, a denied request, a theft, a failing store. An event has a
//! [kind](crate::event::EventKind), a time, the realm, and the user's and the session's id as far
//! as they are known. It contains no secret.
//!
//! # Logs
//!
//! With the feature `tracing` (on by default), each event is logged with the target
//! `login_manager::event`:
//!
//! | level | events |
//! |---|---|
//! | WARN | a theft, an incomplete logout, a failing store, loader or check, a loader that returned another user, an unreadable record |
//! | INFO | logged in, logged out, confirmed, restored, revoked, a rejected login of an inactive user |
//! | DEBUG | denied requests, ended and joined sessions, and all others |
//! | TRACE | the current user was looked up |
//!
//! Without a subscriber, nothing is logged: call `tracing_subscriber::fmt::init()` or set up
//! another one. Mistakes in the configuration are logged at ERROR, such as a guard without a
//! manager around it.
//!
//! Events are logged inside the request's span, so what `TraceLayer` or your middleware put there
//! is in the same line. Put those layers outside the manager.
//!
//! # An audit log
//!
//! [`with_on_event`](crate::LoginManager::with_on_event) takes a function for every event. It is
//! called where the event occurs, so keep it short, and let a task do what takes time:
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
//!         // insert into audit (at, kind, realm, user_id, session_id) …
//!         let _ = (event.at(), event.kind().as_str(), event.realm());
//!         let _ = (event.user_id(), event.session_id());
//!     }
//! };
//! # let _ = (login_manager, write);
//! ```
//!
//! # Metrics
//!
//! [`EventKind::as_str`](crate::event::EventKind::as_str) is a stable name such as `logged_in`,
//! suitable as a label. The reason of a denied request or an ended session has a name of its own:
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
//!             EventKind::Ended(reason) => reason.as_str(),
//!             _ => "",
//!         };
//!         count(kind.as_str(), reason); // a counter of your metrics library
//!     });
//! ```
//!
//! # What to watch
//!
//! | event | what it tells |
//! |---|---|
//! | [`RememberTheft`](crate::event::EventKind::RememberTheft) | a remember cookie was copied. Tell the user |
//! | [`StoreFailed`](crate::event::EventKind::StoreFailed), [`LoaderFailed`](crate::event::EventKind::LoaderFailed) | users get 503. [`cause`](crate::event::Event::cause) is the reason |
//! | [`LogoutIncomplete`](crate::event::EventKind::LogoutIncomplete) | a session may have outlived its logout |
//! | [`Unreadable`](crate::event::EventKind::Unreadable) | a record is damaged |
//! | [`UnknownSession`](crate::event::EventKind::UnknownSession), [`MalformedCookie`](crate::event::EventKind::MalformedCookie), many at once | someone makes up cookies, or the store lost its records |
//! | [`ClientChanged`](crate::event::EventKind::ClientChanged) | a session is presented by another kind of browser |
//! | [`NextRejected`](crate::event::EventKind::NextRejected) | someone tries `next` with another site |
//! | [`DataDropped`](crate::event::EventKind::DataDropped) | session data was not saved |
//!
//! # What events don't contain
//!
//! - **The client's address.** Which proxies to trust is known to your request log; the events are
//!   in the same span.
//! - **Wrong passwords.** Only your handler knows of them, so log them there: the user's id if
//!   there is one, never the password, and not the typed name either, since users type passwords
//!   into the wrong field.
//! - **A store's or loader's error in the log**, unless it is safe to log, as the errors of this
//!   crate's stores are. [`Event::cause`](crate::event::Event::cause) has it in any case.
//!
//! # Next
//!
//! [Security](super::security): attack by attack. Reference: [`Event`](crate::event::Event),
//! [`EventKind`](crate::event::EventKind), [`with_on_event`](crate::LoginManager::with_on_event),
//! [`AnonymousReason`](crate::auth::AnonymousReason), [`DeniedReason`](crate::guard::DeniedReason).
//! [All pages](super).
