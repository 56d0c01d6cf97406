//! Use moves the end on, within its limit.

use super::{
    answer::{Verdict, answers},
    probe::{HOUR, Probe},
};
use crate::store::{Outcome, Record};

pub(super) async fn b11_a_touch_moves_the_end_on_never_beyond_the_limit_nor_back(
    probe: Probe,
) -> Verdict {
    let mut record = probe.inserted().await?;
    let (now, expires, ends) = (probe.now(), record.expires, record.ends);
    for (at, asked, becomes) in [
        (now + 1, expires + 1, expires + 1),
        (now + 2, expires + 501, expires + 501),
        (now + 3, expires, expires + 501),
        // Whose clock is behind says so, too.
        (now - 4, now - HOUR, expires + 501),
        (now + 5, i64::MIN, expires + 501),
        (now + 6, ends - 1, ends - 1),
        (now + 7, ends, ends),
        (now + 8, ends + 1, ends),
        (now + 9, i64::MAX, ends),
        (now + 10, expires, ends),
    ] {
        let did = format!(
            "touch that asks for {asked} when it expires at {} and ends at {ends}",
            record.expires
        );
        let touched = probe.touch(&record.key, at, asked).await?;
        answers(&did, Outcome::Done, touched)?;
        record.touched = at;
        record.expires = becomes;
        probe.finds(&record, format!("after a {did}")).await?;
    }
    Ok(())
}

pub(super) async fn a_touch_changes_nothing_but_touched_and_expires(probe: Probe) -> Verdict {
    let owner = probe.owner();
    let neighbour = probe.record_of(&owner);
    let mut record = Record {
        version: 7,
        ..probe.record_of(&owner)
    };
    probe
        .insert_all(&[record.clone(), neighbour.clone()])
        .await?;
    record.touched = probe.now() + 1;
    record.expires += 1;
    let touched = probe
        .touch(&record.key, record.touched, record.expires)
        .await?;
    answers("touch", Outcome::Done, touched)?;
    probe.finds(&record, "right after a touch").await?;
    probe
        .finds(&neighbour, "after a touch of another of the owner's")
        .await?;
    let when = "right after a touch";
    probe
        .lists(&owner, probe.now(), [&record, &neighbour], when)
        .await?;
    // Another request's compare-and-swap doesn't notice.
    let updated = probe.update(&record.key, 7, b"new", probe.now()).await?;
    answers(
        "update at the version read before a touch",
        Outcome::Done,
        updated,
    )
}

pub(super) async fn a_touched_record_lives_longer(probe: Probe) -> Verdict {
    let mut record = probe.inserted().await?;
    let old = record.expires;
    record.touched = old - 1;
    record.expires = old + HOUR;
    let touched = probe.touch(&record.key, old - 1, record.expires).await?;
    answers(
        "touch a millisecond before it expires",
        Outcome::Done,
        touched,
    )?;
    let owner = record.owner.clone().unwrap_or_default();
    for now in [old, record.expires - 1] {
        let when = "at a time that only the touch made it live to see";
        probe.lists(&owner, now, [&record], when).await?;
    }
    let updated = probe
        .update(&record.key, 0, b"new", record.expires - 1)
        .await?;
    answers(
        "update in the last millisecond that a touch gave",
        Outcome::Done,
        updated,
    )
}

pub(super) async fn fault_10_a_touch_after_a_delete_is_gone(probe: Probe) -> Verdict {
    let record = probe.inserted().await?;
    let deleted = probe.delete(&record.key, None).await?;
    answers("delete", Outcome::Done, deleted)?;
    let touched = probe.touch(&record.key, probe.now(), record.ends).await?;
    answers("touch after a delete", Outcome::Gone, touched)?;
    probe.lacks(&record.key, "after a late touch").await?;
    let owner = record.owner.unwrap_or_default();
    probe
        .lists(&owner, probe.now(), [], "after a late touch")
        .await
}

pub(super) async fn expired_is_absent_for_a_touch_from_the_very_millisecond(
    probe: Probe,
) -> Verdict {
    for late in [0, 1, HOUR] {
        let record = probe.inserted().await?;
        let touched = probe
            .touch(&record.key, record.expires + late, record.ends)
            .await?;
        answers(
            format!("touch {late} ms after it expired"),
            Outcome::Gone,
            touched,
        )?;
        // It may have been cleared away; it must not have been brought back.
        match probe.load(&record.key).await? {
            Some(found) if found != record => {
                return Err("a touch that answered Gone changed the record".to_owned());
            }
            _ => {}
        }
    }
    Ok(())
}
