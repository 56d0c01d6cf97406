//! A thief who presents a copy of earlier cookies.

use login_manager::event::EventKind;

use super::{
    Case, GRACE,
    factors::Verb::{ChangeStamp, LogoutOthers},
    responses::check_next_login,
    scene::{Done, Scene, id_of},
    twists::{Cookie, Copied, Theft},
};
use crate::support::{
    browser::Browser,
    world::{REMEMBER, SESSION},
};

/// How often thief and owner each come.
const ROUNDS: usize = 3;

impl Case {
    /// Returns `None` if the thief has nothing.
    pub async fn check_theft(
        &self,
        scene: &Scene,
        both: [&Done; 2],
        theft: Theft,
        case: &str,
    ) -> Option<()> {
        let [held, beside] = both;
        let before = scene.world.browser.clone();
        let mut between = before.clone();
        between.receive(&beside.answer);
        let mut owner = between.clone();
        owner.receive(&held.answer);
        let copy = match theft.copy {
            Copied::Earlier => scene.earlier.clone()?,
            Copied::Before => before,
            Copied::Between => between,
        };
        match theft.cookie {
            Cookie::Session => {
                let token = copy.cookie("-session")?;
                self.check_session(scene, owner, both, &token, theft, case)
                    .await;
            }
            Cookie::Remember | Cookie::Both => {
                let token = copy.cookie("-remember")?;
                let mut thief = scene.bearer(REMEMBER, &token);
                if theft.cookie == Cookie::Both {
                    thief.plant(SESSION, &copy.cookie("-session")?);
                }
                self.check_remember(scene, [owner, thief], both, theft, case)
                    .await;
            }
        }
        Some(())
    }

    /// A secret from before a login or rotation joins for the grace at most, and only the session
    /// of the same user. Any other is invalid after the next rotation.
    async fn check_session(
        &self,
        scene: &Scene,
        mut owner: Browser,
        both: [&Done; 2],
        token: &str,
        theft: Theft,
        case: &str,
    ) {
        let is_current = owner.cookie("-session").as_deref() == Some(token);
        let is_replaced = theft.copy == Copied::Before
            && !is_current
            && both.iter().any(|done| self.replaces_session(done));
        let who = match theft.thief_first {
            true => None,
            false => Some(owner.get("/who").await.body),
        };
        if is_replaced {
            self.check_replaced(scene, &mut owner, both, token, case)
                .await;
        }
        let now = owner.get("/who").await.body;
        // A late request may have to wait for the grace before its remember cookie restores.
        let is_same = who.is_none_or(|who| who == now || who == "nobody");
        assert!(is_same, "{case}: the thief ended the session of {now}");
        scene.world.clock.advance(GRACE);
        let who = owner.get("/who").await.body;
        if owner.post("/rotate").await.status == 200 {
            assert_eq!(owner.get("/who").await.body, who, "{case}: rotated");
            scene.world.clock.advance(GRACE);
            let session = owner.cookie("-session");
            if session.is_some_and(|session| id_of(&session) == id_of(token)) {
                let thief = scene.who_has(token).await;
                assert_eq!(thief, "nobody", "{case}: after the next rotation");
            }
            assert_eq!(owner.get("/who").await.body, who, "{case}: afterwards");
        }
        let events = scene.world.events.take();
        let theft = events.contains(&EventKind::RememberTheft);
        assert!(!theft, "{case}: a session cookie raised the alarm");
    }

    /// Whether it has certainly replaced the session secret of the start.
    fn replaces_session(&self, done: &Done) -> bool {
        let has_rotated = done.verb.rotates() && done.is_ok() && done.sets(SESSION);
        has_rotated || done.logged_in(self.start).is_some()
    }

    /// Whether it gives the cookies of the start no grace.
    fn locks_out(&self, done: &Done) -> bool {
        let stamp = done.verb == ChangeStamp && done.logged_in(self.start).is_some();
        stamp || done.verb == LogoutOthers && done.is_ok() && done.sets(SESSION)
    }

