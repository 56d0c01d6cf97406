//! Two concurrent verbs of one browser: one waits before or after each of its store calls while the
//! other runs, and one call fails.
//!
//! A sample of the cases runs by default, all of them with `LOGIN_MANAGER_SWEEP=all`.

use std::{collections::HashSet, num::NonZero, time::Duration};

use http::Method;
use login_manager::{event::EventKind, store::SessionRecord};
use tokio::time::sleep;

use crate::support::{
    browser::{Answer, Browser},
    faulty_store::{
        Fault::{self, DoesAndFails, DoesLater, Fails, Hangs},
        When::{self, After, Before},
    },
    routes::every_verb,
    world::{REMEMBER, SESSION, World},
};

/// Retries of deletions have ended by then.
const RETRIED: Duration = Duration::from_secs(100);
/// A previous secret is no longer accepted after this.
const GRACE: Duration = Duration::from_secs(31);
/// One of so many cases runs by default.
const SAMPLE: usize = 101;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Start {
    Stranger,
    Cart,
    Alice,
    AliceRemembered,
    /// Only with the remember cookie.
    AliceReturning,
    AliceReturningWithCart,
    /// Another user's session and remember cookie.
    ZoeRemembered,
    /// Two records: the remember cookie is another user's.
    AliceBesideZoesCookie,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verb {
    Login,
    Remember,
    LoginOther,
    Logout,
    Confirm,
    Rotate,
    /// A restore if there is only a remember cookie.
    Ask,
    Save,
    Take,
    Revoke,
    LogoutOthers,
    LogoutEverywhere,
    /// Changes the security stamp and logs in again.
    ChangeStamp,
}

use Start::*;
use Verb::*;

const STARTS: [Start; 8] = [
    Stranger,
    Cart,
    Alice,
    AliceRemembered,
    AliceReturning,
    AliceReturningWithCart,
    ZoeRemembered,
    AliceBesideZoesCookie,
];

const VERBS: [Verb; 13] = [
    Login,
    Remember,
    LoginOther,
    Logout,
    Confirm,
    Rotate,
    Ask,
    Save,
    Take,
    Revoke,
    LogoutOthers,
    LogoutEverywhere,
    ChangeStamp,
];

/// Which call goes wrong.
#[derive(Clone, Copy, Debug)]
enum Where {
    /// The one that is held.
    Held,
    /// One of the other verb.
    Beside(usize),
    /// One that the held verb makes afterwards.
    Later(usize),
}

#[derive(Clone, Copy, Debug)]
struct Case {
    start: Start,
    held: Verb,
    beside: Verb,
    /// The number of the call at which the first verb is held.
    call: usize,
    when: When,
    fault: Option<(Where, Fault)>,
}

impl Start {
    /// The owner of the session that the session cookie names.
    fn owner(self) -> Option<&'static str> {
        match self {
            Alice | AliceRemembered | AliceBesideZoesCookie => Some("alice"),
            ZoeRemembered => Some("zoe"),
            _ => None,
        }
    }

    /// The user as whom a request is answered.
    fn user(self) -> Option<&'static str> {
        match self {
            AliceReturning | AliceReturningWithCart => Some("alice"),
            _ => self.owner(),
        }
    }

    fn has_cart(self) -> bool {
        matches!(self, Cart | AliceReturningWithCart)
    }

    async fn arrange(self, world: &mut World) {
        let browser = &mut world.browser;
        match self {
            Stranger | Cart => {}
            Alice | AliceBesideZoesCookie => _ = browser.post("/login/alice").await,
            ZoeRemembered => _ = browser.post("/remember/zoe").await,
            _ => _ = browser.post("/remember/alice").await,
        }
        if self.user().is_some() {
            assert_eq!(browser.post("/put/mine/1").await.status, 200);
        }
        match self {
            AliceReturning | AliceReturningWithCart => browser.forget(SESSION),
            AliceBesideZoesCookie => {
                let mut zoe = browser.another();
                zoe.post("/remember/zoe").await;
                browser.plant(REMEMBER, &zoe.cookie("-remember").unwrap());
            }
            _ => {}
        }
        if self.has_cart() {
            assert_eq!(browser.post("/put/cart/apples").await.status, 200);
        }
    }
}

