//! Modules use only modules that stand below them in `src/lib.rs`.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "tests end at the first surprise"
)]

use std::{
    fs,
    path::{Path, PathBuf},
};

fn source() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../src")
}

/// The modules in the order of `src/lib.rs`. The manual, `testing` and `fuzzing` stand outside.
fn modules() -> Vec<String> {
    let lib = fs::read_to_string(source().join("lib.rs")).unwrap();
    let names = lib.lines().filter_map(|line| {
        let name = line
            .strip_prefix("pub mod ")
            .or_else(|| line.strip_prefix("mod "))?;
        Some(name.strip_suffix(';')?.to_owned())
    });
    let outside = ["manual", "testing", "fuzzing"];
    names.filter(|name| !outside.contains(&&**name)).collect()
}

/// The files of a module.
fn files(module: &str) -> Vec<PathBuf> {
    let (file, mut folders) = (
        source().join(format!("{module}.rs")),
        vec![source().join(module)],
    );
    let mut files: Vec<_> = file.exists().then_some(file).into_iter().collect();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).into_iter().flatten() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                files.push(path);
            }
        }
    }
    files
}

/// Every `crate::…` in a file before its tests, comments and strings apart, as the first name
/// behind it.
fn used(text: &str) -> Vec<String> {
    let code = text.split("#[cfg(test)]").next().unwrap();
    let code: String = code
        .lines()
        .map(|line| line.split("//").next().unwrap())
        .collect::<Vec<_>>()
        .join("\n");
    let mut used = Vec::new();
    for (at, _) in code.match_indices("crate::") {
        let rest = &code[at + "crate::".len()..];
        match rest.strip_prefix('{') {
            Some(list) => used.extend(firsts(list)),
            None => used.push(name(rest)),
        }
    }
    used
}

/// The first names of a `use` list such as `a::{b, c}, d::e}`.
fn firsts(list: &str) -> Vec<String> {
    let (mut depth, mut is_first, mut firsts) = (0, true, Vec::new());
    for (at, byte) in list.char_indices() {
        match byte {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => is_first = true,
            _ if byte.is_whitespace() => {}
            _ if is_first => {
                firsts.push(name(&list[at..]));
                is_first = false;
            }
            _ => {}
        }
    }
    firsts
}

fn name(text: &str) -> String {
    text.chars()
        .take_while(|c| c.is_alphanumeric() || *c == '_')
        .collect()
}

#[test]
fn modules_use_only_modules_below_them() {
    let modules = modules();
    assert!(modules.len() > 15, "{modules:?}");
    let mut upwards = Vec::new();
    for (position, module) in modules.iter().enumerate() {
        let files = files(module);
        assert!(!files.is_empty(), "{module} has no file");
        for file in files {
            let text = fs::read_to_string(&file).unwrap();
            for used in used(&text) {
                if modules[..position].contains(&used) {
                    upwards.push(format!("{module} uses {used} in {}", file.display()));
                }
            }
        }
    }
    upwards.dedup();
    assert!(upwards.is_empty(), "{}", upwards.join("\n"));
}

#[test]
fn use_lists_are_read() {
    let text = "use crate::{a::{b, c::d}, e::f,\n    g};\nlet x = crate::h::i(); // crate::j\n#[cfg(test)]\nuse crate::k;";
    assert_eq!(used(text), ["a", "e", "g", "h"]);
}
