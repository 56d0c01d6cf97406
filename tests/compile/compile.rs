//! What compiles, and what the compiler says about mistakes that users make.
//!
//! After a change of messages: `TRYBUILD=overwrite cargo test -p login-manager-compile-tests`, then
//! read the difference as a user would.

use std::process::{Command, ExitCode};

use libtest_mimic::{Arguments, Trial};

/// The messages in `fail/` are those of this compiler. Others word them differently.
const RUST: &str = "rustc 1.95.";

fn main() -> ExitCode {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let version = Command::new(rustc).arg("--version").output();
    let version = version.map(|output| String::from_utf8_lossy(&output.stdout).into_owned());
    let is_known = version.is_ok_and(|version| version.starts_with(RUST));
    let trials = vec![
        Trial::test("layers_fit_in_every_order", || {
            trybuild::TestCases::new().pass("pass/*.rs");
            Ok(())
        }),
        Trial::test("mistakes_get_messages_that_say_what_to_do", || {
            trybuild::TestCases::new().compile_fail("fail/*.rs");
            Ok(())
        })
        .with_ignored_flag(!is_known),
    ];
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}
