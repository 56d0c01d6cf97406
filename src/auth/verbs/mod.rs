//! Logging in, logging out, confirming, rotating and impersonating. Each changes the record first,
//! and what the request reports only after the store has accepted the change.

mod impersonate;
mod login;
mod login_plan;
mod logout;
mod rotate;

pub(super) use self::rotate::Renew;
use super::request::RequestAuth;
use crate::{
    error::{Error, ErrorKind},
    user::AuthUser,
};

impl<U: AuthUser> RequestAuth<U> {
    pub(super) fn check_in_time(&self) -> Result<(), Error> {
        match self.session.state().sent {
            true => Err(ErrorKind::TooLate.into()),
            false => Ok(()),
        }
    }
}
