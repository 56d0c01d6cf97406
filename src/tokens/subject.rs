//! Whom a token is for, and where its entry is kept.

use super::{Purpose, Tokens};
use crate::{
    entry::EntryKey,
    error::{Error, ErrorKind},
    event::EventKind,
    identity::parse_id,
    store::{Digest, SessionToken},
    user::AuthUser,
};

/// Whom a token is for.
#[derive(Clone)]
pub(super) enum Subject {
    /// A user, by the text of the id.
    User(String),
    /// An address without a user.
    Address(String),
}

impl Subject {
    /// # Errors
    /// - [`ErrorKind::UnstableId`] if the text of the id does not parse back to the same id
    pub(super) fn of<U: AuthUser>(user: &U) -> Result<Self, Error> {
        let id = user.id();
        let text = id.to_string();
        match parse_id::<U>(&text) {
            Some(parsed) if parsed == id => Ok(Self::User(text)),
            _ => Err(ErrorKind::UnstableId.into()),
        }
    }

    /// The kind of its entries. Undo tokens have a kind of their own, so that `withdraw_all` leaves
    /// them alone.
    pub(super) fn kind(&self, purpose: Purpose) -> &'static str {
        match self {
            Self::User(_) => user_kind(purpose),
            Self::Address(_) => INVITATIONS,
        }
    }

    pub(super) fn text(&self) -> &str {
        match self {
            Self::User(text) | Self::Address(text) => text,
        }
    }

    pub(super) fn user_id(&self) -> Option<&str> {
        match self {
            Self::User(id) => Some(id),
            Self::Address(_) => None,
        }
    }
}

/// The kind of entries for tokens that are issued to an address.
pub(super) const INVITATIONS: &str = "invitations";
/// The kind of entries for a user's tokens.
pub(super) const TOKENS: &str = "tokens";

pub(super) fn user_kind(purpose: Purpose) -> &'static str {
    match purpose.undoes {
        true => "undo-tokens",
        false => TOKENS,
    }
}

impl<U: AuthUser> Tokens<U> {
    /// The key of the one token of this purpose. An undo has one for each address that it restores.
    pub(super) fn key(
        &self,
        purpose: Purpose,
        subject: &Subject,
        address: Option<&str>,
    ) -> EntryKey {
        let owner = self
            .realm
            .entry_owner(subject.kind(purpose), subject.text());
        let form: &[u8] = match purpose.code {
            Some(_) => b"code",
            None => b"link",
        };
        let address = address.filter(|_| purpose.undoes).unwrap_or_default();
        let parts = [
            form,
            purpose.name().as_bytes(),
            owner.as_bytes(),
            address.as_bytes(),
        ];
        let name = self.realm.digester("token key").parts(&parts);
        EntryKey::named(owner, &name)
    }

    pub(super) fn secret_digest(&self, token: &SessionToken) -> Digest {
        let digester = self.realm.digester("token");
        digester.secret(token.id, &token.secret)
    }

    pub(super) fn code_digest(&self, key: &EntryKey, code: &str) -> Digest {
        let digester = self.realm.digester("code");
        digester.parts(&[key.id.as_bytes(), code.as_bytes()])
    }

    pub(super) fn browser_digest(&self, browser: &str) -> Digest {
        let digester = self.realm.digester("token browser");
        digester.parts(&[browser.as_bytes()])
    }

    pub(super) fn report(&self, kind: EventKind, purpose: Purpose, user_id: Option<&str>) {
        let event = self.realm.event(kind).of(user_id, None);
        self.realm.emit(&event.for_purpose(purpose.name()));
    }
}
