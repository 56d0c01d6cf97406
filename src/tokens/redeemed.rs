//! The contents of a valid token: [`Peeked`], [`Redeemed`] and [`Invitation`].

use std::{fmt, sync::Arc};

use serde_core::de::DeserializeOwned;

use super::content::Content;
use crate::error::{Error, ErrorKind};

/// A valid token, which has not been used: see [`Tokens::peek`](super::Tokens::peek).
#[must_use]
pub struct Peeked<U> {
    user: Arc<U>,
    carried: Carried,
}

/// A token that has been used up: see [`Tokens::redeem`](super::Tokens::redeem).
#[must_use = "the token is used up; now do what it was for"]
pub struct Redeemed<U> {
    user: Arc<U>,
    carried: Carried,
}

/// A token that was issued to an address: see [`Tokens::invite`](super::Tokens::invite).
#[must_use]
pub struct Invitation {
    address: String,
    carried: Carried,
}

struct Carried {
    address: Option<Box<str>>,
    data: Vec<u8>,
}

impl Carried {
    fn of(content: Content) -> Self {
        Self {
            address: content.address,
            data: content.data,
        }
    }

    fn data<T: DeserializeOwned>(&self) -> Result<T, Error> {
        serde_json::from_slice(&self.data).map_err(|error| Error::new(ErrorKind::Data, error))
    }
}

impl<U> Peeked<U> {
    pub(super) fn new(user: Arc<U>, content: Content) -> Self {
        Self {
            user,
            carried: Carried::of(content),
        }
    }

    /// Returns the user, as the loader returns them now.
    #[must_use]
    pub fn user(&self) -> &Arc<U> {
        &self.user
    }

    /// Returns the address that the token was issued for, if it was issued with one.
    #[must_use]
    pub fn address(&self) -> Option<&str> {
        self.carried.address.as_deref()
    }

    /// Returns the data that the token [carries](super::Issue::carry).
    ///
    /// # Errors
    /// - [`ErrorKind::Data`] if it carries none, or data of another type
    pub fn data<T: DeserializeOwned>(&self) -> Result<T, Error> {
        self.carried.data()
    }
}

impl<U> Redeemed<U> {
    pub(super) fn new(user: Arc<U>, content: Content) -> Self {
        Self {
            user,
            carried: Carried::of(content),
        }
    }

    /// Returns the user, as the loader has just returned them.
    #[must_use]
    pub fn user(&self) -> &Arc<U> {
        &self.user
    }

    /// Returns the address that the token was issued for, if it was issued with one.
    #[must_use]
    pub fn address(&self) -> Option<&str> {
        self.carried.address.as_deref()
    }

    /// Returns the data that the token [carried](super::Issue::carry).
    ///
    /// # Errors
    /// - [`ErrorKind::Data`] if it carried none, or data of another type
    pub fn data<T: DeserializeOwned>(&self) -> Result<T, Error> {
        self.carried.data()
    }
}

impl Invitation {
    pub(super) fn new(address: &str, content: Content) -> Self {
        Self {
            address: address.to_owned(),
            carried: Carried::of(content),
        }
    }

    /// Returns the address that was invited. The invitation was read in a mail that was sent to
    /// it, so it is verified.
    #[must_use]
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Returns the data that the invitation [carries](super::Issue::carry).
    ///
    /// # Errors
    /// - [`ErrorKind::Data`] if it carries none, or data of another type
    pub fn data<T: DeserializeOwned>(&self) -> Result<T, Error> {
        self.carried.data()
    }
}

/// Omits the user, the address and the data.
impl<U> fmt::Debug for Peeked<U> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Peeked").finish_non_exhaustive()
    }
}

/// Omits the user, the address and the data.
impl<U> fmt::Debug for Redeemed<U> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Redeemed").finish_non_exhaustive()
    }
}

/// Omits the address and the data.
impl fmt::Debug for Invitation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Invitation").finish_non_exhaustive()
    }
}
