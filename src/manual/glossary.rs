//! Glossary: the words of this documentation, one for each idea.
//!
//! | | |
//! |---|---|
//! | user, current user | a value of your [`AuthUser`](crate::AuthUser) type; the user whom a request belongs to |
//! | anonymous | without a current user; [`Auth::anonymous_reason`](crate::Auth::anonymous_reason) returns the reason |
//! | session | one browser's relationship with the application: one record in the store, anonymous or owned by one user for its whole life; it keeps [data](crate::Session) between requests |
//! | [`SessionId`](crate::store::SessionId) | names a session in lists, URLs and logs; it is not a secret |
//! | [`SessionInfo`](crate::auth::SessionInfo) | one of the current user's sessions, as [`Auth::sessions`](crate::Auth::sessions) lists it |
//! | session secret, session cookie | the cookie holds the session id and 256 random bits, which are valid until they are rotated; the store only holds a digest of them |
//! | open | a secret opens the session to which it belongs |
//! | remember cookie | outlives the browser; it holds the session id, a series secret and a token secret, which is exchanged at each use |
//! | log in, log out | [`Auth::login`](crate::Auth::login), [`Auth::logout`](crate::Auth::logout) |
//! | operation | a method of [`Auth`](crate::Auth) that changes the current user or the session, such as a login; it is carried out completely even if the client hangs up |
//! | confirm | [`Auth::confirm`](crate::Auth::confirm): the current user has entered their credentials again |
//! | rotate | replace the session secret with a new one: by a login, [`Auth::confirm`](crate::Auth::confirm), [`Auth::rotate`](crate::Auth::rotate) or a restore |
//! | grace | how long a replaced secret is still accepted: [30 seconds](crate::manager::RememberMe::grace) by default |
//! | join | be authenticated for one request, not fresh, by a secret that was replaced within the grace |
//! | remember, restore | after a login with [`remember(true)`](crate::auth::Login::remember), the remember cookie restores the login after a browser restart |
//! | epoch | a number that changes with every login in a session; data read before a login is not saved after it |
//! | revoke | end another session: [`Auth::revoke`](crate::Auth::revoke), [`Auth::logout_others`](crate::Auth::logout_others) |
//! | expire | end by the idle or the absolute [timeout](crate::manager::Timeouts) |
//! | fresh | the user entered their credentials in this session, [recently enough](crate::LoginManager::with_fresh_for) if you set a limit; a restored session is not fresh |
//! | method | what kind of credentials the user entered, as the application names it: [`Login::by`](crate::auth::Login::by), [`Confirm::by`](crate::auth::Confirm::by) |
//! | step-up | asking a logged-in user for credentials again, or for another method, before something sensitive |
//! | impersonation, actor | a session in which one user, the actor, [acts as another](crate::Auth::impersonate) |
//! | known browser | a browser in which this user has [logged in before](crate::manager::KnownBrowsers); if *trusted*, the second factor is not asked there for a while |
//! | security stamp | bytes of the user that change when all of the user's sessions must end: [`AuthUser::security_stamp`](crate::AuthUser::security_stamp) |
//! | guard | an extractor ([`LoginRequired`], [`FreshLoginRequired`]) or a layer ([`login_required`](crate::login_required), [`fresh_login_required`](crate::fresh_login_required)) that only lets some users through |
//! | denied | not let through by a guard: see [`Denied`](crate::guard::Denied) and [`DeniedReason`](crate::guard::DeniedReason) |
//! | page load | a request whose response is shown to a person, so that a [redirect](super::guarding_pages#what-is-a-page-load) helps |
//! | login page, refresh page | the pages to which the guards redirect: to log in, or to enter the credentials again |
//! | user loader | id to user: a closure, or a [`UserLoader`](crate::UserLoader) |
//! | API key | a secret that a program sends with each request in place of a cookie: [`api_keys`](crate::api_keys) |
//! | scope | what an API key may be used for: [`and_scope`](crate::guard::LoginRequiredLayer::and_scope) |
//! | one-time token | the secret in a link or code that is mailed to a user, valid once, for a while and for one [purpose](crate::tokens::Purpose): [`tokens`](crate::tokens) |
//! | issue, peek, redeem, withdraw | create a one-time token; look at it without using it; use it; make it invalid |
//! | guess | a password or code that is about to be checked |
//! | throttle | counts guesses and makes them wait: [`throttle`](crate::throttle) |
//! | lane | what a throttle counts together: a name, a name in a known browser, or an [address](crate::throttle#lanes) |
//! | flash message | a message for the user's next page, shown once: [`flash`](crate::flash) |
//! | request loader | request head to user, for tokens of your own: a closure, or a [`RequestLoader`](crate::RequestLoader) |
//! | realm | one kind of user, with its own manager, cookies and sessions |
//! | store | where sessions are kept, and tokens, keys, counts and known browsers: a [`SessionStore`](crate::SessionStore) |
//!
//! This is the last page. [All pages](super).
//!
#![cfg_attr(feature = "axum", doc = include_str!("links/axum.md"))]
#![cfg_attr(not(feature = "axum"), doc = include_str!("links/axum_online.md"))]
