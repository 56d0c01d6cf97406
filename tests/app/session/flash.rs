//! Flash messages: each is shown once, also with parallel requests.

use axum::{
    Router,
    extract::Path,
    routing::{get, post},
};
use http::{Method, StatusCode};
use login_manager::{
    Auth, Error, Session,
    event::EventKind,
    flash::{Flash, Level, Message},
};

use crate::support::{
    faulty_store::{
        Call::{Create, Update},
        Fault::{DoesAndFails, Fails},
        When::{After, Before},
    },
    world::{Account, Accounts, HOUR, World, routes},
};

/// `/push/{texts}` pushes each of them (`a,b,c`), `/messages` shows what is pending.
fn with_messages(accounts: &Accounts) -> Router {
    let push = async |flash: Flash, Path(texts): Path<String>| {
        for text in texts.split(',') {
            flash.push(Level::Info, text).await?;
        }
        Ok::<_, Error>(())
    };
    let users = accounts.clone();
    let push_and_log_in = move |auth: Auth<Account>, flash: Flash| async move {
        flash.push(Level::Info, "before").await?;
        auth.login(users.by_name("alice").unwrap()).await?;
        flash.push(Level::Success, "after").await
    };
    let log_out = async |auth: Auth<Account>, flash: Flash| {
        flash.push(Level::Info, "before").await?;
        auth.logout().await?;
        flash.push(Level::Info, "You have been logged out.").await
    };
    let by_auth = async |auth: Auth<Account>| {
        let flash = Flash::new(auth.session());
        let message = Message::new(Level::Warning, "late").with_category("billing");
        flash.push_message(message).await?;
        let messages = flash.take().await?;
        Ok::<_, Error>(serde_json::to_string(&messages).unwrap())
    };
    let fails = async |flash: Flash| {
        let taken = texts(&flash.take().await?);
        flash.push(Level::Info, "dropped").await?;
        Ok::<_, Error>((StatusCode::INTERNAL_SERVER_ERROR, taken))
    };
    let push_bytes = async |flash: Flash, Path(bytes): Path<usize>| {
        flash.push(Level::Info, "x".repeat(bytes)).await
    };
    let twice = async |flash: Flash| {
        flash.push(Level::Info, "mine").await?;
        let (first, second) = (flash.take().await?, flash.take().await?);
        Ok::<_, Error>(format!("{} {}", texts(&first), second.len()))
    };
    routes(accounts)
        .route("/push/{texts}", post(push))
        .route("/push-bytes/{bytes}", post(push_bytes))
        .route("/push-and-log-in", post(push_and_log_in))
        .route("/log-out", post(log_out))
        .route("/by-auth", post(by_auth))
        .route("/messages", get(shown))
        .route("/fails", get(fails))
        .route("/twice", get(twice))
        .route("/unused", get(async |_: Flash| "unused"))
}

async fn shown(flash: Flash) -> Result<String, Error> {
    Ok(texts(&flash.take().await?))
}

fn texts(messages: &[Message]) -> String {
    let texts: Vec<_> = messages.iter().map(Message::text).collect();
    texts.join(",")
}

fn world() -> World {
    World::with(with_messages, |manager| manager.with_deadline(HOUR))
}

#[tokio::test]
async fn messages_are_shown_once_and_in_order() {
    for start in ["/", "/login/alice"] {
        let mut world = world();
        world.browser.post(start).await;
        world.browser.post("/push/one,two").await;
        world.browser.post("/push/three").await;
        let names: Vec<_> = (0..12).map(|n| format!("n{n}")).collect();
        world
            .browser
            .post(&format!("/push/{}", names.join(",")))
            .await;
        let expected = format!("one,two,three,{}", names.join(","));
        assert_eq!(world.browser.get("/messages").await.body, expected);
        assert_eq!(world.browser.get("/messages").await.body, "");
        world.browser.post("/push/again").await;
        assert_eq!(world.browser.get("/messages").await.body, "again");
    }
}

