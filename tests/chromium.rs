//! The tutorial in a real browser. Needs `CHROMEDRIVER`, the path of chromedriver; is ignored without it.
#![allow(unreachable_pub, reason = "there is no outside to a test crate")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "it is a test")]

mod folder;

#[allow(dead_code, reason = "its main isn't called")]
#[path = "../examples/tutorial/src/main.rs"]
mod tutorial;

use std::{
    env,
    ffi::{OsStr, OsString},
    io::{self, BufRead, BufReader, Read, Write},
    net::{Ipv4Addr, TcpStream},
    path::Path,
    process::{Child, ChildStdout, Command, ExitCode, Stdio},
    thread,
    time::{Duration, SystemTime},
};

use fantoccini::{Client, ClientBuilder, Locator, cookies::Cookie, elements::Element};
use hyper_util::client::legacy::connect::HttpConnector;
use libtest_mimic::{Arguments, Completion, Trial};
use serde_json::json;
use tokio::{net::TcpListener, runtime, time::timeout};

use crate::folder::Folder;

const PATIENCE: Duration = Duration::from_secs(10);
const SESSION: &str = "__Host-account-session";
const REMEMBER: &str = "__Host-account-remember";
const PASSWORD: &str = "down the rabbit hole";
const NEW_PASSWORD: &str = "through the looking glass";

fn main() -> ExitCode {
    let trials = vec![
        trial(
            "the_tutorial_works_in_chromium",
            the_tutorial_works_in_chromium,
        ),
        trial(
            "the_tutorial_remembers_a_chromium_that_was_closed",
            the_tutorial_remembers_a_chromium_that_was_closed,
        ),
    ];
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

/// Ignored, with the reason, where there is no browser: nobody should take "ok" for a test that ran.
fn trial<F: Future<Output = ()> + 'static>(name: &str, story: fn() -> F) -> Trial {
    Trial::ignorable_test(name, move || {
        if env::var_os("CHROMEDRIVER").is_none() {
            let why = "CHROMEDRIVER isn't set to the path of chromedriver";
            return Ok(Completion::ignored_with(why));
        }
        let runtime = runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        runtime.block_on(story());
        Ok(Completion::Completed)
    })
}

async fn the_tutorial_works_in_chromium() {
    let folder = Folder::new();
    let site = serve_tutorial(&folder.path().join("tutorial.db")).await;
    let chromedriver = Chromedriver::start(&path_of_chromedriver());
    let visitor = Visitor::new(&chromedriver, &folder.path().join("profile"), site).await;
    timeout(12 * PATIENCE, visit(&visitor)).await.unwrap();
    visitor.client.close().await.unwrap();
}

async fn the_tutorial_remembers_a_chromium_that_was_closed() {
    let folder = Folder::new();
    let site = serve_tutorial(&folder.path().join("tutorial.db")).await;
    let chromedriver = Chromedriver::start(&path_of_chromedriver());
    let story = be_remembered(&chromedriver, folder.path(), &site);
    timeout(12 * PATIENCE, story).await.unwrap();
}

async fn be_remembered(chromedriver: &Chromedriver, folder: &Path, site: &str) {
    let home = folder.join("home");
    let visitor = Visitor::new(chromedriver, &home, site.to_owned()).await;
    logs_in_to_be_remembered(&visitor).await;
    // This is answered when Chromium has ended, with its cookies written into the profile.
    visitor.client.close().await.unwrap();

    let visitor = Visitor::new(chromedriver, &home, site.to_owned()).await;
    is_still_known_but_not_trusted(&visitor).await;
    let other = Visitor::new(chromedriver, &folder.join("other"), site.to_owned()).await;
    logs_in_elsewhere(&other, PASSWORD).await;
    proves_who_it_is(&visitor).await;
    logs_the_other_browser_out(&visitor, &other).await;
    logs_in_elsewhere(&other, PASSWORD).await;
    changes_the_password(&visitor, &other).await;
    visitor.client.close().await.unwrap();
    other.client.close().await.unwrap();
}

async fn visit(visitor: &Visitor) {
    is_sent_to_log_in(visitor).await;
    registers(visitor).await;
    is_told_of_a_wrong_password(visitor).await;
    logs_in_and_is_led_back(visitor).await;
    has_the_cookie_that_was_promised(visitor).await;
    stays_logged_in_here_and_in_another_tab(visitor).await;
    logs_out_and_does_not_come_back(visitor).await;
}

