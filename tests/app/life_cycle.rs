//! The life of a session: logging in, staying logged in, logging out.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering::SeqCst},
};

use axum::{
    Router,
    extract::Path,
    routing::{get, post},
};
use login_manager::{Auth, Error, EventKind, Session, login_required};
use tokio::sync::Notify;

use crate::{
    faulty_store::{Call, When},
    world::{Account, Accounts, HOUR, SESSION, World, account, routes},
};

#[tokio::test]
async fn logs_in_stays_logged_in_and_logs_out() {
    let World {
        mut browser,
        store,
        accounts,
        ..
    } = World::new();
    assert_eq!(browser.get("/who").await.body, "nobody");
    let answer = browser.get("/me").await;
    assert_eq!(
        (answer.status.as_u16(), answer.location()),
        (303, "/login?next=/me&notice=login")
    );

    assert_eq!(browser.post("/login/alice").await.body, "alice");
    assert_eq!(browser.cookie_names(), ["__Host-account-session"]);
    store.take_calls();
    let loads = accounts.loads();
    assert_eq!(browser.get("/me").await.body, "alice");
    assert_eq!(store.take_calls(), [Call::Load]);
    assert_eq!(accounts.loads(), loads + 1);

    let token = browser.cookie("session").unwrap();
    assert_eq!(browser.post("/logout").await.body, "bye");
    assert!(browser.cookie_names().is_empty());
    assert!(store.inner.is_empty());
    browser.plant("__Host-account-session", &token);
    assert_eq!(browser.get("/who").await.body, "nobody");
}

#[tokio::test]
async fn e1_the_session_cookie_has_exactly_these_attributes_set_and_deleted() {
    let World { mut browser, .. } = World::new();
    let [set] = &browser.post("/login/alice").await.set_cookies()[..] else {
        panic!()
    };
    let (pair, attributes) = set.split_once("; ").unwrap();
    assert_eq!(pair.split_once('=').unwrap().0, "__Host-account-session");
    assert_eq!(attributes, "HttpOnly; SameSite=Lax; Secure; Path=/");
    let [removed] = &browser.post("/logout").await.set_cookies()[..] else {
        panic!()
    };
    assert_eq!(
        removed,
        "__Host-account-session=; HttpOnly; SameSite=Lax; Secure; Path=/; Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT"
    );
}

#[tokio::test]
async fn b3_nothing_of_a_user_is_left_for_the_next_one() {
    let World {
        mut browser, store, ..
    } = World::new();
    browser.post("/put/cart/apples").await;
    browser.post("/login/alice").await;
    assert_eq!(
        browser.get("/get/cart").await.body,
        "apples",
        "an anonymous cart comes along"
    );
    browser.post("/put/secret/alices").await;
    browser.post("/login/alice").await;
    assert_eq!(
        browser.get("/get/secret").await.body,
        "alices",
        "the same user keeps it"
    );
    browser.post("/login/bob").await;
    assert_eq!(browser.get("/get/secret").await.body, "");
    assert_eq!(browser.get("/get/cart").await.body, "");
    assert_eq!(store.inner.len(), 1);
}

#[tokio::test]
async fn b1_a_token_that_was_planted_before_the_login_is_worth_nothing_after_it() {
    let mut world = World::new();
    let mut attacker = world.browser.another();
    attacker.post("/put/cart/apples").await;
    let planted = attacker.cookie("session").unwrap();
    world.browser.plant(SESSION, &planted);
    assert_eq!(world.browser.get("/get/cart").await.body, "apples");
    world.browser.post("/login/alice").await;
    assert_ne!(world.token(), planted);
    assert_eq!(attacker.get("/who").await.body, "nobody");
    assert_eq!(attacker.get("/get/cart").await.body, "");
    assert_eq!(world.store.inner.len(), 1);
}

