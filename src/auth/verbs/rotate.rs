//! Confirming and rotating.

use crate::{
    auth::{methods::By, request::RequestAuth},
    error::{Error, ErrorKind},
    event::EventKind,
    identity::{Entered, Identity},
    session::{
        Browser, Change, Changes, HeldBy, Open, Payload, RememberCookie, RememberPart, Step,
        Swapped, Turn, swap,
    },
    store::{RememberToken, SessionRecord, SessionToken},
    user::AuthUser,
};

/// Which secrets a rotation replaces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::auth) enum Renew {
    /// The session secret. Requests with the old one join for the grace, except in an anonymous
    /// session.
    Session,
    /// The session secret and those of the remember cookie. Requests with the old session secret do
    /// not join: copies of either cookie are invalid at once.
    All,
}

impl<U: AuthUser> RequestAuth<U> {
    pub(in crate::auth) async fn confirm(&self, turn: &Turn<'_>, by: By) -> Result<bool, Error> {
        self.check_in_time()?;
        let by = by.names()?;
        let Identity::BySession { user, actor, .. } = self.resolve(turn).await? else {
            return Ok(false);
        };
        // The actor entered credentials, but the session that would become fresh is the
        // impersonated user's.
        if actor.is_some() {
            return Err(ErrorKind::Impersonating.into());
        }
        let now = turn.now;
        let (browser, client) = (turn.user_agent().map(Browser::of), turn.client_mark());
        let record = self
            .replace_secret(turn, Renew::Session, |payload| {
                if let Some(login) = &mut payload.login {
                    login.at = now;
                    login.fresh = true;
                    login.client = client;
                    login.browser = browser.unwrap_or_default();
                }
                payload.methods = payload.methods.with(by, now);
                payload.limits = payload.limits.renewed(now);
            })
            .await?
            // The session ended during this request.
            .ok_or(ErrorKind::Gone)?;
        self.use_up_next();
        let open = turn.open();
        self.set_identity(Identity::BySession {
            user,
            actor: None,
            entered: open.map_or_else(Entered::default, |open| Entered::of(&open, true)),
        });
        turn.realm().report_of(EventKind::Confirmed, &record);
        Ok(true)
    }

    pub(in crate::auth) async fn rotate(&self, turn: &Turn<'_>, renew: Renew) -> Result<(), Error> {
        self.check_in_time()?;
        turn.load().await?;
        match self.replace_secret(turn, renew, |_| ()).await? {
            Some(record) => turn.realm().report_of(EventKind::Rotated, &record),
            // The session ended during this request.
            None if matches!(self.known(), Some(Identity::BySession { .. })) => {
                return Err(ErrorKind::Gone.into());
            }
            None => {}
        }
        Ok(())
    }

    /// Gives the session a new secret; the presented one becomes the previous one. Returns `None`
    /// if there is no session.
    async fn replace_secret(
        &self,
        turn: &Turn<'_>,
        renew: Renew,
        change: impl Fn(&mut Payload) + Send + Sync,
    ) -> Result<Option<SessionRecord>, Error> {
        let Some(open) = turn.open() else {
            return Ok(None);
        };
        // A request that joins never gets a new secret.
        let HeldBy::Secret(presented) = open.held_by else {
            return Err(ErrorKind::Conflict.into());
        };
        let realm = turn.realm();
        let token = SessionToken::random(open.record.id).map_err(|_| ErrorKind::Random)?;
        let secret = realm.digests.session.secret(token.id, &token.secret);
        let remember_token = match renew {
            Renew::Session => None,
            Renew::All => {
                Some(RememberToken::random(open.record.id).map_err(|_| ErrorKind::Random)?)
            }
        };
        let shown_by_browser = turn.state().cookie.is_none();
        let swapped = swap(
            realm,
            open.record.clone(),
            open.payload.clone(),
            |_, payload| {
                if payload.head.current != Some(presented) {
                    return Step::Stop(());
                }
                let mut new = payload.clone();
                new.head.current = Some(secret);
                new.head.previous = Some(presented);
                new.head.rotated = realm.clock.now();
                if let Some(remember) = new.remember.as_mut().filter(|_| shown_by_browser) {
                    remember.seen = true;
                    remember.skipped = None;
                }
                new.excludes_previous = renew == Renew::All;
                if let (Some(token), Some(remember)) = (&remember_token, &mut new.remember) {
                    *remember = RememberPart {
                        current: realm.digests.remember.secret(token.id, &token.token),
                        previous: None,
                        skipped: None,
                        exchanged: realm.clock.reading(new.head.rotated),
                        ..*remember
                    };
                    new.head.series = Some(realm.digests.series.secret(token.id, &token.series));
                }
                change(&mut new);
                Step::Write(new, turn.now)
            },
        )
        .await?;
        match swapped {
            Swapped::Done(record, payload) => {
                let open = Open {
                    record: record.clone(),
                    payload,
                    changes: Changes::default(),
                    held_by: HeldBy::Secret(secret),
                };
                let ends = open.payload.remember.map(|remember| remember.ends);
                let mut state = turn.state();
                if let (Some(token), Some(ends)) = (remember_token, ends) {
                    state.remember_cookie = Some(Change::Set(Box::new(RememberCookie {
                        token,
                        max_age: ends.saturating_sub(turn.now),
                    })));
                }
                state.adopt(open, token, true);
                Ok(Some(record))
            }
            Swapped::Gone => Err(ErrorKind::Gone.into()),
            Swapped::Stopped(()) => Err(ErrorKind::Conflict.into()),
        }
    }
}
