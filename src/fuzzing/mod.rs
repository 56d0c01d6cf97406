//! Bodies of the fuzz targets for the code that reads untrusted bytes.
//!
//! Each function takes any bytes and panics if a property doesn't hold. The package in `fuzz/` runs
//! them under libFuzzer, which sets `cfg(fuzzing)`; the tests below run the same bodies on changed
//! seeds of its corpus. In other builds this module doesn't exist.
//!
//! `NextPath` is public, so its target needs nothing from here: see `tests/on_site/`.
#![allow(clippy::panic, reason = "a finding ends the run")]

mod cookies;
#[cfg(feature = "argon2")]
mod password;
mod payload;
mod request_head;
mod tokens;

pub use self::{
    cookies::cookie_header, payload::payload, request_head::request_head, tokens::tokens,
};

#[cfg(feature = "argon2")]
pub use self::password::password_hash;

#[cfg(test)]
mod tests {
    use std::{fmt, fs, path::Path};

    use proptest::{prelude::*, sample::Index};

    /// An input, printed as text.
    struct Input(Vec<u8>);

    impl fmt::Debug for Input {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            write!(f, "b\"{}\"", self.0.escape_ascii())
        }
    }

    /// One change of an input.
    #[derive(Clone, Debug)]
    enum Edit {
        Set(Index, u8),
        FlipBit(Index, u8),
        Insert(Index, u8),
        Remove(Index),
        Cut(Index),
        /// Copies a part to another place.
        Repeat(Index, Index, Index),
    }

    fn byte() -> impl Strategy<Value = u8> {
        let special = *b"\0\t\n !\"#$%&'*+,-./0149:;<=>?@AZ[\\]^_`az{|}~\x7f\x80\xff";
        prop_oneof![3 => prop::sample::select(special.to_vec()), 1 => any::<u8>()]
    }

    fn edit() -> impl Strategy<Value = Edit> {
        let at = || any::<Index>();
        prop_oneof![
            3 => (at(), byte()).prop_map(|(at, byte)| Edit::Set(at, byte)),
            3 => (at(), 0..8_u8).prop_map(|(at, bit)| Edit::FlipBit(at, bit)),
            3 => (at(), byte()).prop_map(|(at, byte)| Edit::Insert(at, byte)),
            2 => at().prop_map(Edit::Remove),
            1 => at().prop_map(Edit::Cut),
            2 => (at(), at(), at()).prop_map(|(from, to, at)| Edit::Repeat(from, to, at)),
        ]
    }

    fn apply(edit: &Edit, bytes: &mut Vec<u8>) {
        let end = bytes.len();
        match edit {
            Edit::Insert(at, byte) => bytes.insert(at.index(end + 1), *byte),
            _ if bytes.is_empty() => {}
            Edit::Set(at, byte) => bytes[at.index(end)] = *byte,
            Edit::FlipBit(at, bit) => bytes[at.index(end)] ^= 1 << bit,
            Edit::Remove(at) => {
                bytes.remove(at.index(end));
            }
            Edit::Cut(at) => bytes.truncate(at.index(end)),
            Edit::Repeat(from, to, at) => {
                let (from, to) = (from.index(end), to.index(end));
                let part = bytes[from.min(to)..from.max(to)].to_vec();
                let at = at.index(end);
                bytes.splice(at..at, part);
            }
        }
    }

    /// The kept corpus of a target. The crate's tarball doesn't have it.
    fn corpus(target: &str) -> Vec<Vec<u8>> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus");
        let mut seeds = vec![Vec::new()];
        if folder.exists() {
            for seed in fs::read_dir(folder.join(target)).unwrap() {
                seeds.push(fs::read(seed.unwrap().path()).unwrap());
            }
            assert!(seeds.len() > 1, "{target} has no corpus");
        }
        // The order of a folder differs between machines, but a printed seed must not.
        seeds.sort();
        seeds
    }

    /// Runs the body on every seed, and on changed ones.
    fn check(target: &str, body: fn(&[u8])) {
        let seeds = corpus(target);
        for seed in &seeds {
            body(seed);
        }
        let config = ProptestConfig {
            source_file: Some(file!()),
            ..ProptestConfig::with_cases(4096)
        };
        let edits = prop::collection::vec(edit(), 0..8);
        let bytes = (prop::sample::select(seeds), edits).prop_map(|(mut bytes, edits)| {
            edits.iter().for_each(|edit| apply(edit, &mut bytes));
            Input(bytes)
        });
        proptest!(config, |(bytes in bytes)| body(&bytes.0));
    }

    #[test]
    fn any_cookie_header_is_read_as_elsewhere() {
        check("cookie_header", super::cookie_header);
    }

    #[test]
    fn every_token_has_one_spelling() {
        check("tokens", super::tokens);
    }

    #[test]
    fn any_payload_is_decoded_or_refused() {
        check("payload", super::payload);
    }

    #[test]
    #[cfg(feature = "argon2")]
    fn any_password_hash_is_bounded_or_refused() {
        check("password_hash", super::password_hash);
    }

    #[test]
    fn any_request_head_is_classified_as_documented() {
        check("request_head", super::request_head);
    }
}
