//! A user's sessions: listing and revoking them.

use std::sync::Arc;

use super::{Auth, request::RequestAuth, session_info::SessionInfo, verbs::Renew};
use crate::{
    clock::Millis,
    error::{Error, ErrorKind},
    event::EventKind,
    identity::{Identity, parse_id},
    realm::Realm,
    session::{Payload, Step, Swapped, Turn, finish, swap},
    store::{Outcome, Page, SessionId, SessionRecord},
    user::AuthUser,
};

/// How many records a list requests from the store at a time.
const PAGE: usize = 100;

impl<U: AuthUser> Auth<U> {
    /// Lists the sessions in which the current user is logged in or remembered, the most recently
    /// used first. Returns an empty list if the request is anonymous.
    ///
    /// Two concurrent logins from one browser, for example after a double click on the button,
    /// create two sessions; the browser keeps the cookie of the response that arrives last, and the
    /// other session expires.
    ///
    /// A user found by an [API key](crate::api_keys) or a [request loader](crate::RequestLoader)
    /// can list and revoke sessions, too; none of them is the current one.
    ///
    /// # Errors
    /// - those of [`user`](Auth::user)
    /// - [`ErrorKind::UnstableId`] if the text of the user's id does not parse back to the same id
    pub async fn sessions(&self) -> Result<Vec<SessionInfo>, Error> {
        let (owner, current) = {
            let turn = self.request.session.turn().await;
            match self.request.owner(&turn).await? {
                Some(found) => found,
                None => return Ok(Vec::new()),
            }
        };
        let realm = self.request.realm();
        sessions(realm, &owner, current, realm.clock.now()).await
    }

    /// Revokes a session of the current user, by the [`id`](SessionInfo::id) that
    /// [`sessions`](Auth::sessions) returned, and returns whether there was one. The id of another
    /// user's session is ignored. For the current session this is a [`logout`](Auth::logout).
    ///
    /// # Errors
    /// - those of [`sessions`](Auth::sessions) and [`logout`](Auth::logout)
    pub async fn revoke(&self, id: SessionId) -> Result<bool, Error> {
        let request = Arc::clone(&self.request);
        finish(async move {
            let turn = request.session.turn().await;
            request.revoke(&turn, id).await
        })
        .await
    }

    /// Ends every session of the current user except this one, for example after a change of
    /// password. This session and its remember cookie get new secrets, so copies of the cookies
    /// become invalid at once, without the grace. Does nothing if the request is anonymous.
    ///
    /// # Errors
    /// - those of [`sessions`](Auth::sessions)
    /// - those of [`rotate`](Auth::rotate): the other sessions have ended by then
    pub async fn logout_others(&self) -> Result<(), Error> {
        let request = Arc::clone(&self.request);
        finish(async move {
            let turn = request.session.turn().await;
            match request.owner(&turn).await? {
                Some((owner, current)) => {
                    delete_all(request.realm(), &owner, current).await?;
                    match current {
                        Some(_) => request.rotate(&turn, Renew::All).await,
                        None => Ok(()),
                    }
                }
                None => Ok(()),
            }
        })
        .await
    }

    /// Ends every session of the current user, including this one. If the store fails, this browser
    /// stays logged in, so that the user can try again.
    ///
    /// # Errors
    /// - those of [`sessions`](Auth::sessions) and [`logout`](Auth::logout)
    pub async fn logout_everywhere(&self) -> Result<(), Error> {
        let request = Arc::clone(&self.request);
        finish(async move {
            let turn = request.session.turn().await;
            if let Some((owner, _)) = request.owner(&turn).await? {
                // If this fails, the browser stays logged in, so that the user can try again.
                delete_all(request.realm(), &owner, None).await?;
            }
            request.logout(&turn).await
        })
        .await
    }
}

