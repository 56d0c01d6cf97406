//! API keys when something fails, races or is stolen.

use std::time::Duration;

use base64ct::{Base64UrlUnpadded, Encoding as _};
use login_manager::{
    AuthUser, CachedStore, ErrorKind, LoginManager, MemoryStore,
    api_keys::{ApiKeyId, ApiKeySettings},
    event::EventKind,
    store::SessionId,
};

use super::key_world::{challenge, key_of_alice, program, world};
use crate::support::{
    browser::Browser,
    faulty_store::{Call, Fault, Gate, When},
    log::Log,
    routes::with_sessions,
    settle,
    world::{Account, Accounts, HOUR, People, REMEMBER, SESSION, Trouble, World, account, routes},
};

#[tokio::test]
async fn key_revoked_on_one_node_is_refused_on_the_other() {
    let accounts = Accounts::new();
    let node = |store: &MemoryStore, cached: bool| {
        let manager = match cached {
            true => LoginManager::new(CachedStore::new(store.clone(), HOUR), accounts.clone()),
            false => LoginManager::new(store.clone(), accounts.clone()),
        };
        let manager = manager.with_realm("account").with_api_keys("shop");
        let keys = manager.api_keys();
        (Browser::new(routes(&accounts).layer(manager)), keys)
    };
    for cached in [false, true] {
        let store = MemoryStore::new();
        let (_, keys) = node(&store, cached);
        let (other, _) = node(&store, cached);
        let (text, info) = key_of_alice(&keys, &[]).await;
        let mut program = program(&other, &text);
        for _ in 0..2 {
            assert_eq!(program.get("/me").await.body, "alice", "cached: {cached}");
        }
        assert!(keys.revoke(&1, info.id()).await.unwrap());
        assert_eq!(program.get("/me").await.status, 401, "cached: {cached}");
    }
}

#[tokio::test]
async fn store_or_loader_outage_is_503_and_nothing_is_accepted() {
    let (world, keys) = world();
    let (text, _) = key_of_alice(&keys, &["read"]).await;
    let mut program = program(&world.browser, &text);
    for path in ["/me", "/read", "/keys-only", "/who"] {
        world.store.fail_all(Fault::Fails);
        let answer = program.get(path).await;
        assert_eq!((answer.status.as_u16(), challenge(&answer)), (503, ""));
        world.store.heal();
        for trouble in [Trouble::Fails, Trouble::FindsBob] {
            world.accounts.trouble(trouble);
            let answer = program.get(path).await;
            assert!(answer.status.is_server_error(), "{answer:?}");
            assert!(!answer.body.contains("bob"));
        }
        world.accounts.trouble(None);
    }
    assert_eq!(program.get("/read").await.body, "alice");
}

#[tokio::test]
async fn failed_touch_does_not_disturb_the_request() {
    let (world, keys) = world();
    let (text, _) = key_of_alice(&keys, &[]).await;
    let mut program = program(&world.browser, &text);
    for fault in [Fault::Fails, Fault::Hangs] {
        world.store.fail(Call::Touch, fault);
        assert_eq!(program.get("/me").await.body, "alice");
        settle().await;
    }
}

#[tokio::test]
async fn touch_does_not_bring_a_revoked_key_back() {
    let (world, keys) = world();
    let (text, info) = key_of_alice(&keys, &[]).await;
    let mut program = program(&world.browser, &text);
    let gate = world.store.gate(Call::Touch, When::Before);
    assert_eq!(program.get("/me").await.body, "alice");
    gate.reached().await;
    assert!(keys.revoke(&1, info.id()).await.unwrap());
    gate.open();
    settle().await;
    assert!(world.store.inner.is_empty());
    assert_eq!(program.get("/me").await.status, 401);
}

#[tokio::test(start_paused = true)]
async fn key_whose_creation_fails_is_not_left_behind() {
    for (call, fault) in [
        (Call::Create, Fault::Fails),
        (Call::Create, Fault::DoesLater),
        (Call::List, Fault::Fails),
    ] {
        let (world, keys) = world();
        let gate = world.store.gate(Call::LoadFresh, When::Before);
        let new = keys.create(&account(1, "alice")).never_expires();
        let creating = tokio::spawn(async move { new.await.map(drop) });
        gate.reached().await;
        // Past the first list.
        world.store.fail_once(call, fault);
        gate.open();
        let error = creating.await.unwrap().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Store);
        assert_eq!(world.events.count(EventKind::ApiKeyCreated), 0);
        tokio::time::sleep(Duration::from_secs(70)).await;
        assert!(world.store.inner.is_empty(), "{call:?} {fault:?}");
    }
}