async fn is_sent_to_log_in(visitor: &Visitor) {
    visitor.open("/protected").await;
    visitor.reads("Please log in to access this page.").await;
    assert_eq!(
        visitor.address().await,
        "/login?next=/protected&notice=login"
    );
    assert!(
        visitor.cookies().await.is_empty(),
        "a refusal sets no cookie"
    );
}

async fn registers(visitor: &Visitor) {
    visitor.click("//main//a[text()='Register']").await;
    visitor.reads("Create account").await;
    visitor.fill_in("alice", PASSWORD).await;
    visitor.reads("Account created, please log in.").await;
    visitor.open("/register").await;
    visitor.fill_in("alice", "something else, and longer").await;
    visitor.reads("That user name is taken.").await;
}

async fn is_told_of_a_wrong_password(visitor: &Visitor) {
    visitor.open("/protected").await;
    visitor.fill_in("alice", "mirror").await;
    visitor.reads("Wrong user name or password.").await;
    let name = visitor.find("//input[@name='username']").await;
    let password = visitor.find("//input[@name='password']").await;
    assert_eq!(name.prop("value").await.unwrap().as_deref(), Some("alice"));
    assert_eq!(password.prop("value").await.unwrap().as_deref(), Some(""));
    assert!(visitor.cookies().await.is_empty(), "nobody has logged in");
}

async fn logs_in_and_is_led_back(visitor: &Visitor) {
    visitor.fill_in("alice", PASSWORD).await;
    visitor.reads("Hello, alice!").await;
    assert_eq!(visitor.address().await, "/protected");
}

async fn has_the_cookie_that_was_promised(visitor: &Visitor) {
    let cookies = visitor.cookies().await;
    let [cookie] = &*cookies else {
        panic!("{} cookies", cookies.len());
    };
    // The prefix is a promise that browsers enforce: no Domain attribute, so no other host gets the cookie.
    assert_eq!(cookie.name(), SESSION);
    assert_eq!(
        (cookie.domain(), cookie.path()),
        (Some("localhost"), Some("/"))
    );
    assert_eq!(
        (cookie.secure(), cookie.http_only()),
        (Some(true), Some(true))
    );
    assert_eq!(cookie.same_site().unwrap().to_string(), "Lax");
    assert!(cookie.expires().is_none(), "it ends with the browser");
    let seen_by_scripts = visitor
        .client
        .execute("return document.cookie", vec![])
        .await;
    assert_eq!(seen_by_scripts.unwrap(), "");
}

async fn stays_logged_in_here_and_in_another_tab(visitor: &Visitor) {
    visitor.client.refresh().await.unwrap();
    visitor.reads("Hello, alice!").await;
    let first = visitor.client.window().await.unwrap();
    let second = visitor.client.new_window(true).await.unwrap().handle;
    visitor.client.switch_to_window(second).await.unwrap();
    visitor.open("/protected").await;
    visitor.reads("Hello, alice!").await;
    visitor.client.switch_to_window(first).await.unwrap();
}

async fn logs_out_and_does_not_come_back(visitor: &Visitor) {
    visitor.click("//button[text()='Log out']").await;
    visitor.reads("You have been logged out.").await;
    assert!(visitor.cookies().await.is_empty());
    visitor.client.back().await.unwrap();
    visitor.reads("Please log in to access this page.").await;
    let page = visitor.client.source().await.unwrap();
    assert!(!page.contains("Hello, alice!"), "{page}");

    visitor.client.close_window().await.unwrap();
    let mut others = visitor.client.windows().await.unwrap();
    visitor
        .client
        .switch_to_window(others.remove(0))
        .await
        .unwrap();
    visitor.client.refresh().await.unwrap();
    visitor.reads("Please log in to access this page.").await;
}

