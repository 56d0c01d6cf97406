//! Starting and stopping an impersonation.

use std::{sync::Arc, time::Duration};

use crate::{
    auth::{impersonate::LONGEST, request::RequestAuth},
    clock::{Millis, millis},
    error::{Error, ErrorKind},
    event::EventKind,
    identity::{Entered, Identity, is_same_client, parse_id, stamp_digest},
    session::{
        Actor, ActorStanding, Browser, Changes, Head, HeldBy, Limits, LoginFacts, Methods,
        NewSession, Open, Payload, Step, StoredData, Swapped, Turn, create, swap,
    },
    store::{SessionId, SessionToken},
    user::AuthUser,
};

impl<U: AuthUser> RequestAuth<U> {
    pub(in crate::auth) async fn impersonate(
        &self,
        turn: &Turn<'_>,
        user: Arc<U>,
        at_most: Duration,
    ) -> Result<Arc<U>, Error> {
        let (realm, now) = (turn.realm(), turn.now);
        self.check_in_time()?;
        if realm.cookies.are_ignored() {
            return Err(ErrorKind::NoCookies.into());
        }
        if !(Duration::from_secs(1)..=LONGEST).contains(&at_most) {
            return Err(ErrorKind::InvalidLifetime.into());
        }
        let identity = self.resolve(turn).await?;
        if identity.actor().is_some() {
            return Err(ErrorKind::Impersonating.into());
        }
        let actor_user = match identity {
            Identity::BySession { ref user, .. } if identity.is_fresh(realm, Millis::MAX) => {
                Arc::clone(user)
            }
            _ => return Err(ErrorKind::FreshLoginRequired.into()),
        };
        let id = user.id().to_string();
        if !user.is_active() {
            realm.report_user(EventKind::LoginRejected, &id);
            return Err(ErrorKind::Inactive.into());
        }
        if parse_id::<U>(&id).is_none_or(|parsed| parsed != user.id()) {
            return Err(ErrorKind::UnstableId.into());
        }
        // The data that this request has changed belongs to the actor's session.
        turn.save().await?;
        // The session ended during this request.
        let old = turn.open().ok_or(ErrorKind::Gone)?;
        let actor = Actor {
            id: actor_user.id().to_string().into(),
            session: old.record.id,
            epoch: old.payload.epoch,
        };
        let owner = realm.owner(&id);
        let session = SessionId::random().map_err(|_| ErrorKind::Random)?;
        let token = SessionToken::random(session).map_err(|_| ErrorKind::Random)?;
        let secret = realm.digests.session.secret(session, &token.secret);
        let absolute = millis(at_most);
        let new = NewSession {
            id: session,
            owner: Some(Arc::clone(&owner)),
            created: now,
            now,
            payload: Payload {
                head: Head {
                    current: Some(secret),
                    previous: None,
                    rotated: now,
                    series: None,
                },
                mark: [0; 8],
                limits: Limits {
                    idle: old.payload.limits.idle.min(absolute),
                    absolute,
                    ends: now.saturating_add(absolute).min(old.payload.limits.ends),
                },
                epoch: 1,
                excludes_previous: false,
                login: Some(LoginFacts {
                    at: now,
                    fresh: false,
                    forced: false,
                    browser: turn.user_agent().map(Browser::of).unwrap_or_default(),
                    user_type: realm.user_type,
                    stamp: stamp_digest(realm, &owner, &*user),
                    client: turn.client_mark(),
                }),
                methods: Methods::default(),
                remember: None,
                actor: Some(Arc::new(actor)),
                entries: StoredData::empty(),
            },
        };
        let (record, payload) = create(realm, new).await?;
        let actor = payload.actor.clone();
        let event = actor.map(|actor| actor.event(realm, EventKind::ImpersonationStarted, &record));
        let open = Open {
            record,
            payload,
            changes: Changes::default(),
            held_by: HeldBy::Secret(secret),
        };
        turn.state().adopt(open, token, false);
        self.set_identity(Identity::BySession {
            user: Arc::clone(&user),
            entered: Entered::default(),
            actor: Some(actor_user),
        });
        event.iter().for_each(|event| realm.emit(event));
        Ok(user)
    }

    pub(in crate::auth) async fn stop_impersonating(
        &self,
        turn: &Turn<'_>,
    ) -> Result<Option<Arc<U>>, Error> {
        self.check_in_time()?;
        let Some(user) = self.resolve(turn).await?.actor().cloned() else {
            return Ok(None);
        };
        let realm = turn.realm();
        // The session ended during this request.
        let old = turn.open().ok_or(ErrorKind::Gone)?;
        let actor = old.payload.actor.as_ref().ok_or(ErrorKind::Gone)?;
        // A request that joins never gets a new secret.
        if old.held_by == HeldBy::Joined {
            return Err(ErrorKind::Conflict.into());
        }
        let found = realm.load_fresh(&actor.session).await?.and_then(|record| {
            let payload = Payload::decode(&record.payload).ok()?;
            Some((record, payload))
        });
        let Some((record, payload)) = found else {
            return self.logout(turn).await.map(|()| None);
        };
        let token = SessionToken::random(actor.session).map_err(|_| ErrorKind::Random)?;
        let secret = realm.digests.session.secret(token.id, &token.secret);
        let stamp = stamp_digest(realm, &realm.owner(&actor.id), &*user);
        let swapped = swap(realm, record, payload, |record, payload| {
            let now = realm.clock.now();
            let standing = actor.standing(realm, record, payload, now);
            if standing != ActorStanding::LoggedIn {
                return Step::Stop(standing);
            }
            if payload.login.and_then(|login| login.stamp) != stamp {
                return Step::Stop(ActorStanding::Over);
            }
            let mut new = payload.clone();
            new.head.previous = payload.head.current;
            new.head.current = Some(secret);
            new.head.rotated = now;
            new.excludes_previous = false;
            // From here on the impersonation is over: see `session::actor`.
            new.epoch = payload.epoch.wrapping_add(1);
            Step::Write(new, turn.now)
        });
        let (record, payload) = match swapped.await? {
            Swapped::Done(record, payload) => (record, payload),
            // A concurrent request was first, and its response has the cookie.
            Swapped::Stopped(ActorStanding::Back) => return Err(ErrorKind::Conflict.into()),
            Swapped::Gone | Swapped::Stopped(_) => {
                return self.logout(turn).await.map(|()| None);
            }
        };
        turn.close_impersonation(&old).await;
        let same_client = is_same_client(realm, &payload, turn.client_mark());
        let open = Open {
            record,
            payload,
            changes: Changes::default(),
            held_by: HeldBy::Secret(secret),
        };
        self.set_identity(Identity::BySession {
            user: Arc::clone(&user),
            entered: Entered::of(&open, same_client),
            actor: None,
        });
        turn.state().adopt(open, token, false);
        realm.emit(&actor.event(realm, EventKind::ImpersonationEnded, &old.record));
        Ok(Some(user))
    }
}
