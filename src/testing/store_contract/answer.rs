//! What a store answered beside what it promised, in words.

use std::{
    fmt::{Debug, Display},
    time::Duration,
};

use tokio::{task::JoinError, time::timeout};

use crate::{
    error::BoxError,
    store::{Record, RecordKey},
};

/// What was done, what is promised, what came.
pub(super) type Broken = String;
pub(super) type Verdict = Result<(), Broken>;

/// Five times the deadline that the manager sets by default.
const PATIENCE: Duration = Duration::from_secs(10);

/// Waits for a call, but not for ever.
pub(super) async fn answered<T>(
    verb: &str,
    call: impl Future<Output = Result<T, BoxError>>,
) -> Result<T, Broken> {
    match timeout(PATIENCE, call).await {
        Ok(Ok(answer)) => Ok(answer),
        Ok(Err(error)) => Err(failed(verb, &error)),
        Err(_) => Err(format!("{verb} gave no answer within {PATIENCE:?}")),
    }
}

pub(super) fn failed(verb: &str, error: &BoxError) -> Broken {
    let mut text = format!("{verb} failed: {error}");
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}

pub(super) fn answers<T: PartialEq + Debug>(did: impl Display, promised: T, came: T) -> Verdict {
    if came == promised {
        return Ok(());
    }
    Err(format!("{did}: promised is {promised:?}, came {came:?}"))
}

pub(super) fn answers_one_of<T: PartialEq + Debug>(
    did: impl Display,
    promised: &[T],
    came: &T,
) -> Verdict {
    if promised.contains(came) {
        return Ok(());
    }
    Err(format!(
        "{did}: promised is one of {promised:?}, came {came:?}"
    ))
}

/// Why a task didn't end by itself.
pub(super) fn why(error: JoinError) -> Broken {
    match error.try_into_panic() {
        Ok(panic) => {
            let text = panic
                .downcast_ref::<String>()
                .map(String::as_str)
                .or_else(|| panic.downcast_ref::<&str>().copied());
            format!("it panicked: {}", text.unwrap_or("without a text"))
        }
        Err(error) => error.to_string(),
    }
}

/// The same records, whatever their order.
pub(super) fn same_records(promised: &[&Record], came: &[Record]) -> Verdict {
    for record in promised {
        match came.iter().find(|other| other.key == record.key) {
            Some(found) if found == *record => {}
            Some(found) => return Err(difference(record, found)),
            None => {
                return Err(format!(
                    "it lacks the record {}; promised are {}, came {}",
                    short(&record.key),
                    promised.len(),
                    came.len()
                ));
            }
        }
    }
    let foreign = came
        .iter()
        .find(|record| promised.iter().all(|other| other.key != record.key));
    if let Some(record) = foreign {
        return Err(format!(
            "it has a record {} of the owner {:?} that doesn't belong there",
            short(&record.key),
            record.owner
        ));
    }
    if came.len() != promised.len() {
        return Err("it has a record twice".to_owned());
    }
    Ok(())
}

/// The first bytes of a key, enough to tell it from others. It belongs to no session.
pub(super) fn short(key: &RecordKey) -> String {
    let bytes = key.as_bytes().iter().take(4);
    bytes.map(|byte| format!("{byte:02x}")).collect()
}

/// The fields in which one record differs from what it should be.
pub(super) fn difference(promised: &Record, came: &Record) -> Broken {
    let mut fields = Vec::new();
    let mut field = |name: &str, promised: &dyn Debug, came: &dyn Debug, same: bool| {
        if !same {
            fields.push(format!("{name}: promised is {promised:?}, came {came:?}"));
        }
    };
    macro_rules! compare {
        ($($name:ident)*) => {
            $(field(stringify!($name), &promised.$name, &came.$name, promised.$name == came.$name);)*
        };
    }
    let keys = (short(&promised.key), short(&came.key));
    field("key", &keys.0, &keys.1, promised.key == came.key);
    compare!(family owner created touched expires ends version);
    if promised.payload != came.payload {
        let pairs = promised.payload.iter().zip(came.payload.iter());
        let same = pairs.take_while(|(one, other)| one == other).count();
        fields.push(format!(
            "payload: promised are {} bytes, came {}, alike up to byte {same}",
            promised.payload.len(),
            came.payload.len()
        ));
    }
    fields.join("; ")
}
