//! Two concurrent verbs of one browser: one waits before or after each of its store calls while the
//! other runs, and one call fails. What happens besides is varied, too: the order in which the
//! responses arrive, a thief with copies of earlier cookies, and an attacker who planted the
//! session or knows its id.
//!
//! A sample of the cases runs by default. With `LOGIN_MANAGER_SWEEP=all` every case without a twist
//! runs, and a larger sample of the others; with a part of the text that a failed case prints, such
//! as `LOGIN_MANAGER_SWEEP="start: Cart, held: Login, beside: Rotate"`, the cases like it.

mod attack;
mod cases;
mod checks;
mod factors;
mod responses;
mod scene;
mod schedules;
mod stores;
mod theft;
mod twists;

use std::{num::NonZero, sync::Arc, time::Duration};

use login_manager::{BoxError, SessionStore};
use tokio::time::sleep;

use self::{
    cases::{Case, Extent, Wanted},
    factors::Where,
    scene::{Done, Scene},
    stores::Place,
    twists::{Moment, Twist},
};

/// Retries of deletions have ended by then.
const RETRIED: Duration = Duration::from_secs(100);
/// A previous secret is no longer accepted after this.
const GRACE: Duration = Duration::from_secs(31);

impl Case {
    /// Returns `None` if the verb never makes that call, or no call comes to the fault.
    async fn run(&self, place: Place) -> Option<()> {
        let case = format!("{self:?}");
        let mut scene = Scene::new(place, self.start, self.twist).await;
        let [held, beside] = self.act(&mut scene, &case).await?;
        sleep(RETRIED).await;
        let both = [&held, &beside];
        match self.twist {
            Twist::Nothing => self.check(&mut scene, both, &case).await,
            Twist::Planted(_) | Twist::KnownIds(_) => {
                self.check(&mut scene, both, &case).await;
                self.check_attacker(&mut scene, both, &case).await;
            }
            Twist::Responses(responses) => {
                self.check_responses(&scene, both, responses, &case).await;
            }
            Twist::Theft(theft) => self.check_theft(&scene, both, theft, &case).await?,
        }
        Some(())
    }

    /// Lets the two verbs run at once.
    async fn act(&self, scene: &mut Scene, case: &str) -> Option<[Done; 2]> {
        let store = scene.world.store.clone();
        scene.attack(Moment::Before, case).await;
        let gate = store.gate_after(self.call, self.when);
        if let Some((Where::Held, fault)) = self.fault {
            store.fail_after(self.call, fault);
        }
        let mut held = scene.begin(self.held);
        tokio::select! {
            () = gate.reached() => {}
            _ = &mut held => return None,
        }
        scene.attack(Moment::During, case).await;
        if let Some((Where::Beside(calls), fault)) = self.fault {
            store.fail_after(calls, fault);
        }
        let beside = scene.begin(self.beside).await.unwrap();
        if store.is_still_to_fail() {
            return None;
        }
        scene.attack(Moment::Between, case).await;
        if let Some((Where::Later(calls), fault)) = self.fault {
            store.fail_after(calls, fault);
        }
        gate.open();
        let held = held.await.unwrap();
        if store.is_still_to_fail() {
            return None;
        }
        let done = |verb, (browser, answer)| Done {
            verb,
            browser,
            answer,
        };
        Some([done(self.held, held), done(self.beside, beside)])
    }
}

/// How many cases came to their fault, and how many failed.
#[derive(Clone, Copy, Debug, Default)]
pub struct Tally {
    ran: usize,
    failed: usize,
}

impl Tally {
    fn add(self, other: Self) -> Self {
        Self {
            ran: self.ran + other.ran,
            failed: self.failed + other.failed,
        }
    }

    fn check(self, cases: usize) {
        assert_eq!(self.failed, 0, "of {} cases", self.ran);
        assert!(self.ran >= cases / 3, "{} of {cases}", self.ran);
    }
}

/// Runs these cases, each on a store that is empty.
async fn run(cases: Vec<Case>, open: impl Fn() -> Place) -> Tally {
    let mut tally = Tally::default();
    for case in cases {
        let place = open();
        let store = place.store.clone();
        // On a task of its own, so that one case that fails does not hide the others.
        match tokio::spawn(async move { case.run(place).await }).await {
            Ok(done) => tally.ran += usize::from(done.is_some()),
            Err(_) => tally.failed += 1,
        }
        // What the case has left unfinished must not reach the next one on the same store.
        sleep(RETRIED).await;
        store.clean_up().await;
    }
    tally
}

/// Runs it on a thread whose clock moves only while it waits.
fn block_on<T>(future: impl Future<Output = T>) -> T {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = runtime.enable_all().start_paused(true).build();
    runtime.unwrap().block_on(future)
}

fn cases(sample: Extent, all: Extent) -> Vec<Case> {
    block_on(Wanted::by_user().cases(sample, all))
}

/// Runs the cases on one store, one after the other.
fn run_on(store: Arc<dyn SessionStore>, cases: Vec<Case>) -> Tally {
    block_on(run(cases, || Place::new(Arc::clone(&store))))
}

/// Runs a few cases on the store that this opens.
pub fn run_sample<S: SessionStore>(opening: impl Future<Output = Result<S, BoxError>>) {
    let cases = cases(Extent(11, 3), Extent(101, 31));
    let count = cases.len();
    run_on(stores::blocking(opening), cases).check(count);
}

/// Shares the cases out to as many threads as there are processors.
fn share<C: Copy + Send + Sync>(cases: &[C], run: impl Fn(Vec<C>) -> Tally + Sync) -> Tally {
    let threads = std::thread::available_parallelism().map_or(1, NonZero::get);
    let share = |at: usize| cases.iter().copied().skip(at).step_by(threads).collect();
    std::thread::scope(|scope| {
        let started: Vec<_> = (0..threads)
            .map(|at| {
                let (share, run) = (share(at), &run);
                scope.spawn(move || run(share))
            })
            .collect();
        let tallies = started.into_iter().map(|thread| thread.join().unwrap());
        tallies.fold(Tally::default(), Tally::add)
    })
}

#[test]
fn concurrent_verbs_are_consistent_whatever_call_fails() {
    let cases = cases(Extent(1_201, 0), Extent(usize::MAX, 0));
    share(&cases, |share| block_on(run(share, Place::in_memory))).check(cases.len());
}

#[test]
fn concurrent_verbs_are_safe_from_thieves_and_attackers() {
    let cases = cases(Extent(0, 37), Extent(0, 8_009));
    share(&cases, |share| block_on(run(share, Place::in_memory))).check(cases.len());
}

#[test]
fn concurrent_verbs_are_consistent_on_sqlite() {
    let cases = cases(Extent(37, 7), Extent(997, 199));
    share(&cases, |share| run_on(stores::sqlite(), share)).check(cases.len());
}

#[test]
fn concurrent_verbs_are_consistent_behind_a_cache() {
    let cases = cases(Extent(53, 7), Extent(997, 199));
    share(&cases, |share| block_on(run(share, Place::cached))).check(cases.len());
}
