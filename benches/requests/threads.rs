//! Whether two threads serve twice as many requests as one.

use std::{
    num::NonZeroUsize,
    thread::{self, available_parallelism},
    time::{Duration, Instant},
};

use axum::Router;
use tokio::task::unconstrained;

use crate::{
    cases::GUARDED,
    contenders::Contender,
    report::{Options, name},
    site::{Template, serve},
    table::{Table, median, thousands},
    users::Users,
};

/// The time of one turn of a contender with one number of threads.
const TURN: Duration = Duration::from_millis(250);
/// An even number, since the order of the contenders is reversed in every other round.
const ROUNDS: usize = 10;
/// Requests that are built before the clock starts.
const REQUESTS: usize = 64;

struct Entry {
    contender: Contender,
    site: Router,
    /// Requests per second with one thread and with two, in each round.
    rates: Vec<(f64, f64)>,
}

pub(crate) async fn run(options: &Options, users: &Users) {
    let mut entries = Vec::new();
    for contender in options.wanted("threads/d", &Contender::ALL) {
        entries.push(Entry {
            contender,
            site: contender.site(users).await,
            rates: Vec::new(),
        });
    }
    let turn = options.time(TURN);
    for _ in 0..ROUNDS {
        for entry in &mut entries {
            let one = rate(1, entry, users, turn);
            let two = rate(2, entry, users, turn);
            entry.rates.push((one, two));
        }
        entries.reverse();
    }
    print(&entries);
}

fn print(entries: &[Entry]) {
    let cores = available_parallelism().map_or(1, NonZeroUsize::get);
    let heading = format!("Requests per second of case d, on {cores} cores.");
    let columns = ["measurement", "1 thread", "2 threads", "ratio"];
    let mut table = Table::new(&heading, &columns);
    for entry in entries {
        let rates = entry.rates.iter();
        let one = median(rates.clone().map(|rate| rate.0).collect());
        let two = median(rates.clone().map(|rate| rate.1).collect());
        let ratio = median(rates.map(|rate| rate.1 / rate.0).collect());
        let name = name("threads/d", entry.contender);
        let ratio = format!("{ratio:.2}");
        table.row(vec![name, thousands(one), thousands(two), ratio]);
    }
    table.print();
}

/// The requests per second of all threads together. Each thread has its own runtime and logged-in
/// browser.
fn rate(threads: usize, entry: &Entry, users: &Users, time: Duration) -> f64 {
    let serving = || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(unconstrained(async {
            let request = GUARDED.request(entry.contender, &entry.site, users).await;
            serve_for(time, &entry.site, &request).await
        }))
    };
    thread::scope(|scope| {
        let threads: Vec<_> = (0..threads).map(|_| scope.spawn(serving)).collect();
        let rates = threads.into_iter().map(|thread| thread.join().unwrap());
        rates.sum()
    })
}

async fn serve_for(time: Duration, site: &Router, template: &Template) -> f64 {
    let end = Instant::now() + time;
    let (mut served, mut serving) = (0, Duration::ZERO);
    while Instant::now() < end {
        let requests: Vec<_> = (0..REQUESTS).map(|_| template.request()).collect();
        let start = Instant::now();
        for request in requests {
            serve(site, request).await;
            served += 1;
        }
        serving += start.elapsed();
    }
    f64::from(served) / serving.as_secs_f64()
}