#[tokio::test]
async fn of_64_parallel_requests_each_message_goes_to_one() {
    for remote in [false, true] {
        let mut world = world();
        world.browser.post("/push/a,b,c").await;
        if remote {
            world.store.be_remote();
        }
        let pages: Vec<_> = (0..64)
            .map(|_| world.browser.start(Method::GET, "/messages"))
            .collect();
        let mut shown = Vec::new();
        for page in pages {
            let (_, answer) = page.await.unwrap();
            assert_eq!(answer.status, 200);
            shown.extend(Some(answer.body).filter(|body| !body.is_empty()));
        }
        assert_eq!(shown, ["a,b,c"], "remote: {remote}");
    }
}

/// Both have read the session before one of them writes.
#[tokio::test]
async fn parallel_pushes_are_both_kept() {
    let mut world = world();
    world.browser.post("/login/alice").await;
    let gate = world.store.gate(Update, Before);
    let slow = world.browser.start(Method::POST, "/push/slow");
    gate.reached().await;
    world.browser.post("/push/fast").await;
    gate.open();
    assert_eq!(slow.await.unwrap().1.status, 200);
    let body = world.browser.get("/messages").await.body;
    let mut both: Vec<_> = body.split(',').collect();
    both.sort_unstable();
    assert_eq!(both, ["fast", "slow"]);
}

/// A has read two messages before B pushes a third, so A's update is a conflict and A shows three.
#[tokio::test]
async fn message_pushed_beside_a_take_is_not_lost() {
    let mut world = world();
    world.browser.post("/push/a,b").await;
    let gate = world.store.gate(Update, Before);
    let page = world.browser.start(Method::GET, "/messages");
    gate.reached().await;
    world.browser.post("/push/c").await;
    gate.open();
    assert_eq!(page.await.unwrap().1.body, "a,b,c");
    assert_eq!(world.browser.get("/messages").await.body, "");
}

#[tokio::test]
async fn messages_are_removed_before_they_are_shown() {
    let mut world = world();
    world.browser.post("/push/once").await;
    let gate = world.store.gate(Update, After);
    let first = world.browser.start(Method::GET, "/messages");
    gate.reached().await;
    assert_eq!(world.browser.get("/messages").await.body, "");
    gate.open();
    assert_eq!(first.await.unwrap().1.body, "once");
}

#[tokio::test(start_paused = true)]
async fn no_message_is_shown_or_lost_if_the_store_fails() {
    for (fault, status, first, second) in [(Fails, 503, "", "a,b"), (DoesAndFails, 200, "a,b", "")]
    {
        let mut world = world();
        world.browser.post("/push/a,b").await;
        world.store.fail_once(Update, fault);
        let answer = world.browser.get("/messages").await;
        assert_eq!((answer.status.as_u16(), &*answer.body), (status, first));
        assert_eq!(world.browser.get("/messages").await.body, second);
    }
}

#[tokio::test]
async fn login_keeps_the_messages_and_logout_deletes_them() {
    let mut world = world();
    world.browser.post("/push/earlier").await;
    world.browser.post("/push-and-log-in").await;
    let mut page = world.browser.clone();
    assert_eq!(page.get("/messages").await.body, "earlier,before,after");

    world.browser.post("/push/private").await;
    assert_eq!(world.browser.post("/log-out").await.status, 200);
    assert_eq!(world.browser.get("/who").await.body, "nobody");
    let shown = world.browser.get("/messages").await.body;
    assert_eq!(shown, "You have been logged out.");
    assert_eq!(world.live_sessions(), 1);

    world.browser.post("/push/theirs").await;
    world.browser.post("/login/alice").await;
    world.browser.post("/push/hers").await;
    world.browser.post("/login/bob").await;
    assert_eq!(world.browser.get("/messages").await.body, "");
}

