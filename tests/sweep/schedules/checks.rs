//! What holds after any schedule.

use std::collections::{BTreeMap, BTreeSet};

use login_manager::event::EventKind;

use super::{
    super::{
        GRACE,
        factors::{Start, Verb},
        scene::id_of,
    },
    walk::{Actor, Request, Walk},
};
use crate::support::{browser::Browser, faulty_store::Call};

use Verb::*;

impl Walk {
    pub async fn check(&mut self) {
        let case = self.case();
        let events = self.scene.world.events.take();
        let has_thief = self.thief.is_some();
        let theft = events.contains(&EventKind::RememberTheft);
        assert!(has_thief || !theft, "{case}: an alarm, and no thief");
        let was_dropped = events.contains(&EventKind::DataDropped);

        let users = self.users().await;
        self.check_logouts(&users, &case).await;
        self.check_logins(&users, &case);
        self.check_data(&users, was_dropped, &case).await;
        self.check_epochs(&users, &case).await;
        self.check_answers(&case);
        let who = self.scene.bystander.get("/who").await.body;
        assert_eq!(who, "carol", "{case}");

        self.scene.world.clock.advance(GRACE);
        let later = self.users().await;
        for token in later.keys() {
            assert!(users.contains_key(token), "{case}: revived");
        }
        let ids: BTreeSet<_> = later.keys().map(|token| id_of(token)).collect();
        assert_eq!(ids.len(), later.len(), "{case}: two secrets of one session");
        if has_thief && !theft {
            self.check_theft(&case).await;
        }
    }

    /// Every browser as it was at some time.
    fn browsers(&self) -> impl Iterator<Item = &Browser> {
        let of_requests = self.requests.iter().flat_map(|it| {
            let after = it.answer.iter().map(|(browser, _)| browser);
            std::iter::once(&it.before).chain(after)
        });
        of_requests.chain([&self.scene.world.browser, &self.owner])
    }

    /// Whom each session cookie authenticates that there ever was.
    async fn users(&self) -> BTreeMap<String, String> {
        let tokens: BTreeSet<_> = self
            .browsers()
            .filter_map(|it| it.cookie("-session"))
            .collect();
        let mut users = BTreeMap::new();
        for token in tokens {
            let who = self.scene.who_has(&token).await;
            if who != "nobody" {
                users.insert(token, who);
            }
        }
        users
    }

    fn of_owner(&self) -> impl Iterator<Item = &Request> {
        self.requests.iter().filter(|it| it.actor != Actor::Thief)
    }

    /// Nothing that a logout has shown opens anything.
    async fn check_logouts(&self, users: &BTreeMap<String, String>, case: &str) {
        for logout in self
            .of_owner()
            .filter(|it| it.verb.logs_out() && it.is_ok())
        {
            // A handler that finds nobody has nothing to end everywhere.
            let shown = ["-session", "-remember"].map(|name| logout.before.cookie(name));
            let ids: Vec<_> = shown.iter().flatten().map(|token| id_of(token)).collect();
            let left = users.keys().find(|token| ids.contains(&id_of(token)));
            assert!(
                left.is_none() || logout.verb != Logout,
                "{case}: a session outlives its logout"
            );
            if let (Logout, Some(remember)) = (logout.verb, &shown[1]) {
                let who = self.scene.who_returns(remember).await;
                assert_eq!(who, "nobody", "{case}: back after the logout");
            }
        }
    }

    /// A login that returned OK works, unless something else has ended it.
    fn check_logins(&self, users: &BTreeMap<String, String>, case: &str) {
        let is_login = |it: &&Request| it.verb.logs_in(self.start).is_some();
        for login in self.of_owner().filter(is_login) {
            let Some((browser, answer)) = &login.answer else {
                continue;
            };
            let may_end = |other: &Request| {
                let ends = other.verb.logs_out()
                    || matches!(other.verb, LogoutOthers | ChangeStamp)
                    || other.verb.logs_in(self.start).is_some();
                // A logout that the store failed is tried again for a minute.
                let is_retried = other.verb.logs_out() && !other.is_ok();
                ends && !std::ptr::eq(other, login) && (other.ended > login.sent || is_retried)
            };
            let is_over = self.requests.iter().any(may_end) || self.thief.is_some();
            if !login.is_ok() || answer.body == "nobody" || is_over {
                continue;
            }
            let Some(token) = browser.cookie("-session") else {
                panic!("{case}: a login without a cookie");
            };
            let mut same = users.iter().filter(|(it, _)| id_of(it) == id_of(&token));
            let is_valid = same.any(|(_, who)| *who == answer.body);
            assert!(is_valid, "{case}: the login of {} is invalid", answer.body);
        }
        let logs_in = |it: &Request| it.verb.logs_in(self.start).is_some() && it.is_ok();
        if self.start == Start::Cart && self.of_owner().any(logs_in) {
            let before = self.scene.world.browser.cookie("-session");
            let is_valid = before.is_some_and(|it| users.contains_key(&it));
            assert!(!is_valid, "{case}: a secret from before the login");
        }
    }

