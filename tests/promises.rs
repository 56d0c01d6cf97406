//! What this crate promises, and which tests hold it to that.
//!
//! ```sh
//! cargo test --test promises -- --nocapture     # the table, with the number of tests for each promise
//! ```
//!
//! A test that holds a promise begins with its id: `a1_tokens_are_256_random_bits`. It holds one; what shows two is two tests.
//! A promise without a test says why.
#![allow(
    clippy::expect_used,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test ends where it is surprised, and this one is for reading"
)]

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

/// `a` tokens, `b` the life of a session, `c` freshness, `d` remember-me, `e` cookies and headers, `f` requests that other sites
/// make, `g` guards, `h` redirects, `i` passwords, `j` telling who has an account, `k` guessing, `l` logs, `m` keys,
/// `n` availability, `p` a mistake that others have made, `fault` something that breaks.
const GROUPS: &[(&str, usize)] = &[
    ("a", 9),
    ("b", 24),
    ("c", 4),
    ("d", 13),
    ("e", 13),
    ("f", 6),
    ("g", 11),
    ("h", 8),
    ("i", 15),
    ("j", 5),
    ("k", 8),
    ("l", 5),
    ("m", 7),
    ("n", 8),
    ("p", 45),
    ("fault_", 38),
];

const PROMISES: &str = "
a1   a token is 256 random bits from the operating system
a2   the store knows digests: who reads all of it gets in nowhere
a3   a token that the store doesn't know is never taken over
a4   a token counts in its cookie and nowhere else
a5   what is no token is refused before the store is asked
a6   a new record never overwrites another; a key that exists is replaced by a new one
a7   a cookie says nothing about the user
a8   nor does its name about this crate
a9   secrets are compared in constant time

b1   a login renews the token; the one from before is worth nothing
b2   so does every change of identity, a login of the same user included
b3   a login as somebody else finds nothing of the one before
b4   a renewal keeps the data, however often it is asked for
b5   a logout ends the session in the store, for ever
b6   no request that is under way brings back what was ended
b7   a logout leaves nothing behind, and is seen in the same request
b8   a logout can have the browser clear more than our cookies
b9   a logout without a session makes none
b10  who is idle is logged out by the server, and any use counts
b11  the absolute limit is moved by a proof of identity alone
b12  limits lie in the record, not in the browser
b13  use is one write in a tenth of the idle time
b14  a remembered browser's session has the limits of any other
b15  what becomes of a user counts at the next request of every session
b16  a hash that is renewed for its parameters ends nothing
b17  keys are exchanged without logging anybody out
     untested: there are no keys
b18  a user's browsers are listed, and logged out one by one or all
b19  a login too many ends the oldest
b20  who has shown one factor of two is nobody yet
b21  no name in the session's data logs anybody in
b22  a login happens whole or not at all
b23  looking, and failing to log in, leave no record and no cookie
b24  clearing away goes in bounded batches, and to the end

c1   a proof of identity can grow too old
c2   a remembered browser and an API key prove nothing anew
c3   a confirmation renews the token and both clocks, and never freshens another's session
c4   a new password takes a fresh proof, and ends the other sessions

d1   a remember cookie is two random tokens, and the store knows digests of both
d2   every login has a series of its own
d3   each use renews the secret and makes a new session, in the same series
d4   a secret that was used up is theft: everything of that line ends
d5   parallel requests with one remember cookie all come in
d6   an answer that got lost locks nobody out
d7   a logout ends this browser's series, a new stamp or a closed account all of them
d8   no use stretches a series, and none is for longer than 400 days
d9   a remember cookie names nobody: who it is stands in the store
d10  a token is good for one purpose, in one realm
d11  a bad remember cookie is removed, and what else the request brings counts
d12  nothing is written before the user is known to be in
d13  a user is remembered in so many browsers, and the oldest is forgotten

e1   cookies have exactly these attributes
e2   what browsers would refuse is refused when it is configured
e3   one cookie per name and answer, and it says how things ended
e4   no cookie is longer than browsers keep
e5   cookies are read by their exact bytes
e6   our name twice with different values is nobody
e7   garbage in other cookies doesn't touch ours
e8   the work on a cookie header is bounded
e9   what depended on the visitor says so, and stays out of caches
e10  nothing that a user wrote reaches a header as it is
e11  cookies over plain http are a choice, and a loud one
e12  what is outside or doesn't ask costs nothing
e13  cookies can have names of one's own

f1   requests that other sites make are refused
     untested: tower-http's CsrfLayer does it, and tests it
f2   logging in and out are no exception
f3   CSRF tokens belong to one session
     untested: there are none; CsrfLayer goes by what the browser says
