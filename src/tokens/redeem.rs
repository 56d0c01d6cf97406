//! Looking at a token, and redeeming it.

use std::sync::Arc;

use super::{
    Peeked, Purpose, Redeemed, Tokens,
    content::Content,
    subject::{INVITATIONS, Subject, user_kind},
};
use crate::{
    clock::{Millis, millis},
    entry::{EntryKey, EntryStep, change_entry, find_entry, list_entries},
    error::{Error, ErrorKind},
    event::EventKind,
    identity::parse_id,
    reason::RefusedReason,
    store::{Digest, SessionToken},
    user::AuthUser,
};

/// Why a token is not accepted.
pub(super) enum Stop {
    /// The token is refused, and the id of its user, if it is known.
    Refused(RefusedReason, Option<String>),
    Failed(Error),
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

/// A token that may be redeemed according to the store. The user has not been checked.
pub(super) struct Found {
    key: EntryKey,
    pub(super) subject: Subject,
    secret: Digest,
    pub(super) content: Content,
}

impl<U: AuthUser> Tokens<U> {
    pub(super) async fn peek_at(
        self,
        token: Option<SessionToken>,
        purpose: Purpose,
    ) -> Result<Option<Peeked<U>>, Error> {
        let peeked = async {
            let found = self.find(token, purpose, user_kind(purpose)).await?;
            let user = self.user(&found.subject, &found.content, purpose).await?;
            Ok(Peeked::new(user, found.content))
        };
        self.settle(purpose, peeked.await)
    }

    pub(super) async fn redeem_now(
        self,
        token: Option<SessionToken>,
        purpose: Purpose,
    ) -> Result<Option<Redeemed<U>>, Error> {
        let redeemed = async {
            let found = self.find(token, purpose, user_kind(purpose)).await?;
            let user = self.user(&found.subject, &found.content, purpose).await?;
            self.use_up_found(&found, purpose).await?;
            Ok(Redeemed::new(user, found.content))
        };
        self.settle(purpose, redeemed.await)
    }

    pub(super) async fn find_invitation(
        &self,
        token: Option<SessionToken>,
        purpose: Purpose,
    ) -> Result<Found, Stop> {
        self.find(token, purpose, INVITATIONS).await
    }

    pub(super) async fn use_up_found(&self, found: &Found, purpose: Purpose) -> Result<(), Stop> {
        self.use_up(&found.key, &found.subject, &found.secret, purpose)
            .await
    }

    /// Reports a refusal, for which the caller gets `None`.
    pub(super) fn settle<T>(
        &self,
        purpose: Purpose,
        outcome: Result<T, Stop>,
    ) -> Result<Option<T>, Error> {
        match outcome {
            Ok(accepted) => Ok(Some(accepted)),
            Err(Stop::Failed(error)) => Err(error),
            Err(Stop::Refused(why, user_id)) => {
                self.report(EventKind::TokenRefused(why), purpose, user_id.as_deref());
                Ok(None)
            }
        }
    }

    async fn find(
        &self,
        token: Option<SessionToken>,
        purpose: Purpose,
        kind: &'static str,
    ) -> Result<Found, Stop> {
        let token = token.ok_or(Stop::Refused(RefusedReason::Malformed, None))?;
        let realm = &self.realm;
        let entry = find_entry(realm, kind, &token.id).await?;
        let entry = entry.ok_or(Stop::Refused(RefusedReason::Unknown, None))?;
        let name = realm.entry_name(kind, entry.owner()).unwrap_or_default();
        let subject = match kind {
            INVITATIONS => Subject::Address(name.to_owned()),
            _ => Subject::User(name.to_owned()),
        };
        let refused = |why| Stop::Refused(why, subject.user_id().map(str::to_owned));
        let content = Content::decode(entry.content())?;
        let secret = self.secret_digest(&token);
        if content.secret != secret {
            return Err(refused(RefusedReason::Unknown));
        }
        let key = self.key(purpose, &subject, content.address.as_deref());
        if key.id != entry.id() {
            return Err(refused(RefusedReason::OtherPurpose));
        }
        content.judge(realm.clock.now()).map_err(refused)?;
        if purpose.undoes && self.is_undone(&key, content.issued).await? {
            return Err(refused(RefusedReason::Undone));
        }
        Ok(Found {
            key,
            subject,
            secret,
            content,
        })
    }

