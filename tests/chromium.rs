//! The tutorial, passkeys, and requests between sites, in a real browser. Needs `CHROMEDRIVER`, the
//! path of chromedriver; is ignored without it.
//!
//! With `SCREENSHOT=1` it also writes the README's screenshots, `light.png` and `dark.png` in
//! `examples/tutorial`:
//!
//! ```sh
//! SCREENSHOT=1 CHROMEDRIVER=/usr/bin/chromedriver cargo test --test chromium screenshot
//! ```
#![allow(unreachable_pub, reason = "there is no outside to a test crate")]
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "it is a test"
)]

mod cross_site;
mod folder;
mod passkeys;
mod prefetch;

#[allow(dead_code, reason = "its main isn't called")]
#[path = "../examples/tutorial/src/main.rs"]
mod tutorial;

use std::{
    env,
    ffi::{OsStr, OsString},
    fs,
    io::{self, BufRead, BufReader, Read, Write},
    net::{Ipv4Addr, SocketAddr, TcpStream},
    path::Path,
    process::{Child, ChildStdout, Command, ExitCode, Stdio},
    sync::{Arc, Mutex},
    thread,
    time::{Duration, SystemTime},
};

use axum::{
    body::Body,
    http::{Method, Request, StatusCode, header},
};
use fantoccini::{
    Client, ClientBuilder, Locator, cookies::Cookie, elements::Element,
    wd::WebDriverCompatibleCommand,
};
use hyper_util::{
    client::legacy::{self, connect::HttpConnector},
    rt::TokioExecutor,
};
use libtest_mimic::{Arguments, Completion, Trial};
use serde_json::{Value, json};
use tokio::{net::TcpListener, runtime, task, time::timeout};
use url::{ParseError, Url};

use crate::folder::Folder;

const PATIENCE: Duration = Duration::from_secs(10);
/// How often a page may be left while something is looked for in it.
const NAVIGATIONS: usize = 10;
const BROWSER: &str = "__Host-account-browser";
const SESSION: &str = "__Host-account-session";
const REMEMBER: &str = "__Host-account-remember";
const PASSWORD: &str = "down the rabbit hole";
const NEW_PASSWORD: &str = "through the looking glass";
const FIREFOX_ON_ANDROID: &str =
    "Mozilla/5.0 (Android 15; Mobile; rv:140.0) Gecko/140.0 Firefox/140.0";
/// As WebDriver names the keys.
const TAB: &str = "\u{e004}";
const ENTER: &str = "\u{e007}";
const SAFARI_ON_IPHONE: &str = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1";

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
        trial(
            "pages_fit_screens_of_any_width",
            pages_fit_screens_of_any_width,
        ),
        trial(
            "forms_say_which_field_is_wrong",
            forms_say_which_field_is_wrong,
        ),
        trial(
            "passwords_are_shown_on_request",
            passwords_are_shown_on_request,
        ),
        trial(
            "logout_buttons_have_names_of_their_own",
            logout_buttons_have_names_of_their_own,
        ),
        trial(
            "forgotten_password_is_replaced_by_mail",
            forgotten_password_is_replaced_by_mail,
        ),
        trial(
            "keyboard_reaches_every_function",
            keyboard_reaches_every_function,
        ),
        trial(
            "text_can_be_read_in_light_and_dark",
            text_can_be_read_in_light_and_dark,
        ),
        trial(
            "account_page_screenshots_are_small",
            account_page_screenshots_are_small,
        ),
        trial(
            "password_change_keeps_remember_me",
            password_change_keeps_remember_me,
        ),
        trial(
            "prefetched_page_is_no_place_to_return_to",
            prefetch::prefetched_page_is_no_place_to_return_to,
        ),
        trial(
            "cookies_arrive_as_the_guide_says",
            cross_site::cookies_arrive_as_the_guide_says,
        ),
        trial(
            "requests_from_another_site_keep_the_login",
            cross_site::requests_from_another_site_keep_the_login,
        ),
        trial(
            "partitioned_cookies_work_from_another_site",
            cross_site::partitioned_cookies_work_from_another_site,
        ),
        trial(
            "oidc_logs_in_by_query_and_by_form",
            cross_site::oidc_logs_in_by_query_and_by_form,
        ),
        trial(
            "payment_keeps_the_user_logged_in",
            cross_site::payment_keeps_the_user_logged_in,
        ),
        trial(
            "single_page_app_logs_in_and_out",
            cross_site::single_page_app_logs_in_and_out,
        ),
        trial(
            "passkeys_log_in_without_a_name",
            passkeys::passkeys_log_in_without_a_name,
        ),
        trial(
            "passkeys_accept_each_answer_once",
            passkeys::passkeys_accept_each_answer_once,
        ),
        trial(
            "passkeys_require_user_verification",
            passkeys::passkeys_require_user_verification,
        ),
        trial(
            "passkeys_belong_to_one_user",
            passkeys::passkeys_belong_to_one_user,
        ),
    ];
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