f4   the origin is compared with the one that is configured
     untested: CsrfLayer does it, and tests it
f5   a WebSocket is opened from our own pages only
     untested: CsrfLayer lets GET pass; an application that opens sockets checks their origin where it upgrades
f6   SameSite is never all there is
     untested: CsrfLayer doesn't look at cookies

g1   guards guard every method
g2   a guard without its manager lets nobody in
g3   a failure is never taken for nobody
g4   no spelling and no header gets past a guard
g5   who isn't let in gets the answer that the request asks for
g6   the way back is the path that was asked for, whatever a client claims
g7   a guard decides before the body is read
g8   the user is loaded once per request, and as of now
g9   request loaders are asked in order, and an error is an answer
g10  everything can be closed by default: what isn't named is guarded
g11  a login form has a bounded body
     untested: forms are the application's; axum bounds them, and Passwords refuses long passwords before any hashing

h1   `next` is a path of this site or none
h2   what is accepted stays on this site, whoever reads it
h3   the way back that we write is one that we accept
h4   `next` is checked where it is used
h5   given twice it is none
h6   it never leads to the login page itself
h7   it can be kept out of the address
h8   no address is ever made from the Host header

i1   passwords have a least length
     untested: not decided here; the application checks it where people choose one
i2   a password is never cut off, and only one beyond 4096 bytes is refused
i3   one that is too long costs nobody a hash
i4   passwords are normalized to NFC and nothing else
i5   no rules of composition, and no expiry
i6   common passwords are refused
     untested: not offered; the application checks it where people choose one
i7   hashes are argon2id at OWASP's minimum or above
i8   every hash has a salt of its own
i9   an outdated hash is reported, and never a better one
i10  a stored hash is untrusted input
i11  hashing is off the async threads, in bounded memory
i12  nothing, and what is no hash, match no password
i13  a pepper
     untested: not offered
i14  passwords don't print themselves, and are wiped
i15  tokens for password resets
     untested: not offered; log in with `auth.login` when yours is done

j1   a wrong name and a wrong password get the same answer
j2   and cost the same
j3   the times of a thousand attempts can't be told apart
     untested: a clock on a shared machine proves nothing; j2 counts the work instead
j4   so for forgotten passwords
     untested: not offered
j5   how long a look-up takes tells nothing: the store is asked for digests

k1   attempts are counted by account and by address
     untested: throttling isn't offered; the application limits in front of its login route
k2   nobody can lock out somebody else
     untested: throttling isn't offered
k3   attempts are counted before the hash
     untested: throttling isn't offered; i11 bounds the hashes at once
k4   a lock that has expired locks again
     untested: throttling isn't offered
k5   a client's address comes from a trusted source
     untested: throttling isn't offered, and nothing else looks at addresses
k6   counting takes bounded memory
     untested: throttling isn't offered
k7   failures are counted over all accounts
     untested: throttling isn't offered; a wrong password is the application's to report
k8   a limiter that fails lets nobody in
     untested: throttling isn't offered

l1   each thing that happens is told once
l2   no secret is ever written down
l3   a user's text can forge no line of the log
l4   events name a browser by what opens nothing
l5   no hook sees a password
     untested: no hook is there when one is checked: Passwords answers the caller alone

m1   a signed cookie is refused where one byte of it differs
     untested: no cookie is signed
m2   several keys at once
     untested: there are no keys
m3   what can't be verified is never read in another way
     untested: there is one way to read each cookie: a5, d9 and h4
m4   a weak key is refused
     untested: there are no keys
m5   one secret for one purpose
     untested: there is no key to derive others from; d10 is the same for digests
m6   reviewed cryptography and no unsafe code
     untested: the compiler forbids the one, cargo-deny watches the other
m7   nothing in a cookie becomes a rich type
     untested: cookies hold tokens and the way back, both of them plain bytes: a5, d9 and h4

n1   while the store is down who has no cookie is served, and who has one is asked to wait
n2   every call has a deadline
n3   readiness passes through
n4   no lock is held over other people's code
n5   no length of time overflows
n6   no input makes it panic
n7   session data is bounded
n8   a request costs one read and one load at most