async fn logs_in_to_be_remembered(visitor: &Visitor) {
    visitor.open("/register").await;
    visitor.fill_in("alice", PASSWORD).await;
    visitor.reads("Account created, please log in.").await;
    visitor
        .click("//label[contains(., 'Remember me on this device')]")
        .await;
    visitor.fill_in("alice", PASSWORD).await;
    visitor.reads("Hello, alice!").await;

    assert_eq!(visitor.cookie_names().await, [REMEMBER, SESSION]);
    let cookie = visitor.client.get_named_cookie(REMEMBER).await.unwrap();
    assert_eq!(
        (cookie.domain(), cookie.path()),
        (Some("localhost"), Some("/"))
    );
    assert_eq!(
        (cookie.secure(), cookie.http_only()),
        (Some(true), Some(true))
    );
    assert_eq!(cookie.same_site().unwrap().to_string(), "Lax");
    let now = SystemTime::UNIX_EPOCH.elapsed().unwrap().as_secs();
    let until = cookie.expires_datetime().unwrap().unix_timestamp();
    let left = u64::try_from(until).unwrap().checked_sub(now).unwrap();
    let (minute, month) = (60, 30 * 24 * 60 * 60);
    assert!((month - minute..=month + 1).contains(&left), "{left} s");
    let seen_by_scripts = visitor
        .client
        .execute("return document.cookie", vec![])
        .await;
    assert_eq!(seen_by_scripts.unwrap(), "");
}

async fn is_still_known_but_not_trusted(visitor: &Visitor) {
    // A page without a login, at which nothing is asked of the remember cookie: the profile as it was left.
    visitor.open("/style.css").await;
    assert_eq!(visitor.cookie_names().await, [REMEMBER]);
    visitor.open("/protected").await;
    visitor.reads("Hello, alice!").await;
    assert_eq!(visitor.address().await, "/protected");
    assert_eq!(visitor.cookie_names().await, [REMEMBER, SESSION]);
    visitor.click("//nav//a[text()='Account']").await;
    visitor
        .reads("Please reauthenticate to access this page.")
        .await;
    assert_eq!(
        visitor.address().await,
        "/confirm?next=/account&notice=refresh"
    );
}

async fn logs_in_elsewhere(other: &Visitor, password: &str) {
    other.open("/login").await;
    other.fill_in("alice", password).await;
    other.reads("Hello, alice!").await;
}

async fn proves_who_it_is(visitor: &Visitor) {
    visitor.type_in("password", "mirror").await;
    visitor.click("//main//button").await;
    visitor.reads("That is not your password.").await;
    visitor.type_in("password", PASSWORD).await;
    visitor.click("//main//button").await;
    visitor.reads("Where you are logged in").await;
    assert_eq!(visitor.address().await, "/account");
    // The session that was closed isn't in the list: this browser has replaced it.
    visitor
        .find("//ul[count(li) = 2 and li[contains(., 'This browser')]]")
        .await;
}

async fn logs_the_other_browser_out(visitor: &Visitor, other: &Visitor) {
    visitor
        .click("//li[contains(., 'Another browser')]//button[text()='Log out']")
        .await;
    visitor
        .find("//ul[count(li) = 1 and li[contains(., 'This browser')]]")
        .await;
    is_sent_to_log_in_at_the_next_click(other).await;
}

async fn changes_the_password(visitor: &Visitor, other: &Visitor) {
    visitor.type_in("password", NEW_PASSWORD).await;
    visitor
        .click("//main//button[contains(., 'Change it')]")
        .await;
    visitor
        .reads("Your password is changed; other browsers are logged out.")
        .await;
    visitor.open("/account").await;
    visitor.reads("Where you are logged in").await;

    is_sent_to_log_in_at_the_next_click(other).await;
    other.fill_in("alice", PASSWORD).await;
    other.reads("Wrong user name or password.").await;
    logs_in_elsewhere(other, NEW_PASSWORD).await;
}

async fn is_sent_to_log_in_at_the_next_click(visitor: &Visitor) {
    visitor.click("//nav//a[text()='Protected page']").await;
    visitor.reads("Please log in to access this page.").await;
    assert_eq!(
        visitor.address().await,
        "/login?next=/protected&notice=login"
    );
}

fn path_of_chromedriver() -> OsString {
    env::var_os("CHROMEDRIVER").unwrap()
}

/// Serves the tutorial on a free port; answers its address. It ends with the test's runtime.
async fn serve_tutorial(database: &Path) -> String {
    let database = tutorial::open(database).await.unwrap();
    let app = tutorial::app(database).await.unwrap();
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move { axum::serve(listener, app).await });
    format!("http://localhost:{port}")
}