    async fn check_replaced(
        &self,
        scene: &Scene,
        owner: &mut Browser,
        both: [&Done; 2],
        token: &str,
        case: &str,
    ) {
        let mut thief = scene.bearer(SESSION, token);
        let how = thief.get("/how").await;
        if how.body != "nobody" {
            let user = self.start.owner().unwrap_or("somebody");
            let joined = [format!("{user} stale"), format!("{user} stale remembered")];
            assert!(joined.contains(&how.body), "{case}: {}", how.body);
            let is_same = both.iter().any(|done| {
                done.verb.rotates() || done.logged_in(self.start) == self.start.owner()
            });
            assert!(is_same, "{case}: it joins another user's session");
            let is_locked_out = both.iter().any(|done| self.locks_out(done));
            assert!(!is_locked_out, "{case}: it joins in spite of the lockout");
        }
        for act in ["/rotate", "/confirm"] {
            let answer = thief.post(act).await;
            assert_eq!(answer.set_cookies(), [""; 0], "{case}: {act}");
        }
        thief.post("/put/evil/1").await;
        if Some(&*owner.get("/who").await.body) != self.start.owner() {
            let read = owner.get("/get/evil").await.body;
            assert_eq!(read, "", "{case}: the thief writes");
        }
        scene.world.clock.advance(GRACE);
        for who in [thief.get("/who").await.body, scene.who_has(token).await] {
            assert_eq!(who, "nobody", "{case}: a replaced secret");
        }
    }

    /// Of thief and owner, the second to return ends the session of the first. A remember cookie
    /// from before a login, a logout or a lockout brings nobody back.
    async fn check_remember(
        &self,
        scene: &Scene,
        [mut owner, mut thief]: [Browser; 2],
        both: [&Done; 2],
        theft: Theft,
        case: &str,
    ) {
        let stolen = [SESSION, REMEMBER].map(|name| thief.cookie(name));
        let token = stolen[1].clone().unwrap();
        let is_invalid = theft.copy != Copied::Between && self.ends_remembered(both);
        let is_of_it = |cookie: String| id_of(&cookie) == id_of(&token);
        // A browser with a session presents no remember cookie of another user.
        let shows_it = theft.restarts || owner.cookie("-session").is_none_or(is_of_it);
        let has_it = owner.cookie("-remember").is_some_and(is_of_it) && shows_it;
        let (mut is_restored, mut is_detected) = (false, false);
        for turn in 0..2 * ROUNDS {
            let is_thief = (turn % 2 == 0) == theft.thief_first;
            let visitor = if is_thief { &mut thief } else { &mut owner };
            if !is_thief && theft.restarts {
                visitor.restart();
            }
            for _ in 0..2 {
                let who = visitor.get("/who").await.body;
                // The session cookie may still join.
                let may_join = theft.cookie == Cookie::Both && turn < 2;
                let is_in = is_thief && who != "nobody" && !may_join;
                assert!(!(is_in && is_invalid), "{case}: the thief is {who}");
            }
            let has_other = thief.cookie(REMEMBER) != stolen[1] && thief.cookie(SESSION).is_some();
            is_restored |= is_thief && has_other;
            scene.world.clock.advance(GRACE);
            let events = scene.world.events.take();
            is_detected |= events.contains(&EventKind::RememberTheft);
        }
        assert!(!(is_detected && is_invalid), "{case}: of no remembered one");
        // What failed may have ended the session all the same.
        let is_certain = both.iter().all(|done| done.is_ok()) && theft.copy == Copied::Earlier;
        if has_it && !is_invalid && (is_restored || is_certain) {
            assert!(is_detected, "{case}: undetected");
        }
        let thief_in = is_in(scene, &thief, &token).await;
        let owner_in = is_in(scene, &owner, &token).await;
        assert!(!(thief_in && owner_in), "{case}: both are in");
        assert!(!(is_detected && thief_in), "{case}: detected and still in");
        assert!(!(is_detected && owner_in), "{case}: not ended");
        check_next_login(scene, &mut owner, case).await;
    }

    /// Whether the remember cookies of the start are certainly no longer accepted.
    fn ends_remembered(&self, [held, beside]: [&Done; 2]) -> bool {
        [(held, beside), (beside, held)].iter().any(|(one, other)| {
            let logs_out = one.verb.logs_out() && one.is_ok();
            let locks_out = one.verb == LogoutOthers && one.is_ok() && one.sets(REMEMBER);
            one.logged_in(self.start).is_some()
                || logs_out && other.verb.logs_in(self.start).is_none()
                || locks_out && self.start.remembered() == self.start.user()
        })
    }
}

/// Whether this browser's session is that of the stolen cookie, and valid.
async fn is_in(scene: &Scene, browser: &Browser, token: &str) -> bool {
    match browser.cookie("-session") {
        Some(session) if id_of(&session) == id_of(token) => {
            scene.who_has(&session).await != "nobody"
        }
        _ => false,
    }
}
