//! What holds after any two verbs.

use std::collections::HashSet;

use login_manager::event::EventKind;

use super::{
    Case, GRACE,
    factors::{
        Start::{AliceBesideZoesCookie, Cart},
        Verb::{ChangeStamp, Login, LoginOther, LogoutOthers, Remember, Revoke, Rotate, Take},
    },
    scene::{Done, Scene, id_of},
    twists::Twist,
};
use crate::support::world::SESSION;

impl Case {
    pub async fn check(&self, scene: &mut Scene, both: [&Done; 2], case: &str) {
        let [held, beside] = both;
        self.check_answers(held, beside, case);
        for (one, other) in [(held, beside), (beside, held)] {
            self.check_login(scene, one, other, case).await;
            self.check_data(scene, one, other, case).await;
        }
        self.check_others(scene, both, case).await;
        let alive = self.alive(scene, held, beside).await;
        self.check_browser(scene, held, beside, case).await;
        scene.world.clock.advance(GRACE);
        let later = self.alive(scene, held, beside).await;
        assert!(later.is_subset(&alive), "{case}: revived");
        let ids: HashSet<_> = later.iter().map(|token| id_of(token)).collect();
        assert_eq!(ids.len(), later.len(), "{case}: two secrets of one session");
        self.check_records(scene, held, beside, case).await;
        for (one, other) in [(held, beside), (beside, held)] {
            self.check_logout(scene, one, other, case).await;
        }
        let events = scene.world.events.take();
        let theft = events.contains(&EventKind::RememberTheft);
        assert!(!theft, "{case}: no secret was stolen");
    }

    fn check_answers(&self, held: &Done, beside: &Done, case: &str) {
        for done in [held, beside] {
            let status = done.answer.status.as_u16();
            let logs_in = matches!(done.verb, Login | Remember | LoginOther);
            let expected: &[u16] = match self.fault {
                Some(_) => &[200, 409, 503],
                None if logs_in => &[200],
                None => &[200, 409],
            };
            assert!(expected.contains(&status), "{case}: {status}");
            let may_restore =
                self.start.user() != self.start.owner() || self.start == AliceBesideZoesCookie;
            let changes = done.verb.logs_in(self.start).is_some() || done.verb.rotates();
            if status != 200 && changes && !may_restore {
                assert_eq!(done.answer.set_cookies(), [""; 0], "{case}");
            }
        }
        let taken = [held, beside].map(|done| done.verb == Take && done.answer.body == "1");
        assert_ne!(taken, [true, true], "{case}: taken twice");
    }

    /// Whether the other verb may end the session of a login of this user.
    pub fn may_end(&self, user: &str, other: &Done) -> bool {
        let other_user = other
            .verb
            .logs_in(self.start)
            .is_some_and(|other| other != user);
        other.verb.logs_out()
            // A login ends the session that the browser's cookies show, even if another login has
            // been written over it meanwhile.
            || other_user && self.start.user() == Some(user)
            || self.start.user() == Some(user) && matches!(other.verb, LogoutOthers | ChangeStamp)
    }

    /// A login that returned OK works, one that returned an error changed nothing; and a secret
    /// from before a login grants no access and writes nothing.
    async fn check_login(&self, scene: &Scene, login: &Done, other: &Done, case: &str) {
        let before = scene.world.browser.cookie("-session");
        let Some(user) = login.logged_in(self.start) else {
            let is_error = !login.is_ok() && matches!(login.verb, Login | Remember | LoginOther);
            if let (true, true, Some(owner)) =
                (is_error, other.verb.is_harmless(), self.start.owner())
            {
                let who = scene.who_has(&before.unwrap()).await;
                assert_eq!(who, owner, "{case}: the login failed");
            }
            return;
        };
        let session = login.session().unwrap();
        let who = scene.who_has(&session).await;
        if !self.may_end(user, other) || who != "nobody" {
            assert_eq!(who, user, "{case}: the login {:?}", login.verb);
        }
        if let Some(before) = before
            && self.start.owner() != Some(user)
        {
            let who = scene.who_has(&before).await;
            assert_eq!(who, "nobody", "{case}: a secret from before the login");
            let mut late = scene.bearer(SESSION, &before);
            late.post("/put/planted/1").await;
            let planted = scene.data(&session, "planted").await;
            assert_eq!(planted, "", "{case}");
            if late.cookie("-session") != Some(before) {
                // The old record was deleted: this is a new visitor.
                late.post("/logout").await;
            }
        }
    }