/// A person at a browser.
struct Visitor {
    client: Client,
    site: String,
}

impl Visitor {
    async fn new(chromedriver: &Chromedriver, profile: &Path, site: String) -> Self {
        let profile = format!("--user-data-dir={}", profile.display());
        let arguments = [
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            &profile,
        ];
        let capabilities = json!({ "goog:chromeOptions": { "args": arguments } });
        let client = ClientBuilder::new(HttpConnector::new())
            .capabilities(serde_json::from_value(capabilities).unwrap())
            .connect(&format!("http://127.0.0.1:{}", chromedriver.port))
            .await
            .unwrap();
        Self { client, site }
    }

    async fn open(&self, path: &str) {
        let url = format!("{}{path}", self.site);
        self.client.goto(&url).await.unwrap();
    }

    /// Path and query of the page.
    async fn address(&self) -> String {
        let url = self.client.current_url().await.unwrap();
        url.as_str().strip_prefix(&self.site).unwrap().to_owned()
    }

    /// Waits until the page says this.
    async fn reads(&self, text: &str) {
        self.find(&format!("//main[contains(., '{text}')]")).await;
    }

    async fn click(&self, xpath: &str) {
        self.find(xpath).await.click().await.unwrap();
    }

    /// Fills in the form of the page and sends it.
    async fn fill_in(&self, username: &str, password: &str) {
        self.type_in("username", username).await;
        self.type_in("password", password).await;
        self.click("//main//button").await;
    }

    async fn type_in(&self, field: &str, text: &str) {
        let field = self.find(&format!("//main//input[@name='{field}']")).await;
        field.clear().await.unwrap();
        field.send_keys(text).await.unwrap();
    }

    async fn find(&self, xpath: &str) -> Element {
        let wait = self.client.wait().at_most(PATIENCE);
        match wait.for_element(Locator::XPath(xpath)).await {
            Ok(element) => element,
            Err(error) => {
                let page = self.client.source().await;
                panic!("no {xpath} ({error}) in {page:?}");
            }
        }
    }

    async fn cookies(&self) -> Vec<Cookie<'static>> {
        self.client.get_all_cookies().await.unwrap()
    }

    async fn cookie_names(&self) -> Vec<String> {
        let mut names: Vec<_> = self
            .cookies()
            .await
            .iter()
            .map(|it| it.name().to_owned())
            .collect();
        names.sort();
        names
    }
}

/// A chromedriver of our own, which ends together with its browser when this is dropped.
struct Chromedriver {
    process: Child,
    port: u16,
    /// Kept open: who writes into a closed pipe is killed.
    _output: BufReader<ChildStdout>,
}

impl Chromedriver {
    fn start(path: &OsStr) -> Self {
        let mut process = Command::new(path)
            .arg("--port=0")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut output = BufReader::new(process.stdout.take().unwrap());
        let mut said = String::new();
        let port = loop {
            let before = said.len();
            if output.read_line(&mut said).unwrap() == 0 {
                panic!("chromedriver said no port, but: {said}");
            }
            let line = said.get(before..).unwrap_or_default();
            if let Some((_, port)) = line.split_once("started successfully on port ") {
                break port.trim().trim_end_matches('.').parse().unwrap();
            }
        };
        Self {
            process,
            port,
            _output: output,
        }
    }

    /// Asks it to end, which ends its browser too; the one that is killed leaves its browser running.
    fn ask_to_end(&self) -> io::Result<()> {
        let mut connection = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port))?;
        connection.set_read_timeout(Some(PATIENCE))?;
        connection
            .write_all(b"GET /shutdown HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")?;
        connection.read_to_end(&mut Vec::new())?;
        Ok(())
    }
}

impl Drop for Chromedriver {
    fn drop(&mut self) {
        if self.ask_to_end().is_ok() {
            for _ in 0..100 {
                if matches!(self.process.try_wait(), Ok(Some(_))) {
                    return;
                }
                thread::sleep(PATIENCE / 200);
            }
        }
        let _ended_meanwhile: io::Result<()> = self.process.kill();
        let _status = self.process.wait();
    }
}
