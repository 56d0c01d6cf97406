//! Browsers in which a user has logged in before.
//!
//! An entry for each user and browser, whose id is a digest of the user's id and the browser's
//! secret. Content: nothing, or the time until which the browser is trusted (8 bytes) and the
//! digest of the security stamp that the user had when it was trusted (32 bytes, or none).

use std::{cmp::Reverse, fmt, sync::Arc};

use super::{Auth, RequestAuth};
use crate::{
    clock::{Millis, millis},
    entry::{EntryKey, EntryStep, change_entry, list_entries, load_entry},
    error::{Error, ErrorKind},
    event::EventKind,
    identity::stamp_digest,
    known_browsers::KnownBrowsers,
    realm::{CLOCK_SKEW, Realm},
    session::{Turn, finish},
    store::{BrowserToken, Digest, SessionRecord},
    user::AuthUser,
};

/// A browser in which a user has logged in before. Returned by [`Auth::known_browser`], for
/// [`Guess::browser`](crate::throttle::Guess::browser).
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct KnownBrowser(Digest);

impl KnownBrowser {
    /// A digest of the user's id and the browser's secret.
    pub(crate) fn digest(&self) -> &Digest {
        &self.0
    }
}

impl fmt::Debug for KnownBrowser {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KnownBrowser([redacted])")
    }
}

impl<U: AuthUser> Auth<U> {
    /// Returns whether the user with this id has logged in from this browser before, if
    /// [`with_known_browsers`](crate::LoginManager::with_known_browsers) is set. It is meant for a
    /// [throttle](crate::throttle), before the password is checked.
    ///
    /// Pass `None` if no user has the name that was entered. This costs the same as a user who has
    /// never used this browser: one store read, or none without the cookie.
    ///
    /// The result grants no access: anyone who uses the computer has the browser.
    ///
    /// # Errors
    /// - [`ErrorKind::Store`] if the store failed or missed its deadline
    pub async fn known_browser(&self, id: Option<&U::Id>) -> Result<Option<KnownBrowser>, Error> {
        let realm = self.realm();
        let Some(_) = realm.known_browsers else {
            return Ok(None);
        };
        self.asked();
        let Some(token) = self.request.session.browser_token() else {
            return Ok(None);
        };
        let id = id.map(ToString::to_string);
        let digest = digest(realm, id.as_deref(), &token);
        let key = EntryKey::named(owner(realm, id.as_deref().unwrap_or_default()), &digest);
        let entry = load_entry(realm, &key, realm.clock.now()).await?;
        Ok(entry.map(|_| KnownBrowser(digest)))
    }

    /// Trusts this browser for the current user, [30 days by
    /// default](crate::manager::KnownBrowsers::trusted_for): call it after the user has passed a
    /// second factor and wants to skip it here the next time. Returns whether the browser is now
    /// trusted: false if the session is not [fresh](Auth::is_fresh), or without
    /// [`with_known_browsers`](crate::LoginManager::with_known_browsers).
    ///
    /// The browser gets a new secret, so that a secret that was planted before is not trusted.
    /// Other users of the browser are no longer known in it.
    ///
    /// # Errors
    /// - those of [`user`](Auth::user)
    /// - [`ErrorKind::TooLate`] if the response head has already been sent
    /// - [`ErrorKind::Random`] if the operating system returned no random bytes
    pub async fn trust_browser(&self) -> Result<bool, Error> {
        let auth = self.clone();
        self.asked();
        finish(async move {
            let turn = auth.request.session.turn().await;
            let identity = auth.request.resolve(&turn).await?;
            match identity.user() {
                Some(user) if identity.is_fresh(auth.realm(), Millis::MAX) => {
                    auth.request.trust_browser(&turn, user).await
                }
                _ => Ok(false),
            }
        })
        .await
    }

    /// Returns whether this user has [trusted](Auth::trust_browser) this browser and may skip the
    /// second factor. Call it after the password has been checked, before the login. Always false
    /// after a change of the user's security stamp.
    ///
    /// # Errors
    /// - [`ErrorKind::Store`] if the store failed or missed its deadline
    pub async fn is_browser_trusted(&self, user: &U) -> Result<bool, Error> {
        let realm = self.realm();
        let Some(settings) = realm.known_browsers else {
            return Ok(false);
        };
        self.asked();
        let Some(token) = self.request.session.browser_token() else {
            return Ok(false);
        };
        let (id, now) = (user.id().to_string(), realm.clock.now());
        let entry = load_entry(realm, &key(realm, &id, &token), now).await?;
        Ok(entry
            .as_ref()
            .and_then(|entry| Trust::of(entry.content()))
            .is_some_and(|trust| {
                let longest = millis(settings.trusted_for).saturating_add(CLOCK_SKEW);
                (1..=longest).contains(&trust.until.saturating_sub(now))
                    && trust.stamp == stamp_digest(realm, &realm.owner(&id), user)
            }))
    }
}