p1   the token is renewed at every login, confirmation and restore
p2   a token that the store doesn't know makes no record
p3   logging in as another leaves nothing of the one before, no remember cookie either
p4   a logout works whatever is broken or gone
p5   a new stamp ends sessions and series, and only its digest is kept
p6   who was out is not revived
p7   two kinds of user never see each other
p8   a user of any id is a user
p9   a value for one cookie is worth nothing in another
p10  a request that began before a logout brings nobody back
p11  two writers of different names both keep theirs
p12  a late answer removes no newer login
p13  a failure never leaves half a login
p14  a store that fails logs nobody out and blanks nothing
p15  a loader or check that fails is 503
p16  a logout on one node counts on all
p17  clearing away goes on after an error, in every time zone, and takes nothing alive
p18  expired records leave the memory store too
p19  a request that changes nothing writes nothing
p20  made-up cookies don't fill the store
p21  two tasks of one request load the user once
p22  the cookie that deletes has the attributes of the one that set
p23  what is written is what is read
p24  no cookie, however malformed, is a 5xx
p25  no value of a cookie adds an attribute or a header
p26  the last verb of a handler decides about each cookie
p27  what depended on the visitor isn't shared; what didn't can be
p28  the way back is whole, wherever the manager is
p29  `next` leads to a path of this site, whatever stands in the link
p30  OPTIONS runs nothing for strangers, and HEAD is GET
p31  who may not gets 403, who isn't known 401 with a challenge
p32  junk in one credential switches no other off
p33  who an API key lets in leaves nothing behind
p34  the login page knows where the visitor came from, and nothing waits on the server
p35  freshness is asked of the user who is in, and nobody's can't be confirmed
p36  both limits are the server's, and use is activity without a write each time
p37  neither use nor another login's setting stretches a series
p38  protection compares what was stored, and only that
p39  a clock that jumps makes no eternal session
p40  a layer that is missing or too much is told of, or just works
p41  several managers don't disturb each other
p42  no token, stamp or password is logged
p43  passwords are checked off the async threads, at the same cost for everybody
p44  a guarded handler runs once or not at all
p45  a test logs in in one line

fault_1   the store is down, and there is a cookie
fault_2   the store is down, and there is none
fault_3   the store fails in the middle of a login, a renewal, a restore
fault_4   the store fails during a logout
fault_5   the store hangs
fault_6   noting a use fails
fault_7   a record is rubbish
fault_8   a record is of a newer version
fault_9   the store hands out somebody else's record
fault_10  a record vanishes under a request
fault_11  a write got lost
fault_12  a read is stale, right after the login
fault_13  the clock jumps ahead
fault_14  the clock falls back
fault_15  the clocks of two nodes differ
fault_16  two logins on one anonymous session
fault_17  two logins as different users
fault_18  two logouts
fault_19  a login beside a logout
fault_20  two renewals
fault_21  a renewal beside a request
fault_22  a hundred writers of one session
fault_23  many requests of one remembered browser, on two nodes
fault_24  the client hangs up at any moment
fault_25  the client hangs up between login and answer
fault_26  the handler panics
fault_27  the loader or the user type panics
fault_28  the hasher panics, or has no thread
fault_29  the loader fails, or finds nobody or somebody else
fault_30  the handler ends in a 5xx
fault_31  a verb comes after the head has left
fault_32  the inner service isn't ready
fault_33  the store is full
fault_34  the memory store is new after a restart
fault_35  there is no key, or a weak one
          untested: there are no keys
fault_36  two versions of the application with different cookies
fault_37  ten nodes clear away at once
fault_38  very many sessions, and very many of one user
";

/// One line of the table.
struct Promise {
    says: &'static str,
    untested: Option<&'static str>,
}

/// The ids in their order, and what is promised under each.
fn promises() -> Vec<(&'static str, Promise)> {
    let mut promises: Vec<(&str, Promise)> = Vec::new();
    for line in PROMISES.lines().filter(|line| !line.is_empty()) {
        if let Some(reason) = line.trim_start().strip_prefix("untested: ") {
            let (id, promise) = promises.last_mut().unwrap();
            let before = promise.untested.replace(reason);
            assert_eq!(before, None, "{id} says twice why it has no test");
        } else {
            let (id, says) = line.split_once(' ').expect("an id and what it promises");
            let promise = Promise {
                says: says.trim(),
                untested: None,
            };
            promises.push((id, promise));
        }
    }
    promises
}

/// The id with which a name begins. Whether it is in the table is another question.
fn id_of(name: &str) -> Option<&str> {
    let number = name
        .strip_prefix("fault_")
        .or_else(|| name.strip_prefix(|c: char| c.is_ascii_lowercase()))?;
    let digits = number.len()
        - number
            .trim_start_matches(|c: char| c.is_ascii_digit())
            .len();
    let is_one = digits > 0 && number[digits..].starts_with('_');
    is_one.then(|| &name[..name.len() - number.len() + digits])
}

