//! Logging in.

use std::{iter, sync::Arc};

use super::login_plan::{Plan, Remembering, Written};
use crate::{
    auth::{
        login::{Options, Remember},
        request::RequestAuth,
        sessions::{LoggedIn, Newest, evict_oldest, forget_oldest, newest},
    },
    clock::Millis,
    error::{Error, ErrorKind},
    event::EventKind,
    identity::{Entered, Identity, parse_id, stamp_digest},
    session::{
        Browser, Change, HeldBy, Later, Limits, LoginFacts, Methods, Open, Payload, Proof,
        RememberCookie, TRIES, Turn, delete_shown, end_later, presented,
    },
    store::{SessionId, SessionRecord},
    user::AuthUser,
};

impl<U: AuthUser> RequestAuth<U> {
    pub(in crate::auth) async fn login(
        &self,
        turn: &Turn<'_>,
        user: Arc<U>,
        options: Options,
    ) -> Result<Arc<U>, Error> {
        let (realm, now) = (turn.realm(), turn.now);
        self.check_in_time()?;
        if realm.cookies.are_ignored() {
            return Err(ErrorKind::NoCookies.into());
        }
        if options.invalid {
            return Err(ErrorKind::InvalidLifetime.into());
        }
        let methods = Methods::default().with(options.by.names()?, now);
        let id = user.id().to_string();
        let inactive = !user.is_active();
        if inactive && !options.force {
            realm.report_user(EventKind::LoginRejected, &id);
            return Err(ErrorKind::Inactive.into());
        }
        if parse_id::<U>(&id).is_none_or(|parsed| parsed != user.id()) {
            return Err(ErrorKind::UnstableId.into());
        }
        let owner = realm.owner(&id);

        if let Some(Identity::ByRequest(_) | Identity::ByKey { .. }) = self.known() {
            // Values that were inserted while an API key or a request loader authenticated the
            // request do not belong to this login. It replaces the browser's own session, as any
            // other login does.
            turn.reload().await?;
        }
        turn.load().await?;
        let old = turn.open();
        let other = remembered(turn, old.as_deref()).await?;
        let surplus = surplus(turn, old.as_deref(), other.as_ref());
        let is_limited = realm.max_sessions.is_some()
            || (realm.remember_me.limit().is_some() && options.remember.is_new());
        let newest = match is_limited {
            // Best effort: a login doesn't fail because a limit can't be kept.
            true => newest(realm, &owner, now).await.unwrap_or_default(),
            false => Newest::default(),
        };
        let kept = old
            .iter()
            .map(|open| (&open.record, &open.payload))
            .chain(other.iter().map(|(record, payload, _)| (record, payload)))
            .filter(|(record, payload)| {
                record.owner.as_ref() == Some(&owner) && !payload.is_for_another_type(realm)
            })
            .find_map(|(_, payload)| payload.remember.filter(|remember| now < remember.ends))
            // A logout earlier in this request ends remember-me, even if the store failed.
            .filter(|_| !matches!(turn.state().remember_cookie, Some(Change::Remove)));
        let after =
            |newest: Option<Millis>| newest.map_or(now, |newest| now.max(newest.saturating_add(1)));
        let plan = Plan {
            login: LoginFacts {
                at: now,
                fresh: options.fresh,
                forced: inactive,
                browser: turn.user_agent().map(Browser::of).unwrap_or_default(),
                user_type: realm.user_type,
                stamp: stamp_digest(realm, &owner, &*user),
                client: turn.client_mark(),
            },
            methods: methods.clone(),
            limits: Limits::new(options.timeouts.unwrap_or(realm.timeouts), now),
            remember: match options.remember {
                Remember::AsBefore => kept.map(|kept| Remembering {
                    issued: kept.issued,
                    ends: kept.ends,
                    is_kept: true,
                }),
                Remember::For(lifetime) => Some(Remembering {
                    issued: after(newest.issued),
                    ends: now.saturating_add(lifetime),
                    is_kept: false,
                }),
                Remember::No => None,
            },
            created: after(newest.created),
            owner,
            turn,
        };

        let old_id = old.as_ref().map(|open| open.record.id);
        let Written {
            mut open,
            secrets,
            same_visitor,
        } = plan.write(old.as_deref()).await?;
        if let Some((record, payload, proof)) = other
            && record.id != open.record.id
        {
            turn.close_or_retry((record, payload), proof, &mut open)
                .await;
        }
        if let Some(old) = &old
            && let (Some(actor), Some(shown)) = (&old.payload.actor, old.shown())
        {
            turn.close_actor(actor, Proof::Session(shown)).await;
            realm.emit(&actor.event(realm, EventKind::ImpersonationEnded, &old.record));
        }
        for (id, proof) in surplus {
            if id != open.record.id && end_surplus(turn, id, proof).await.is_err() {
                end_later(realm, id, proof, Later::Surplus);
            }
        }
        let record = open.record.clone();
        let remember = open.payload.remember;
        let had_remember_cookie = turn.has_remember_cookie();
        {
            let mut state = turn.state();
            state.remember_cookie = match (secrets.remember, remember) {
                (Some(token), Some(remember)) => Some(Change::Set(Box::new(RememberCookie {
                    token,
                    max_age: remember.ends.saturating_sub(now),
                }))),
                _ if had_remember_cookie || state.remember_cookie.is_some() => Some(Change::Remove),
                _ => None,
            };
            state.adopt(open, secrets.session, same_visitor);
        }
        self.use_up_next();
        self.set_identity(Identity::BySession {
            user: Arc::clone(&user),
            entered: Entered {
                fresh: options.fresh.then_some(now),
                methods,
            },
            actor: None,
        });
        realm.report_of(EventKind::LoggedIn, &record);
        if options.fresh && realm.known_browsers.is_some() {
            Box::pin(self.know_browser(turn, &id, &record)).await;
        }
        if remember.is_some()
            && let Some(limit) = realm.remember_me.limit()
        {
            let own = LoggedIn {
                record: record.clone(),
                is_new: options.remember.is_new(),
            };
            forget_oldest(realm, own, limit, now);
        }
        if let Some(limit) = realm.max_sessions {
            // Best effort: the login is valid, and the next login tries again.
            let own = LoggedIn {
                is_new: old_id != Some(record.id),
                record,
            };
            evict_oldest(realm, own, limit, now).await.ok();
        }
        Ok(user)
    }
}

