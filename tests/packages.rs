//! The manifests of the workspace agree with the files and the documentation.
#![allow(clippy::unwrap_used, reason = "it is a test")]

use std::{fs, path::Path, process::Command};

/// The folder of the workspace.
const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
/// The lines that the documentation tells applications to copy.
const PROFILE: [&str; 3] = [
    "[profile.dev.package]",
    "argon2.opt-level = 3",
    "blake2.opt-level = 3",
];

fn read(file: &str) -> String {
    fs::read_to_string(Path::new(ROOT).join(file)).unwrap()
}

/// Cargo doesn't discover tests here, so a file that isn't listed would never run.
#[test]
fn every_test_file_is_a_target() {
    let manifest = read("tests/Cargo.toml");
    let mut targets = 0;
    for entry in fs::read_dir(Path::new(ROOT).join("tests")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let path = if name.ends_with(".rs") {
            name
        } else {
            format!("{name}/main.rs")
        };
        let file = Path::new(ROOT).join("tests").join(&path);
        let is_package = file.with_file_name("Cargo.toml").exists() && path.contains('/');
        if file.exists() && !is_package {
            targets += 1;
            let line = format!("\npath = \"{path}\"\n");
            assert!(
                manifest.contains(&line),
                "{path} isn't listed in tests/Cargo.toml"
            );
        }
    }
    assert_eq!(manifest.matches("[[test]]").count(), targets);
}

/// CI reads from cargo that these lines have an effect.
#[test]
fn the_docs_show_the_profile_that_is_used_here() {
    let lines = |prefix: &str| PROFILE.map(|line| format!("{prefix}{line}\n")).concat();
    assert!(read("Cargo.toml").contains(&lines("")));
    assert!(read("src/password/mod.rs").contains(&lines("//! ")));
}

/// Without its feature, the crate needs nothing of axum.
#[test]
fn hyper_server_compiles_no_crate_of_axum() {
    let tree = |package: &str| {
        let tree = Command::new(env!("CARGO"))
            .args(["tree", "--locked", "--prefix", "none", "-p", package])
            .args(["-e", "normal,build"])
            .current_dir(ROOT)
            .output()
            .unwrap();
        let error = String::from_utf8_lossy(&tree.stderr);
        assert!(tree.status.success(), "{error}");
        String::from_utf8(tree.stdout).unwrap()
    };
    let has_axum = |tree: &str| tree.lines().any(|line| line.starts_with("axum"));
    assert!(has_axum(&tree("quickstart")));
    let tree = tree("hyper_server");
    assert!(tree.contains("\nlogin-manager "), "{tree}");
    assert!(!has_axum(&tree), "{tree}");
}

/// Links between the files of the repository. Those in the docs of items are checked by rustdoc.
#[test]
fn links_in_markdown_files_lead_to_files() {
    let files = fs::read_dir(ROOT)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let mut links = 0;
    for file in files.filter(|path| path.extension().is_some_and(|end| end == "md")) {
        let text = fs::read_to_string(&file).unwrap();
        for target in text.split("](").skip(1) {
            let target = target.split([')', '#', ' ']).next().unwrap();
            if target.is_empty() || target.contains("://") {
                continue;
            }
            links += 1;
            let path = Path::new(ROOT).join(target);
            assert!(path.exists(), "{}: no {target}", file.display());
        }
    }
    assert!(links > 0);
}

/// Groups are divided by empty lines.
#[test]
fn dependencies_are_in_alphabetical_order() {
    let members = ["examples", "tests"].map(|folder| fs::read_dir(Path::new(ROOT).join(folder)));
    let members = members.into_iter().flat_map(Result::unwrap);
    let folders = members.map(|entry| entry.unwrap().path());
    let folders =
        folders.chain(["", "benches", "tests"].map(|folder| Path::new(ROOT).join(folder)));
    let manifests = folders.map(|folder| folder.join("Cargo.toml"));
    let mut groups = 0;
    for manifest in manifests.filter(|path| path.exists()) {
        let text = fs::read_to_string(&manifest).unwrap();
        let sections = text.split("\n[").filter(|section| {
            let name = section.lines().next().unwrap();
            name.ends_with("dependencies]")
        });
        for group in sections.flat_map(|section| section.split("\n\n")) {
            groups += 1;
            let names: Vec<_> = group
                .lines()
                .filter(|line| line.starts_with(|first: char| first.is_ascii_lowercase()))
                .filter(|line| line.contains(" = "))
                .filter_map(|line| line.split(['.', ' ']).next())
                .collect();
            assert!(names.is_sorted(), "{}: {names:?}", manifest.display());
        }
    }
    assert!(groups > 20, "{groups}");
}
