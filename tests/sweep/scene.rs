//! The world of a case, its browsers, and the two answers.

use std::sync::Arc;

use http::Method;
use login_manager::SessionStore;
use tokio::task::JoinHandle;

use super::{
    GRACE,
    attack::Attacker,
    factors::{
        Start::{self, *},
        Verb::{self, Ask},
    },
    stores::Place,
    twists::{Copied, Theft, Twist},
};
use crate::support::{
    browser::{Answer, Browser},
    routes::every_verb,
    world::{REMEMBER, SESSION, World, account},
};

/// A world in which alice is logged in in a second browser and carol in a third.
pub struct Scene {
    pub world: World<Arc<dyn SessionStore>>,
    pub elsewhere: Browser,
    pub elsewhere_id: String,
    pub bystander: Browser,
    /// The browser as it was at the login, if the owner has returned since.
    pub earlier: Option<Browser>,
    pub attacker: Option<Attacker>,
}

impl Scene {
    pub async fn new(Place { store, seen }: Place, start: Start, twist: Twist) -> Self {
        let world = World::over(store, seen, every_verb, |manager| manager);
        for (id, name) in [(3, "carol"), (4, "mallory")] {
            world.accounts.put(account(id, name));
        }
        let mut elsewhere = world.browser.another();
        elsewhere.post("/login/alice").await;
        let elsewhere_id = world.store.stored().await[0].id.to_string();
        let mut bystander = world.browser.another();
        bystander.post("/login/carol").await;
        let mut scene = Self {
            world,
            elsewhere,
            elsewhere_id,
            bystander,
            earlier: None,
            attacker: None,
        };
        scene.arrange(start, twist).await;
        scene.attacker = Attacker::of(twist, &scene.world.browser);
        scene.world.events.take();
        scene.world.store.take_calls();
        scene
    }

    async fn arrange(&mut self, start: Start, twist: Twist) {
        let browser = &mut self.world.browser;
        match start {
            Stranger | Cart => {}
            Alice | AliceBesideZoesCookie => _ = browser.post("/login/alice").await,
            ZoeRemembered => _ = browser.post("/remember/zoe").await,
            _ => _ = browser.post("/remember/alice").await,
        }
        if let Twist::Theft(Theft {
            copy: Copied::Earlier,
            ..
        }) = twist
        {
            self.earlier = Some(browser.clone());
            self.world.clock.advance(2 * GRACE);
            browser.restart();
            browser.get("/who").await;
            browser.get("/who").await;
        }
        if start.user().is_some() {
            assert_eq!(browser.post("/put/mine/1").await.status, 200);
        }
        match start {
            AliceReturning | AliceReturningWithCart => browser.forget(SESSION),
            AliceBesideZoesCookie => {
                let mut zoe = browser.another();
                zoe.post("/remember/zoe").await;
                browser.plant(REMEMBER, &zoe.cookie("-remember").unwrap());
            }
            _ => {}
        }
        if start.has_cart() {
            assert_eq!(browser.post("/put/cart/apples").await.status, 200);
        }
    }

    pub fn begin(&self, verb: Verb) -> JoinHandle<(Browser, Answer)> {
        let method = if verb == Ask {
            Method::GET
        } else {
            Method::POST
        };
        self.world
            .browser
            .start(method, &verb.uri(&self.elsewhere_id))
    }

    /// A browser with nothing but this cookie.
    pub fn bearer(&self, name: &str, token: &str) -> Browser {
        let mut browser = self.world.browser.another();
        browser.plant(name, token);
        browser
    }

    pub async fn who_has(&self, token: &str) -> String {
        self.world.who_has(token).await
    }

    /// Whom a remember cookie alone brings back.
    pub async fn who_returns(&self, token: &str) -> String {
        self.bearer(REMEMBER, token).get("/who").await.body
    }

    pub async fn data(&self, token: &str, key: &str) -> String {
        let mut browser = self.bearer(SESSION, token);
        browser.get(&format!("/get/{key}")).await.body
    }
}

/// One of the two verbs and its outcome.
pub struct Done {
    pub verb: Verb,
    pub browser: Browser,
    pub answer: Answer,
}

impl Done {
    pub fn is_ok(&self) -> bool {
        self.answer.status == 200
    }

    pub fn session(&self) -> Option<String> {
        self.browser.cookie("-session")
    }

    /// Whether it sets this cookie to a value.
    pub fn sets(&self, name: &str) -> bool {
        let cookies = self.answer.set_cookies();
        let mut values = cookies
            .iter()
            .filter_map(|cookie| cookie.strip_prefix(name)?.strip_prefix('='));
        values.any(|value| !value.starts_with(';'))
    }

    /// The user whom it has logged in.
    pub fn logged_in(&self, start: Start) -> Option<&'static str> {
        let user = self.verb.logs_in(start)?;
        (self.is_ok() && self.answer.body == user).then_some(user)
    }
}

/// The part of a cookie's value that the id makes up, but for two bits.
pub fn id_of(token: &str) -> &str {
    &token[..21]
}