/// Whether a word of a name is an id: `l4`, or the `31` behind a `fault`.
fn words(name: &str) -> impl Iterator<Item = &str> {
    name.char_indices()
        .filter(|(at, c)| *c == '_' && *at > 0)
        .map(|(at, _)| &name[at + 1..])
        .filter_map(id_of)
}

/// The folder of the workspace.
const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

/// A function whose name begins with an id, and where it stands.
struct Found {
    name: String,
    file: PathBuf,
    is_test: bool,
}

fn tests() -> Vec<Found> {
    let mut found = Vec::new();
    for folder in ["src", "tests"] {
        search(&Path::new(ROOT).join(folder), &mut found);
    }
    found
}

fn search(folder: &Path, found: &mut Vec<Found>) {
    let mut entries: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            search(&path, found);
        } else if path.extension().is_some_and(|kind| kind == "rs") {
            find(&path, found);
        }
    }
}

fn find(path: &Path, found: &mut Vec<Found>) {
    let text = fs::read_to_string(path).unwrap();
    // The checks of the contract and the trials of the stores are listed by name: one that isn't is dead code.
    let listed = ["store_contract", "stores", "nodes"]
        .iter()
        .any(|folder| path.parent().unwrap().ends_with(folder));
    let mut after_attribute = false;
    for line in text.lines().map(str::trim_start) {
        let signature = ["pub(super) ", "pub(crate) ", "async "]
            .iter()
            .fold(line, |line, word| line.strip_prefix(word).unwrap_or(line));
        if let Some(rest) = signature.strip_prefix("fn ") {
            let end = rest.find(['(', '<']).unwrap_or(rest.len());
            if id_of(&rest[..end]).is_some() {
                found.push(Found {
                    name: rest[..end].to_owned(),
                    file: path.to_owned(),
                    is_test: after_attribute || listed,
                });
            }
            after_attribute = false;
        } else if line.starts_with("#[test]") || line.starts_with("#[tokio::test") {
            after_attribute = true;
        }
    }
}

#[test]
fn every_promise_has_a_test_or_says_why_not() {
    let promises = promises();
    let expected: Vec<_> = GROUPS
        .iter()
        .flat_map(|(group, count)| (1..=*count).map(move |number| format!("{group}{number}")))
        .collect();
    let ids: Vec<_> = promises.iter().map(|(id, _)| *id).collect();
    assert_eq!(ids, expected, "the table has every id once, in order");

    let mut wrong = Vec::new();
    let mut counts = BTreeMap::<_, usize>::new();
    for Found {
        name,
        file,
        is_test,
    } in tests()
    {
        let id = id_of(&name).unwrap();
        let place = file.strip_prefix(ROOT).unwrap();
        let place = format!("{name} in {}", place.display());
        if !ids.contains(&id) {
            wrong.push(format!("{place}: there is no {id}"));
        } else if !is_test {
            wrong.push(format!("{place}: it has an id and is no test"));
        }
        let others: BTreeSet<_> = words(&name).filter(|other| ids.contains(other)).collect();
        if !others.is_empty() {
            wrong.push(format!(
                "{place}: a test holds one promise, not {others:?} too"
            ));
        }
        *counts.entry(id.to_owned()).or_default() += 1;
    }

    let mut table = String::new();
    let mut without = 0;
    for (id, promise) in &promises {
        let count = counts.get(*id).copied().unwrap_or_default();
        let held = match promise.untested {
            Some(reason) => {
                without += 1;
                if count > 0 {
                    wrong.push(format!("{id} has {count} tests, and says that it has none"));
                }
                format!("-  {}\n{:16}{reason}", promise.says, "")
            }
            None => {
                if count == 0 {
                    wrong.push(format!(
                        "{id} has no test, and doesn't say why: {}",
                        promise.says
                    ));
                }
                format!("{count:<2} {}", promise.says)
            }
        };
        table += &format!("{id:9} {held}\n");
    }
    println!(
        "{table}\n{} promises: {} with {} tests, {without} without",
        promises.len(),
        promises.len() - without,
        counts.values().sum::<usize>()
    );
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn an_id_is_known_by_its_letter_and_number() {
    assert_eq!(id_of("a1_tokens"), Some("a1"));
    assert_eq!(id_of("fault_31_a_verb"), Some("fault_31"));
    for none in [
        "a_record",
        "among_100_records",
        "a1",
        "utf8_text",
        "fault_of",
        "fn8",
    ] {
        assert_eq!(id_of(none), None, "{none}");
    }
    let told: Vec<_> = words("l1_an_event_says_and_l4_by_fault_31_and_p13_this").collect();
    assert_eq!(told, ["l4", "fault_31", "p13"]);
}
