//! What a store in trouble owes: deletions that are tried again in the background.

use std::{sync::Arc, time::Duration};

use tokio::runtime::Handle;

use super::Realm;
use crate::{
    error::Error,
    event::EventKind,
    store::{Outcome, Record, RecordKey, pause_about},
};

/// The pauses between the tries, in seconds: about a minute in all, the longer ones for a store that takes long to recover.
const PAUSES: [u64; 6] = [1, 2, 4, 8, 16, 32];
/// How much a store may owe at a time. More is let go: what has no browser any more ends by its own timeouts.
pub(super) const MOST_OWED: usize = 64;

enum Debt {
    Record(RecordKey),
    Lines(Vec<Line>),
}

/// A line of descent that a logout couldn't end.
pub(crate) enum Line {
    Of(Record),
    /// All that is known is the key that the browser showed.
    Behind(RecordKey),
}

impl Realm {
    /// Deletes a record that nobody has the token of, where it was written at all. Where the store has just let a deadline pass, nobody
    /// waits for this, and what it writes after all goes later.
    pub(crate) async fn discard(self: &Arc<Self>, key: RecordKey, hangs: bool) {
        if hangs || self.delete(&key, None).await.is_err() {
            self.owe(Debt::Record(key));
        }
    }

    /// Ends these lines of descent when the store lets it, and tells so.
    pub(crate) fn end_later(self: &Arc<Self>, lines: Vec<Line>) {
        if !lines.is_empty() {
            self.owe(Debt::Lines(lines));
        }
    }

    fn owe(self: &Arc<Self>, mut debt: Debt) {
        let (Ok(runtime), Ok(permit)) = (
            Handle::try_current(),
            Arc::clone(&self.owed).try_acquire_owned(),
        ) else {
            return;
        };
        let realm = Arc::clone(self);
        runtime.spawn(async move {
            let _permit = permit;
            for seconds in PAUSES {
                if let Ok(true) = realm.pay(&mut debt).await {
                    return;
                }
                pause_about(Duration::from_secs(seconds)).await;
            }
            let _given_up = realm.pay(&mut debt).await;
        });
    }

    /// Whether nothing is owed any more.
    async fn pay(&self, debt: &mut Debt) -> Result<bool, Error> {
        match debt {
            // One that isn't there may come yet. One that has gone doesn't: no key is written twice.
            Debt::Record(key) => Ok(self.delete(key, None).await? == Outcome::Done),
            Debt::Lines(lines) => {
                while let Some(line) = lines.last() {
                    self.end(line).await?;
                    lines.pop();
                }
                Ok(true)
            }
        }
    }

    async fn end(&self, line: &Line) -> Result<(), Error> {
        let found;
        let record = match line {
            Line::Of(record) => record,
            Line::Behind(key) => {
                found = self.read(key).await?.filter(|record| record.key == *key);
                let Some(record) = &found else { return Ok(()) };
                record
            }
        };
        if self.end_line(record).await? {
            let owner = record.owner.as_deref();
            self.report_of(EventKind::LoggedOut, owner, record.family);
        }
        Ok(())
    }
}
