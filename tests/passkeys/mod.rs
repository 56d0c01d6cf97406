//! The example `passkeys`, with the virtual authenticator of WebDriver.
#![allow(clippy::indexing_slicing, reason = "it is a test")]

#[allow(dead_code, reason = "its main isn't called")]
#[path = "../../examples/passkeys/src/main.rs"]
mod example;

use std::net::Ipv4Addr;

use axum::http::Method;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::{Visitor, in_a_browser};

/// Asks for a passkey and returns the browser's answer as JSON, without sending it.
const SIGN: &str = "const [verification, done] = arguments;
    (async () => {
        const response = await fetch('/login/passkey/challenge', { method: 'POST' });
        const options = (await response.json()).publicKey;
        options.userVerification = verification;
        const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(options);
        return JSON.stringify(await navigator.credentials.get({ publicKey }));
    })().then(done, (error) => done(`no answer: ${error}`))";

/// Begins a registration and returns the browser's answer as JSON, without sending it.
const CREATE: &str = "const [done] = arguments;
    (async () => {
        const response = await fetch('/passkeys/challenge', { method: 'POST' });
        const options = (await response.json()).publicKey;
        const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(options);
        return JSON.stringify(await navigator.credentials.create({ publicKey }));
    })().then(done, (error) => done(`no answer: ${error}`))";

/// Returns the user's handle.
const HANDLE: &str = "const [done] = arguments;
    (async () => {
        const response = await fetch('/passkeys/challenge', { method: 'POST' });
        return (await response.json()).publicKey.user.id;
    })().then(done, (error) => done(`no handle: ${error}`))";

/// Sends this text to a path, and returns the status.
const SEND: &str = "const [path, body, done] = arguments;
    const headers = { 'content-type': 'application/json' };
    fetch(path, { method: 'POST', headers, body })
        .then((response) => done(response.status), (error) => done(`${error}`))";

/// An authenticator in the browser's device, with a fingerprint reader.
async fn plug_in(visitor: &Visitor) -> String {
    let authenticator = json!({
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": true,
        "hasUserVerification": true,
        "isUserVerified": true,
    });
    let id = visitor
        .command("webauthn/authenticator".to_owned(), Some(authenticator))
        .await;
    id.as_str().unwrap().to_owned()
}

/// The only passkey in this authenticator.
async fn passkey_in(visitor: &Visitor, authenticator: &str) -> Value {
    let path = format!("webauthn/authenticator/{authenticator}/credentials");
    let found = visitor.command(path, None).await;
    let [passkey] = &found.as_array().unwrap()[..] else {
        panic!("not one passkey: {found}");
    };
    passkey.clone()
}

/// Replaces the authenticator by one that has this passkey.
async fn replace(visitor: &Visitor, authenticator: &str, passkey: &Value) -> String {
    let path = format!("webauthn/authenticator/{authenticator}");
    visitor.command_by(Method::DELETE, path, None).await;
    let authenticator = plug_in(visitor).await;
    let path = format!("webauthn/authenticator/{authenticator}/credential");
    visitor.command(path, Some(passkey.clone())).await;
    authenticator
}

async fn sign(visitor: &Visitor, verification: &str) -> String {
    let arguments = vec![json!(verification)];
    let answer = visitor.client.execute_async(SIGN, arguments).await;
    let answer = answer.unwrap().as_str().unwrap().to_owned();
    assert!(answer.starts_with('{'), "{answer}");
    answer
}

async fn send(visitor: &Visitor, path: &str, body: &str) -> Value {
    let arguments = vec![json!(path), json!(body)];
    let status = visitor.client.execute_async(SEND, arguments).await;
    status.unwrap()
}

/// Runs a story in which alice has added a passkey and logged out. Its second argument is her
/// authenticator.
async fn with_a_passkey(story: impl AsyncFnOnce(&Visitor, String)) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let site = format!("http://localhost:{}", listener.local_addr().unwrap().port());
    let app = example::app(&site).await.unwrap();
    tokio::spawn(async move { axum::serve(listener, app).await });
    in_a_browser(site, async |visitor| {
        let authenticator = plug_in(visitor).await;
        visitor.open("/").await;
        visitor.fill_in("alice", "wonderland").await;
        visitor.reads("Number of your passkeys: 0").await;
        visitor.click("//button[.='Add a passkey']").await;
        visitor.reads("Number of your passkeys: 1").await;
        visitor.click("//button[.='Log out']").await;
        visitor.find("//button[.='Log in with a passkey']").await;
        story(visitor, authenticator).await;
    })
    .await;
}