#[tokio::test]
async fn b2_every_change_of_identity_renews_the_token_and_kills_the_old_one() {
    for (verb, who) in [
        ("/login/alice", "alice"),
        ("/login/bob", "bob"),
        ("/confirm", "alice"),
        ("/renew", "alice"),
        ("/do/logout,alice", "alice"),
        ("/do/logout,put", "nobody"),
    ] {
        let mut world = World::new();
        world.browser.post("/login/alice").await;
        let old = world.token();
        assert_eq!(world.browser.post(verb).await.status, 200, "{verb}");
        assert_ne!(world.token(), old, "{verb}");
        assert_eq!(world.browser.get("/who").await.body, who, "{verb}");
        assert_eq!(world.who_has(&old).await, "nobody", "{verb}");
        assert_eq!(world.store.inner.len(), 1, "{verb}");
    }
}

#[tokio::test]
async fn b4_two_renewals_in_one_handler_make_one_cookie_and_one_record() {
    let mut world = World::new();
    world.browser.post("/do/alice,put").await;
    let old = world.token();
    let answer = world.browser.post("/do/renew,renew").await;
    assert_eq!(answer.set_cookies().len(), 1);
    assert_eq!(world.store.inner.len(), 1);
    assert_eq!(world.browser.get("/get/key").await.body, "value");
    assert_eq!(world.browser.get("/who").await.body, "alice");
    assert_eq!(world.who_has(&old).await, "nobody");
}

#[tokio::test]
async fn a_renewal_of_an_anonymous_session_keeps_its_data() {
    let mut world = World::new();
    world.browser.post("/do/put").await;
    let old = world.token();
    world.browser.post("/renew").await;
    assert_ne!(world.token(), old);
    assert_eq!(world.browser.get("/get/key").await.body, "value");
    assert_eq!(world.store.inner.len(), 1);
}

#[tokio::test]
async fn p4_a_logout_needs_neither_user_nor_loader() {
    let vanish: [fn(&World); 3] = [
        |world| world.accounts.remove(1),
        |world| world.accounts.fail(true),
        |world| world.accounts.change(1, |alice| alice.active = false),
    ];
    for vanish in vanish {
        let mut world = World::new();
        world.browser.post("/login/alice").await;
        let token = world.token();
        let before = world.accounts.get(1).unwrap();
        vanish(&world);
        let answer = world.browser.post("/logout").await;
        assert_eq!((answer.status.as_u16(), &*answer.body), (200, "bye"));
        assert!(world.browser.cookie_names().is_empty());
        assert!(world.store.inner.is_empty());
        world.accounts.fail(false);
        world.accounts.put(before);
        assert_eq!(world.who_has(&token).await, "nobody");
    }
}

#[tokio::test]
async fn p4_a_logout_with_a_malformed_cookie_removes_it() {
    let World {
        mut browser, store, ..
    } = World::new();
    browser.plant(SESSION, "garbage");
    assert_eq!(browser.post("/logout").await.body, "bye");
    assert!(browser.cookie_names().is_empty());
    assert_eq!(store.take_calls(), []);
}

#[tokio::test]
async fn p4_a_logout_is_carried_out_when_the_client_hangs_up() {
    for call in [Call::Load, Call::Delete, Call::DeleteAll] {
        let mut world = World::new();
        world.browser.post("/login/alice").await;
        let token = world.token();
        let gate = world.store.gate(call, When::Before);
        let mut browser = world.browser.clone();
        let request = tokio::spawn(async move { browser.post("/logout").await });
        // A logout need not use each of these calls; those that it uses are no place to lose it.
        tokio::select! {
            () = gate.reached() => {}
            () = idle() => continue,
        }
        request.abort();
        assert!(request.await.unwrap_err().is_cancelled());
        gate.open();
        idle().await;
        assert_eq!(world.who_has(&token).await, "nobody", "{call:?}");
        assert!(world.store.inner.is_empty(), "{call:?}");
    }
}

