//! What else happens: how the responses arrive, a thief, an attacker.

use super::factors::Start;

/// What else happens.
#[derive(Clone, Copy, Debug)]
pub enum Twist {
    /// Nothing. Each cookie is examined by itself.
    Nothing,
    /// The browser receives the two responses in this way, and goes on.
    Responses(Responses),
    /// A thief presents a copy of earlier cookies.
    Theft(Theft),
    /// The browser's anonymous session was planted by an attacker, who knows its secret.
    Planted(Attack),
    /// An attacker knows the ids of the browser's sessions.
    KnownIds(Attack),
}

/// Which responses arrive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Responses {
    AsSent,
    Reversed,
    OnlyHeld,
    OnlyBeside,
    Lost,
    /// The browser has sent another request before they arrive.
    Delayed,
    /// The browser has sent another request before the second one arrives.
    Staggered,
    /// They arrive when the previous secrets are no longer accepted.
    AfterGrace,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Theft {
    pub copy: Copied,
    pub cookie: Cookie,
    /// The thief comes before the owner's next request.
    pub thief_first: bool,
    /// The owner closes the browser before each visit.
    pub restarts: bool,
}

/// When the thief copied the cookies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Copied {
    /// At the login, after which the owner has returned once.
    Earlier,
    /// Before the two verbs.
    Before,
    /// Between the two responses.
    Between,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cookie {
    Session,
    Remember,
    Both,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attack {
    pub moment: Moment,
    pub act: &'static str,
    /// The first store call of the attack fails.
    pub fails: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    Before,
    /// While one verb is held and before the other begins.
    During,
    /// When the other has ended and the held one has not.
    Between,
}

use Copied::*;

impl Twist {
    /// Whether there is something to copy, to plant or to know.
    pub fn fits(self, start: Start) -> bool {
        match self {
            Self::Nothing | Self::Responses(_) => true,
            Self::Theft(theft) => match (theft.copy, theft.cookie) {
                (Between, _) => true,
                (Before, Cookie::Session) => start.has_session(),
                (Before, _) => start.remembered().is_some(),
                (Earlier, _) => {
                    start.remembered().is_some() && start != Start::AliceBesideZoesCookie
                }
            },
            Self::Planted(_) => start.has_cart(),
            Self::KnownIds(_) => start != Start::Stranger,
        }
    }
}

/// Every twist but [`Twist::Nothing`], by kind, and how often each kind runs.
pub fn kinds_of_twists() -> [(Vec<Twist>, usize); 4] {
    use Responses::*;
    let responses = [
        AsSent, Reversed, OnlyHeld, OnlyBeside, Lost, Delayed, Staggered, AfterGrace,
    ];
    let attacks = attacks();
    let known_ids = attacks.iter().copied().map(Twist::KnownIds);
    let planted = attacks.iter().copied().filter(|attack| !attack.fails);
    [
        (responses.map(Twist::Responses).into(), 2),
        // They depend most on the verbs.
        (thefts().into_iter().map(Twist::Theft).collect(), 5),
        (planted.map(Twist::Planted).collect(), 1),
        (known_ids.collect(), 1),
    ]
}

fn thefts() -> Vec<Theft> {
    let mut thefts = Vec::new();
    for thief_first in [false, true] {
        let theft = |copy, cookie, restarts| Theft {
            copy,
            cookie,
            thief_first,
            restarts,
        };
        thefts.extend([Before, Between].map(|at| theft(at, Cookie::Session, false)));
        thefts.extend([Earlier, Before, Between].map(|at| theft(at, Cookie::Both, true)));
        for restarts in [false, true] {
            thefts
                .extend([Earlier, Before, Between].map(|at| theft(at, Cookie::Remember, restarts)));
        }
    }
    thefts
}

fn attacks() -> Vec<Attack> {
    let mut attacks = Vec::new();
    for moment in [Moment::Before, Moment::During, Moment::Between] {
        let attack = |act, fails| Attack { moment, act, fails };
        attacks.extend(ACTS.map(|act| attack(act, false)));
        attacks.extend(["/who", "/logout"].map(|act| attack(act, true)));
    }
    attacks
}

const ACTS: [&str; 9] = [
    "/who",
    "/put/evil/1",
    "/take/cart",
    "/rotate",
    "/confirm",
    "/login/mallory",
    "/remember/mallory",
    "/logout",
    "/everywhere",
];
