//! [`Issue`]: issuing a token.

use std::{fmt, pin::Pin};

use serde_core::Serialize;

use super::{Purpose, Token, Tokens, content::Content, subject::Subject};
use crate::{
    clock::millis,
    entry::{EntryKey, EntryStep, change_entry},
    error::{Error, ErrorKind},
    event::EventKind,
    identity::stamp_digest,
    random::random_bytes,
    realm::Realm,
    session::finish,
    store::{Digest, SessionToken},
    user::AuthUser,
};

/// The maximum size of the data that a token carries, in bytes of JSON.
const MAX_DATA: usize = 4096;
/// The longest address, in bytes: that of a mailbox in RFC 5321 (4.5.3.1.3), without its brackets.
const MAX_ADDRESS: usize = 254;

/// Issues a token when it is awaited: see [`Tokens::issue`]. This is carried out completely even if
/// the client hangs up.
#[must_use = "no token is issued until it is awaited"]
pub struct Issue<U: AuthUser> {
    tokens: Tokens<U>,
    purpose: Purpose,
    to: Result<To, Error>,
    address: Option<Box<str>>,
    browser: Option<Digest>,
    data: Result<Vec<u8>, Error>,
}

/// The recipient of a token.
struct To {
    subject: Subject,
    stamp: Option<Digest>,
}

impl<U: AuthUser> Issue<U> {
    pub(super) fn to_user(tokens: &Tokens<U>, user: &U, purpose: Purpose) -> Self {
        let to = Subject::of(user).map(|subject| To {
            stamp: tokens.stamp(&subject, user),
            subject,
        });
        let address = tokens.address_of(user).map(Into::into);
        Self::new(tokens, purpose, to, address)
    }

    pub(super) fn to_address(tokens: &Tokens<U>, address: &str, purpose: Purpose) -> Self {
        let to = To {
            subject: Subject::Address(address.to_owned()),
            stamp: None,
        };
        Self::new(tokens, purpose, Ok(to), Some(address.into()))
    }

    fn new(
        tokens: &Tokens<U>,
        purpose: Purpose,
        to: Result<To, Error>,
        address: Option<Box<str>>,
    ) -> Self {
        Self {
            tokens: tokens.clone(),
            purpose,
            to,
            address,
            browser: None,
            data: Ok(Vec::new()),
        }
    }

    /// Sets the address that the token is issued for. Call it if the [handle](Tokens::with_address)
    /// doesn't know the user's address, or if the address is not the current one: an
    /// [undo](Purpose::undo) is issued for the address to restore. At most 254 bytes.
    pub fn for_address(mut self, address: &str) -> Self {
        self.address = Some(address.into());
        self
    }

    /// Adds data, which is returned when the token is redeemed: the new address of a change of
    /// address, or the page to return to. At most 4 KiB of JSON. The token's bearer cannot change
    /// the data, but may see it if a page shows it.
    pub fn carry<T: Serialize + ?Sized>(mut self, data: &T) -> Self {
        self.data = serde_json::to_vec(data).map_err(|error| Error::new(ErrorKind::Data, error));
        self
    }

    /// Binds a [code](Purpose::code) to the browser that requests it: `browser` is any secret text
    /// that only this browser's session has, such as 128 random bits in its
    /// [`Session`](crate::Session). [`RedeemCode::bound_to`](super::RedeemCode::bound_to) then
    /// needs the same text.
    pub fn bound_to(mut self, browser: &str) -> Self {
        self.browser = Some(self.tokens.browser_digest(browser));
        self
    }

