//! An attacker who planted the browser's anonymous session, or who knows only the ids of its
//! sessions.

use base64ct::{Base64UrlUnpadded, Encoding as _};
use http::Method;

use super::{
    Case,
    scene::{Done, Scene},
    twists::{Attack, Moment, Twist},
};
use crate::support::{
    browser::Browser,
    faulty_store::Fault,
    world::{REMEMBER, SESSION},
};

pub struct Attacker {
    pub browser: Browser,
    attack: Attack,
    /// The attacker never had a secret of the victim.
    knows_ids_only: bool,
}

impl Attacker {
    pub fn of(twist: Twist, victim: &Browser) -> Option<Self> {
        let mut browser = victim.another();
        let mut plant = |name, ending, forge: fn(&str) -> String| {
            if let Some(token) = victim.cookie(ending) {
                browser.plant(name, &forge(&token));
            }
        };
        let (attack, knows_ids_only) = match twist {
            Twist::Planted(attack) => {
                plant(SESSION, "-session", str::to_owned);
                (attack, false)
            }
            Twist::KnownIds(attack) => {
                plant(SESSION, "-session", forged);
                plant(REMEMBER, "-remember", forged);
                (attack, true)
            }
            _ => return None,
        };
        Some(Self {
            browser,
            attack,
            knows_ids_only,
        })
    }
}

/// A genuine cookie with a bit of each secret changed.
fn forged(token: &str) -> String {
    let mut bytes = Base64UrlUnpadded::decode_vec(token).unwrap();
    let secrets = &mut bytes[16..];
    secrets.chunks_mut(32).for_each(|secret| secret[0] ^= 1);
    Base64UrlUnpadded::encode_string(&bytes)
}

impl Scene {
    /// Lets the attacker act if this is the moment.
    pub async fn attack(&mut self, moment: Moment, case: &str) {
        let Some(attacker) = &mut self.attacker else {
            return;
        };
        let Attack { act, fails, .. } = attacker.attack;
        if attacker.attack.moment != moment {
            return;
        }
        let store = &self.world.store;
        let before = store.stored().await;
        if fails {
            store.fail_after(0, Fault::Fails);
        }
        let method = match act {
            "/who" => Method::GET,
            _ => Method::POST,
        };
        let answer = attacker.browser.send(method, act).await;
        assert!(!store.is_still_to_fail(), "{case}: {act} read nothing");
        if attacker.knows_ids_only {
            let now = store.stored().await;
            let is_same = before.iter().all(|record| now.contains(record));
            assert!(is_same, "{case}: an id is enough to change a session");
            let said = &answer.body;
            assert!(!said.contains("apples"), "{case}: {said}");
        }
        let who = &answer.body;
        let is_victim = ["alice", "bob", "zoe"].contains(&who.as_str());
        assert!(!is_victim, "{case}: {act} as {who}");
    }
}

impl Case {
    /// Whatever the attacker did, they are not the victim, and the two exchange no data after a
    /// login.
    pub async fn check_attacker(&self, scene: &mut Scene, both: [&Done; 2], case: &str) {
        let Some(mut attacker) = scene.attacker.take() else {
            return;
        };
        let who = attacker.browser.get("/who").await.body;
        let is_mallory = attacker.attack.act.contains("mallory");
        let expected: &[&str] = match is_mallory {
            // The victim's verb may end the session that mallory's login replaced.
            true => &["mallory", "nobody"],
            false => &["nobody"],
        };
        assert!(expected.contains(&&*who), "{case}: the attacker is {who}");
        for done in both {
            if done.logged_in(self.start).is_none() {
                continue;
            }
            let session = done.session().unwrap();
            let mut victim = scene.bearer(SESSION, &session);
            victim.post("/put/private/1").await;
            attacker.browser.post("/put/evil/2").await;
            let read = attacker.browser.get("/get/private").await.body;
            assert_eq!(read, "", "{case}: the attacker reads");
            let read = victim.get("/get/evil").await.body;
            assert_ne!(read, "2", "{case}: the attacker writes");
        }
    }
}
