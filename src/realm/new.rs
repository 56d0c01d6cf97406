//! New records, and the tokens they get.

use std::sync::Arc;

use super::Realm;
use crate::{
    clock::Millis,
    error::{Error, ErrorKind},
    store::{Created, Family, Record, RecordKey, Token},
    timeouts::Timeouts,
};

/// How often a new record may meet a key that exists before the store is taken to be lying.
pub(crate) const KEYS: usize = 3;

/// What a new record is made of, the token apart.
pub(crate) struct NewRecord {
    pub(crate) family: Family,
    pub(crate) owner: Option<Arc<str>>,
    pub(crate) created: Millis,
    pub(crate) ends: Millis,
    /// The realm's, or those of the login.
    pub(crate) timeouts: Timeouts,
    pub(crate) payload: Arc<[u8]>,
}

impl Realm {
    /// A new session under a new token, not written yet.
    pub(crate) fn draft(&self, new: NewRecord, now: Millis) -> Result<(Token, Record), Error> {
        let (token, key) = self.new_key()?;
        let record = Record {
            key,
            family: new.family,
            owner: new.owner,
            created: new.created,
            touched: now,
            expires: new.timeouts.expires(now, new.ends),
            ends: new.ends,
            version: 0,
            payload: new.payload,
        };
        Ok((token, record))
    }

    pub(crate) fn new_key(&self) -> Result<(Token, RecordKey), Error> {
        let token = Token::random().map_err(|_| ErrorKind::Random)?;
        let key = self.key(&token);
        Ok((token, key))
    }

    /// Writes a draft; under another token where there is something under its key.
    pub(crate) async fn create(
        self: &Arc<Self>,
        token: &mut Token,
        record: &mut Record,
    ) -> Result<(), Error> {
        for _ in 0..KEYS {
            if self.insert(record).await? == Created::Done {
                return Ok(());
            }
            (*token, record.key) = self.new_key()?;
        }
        Err(every_key_exists())
    }

    /// Writes a new record. Where the outcome is unknown it is taken back as well as can be.
    pub(crate) async fn insert(self: &Arc<Self>, record: &Record) -> Result<Created, Error> {
        let created = self.ask_store(self.store.create(record.clone())).await;
        if let Err(error) = &created {
            self.discard(record.key, error.is_timeout()).await;
        }
        created
    }
}

pub(crate) fn every_key_exists() -> Error {
    Error::new(ErrorKind::Store, "the store says that every new key exists")
}