    /// No data of one user is visible to another, and saved data is kept.
    async fn check_data(&self, users: &BTreeMap<String, String>, was_dropped: bool, case: &str) {
        for (token, who) in users {
            let mine = self.scene.data(token, "mine").await;
            let is_own = Some(who.as_str()) == self.start.user();
            assert!(is_own || mine.is_empty(), "{case}: {who} sees other data");
        }
        let taken = self.requests.iter().filter(|it| it.verb == Take);
        let taken = taken.filter(|it| it.body() == "1").count();
        // A login whose request showed a replaced secret copies the data into a session of its own.
        let copied = self.requests.iter().filter(|it| self.copies(it)).count();
        assert!(taken <= 1 + copied, "{case}: taken {taken} times");
        // What a request of the user has saved is in a session of the user.
        let is_kept = self.stays() && !was_dropped && !self.had_fault && self.thief.is_none();
        if !is_kept || self.start.user().is_none() || self.start == Start::AliceBesideZoesCookie {
            return;
        }
        for (number, save) in self.requests.iter().enumerate() {
            // Of the replaced secrets only the last one joins.
            let is_known = self.replaced() <= 1;
            let is_users = self.is_session_of_start(&save.before);
            if save.verb != Save || !save.is_ok() || !is_users || !is_known {
                continue;
            }
            let mut found = false;
            for token in users.keys() {
                found |= self.scene.data(token, &format!("k{number}")).await == "1";
            }
            assert!(found, "{case}: k{number} is lost");
        }
    }

    /// Whether it is a login of the user that left the session of its cookie alone.
    fn copies(&self, login: &Request) -> bool {
        let is_users = login.verb.logs_in(self.start) == self.start.owner();
        let mut after = login.answer.iter().map(|(browser, _)| browser);
        is_users
            && login.is_ok()
            && self.is_session_of_start(&login.before)
            && !after.all(|after| self.is_session_of_start(after))
    }

    /// Whether it has a cookie of the session that the user had at the start.
    fn is_session_of_start(&self, browser: &Browser) -> bool {
        let [one, other] = [&self.scene.world.browser, browser].map(|it| it.cookie("-session"));
        let is_same = one
            .zip(other)
            .is_some_and(|(one, other)| id_of(&one) == id_of(&other));
        is_same && self.start.owner().is_some()
    }

    /// How often a session secret was replaced, at most.
    fn replaced(&self) -> usize {
        let replaced = self.requests.iter().map(|it| {
            let cookies = it.answer.iter().flat_map(|(_, it)| it.set_cookies());
            // A restore and a rotation may be in one request.
            usize::from(it.verb.rotates()) + cookies.filter(|it| it.contains("-remember")).count()
        });
        replaced.sum()
    }

    /// Whether no request changes who is logged in.
    fn stays(&self) -> bool {
        let stays = |it: &Request| {
            !it.verb.logs_out() && it.verb.logs_in(self.start).is_none() && it.verb != LogoutOthers
        };
        self.requests.iter().all(stays)
    }

