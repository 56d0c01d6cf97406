//! What a guard requires.

use std::sync::Arc;

use super::{authorize::Check, except::Except};
use crate::{clock::Millis, denied::Pages, session::MethodName, user::AuthUser};

/// The requirements of one guard beyond a login, and its login page.
pub(crate) struct Rules<U: AuthUser> {
    pub(super) predicates: Vec<Predicate<U>>,
    pub(super) authorize: Vec<Check<U>>,
    pub(super) except: Except,
    /// The scopes that an API key needs, separated by spaces.
    pub(super) scopes: Option<Arc<str>>,
    pub(super) keys_only: bool,
    /// The credentials were entered at most this long ago, in milliseconds; `None` if no fresh
    /// login is required.
    pub(super) fresh: Option<Millis>,
    /// The methods that must have been used in the session.
    pub(super) needs: Vec<MethodName>,
    pub(super) pages: Option<Pages>,
}

pub(super) type Predicate<U> = Arc<dyn Fn(&U) -> bool + Send + Sync>;

impl<U: AuthUser> Rules<U> {
    /// Requires a login, a fresh one if `fresh` is true, and nothing else.
    pub(crate) fn plain(fresh: bool) -> Self {
        Self {
            fresh: fresh.then_some(Millis::MAX),
            ..Self::default()
        }
    }
}

impl<U: AuthUser> Default for Rules<U> {
    fn default() -> Self {
        Self {
            predicates: Vec::new(),
            authorize: Vec::new(),
            except: Except::default(),
            scopes: None,
            keys_only: false,
            fresh: None,
            needs: Vec::new(),
            pages: None,
        }
    }
}

impl<U: AuthUser> Clone for Rules<U> {
    fn clone(&self) -> Self {
        Self {
            predicates: self.predicates.clone(),
            authorize: self.authorize.clone(),
            except: self.except.clone(),
            fresh: self.fresh,
            scopes: self.scopes.clone(),
            keys_only: self.keys_only,
            needs: self.needs.clone(),
            pages: self.pages.clone(),
        }
    }
}
