//! The browser goes on after the two responses have arrived in some order, or have been lost.

use std::time::Duration;

use login_manager::event::EventKind;

use super::{
    Case, GRACE,
    factors::{Start::AliceReturningWithCart, Verb, Where},
    scene::{Done, Scene},
    twists::Responses,
};
use crate::support::{
    browser::Browser,
    faulty_store::When,
    world::{DAY, SESSION},
};

/// Whether the browser is closed before a later request, and how long after the one before.
const LATER: [(bool, Duration); 4] = [
    (true, Duration::ZERO),
    (false, GRACE),
    (true, GRACE),
    (true, DAY),
];

impl Case {
    pub async fn check_responses(
        &self,
        scene: &Scene,
        [held, beside]: [&Done; 2],
        responses: Responses,
        case: &str,
    ) {
        let received = match responses {
            Responses::Reversed => vec![held, beside],
            Responses::OnlyHeld => vec![held],
            Responses::OnlyBeside => vec![beside],
            Responses::Lost => vec![],
            _ => vec![beside, held],
        };
        let mut owner = scene.world.browser.clone();
        match responses {
            Responses::Delayed => _ = owner.get("/who").await,
            Responses::AfterGrace => scene.world.clock.advance(GRACE),
            _ => {}
        }
        for done in &received {
            owner.receive(&done.answer);
            if responses == Responses::Staggered {
                owner.get("/who").await;
            }
        }
        let both = [held, beside];
        self.check_first(&mut owner, both, &received, case).await;
        let keeps = self.stays()
            && self.start.remembered() == self.start.user()
            && !self.misses_lockout(both, &received);
        for (restarts, later) in LATER {
            scene.world.clock.advance(later);
            if restarts {
                owner.restart();
            }
            let who = owner.get("/who").await.body;
            self.check_user(&who, both, case);
            if keeps {
                let user = self.start.user().unwrap_or("nobody");
                assert_eq!(who, user, "{case}: no longer remembered after {later:?}");
            }
        }
        check_next_login(scene, &mut owner, case).await;
        let theft = scene.world.events.take();
        let theft = theft.contains(&EventKind::RememberTheft);
        assert!(!theft, "{case}: an honest browser raised the alarm");
    }

    /// `logout_others` gives the old cookies no grace, so a browser without its response is locked
    /// out, too.
    fn misses_lockout(&self, both: [&Done; 2], received: &[&Done]) -> bool {
        let is_lockout = |done: &&Done| done.verb == Verb::LogoutOthers;
        let locked_out = both.iter().filter(|done| is_lockout(done)).count();
        received.iter().filter(|done| is_lockout(done)).count() < locked_out
    }

    /// The first request after the responses.
    async fn check_first(
        &self,
        owner: &mut Browser,
        both: [&Done; 2],
        received: &[&Done],
        case: &str,
    ) {
        let who = owner.get("/who").await.body;
        self.check_user(&who, both, case);
        // Beside a replaced secret, a remember cookie of another session waits for the grace.
        let waits = self.start == AliceReturningWithCart
            && both.iter().any(|done| done.verb == Verb::Rotate)
            && who == "nobody";
        if self.stays() && !self.misses_lockout(both, received) && !waits {
            let user = self.start.user().unwrap_or("nobody");
            assert_eq!(who, user, "{case}: no longer logged in");
        }
        self.check_late(&who, both, received, case);
        let [held, beside] = both;
        for (one, other) in [(held, beside), (beside, held)] {
            let is_logout = one.verb.logs_out() && one.is_ok();
            if is_logout && other.logged_in(self.start).is_none() {
                assert_eq!(who, "nobody", "{case}: after the logout");
            }
            let last = received.iter().rfind(|done| done.sets(SESSION));
            let is_last = last.is_some_and(|last| std::ptr::eq(*last, one));
            if let (true, Some(user)) = (is_last, one.logged_in(self.start))
                && !self.may_end(user, other)
            {
                assert_eq!(who, user, "{case}: the login");
            }
        }
    }

    /// A request with a session that a login has ended meanwhile leaves the cookies of the login
    /// alone, even if its response arrives later.
    fn check_late(&self, who: &str, [held, beside]: [&Done; 2], received: &[&Done], case: &str) {
        // If the store failed to end the replaced session, that is done a second later.
        let is_ended = self.start == AliceReturningWithCart
            || !matches!(self.fault, Some((Where::Beside(_), _)));
        let is_late = self.call == 0 && self.when == When::Before && is_ended;
        let is_last = received
            .last()
            .is_some_and(|last| std::ptr::eq(*last, held));
        let has_both = received.len() == 2;
        if let (true, true, true, Some(user)) =
            (is_late, is_last, has_both, beside.logged_in(self.start))
            && self.start.has_session()
            && held.verb.logs_in(self.start).is_none()
            && !self.may_end(user, held)
        {
            assert_eq!(who, user, "{case}: the late request ended the login");
        }
    }

    /// Nobody but the users whose credentials the browser has had.
    fn check_user(&self, who: &str, both: [&Done; 2], case: &str) {
        let known = [
            self.start.user(),
            self.start.remembered(),
            both[0].logged_in(self.start),
            both[1].logged_in(self.start),
        ];
        let is_known = known.contains(&Some(who));
        assert!(is_known || who == "nobody", "{case}: {who}");
    }
}

/// Whatever the browser has, a login works, and a logout ends it.
pub async fn check_next_login(scene: &Scene, owner: &mut Browser, case: &str) {
    let login = owner.post("/login/alice").await;
    assert_eq!(login.status, 200, "{case}: the next login");
    assert_eq!(owner.get("/who").await.body, "alice", "{case}");
    let copy = owner.clone();
    let logout = owner.post("/logout").await;
    assert_eq!(logout.status, 200, "{case}: the next logout");
    assert!(owner.cookie_names().is_empty(), "{case}");
    if let Some(session) = copy.cookie("-session") {
        assert_eq!(scene.who_has(&session).await, "nobody", "{case}");
    }
    if let Some(remember) = copy.cookie("-remember") {
        assert_eq!(scene.who_returns(&remember).await, "nobody", "{case}");
    }
}
