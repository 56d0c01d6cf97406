//! The cost that auth adds to a request.

use std::time::{Duration, Instant};

use axum::{Router, body::Body};
use http::Request;
use tokio::task::yield_now;

use crate::{
    alloc::{self, Allocated},
    cases::{self, Case, Kind, check_login_and_logout},
    contenders::Contender,
    report::{Options, name},
    site::{Template, USER, cookie_header, login_path, serve},
    table::{Table, median, ratio, thousands},
    users::Users,
};

/// Requests in one turn of a contender.
const TURN: usize = 64;
/// The number of turns after which each contender gets a new site. Otherwise sessions would
/// accumulate, since axum_session creates one for each visitor, and using so much memory would slow
/// down every contender.
const TURNS_PER_SITE: usize = 256;
/// How long one case is measured.
const TIME: Duration = Duration::from_secs(12);
/// Below this, the time of a contender is too close to the noise to divide by.
const LEAST_NS: f64 = 20.0;

pub(crate) async fn run(options: &Options, users: &Users) {
    let heading = "What auth adds to a request. The cost of the bare router itself is in brackets.";
    let columns = [
        "measurement",
        "ns",
        "of floor",
        "of axum-login",
        "allocations",
        "bytes",
    ];
    let mut table = Table::new(heading, &columns);
    for case in cases::ALL {
        let wanted = options.wanted(&format!("requests/{}", case.name), &Contender::ALL);
        if wanted.is_empty() {
            continue;
        }
        println!("- {}: {}", case.name, case.title);
        let mut entries = Vec::new();
        for contender in Contender::ALL {
            if wanted.contains(&contender) || is_compared_with(contender) {
                entries.push(Entry::new(contender, case, users).await);
            }
        }
        time(&mut entries, case, users, options.time(TIME)).await;
        for entry in &mut entries {
            entry.count().await;
        }
        add_rows(&mut table, case, &entries, &wanted);
    }
    table.print();
}

/// Whether others are compared with this contender, so that it must run, too.
fn is_compared_with(contender: Contender) -> bool {
    matches!(
        contender,
        Contender::Bare | Contender::Floor | Contender::AxumLogin
    )
}

/// A contender in one case.
struct Entry {
    contender: Contender,
    site: Router,
    work: Work,
    /// Nanoseconds per request, one for each round.
    times: Vec<f64>,
    calls: f64,
    bytes: f64,
}

/// An operation that is timed repeatedly.
enum Work {
    Page(Template),
    LoginThenLogout(Template),
}

impl Entry {
    async fn new(contender: Contender, case: Case, users: &Users) -> Self {
        let (site, work) = Self::site(contender, case, users).await;
        Self {
            contender,
            site,
            work,
            times: Vec::new(),
            calls: 0.0,
            bytes: 0.0,
        }
    }

    /// Creates a new site, and its work. Its responses have been checked.
    async fn site(contender: Contender, case: Case, users: &Users) -> (Router, Work) {
        let site = contender.site(users).await;
        check_login_and_logout(contender, &site, users).await;
        let work = match case.kind {
            Kind::Page(page) => Work::Page(page.request(contender, &site, users).await),
            Kind::LoginThenLogout => Work::LoginThenLogout(Template::post(&login_path(USER), None)),
        };
        (site, work)
    }

    async fn take_turn(&mut self) {
        let time = match &self.work {
            Work::Page(page) => time_requests(&self.site, requests(page)).await,
            Work::LoginThenLogout(login) => {
                let (logouts, time) = time_logins(&self.site, requests(login)).await;
                time + time_requests(&self.site, logouts).await
            }
        };
        self.times.push(time.as_nanos() as f64 / TURN as f64);
    }

    /// Counts the allocations of one request in the middle of many.
    async fn count(&mut self) {
        let mut counts = Vec::new();
        alloc::count(true);
        for _ in 0..TURN {
            counts.push(self.count_once().await);
        }
        alloc::count(false);
        self.calls = median(counts.iter().map(|count| count.calls).collect()) as f64;
        self.bytes = median(counts.iter().map(|count| count.bytes).collect()) as f64;
    }