/// Ignored, with the reason, where there is no browser: nobody should take "ok" for a test that
/// ran.
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

/// The pages for visitors who are not logged in.
const STRANGERS: [&str; 6] = [
    "/",
    "/register",
    "/login?notice=login",
    "/forgot",
    "/reset",
    "/logged-out",
];
/// The pages for users.
const USERS: [&str; 4] = ["/protected", "/account", "/account/password", "/confirm"];

async fn pages_fit_screens_of_any_width() {
    in_one_browser(async |visitor| {
        let has_user_name = "return document.querySelector('.name').offsetWidth > 20";
        for path in STRANGERS {
            visitor.open(path).await;
            fits_every_width(visitor).await;
        }
        // The longest name that is allowed.
        let name = "a".repeat(64);
        registers_and_logs_in(visitor, &name).await;
        for path in USERS {
            visitor.open(path).await;
            fits_every_width(visitor).await;
        }
        visitor.resize(1280, 720).await;
        assert_eq!(visitor.script(has_user_name).await, json!(true));
    })
    .await;
}

/// The header is one line of 60 pixels and its border, nothing has to be scrolled to the side, and
/// a finger hits every link, button and field (WCAG 2.2, 2.5.8: 24 pixels). A checkbox is hit by
/// its label.
async fn fits_every_width(visitor: &Visitor) {
    let measure = "const page = document.documentElement;
        const targets = document.querySelectorAll('a, button, label.box, input:not([type=checkbox])');
        const heights = [...targets].map((target) => target.offsetHeight).filter((height) => height > 0);
        return [
            document.querySelector('header').offsetHeight,
            page.scrollWidth <= page.clientWidth,
            Math.min(...heights) >= 24,
        ]";
    for width in [1280, 641, 640, 390, 320] {
        visitor.resize(width, 800).await;
        let address = visitor.address().await;
        let found = visitor.script(measure).await;
        assert_eq!(
            found,
            json!([61, true, true]),
            "{address} at {width} pixels"
        );
    }
}

async fn forms_say_which_field_is_wrong() {
    in_one_browser(async |visitor| {
        visitor.open("/login").await;
        assert_eq!(visitor.title().await, "Log in – Login tutorial");
        visitor
            .find("//main//input[@name='password'][not(@aria-invalid)]")
            .await;
        visitor.fill_in("alice", "mirror").await;
        visitor.reads("Wrong user name or password.").await;
        assert_eq!(visitor.title().await, "Error: Log in – Login tutorial");
        for field in ["username", "password"] {
            let field = format!("//main//input[@name='{field}'][@aria-invalid='true']");
            assert_eq!(
                visitor.description(&field).await,
                "Wrong user name or password."
            );
        }

        registers_and_logs_in(visitor, "alice").await;
        visitor.open("/account/password").await;
        let (current, new) = (
            "//input[@name='current_password']",
            "//input[@name='new_password']",
        );
        let hint = "At least 15 characters. A few words are best.";
        assert_eq!(visitor.description(new).await, hint);
        visitor.type_in("current_password", "mirror").await;
        visitor.type_in("new_password", NEW_PASSWORD).await;
        visitor.submit().await;
        visitor.reads("That is not your current password.").await;
        assert_eq!(
            visitor.title().await,
            "Error: Change your password – Login tutorial"
        );
        assert_eq!(
            visitor.description(current).await,
            "That is not your current password."
        );
        assert_eq!(visitor.description(new).await, hint);
        let focused = visitor.script("return document.activeElement.name").await;
        assert_eq!(focused, json!("current_password"));
    })
    .await;
}

