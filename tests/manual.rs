//! The pages of the manual: in the order of their list, linked in a row, and complete.

#![allow(clippy::unwrap_used, reason = "it is a test")]

use std::{fs, path::Path};

/// The source of the crate.
fn read(file: &str) -> String {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("../src");
    fs::read_to_string(source.join(file)).unwrap()
}

/// The modules of the pages, in order.
fn pages() -> Vec<String> {
    let pages: Vec<String> = read("manual/mod.rs")
        .lines()
        .filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';'))
        .map(str::to_owned)
        .collect();
    assert!(pages.len() > 15, "{pages:?}");
    pages
}

/// The names of the public methods of a file that take the value and return it changed.
fn builders(file: &str) -> Vec<String> {
    let text = read(file);
    let functions = text.split("pub ").skip(1);
    functions
        .filter_map(|rest| {
            let rest = rest.strip_prefix("const ").unwrap_or(rest);
            let (name, arguments) = rest.strip_prefix("fn ")?.split_once('(')?;
            let argument = arguments.trim_start();
            let takes_self = argument.starts_with("self,") || argument.starts_with("mut self");
            takes_self.then(|| name.split('<').next().unwrap().to_owned())
        })
        .collect()
}

/// The names of the public methods of a file that begin with one of these prefixes.
fn settings(file: &str, prefixes: [&str; 2]) -> Vec<String> {
    let text = read(file);
    let names = text.split("pub fn ").skip(1);
    names
        .filter_map(|rest| rest.split(['(', '<']).next())
        .filter(|name| prefixes.iter().any(|prefix| name.starts_with(prefix)))
        .map(str::to_owned)
        .collect()
}

#[test]
fn list_has_every_page_in_order() {
    let list = read("manual/mod.rs");
    let at: Vec<_> = pages()
        .iter()
        .map(|page| list.find(&format!("]({page}) |")).ok_or(page.clone()))
        .collect();
    assert!(at.iter().all(Result::is_ok), "{at:?}");
    assert!(at.is_sorted(), "{at:?}");
}

#[test]
fn front_page_links_every_page() {
    let front = read("lib.rs");
    for page in pages() {
        assert!(front.contains(&format!("(manual::{page})")), "{page}");
    }
}

#[test]
fn each_page_leads_to_the_next() {
    let pages = pages();
    for (page, next) in pages.iter().zip(&pages[1..]) {
        let text = read(&format!("manual/{page}.rs"));
        let (_, end) = text.rsplit_once("//! # Next\n").unwrap_or_default();
        assert!(end.contains(&format!("(super::{next})")), "{page}");
    }
}

#[test]
fn no_snippet_is_left_uncompiled() {
    for page in pages() {
        let text = read(&format!("manual/{page}.rs"));
        assert!(!text.contains("```ignore"), "{page}");
        assert!(!text.contains("```text"), "{page}");
    }
}

#[test]
fn configuration_has_every_setting_of_the_manager() {
    let page = read("manual/configuration.rs");
    for file in ["manager/config/mod.rs", "manager/config/denied.rs"] {
        let settings = settings(file, ["with_", "without_"]);
        assert!(!settings.is_empty(), "{file}");
        for setting in settings {
            assert!(
                page.contains(&format!("LoginManager::{setting})")),
                "{setting}"
            );
        }
    }
}

#[test]
fn configuration_has_every_setting_of_the_handles() {
    let page = read("manual/configuration.rs");
    for (file, of) in [
        ("throttle/mod.rs", "Throttle"),
        ("tokens/purpose.rs", "Purpose"),
        ("api_key/settings.rs", "ApiKeySettings"),
        ("known_browsers.rs", "KnownBrowsers"),
        ("password/policy.rs", "PasswordPolicy"),
    ] {
        let settings = builders(file);
        assert!(!settings.is_empty(), "{file}");
        for setting in settings {
            assert!(
                page.contains(&format!("{of}::{setting}`]")),
                "{of}::{setting}"
            );
        }
    }
}

#[test]
fn events_page_has_every_kind_at_its_level() {
    let (kinds, log) = (read("event/kind.rs"), read("event/log.rs"));
    let page = read("manual/events.rs");
    let (_, names) = kinds.split_once("pub const fn as_str").unwrap();
    let (names, _) = names.split_once("impl fmt::Display").unwrap();
    let (_, traced) = log.split_once("fn trace(&self)").unwrap();
    let mut count = 0;
    for line in names.lines().filter(|line| line.contains(" => \"")) {
        let (variant, name) = line.split_once(" => ").unwrap();
        let variant = variant
            .trim()
            .trim_start_matches("Self::")
            .trim_end_matches("(_)");
        let name = name.trim_matches(['"', ',']);
        let level = level(traced, variant);
        let row = format!("| [`{name}`](crate::event::EventKind::{variant}) | {level} |");
        assert!(page.contains(&row), "{row}");
        count += 1;
    }
    assert!(count > 30, "{count}");
}

/// The level at which the source of `Event::trace` logs a kind.
fn level(traced: &str, variant: &str) -> String {
    let is_this = |(_, rest): &(&str, &str)| !rest.starts_with(char::is_alphanumeric);
    let name = format!("EventKind::{variant}");
    let arm = traced.match_indices(&name);
    let rest = arm
        .map(|(at, name)| traced.split_at(at + name.len()))
        .find(is_this);
    let rest = rest.map_or("tracing::debug!", |(_, rest)| rest);
    let (_, rest) = rest.split_once("tracing::").unwrap();
    rest.split('!').next().unwrap().to_uppercase()
}

#[test]
fn every_example_is_listed() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let readme = fs::read_to_string(root.join("README.md")).unwrap();
    let manual = read("manual/mod.rs");
    let (_, readme) = readme.split_once("[Examples](examples)").unwrap();
    for entry in fs::read_dir(root.join("examples")).unwrap() {
        let name = format!("`{}`", entry.unwrap().file_name().display());
        assert!(manual.contains(&name), "{name} in the manual");
        assert!(readme.contains(&name), "{name} in the README");
    }
}