    /// Data that a request saves in a session that a login has been written over since the request
    /// read it is dropped.
    async fn check_epochs(&self, users: &BTreeMap<String, String>, case: &str) {
        // With a second record, the last update of a login closes that.
        let owner = match self.start {
            Start::AliceBesideZoesCookie => None,
            start => start.owner(),
        };
        for (number, save) in self.requests.iter().enumerate() {
            let loads = |(_, it): &&(usize, Call)| matches!(it, Call::Load | Call::LoadFresh);
            let loaded = save.calls.iter().find(loads);
            let (Some((loaded, _)), Some(updated)) = (loaded, save.last_update()) else {
                continue;
            };
            let Some(shown) = save.before.cookie("-session") else {
                continue;
            };
            for login in self.requests.iter().filter(|it| {
                let user = it.verb.logs_in(self.start);
                it.is_ok() && user.is_some() && user == owner && it.verb != ChangeStamp
            }) {
                let written = login.last_update();
                let is_written = written.is_some_and(|it| (loaded + 1..updated).contains(&it));
                let Some((browser, _)) = &login.answer else {
                    continue;
                };
                let token = browser.cookie("-session").unwrap_or_default();
                let in_place = !token.is_empty() && id_of(&token) == id_of(&shown);
                if save.verb == Save && in_place && is_written && !self.had_fault {
                    for token in users.keys().filter(|it| id_of(it) == id_of(&shown)) {
                        let late = self.scene.data(token, &format!("k{number}")).await;
                        assert_eq!(late, "", "{case}: k{number} of an earlier epoch");
                    }
                }
            }
        }
    }

    /// While nothing changes who is logged in, each answer is of the user.
    fn check_answers(&self, case: &str) {
        let user = self.start.user();
        let is_plain = self.stays()
            && !self.had_fault
            && self.thief.is_none()
            && self.losses == 0
            && (self.start.owner().is_some() || self.requests.iter().all(|it| it.verb == Ask))
            && !matches!(
                self.start,
                Start::AliceReturningWithCart | Start::AliceBesideZoesCookie
            )
            && !self.restarted;
        for request in &self.requests {
            let body = request.body();
            if is_plain && request.verb == Ask && request.actor == Actor::Owner {
                assert_eq!(body, user.unwrap_or("nobody"), "{case}: the answer");
            }
            if request.actor == Actor::Owner && !self.had_fault {
                let logs_in = matches!(request.verb, Login | Remember | LoginOther);
                assert!(request.is_ok() || !logs_in, "{case}: a login failed");
            }
        }
    }

    /// The owner's browser goes on.
    pub async fn check_owner(&mut self) {
        let case = self.case();
        let is_plain = self.stays()
            && self.thief.is_none()
            && (self.start.remembered().is_some() && self.start.remembered() == self.start.user());
        if !is_plain {
            return;
        }
        // Beside a replaced secret, a remember cookie of another session waits for the grace.
        self.scene.world.clock.advance(GRACE);
        for restarts in [false, true, true] {
            if restarts {
                self.owner.restart();
            }
            let who = self.owner.get("/who").await.body;
            assert_eq!(
                Some(&*who),
                self.start.user(),
                "{case}: no longer remembered"
            );
            self.owner.get("/who").await;
            self.scene.world.clock.advance(GRACE);
        }
        let theft = self.scene.world.events.take();
        let theft = theft.contains(&EventKind::RememberTheft);
        assert!(!theft, "{case}: an honest browser raised the alarm");
    }

    /// Thief and owner come in turn: one is detected, or is out.
    async fn check_theft(&mut self, case: &str) {
        let Some(mut thief) = self.thief.take() else {
            return;
        };
        let mut both = 0;
        for _ in 0..3 {
            let mut are_in = true;
            for browser in [&mut thief, &mut self.owner] {
                self.scene.world.clock.advance(GRACE);
                // The session cookie alone could be a copy, which its owner's next rotation ends.
                browser.restart();
                are_in &= browser.get("/who").await.body != "nobody";
            }
            both += usize::from(are_in);
        }
        let events = self.scene.world.events.take();
        // The owner may have logged in anew, and as someone else.
        let [one, other] = [&thief, &self.owner].map(|it| it.cookie("-remember"));
        let is_same = one
            .zip(other)
            .is_some_and(|(one, other)| id_of(&one) == id_of(&other));
        let is_detected = events.contains(&EventKind::RememberTheft);
        assert!(both < 3 || is_detected || !is_same, "{case}: undetected");
    }
}

impl Request {
    /// The step of the last update before its end.
    fn last_update(&self) -> Option<usize> {
        let updates = self.calls.iter().filter(|(_, call)| *call == Call::Update);
        updates
            .map(|(step, _)| *step)
            .rfind(|step| *step <= self.ended)
    }

    fn is_ok(&self) -> bool {
        self.answer
            .as_ref()
            .is_some_and(|(_, answer)| answer.status == 200)
    }

    fn body(&self) -> &str {
        self.answer.as_ref().map_or("", |(_, answer)| &answer.body)
    }
}