async fn passwords_are_shown_on_request() {
    in_one_browser(async |visitor| {
        let kind_of = "return document.getElementById('password').type";
        visitor.open("/login").await;
        visitor.type_in("username", "alice").await;
        visitor.type_in("password", PASSWORD).await;
        let button = "//main//button[@type='button']";
        for (label, kind, text) in [
            ("Show password", "password", "Show"),
            ("Hide password", "text", "Hide"),
            ("Show password", "password", "Show"),
        ] {
            let found = visitor.find(button).await;
            assert_eq!(visitor.label(button).await, label);
            assert_eq!(found.text().await.unwrap(), text);
            assert_eq!(visitor.script(kind_of).await, json!(kind));
            found.click().await.unwrap();
        }

        // Without JavaScript the button isn't there, and everything else works.
        let off = json!({ "value": true });
        visitor
            .devtools("Emulation.setScriptExecutionDisabled", off)
            .await;
        visitor.open("/register").await;
        assert!(!visitor.find(button).await.is_displayed().await.unwrap());
        registers_and_logs_in(visitor, "alice").await;
    })
    .await;
}

async fn logout_buttons_have_names_of_their_own() {
    in_one_browser(async |visitor| {
        registers_and_logs_in(visitor, "alice").await;
        for user_agent in [FIREFOX_ON_ANDROID, SAFARI_ON_IPHONE] {
            logs_in_with_user_agent(&visitor.site, user_agent).await;
        }
        visitor.open("/account").await;
        let mut names = Vec::new();
        for button in visitor.find_all("//button").await {
            names.push(visitor.label_of(&button).await);
        }
        names.sort();
        let expected = [
            "Log out",
            "Log out Firefox on Android, last used just now",
            "Log out Safari on iPhone, last used just now",
            "Log out all other browsers",
        ];
        assert_eq!(names, expected);

        visitor
            .click("//button[.='Log out all other browsers']")
            .await;
        visitor
            .reads("All other browsers have been logged out.")
            .await;
        visitor
            .find("//ul[count(li) = 1 and li[contains(., 'This browser')]]")
            .await;
        let current = visitor.find("//nav//a[@aria-current]").await;
        assert_eq!(current.text().await.unwrap(), "Account");
    })
    .await;
}

async fn forgotten_password_is_replaced_by_mail() {
    let folder = Folder::new();
    let mails = Mails::default();
    let site = serve_tutorial_with(&folder.path().join("tutorial.db"), &mails).await;
    in_a_browser(site.clone(), async |visitor| {
        registers_and_logs_in(visitor, "alice").await;
        visitor.click("//button[.='Log out']").await;
        visitor.open("/login").await;
        visitor.click("//main//a[.='Forgot your password?']").await;
        visitor.type_in("username", "alice").await;
        visitor.submit().await;
        visitor.reads("a link is on its way").await;
        let link = loop {
            let mail = mails.lock().unwrap().pop();
            match mail {
                Some(mail) => break mail,
                None => task::yield_now().await,
            }
        };
        let (_, link) = link.split_once(&site).unwrap();
        let (link, _) = link.split_once('\n').unwrap();

        visitor.open(link).await;
        assert_eq!(visitor.address().await, "/reset", "without the token");
        visitor.type_in("new_password", "short").await;
        let valid = visitor.script("return document.querySelector('main form').checkValidity()");
        assert_eq!(valid.await, json!(false), "the browser says so already");
        visitor.type_in("new_password", NEW_PASSWORD).await;
        visitor.submit().await;
        visitor.reads("Your password has been changed.").await;
        assert_eq!(visitor.address().await, "/login");
        visitor.fill_in("alice", NEW_PASSWORD).await;
        visitor.reads("Hello, alice!").await;

        // The history leads to the page without the token, which is used up.
        visitor.open("/reset").await;
        visitor.reads("This link is no longer valid.").await;
    })
    .await;
}