impl<U: AuthUser> RequestAuth<U> {
    /// The owner of the current user's sessions, and the id of this one if there is one.
    async fn owner(&self, turn: &Turn<'_>) -> Result<Option<(Arc<str>, Option<SessionId>)>, Error> {
        Ok(match self.resolve(turn).await? {
            Identity::Anonymous(_) => None,
            Identity::BySession { user, .. }
            | Identity::ByKey { user, .. }
            | Identity::ByRequest(user) => {
                let own = turn.open().map(|open| open.record.clone());
                match own.and_then(|record| Some((record.owner?, Some(record.id)))) {
                    Some(own) => Some(own),
                    // The user was found by an API key or a request loader, or the session ended
                    // during this request.
                    None => Some((owner_of::<U>(self.realm(), &user.id())?, None)),
                }
            }
        })
    }

    async fn revoke(&self, turn: &Turn<'_>, id: SessionId) -> Result<bool, Error> {
        match self.owner(turn).await? {
            None => Ok(false),
            Some((_, Some(current))) if current == id => self.logout(turn).await.map(|()| true),
            Some((owner, _)) => revoke(self.realm(), &owner, id).await,
        }
    }
}

/// Ends one session of a user.
pub(crate) async fn revoke(realm: &Realm, owner: &str, id: SessionId) -> Result<bool, Error> {
    let Some(record) = realm.load_fresh(&id).await? else {
        return Ok(false);
    };
    if record.owner.as_deref() != Some(owner) {
        return Ok(false);
    }
    let is_done = realm.delete(&id, None).await? == Outcome::Done;
    if is_done {
        realm.report_end(EventKind::Revoked, &record);
    }
    Ok(is_done)
}

/// Ends a user's sessions, except one.
pub(crate) async fn delete_all(
    realm: &Realm,
    owner: &str,
    except: Option<SessionId>,
) -> Result<(), Error> {
    if realm.delete_all(owner, except).await? > 0 {
        let event = realm.event(EventKind::Revoked);
        realm.emit(&event.of(realm.id_of(owner), None));
    }
    Ok(())
}

/// A user's sessions, the most recently used first.
pub(crate) async fn sessions(
    realm: &Realm,
    owner: &str,
    current: Option<SessionId>,
    now: Millis,
) -> Result<Vec<SessionInfo>, Error> {
    let records = records(realm, owner, now).await?;
    let mut sessions: Vec<_> = records
        .iter()
        .filter_map(|record| SessionInfo::of(record, current, now))
        .collect();
    sessions.sort_by_key(|session| (std::cmp::Reverse(session.last_seen()), session.id()));
    Ok(sessions)
}

async fn records(realm: &Realm, owner: &str, now: Millis) -> Result<Vec<SessionRecord>, Error> {
    let (mut all, mut after) = (Vec::new(), None);
    loop {
        let page = Page { after, limit: PAGE };
        let records = realm.list(owner, page, now).await?;
        let is_last = records.len() < PAGE;
        after = records.last().map(|record| record.id);
        all.extend(records);
        if is_last {
            return Ok(all);
        }
    }
}

/// The latest times among a user's sessions.
#[derive(Clone, Copy, Default)]
pub(super) struct Newest {
    pub(super) created: Option<Millis>,
    /// When a browser was last remembered.
    pub(super) issued: Option<Millis>,
}

pub(super) async fn newest(realm: &Realm, owner: &str, now: Millis) -> Result<Newest, Error> {
    let records = records(realm, owner, now).await?;
    // Times from the future are ignored: one clock that was far ahead must not move every later
    // login into the future.
    let latest = |times: &mut dyn Iterator<Item = Millis>| {
        times
            .filter(|time| !Realm::is_from_the_future(*time, now))
            .max()
    };
    Ok(Newest {
        created: latest(&mut records.iter().map(|record| record.created)),
        issued: latest(&mut records.iter().filter_map(|record| issued(record, now))),
    })
}