    /// Whether an older token has undone the change that the one issued at this time undoes.
    async fn is_undone(&self, key: &EntryKey, issued: Millis) -> Result<bool, Error> {
        let now = self.realm.clock.now();
        let entries = list_entries(&self.realm, &key.owner, now).await?;
        for entry in entries.iter().filter(|entry| entry.id() != key.id) {
            if Content::decode(entry.content())?.has_undone(issued) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Loads the user: the same id, active, with the same stamp and the same address.
    pub(super) async fn user(
        &self,
        subject: &Subject,
        content: &Content,
        purpose: Purpose,
    ) -> Result<Arc<U>, Stop> {
        let (realm, text) = (&self.realm, subject.text());
        let refused = |why| Stop::Refused(why, Some(text.to_owned()));
        if realm.is_of_another_type(content.user_type) {
            return Err(refused(RefusedReason::OtherUserType));
        }
        let id = parse_id::<U>(text).ok_or_else(|| refused(RefusedReason::BadId))?;
        let event = |kind| {
            let event = realm.event(kind).of(Some(text), None);
            event.for_purpose(purpose.name())
        };
        let answer = realm.call(ErrorKind::Loader, (self.load_user)(&id)).await;
        let user = answer.inspect_err(|error| {
            realm.emit(&event(EventKind::LoaderFailed).because(error));
        })?;
        let user = user.ok_or_else(|| refused(RefusedReason::UserGone))?;
        if user.id() != id {
            realm.emit(&event(EventKind::WrongUser));
            return Err(Stop::Failed(ErrorKind::WrongUser.into()));
        }
        if !user.is_active() {
            return Err(refused(RefusedReason::Inactive));
        }
        if purpose.undoes {
            return Ok(user);
        }
        if self.stamp(subject, &user) != content.stamp {
            return Err(refused(RefusedReason::StampChanged));
        }
        if self.knows_addresses()
            && let Some(issued_for) = &content.address
            && self.address_of(&user) != Some(issued_for)
        {
            return Err(refused(RefusedReason::AddressChanged));
        }
        Ok(user)
    }

    /// Marks a token as used, once. It is not deleted, so that the mark of this write tells whether
    /// it took effect, and no other token is issued within the gap.
    pub(super) async fn use_up(
        &self,
        key: &EntryKey,
        subject: &Subject,
        secret: &Digest,
        purpose: Purpose,
    ) -> Result<(), Stop> {
        let now = self.realm.clock.now();
        let used = change_entry(&self.realm, key, now, |entry| {
            let Some(entry) = entry else {
                return Ok(EntryStep::Keep(Err(RefusedReason::Unknown)));
            };
            let mut content = Content::decode(entry.content())?;
            if content.secret != *secret {
                return Ok(EntryStep::Keep(Err(RefusedReason::Unknown)));
            }
            if let Err(why) = content.judge(now) {
                return Ok(EntryStep::Keep(Err(why)));
            }
            let mut expires = entry.expires();
            if purpose.undoes {
                let after = content.undone.map_or(content.issued, |(after, _)| after);
                content.undone = Some((after, now));
                // Keep the interval for as long as any token that was issued until now is valid.
                expires = expires.max(now.saturating_add(millis(purpose.lifetime)));
            }
            content.use_up();
            Ok(EntryStep::Put {
                content: content.encode(),
                expires,
                then: Ok(content.issued),
            })
        });
        let user_id = subject.user_id();
        let refused = |why| Err(Stop::Refused(why, user_id.map(str::to_owned)));
        match used.await? {
            Err(why) => refused(why),
            // If an older undo is redeemed concurrently, it may have been marked as used between
            // `find` and this write, so look again. If it is marked after this check, this one came
            // first. If the check fails, the token is accepted: it is used up, so its owner could
            // not try again.
            Ok(issued)
                if purpose.undoes && matches!(self.is_undone(key, issued).await, Ok(true)) =>
            {
                refused(RefusedReason::Undone)
            }
            Ok(_) => {
                self.report(EventKind::TokenRedeemed, purpose, user_id);
                Ok(())
            }
        }
    }
}