#[tokio::test]
async fn creation_with_a_broken_connection_is_settled() {
    let (world, keys) = world();
    world.store.fail_once(Call::Create, Fault::DoesAndFails);
    let (text, _) = key_of_alice(&keys, &[]).await;
    assert_eq!(
        program(&world.browser, &text).get("/me").await.body,
        "alice"
    );
}

#[tokio::test]
async fn creation_goes_on_if_the_client_hangs_up() {
    let (world, keys) = world();
    let gate = world.store.gate(Call::Create, When::After);
    let new = keys.create(&account(1, "alice")).never_expires();
    let creating = tokio::spawn(async move { new.await.map(drop) });
    gate.reached().await;
    creating.abort();
    assert!(creating.await.unwrap_err().is_cancelled());
    gate.open();
    settle().await;
    assert_eq!(world.events.count(EventKind::ApiKeyCreated), 1);
}

#[tokio::test]
async fn keys_created_at_once_do_not_exceed_the_limit() {
    let world = World::with(routes, |manager| {
        manager.with_api_keys(ApiKeySettings::new("shop").max_per_user(3))
    });
    let keys = world.manager.api_keys();
    key_of_alice(&keys, &[]).await;
    // Each has seen that there is room before the first of them is stored.
    let gates: Vec<_> = (0..4)
        .map(|_| world.store.gate(Call::Create, When::Before))
        .collect();
    let new = || keys.create(&account(1, "alice")).never_expires();
    let creating: Vec<_> = (0..4)
        .map(|_| {
            let new = new();
            tokio::spawn(async move { new.await.map(drop) })
        })
        .collect();
    for gate in &gates {
        gate.reached().await;
    }
    gates.iter().for_each(Gate::open);
    let mut created = 1;
    for creating in creating {
        match creating.await.unwrap() {
            Ok(()) => created += 1,
            Err(error) => assert_eq!(error.kind(), ErrorKind::TooManyApiKeys),
        }
    }
    assert!(created <= 3, "{created}");
    assert_eq!(keys.list(&1).await.unwrap().len(), created);
}

/// A cookie with the id of a key and any secrets.
fn forged(id: ApiKeyId, secrets: usize) -> String {
    let id: SessionId = id.to_string().parse().unwrap();
    let bytes = [id.as_bytes().as_slice(), &vec![7; 32 * secrets]].concat();
    Base64UrlUnpadded::encode_string(&bytes)
}

#[tokio::test]
async fn cookie_with_the_id_of_a_key_opens_and_ends_nothing() {
    let world = World::with(with_sessions, |manager| manager.with_api_keys("shop"));
    let keys = world.manager.api_keys();
    let (text, info) = key_of_alice(&keys, &[]).await;
    let before = world.store.inner.records();
    for path in [
        "/logout",
        "/confirm",
        "/rotate",
        "/others",
        "/everywhere",
        "/put/a/b",
        "/login/bob",
    ] {
        let mut thief = world.browser.another();
        thief.plant(SESSION, &forged(info.id(), 1));
        thief.plant(REMEMBER, &forged(info.id(), 2));
        assert_eq!(thief.get("/who").await.body, "nobody");
        let answer = thief.post(path).await;
        assert_eq!(answer.status, 200, "{path}");
        settle().await;
    }
    let mut alice = world.browser.another();
    alice.post("/login/alice").await;
    let revoke = alice.post(&format!("/revoke/{}", info.id())).await;
    assert_eq!(revoke.body, "false", "it is no session");
    let after = world.store.inner.records();
    assert!(before.iter().all(|record| after.contains(record)));
    assert_eq!(
        program(&world.browser, &text).get("/who").await.body,
        "alice"
    );
}

