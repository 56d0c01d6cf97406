//! A user's other browsers: which there are, and how to log them out.

use std::{collections::BTreeMap, sync::Arc};

use tokio::runtime::Handle;

use super::{
    Auth,
    device::{Device, DeviceId},
    inner::Inner,
};
use crate::{
    clock::Millis,
    error::{Error, ErrorKind},
    event::EventKind,
    identity::Identity,
    realm::Realm,
    remember,
    store::{Family, Outcome, Page, Record, Which},
    user::AuthUser,
};

/// How many records a list asks the store for at a time.
const PAGE: usize = 100;

impl<U: AuthUser> Auth<U> {
    /// The browsers in which this user is logged in or remembered, the one seen last first. Empty where nobody is logged in.
    ///
    /// A user whom a [request loader](crate::RequestLoader) found can ask this too, and log out all of them: none of them is this one.
    ///
    /// # Errors
    /// As [`user`](Auth::user); [`ErrorKind::UnstableId`].
    pub async fn sessions(&self) -> Result<Vec<Device>, Error> {
        let inner = &self.inner;
        let Some((owner, family)) = inner.line().await? else {
            return Ok(Vec::new());
        };
        let mut devices = devices(&inner.visit.realm, &owner, inner.visit.now()).await?;
        for device in &mut devices {
            device.set_current(Some(device.id()) == family);
        }
        Ok(devices)
    }

    /// Logs this user out in one browser, by the [`id`](Device::id) that [`sessions`](Auth::sessions) gave it. Answers whether
    /// there was such a one; the id of somebody else's is none. For this very browser it is a [`logout`](Auth::logout).
    ///
    /// # Errors
    /// As [`user`](Auth::user) and [`logout`](Auth::logout).
    pub async fn revoke(&self, id: DeviceId) -> Result<bool, Error> {
        self.run(move |inner| async move { inner.revoke_at(id, inner.visit.now()).await })
            .await
    }

    /// Logs this user out in every browser but this one: after a change of password, say. Where nobody is logged in it does
    /// nothing.
    ///
    /// # Errors
    /// As [`user`](Auth::user).
    pub async fn logout_others(&self) -> Result<(), Error> {
        self.run(|inner| async move { inner.logout_others_at(inner.visit.now()).await })
            .await
    }

    /// Logs this user out in every browser, this one included.
    ///
    /// # Errors
    /// As [`logout_others`](Auth::logout_others) and [`logout`](Auth::logout).
    pub async fn logout_everywhere(&self) -> Result<(), Error> {
        self.run(|inner| async move {
            let now = inner.visit.now();
            inner.logout_others_at(now).await?;
            inner.logout_at(now).await
        })
        .await
    }
}

impl<U: AuthUser> Inner<U> {
    /// Whose request this is, and to which line of descent it belongs, if it has a session.
    async fn line(&self) -> Result<Option<(Arc<str>, Option<Family>)>, Error> {
        let _turn = self.visit.turn.lock().await;
        self.line_at(self.visit.now()).await
    }

    async fn line_at(&self, now: Millis) -> Result<Option<(Arc<str>, Option<Family>)>, Error> {
        let Identity::User(user, _) = self.identity_at(now).await? else {
            return Ok(None);
        };
        Ok(Some(match self.visit.live().map(|live| live.record) {
            Some(Record {
                owner: Some(owner),
                family,
                ..
            }) => (owner, Some(family)),
            _ => (owner_of::<U>(&self.visit.realm, &user.id())?, None),
        }))
    }

    async fn revoke_at(&self, id: Family, now: Millis) -> Result<bool, Error> {
        match self.line_at(now).await? {
            None => Ok(false),
            Some((_, Some(family))) if family == id => self.logout_at(now).await.map(|()| true),
            Some((owner, _)) => {
                let deleted = revoke(&self.visit.realm, &owner, Which::Only(id)).await?;
                Ok(deleted > 0)
            }
        }
    }

