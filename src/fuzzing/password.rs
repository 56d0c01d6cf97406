//! Stored password hashes, which may come from anywhere.

use crate::password::Stored;

/// The highest memory in KiB, passes and lanes that are computed.
const CEILING: [u64; 3] = [1 << 20, 64, 16];

/// Reads the bytes as a stored hash.
pub fn password_hash(data: &[u8]) {
    let Ok(text) = str::from_utf8(data) else {
        return;
    };
    let stored = match Stored::parse(text) {
        Some(Stored::Argon2(stored)) => stored,
        Some(Stored::Other(stored)) => {
            assert!(u64::from(stored.memory_kib()) <= CEILING[0], "{text:?}");
            return;
        }
        None => return,
    };
    let cost = stored.cost();
    let accepted = [cost.memory_kib(), cost.passes(), cost.lanes()].map(u64::from);
    // What is computed is what the text says, read without the parser of PHC strings.
    assert_eq!(accepted, written(text), "{text:?}");
    for (accepted, most) in accepted.into_iter().zip(CEILING) {
        assert!(accepted <= most, "{text:?}");
    }
    assert!(u64::from(cost.memory_kib()) >= 8 * u64::from(cost.lanes()));
    assert!(stored.salt().len() >= 8);

    if cost.memory_kib() <= 256 && cost.passes() <= 2 {
        let argon2 = stored.argon2();
        let mut tag = vec![0; argon2.params().output_len().unwrap_or(32)];
        argon2
            .hash_password_into(b"password", stored.salt(), &mut tag)
            .unwrap_or_else(|error| panic!("{text:?} is accepted, but not computed: {error}"));
    }
}

/// The parameters `m`, `t` and `p` of a hash. Of several with one name, the last one counts.
fn written(text: &str) -> [u64; 3] {
    let parameters = text
        .split('$')
        .find(|part| part.contains(['m', 't', 'p']) && part.contains('='));
    let number = |name: &str| {
        let values = parameters.into_iter().flat_map(|part| part.split(','));
        let mut numbers = values.filter_map(|pair| pair.strip_prefix(name)?.parse().ok());
        numbers.next_back()
    };
    // The defaults of the argon2 crate.
    [
        number("m=").unwrap_or(19_456),
        number("t=").unwrap_or(2),
        number("p=").unwrap_or(1),
    ]
}