impl Verb {
    fn uri(self, elsewhere: &str) -> String {
        match self {
            Login => "/login/alice".into(),
            Remember => "/remember/alice".into(),
            LoginOther => "/login/bob".into(),
            Logout => "/logout".into(),
            Confirm => "/confirm".into(),
            Rotate => "/rotate".into(),
            Ask => "/who".into(),
            Save => "/put/late/1".into(),
            Take => "/take/mine".into(),
            Revoke => format!("/revoke/{elsewhere}"),
            LogoutOthers => "/others".into(),
            LogoutEverywhere => "/everywhere".into(),
            ChangeStamp => "/stamp".into(),
        }
    }

    /// The user whom this verb logs in.
    fn logs_in(self, start: Start) -> Option<&'static str> {
        match self {
            Login | Remember => Some("alice"),
            LoginOther => Some("bob"),
            ChangeStamp => start.user(),
            _ => None,
        }
    }

    fn logs_out(self) -> bool {
        matches!(self, Logout | LogoutEverywhere)
    }

    fn rotates(self) -> bool {
        matches!(self, Confirm | Rotate | LogoutOthers)
    }

    /// Does nothing to a session but use it and its data.
    fn is_harmless(self) -> bool {
        matches!(self, Save | Take | Revoke | Ask)
    }

    /// Ends sessions of the user in other browsers.
    fn ends_others(self) -> bool {
        matches!(self, Revoke | LogoutOthers | LogoutEverywhere | ChangeStamp)
    }
}

/// A world in which alice is logged in in a second browser and carol in a third.
struct Scene {
    world: World,
    elsewhere: Browser,
    elsewhere_id: String,
    bystander: Browser,
}

impl Scene {
    async fn new(start: Start) -> Self {
        let mut world = World::with(every_verb, |manager| manager);
        let mut elsewhere = world.browser.another();
        elsewhere.post("/login/alice").await;
        let elsewhere_id = world.store.inner.records()[0].id.to_string();
        world
            .accounts
            .put(crate::support::world::account(3, "carol"));
        let mut bystander = world.browser.another();
        bystander.post("/login/carol").await;
        start.arrange(&mut world).await;
        world.events.take();
        world.store.take_calls();
        Self {
            world,
            elsewhere,
            elsewhere_id,
            bystander,
        }
    }

    fn begin(&self, verb: Verb) -> tokio::task::JoinHandle<(Browser, Answer)> {
        let method = if verb == Ask {
            Method::GET
        } else {
            Method::POST
        };
        self.world
            .browser
            .start(method, &verb.uri(&self.elsewhere_id))
    }

    /// Whom a remember cookie alone brings back.
    async fn who_returns(&self, token: &str) -> String {
        let mut browser = self.world.browser.another();
        browser.plant(REMEMBER, token);
        browser.get("/who").await.body
    }

    async fn data(&self, token: &str, key: &str) -> String {
        let mut browser = self.world.browser.another();
        browser.plant(SESSION, token);
        browser.get(&format!("/get/{key}")).await.body
    }
}

/// One of the two verbs and its outcome.
struct Done {
    verb: Verb,
    browser: Browser,
    answer: Answer,
}

impl Done {
    fn is_ok(&self) -> bool {
        self.answer.status == 200
    }

    fn session(&self) -> Option<String> {
        self.browser.cookie("-session")
    }

    /// The user whom it has logged in.
    fn logged_in(&self, start: Start) -> Option<&'static str> {
        let user = self.verb.logs_in(start)?;
        (self.is_ok() && self.answer.body == user).then_some(user)
    }
}

impl Case {
    /// Returns `None` if the verb never makes that call, or no call comes to the fault.
    async fn run(&self) -> Option<()> {
        let scene = Scene::new(self.start).await;
        let store = &scene.world.store;
        let gate = store.gate_after(self.call, self.when);
        if let Some((Where::Held, fault)) = self.fault {
            store.fail_after(self.call, fault);
        }
        let mut held = scene.begin(self.held);
        tokio::select! {
            () = gate.reached() => {}
            _ = &mut held => return None,
        }
        if let Some((Where::Beside(calls), fault)) = self.fault {
            store.fail_after(calls, fault);
        }
        let beside = scene.begin(self.beside).await.unwrap();
        if matches!(self.fault, Some((Where::Beside(_), _))) && store.is_still_to_fail() {
            return None;
        }
        if let Some((Where::Later(calls), fault)) = self.fault {
            store.fail_after(calls, fault);
        }
        gate.open();
        let held = held.await.unwrap();
        if store.is_still_to_fail() {
            return None;
        }
        sleep(RETRIED).await;
        let done = |verb, (browser, answer)| Done {
            verb,
            browser,
            answer,
        };
        let [held, beside] = [done(self.held, held), done(self.beside, beside)];
        self.check(scene, held, beside).await;
        Some(())
    }