    /// No data of one user is visible to another one, and saved data is kept.
    async fn check_data(&self, scene: &Scene, done: &Done, other: &Done, case: &str) {
        let Some(session) = done.session() else {
            return;
        };
        let who = scene.who_has(&session).await;
        let mine = scene.data(&session, "mine").await;
        // After `logout_others` a late login is no longer in the session, and takes none of its
        // data.
        let locked_out = done.verb.logs_in(self.start).is_some() && other.verb == LogoutOthers;
        if Some(&*who) != self.start.user() {
            assert_eq!(mine, "", "{case}: {who} sees other data");
        } else if ![done, other]
            .iter()
            // Beside a change of the stamp, the other verb may end the session before the login in
            // it. And after another user's login the session is over.
            .any(|done| {
                matches!(done.verb, Take | ChangeStamp | LoginOther) || done.verb.logs_out()
            })
            && !locked_out
            && self.start.owner().is_some()
        {
            assert_eq!(mine, "1", "{case}: lost");
        }
        let took = [done, other]
            .iter()
            .any(|done| done.verb == Take && done.answer.body == "1");
        if took && done.verb.logs_in(self.start).is_none() && who != "nobody" {
            assert_eq!(mine, "", "{case}: taken and still there");
        }
        let is_planted = matches!(self.twist, Twist::Planted(_));
        let keeps_cart = done.logged_in(self.start).is_some() && self.start == Cart && !is_planted;
        if keeps_cart && !other.verb.logs_out() && who != "nobody" {
            let mut carts = vec![scene.data(&session, "cart").await];
            // Of two logins the later one may find the anonymous session closed, and a login does
            // not join an anonymous session that was rotated.
            let may_have_it = other.logged_in(self.start).is_some() || other.verb == Rotate;
            if let (true, Some(session)) = (may_have_it, other.session()) {
                carts.push(scene.data(&session, "cart").await);
            }
            let kept = carts.contains(&"apples".to_owned());
            assert!(kept, "{case}: the cart is lost");
        }
    }

    /// Other browsers are unaffected, unless that is the purpose of the verb.
    async fn check_others(&self, scene: &mut Scene, both: [&Done; 2], case: &str) {
        let who = scene.bystander.get("/who").await.body;
        assert_eq!(who, "carol", "{case}");
        let who = scene.elsewhere.get("/who").await.body;
        if !both.iter().any(|done| done.verb.ends_others()) {
            assert_eq!(who, "alice", "{case}: logged out elsewhere");
        }
        let revoked = both.iter().any(|done| match done.verb {
            Revoke => done.answer.body == "true",
            ChangeStamp => done.logged_in(self.start) == Some("alice"),
            _ => false,
        });
        if revoked {
            assert_eq!(who, "nobody", "{case}: still logged in elsewhere");
        }
    }

    /// The session secrets that authenticate.
    async fn alive(&self, scene: &Scene, held: &Done, beside: &Done) -> HashSet<String> {
        let before = scene.world.browser.cookie("-session");
        let tokens: HashSet<_> = [before, held.session(), beside.session()]
            .into_iter()
            .flatten()
            .collect();
        let mut alive = HashSet::new();
        for token in tokens {
            if scene.who_has(&token).await != "nobody" {
                alive.insert(token);
            }
        }
        alive
    }

    /// Whether neither verb changes who is logged in.
    pub fn stays(&self) -> bool {
        [self.held, self.beside]
            .iter()
            .all(|verb| !verb.logs_out() && verb.logs_in(self.start).is_none())
    }

    /// If neither verb changes who is logged in, the browser stays logged in, in whatever order the
    /// responses arrive.
    async fn check_browser(&self, scene: &Scene, held: &Done, beside: &Done, case: &str) {
        if !self.stays() {
            return;
        }
        let mut browser = scene.world.browser.clone();
        let order = if self.call.is_multiple_of(2) {
            [held, beside]
        } else {
            [beside, held]
        };
        for done in order {
            browser.receive(&done.answer);
        }
        let mut who = browser.get("/who").await.body;
        if matches!(self.twist, Twist::Planted(_)) && who == "nobody" {
            // Whoever planted a session and changes it delays a restore by the grace.
            scene.world.clock.advance(GRACE);
            who = browser.get("/who").await.body;
        }
        assert_eq!(who, self.start.user().unwrap_or("nobody"), "{case}");
    }

    /// Every live session is that of a cookie.
    async fn check_records(&self, scene: &Scene, held: &Done, beside: &Done, case: &str) {
        let now = scene.world.clock.unix_millis();
        let mut browsers = vec![
            &scene.world.browser,
            &scene.elsewhere,
            &scene.bystander,
            &held.browser,
            &beside.browser,
        ];
        browsers.extend(scene.attacker.as_ref().map(|attacker| &attacker.browser));
        let tokens: Vec<_> = browsers
            .iter()
            .flat_map(|browser| ["-session", "-remember"].map(|name| browser.cookie(name)))
            .flatten()
            .collect();
        for record in scene.world.store.stored().await {
            let id = record.id.to_string();
            let known = tokens.iter().any(|token| token.starts_with(id_of(&id)));
            let is_over = record.expires <= now;
            assert!(known || is_over, "{case}: left, of {:?}", record.owner);
        }
    }

    /// After an acknowledged logout nothing that the browser held then, or just before a rotation
    /// beside it, authenticates.
    async fn check_logout(&self, scene: &Scene, logout: &Done, other: &Done, case: &str) {
        if !logout.verb.logs_out() || !logout.is_ok() {
            return;
        }
        let mut browsers = vec![&scene.world.browser];
        if other.verb.logs_in(self.start).is_none() {
            browsers.push(&other.browser);
        }
        for browser in browsers {
            if let Some(session) = browser.cookie("-session") {
                let who = scene.who_has(&session).await;
                assert_eq!(who, "nobody", "{case}: after the logout");
            }
            if let Some(remember) = browser.cookie("-remember") {
                let who = scene.who_returns(&remember).await;
                assert_eq!(who, "nobody", "{case}: back after the logout");
            }
        }
    }
}
