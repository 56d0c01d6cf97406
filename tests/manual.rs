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