async fn keyboard_reaches_every_function() {
    in_one_browser(async |visitor| {
        visitor.open("/login").await;
        visitor.has_focus("username").await;
        let expected = [
            "User name",
            "Password",
            "Show password",
            "Remember me on this device",
            "Log in",
            "Forgot your password?",
            "Register",
            "Login tutorial",
            "Protected page",
            "Register",
            "Log in",
        ];
        assert_eq!(tab_order(visitor).await, expected);

        registers_and_logs_in(visitor, "alice").await;
        logs_in_with_user_agent(&visitor.site, SAFARI_ON_IPHONE).await;
        logs_in_with_user_agent(&visitor.site, FIREFOX_ON_ANDROID).await;
        visitor.open("/account").await;
        visitor.press(TAB).await;
        let expected = [
            "Login tutorial",
            "Protected page",
            "Account",
            "Log out",
            "Change password",
            "Log out Firefox on Android, last used just now",
            "Log out Safari on iPhone, last used just now",
            "Log out all other browsers",
        ];
        assert_eq!(tab_order(visitor).await, expected);

        // One browser, then this one, with no click.
        for _ in 0..5 {
            visitor.press(TAB).await;
        }
        visitor.press(ENTER).await;
        visitor.reads("That browser has been logged out.").await;
        visitor
            .find("//ul[count(li) = 2 and not(contains(., 'Firefox'))]")
            .await;
        for _ in 0..4 {
            visitor.press(TAB).await;
        }
        visitor.press(" ").await;
        visitor.reads("You have been logged out.").await;

        visitor.open("/login").await;
        visitor.has_focus("username").await;
        for keys in ["alice", TAB, PASSWORD, TAB, " ", TAB, " ", ENTER] {
            visitor.press(keys).await;
        }
        visitor.reads("Hello, alice!").await;
        let names = visitor.cookie_names().await;
        assert_eq!(names, [BROWSER, REMEMBER, SESSION], "the box is ticked");
    })
    .await;
}

/// The accessible names of the elements that have the focus until it is at the first one again.
/// Each of them shows that it has it.
async fn tab_order(visitor: &Visitor) -> Vec<String> {
    let marked = "const style = getComputedStyle(document.activeElement);
        return style.outlineStyle === 'solid' && parseFloat(style.outlineWidth) >= 2";
    let is_page = "return document.activeElement === document.body";
    let first = visitor.client.active_element().await.unwrap().element_id();
    let mut names = Vec::new();
    loop {
        if visitor.script(is_page).await != json!(true) {
            let focused = visitor.client.active_element().await.unwrap();
            if !names.is_empty() && focused.element_id() == first {
                return names;
            }
            let name = visitor.label_of(&focused).await;
            assert_eq!(visitor.script(marked).await, json!(true), "{name}");
            names.push(name);
        }
        visitor.press(TAB).await;
    }
}

async fn text_can_be_read_in_light_and_dark() {
    in_one_browser(async |visitor| {
        for path in STRANGERS {
            visitor.open(path).await;
            has_contrast(visitor).await;
        }
        visitor.open("/login").await;
        visitor.fill_in("alice", "mirror").await;
        visitor.reads("Wrong user name or password.").await;
        has_contrast(visitor).await;
        registers_and_logs_in(visitor, "alice").await;
        has_contrast(visitor).await;
        logs_in_with_user_agent(&visitor.site, SAFARI_ON_IPHONE).await;
        for path in USERS {
            visitor.open(path).await;
            has_contrast(visitor).await;
        }
    })
    .await;
}

