//! Comparing what a store returned with what it promises.

use std::{
    fmt::{Debug, Display},
    time::Duration,
};

use tokio::{task::JoinError, time::timeout};

use crate::{
    error::BoxError,
    store::{SessionId, SessionRecord},
};

/// The text of a failure: what was called, what was expected, and what the store returned.
pub(super) type Broken = String;
pub(super) type Verdict = Result<(), Broken>;

/// The limit of one call: five times the manager's default deadline.
const PATIENCE: Duration = Duration::from_secs(10);

/// Waits for a call, with a limit.
pub(super) async fn finished<T>(
    verb: &str,
    call: impl Future<Output = Result<T, BoxError>>,
) -> Result<T, Broken> {
    match timeout(PATIENCE, call).await {
        Ok(Ok(outcome)) => Ok(outcome),
        Ok(Err(error)) => Err(failed(verb, &error)),
        Err(_) => Err(format!("{verb} did not finish within {PATIENCE:?}")),
    }
}

fn failed(verb: &str, error: &BoxError) -> Broken {
    let mut text = format!("{verb} failed: {error}");
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}

pub(super) fn expect<T: PartialEq + Debug>(did: impl Display, expected: T, got: T) -> Verdict {
    if got == expected {
        return Ok(());
    }
    Err(format!("{did}: expected {expected:?}, got {got:?}"))
}

pub(super) fn expect_one_of<T: PartialEq + Debug>(
    did: impl Display,
    expected: &[T],
    got: &T,
) -> Verdict {
    if expected.contains(got) {
        return Ok(());
    }
    Err(format!("{did}: expected one of {expected:?}, got {got:?}"))
}

/// Why a task did not finish.
pub(super) fn why(error: JoinError) -> Broken {
    match error.try_into_panic() {
        Ok(panic) => {
            let text = panic
                .downcast_ref::<String>()
                .map(String::as_str)
                .or_else(|| panic.downcast_ref::<&str>().copied());
            format!("it panicked: {}", text.unwrap_or("without a message"))
        }
        Err(error) => error.to_string(),
    }
}

/// Checks that the records are the same, in any order.
pub(super) fn same_records(expected: &[&SessionRecord], got: &[SessionRecord]) -> Verdict {
    for record in expected {
        match got.iter().find(|other| other.id == record.id) {
            Some(found) if found == *record => {}
            Some(found) => return Err(difference(record, found)),
            None => {
                return Err(format!(
                    "the record {} is missing; expected {} records, got {}",
                    short(&record.id),
                    expected.len(),
                    got.len()
                ));
            }
        }
    }
    let foreign = got
        .iter()
        .find(|record| expected.iter().all(|other| other.id != record.id));
    if let Some(record) = foreign {
        return Err(format!(
            "the record {} of the owner {:?} should not be included",
            short(&record.id),
            record.owner
        ));
    }
    if got.len() != expected.len() {
        return Err("a record is included twice".to_owned());
    }
    Ok(())
}

/// The first bytes of an id, enough to tell it from others.
pub(super) fn short(id: &SessionId) -> String {
    let bytes = id.as_bytes().iter().take(4);
    bytes.map(|byte| format!("{byte:02x}")).collect()
}

/// The fields in which a record differs from the expected one.
pub(super) fn difference(expected: &SessionRecord, got: &SessionRecord) -> Broken {
    let mut fields = Vec::new();
    let mut field = |name: &str, expected: &dyn Debug, got: &dyn Debug, same: bool| {
        if !same {
            fields.push(format!("{name}: expected {expected:?}, got {got:?}"));
        }
    };
    macro_rules! compare {
        ($($name:ident)*) => {
            $(field(stringify!($name), &expected.$name, &got.$name, expected.$name == got.$name);)*
        };
    }
    let ids = (short(&expected.id), short(&got.id));
    field("id", &ids.0, &ids.1, expected.id == got.id);
    compare!(owner version created touched expires ends);
    if expected.payload != got.payload {
        let pairs = expected.payload.iter().zip(got.payload.iter());
        let same = pairs.take_while(|(one, other)| one == other).count();
        fields.push(format!(
            "payload: expected {} bytes, got {}, equal up to byte {same}",
            expected.payload.len(),
            got.payload.len()
        ));
    }
    fields.join("; ")
}
