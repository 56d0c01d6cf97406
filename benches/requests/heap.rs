//! The memory that idle sessions take.

use axum::Router;

use crate::{
    alloc::{self, Allocated},
    contenders::Contender,
    report::{Options, name},
    site::{Template, login_path, serve},
    table::{Table, ratio, thousands},
    users::{PASSWORD_HASH, Users},
};

const SESSIONS: i64 = 100_000;
const CONTENDERS: [Contender; 3] = [
    Contender::LoginManager,
    Contender::AxumLogin,
    Contender::Floor,
];

pub(crate) async fn run(options: &Options) {
    let heading = format!(
        "Bytes of heap per live session, at {} sessions.",
        thousands(SESSIONS as f64)
    );
    let mut table = Table::new(&heading, &["measurement", "bytes", "of axum-login"]);
    for (case, per_user) in [("heap/100 per user", 100), ("heap/1 per user", 1)] {
        let wanted = options.wanted(case, &CONTENDERS);
        if wanted.is_empty() {
            continue;
        }
        let peer = bytes(Contender::AxumLogin, per_user).await;
        for contender in wanted {
            let bytes = bytes(contender, per_user).await;
            let of_peer = ratio(bytes, peer, 1.0);
            table.row(vec![name(case, contender), thousands(bytes), of_peer]);
        }
    }
    table.print();
}

async fn bytes(contender: Contender, per_user: i64) -> f64 {
    let users = Users::new(SESSIONS / per_user, PASSWORD_HASH);
    let site = contender.site(&users).await;
    log_in(&site, 0).await; // allocates what is allocated only once
    alloc::count(true);
    let before = Allocated::now();
    for session in 1..=SESSIONS {
        log_in(&site, session % (SESSIONS / per_user)).await;
    }
    let live = Allocated::now().since(before).live;
    alloc::count(false);
    live as f64 / SESSIONS as f64
}

async fn log_in(site: &Router, user: i64) {
    let request = Template::post(&login_path(user), None).request();
    let (status, _) = serve(site, request).await;
    assert!(status.is_success());
}
