//! An owner's list: complete, live, in order, in pages.

use std::{sync::Arc, thread, time::Duration};

use tokio::task::spawn_blocking;

use super::{
    outcome::{Broken, Verdict, expect, same_records, short, why},
    probe::{HOUR, Probe},
};
use crate::{
    clock::{Clock, Millis},
    store::{Outcome, Page, SessionId, SessionRecord},
};

pub(super) async fn lists_come_in_pages_in_the_order_of_the_ids(probe: Probe) -> Verdict {
    let owner = probe.owner();
    let records = in_order(&probe, &owner, 12).await?;
    for limit in [1, 2, 5, 11, 12, 13, usize::MAX] {
        let mut after = None;
        let mut pages = records.chunks(limit);
        loop {
            let expected = pages.next().unwrap_or_default();
            let found = probe
                .list(&owner, Page { after, limit }, probe.now())
                .await?;
            let did = format!("list in pages of {limit}, {}", after_what(after));
            same_page(did, expected, &found)?;
            match found.last() {
                Some(last) if found.len() == limit => after = Some(last.id),
                _ => break,
            }
        }
    }
    Ok(())
}

pub(super) async fn a_page_of_zero_records_is_empty(probe: Probe) -> Verdict {
    let owner = probe.owner();
    let records = probe.records_of(&owner, 3).await?;
    for after in [None, records.first().map(|record| record.id)] {
        let page = Page { after, limit: 0 };
        let found = probe.list(&owner, page, probe.now()).await?;
        same_page("list with limit 0".to_owned(), &[], &found)?;
    }
    Ok(())
}

pub(super) async fn a_page_starts_after_any_id(probe: Probe) -> Verdict {
    let owner = probe.owner();
    let records = in_order(&probe, &owner, 10).await?;
    let deleted = records.iter().step_by(2).map(|record| record.id);
    for id in deleted.clone() {
        let deleted = probe.delete(&id, None).await?;
        expect("delete", Outcome::Done, deleted)?;
    }
    let left: Vec<_> = records.iter().skip(1).step_by(2).cloned().collect();
    let ends = [[0; 16], [0xff; 16]].map(SessionId::from_bytes);
    for after in deleted.chain(ends).chain([probe.id()]) {
        for limit in [1, 3, 100] {
            let page = Page {
                after: Some(after),
                limit,
            };
            let expected = left.iter().filter(|record| record.id > after);
            let expected: Vec<_> = expected.take(limit).cloned().collect();
            let found = probe.list(&owner, page, probe.now()).await?;
            let what = after_what(page.after);
            let did = format!("list of {limit}, {what}, which is not in the list");
            same_page(did, &expected, &found)?;
        }
    }
    Ok(())
}

pub(super) async fn a_page_is_full_while_there_are_more(probe: Probe) -> Verdict {
    let owner = probe.owner();
    let mut records: Vec<_> = (0..30).map(|_| probe.record_of(&owner)).collect();
    records.sort_by_key(|record| record.id);
    // Most expire an hour before the others.
    for (number, record) in records.iter_mut().enumerate() {
        record.expires += if number % 5 == 4 { HOUR } else { 0 };
    }
    probe.insert_all(&records).await?;
    let now = probe.now() + HOUR;
    let live: Vec<_> = records
        .into_iter()
        .filter(|record| record.is_live(now))
        .collect();
    let (mut after, limit) = (None, 2);
    for expected in live.chunks(limit) {
        let found = probe.list(&owner, Page { after, limit }, now).await?;
        let did = format!("list of 2 among expired ones, {}", after_what(after));
        same_page(did, expected, &found)?;
        after = found.last().map(|record| record.id);
    }
    let found = probe.list(&owner, Page { after, limit }, now).await?;
    same_page("list after the last live record".to_owned(), &[], &found)
}

pub(super) async fn an_expired_record_is_absent_in_a_list(probe: Probe) -> Verdict {
    let owner = probe.owner();
    let mut records = probe.records_of(&owner, 1).await?;
    let last = SessionRecord {
        expires: probe.now() + 2 * HOUR,
        ..probe.record_of(&owner)
    };
    probe.insert(&last).await?;
    records.push(last);
    let expires = probe.now() + HOUR;
    for (now, expected) in [
        (expires - 1, &*records),
        (expires, records.get(1..).unwrap_or_default()),
        (expires + 1, records.get(1..).unwrap_or_default()),
        (expires + HOUR - 1, records.get(1..).unwrap_or_default()),
        (expires + HOUR, &[]),
        (expires + 2 * HOUR, &[]),
    ] {
        let when = format!("{} ms after a record expired", now - expires);
        probe.lists(&owner, now, expected, when).await?;
    }
    Ok(())
}

pub(super) async fn a_list_of_300_records_is_complete(probe: Probe) -> Verdict {
    let (owner, other) = (probe.owner(), probe.owner());
    let others = probe.records_of(&other, 3).await?;
    let records = in_order(&probe, &owner, 300).await?;
    for limit in [300, 128] {
        let mut found = Vec::new();
        let mut after = None;
        loop {
            let page = probe
                .list(&owner, Page { after, limit }, probe.now())
                .await?;
            after = page.last().map(|record| record.id);
            let is_last = page.len() < limit;
            found.extend(page);
            if is_last {
                break;
            }
        }
        same_page(format!("list in pages of {limit}"), &records, &found)?;
    }
    probe
        .lists(&other, probe.now(), &others, "beside an owner of 300")
        .await
}

