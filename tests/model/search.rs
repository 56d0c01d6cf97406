//! Every order of the steps of a scene, depth first; each state once.

use std::{
    collections::HashSet,
    hash::{DefaultHasher, Hash, Hasher},
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use super::{
    protocol::Rules,
    scenes::Scene,
    world::{Step, World},
};

pub struct Found {
    pub states: usize,
    /// The invariant that breaks first, and the steps that lead there.
    pub broken: Option<String>,
}

struct Search<'a> {
    rules: &'a Rules,
    seen: HashSet<u64>,
    path: Vec<Step>,
}

pub fn explore(rules: &Rules, scene: &Scene) -> Found {
    let mut search = Search {
        rules,
        seen: HashSet::new(),
        path: Vec::new(),
    };
    let result = match scene.world(rules) {
        Ok(world) => search.from(&world),
        Err(broken) => Err(format!("before the first request: {broken}")),
    };
    Found {
        states: search.seen.len(),
        broken: result.err().map(|it| {
            format!(
                "{it}\n  in {scene:?}{}",
                described(rules, scene, &search.path)
            )
        }),
    }
}

/// The steps in words, one a line.
fn described(rules: &Rules, scene: &Scene, path: &[Step]) -> String {
    let mut text = String::new();
    if let Ok(mut world) = scene.world(rules) {
        for step in path {
            text += &format!("\n    {}", world.describe(*step));
            let _the_last_one_breaks = world.take(rules, *step);
        }
    }
    text
}

impl Search<'_> {
    fn from(&mut self, world: &World) -> Result<(), String> {
        let mut hasher = DefaultHasher::new();
        world.hash(&mut hasher);
        if !self.seen.insert(hasher.finish()) {
            return Ok(());
        }
        let steps = world.steps();
        if steps.is_empty() {
            return world.check_end(self.rules);
        }
        for step in steps {
            let mut next = world.clone();
            self.path.push(step);
            next.take(self.rules, step)?;
            self.from(&next)?;
            self.path.pop();
        }
        Ok(())
    }
}

/// Explores the scenes on all cores. Returns the number of states, and what breaks.
pub fn explore_all(rules: &Rules, scenes: &[Scene]) -> (usize, Vec<String>) {
    let (next, states, broken) = (AtomicUsize::new(0), AtomicUsize::new(0), Mutex::default());
    let cores = thread::available_parallelism().map_or(2, usize::from);
    thread::scope(|scope| {
        for _ in 0..cores {
            scope.spawn(|| {
                while let Some(scene) = scenes.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let found = explore(rules, scene);
                    states.fetch_add(found.states, Ordering::Relaxed);
                    if let Some(message) = found.broken {
                        let mut broken: std::sync::MutexGuard<'_, Vec<String>> =
                            broken.lock().unwrap();
                        broken.push(message);
                    }
                }
            });
        }
    });
    (states.into_inner(), broken.into_inner().unwrap())
}