/// Waits until nothing that is under way can go on by itself.
async fn idle() {
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn b6_a_late_writer_does_not_bring_back_what_a_logout_or_a_renewal_ended() {
    for end in [
        "/logout",
        "/renew",
        "/confirm",
        "/login/alice",
        "/login/bob",
    ] {
        let mut world = World::new();
        world.browser.post("/login/alice").await;
        let token = world.token();
        let gate = world.store.gate(Call::Update, When::Before);
        let mut late = world.browser.clone();
        let late = tokio::spawn(async move { late.post("/put/cart/apples").await });
        gate.reached().await;
        world.browser.post(end).await;
        let records = world.store.inner.len();
        gate.open();
        let answer = late.await.unwrap();
        assert_eq!(answer.status, 200, "the answer stands after {end}");
        assert_eq!(answer.set_cookies(), [""; 0], "{end}");
        assert_eq!(world.store.inner.len(), records, "{end}");
        assert_eq!(world.who_has(&token).await, "nobody", "{end}");
        assert!(world.events.take().contains(&EventKind::DataDropped));
    }
}

#[tokio::test]
async fn b6_a_late_touch_does_not_bring_back_what_a_logout_ended() {
    let mut world = World::new();
    world.browser.post("/login/alice").await;
    let token = world.token();
    world.clock.advance(12 * HOUR);
    let gate = world.store.gate(Call::Touch, When::Before);
    assert_eq!(world.browser.get("/who").await.body, "alice");
    gate.reached().await;
    world.browser.post("/logout").await;
    gate.open();
    idle().await;
    assert_eq!(world.who_has(&token).await, "nobody");
    assert!(world.store.inner.is_empty());
}

#[tokio::test]
async fn b6_a_hundred_late_writers_do_not_bring_back_what_a_logout_ended() {
    let (arrived, go_on) = (Arc::new(AtomicUsize::new(0)), Arc::new(Notify::new()));
    let (counted, awaited) = (Arc::clone(&arrived), Arc::clone(&go_on));
    let slow = async move |session: Session, Path(key): Path<String>| {
        let _: Option<String> = session.get(&key).await?;
        let signal = awaited.notified();
        counted.fetch_add(1, SeqCst);
        signal.await;
        session.insert(&key, "late").await
    };
    let mut world = World::with(
        |accounts| routes(accounts).route("/slow/{key}", post(slow)),
        |manager| manager,
    );
    world.browser.post("/login/alice").await;
    let token = world.token();
    let writers: Vec<_> = (0..100)
        .map(|writer| {
            let mut browser = world.browser.clone();
            tokio::spawn(async move { browser.post(&format!("/slow/{writer}")).await })
        })
        .collect();
    while arrived.load(SeqCst) < 100 {
        tokio::task::yield_now().await;
    }
    world.browser.post("/logout").await;
    go_on.notify_waiters();
    for writer in writers {
        let answer = writer.await.unwrap();
        assert_eq!(
            (answer.status.as_u16(), answer.set_cookies().len()),
            (200, 0)
        );
    }
    assert!(world.store.inner.is_empty());
    assert_eq!(world.who_has(&token).await, "nobody");
}

#[tokio::test]
async fn b7_a_logout_is_seen_in_the_same_request() {
    let mut world = World::new();
    world.browser.post("/do/alice,put").await;
    assert_eq!(world.browser.post("/do/logout").await.body, "nobody");
    assert_eq!(world.browser.get("/get/key").await.body, "");
    assert_eq!(world.browser.get("/why").await.body, "Some(NoCookie)");
}

#[tokio::test]
async fn b9_a_logout_without_a_session_makes_none() {
    let World {
        mut browser, store, ..
    } = World::new();
    for _ in 0..100 {
        assert_eq!(browser.post("/logout").await.body, "bye");
    }
    assert!(store.inner.is_empty());
    assert_eq!(store.take_calls(), []);
    assert!(browser.cookie_names().is_empty());
}

#[tokio::test]
async fn b23_looking_and_failing_to_log_in_leave_no_record_and_no_cookie() {
    let World {
        mut browser,
        store,
        accounts,
        ..
    } = World::new();
    accounts.change(1, |alice| alice.active = false);
    for _ in 0..250 {
        for path in ["/", "/who", "/me", "/get/cart"] {
            assert_eq!(browser.get(path).await.set_cookies(), [""; 0], "{path}");
        }
        for path in ["/login/alice", "/confirm", "/renew"] {
            assert_eq!(browser.post(path).await.set_cookies(), [""; 0], "{path}");
        }
    }
    assert!(store.inner.is_empty());
    assert_eq!(store.take_calls(), []);
}

#[tokio::test]
async fn b22_a_refused_login_changes_nothing() {
    let mut world = World::new();
    world.browser.post("/do/bob,put").await;
    let token = world.token();
    world.accounts.change(1, |alice| alice.active = false);
    let answer = world.browser.post("/login/alice").await;
    assert_eq!(answer.status, 403);
    assert_eq!(answer.set_cookies(), [""; 0]);
    assert_eq!(world.who_has(&token).await, "bob");
    assert_eq!(world.browser.get("/get/key").await.body, "value");
}

#[tokio::test]
async fn b21_no_name_in_the_session_data_logs_anybody_in() {
    let names = [
        "_user_id",
        "user_id",
        "_id",
        "id",
        "user",
        "owner",
        "uid",
        "_fresh",
        "fresh",
        "stamp",
        "proof",
        "forced",
        "family",
        "key",
        "",
        "app::world::Account",
    ];
    let mut world = World::new();
    for name in names {
        world.browser.post("/do/put").await;
        let set = format!("/put/{}/1", if name.is_empty() { "%00" } else { name });
        assert_eq!(world.browser.post(&set).await.status, 200, "{name}");
        assert_eq!(world.browser.get("/who").await.body, "nobody", "{name}");
    }
    world.browser.post("/login/bob").await;
    for name in names.into_iter().filter(|name| !name.is_empty()) {
        world.browser.post(&format!("/put/{name}/1")).await;
        assert_eq!(world.browser.get("/who").await.body, "bob", "{name}");
        assert_eq!(world.browser.get(&format!("/get/{name}")).await.body, "1");
    }
}

#[tokio::test]
async fn b15_what_becomes_of_a_user_counts_at_the_next_request_of_every_session_and_for_ever() {
    type Change = fn(&Accounts);
    let cases: [(Change, &str); 3] = [
        (
            |accounts| accounts.change(1, |alice| alice.stamp.push('!')),
            "Some(StampChanged)",
        ),
        (
            |accounts| accounts.change(1, |alice| alice.active = false),
            "Some(Inactive)",
        ),
        (|accounts| accounts.remove(1), "Some(UserGone)"),
    ];
    for (change, why) in cases {
        let mut world = World::new();
        let before = world.accounts.get(1).unwrap();
        let mut other = world.browser.another();
        world.browser.post("/login/alice").await;
        other.post("/login/alice").await;
        let mut bystander = world.browser.another();
        bystander.post("/login/bob").await;

        change(&world.accounts);
        for browser in [&mut world.browser, &mut other] {
            let copy = browser.clone();
            assert_eq!(browser.get("/why").await.body, why);
            *browser = copy;
            assert_eq!(browser.get("/me").await.status, 303, "{why}");
        }
        world.accounts.put(before);
        for browser in [&mut world.browser, &mut other] {
            assert_eq!(
                browser.get("/who").await.body,
                "nobody",
                "not revived: {why}"
            );
        }
        assert_eq!(world.store.inner.len(), 1, "{why}");
        assert_eq!(bystander.get("/who").await.body, "bob");
    }
}

#[tokio::test]
async fn b15_data_of_a_user_who_is_out_is_nobodys() {
    let mut world = World::new();
    world.browser.post("/do/alice,put").await;
    world.accounts.change(1, |alice| alice.stamp.push('!'));
    assert_eq!(world.browser.get("/get/key").await.body, "");
    world.browser.post("/login/alice").await;
    assert_eq!(world.browser.get("/get/key").await.body, "");
}

#[tokio::test]
async fn p12_a_removal_cookie_is_only_sent_where_no_newer_login_can_be_behind_it() {
    let mut world = World::new();
    for out in ["stamp", "renewed", "expired", "unknown"] {
        world.browser.forget_cookies();
        world.browser.post("/login/alice").await;
        let mut old = world.browser.clone();
        match out {
            "stamp" => world.accounts.change(1, |alice| alice.stamp.push('!')),
            "renewed" => _ = world.browser.post("/renew").await,
            "expired" => world.clock.advance(25 * HOUR),
            _ => _ = world.browser.post("/logout").await,
        }
        let answer = old.get("/who").await;
        assert_eq!(
            (&*answer.body, answer.set_cookies().len()),
            ("nobody", 0),
            "{out}"
        );
    }
    for out in ["inactive", "gone"] {
        world.browser.post("/login/bob").await;
        match out {
            "inactive" => world.accounts.change(2, |bob| bob.active = false),
            _ => world.accounts.remove(2),
        }
        assert_eq!(world.browser.get("/who").await.body, "nobody");
        assert!(world.browser.cookie_names().is_empty(), "{out}");
        world.accounts.put(account(2, "bob"));
    }
}

#[tokio::test]
async fn b16_another_login_of_the_same_user_ends_nothing_elsewhere() {
    let mut world = World::new();
    let mut other = world.browser.another();
    other.post("/login/alice").await;
    for _ in 0..3 {
        world.browser.post("/login/alice").await;
    }
    world.browser.post("/logout").await;
    assert_eq!(other.get("/who").await.body, "alice");
}

#[tokio::test]
async fn g8_a_role_is_the_one_that_the_user_has_now() {
    let admins = |accounts: &Accounts| {
        let guard = login_required::<Account>().and(|account| account.admin);
        let admin = Router::new().route("/admin", get(|| async { "secret" }));
        routes(accounts).merge(admin.route_layer(guard))
    };
    let mut world = World::with(admins, |manager| manager);
    world.browser.post("/login/alice").await;
    assert_eq!(world.browser.get("/admin").await.status, 403);
    world.accounts.change(1, |alice| alice.admin = true);
    assert_eq!(world.browser.get("/admin").await.status, 200);
    world.accounts.change(1, |alice| alice.admin = false);
    assert_eq!(world.browser.get("/admin").await.status, 403);
}

#[tokio::test]
async fn force_lets_in_who_is_not_active_for_this_session_only() {
    let force = |accounts: &Accounts| {
        let all = accounts.clone();
        let force = async move |auth: Auth<Account>| {
            let user = auth.login(all.get(1).unwrap()).force().await?;
            Ok::<_, Error>(user.name.clone())
        };
        routes(accounts).route("/force", post(force))
    };
    let mut world = World::with(force, |manager| manager);
    world.accounts.change(1, |alice| alice.active = false);
    assert_eq!(world.browser.post("/force").await.body, "alice");
    assert_eq!(world.browser.get("/who").await.body, "alice");
    for verb in ["/confirm", "/renew"] {
        world.browser.post(verb).await;
        assert_eq!(world.browser.get("/who").await.body, "alice", "{verb}");
    }
    let mut other = world.browser.another();
    assert_eq!(other.post("/login/alice").await.status, 403);
    world.accounts.change(1, |alice| alice.stamp.push('!'));
    assert_eq!(world.browser.get("/who").await.body, "nobody");
}

#[tokio::test]
async fn force_for_a_user_who_is_active_is_a_login_like_any_other() {
    let force = async |auth: Auth<Account>| auth.login(account(1, "alice")).force().await.map(drop);
    let mut world = World::with(
        |accounts| routes(accounts).route("/force", post(force)),
        |manager| manager,
    );
    world.browser.post("/force").await;
    assert_eq!(world.browser.get("/who").await.body, "alice");
    world.accounts.change(1, |alice| alice.active = false);
    assert_eq!(world.browser.get("/who").await.body, "nobody");
}
