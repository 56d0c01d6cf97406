//! A browser shows that it got a new secret.

use std::sync::Arc;

use tokio::runtime::Handle;

use super::{load_at, series::agent_of};
use crate::{
    clock::Millis,
    error::Error,
    realm::Realm,
    session::{Live, Payload, Proof, Visit},
    store::{Outcome, Record, RecordKey},
};

/// The browser shows the session that came with a new secret, so it has that too: notes it, once, in the background.
pub(crate) fn note_seen(visit: &Visit, live: &Live, now: Millis) {
    let Some(proof) = live.data.proof() else {
        return;
    };
    let (Some(key), Ok(runtime)) = (proof.unseen, Handle::try_current()) else {
        return;
    };
    let Some(Ok(token)) = visit.remember_token() else {
        return;
    };
    let (realm, session) = (Arc::clone(&visit.realm), live.record.clone());
    let secret = token.secret_digest(realm.name());
    runtime.spawn(async move {
        let _next_time = mark_seen(&realm, &key, &secret, &session, now).await;
    });
}

async fn mark_seen(
    realm: &Realm,
    key: &RecordKey,
    secret: &[u8; 32],
    session: &Record,
    now: Millis,
) -> Result<(), Error> {
    if let Some((record, series)) = load_at(realm, key, now).await? {
        // One that doesn't know the secret is older than the exchange, from a store that remembers, or newer.
        if !series.knows(secret) {
            return Ok(());
        }
        if let Some(seen) = series.seen(secret)
            && realm
                .update(&record, seen.encode(agent_of(&record.payload)), now)
                .await?
                != Outcome::Done
        {
            return Ok(());
        }
    }
    // Then the session needn't ask again.
    let Ok(payload) = Payload::decode(Arc::clone(&session.payload)) else {
        return Ok(());
    };
    let proof = payload.proof.map(|proof| Proof {
        unseen: None,
        ..proof
    });
    let payload = Payload::encode(proof.as_ref(), payload.agent(), payload.entries());
    let _next_time = realm.update(session, payload.bytes(), now).await?;
    Ok(())
}
