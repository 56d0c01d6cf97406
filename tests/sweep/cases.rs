//! The cases: the product of the factors, or a sample of it.

use std::{env, iter};

use super::{
    factors::{STARTS, Start, VERBS, Verb, Where},
    scene::Scene,
    stores::Place,
    twists::{Twist, kinds_of_twists},
};
use crate::support::faulty_store::{
    Fault::{self, DoesAndFails, DoesLater, Fails, Hangs},
    When::{self, After, Before},
};

/// How many cases run: so many without a twist, and so many with each kind of twist without a fault
/// and with one.
#[derive(Clone, Copy)]
pub struct Extent(pub usize, pub usize);

/// What the user asks for in `LOGIN_MANAGER_SWEEP`.
pub enum Wanted {
    Sample,
    All,
    /// The cases whose printed form contains this.
    Like(String),
}

#[derive(Clone, Copy, Debug)]
pub struct Case {
    pub start: Start,
    pub held: Verb,
    pub beside: Verb,
    /// The number of the call at which the first verb is held.
    pub call: usize,
    pub when: When,
    pub fault: Option<(Where, Fault)>,
    pub twist: Twist,
}

impl Wanted {
    pub fn by_user() -> Self {
        match env::var("LOGIN_MANAGER_SWEEP") {
            Err(_) => Self::Sample,
            Ok(all) if all == "all" => Self::All,
            Ok(text) => Self::Like(text),
        }
    }

    /// The cases of a test that runs so many of them.
    pub async fn cases(self, sample: Extent, all: Extent) -> Vec<Case> {
        match self {
            Self::Sample => cases(sample).await,
            Self::All => cases(all).await,
            Self::Like(text) => {
                let mut cases = cases(Extent(usize::MAX, usize::MAX)).await;
                cases.retain(|case| format!("{case:?}").contains(&text));
                cases
            }
        }
    }
}

/// So many cases, spread over all of them.
async fn cases(Extent(plain, twisted): Extent) -> Vec<Case> {
    let every = every_plain_case().await;
    let (faulty, faultless): (Vec<_>, Vec<_>) = every.iter().partition(|case| case.fault.is_some());
    let mut cases = thin(&every, plain);
    for (twists, weight) in kinds_of_twists() {
        let of_each = with_each(&faultless, &twists);
        cases.extend(thin(&of_each, twisted.saturating_mul(weight)));
        cases.extend(thin(&with_one(&faulty, &twists), twisted));
    }
    cases
}

fn thin(cases: &[Case], count: usize) -> Vec<Case> {
    let count = count.min(cases.len());
    let spread = (0..count).map(|number| cases[number * cases.len() / count]);
    spread.collect()
}

/// Each of these cases with each of the twists that fit it.
fn with_each(cases: &[Case], twists: &[Twist]) -> Vec<Case> {
    cases
        .iter()
        .flat_map(|case| case.twisted_by(twists))
        .collect()
}

/// Each of these cases with one of the twists that fit it.
fn with_one(cases: &[Case], twists: &[Twist]) -> Vec<Case> {
    let one_of = |(number, case): (usize, &Case)| {
        let fitting = case.twisted_by(twists);
        fitting.get(number % fitting.len().max(1)).copied()
    };
    cases.iter().enumerate().filter_map(one_of).collect()
}

impl Case {
    fn twisted_by(self, twists: &[Twist]) -> Vec<Self> {
        let fitting = twists.iter().filter(|twist| twist.fits(self.start));
        fitting.map(|&twist| Self { twist, ..self }).collect()
    }
}

async fn every_plain_case() -> Vec<Case> {
    let mut cases = Vec::new();
    for start in STARTS {
        let mut counts = Vec::new();
        for verb in VERBS {
            counts.push((verb, calls(start, verb).await));
        }
        for &(held, held_calls) in &counts {
            for &(beside, beside_calls) in &counts {
                for call in 0..held_calls {
                    let places = iter::once(Where::Held)
                        .chain((0..=beside_calls).map(Where::Beside))
                        .chain((0..=held_calls - call).map(Where::Later));
                    let faults = places.flat_map(|place| {
                        [Fails, DoesAndFails, DoesLater, Hangs].map(|fault| Some((place, fault)))
                    });
                    for fault in iter::once(None).chain(faults) {
                        cases.extend([Before, After].map(|when| Case {
                            start,
                            held,
                            beside,
                            call,
                            when,
                            fault,
                            twist: Twist::Nothing,
                        }));
                    }
                }
            }
        }
    }
    cases
}

/// How many store calls a verb makes if it is alone.
async fn calls(start: Start, verb: Verb) -> usize {
    let scene = Scene::new(Place::in_memory(), start, Twist::Nothing).await;
    scene.begin(verb).await.unwrap();
    scene.world.store.take_calls().len()
}