/// When the browser of a record was remembered, or `None` if it no longer is.
fn issued(record: &SessionRecord, now: Millis) -> Option<Millis> {
    let payload = Payload::decode(&record.payload).ok()?;
    let remember = payload.remember.filter(|remember| now < remember.ends)?;
    Some(remember.issued)
}

/// The time by which a login is ordered. A login that a node with a clock far ahead has written
/// counts as the oldest.
fn in_order(time: Millis, now: Millis) -> Millis {
    match Realm::is_from_the_future(time, now) {
        true => Millis::MIN,
        false => time,
    }
}

/// A record that a login has written, and whether it is new: only a new record can itself exceed a
/// limit. If a concurrent login B comes after this login A in the order, but lists the records
/// before A creates its own, B does not end A's record, so A must end it. The order is the same on
/// every node, so the newest stay.
#[derive(Clone)]
pub(super) struct LoggedIn {
    pub(super) record: SessionRecord,
    pub(super) is_new: bool,
}

impl LoggedIn {
    fn owner(&self) -> &str {
        self.record.owner.as_deref().unwrap_or_default()
    }

    fn may_end(&self, id: SessionId) -> bool {
        self.is_new || id != self.record.id
    }
}

/// Ends the user's oldest sessions beyond the limit.
pub(super) async fn evict_oldest(
    realm: &Realm,
    own: LoggedIn,
    limit: usize,
    now: Millis,
) -> Result<(), Error> {
    let mut sessions = sessions(realm, own.owner(), None, now).await?;
    sessions.retain(|session| !session.is_impersonated());
    sessions.sort_by_key(|session| {
        let (created, id) = session.order();
        std::cmp::Reverse((in_order(created, now), id))
    });
    for session in sessions.iter().skip(limit) {
        if own.may_end(session.id()) {
            revoke(realm, own.owner(), session.id()).await?;
        }
    }
    Ok(())
}

/// Removes the remember part of the user's oldest sessions beyond the limit, in the background: no
/// login waits for it.
pub(super) fn forget_oldest(realm: &Arc<Realm>, own: LoggedIn, limit: usize, now: Millis) {
    let realm = Arc::clone(realm);
    tokio::spawn(async move {
        // Best effort: the next login tries again.
        forget(&realm, &own, limit, now).await.ok();
    });
}

async fn forget(realm: &Realm, own: &LoggedIn, limit: usize, now: Millis) -> Result<(), Error> {
    let order = |record: &SessionRecord| Some((issued(record, now)?, record.id));
    let mut remembered: Vec<_> = records(realm, own.owner(), now)
        .await?
        .into_iter()
        .filter_map(|record| Some((order(&record)?, record)))
        .collect();
    remembered.sort_by_key(|((issued, id), _)| std::cmp::Reverse((in_order(*issued, now), *id)));
    for ((judged, id), record) in remembered.into_iter().skip(limit) {
        if !own.may_end(id) {
            continue;
        }
        let Ok(payload) = Payload::decode(&record.payload) else {
            continue;
        };
        let swapped = swap(realm, record, payload, |record, payload| {
            if payload
                .remember
                .is_none_or(|remember| remember.issued != judged)
            {
                return Step::Stop(());
            }
            let mut new = payload.clone();
            new.remember = None;
            new.head.series = None;
            Step::Write(new, record.touched)
        });
        if let Swapped::Done(..) = swapped.await? {
            realm.emit(&realm.event_of(EventKind::Forgotten, Some(own.owner()), id));
        }
    }
    Ok(())
}

/// The owner for a user id that comes from outside a request.
pub(crate) fn owner_of<U: AuthUser>(realm: &Realm, id: &U::Id) -> Result<Arc<str>, Error> {
    let text = id.to_string();
    match parse_id::<U>(&text) {
        Some(parsed) if parsed == *id => Ok(realm.owner(&text)),
        _ => Err(ErrorKind::UnstableId.into()),
    }
}
