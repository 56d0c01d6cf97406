//! Passwords from data breaches, in a file.

use std::{
    fmt,
    fs::File,
    io::{self, ErrorKind, Read as _, Seek as _, SeekFrom},
    path::{Path, PathBuf},
};

use sha1::{Digest as _, Sha1};
use tokio::runtime::Handle;

/// The passwords of a file of SHA-1 hashes, such as the download of Have I Been Pwned "ordered by
/// hash".
///
/// Each line is a hash in upper-case hexadecimal digits, a colon and the number of times that the
/// password was found, and the lines are sorted. A lookup is a binary search in the file: about 25
/// reads of 256 bytes in 40 GB, and no memory. No password leaves the machine.
///
/// ```no_run
/// use login_manager::password::{BreachedPasswords, PasswordPolicy, Weakness};
/// # async fn example(password: &str) -> Result<(), Box<dyn std::error::Error>> {
///
/// let breached = BreachedPasswords::open("pwned-passwords-sha1-ordered-by-hash.txt")?;
///
/// PasswordPolicy::default().check(password, &[])?;
/// if breached.count(password).await? > 0 {
///     return Err(Weakness::Breached.into());
/// }
/// # Ok(())
/// # }
/// ```
///
/// The file is opened for each lookup, so it can be replaced by renaming a newer file. SHA-1 is
/// only the key of the list here; it protects nothing.
#[derive(Clone)]
pub struct BreachedPasswords {
    path: PathBuf,
}

/// Hexadecimal digits of SHA-1.
const DIGITS: usize = 40;
/// More than a line, which has 40 digits, a colon, up to 20 digits and a line break.
const LINE: u64 = 256;
/// From this size on, lines are read one after the other.
const BLOCK: u64 = 4096;

impl BreachedPasswords {
    /// Uses this file. Only its first line is read, so an unsorted file is not detected, and
    /// passwords are not found in it.
    ///
    /// # Errors
    ///
    /// - [`InvalidData`](ErrorKind::InvalidData) if the first line is not a SHA-1 hash and a count
    ///   (there are also files with NTLM hashes)
    /// - any other error of opening or reading the file
    pub fn open(path: impl Into<PathBuf>) -> io::Result<Self> {
        let path = path.into();
        let start = read_at(&mut File::open(&path)?, 0, LINE)?;
        let first = start.split(|byte| *byte == b'\n').next();
        match first.and_then(Line::parse) {
            Some(_) => Ok(Self { path }),
            None => Err(malformed()),
        }
    }

    /// Returns how often a password was found in data breaches: 0 if it is not in the file. Reads
    /// the file on one of tokio's blocking threads.
    ///
    /// # Errors
    ///
    /// - [`InvalidData`](ErrorKind::InvalidData) if a line has another form
    /// - any other error of opening or reading the file
    /// - [`Other`](ErrorKind::Other) outside a tokio runtime, or if it is shutting down
    pub async fn count(&self, password: &str) -> io::Result<u64> {
        let runtime = Handle::try_current().map_err(io::Error::other)?;
        let (path, hash) = (self.path.clone(), hash(password));
        let found = runtime.spawn_blocking(move || count(&path, &hash));
        found.await.map_err(io::Error::other)?
    }

    /// Like [`count`](Self::count), but on the current thread. A lookup takes about a millisecond
    /// if the file is on an SSD.
    ///
    /// # Errors
    ///
    /// Those of [`count`](Self::count) except the last.
    pub fn count_blocking(&self, password: &str) -> io::Result<u64> {
        count(&self.path, &hash(password))
    }
}

impl fmt::Debug for BreachedPasswords {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BreachedPasswords").finish_non_exhaustive()
    }
}

/// The hash of a password as received: the passwords of other sites were not normalized.
fn hash(password: &str) -> [u8; DIGITS] {
    let mut digits = [0; DIGITS];
    let bytes = Sha1::digest(password);
    let nibbles = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    for (digit, nibble) in digits.iter_mut().zip(nibbles) {
        *digit = match nibble {
            0..10 => b'0' + nibble,
            _ => b'A' - 10 + nibble,
        };
    }
    digits
}

fn count(path: &Path, hash: &[u8; DIGITS]) -> io::Result<u64> {
    let mut file = File::open(path)?;
    // The line of this hash, if there is one, begins at or after `low`, which is the start of a
    // line, and before `high`.
    let (mut low, mut high) = (0, file.seek(SeekFrom::End(0))?);
    while high - low > BLOCK {
        let middle = low + (high - low) / 2;
        let bytes = read_at(&mut file, middle, 2 * LINE)?;
        let end = bytes.iter().position(|byte| *byte == b'\n');
        let end = end.ok_or_else(malformed)?;
        let start = middle + end as u64 + 1;
        let next = bytes.get(end + 1..).unwrap_or_default();
        if start >= high || next.is_empty() {
            high = middle + 1;
            continue;
        }
        let next = next.split(|byte| *byte == b'\n').next();
        let line = next.and_then(Line::parse).ok_or_else(malformed)?;
        match line.hash.cmp(hash) {
            std::cmp::Ordering::Less => low = start,
            std::cmp::Ordering::Equal => return Ok(line.count),
            std::cmp::Ordering::Greater => high = middle + 1,
        }
    }
    let block = read_at(&mut file, low, high - low + LINE)?;
    for line in block.split(|byte| *byte == b'\n') {
        // The last line of the block may be cut off.
        match Line::parse(line) {
            Some(line) if line.hash == *hash => return Ok(line.count),
            _ => {}
        }
    }
    Ok(0)
}

struct Line {
    hash: [u8; DIGITS],
    count: u64,
}