/// The session of the remember cookie, if it is not that of the session cookie, and the proof that
/// the cookie is genuine.
async fn remembered(
    turn: &Turn<'_>,
    open: Option<&Open>,
) -> Result<Option<(SessionRecord, Payload, Proof)>, Error> {
    let realm = turn.realm();
    let tokens = turn.remember_tokens();
    for (id, proof) in presented(realm, iter::empty(), tokens.iter()) {
        // A login in a request that only joined the session creates a record of its own and ends
        // this one.
        if open.is_some_and(|open| open.record.id == id && open.held_by != HeldBy::Joined) {
            continue;
        }
        let mut record = match turn.take_loaded(&id) {
            Some(record) => Some(record),
            None => realm.load(&id).await?,
        };
        for is_fresh_read in [!realm.store.is_cache(), true] {
            let found = record.take().and_then(|record| {
                let payload = Payload::decode(&record.payload).ok()?;
                let is_genuine = proof.opens(&payload.head) && record.is_live(turn.now);
                is_genuine.then_some((record, payload, proof))
            });
            if found.is_some() || is_fresh_read {
                if let Some(found) = found {
                    return Ok(Some(found));
                }
                break;
            }
            record = realm.load_fresh(&id).await?;
        }
    }
    Ok(None)
}

/// The cookies of sessions other than `old` and `other`, if the browser has several cookies under
/// one of our names. A login ends all of these sessions; otherwise the next request would be
/// ambiguous.
fn surplus(
    turn: &Turn<'_>,
    old: Option<&Open>,
    other: Option<&(SessionRecord, Payload, Proof)>,
) -> Vec<(SessionId, Proof)> {
    let (sessions, remembered) = (turn.session_tokens(), turn.remember_tokens());
    let mut shown = presented(turn.realm(), sessions.several(), remembered.several());
    shown.retain(|(id, _)| {
        old.is_none_or(|open| open.record.id != *id)
            && other.is_none_or(|(record, ..)| record.id != *id)
    });
    shown
}

/// Ends the session of a surplus cookie.
async fn end_surplus(turn: &Turn<'_>, id: SessionId, proof: Proof) -> Result<(), Error> {
    for _ in 0..TRIES {
        if delete_shown(turn.realm(), id, proof).await? {
            return Ok(());
        }
    }
    Err(ErrorKind::Conflict.into())
}