impl<U: AuthUser> RequestAuth<U> {
    /// Records that a user has entered credentials in this browser. Best effort: the login is valid
    /// in any case.
    pub(super) async fn know_browser(&self, turn: &Turn<'_>, id: &str, record: &SessionRecord) {
        let realm = turn.realm();
        let Some(settings) = &realm.known_browsers else {
            return;
        };
        let token = match turn.browser_token() {
            Some(token) => token,
            None => match BrowserToken::random() {
                Ok(token) => token,
                Err(_) => return,
            },
        };
        let key = key(realm, id, &token);
        let Ok(is_new) = put(realm, settings, &key, turn.now, None).await else {
            return;
        };
        turn.state().browser_cookie = Some(Box::new(token));
        if is_new {
            forget_oldest(realm, settings, &key, turn.now).await;
            realm.report_of(EventKind::NewBrowser, record);
        }
    }

    async fn trust_browser(&self, turn: &Turn<'_>, user: &U) -> Result<bool, Error> {
        let realm = turn.realm();
        self.check_in_time()?;
        let Some(settings) = &realm.known_browsers else {
            return Ok(false);
        };
        let id = user.id().to_string();
        let before = turn.browser_token();
        let token = BrowserToken::random().map_err(|_| ErrorKind::Random)?;
        let trust = Trust {
            until: turn.now.saturating_add(millis(settings.trusted_for)),
            stamp: stamp_digest(realm, &realm.owner(&id), user),
        };
        let new = key(realm, &id, &token);
        put(realm, settings, &new, turn.now, Some(&trust)).await?;
        turn.state().browser_cookie = Some(Box::new(token));
        if let Some(before) = before {
            // Best effort: its cookie is replaced.
            let before = key(realm, &id, &before);
            realm.delete(&before.id, None).await.ok();
        }
        // Only now that the browser's old entry is deleted, so that the browser does not count
        // twice.
        forget_oldest(realm, settings, &new, turn.now).await;
        Ok(true)
    }
}

/// The time until which a user may skip the second factor in a browser.
#[cfg_attr(test, derive(Debug, PartialEq))]
struct Trust {
    until: Millis,
    stamp: Option<Digest>,
}

impl Trust {
    fn of(content: &[u8]) -> Option<Self> {
        let (until, stamp) = content.split_first_chunk()?;
        Some(Self {
            until: Millis::from_be_bytes(*until),
            stamp: match stamp {
                [] => None,
                stamp => Some(Digest(stamp.try_into().ok()?)),
            },
        })
    }

    fn content(&self) -> Vec<u8> {
        let mut content = self.until.to_be_bytes().to_vec();
        content.extend(self.stamp.iter().flat_map(|stamp| stamp.0));
        content
    }
}

/// Writes the entry of a browser. Returns whether it is new.
async fn put(
    realm: &Realm,
    settings: &KnownBrowsers,
    key: &EntryKey,
    now: Millis,
    trust: Option<&Trust>,
) -> Result<bool, Error> {
    change_entry(realm, key, now, |entry| {
        let before = || entry.map(|entry| entry.content().to_vec());
        Ok(EntryStep::Put {
            content: trust
                .map(Trust::content)
                .or_else(before)
                .unwrap_or_default(),
            expires: now.saturating_add(millis(settings.lifetime)),
            then: entry.is_none(),
        })
    })
    .await
}

/// Forgets the user's oldest browsers beyond the limit. Best effort: the next new browser tries
/// again.
async fn forget_oldest(realm: &Realm, settings: &KnownBrowsers, own: &EntryKey, now: Millis) {
    let Ok(mut entries) = list_entries(realm, &own.owner, now).await else {
        return;
    };
    entries.retain(|entry| entry.id() != own.id);
    entries.sort_by_key(|entry| Reverse((entry.touched(), entry.id())));
    for entry in entries.iter().skip(settings.max_browsers - 1) {
        if realm.delete(&entry.id(), None).await.is_err() {
            return;
        }
    }
}

/// The owner of the entries of a user's browsers.
pub(crate) fn owner(realm: &Realm, id: &str) -> Arc<str> {
    realm.entry_owner("browsers", id)
}

fn key(realm: &Realm, id: &str, token: &BrowserToken) -> EntryKey {
    EntryKey::named(owner(realm, id), &digest(realm, Some(id), token))
}

fn digest(realm: &Realm, id: Option<&str>, token: &BrowserToken) -> Digest {
    let digester = realm.digester("browser");
    match id {
        Some(id) => digester.parts(&[b"user", id.as_bytes(), token.as_bytes()]),
        None => digester.parts(&[b"no user", token.as_bytes()]),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn trust_comes_back_as_it_was_stored(until: i64, stamp: Option<[u8; 32]>) {
            let trust = Trust { until, stamp: stamp.map(Digest) };
            let content = trust.content();
            prop_assert_eq!(Trust::of(&content), Some(trust));
            for length in 0..content.len() {
                // Without the stamp, it is the trust of a user who has none.
                let is_trust = stamp.is_some() && length == 8;
                prop_assert_eq!(Trust::of(&content[..length]).is_some(), is_trust);
            }
            prop_assert_eq!(Trust::of(&[&*content, &[0]].concat()), None);
        }
    }
}
