//! Comments can be read without scrolling sideways.
#![allow(clippy::unwrap_used, reason = "it is a test")]

use std::{
    fs,
    path::{Path, PathBuf},
};

/// The folder of the workspace.
const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
/// The maximum width of a line of comments, in characters.
const WIDTH: usize = 100;

/// The marks with which a line of comments can begin, longest first.
fn marks(file: &Path) -> &'static [&'static str] {
    match file.extension().and_then(|extension| extension.to_str()) {
        Some("rs") => &["//!", "///", "//"],
        Some("lua" | "sql") => &["--"],
        Some("toml") => &["#"],
        _ => &[],
    }
}

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, found);
        } else {
            found.push(path);
        }
    }
}

/// The numbers of the lines of comments that are too wide. Tables and URLs can't be wrapped. The
/// code of an example in the documentation may itself have the full width, as in rustfmt.
fn wide_comments(text: &str, marks: &[&str]) -> Vec<usize> {
    let mut is_code = false;
    let mut wide = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        let comment = line.trim_start();
        let Some(content) = marks.iter().find_map(|mark| comment.strip_prefix(mark)) else {
            is_code = false;
            continue;
        };
        let content = content.strip_prefix(' ').unwrap_or(content);
        if content.trim_start().starts_with("```") {
            is_code = !is_code;
        }
        let counted = if is_code { content } else { line };
        let can_be_wrapped = !content.starts_with('|') && !content.contains("://");
        if can_be_wrapped && counted.chars().count() > WIDTH {
            wide.push(number);
        }
    }
    wide
}

#[test]
fn comments_are_at_most_100_columns_wide() {
    let root = Path::new(ROOT);
    let mut found = vec![root.join("Cargo.toml")];
    for folder in ["src", "examples", "benches", "tests"] {
        files(&root.join(folder), &mut found);
    }
    let mut wide = Vec::new();
    let mut lines = 0;
    for file in found {
        let marks = marks(&file);
        let name = file.strip_prefix(root).unwrap();
        if marks.is_empty() {
            continue;
        }
        let text = fs::read_to_string(&file).unwrap();
        lines += text.lines().count();
        for number in wide_comments(&text, marks) {
            wide.push(format!("{}:{number}", name.display()));
        }
    }
    assert!(lines > 10_000, "only {lines} lines were checked");
    assert!(wide.is_empty(), "wider than {WIDTH}: {wide:#?}");
}

#[test]
fn only_comments_that_can_be_wrapped_are_too_wide() {
    let (long, code) = ("word ".repeat(20), "x".repeat(100));
    let text = format!(
        "let x = {long:?};\n    // {long}\n/// {long}\n/// | {long} |\n// https://{long}\n\
         /// ```\n/// {code}\n/// {code}x\n/// ```\n/// {code}\n#{long}\n"
    );
    assert_eq!(wide_comments(&text, &["//!", "///", "//"]), [2, 3, 8, 10]);
    assert_eq!(wide_comments(&text, &["#"]), [11]);
}
