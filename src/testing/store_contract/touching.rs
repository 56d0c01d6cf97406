//! Using a session extends its record, up to its end.

use super::{
    outcome::{Verdict, expect},
    probe::{HOUR, Probe},
};
use crate::store::{Outcome, SessionRecord};

pub(super) async fn touch_moves_expires_up_to_ends_never_back(probe: Probe) -> Verdict {
    let mut record = probe.inserted().await?;
    let (now, expires, ends) = (probe.now(), record.expires, record.ends);
    for (at, to, becomes) in [
        (now + 1, expires + 1, expires + 1),
        (now + 2, expires + 501, expires + 501),
        (now + 3, expires, expires + 501),
        (now + 5, i64::MIN, expires + 501),
        (now + 6, ends - 1, ends - 1),
        (now + 7, ends, ends),
        (now + 8, ends + 1, ends),
        (now + 9, i64::MAX, ends),
        (now + 10, expires, ends),
    ] {
        let did = format!(
            "touch to {to} of a record that expires at {} and ends at {ends}",
            record.expires
        );
        let touched = probe.touch(&record.id, at, to).await?;
        expect(&did, Outcome::Done, touched)?;
        record.touched = at;
        record.expires = becomes;
        probe.finds(&record, format!("after a {did}")).await?;
    }
    Ok(())
}

pub(super) async fn touch_never_lowers_touched(probe: Probe) -> Verdict {
    let mut record = probe.inserted().await?;
    let now = probe.now();
    // The clocks of nodes may be ahead or behind.
    for at in [now + 7, now + 6, now, now - HOUR, now + 7, now + 8] {
        let did = format!("touch at {at} of a record touched at {}", record.touched);
        let touched = probe.touch(&record.id, at, record.expires).await?;
        expect(&did, Outcome::Done, touched)?;
        record.touched = record.touched.max(at);
        probe.finds(&record, format!("after a {did}")).await?;
    }
    Ok(())
}

pub(super) async fn touch_changes_only_touched_and_expires(probe: Probe) -> Verdict {
    let owner = probe.owner();
    let neighbour = probe.record_of(&owner);
    let mut record = SessionRecord {
        version: 7,
        ..probe.record_of(&owner)
    };
    probe
        .insert_all(&[record.clone(), neighbour.clone()])
        .await?;
    record.touched = probe.now() + 1;
    record.expires += 1;
    let touched = probe
        .touch(&record.id, record.touched, record.expires)
        .await?;
    expect("touch", Outcome::Done, touched)?;
    let when = "right after a touch";
    probe.finds(&record, when).await?;
    probe
        .finds(&neighbour, "after a touch of the owner's other record")
        .await?;
    let both = [&record, &neighbour];
    probe.lists(&owner, probe.now(), both, when).await?;
    // The version is the same, so another request's compare-and-swap succeeds.
    probe.updated(&record, b"new").await.map(drop)
}

pub(super) async fn a_touched_record_lives_longer(probe: Probe) -> Verdict {
    let mut record = probe.inserted().await?;
    let old = record.expires;
    record.touched = old - 1;
    record.expires = old + HOUR;
    let touched = probe.touch(&record.id, old - 1, record.expires).await?;
    let did = "touch a millisecond before it expires";
    expect(did, Outcome::Done, touched)?;
    let owner = record.owner.clone().unwrap_or_default();
    for now in [old, record.expires - 1] {
        let when = "at a time that it lives to see only since a touch";
        probe.lists(&owner, now, [&record], when).await?;
    }
    let updated = probe.update(&record, record.expires - 1).await?;
    let did = "update in the last millisecond after a touch";
    expect(did, Outcome::Done, updated)
}

pub(super) async fn touch_after_a_delete_is_gone(probe: Probe) -> Verdict {
    let record = probe.inserted().await?;
    let deleted = probe.delete(&record.id, None).await?;
    expect("delete", Outcome::Done, deleted)?;
    let touched = probe.touch(&record.id, probe.now(), record.ends).await?;
    expect("touch after a delete", Outcome::Gone, touched)?;
    probe.lacks(&record.id, "after a late touch").await?;
    let owner = record.owner.unwrap_or_default();
    probe
        .lists(&owner, probe.now(), [], "after a late touch")
        .await
}

pub(super) async fn an_expired_record_is_absent_for_touch(probe: Probe) -> Verdict {
    for late in [0, 1, HOUR] {
        let record = probe.inserted().await?;
        let touched = probe
            .touch(&record.id, record.expires + late, record.ends)
            .await?;
        let did = format!("touch {late} ms after it expired");
        expect(did, Outcome::Gone, touched)?;
        // The store may have removed it; it must not have revived it.
        match probe.load(&record.id).await? {
            Some(found) if found != record => {
                return Err("a touch that returned Gone changed the record".to_owned());
            }
            _ => {}
        }
    }
    Ok(())
}