pub async fn passkeys_log_in_without_a_name() {
    with_a_passkey(async |visitor, authenticator| {
        let passkey = passkey_in(visitor, &authenticator).await;
        assert_eq!(passkey["isResidentCredential"], true);
        assert_eq!(passkey["rpId"], "localhost");
        // 16 random bytes: neither the user's name nor their e-mail address.
        assert_eq!(passkey["userHandle"].as_str().unwrap().len(), 22);

        visitor.open("/?page=2").await;
        visitor.click("//button[.='Log in with a passkey']").await;
        visitor.reads("Hello, alice!").await;
        assert_eq!(visitor.address().await, "/?page=2");
        assert_eq!(visitor.cookie_names().await, ["__Host-account-session"]);
        // The login is fresh.
        assert_eq!(send(visitor, "/passkeys/challenge", "").await, 200);
        // This device has one already.
        visitor.click("//button[.='Add a passkey']").await;
        visitor.find("//p[@role='status'][text()]").await;
        visitor.client.refresh().await.unwrap();
        visitor.reads("Number of your passkeys: 1").await;
    })
    .await;
}

pub async fn passkeys_accept_each_answer_once() {
    with_a_passkey(async |visitor, authenticator| {
        let before = passkey_in(visitor, &authenticator).await;
        let answer = sign(visitor, "required").await;
        // A later challenge replaces an earlier one.
        let later = sign(visitor, "required").await;
        assert_eq!(send(visitor, "/login/passkey", &answer).await, 403);
        assert_eq!(send(visitor, "/login/passkey", &later).await, 403);
        let answer = sign(visitor, "required").await;
        visitor.client.delete_all_cookies().await.unwrap();
        assert_eq!(send(visitor, "/login/passkey", &answer).await, 403);

        let answer = sign(visitor, "required").await;
        assert_eq!(send(visitor, "/login/passkey", &answer).await, 200);
        assert_eq!(send(visitor, "/login/passkey", &answer).await, 403);
        visitor.open("/").await;
        visitor.reads("Hello, alice!").await;
        visitor.click("//button[.='Log out']").await;
        visitor.find("//button[.='Log in with a passkey']").await;

        // A copy of the passkey, made before these logins.
        let copy = replace(visitor, &authenticator, &before).await;
        let answer = sign(visitor, "required").await;
        assert_eq!(send(visitor, "/login/passkey", &answer).await, 403);
        let mut after = passkey_in(visitor, &copy).await;
        after["signCount"] = json!(100);
        replace(visitor, &copy, &after).await;
        let answer = sign(visitor, "required").await;
        assert_eq!(send(visitor, "/login/passkey", &answer).await, 200);
    })
    .await;
}

pub async fn passkeys_require_user_verification() {
    with_a_passkey(async |visitor, authenticator| {
        let path = format!("webauthn/authenticator/{authenticator}/uv");
        let unverified = json!({ "isUserVerified": false });
        visitor.command(path.clone(), Some(unverified)).await;
        visitor.click("//button[.='Log in with a passkey']").await;
        visitor.find("//p[@role='status'][text()]").await;
        // A page that was changed asks for less than the server does.
        let answer = sign(visitor, "discouraged").await;
        assert_eq!(send(visitor, "/login/passkey", &answer).await, 403);
        let verified = json!({ "isUserVerified": true });
        visitor.command(path, Some(verified)).await;
        let answer = sign(visitor, "required").await;
        assert_eq!(send(visitor, "/login/passkey", &answer).await, 200);
        visitor.open("/").await;
        visitor.reads("Hello, alice!").await;
    })
    .await;
}

pub async fn passkeys_belong_to_one_user() {
    with_a_passkey(async |visitor, authenticator| {
        // Bob's registration is begun, and its answer isn't sent.
        visitor.fill_in("bob", "builder").await;
        visitor.reads("Hello, bob!").await;
        let created = visitor.client.execute_async(CREATE, vec![]).await;
        let created = created.unwrap().as_str().unwrap().to_owned();
        let handle = visitor.client.execute_async(HANDLE, vec![]).await;
        visitor.click("//button[.='Log out']").await;

        // Alice's authenticator says that its passkey is Bob's.
        let path = format!("webauthn/authenticator/{authenticator}/credentials");
        let found = visitor.command(path, None).await;
        let mut passkeys = found.as_array().unwrap().iter();
        let handle = handle.unwrap();
        let passkey = passkeys.find(|it| it["userHandle"] != handle).unwrap();
        let mut forged = passkey.clone();
        forged["userHandle"] = handle;
        let authenticator = replace(visitor, &authenticator, &forged).await;
        let answer = sign(visitor, "required").await;
        assert_eq!(send(visitor, "/login/passkey", &answer).await, 403);
        let mut passkey = passkey.clone();
        passkey["signCount"] = json!(100);
        replace(visitor, &authenticator, &passkey).await;
        let answer = sign(visitor, "required").await;
        assert_eq!(send(visitor, "/login/passkey", &answer).await, 200);

        // The answer to bob's registration is refused in alice's session.
        assert_eq!(send(visitor, "/passkeys/challenge", "").await, 200);
        assert_eq!(send(visitor, "/passkeys", &created).await, 422);
        assert_eq!(send(visitor, "/passkeys", &created).await, 403);
        visitor.open("/").await;
        visitor
            .reads("Hello, alice! Number of your passkeys: 1")
            .await;
    })
    .await;
}
