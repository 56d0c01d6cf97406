//! The most common passwords, as a list in the crate. Its source and licence are in the file.

use std::sync::LazyLock;

/// The passwords, in lower case, sorted by their bytes.
static PASSWORDS: LazyLock<Vec<&'static str>> = LazyLock::new(|| {
    let file = include_str!("common_passwords.txt");
    let passwords = file
        .split_once("\n\n")
        .map_or("", |(_licence, passwords)| passwords);
    passwords.lines().collect()
});

/// Whether it is on the list, in upper or lower case.
pub(super) fn contains(password: &str) -> bool {
    PASSWORDS.binary_search(&&*password.to_lowercase()).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn list_is_sorted_and_only_has_passwords_that_a_policy_accepts() {
        assert!(PASSWORDS.len() >= 3000, "{}", PASSWORDS.len());
        assert!(PASSWORDS.is_sorted());
        for password in &**PASSWORDS {
            assert_eq!(password.to_lowercase(), *password);
            assert!(password.chars().count() >= 8, "{password}");
        }
    }

    #[test]
    fn whole_passwords_are_compared_without_case() {
        for password in [
            "password",
            "PassWord",
            "qwertyuiopasdfgh",
            "123456789123456789",
        ] {
            assert!(contains(password), "{password}");
        }
        for password in [
            "passwor",
            "password ",
            "correct horse battery staple",
            "",
            "# MIT",
        ] {
            assert!(!contains(password), "{password}");
        }
        assert!(PASSWORDS.iter().all(|password| contains(password)));
    }
}