    async fn logout_others_at(&self, now: Millis) -> Result<(), Error> {
        if let Some((owner, family)) = self.line_at(now).await? {
            let others = family.map_or(Which::All, Which::Except);
            revoke(&self.visit.realm, &owner, others).await?;
        }
        Ok(())
    }
}

/// Ends lines of descent of a user from elsewhere than their own browser.
pub(crate) async fn revoke(realm: &Realm, owner: &str, which: Which) -> Result<u64, Error> {
    let deleted = realm.delete_all(owner, which).await?;
    if deleted > 0 {
        realm.report_revoked(owner, which);
    }
    Ok(deleted)
}

/// Ends all of a user's lines of descent but the newest, so many of them. Every node sorts alike, so that of logins at the same time
/// the same ones stay everywhere.
pub(crate) async fn keep_newest(
    realm: &Realm,
    owner: &str,
    keep: usize,
    now: Millis,
) -> Result<(), Error> {
    let mut devices = devices(realm, owner, now).await?;
    devices.sort_by_key(|device| std::cmp::Reverse((device.created(), device.id())));
    for device in devices.iter().skip(keep) {
        revoke(realm, owner, Which::Only(device.id())).await?;
    }
    Ok(())
}

/// Forgets the browsers in which a user asked first to be remembered, all but so many of them. In the background: no login waits
/// for it.
pub(crate) fn forget_oldest(realm: &Arc<Realm>, owner: &Arc<str>, now: Millis) {
    let Ok(runtime) = Handle::try_current() else {
        return;
    };
    let (realm, owner) = (Arc::clone(realm), Arc::clone(owner));
    runtime.spawn(async move {
        let _next_time = keep_remembered(&realm, &owner, now).await;
    });
}

async fn keep_remembered(realm: &Realm, owner: &str, now: Millis) -> Result<(), Error> {
    let mut series = Vec::new();
    each_record(realm, owner, now, |record| {
        if remember::is_series(&record.payload) {
            series.push((record.created, record.key, record.family));
        }
    })
    .await?;
    series.sort_by_key(|&(created, key, _)| std::cmp::Reverse((created, key)));
    for (_, key, family) in series.into_iter().skip(realm.max_remembered.get()) {
        if realm.delete(&key, None).await? == Outcome::Done {
            realm.report_of(EventKind::Forgotten, Some(owner), family);
        }
    }
    Ok(())
}

/// A user's browsers, none of them current.
pub(crate) async fn devices(realm: &Realm, owner: &str, now: Millis) -> Result<Vec<Device>, Error> {
    let mut devices = BTreeMap::<Family, Device>::new();
    each_record(realm, owner, now, |record| {
        if let Some(seen) = Device::seen_in(record) {
            let device = devices.entry(seen.id()).or_insert_with(|| seen.clone());
            device.merge(seen);
        }
    })
    .await?;
    let mut devices: Vec<_> = devices.into_values().collect();
    devices.sort_by_key(|device| (std::cmp::Reverse(device.last_seen()), device.id()));
    Ok(devices)
}

/// Reads a user's records, page by page.
pub(super) async fn each_record(
    realm: &Realm,
    owner: &str,
    now: Millis,
    mut with: impl FnMut(&Record) + Send,
) -> Result<(), Error> {
    let mut after = None;
    loop {
        let page = Page { after, limit: PAGE };
        let records = realm.list(owner, page, now).await?;
        records.iter().for_each(&mut with);
        after = records.last().map(|record| record.key);
        if records.len() < PAGE {
            return Ok(());
        }
    }
}

/// An owner for a user id that comes from outside a request.
pub(crate) fn owner_of<U: AuthUser>(realm: &Realm, id: &U::Id) -> Result<Arc<str>, Error> {
    let text = id.to_string();
    match crate::identity::parse_id::<U>(&text) {
        Some(parsed) if parsed == *id => Ok(realm.owner(&text)),
        _ => Err(ErrorKind::UnstableId.into()),
    }
}
