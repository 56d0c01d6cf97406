//! One-time tokens.

mod attacks;
mod codes;
mod failure;
mod invitations;
mod issue;
mod redeem;
mod send;
mod undo;
mod user_changes;

use std::time::Duration;

use login_manager::{
    Error,
    event::EventKind,
    tokens::{Purpose, RefusedReason, Tokens},
};

use crate::support::world::{Account, World, routes};

pub const RESET: Purpose = Purpose::reset();
pub const VERIFY: Purpose = Purpose::verification();
pub const MILLISECOND: Duration = Duration::from_millis(1);

/// An application with tokens, which are bound to the account's name as if it were an address.
pub struct Scene {
    pub world: World,
    pub tokens: Tokens<Account>,
    pub alice: Account,
}

pub fn scene() -> Scene {
    scene_of(World::new())
}

pub fn scene_of(world: World) -> Scene {
    let tokens = world.manager.tokens();
    Scene {
        tokens: tokens.with_address(|account: &Account| &account.name),
        alice: world.accounts.get(1).unwrap(),
        world,
    }
}

/// A world whose store calls take no deadline, for tests that hold them.
pub fn patient_world() -> World {
    World::with(routes, |manager| {
        manager.with_deadline(Duration::from_secs(3600))
    })
}

impl Scene {
    pub async fn issue(&self, purpose: Purpose) -> String {
        let issued = self.tokens.issue(&self.alice, purpose).await.unwrap();
        issued
            .expect("no token was issued moments ago")
            .text()
            .to_owned()
    }

    pub async fn redeems(&self, token: &str, purpose: Purpose) -> bool {
        is_some(self.tokens.redeem(token, purpose).await)
    }

    pub async fn peeks(&self, token: &str, purpose: Purpose) -> bool {
        is_some(self.tokens.peek(token, purpose).await)
    }

    /// The reasons for refusals since the last call.
    pub fn refusals(&self) -> Vec<RefusedReason> {
        let refusal = |kind| match kind {
            EventKind::TokenRefused(why) => Some(why),
            _ => None,
        };
        self.world
            .events
            .take()
            .into_iter()
            .filter_map(refusal)
            .collect()
    }
}

pub fn is_some<T>(outcome: Result<Option<T>, Error>) -> bool {
    outcome.unwrap().is_some()
}

/// It can't be written as JSON.
pub struct Unserializable;

impl serde::Serialize for Unserializable {
    fn serialize<S: serde::Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
        Err(serde::ser::Error::custom("it can't be written"))
    }
}