    async fn count_once(&self) -> Allocated {
        let (Work::Page(template) | Work::LoginThenLogout(template)) = &self.work;
        let request = template.request();
        let before = Allocated::now();
        let (_, headers) = serve(&self.site, request).await;
        let first = Allocated::now().since(before);
        if matches!(self.work, Work::Page(_)) {
            return first;
        }
        let request = logout(&headers);
        let before = Allocated::now();
        serve(&self.site, request).await;
        let second = Allocated::now().since(before);
        Allocated {
            calls: first.calls + second.calls,
            bytes: first.bytes + second.bytes,
            live: first.live + second.live,
        }
    }
}

fn requests(template: &Template) -> Vec<Request<Body>> {
    (0..TURN).map(|_| template.request()).collect()
}

fn logout(login: &http::HeaderMap) -> Request<Body> {
    Template::post("/logout", cookie_header(login).as_deref()).request()
}

async fn time_requests(site: &Router, requests: Vec<Request<Body>>) -> Duration {
    let start = Instant::now();
    for request in requests {
        serve(site, request).await;
    }
    start.elapsed()
}

/// Times logins, and also returns the requests that log the users out.
async fn time_logins(
    site: &Router,
    requests: Vec<Request<Body>>,
) -> (Vec<Request<Body>>, Duration) {
    let mut answers = Vec::with_capacity(requests.len());
    let start = Instant::now();
    for request in requests {
        answers.push(serve(site, request).await.1);
    }
    let time = start.elapsed();
    (answers.iter().map(logout).collect(), time)
}

/// Times the contenders in turns. Each round begins with another contender, and every other round
/// goes backwards.
async fn time(entries: &mut [Entry], case: Case, users: &Users, time: Duration) {
    let mut order: Vec<_> = (0..entries.len()).collect();
    let start = Instant::now();
    while start.elapsed() < time {
        for &entry in &order {
            entries[entry].take_turn().await;
        }
        // Let tasks run that a contender has spawned.
        yield_now().await;
        order.reverse();
        if entries[0].times.len().is_multiple_of(2) {
            order.rotate_left(1);
        }
        if entries[0].times.len().is_multiple_of(TURNS_PER_SITE) {
            for entry in &mut *entries {
                (entry.site, entry.work) = Entry::site(entry.contender, case, users).await;
            }
        }
    }
}

/// The median of the time that a contender took in addition to the bare router in the same round.
fn added(entry: &Entry, bare: &Entry) -> f64 {
    let rounds = entry.times.iter().zip(&bare.times);
    median(rounds.map(|(ours, bare)| ours - bare).collect())
}

fn add_rows(table: &mut Table, case: Case, entries: &[Entry], wanted: &[Contender]) {
    let find = |contender| {
        let mut entries = entries.iter();
        entries.find(|entry| entry.contender == contender).unwrap()
    };
    let bare = find(Contender::Bare);
    let floor = added(find(Contender::Floor), bare);
    let peer = added(find(Contender::AxumLogin), bare);
    let case = format!("requests/{}", case.name);
    for entry in entries {
        if !wanted.contains(&entry.contender) {
            continue;
        }
        let name = name(&case, entry.contender);
        if entry.contender == Contender::Bare {
            let itself = |value| format!("({})", thousands(value));
            let ns = itself(median(entry.times.clone()));
            let (none, calls, bytes) = (String::new(), itself(entry.calls), itself(entry.bytes));
            table.row(vec![name, ns, none.clone(), none, calls, bytes]);
            continue;
        }
        let ns = added(entry, bare);
        table.row(vec![
            name,
            thousands(ns),
            ratio(ns, floor, LEAST_NS),
            ratio(ns, peer, LEAST_NS),
            thousands(entry.calls - bare.calls),
            thousands(entry.bytes - bare.bytes),
        ]);
    }
}