#[tokio::test]
async fn id_of_a_session_is_no_key() {
    let (world, keys) = world();
    let mut browser = world.browser.clone();
    browser.post("/login/alice").await;
    let session = world.manager.sessions_of(&1).await.unwrap()[0].id();
    let id: ApiKeyId = session.to_string().parse().unwrap();
    assert!(!keys.revoke(&1, id).await.unwrap());
    assert_eq!(keys.revoke_all(&1).await.unwrap(), 0);
    assert_eq!(browser.get("/me").await.body, "alice");
}

#[tokio::test]
async fn keys_are_in_no_session_list_and_survive_logouts() {
    let world = World::with(with_sessions, |manager| {
        manager.with_api_keys("shop").with_max_sessions(1)
    });
    let keys = world.manager.api_keys();
    let (text, _) = key_of_alice(&keys, &[]).await;
    let mut program = program(&world.browser, &text);
    assert_eq!(program.get("/sessions").await.body, "");
    let mut browser = world.browser.clone();
    browser.post("/login/alice").await;
    assert_eq!(world.manager.sessions_of(&1).await.unwrap().len(), 1);
    for path in ["/others", "/everywhere", "/logout"] {
        browser.post(path).await;
        assert_eq!(program.get("/me").await.body, "alice", "{path}");
    }
    world.manager.logout_user(&1).await.unwrap();
    assert_eq!(program.get("/me").await.body, "alice");
    assert_eq!(program.post("/everywhere").await.status, 200);
    assert_eq!(program.get("/me").await.body, "alice");
    world.manager.logout_everyone().await.unwrap();
    assert_eq!(program.get("/me").await.status, 401);
}

#[tokio::test]
async fn key_is_valid_in_its_realm_only() {
    let store = MemoryStore::new();
    let accounts = Accounts::new();
    let node = |realm: &str| {
        let manager = LoginManager::new(store.clone(), accounts.clone()).with_realm(realm);
        let manager: LoginManager<Account> = manager.with_api_keys("shop");
        (
            manager.api_keys(),
            Browser::new(routes(&accounts).layer(manager)),
        )
    };
    let (keys, own) = node("a");
    let (others, other) = node("a.b");
    let (text, info) = key_of_alice(&keys, &[]).await;
    assert_eq!(program(&own, &text).get("/me").await.body, "alice");
    assert_eq!(program(&other, &text).get("/me").await.status, 401);
    assert_eq!(others.list(&1).await.unwrap(), []);
    assert!(!others.revoke(&1, info.id()).await.unwrap());
}

#[derive(Clone)]
struct Customer;
#[derive(Clone)]
struct Admin;

impl AuthUser for Customer {
    type Id = i64;

    fn id(&self) -> i64 {
        1
    }
}

impl AuthUser for Admin {
    type Id = i64;

    fn id(&self) -> i64 {
        1
    }
}

#[tokio::test]
async fn key_of_another_user_type_in_the_realm_is_refused() {
    let store = MemoryStore::new();
    let (customers, admins) = (People::new([Customer]), People::new([Admin]));
    let customer_manager = customers.manager(store.clone()).with_realm("key-types");
    let customer_manager = customer_manager.with_api_keys("shop");
    let admin_manager = admins.manager(store.clone()).with_realm("key-types");
    let admin_manager = admin_manager.with_api_keys("shop");
    let new = customer_manager.api_keys().create(&Customer);
    let (key, _) = new.never_expires().await.unwrap();
    let of_admins = Browser::new(admins.routes().layer(admin_manager));
    let mut stranger = program(&of_admins, key.expose());
    assert_eq!(stranger.get("/why").await.body, "Some(OtherUserType)");
    assert_eq!(stranger.get("/me").await.status, 401);
    let of_customers = Browser::new(customers.routes().layer(customer_manager));
    let mut own = program(&of_customers, key.expose());
    assert_eq!(own.get("/me").await.body, "1");
}

#[tokio::test]
async fn record_handed_out_for_another_key_is_refused() {
    let (world, keys) = world();
    let (alices, _) = key_of_alice(&keys, &[]).await;
    let bobs = keys.create(&account(2, "bob")).never_expires();
    let (bobs, info) = bobs.await.unwrap();
    let records = world.store.inner.records();
    let id = info.id().to_string();
    let mut record = records.iter().find(|record| record.id.to_string() == id);
    let mut record = record.take().unwrap().clone();
    let other = records.iter().find(|record| record.id.to_string() != id);
    // A store that keeps bob's record under the id of alice's key.
    record.id = other.unwrap().id;
    world.store.hand_out(record);
    assert_eq!(
        program(&world.browser, &alices).get("/who").await.body,
        "nobody"
    );
    assert_eq!(
        program(&world.browser, bobs.expose())
            .get("/who")
            .await
            .body,
        "nobody"
    );
}