#[tokio::test]
async fn unused_flash_reads_and_stores_nothing() {
    let mut world = world();
    world.browser.post("/login/alice").await;
    world.store.take_calls();
    let answer = world.browser.get("/unused").await;
    assert_eq!(answer.body, "unused");
    assert_eq!(answer.header("vary"), None);
    assert_eq!(world.store.take_calls(), []);

    let mut stranger = world.browser.another();
    let answer = stranger.get("/messages").await;
    assert_eq!((answer.status.as_u16(), &*answer.body), (200, ""));
    assert_eq!(answer.set_cookies(), [""; 0]);
    assert_eq!(world.store.take_calls(), []);
}

#[tokio::test]
async fn failed_request_pushes_nothing_and_keeps_what_it_took() {
    let mut world = world();
    world.browser.post("/push/once").await;
    let answer = world.browser.get("/fails").await;
    assert_eq!((answer.status.as_u16(), &*answer.body), (500, "once"));
    assert_eq!(world.browser.get("/messages").await.body, "");
}

#[tokio::test]
async fn messages_of_the_same_request_are_taken_unsaved() {
    let mut world = world();
    let answer = world.browser.get("/twice").await;
    assert_eq!(answer.body, "mine 0");
    assert_eq!(answer.set_cookies(), [""; 0]);
    world.browser.post("/push/stored").await;
    assert_eq!(world.browser.get("/twice").await.body, "stored,mine 0");
    assert_eq!(world.browser.get("/messages").await.body, "");
}

#[tokio::test]
async fn messages_need_no_extractor() {
    let mut world = world();
    assert_eq!(
        world.browser.post("/by-auth").await.body,
        r#"[{"level":"warning","text":"late","category":"billing"}]"#
    );
}

#[tokio::test]
async fn oldest_messages_give_way_to_the_newest() {
    let mut world = world();
    let number = |n: usize| format!("n{n}");
    for first in [0, 20] {
        let texts: Vec<_> = (first..first + 20).map(number).collect();
        world
            .browser
            .post(&format!("/push/{}", texts.join(",")))
            .await;
    }
    let newest: Vec<_> = (8..40).map(number).collect();
    let shown = world.browser.get("/messages").await.body;
    assert_eq!(shown, newest.join(","));

    for _ in 0..3 {
        world.browser.post("/push-bytes/6000").await;
    }
    world.browser.post("/push/last").await;
    let shown = world.browser.get("/messages").await.body;
    let sizes: Vec<_> = shown.split(',').map(str::len).collect();
    assert_eq!(sizes, [6000, 6000, 4]);
}

#[tokio::test]
async fn message_that_is_too_large_leaves_the_others_alone() {
    let mut world = world();
    world.browser.post("/push/kept").await;
    assert_eq!(world.browser.post("/push-bytes/16384").await.status, 413);
    assert_eq!(world.browser.get("/messages").await.body, "kept");
}

#[tokio::test]
async fn messages_never_exceed_the_data_of_a_session() {
    let fill = async |session: Session| session.insert("cart", &"x".repeat(60_000)).await;
    let mut world = World::with(
        |accounts| with_messages(accounts).route("/fill", post(fill)),
        |manager| manager,
    );
    world.browser.post("/push/kept").await;
    assert_eq!(world.browser.post("/fill").await.status, 200);
    assert_eq!(world.browser.post("/push-bytes/10000").await.status, 413);
    assert_eq!(world.browser.get("/messages").await.body, "kept");
}

#[tokio::test]
async fn message_of_an_ended_session_is_dropped() {
    let mut world = world();
    world.browser.post("/login/alice").await;
    let gate = world.store.gate(Update, Before);
    let push = world.browser.start(Method::POST, "/push/late");
    gate.reached().await;
    world.browser.clone().post("/logout").await;
    world.events.take();
    gate.open();
    assert_eq!(push.await.unwrap().1.status, 200);
    assert!(world.events.take().contains(&EventKind::DataDropped));
    assert!(world.store.inner.is_empty());
}

/// Without a session, the first message creates one.
#[tokio::test]
async fn failing_store_is_an_error_of_the_first_message() {
    let mut world = world();
    world.store.fail_once(Create, Fails);
    let answer = world.browser.post("/push/lost").await;
    assert_eq!(
        (answer.status.as_u16(), answer.set_cookies().len()),
        (503, 0)
    );
}
