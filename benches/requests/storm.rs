//! Whether other pages stay fast while many people log in with passwords.

use std::time::{Duration, Instant};

use axum::{Router, body::Body};
use http::{Request, StatusCode};
use login_manager::Passwords;
use tokio::{task::JoinSet, time::MissedTickBehavior};

use crate::{
    contenders::site_with_passwords,
    report::Options,
    site::{Template, USER, serve},
    table::{Table, thousands},
    users::Users,
};

const LOGINS_PER_SECOND: u32 = 50;
const TIME: Duration = Duration::from_secs(5);
const PASSWORD: &str = "correct horse battery staple";

pub(crate) fn run(options: &Options) {
    let names = ["storm/quiet/login_manager", "storm/logins/login_manager"];
    if !names.iter().any(|name| options.wants(name)) {
        return;
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    let time = options.time(TIME);
    let (quiet, storm, logins) = runtime.block_on(async {
        let site = site().await;
        let quiet = tokio::spawn(ask_for_public_page(site.clone(), time));
        let quiet = quiet.await.unwrap();
        let storm = tokio::spawn(ask_for_public_page(site.clone(), time));
        let logins = log_many_in(&site, time).await;
        (quiet, storm.await.unwrap(), logins)
    });
    print(
        names,
        [Percentiles::of(quiet), Percentiles::of(storm)],
        &logins,
    );
}

async fn site() -> Router {
    let passwords = Passwords::new();
    let hash = passwords.hash(PASSWORD).await.unwrap();
    site_with_passwords(Users::new(USER + 1, &hash), passwords)
}

/// Requests the page repeatedly, each time in a new task, as a server does. Returns the time of
/// each request.
async fn ask_for_public_page(site: Router, time: Duration) -> Vec<Duration> {
    let page = Template::get("/public", None);
    let end = Instant::now() + time;
    let mut times = Vec::new();
    while Instant::now() < end {
        let (site, request) = (site.clone(), page.request());
        let start = Instant::now();
        let answer = tokio::spawn(async move { serve(&site, request).await });
        assert_eq!(answer.await.unwrap().0, StatusCode::OK);
        times.push(start.elapsed());
    }
    times
}

/// The times of the logins that succeeded, and the number of those that failed.
struct Logins {
    times: Vec<Duration>,
    failed: usize,
}

async fn log_many_in(site: &Router, time: Duration) -> Logins {
    let mut clock = tokio::time::interval(Duration::from_secs(1) / LOGINS_PER_SECOND);
    clock.set_missed_tick_behavior(MissedTickBehavior::Burst);
    let end = Instant::now() + time;
    let mut tasks = JoinSet::new();
    while Instant::now() < end {
        clock.tick().await;
        let site = site.clone();
        tasks.spawn(async move {
            let start = Instant::now();
            let (status, _) = serve(&site, login()).await;
            (status.is_success(), start.elapsed())
        });
    }
    let logins = tasks.join_all().await;
    let succeeded = logins.iter().filter(|login| login.0);
    let times: Vec<_> = succeeded.map(|login| login.1).collect();
    let failed = logins.len() - times.len();
    Logins { times, failed }
}

fn login() -> Request<Body> {
    let path = format!("/password/{USER}");
    Template::post(&path, None)
        .request()
        .map(|_| PASSWORD.into())
}

/// Percentiles in microseconds.
struct Percentiles {
    half: f64,
    nearly_all: f64,
    /// The p99 weighted by duration: the time that a request at a random moment would take.
    nearly_always: f64,
}

impl Percentiles {
    fn of(mut times: Vec<Duration>) -> Self {
        times.sort_unstable();
        let at = |percent: usize| times[times.len() * percent / 100];
        let micros = |time: Duration| time.as_nanos() as f64 / 1000.0;
        Self {
            half: micros(at(50)),
            nearly_all: micros(at(99)),
            nearly_always: micros(at_moment(&times, 0.99)),
        }
    }
}

/// The time of the request that is being served when this part of the total time has passed, if the
/// shortest requests come first.
fn at_moment(sorted: &[Duration], part: f64) -> Duration {
    let total: Duration = sorted.iter().sum();
    let mut over = Duration::ZERO;
    let mut times = sorted.iter().copied();
    let time = times.find(|&time| {
        over += time;
        over >= total.mul_f64(part)
    });
    time.unwrap()
}

fn print(names: [&str; 2], [quiet, storm]: [Percentiles; 2], logins: &Logins) {
    let heading = format!(
        "A public page, requested all the time, without and with {LOGINS_PER_SECOND} logins per second \
         ({} succeeded, {} failed; half of them within {} ms).",
        logins.times.len(),
        logins.failed,
        thousands(Percentiles::of(logins.times.clone()).half / 1000.0),
    );
    let columns = ["measurement", "p50, µs", "p99, µs", "p99 of moments, µs"];
    let mut table = Table::new(&heading, &columns);
    let values = |times: &Percentiles| [times.half, times.nearly_all, times.nearly_always];
    let (quiet, storm) = (values(&quiet), values(&storm));
    for (name, times) in names.iter().zip([&quiet, &storm]) {
        let times = times.iter().map(|time| format!("{time:.1}"));
        table.row([(*name).to_owned()].into_iter().chain(times).collect());
    }
    let ratios = storm.iter().zip(quiet);
    let ratios = ratios.map(|(storm, quiet)| format!("{:.2} ×", storm / quiet));
    table.row(["ratio".to_owned()].into_iter().chain(ratios).collect());
    table.print();
}