    async fn check(&self, mut scene: Scene, held: Done, beside: Done) {
        let case = format!("{self:?}");
        self.check_answers(&held, &beside, &case);
        for (one, other) in [(&held, &beside), (&beside, &held)] {
            self.check_login(&scene, one, other, &case).await;
            self.check_data(&scene, one, other, &case).await;
        }
        self.check_others(&mut scene, [&held, &beside], &case).await;
        let alive = self.alive(&scene, &held, &beside).await;
        self.check_browser(&scene, &held, &beside, &case).await;
        scene.world.clock.advance(GRACE);
        let later = self.alive(&scene, &held, &beside).await;
        assert!(later.is_subset(&alive), "{case}: revived");
        let ids: HashSet<_> = later.iter().map(|token| &token[..21]).collect();
        assert_eq!(ids.len(), later.len(), "{case}: two secrets of one session");
        self.check_records(&scene, &held, &beside, &case);
        for (one, other) in [(&held, &beside), (&beside, &held)] {
            self.check_logout(&scene, one, other, &case).await;
        }
        let events = scene.world.events.take();
        let theft = events.contains(&EventKind::RememberTheft);
        assert!(!theft, "{case}: no secret was stolen");
    }

    fn check_answers(&self, held: &Done, beside: &Done, case: &str) {
        for done in [held, beside] {
            let status = done.answer.status.as_u16();
            let expected: &[u16] = match self.fault {
                Some(_) => &[200, 409, 503],
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

    /// A login that returned OK works, one that returned an error changed nothing; and a secret
    /// from before a login grants no access and writes nothing.
    async fn check_login(&self, scene: &Scene, login: &Done, other: &Done, case: &str) {
        let before = scene.world.browser.cookie("-session");
        let Some(user) = login.logged_in(self.start) else {
            let is_error = !login.is_ok() && matches!(login.verb, Login | Remember | LoginOther);
            if let (true, true, Some(owner)) =
                (is_error, other.verb.is_harmless(), self.start.owner())
            {
                let who = scene.world.who_has(&before.unwrap()).await;
                assert_eq!(who, owner, "{case}: the login failed");
            }
            return;
        };
        let who = scene.world.who_has(&login.session().unwrap()).await;
        let other_user = other
            .verb
            .logs_in(self.start)
            .is_some_and(|other| other != user);
        let may_end = other.verb.logs_out()
            // A login ends the session that the browser's cookies show, even if another login has
            // been written over it meanwhile.
            || other_user && self.start.user() == Some(user)
            || self.start.user() == Some(user) && matches!(other.verb, LogoutOthers | ChangeStamp);
        if !may_end || who != "nobody" {
            assert_eq!(who, user, "{case}: the login {:?}", login.verb);
        }
        if let Some(before) = before
            && self.start.owner() != Some(user)
        {
            let who = scene.world.who_has(&before).await;
            assert_eq!(who, "nobody", "{case}: a secret from before the login");
            let mut late = scene.world.browser.another();
            late.plant(SESSION, &before);
            late.post("/put/planted/1").await;
            let planted = scene.data(&login.session().unwrap(), "planted").await;
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
        let who = scene.world.who_has(&session).await;
        let mine = scene.data(&session, "mine").await;
        // After `logout_others` a late login is no longer in the session, and takes none of its data.
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
        let keeps_cart = done.logged_in(self.start).is_some() && self.start == Cart;
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
            if scene.world.who_has(&token).await != "nobody" {
                alive.insert(token);
            }
        }
        alive
    }

    /// If neither verb changes who is logged in, the browser stays logged in, in whatever order the
    /// responses arrive.
    async fn check_browser(&self, scene: &Scene, held: &Done, beside: &Done, case: &str) {
        let stays = [held, beside]
            .iter()
            .all(|done| !done.verb.logs_out() && done.verb.logs_in(self.start).is_none());
        let mut browser = scene.world.browser.clone();
        if !stays {
            return;
        }
        let order = if self.call.is_multiple_of(2) {
            [held, beside]
        } else {
            [beside, held]
        };
        for done in order {
            browser.receive(&done.answer);
        }
        let who = browser.get("/who").await.body;
        assert_eq!(who, self.start.user().unwrap_or("nobody"), "{case}");
    }

    /// Every live session is that of a cookie.
    fn check_records(&self, scene: &Scene, held: &Done, beside: &Done, case: &str) {
        let now = scene.world.clock.unix_millis();
        let browsers = [
            &scene.world.browser,
            &scene.elsewhere,
            &scene.bystander,
            &held.browser,
            &beside.browser,
        ];
        let tokens: Vec<_> = browsers
            .iter()
            .flat_map(|browser| ["-session", "-remember"].map(|name| browser.cookie(name)))
            .flatten()
            .collect();
        for SessionRecord {
            id, owner, expires, ..
        } in scene.world.store.inner.records()
        {
            let id = &id.to_string()[..21];
            let known = tokens.iter().any(|token| token.starts_with(id));
            assert!(known || expires <= now, "{case}: left, of {owner:?}");
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
                let who = scene.world.who_has(&session).await;
                assert_eq!(who, "nobody", "{case}: after the logout");
            }
            if let Some(remember) = browser.cookie("-remember") {
                let who = scene.who_returns(&remember).await;
                assert_eq!(who, "nobody", "{case}: back after the logout");
            }
        }
    }
}

/// How many store calls a verb makes if it is alone.
async fn calls(start: Start, verb: Verb) -> usize {
    let scene = Scene::new(start).await;
    scene.begin(verb).await.unwrap();
    scene.world.store.take_calls().len()
}

async fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for start in STARTS {
        let mut counts = Vec::new();
        for verb in VERBS {
            counts.push((verb, calls(start, verb).await));
        }
        for &(held, held_calls) in &counts {
            for &(beside, beside_calls) in &counts {
                for call in 0..held_calls {
                    let places = std::iter::once(Where::Held)
                        .chain((0..=beside_calls).map(Where::Beside))
                        .chain((0..=held_calls - call).map(Where::Later));
                    let faults = places.flat_map(|place| {
                        [Fails, DoesAndFails, DoesLater, Hangs].map(|fault| Some((place, fault)))
                    });
                    for fault in std::iter::once(None).chain(faults) {
                        cases.extend([Before, After].map(|when| Case {
                            start,
                            held,
                            beside,
                            call,
                            when,
                            fault,
                        }));
                    }
                }
            }
        }
    }
    cases
}

/// Runs these cases, and returns how many came to their fault and how many failed.
async fn run(cases: Vec<Case>) -> (usize, usize) {
    let (mut ran, mut failed) = (0, 0);
    for case in cases {
        // On a task of its own, so that one case that fails does not hide the others.
        match tokio::spawn(async move { case.run().await }).await {
            Ok(done) => ran += usize::from(done.is_some()),
            Err(_) => failed += 1,
        }
    }
    (ran, failed)
}

/// Runs it on a thread whose clock moves only while it waits.
fn block_on<T>(future: impl Future<Output = T>) -> T {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = runtime.enable_all().start_paused(true).build();
    runtime.unwrap().block_on(future)
}

#[test]
fn concurrent_verbs_are_consistent_whatever_call_fails() {
    let all = std::env::var("LOGIN_MANAGER_SWEEP").is_ok_and(|sweep| sweep == "all");
    let step = if all { 1 } else { SAMPLE };
    let cases: Vec<_> = block_on(cases()).into_iter().step_by(step).collect();
    let threads = std::thread::available_parallelism().map_or(1, NonZero::get);
    let (ran, failed) = std::thread::scope(|scope| {
        let share = |at: usize| cases.iter().copied().skip(at).step_by(threads).collect();
        let started: Vec<_> = (0..threads)
            .map(|at| {
                let share = share(at);
                scope.spawn(|| block_on(run(share)))
            })
            .collect();
        let outcomes = started.into_iter().map(|thread| thread.join().unwrap());
        outcomes.fold((0, 0), |(ran, failed), (more_ran, more_failed)| {
            (ran + more_ran, failed + more_failed)
        })
    });
    assert_eq!(failed, 0, "of {ran} cases");
    assert!(ran > cases.len() / 3, "{ran}");
}
