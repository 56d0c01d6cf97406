//! By which methods users have entered credentials.

use std::{fmt, time::SystemTime};

use crate::{
    clock::{Millis, moment},
    error::{Error, ErrorKind},
    session::{MethodName, Methods},
};

/// A method by which the current user has entered credentials in this session, with the time of its
/// last use. Returned by [`Auth::methods`](crate::Auth::methods).
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Method {
    name: MethodName,
    at: Millis,
}

impl Method {
    pub(super) fn all(methods: &Methods) -> Vec<Self> {
        let methods = methods.iter();
        methods.map(|(name, at)| Self { name, at }).collect()
    }

    /// Returns the name, as it was passed to [`Login::by`](crate::auth::Login::by) or
    /// [`Confirm::by`](crate::auth::Confirm::by).
    #[must_use]
    pub fn name(&self) -> &str {
        self.name.as_str()
    }

    /// Returns when it was last used in this session.
    #[must_use]
    pub fn at(&self) -> SystemTime {
        moment(self.at)
    }
}

impl fmt::Debug for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Method")
            .field("name", &self.name)
            .field("at", &self.at())
            .finish()
    }
}

/// The methods of a login or a confirmation, as the application names them.
#[derive(Clone, Debug, Default)]
pub(super) struct By {
    names: Vec<MethodName>,
    /// Whether one of the names is invalid.
    invalid: bool,
}

impl By {
    pub(super) fn add(&mut self, name: &str) {
        match MethodName::parse(name) {
            Some(name) => self.names.push(name),
            None => self.invalid = true,
        }
    }

    pub(super) fn names(&self) -> Result<&[MethodName], Error> {
        match self.invalid {
            true => Err(ErrorKind::InvalidMethod.into()),
            false => Ok(&self.names),
        }
    }
}