pub(super) async fn a_list_has_only_the_owners_records(probe: Probe) -> Verdict {
    let (owner, other) = (probe.owner(), probe.owner());
    let mine = probe.record_of(&owner);
    let theirs = probe.record_of(&other);
    let anonymous = SessionRecord {
        owner: None,
        ..probe.record()
    };
    probe
        .insert_all(&[mine.clone(), theirs.clone(), anonymous])
        .await?;
    probe
        .lists(&owner, probe.now(), [&mine], "of one of two owners")
        .await?;
    probe
        .lists(&other, probe.now(), [&theirs], "of the other owner")
        .await?;
    probe
        .lists(&probe.owner(), probe.now(), [], "of an unknown owner")
        .await
}

pub(super) async fn a_list_shows_the_latest_changes(probe: Probe) -> Verdict {
    let owner = probe.owner();
    let mut records = probe.records_of(&owner, 3).await?;
    for number in 0..3 {
        let Some(record) = records.get_mut(number) else {
            break;
        };
        record.ends += 1;
        *record = probe.updated(record, b"new").await?;
        record.touched = probe.now() + 1;
        record.expires += 1;
        let touched = probe
            .touch(&record.id, record.touched, record.expires)
            .await?;
        expect("touch", Outcome::Done, touched)?;
        let when = "right after an update and a touch";
        probe.lists(&owner, probe.now(), &records, when).await?;
    }
    Ok(())
}

/// A store whose server removes records by its own clock must extend both the record and its entry
/// in the list. So this check waits until the first end has passed, about a second.
pub(super) async fn an_extended_record_outlives_its_first_end(probe: Probe) -> Verdict {
    // On a slow store, the records may expire before they are extended.
    for lifetime in [1000, 4000, 15_000] {
        let first_end = Clock::System.now() + lifetime;
        let Some(records) = extended_from(&probe, first_end).await? else {
            continue;
        };
        // The system's clock is used, even if the runtime's clock is paused.
        let rest = first_end + 300 - Clock::System.now();
        let rest = Duration::from_millis(rest.max(0).unsigned_abs());
        let waited = spawn_blocking(move || thread::sleep(rest)).await;
        waited.map_err(why)?;
        let now = Clock::System.now();
        for (how, record) in &records {
            let when = format!("of a record extended by {how}, after its first end");
            probe.finds(record, &when).await?;
            let owner = record.owner.clone().unwrap_or_default();
            probe.lists(&owner, now, [record], &when).await?;
        }
        return Ok(());
    }
    Err("touch and update of a live record that expires in 15 seconds: Gone".to_owned())
}

/// Returns one record extended by a touch and one by an update, or `None` if one of them expired
/// before that.
async fn extended_from(
    probe: &Probe,
    first_end: Millis,
) -> Result<Option<Vec<(&'static str, SessionRecord)>>, Broken> {
    let touched = SessionRecord {
        expires: first_end,
        ..probe.record()
    };
    let updated = SessionRecord {
        expires: first_end,
        ends: first_end,
        ..probe.record()
    };
    probe.insert(&touched).await?;
    probe.insert(&updated).await?;
    let later = first_end + HOUR;
    let outcomes = [
        probe.touch(&touched.id, touched.touched, later).await?,
        probe
            .update(
                &SessionRecord {
                    expires: later,
                    ends: later,
                    ..updated.clone()
                },
                probe.now(),
            )
            .await?,
    ];
    // A record expired before that, or the cleanup of another check, which may be ten seconds
    // ahead, removed it.
    if Clock::System.now() >= first_end || outcomes.contains(&Outcome::Gone) {
        return Ok(None);
    }
    expect("touch and update", [Outcome::Done; 2], outcomes)?;
    let touched = SessionRecord {
        expires: later,
        ..touched
    };
    let updated = SessionRecord {
        version: 1,
        expires: later,
        ends: later,
        ..updated
    };
    Ok(Some(vec![("a touch", touched), ("an update", updated)]))
}

/// Creates records with ids on both sides of a sign bit, and some that share their first bytes.
/// Returns them in the order of their ids.
async fn in_order(
    probe: &Probe,
    owner: &Arc<str>,
    count: usize,
) -> Result<Vec<SessionRecord>, Broken> {
    let firsts = [0x00, 0x7f, 0x80, 0xff];
    let mut records: Vec<_> = firsts
        .into_iter()
        .cycle()
        .take(count)
        .map(|first| {
            let mut id = *probe.id().as_bytes();
            id.iter_mut().take(5).for_each(|byte| *byte = first);
            SessionRecord {
                id: SessionId::from_bytes(id),
                ..probe.record_of(owner)
            }
        })
        .collect();
    probe.insert_all(&records).await?;
    records.sort_by_key(|record| record.id);
    Ok(records)
}

fn after_what(after: Option<SessionId>) -> String {
    after.map_or_else(
        || "from the start".to_owned(),
        |id| format!("after id {}", short(&id)),
    )
}

fn same_page(did: String, expected: &[SessionRecord], got: &[SessionRecord]) -> Verdict {
    let ids = |records: &[SessionRecord]| -> Vec<_> {
        records.iter().map(|record| short(&record.id)).collect()
    };
    same_records(&expected.iter().collect::<Vec<_>>(), got)
        .map_err(|what| format!("{did}: {what}"))?;
    let sorted = expected.iter().map(|record| record.id);
    if sorted.ne(got.iter().map(|record| record.id)) {
        return Err(format!(
            "{did}: expected the order of the ids, {:?}, got {:?}",
            ids(expected),
            ids(got)
        ));
    }
    Ok(())
}