#[tokio::test]
async fn record_of_a_newer_version_is_503_and_can_be_revoked() {
    let (world, keys) = world();
    let (text, info) = key_of_alice(&keys, &[]).await;
    // Of what is in the entry, then of the entry itself.
    for at in [10, 1] {
        world
            .store
            .rewrite(|record| {
                let mut payload = record.payload.to_vec();
                payload[at] = 9;
                record.payload = payload.into();
            })
            .await;
        let mut program = program(&world.browser, &text);
        assert_eq!(program.get("/me").await.status, 503);
        assert_eq!(keys.list(&1).await.unwrap(), []);
    }
    assert!(keys.revoke(&1, info.id()).await.unwrap());
    assert!(world.store.inner.is_empty());
}

#[tokio::test]
async fn key_is_in_no_log_line_event_or_debug_output() {
    let log = Log::listen();
    let (world, keys) = world();
    let new = keys.create(&account(1, "alice")).name("canary");
    let debug = format!("{new:?} {keys:?}");
    let (key, info) = new.never_expires().await.unwrap();
    let text = key.expose();
    let mut program = program(&world.browser, text);
    program.get("/me").await;
    program.get("/both").await;
    world.accounts.fail(true);
    program.get("/me").await;
    world.accounts.fail(false);
    keys.revoke(&1, info.id()).await.unwrap();
    program.get("/me").await;
    let mut junk = self::program(&world.browser, &text[..text.len() - 1]);
    junk.get("/me").await;
    settle().await;

    let kinds: Vec<_> = [
        EventKind::ApiKeyCreated,
        EventKind::ApiKeyUsed,
        EventKind::ApiKeyRevoked,
    ]
    .into_iter()
    .map(|kind| world.events.count(kind))
    .collect();
    assert_eq!(kinds, [1, 2, 1]);
    let lines = log.lines();
    assert!(
        lines
            .iter()
            .any(|line| line.contains("ApiKeyRefused(UnknownApiKey)"))
    );
    assert!(
        lines
            .iter()
            .any(|line| line.contains("ApiKeyRefused(MalformedApiKey)"))
    );
    assert!(
        lines
            .iter()
            .any(|line| line.contains(&info.id().to_string()))
    );
    let events = format!("{:?}", world.events.take_of(EventKind::ApiKeyUsed));
    for line in lines.iter().chain([&events, &debug, &format!("{key:?}")]) {
        assert!(!line.contains(&text[5..15]), "{line}");
        assert!(!line.contains("canary"), "{line}");
    }
    assert!(!format!("{info:?}").contains(&text[5..15]));
}

/// Any header: it is refused or anonymous, and never an error.
mod any_header {
    use http::{HeaderValue, header::AUTHORIZATION};
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn any_authorization_header_is_anonymous(
            value in prop_oneof![
                prop::collection::vec(any::<u8>(), 0..80),
                "(?i)bearer[ ,]{0,3}shop_[0-9A-Za-z_ ]{40,60}".prop_map(String::into_bytes),
            ]
        ) {
            let Ok(header) = HeaderValue::from_bytes(&value) else {
                return Ok(());
            };
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.unwrap().block_on(async {
                let (world, _) = world();
                let mut client = world.browser.another();
                client.headers.insert(AUTHORIZATION, header);
                let answer = client.get("/who").await;
                assert_eq!((answer.status.as_u16(), &*answer.body), (200, "nobody"));
                assert_eq!(world.store.take_calls(), []);
            });
        }
    }
}

#[tokio::test]
async fn request_that_asks_nothing_reads_no_key() {
    let (world, keys) = world();
    let (text, _) = key_of_alice(&keys, &[]).await;
    world.store.take_calls();
    let answer = program(&world.browser, &text).get("/").await;
    assert_eq!((&*answer.body, answer.header("vary")), ("public", None));
    settle().await;
    assert_eq!(world.store.take_calls(), []);
}