impl Line {
    fn parse(line: &[u8]) -> Option<Self> {
        let (hash, rest) = line.trim_ascii_end().split_first_chunk()?;
        let count = str::from_utf8(rest.strip_prefix(b":")?).ok()?;
        let mut hash: [u8; DIGITS] = *hash;
        hash.make_ascii_uppercase();
        hash.iter().all(u8::is_ascii_hexdigit).then_some(())?;
        Some(Self {
            hash,
            count: count.parse().ok()?,
        })
    }
}

/// Reads this many bytes, or fewer at the end of the file.
fn read_at(file: &mut File, at: u64, length: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    file.seek(SeekFrom::Start(at))?;
    file.take(length).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn malformed() -> io::Error {
    let text = "the file doesn't consist of lines with a SHA-1 hash, a colon and a count";
    io::Error::new(ErrorKind::InvalidData, text)
}

#[cfg(test)]
mod tests {
    use std::{env, fs, process};

    use super::*;

    /// A file that is deleted when dropped.
    struct Lines(PathBuf);

    impl Lines {
        fn new(name: &str, text: &str) -> Self {
            let path = env::temp_dir().join(format!("breached-{}-{name}", process::id()));
            fs::write(&path, text).unwrap();
            Self(path)
        }

        /// Of `password-0` to `password-{n-1}`, each found once more than the one before.
        fn of(passwords: u64, line_break: &str) -> Self {
            let mut lines: Vec<_> = (0..passwords)
                .map(|n| {
                    let hash = hash(&format!("password-{n}"));
                    format!("{}:{}{line_break}", str::from_utf8(&hash).unwrap(), n + 1)
                })
                .collect();
            lines.sort_unstable();
            let name = format!("{passwords}-{}", line_break.len());
            Self::new(&name, &lines.concat())
        }
    }

    impl Drop for Lines {
        fn drop(&mut self) {
            fs::remove_file(&self.0).unwrap();
        }
    }

    #[test]
    fn hash_is_that_of_the_published_list() {
        let hash = hash("password");
        assert_eq!(&hash, b"5BAA61E4C9B93F3F0682250B6CF8331B7EE68FD8");
    }

    #[test]
    fn every_password_of_the_file_is_found() {
        for line_break in ["\n", "\r\n"] {
            for passwords in [1, 2, 80, 90, 100, 500, 20_000] {
                let file = Lines::of(passwords, line_break);
                let breached = BreachedPasswords::open(&file.0).unwrap();
                for n in (0..passwords).step_by(1 + passwords as usize / 1000) {
                    let found = breached.count_blocking(&format!("password-{n}")).unwrap();
                    assert_eq!(found, n + 1, "{n} of {passwords}");
                }
                for n in 0..200 {
                    let found = breached.count_blocking(&format!("other-{n}")).unwrap();
                    assert_eq!(found, 0, "{n} of {passwords}");
                }
            }
        }
    }

    #[test]
    fn first_and_last_line_are_found() {
        let file = Lines::of(2000, "\n");
        let text = fs::read_to_string(&file.0).unwrap();
        let lines: Vec<_> = text.lines().collect();
        for line in [lines[0], lines[1], lines[1998], lines[1999]] {
            let (hash, expected) = line.split_once(':').unwrap();
            let found = count(&file.0, hash.as_bytes().try_into().unwrap()).unwrap();
            assert_eq!(found.to_string(), expected);
        }
        // Also without a line break at the end.
        fs::write(&file.0, text.trim_end()).unwrap();
        let (hash, expected) = lines[1999].split_once(':').unwrap();
        let found = count(&file.0, hash.as_bytes().try_into().unwrap()).unwrap();
        assert_eq!(found.to_string(), expected);
        for hash in [[b'0'; DIGITS], [b'F'; DIGITS]] {
            assert_eq!(count(&file.0, &hash).unwrap(), 0);
        }
    }

    #[test]
    fn file_of_another_form_is_an_error() {
        for (name, text) in [
            ("empty", ""),
            ("ntlm", "0000000000000000000000000000000A:3\n"),
            ("bare", "5BAA61E4C9B93F3F0682250B6CF8331B7EE68FD8\n"),
            ("text", "password\n"),
            ("binary", "\0\0\0"),
        ] {
            let file = Lines::new(name, text);
            let refused = BreachedPasswords::open(&file.0).unwrap_err();
            assert_eq!(refused.kind(), ErrorKind::InvalidData, "{name}");
        }
        let first = "0000000000000000000000000000000000000001:3\n";
        let file = Lines::new("later", &format!("{first}{}", "x".repeat(20_000)));
        let breached = BreachedPasswords::open(&file.0).unwrap();
        let refused = breached.count_blocking("password").unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::InvalidData);
        let refused = BreachedPasswords::open("no such file").unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::NotFound);
    }

    #[tokio::test]
    async fn file_is_read_off_the_async_threads() {
        let file = Lines::of(500, "\n");
        let breached = BreachedPasswords::open(&file.0).unwrap();
        assert_eq!(breached.count("password-7").await.unwrap(), 8);
        assert_eq!(breached.count("other").await.unwrap(), 0);
        assert_eq!(format!("{breached:?}"), "BreachedPasswords { .. }");
    }

    #[test]
    fn missing_runtime_is_an_error() {
        use std::{
            pin::pin,
            task::{Context, Poll, Waker},
        };

        let file = Lines::of(3, "\n");
        let breached = BreachedPasswords::open(&file.0).unwrap();
        let lookup = pin!(breached.count("x"));
        let refused = lookup.poll(&mut Context::from_waker(Waker::noop()));
        assert!(matches!(refused, Poll::Ready(Err(_))));
    }
}
