//! A soak: two nodes over one store, two hundred browsers, and a network that fails.
//!
//! Each browser has cookies and two users of its own, and does at random what visitors do: it logs
//! in and out, saves data, is closed, sends two requests at once, and shows copies of cookies from
//! before a logout. A model of each knows what it may be told: never another browser's user or
//! data, never a user after a logout, always the user and the data that were acknowledged. A 503 is
//! allowed as long as a fault lasts, and leaves both outcomes of the request open. At the end
//! neither node may have grown.
//!
//! ```sh
//! LOGIN_MANAGER_SOAK=600 POSTGRES_URL=postgres://postgres@localhost \
//!     cargo test --test nodes soak -- --nocapture
//! ```
//!
//! `LOGIN_MANAGER_SOAK` is the duration in seconds on each store. Without it, a soak takes as long
//! as two faults need. `LOGIN_MANAGER_SOAK_SEED` repeats the choices of an earlier one; in which
//! order the requests arrive remains to chance.
#![allow(clippy::print_stdout, reason = "a soak says what it has done")]

mod course;
mod data;
mod model;
mod random;
mod request;
mod visitor;

use std::{
    env,
    hash::{BuildHasher as _, RandomState},
    sync::{Arc, atomic::Ordering::SeqCst},
    time::Duration,
};

use libtest_mimic::Trial;
use tokio::task::JoinSet;

use self::{course::Course, random::Random, visitor::Visitor};
use crate::{
    address::Way,
    browser::Browser,
    node::{Node, Settings, balancer},
    place::{Kind, Place},
    proxy::Proxy,
    trials::{eventually, trials},
};

pub fn trials() -> Vec<Trial> {
    trials![
        Kind::SERVERS => browsers_see_only_what_is_theirs_in_a_soak;
    ]
}

const VISITORS: usize = 200;
const MEGABYTE: u64 = 1024 * 1024;

async fn browsers_see_only_what_is_theirs_in_a_soak(place: Place) {
    let seed = number("LOGIN_MANAGER_SOAK_SEED");
    let seed = seed.unwrap_or_else(|| RandomState::new().hash_one(0));
    let duration = Duration::from_secs(number("LOGIN_MANAGER_SOAK").unwrap_or_default());
    let name = place.address.kind.name();
    println!("{name}: soak with LOGIN_MANAGER_SOAK_SEED={seed}");

    let nodes = Nodes::start(place).await;
    let app = balancer(&nodes.nodes);
    let mut probe = Browser::new(app.clone());
    assert_eq!(probe.post("/0/login/1").await.body, "1");

    let course = Arc::new(Course::default());
    let mut visitors = JoinSet::new();
    for number in 0..VISITORS {
        let browser = Browser::new(app.clone());
        let visitor = Visitor::new(number, browser, seed, Arc::clone(&course));
        visitors.spawn(visitor.visit());
    }
    let (watching, watcher) = (Arc::clone(&course), probe.another());
    visitors.spawn(async move { watching.watch(watcher).await });

    let mut random = Random(seed);
    let measured = async {
        course.quiet(&mut random).await;
        let before = nodes.measure().await;
        course
            .run(&mut random, &nodes.proxies, &probe, duration)
            .await;
        (before, nodes.measure().await)
    };
    let (before, after) = tokio::select! {
        measured = measured => measured,
        Some(ended) = visitors.join_next() => {
            panic!("{name}, seed {seed}: {}", ended.unwrap().unwrap_err());
        }
    };
    course.end();
    for result in visitors.join_all().await {
        result.unwrap_or_else(|wrong| panic!("{name}, seed {seed}: {wrong}"));
    }

    println!(
        "{name}: {} requests, {} logins, {} faults, {} times 503, memory {} before and {} after, \
         {:?} connections before and {:?} after",
        course.answers.load(SeqCst),
        course.logins.load(SeqCst),
        course.faults.load(SeqCst),
        course.unavailable.load(SeqCst),
        before.memory_in_words(),
        after.memory_in_words(),
        before.connections,
        after.connections,
    );
    nodes.are_sound(&probe).await;
    after.has_not_grown_since(&before);
}

fn number(variable: &str) -> Option<u64> {
    let value = env::var(variable).ok().filter(|value| !value.is_empty())?;
    Some(value.parse().expect("a number"))
}

/// Two nodes, each with a proxy between it and the server.
struct Nodes {
    place: Place,
    proxies: [Proxy; 2],
    nodes: [Node; 2],
}

impl Nodes {
    async fn start(place: Place) -> Self {
        let server = place.address.server();
        let proxies = [Proxy::start(server).await, Proxy::start(server).await];
        let through = |proxy: &Proxy| place.address.through(proxy.port);
        let nodes = [
            Node::start(&through(&proxies[0]), Settings::default()).await,
            Node::start(&through(&proxies[1]), Settings::default()).await,
        ];
        Self {
            place,
            proxies,
            nodes,
        }
    }

    /// How many connections a node may have.
    fn limit(&self) -> usize {
        match self.place.address.kind {
            Kind::Redis => 1,
            _ => Way::default().connections as usize,
        }
    }

    /// In a quiet phase. No connection may be left that is not the pool's.
    async fn measure(&self) -> Measured {
        let connections = || self.proxies.each_ref().map(Proxy::connections);
        eventually("the nodes have the connections of their pools", || async {
            let ports: Vec<_> = self.proxies.iter().flat_map(Proxy::ports).collect();
            let on_server = self.place.connections(&ports).await as usize;
            connections().iter().all(|count| *count <= self.limit())
                && on_server <= 2 * self.limit()
        })
        .await;
        Measured {
            memory: self.nodes.each_ref().map(Node::memory),
            connections: connections(),
        }
    }

    /// No node has taken a browser for a thief, and none has panicked.
    async fn are_sound(&self, browser: &Browser) {
        for node in 0..2 {
            for count in ["alarms", "panics"] {
                let answer = browser.clone().get(&format!("/{node}/{count}")).await;
                assert_eq!(answer.body, "0", "{count} on node {node}");
            }
        }
    }
}

struct Measured {
    memory: [Option<u64>; 2],
    connections: [usize; 2],
}

impl Measured {
    fn memory_in_words(&self) -> String {
        let in_words = |memory: Option<u64>| match memory {
            Some(bytes) => format!("{} MB", bytes / MEGABYTE),
            None => "unknown here".into(),
        };
        self.memory.map(in_words).join(" and ")
    }

    /// A quarter more memory and 20 MB is what an allocator may keep.
    fn has_not_grown_since(&self, before: &Self) {
        for (node, memory) in before.memory.iter().enumerate() {
            let (Some(before), Some(after)) = (memory, self.memory[node]) else {
                continue;
            };
            let limit = before + before / 4 + 20 * MEGABYTE;
            assert!(after <= limit, "node {node} has grown to {after} bytes");
        }
    }
}