    pub(super) async fn run(self) -> Result<Option<Token>, Error> {
        let Self {
            tokens,
            purpose,
            to,
            address,
            browser,
            data,
        } = self;
        let (To { subject, stamp }, data) = (to?, data?);
        let is_too_long = |address: &str| address.len() > MAX_ADDRESS;
        if data.len() > MAX_DATA || address.as_deref().is_some_and(is_too_long) {
            return Err(ErrorKind::TooLarge.into());
        }
        let key = tokens.key(purpose, &subject, address.as_deref());
        let (text, digest) = tokens.new_secret(&key, purpose)?;
        let realm = &tokens.realm;
        let now = realm.clock.now();
        let content = Content {
            secret: digest,
            stamp: stamp.filter(|_| !purpose.undoes),
            browser,
            user_type: realm.user_type,
            issued: now,
            expires: now.saturating_add(millis(purpose.lifetime)),
            is_used: false,
            may_repeat: false,
            tries_left: purpose.code.map_or(0, |code| code.tries),
            address: address.clone(),
            undone: None,
            data,
        };
        // The entry outlives a token that is valid for less than the gap.
        let lasts = millis(purpose.lifetime.max(purpose.gap));
        let is_issued = change_entry(realm, &key, now, |entry| {
            let mut content = content.clone();
            if let Some(entry) = entry {
                let old = Content::decode(entry.content())?;
                let is_early = now < old.issued.saturating_add(millis(purpose.gap))
                    && !Realm::is_from_the_future(old.issued, now);
                if is_early && !old.may_repeat && old.address == content.address {
                    return Ok(EntryStep::Keep(false));
                }
                content.undone = old.undone;
            }
            Ok(EntryStep::Put {
                content: content.encode(),
                expires: now.saturating_add(lasts),
                then: true,
            })
        });
        if !is_issued.await? {
            return Ok(None);
        }
        tokens.report(EventKind::TokenIssued, purpose, subject.user_id());
        Ok(Some(Token {
            text,
            address,
            expires: content.expires,
            digest,
        }))
    }
}

impl<U: AuthUser> IntoFuture for Issue<U> {
    /// The token, or `None` if nothing is to be sent because another one was issued moments ago.
    type Output = Result<Option<Token>, Error>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(finish(self.run()))
    }
}

impl<U: AuthUser> Tokens<U> {
    /// A digest of the user's security stamp that only tokens have.
    pub(super) fn stamp(&self, subject: &Subject, user: &U) -> Option<Digest> {
        let owner = self
            .realm
            .entry_owner(super::subject::TOKENS, subject.text());
        stamp_digest(&self.realm, &owner, user)
    }

    /// A new token or code, and its digest.
    fn new_secret(&self, key: &EntryKey, purpose: Purpose) -> Result<(String, Digest), Error> {
        if let Some(code) = purpose.code {
            let code = random_digits(code.digits.into())?;
            let digest = self.code_digest(key, &code);
            return Ok((code, digest));
        }
        let token = SessionToken::random(key.id).map_err(|_| ErrorKind::Random)?;
        Ok((token.text(), self.secret_digest(&token)))
    }
}

/// Random digits, each of them equally likely: bytes that would favour some are dropped.
fn random_digits(count: usize) -> Result<String, Error> {
    let mut digits = String::new();
    while digits.len() < count {
        let bytes = random_bytes::<16>().map_err(|_| ErrorKind::Random)?;
        let fair = bytes.iter().filter(|byte| **byte < 250);
        let missing = count - digits.len();
        digits.extend(fair.take(missing).map(|byte| char::from(b'0' + byte % 10)));
    }
    Ok(digits)
}

impl<U: AuthUser> fmt::Debug for Issue<U> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Issue")
            .field("purpose", &self.purpose.name())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_digit_is_equally_likely() {
        const N: usize = 100_000;
        let digits = random_digits(N).unwrap();
        assert_eq!(digits.len(), N);
        let (mean, sigma) = (N as f64 / 10.0, (N as f64 * 0.09).sqrt());
        for digit in '0'..='9' {
            let count = digits.matches(digit).count() as f64;
            assert!((count - mean).abs() < 6.0 * sigma, "{digit}: {count}");
        }
    }
}