/// Text has a contrast of 4.5 (WCAG 2.2, 1.4.3), the edge of a field one of 3 (1.4.11).
async fn has_contrast(visitor: &Visitor) {
    let measure = "const canvas = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
        const channels = (color) => {
            canvas.clearRect(0, 0, 1, 1);
            canvas.fillStyle = color;
            canvas.fillRect(0, 0, 1, 1);
            return [...canvas.getImageData(0, 0, 1, 1).data];
        };
        const light = (color) => channels(color).slice(0, 3)
            .map((part) => part / 255)
            .map((part) => part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4)
            .reduce((sum, part, at) => sum + part * [0.2126, 0.7152, 0.0722][at], 0);
        const behind = (element) => {
            const color = getComputedStyle(element).backgroundColor;
            return channels(color)[3] === 255 ? color : behind(element.parentElement);
        };
        const contrast = (one, other) => {
            const [less, more] = [light(one), light(other)].sort((a, b) => a - b);
            return (more + 0.05) / (less + 0.05);
        };
        const found = [];
        for (const element of document.querySelectorAll('body *')) {
            const style = getComputedStyle(element);
            const hasText = [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
            if (element.checkVisibility() && (hasText || element.tagName === 'INPUT')) {
                const ratio = contrast(style.color, behind(element));
                if (ratio < 4.5) found.push([element.outerHTML, ratio]);
            }
            if (element.matches('input:not([type=checkbox])') && element.checkVisibility()) {
                const ratio = contrast(style.borderTopColor, behind(element.parentElement));
                if (ratio < 3) found.push([element.outerHTML, ratio]);
            }
        }
        return [getComputedStyle(document.body).backgroundColor, found]";
    let mut backgrounds = Vec::new();
    for scheme in ["light", "dark"] {
        visitor.prefer(scheme).await;
        let found = visitor.script(measure).await;
        let address = visitor.address().await;
        assert_eq!(found[1], json!([]), "{address} in {scheme}");
        backgrounds.push(found[0].clone());
    }
    assert_ne!(backgrounds[0], backgrounds[1]);
}

/// What the README shows.
async fn account_page_screenshots_are_small() {
    in_one_browser(async |visitor| {
        visitor.resize(960, 715).await;
        registers_and_logs_in(visitor, "alice").await;
        for user_agent in [SAFARI_ON_IPHONE, FIREFOX_ON_ANDROID] {
            logs_in_with_user_agent(&visitor.site, user_agent).await;
        }
        visitor.open("/account").await;
        visitor.reads("Where you are logged in").await;
        for scheme in ["light", "dark"] {
            visitor.prefer(scheme).await;
            let png = visitor.client.screenshot().await.unwrap();
            assert!(png.len() < 80_000, "{} bytes", png.len());
            if env::var_os("SCREENSHOT").is_some() {
                let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/tutorial");
                fs::write(format!("{folder}/{scheme}.png"), png).unwrap();
            }
        }
    })
    .await;
}

async fn password_change_keeps_remember_me() {
    let folder = Folder::new();
    let site = serve_tutorial(&folder.path().join("tutorial.db")).await;
    let chromedriver = Chromedriver::start(&path_of_chromedriver());
    let home = folder.path().join("home");
    let story = async {
        let visitor = Visitor::new(&chromedriver, &home, site.clone()).await;
        logs_in_to_be_remembered(&visitor).await;
        changes_the_password(&visitor).await;
        assert_eq!(visitor.cookie_names().await, [BROWSER, REMEMBER, SESSION]);
        visitor.reads("This browser").await;
        visitor.reads(", remembered").await;
        visitor.client.close().await.unwrap();

        let visitor = Visitor::new(&chromedriver, &home, site.clone()).await;
        is_still_known_but_not_trusted(&visitor).await;
        visitor.client.close().await.unwrap();
    };
    timeout(12 * PATIENCE, story).await.unwrap();
}

/// Runs a story in a new browser that visits a new tutorial.
async fn in_one_browser(story: impl AsyncFnOnce(&Visitor)) {
    let folder = Folder::new();
    let site = serve_tutorial(&folder.path().join("tutorial.db")).await;
    in_a_browser(site, story).await;
}

/// Runs a story in a new browser, whose paths are those of this site.
async fn in_a_browser(site: String, story: impl AsyncFnOnce(&Visitor)) {
    in_a_browser_set_to(json!({}), site, story).await;
}

/// The same, in a browser with these preferences.
async fn in_a_browser_set_to(preferences: Value, site: String, story: impl AsyncFnOnce(&Visitor)) {
    let folder = Folder::new();
    let chromedriver = Chromedriver::start(&path_of_chromedriver());
    let profile = folder.path().join("profile");
    let visitor = Visitor::set_to(preferences, &chromedriver, &profile, site).await;
    timeout(12 * PATIENCE, story(&visitor)).await.unwrap();
    visitor.client.close().await.unwrap();
}

async fn registers_and_logs_in(visitor: &Visitor, name: &str) {
    visitor.open("/register").await;
    visitor.type_in("email", "alice@example.com").await;
    visitor.fill_in(name, PASSWORD).await;
    visitor.reads("Your account has been created").await;
    visitor.reads(&format!("Hello, {name}!")).await;
}

/// Logs alice in from another browser, of which only the login request is needed.
async fn logs_in_with_user_agent(site: &str, user_agent: &str) {
    let client = legacy::Client::builder(TokioExecutor::new()).build_http::<Body>();
    let form = format!(
        "username=alice&password={}&remember=on",
        PASSWORD.replace(' ', "+")
    );
    let request = Request::post(format!("{site}/login"))
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .header(header::USER_AGENT, user_agent)
        .body(Body::from(form))
        .unwrap();
    let answer = client.request(request).await.unwrap();
    assert_eq!(answer.status(), StatusCode::SEE_OTHER);
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
    changes_the_password(&visitor).await;
    needs_the_new_password(&other).await;
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
    visitor.type_in("email", "alice@example.com").await;
    visitor.fill_in("alice", PASSWORD).await;
    visitor.reads("Your account has been created").await;
    visitor.client.refresh().await.unwrap();
    visitor
        .find("//main[not(contains(., 'Your account has been created'))]")
        .await;
    visitor.click("//button[text()='Log out']").await;
    visitor.reads("You have been logged out.").await;
    visitor.open("/register").await;
    visitor.type_in("email", "alice@example.com").await;
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
    assert_eq!(visitor.cookie_names().await, [BROWSER]);
}

async fn logs_in_and_is_led_back(visitor: &Visitor) {
    visitor.fill_in("alice", PASSWORD).await;
    visitor.reads("Hello, alice!").await;
    assert_eq!(visitor.address().await, "/protected");
}

async fn has_the_cookie_that_was_promised(visitor: &Visitor) {
    assert_eq!(visitor.cookie_names().await, [BROWSER, SESSION]);
    let cookie = visitor.client.get_named_cookie(SESSION).await.unwrap();
    // The prefix is a promise that browsers enforce: no Domain attribute, so no other host gets the
    // cookie.
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
    assert_eq!(visitor.cookie_names().await, [BROWSER]);
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
    registers_and_logs_in(visitor, "alice").await;
    visitor.open("/login").await;
    visitor
        .click("//label[contains(., 'Remember me on this device')]")
        .await;
    visitor.fill_in("alice", PASSWORD).await;
    visitor.reads("Hello, alice!").await;

    assert_eq!(visitor.cookie_names().await, [BROWSER, REMEMBER, SESSION]);
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
    // A page without a login, at which nothing is asked of the remember cookie: the profile as it
    // was left.
    visitor.open("/style.css").await;
    assert_eq!(visitor.cookie_names().await, [BROWSER, REMEMBER]);
    visitor.open("/protected").await;
    visitor.reads("Hello, alice!").await;
    assert_eq!(visitor.address().await, "/protected");
    assert_eq!(visitor.cookie_names().await, [BROWSER, REMEMBER, SESSION]);
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
    visitor.submit().await;
    visitor.reads("That is not your password.").await;
    visitor.type_in("password", PASSWORD).await;
    visitor.submit().await;
    visitor.reads("Where you are logged in").await;
    assert_eq!(visitor.address().await, "/account");
    // The session that was closed isn't in the list: this browser has replaced it.
    visitor
        .find("//ul[count(li) = 2 and li[contains(., 'This browser')]]")
        .await;
}

async fn logs_the_other_browser_out(visitor: &Visitor, other: &Visitor) {
    visitor
        .click("//li//button[starts-with(., 'Log out')]")
        .await;
    visitor
        .find("//ul[count(li) = 1 and li[contains(., 'This browser')]]")
        .await;
    is_sent_to_log_in_at_the_next_click(other).await;
}

async fn changes_the_password(visitor: &Visitor) {
    visitor.open("/account").await;
    visitor.click("//main//a[text()='Change password']").await;
    visitor.type_in("current_password", PASSWORD).await;
    visitor.type_in("new_password", NEW_PASSWORD).await;
    visitor.submit().await;
    visitor.reads("Your password has been changed.").await;
    visitor.reads("Where you are logged in").await;
}

async fn needs_the_new_password(other: &Visitor) {
    is_sent_to_log_in_at_the_next_click(other).await;
    other.fill_in("alice", PASSWORD).await;
    other.reads("Wrong user name or password.").await;
    logs_in_elsewhere(other, NEW_PASSWORD).await;
}

async fn is_sent_to_log_in_at_the_next_click(visitor: &Visitor) {
    visitor.click("//nav//a[.='Protected page']").await;
    visitor.reads("Please log in to access this page.").await;
    assert_eq!(
        visitor.address().await,
        "/login?next=/protected&notice=login"
    );
}

fn path_of_chromedriver() -> OsString {
    env::var_os("CHROMEDRIVER").unwrap()
}

/// The texts of the mails that a tutorial has sent.
type Mails = Arc<Mutex<Vec<String>>>;

/// Serves the tutorial on a free port; answers its address. It ends with the test's runtime.
async fn serve_tutorial(database: &Path) -> String {
    serve_tutorial_with(database, &Mails::default()).await
}

async fn serve_tutorial_with(database: &Path, mails: &Mails) -> String {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let site = format!("http://localhost:{port}");
    let mails = Arc::clone(mails);
    let mailer = tutorial::Mailer::new(site.clone(), move |_, text| {
        mails.lock().unwrap().push(text.to_owned());
    });
    let database = tutorial::open(database).await.unwrap();
    let app = tutorial::app(database, mailer).await.unwrap();
    let app = app.into_make_service_with_connect_info::<SocketAddr>();
    tokio::spawn(async move { axum::serve(listener, app).await });
    site
}

/// A person at a browser.
struct Visitor {
    client: Client,
    site: String,
}

impl Visitor {
    async fn new(chromedriver: &Chromedriver, profile: &Path, site: String) -> Self {
        Self::set_to(json!({}), chromedriver, profile, site).await
    }

    async fn set_to(
        preferences: Value,
        chromedriver: &Chromedriver,
        profile: &Path,
        site: String,
    ) -> Self {
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
        let capabilities = json!({
            "goog:chromeOptions": { "args": arguments, "prefs": preferences },
        });
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
        self.submit().await;
    }

    /// Sends the first form of the page.
    async fn submit(&self) {
        self.click("//main//button[@type='submit']").await;
    }

    async fn type_in(&self, field: &str, text: &str) {
        let field = self.find(&format!("//main//input[@name='{field}']")).await;
        field.clear().await.unwrap();
        field.send_keys(text).await.unwrap();
    }

    async fn find(&self, xpath: &str) -> Element {
        for _ in 0..NAVIGATIONS {
            let wait = self.client.wait().at_most(PATIENCE);
            match wait.for_element(Locator::XPath(xpath)).await {
                Ok(element) => return element,
                // The script of the page goes to another one just now.
                Err(error) if error.to_string().contains("aborted by navigation") => {}
                Err(error) => {
                    let page = self.client.source().await;
                    panic!("no {xpath} ({error}) in {page:?}");
                }
            }
        }
        panic!("the page with {xpath} is left again and again");
    }

    async fn find_all(&self, xpath: &str) -> Vec<Element> {
        self.client.find_all(Locator::XPath(xpath)).await.unwrap()
    }

    async fn title(&self) -> String {
        self.client.title().await.unwrap()
    }

    async fn script(&self, script: &str) -> Value {
        self.client.execute(script, vec![]).await.unwrap()
    }

    /// The accessible name of an element: what a screen reader calls it.
    async fn label(&self, xpath: &str) -> String {
        self.label_of(&self.find(xpath).await).await
    }

    async fn label_of(&self, element: &Element) -> String {
        let path = format!("element/{}/computedlabel", element.element_id().as_ref());
        let label = self.command(path, None).await;
        label.as_str().unwrap().to_owned()
    }

    /// The accessible description of an element, which a screen reader reads after its name.
    async fn description(&self, xpath: &str) -> String {
        let element = self.find(xpath).await;
        let ids = element.attr("aria-describedby").await.unwrap();
        let mut texts = Vec::new();
        for id in ids.unwrap_or_default().split(' ') {
            let described_by = self.find(&format!("//*[@id='{id}']")).await;
            texts.push(described_by.text().await.unwrap());
        }
        texts.join(" ")
    }

    /// Waits until this field has the focus, which it gets some time after the page has loaded.
    async fn has_focus(&self, field: &str) {
        let wait = format!(
            "return new Promise((done) => {{
                const check = () => document.activeElement.name === '{field}' ? done() : requestAnimationFrame(check);
                check();
            }})"
        );
        self.script(&wait).await;
    }

    /// Presses keys where the focus is.
    async fn press(&self, keys: &str) {
        let focused = self.client.active_element().await.unwrap();
        focused.send_keys(keys).await.unwrap();
    }

    /// Sets `prefers-color-scheme`.
    async fn prefer(&self, scheme: &str) {
        let features = json!([{ "name": "prefers-color-scheme", "value": scheme }]);
        let media = json!({ "features": features });
        self.devtools("Emulation.setEmulatedMedia", media).await;
    }

    /// Gives the page so many CSS pixels; the window itself can't be as narrow as a phone.
    async fn resize(&self, width: u32, height: u32) {
        let metrics =
            json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": false });
        self.devtools("Emulation.setDeviceMetricsOverride", metrics)
            .await;
    }

    async fn devtools(&self, command: &str, parameters: Value) {
        let body = json!({ "cmd": command, "params": parameters });
        self.command("goog/cdp/execute".to_owned(), Some(body))
            .await;
    }

    async fn command(&self, path: String, body: Option<Value>) -> Value {
        let method = body.as_ref().map_or(Method::GET, |_| Method::POST);
        self.command_by(method, path, body).await
    }

    async fn command_by(&self, method: Method, path: String, body: Option<Value>) -> Value {
        self.client
            .issue_cmd(WebDriverCommand { method, path, body })
            .await
            .unwrap()
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

/// A command for which fantoccini has no method.
#[derive(Debug)]
struct WebDriverCommand {
    method: Method,
    path: String,
    body: Option<Value>,
}

impl WebDriverCompatibleCommand for WebDriverCommand {
    fn endpoint(&self, base_url: &Url, session_id: Option<&str>) -> Result<Url, ParseError> {
        let session = session_id.unwrap_or_default();
        base_url.join(&format!("session/{session}/{}", self.path))
    }

    fn method_and_body(&self, _: &Url) -> (Method, Option<String>) {
        let body = self.body.as_ref().map(Value::to_string);
        (self.method.clone(), body)
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
    /// Chromedriver chooses one port for IPv4 and IPv6, and gives up if another process takes it
    /// for one of the two in between.
    fn start(path: &OsStr) -> Self {
        let started = (0..10).find_map(|_| Self::try_start(path));
        started.expect("chromedriver found no free port in ten attempts")
    }

    fn try_start(path: &OsStr) -> Option<Self> {
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
                process.wait().unwrap();
                assert!(
                    said.contains("port not available"),
                    "chromedriver said: {said}"
                );
                return None;
            }
            let line = said.get(before..).unwrap_or_default();
            if let Some((_, port)) = line.split_once("started successfully on port ") {
                break port.trim().trim_end_matches('.').parse().unwrap();
            }
        };
        Some(Self {
            process,
            port,
            _output: output,
        })
    }

    /// Asks it to end, which ends its browser too; the one that is killed leaves its browser
    /// running.
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
