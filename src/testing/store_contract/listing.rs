//! An owner's list: complete, live, in order, in pages.

use super::{
    answer::{Broken, Verdict, answers, same_records, short},
    probe::{HOUR, Probe},
};
use crate::store::{Outcome, Page, Record, RecordKey};

pub(super) async fn fault_38_lists_come_in_pages_in_the_order_of_the_keys(probe: Probe) -> Verdict {
    let owner = probe.owner();
    let records = in_order(&probe, &owner.clone(), 12).await?;
    for limit in [1, 2, 5, 11, 12, 13, usize::MAX] {
        let mut after = None;
        let mut pages = records.chunks(limit);
        loop {
            let promised = pages.next().unwrap_or_default();
            let found = probe
                .list(&owner, Page { after, limit }, probe.now())
                .await?;
            let did = format!("list in pages of {limit}, {}", after_what(after));
            same_page(did, promised, &found)?;
            match found.last() {
                Some(last) if found.len() == limit => after = Some(last.key),
                _ => break,
            }
        }
    }
    Ok(())
}

pub(super) async fn a_page_of_none_is_empty(probe: Probe) -> Verdict {
    let owner = probe.owner();
    let records = probe.records_of(&owner, 3).await?;
    for after in [None, records.first().map(|record| record.key)] {
        let page = Page { after, limit: 0 };
        let found = probe.list(&owner, page, probe.now()).await?;
        same_page("list with limit 0".to_owned(), &[], &found)?;
    }
    Ok(())
}

pub(super) async fn a_page_starts_after_any_key(probe: Probe) -> Verdict {
    let owner = probe.owner();
    let records = in_order(&probe, &owner, 10).await?;
    let deleted = records.iter().step_by(2).map(|record| record.key);
    for key in deleted.clone() {
        let deleted = probe.delete(&key, None).await?;
        answers("delete", Outcome::Done, deleted)?;
    }
    let left: Vec<_> = records.iter().skip(1).step_by(2).cloned().collect();
    let ends = [[0; 32], [0xff; 32]].map(RecordKey::from_bytes);
    for after in deleted.chain(ends).chain([probe.key()]) {
        for limit in [1, 3, 100] {
            let page = Page {
                after: Some(after),
                limit,
            };
            let promised = left.iter().filter(|record| record.key > after);
            let promised: Vec<_> = promised.take(limit).cloned().collect();
            let found = probe.list(&owner, page, probe.now()).await?;
            let what = after_what(page.after);
            let did = format!("list of {limit}, {what}, which isn't in the list");
            same_page(did, &promised, &found)?;
        }
    }
    Ok(())
}

pub(super) async fn fault_38_a_page_is_full_as_long_as_there_are_more(probe: Probe) -> Verdict {
    let owner = probe.owner();
    let mut records: Vec<_> = (0..30).map(|_| probe.record_of(&owner)).collect();
    records.sort_by_key(|record| record.key);
    // Most are dead an hour before the others.
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
    for promised in live.chunks(limit) {
        let found = probe.list(&owner, Page { after, limit }, now).await?;
        let did = format!("list of 2 where most have expired, {}", after_what(after));
        same_page(did, promised, &found)?;
        after = found.last().map(|record| record.key);
    }
    let found = probe.list(&owner, Page { after, limit }, now).await?;
    same_page("list after the last live record".to_owned(), &[], &found)
}

pub(super) async fn expired_is_absent_in_a_list_from_the_very_millisecond(probe: Probe) -> Verdict {
    let owner = probe.owner();
    let mut records = probe.records_of(&owner, 1).await?;
    let last = Record {
        expires: probe.now() + 2 * HOUR,
        ..probe.record_of(&owner)
    };
    probe.insert(&last).await?;
    records.push(last);
    let expires = probe.now() + HOUR;
    for (now, promised) in [
        (expires - 1, &*records),
        (expires, records.get(1..).unwrap_or_default()),
        (expires + 1, records.get(1..).unwrap_or_default()),
        (expires + HOUR - 1, records.get(1..).unwrap_or_default()),
        (expires + HOUR, &[]),
        (expires + 2 * HOUR, &[]),
    ] {
        let when = format!("{} ms after a record expired", now - expires);
        probe.lists(&owner, now, promised, when).await?;
    }
    Ok(())
}

pub(super) async fn fault_38_300_records_of_one_owner(probe: Probe) -> Verdict {
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
            after = page.last().map(|record| record.key);
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

pub(super) async fn a_list_holds_nobody_elses_records(probe: Probe) -> Verdict {
    let (owner, other) = (probe.owner(), probe.owner());
    let family = probe.family();
    let mine = probe.record_of(&owner);
    let theirs = Record {
        family,
        ..probe.record_of(&other)
    };
    let nobodys = Record {
        owner: None,
        family,
        ..probe.record()
    };
    probe
        .insert_all(&[mine.clone(), theirs.clone(), nobodys])
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

pub(super) async fn a_list_shows_what_was_just_changed(probe: Probe) -> Verdict {
    let owner = probe.owner();
    let mut records = probe.records_of(&owner, 3).await?;
    for number in 0..3 {
        let Some(record) = records.get_mut(number) else {
            break;
        };
        let updated = probe.update(&record.key, 0, b"new", probe.now()).await?;
        answers("update", Outcome::Done, updated)?;
        record.version = 1;
        record.payload = b"new"[..].into();
        record.touched = probe.now() + 1;
        record.expires += 1;
        let touched = probe
            .touch(&record.key, record.touched, record.expires)
            .await?;
        answers("touch", Outcome::Done, touched)?;
        let when = "right after an update and a touch";
        probe.lists(&owner, probe.now(), &records, when).await?;
    }
    Ok(())
}

/// With keys on both sides of every sign, and some that share their first bytes. In the order of the keys.
async fn in_order(
    probe: &Probe,
    owner: &std::sync::Arc<str>,
    count: usize,
) -> Result<Vec<Record>, Broken> {
    let firsts = [0x00, 0x7f, 0x80, 0xff];
    let mut records: Vec<_> = firsts
        .into_iter()
        .cycle()
        .take(count)
        .map(|first| {
            let mut key = *probe.key().as_bytes();
            key.iter_mut().take(2).for_each(|byte| *byte = first);
            Record {
                key: RecordKey::from_bytes(key),
                ..probe.record_of(owner)
            }
        })
        .collect();
    probe.insert_all(&records).await?;
    records.sort_by_key(|record| record.key);
    Ok(records)
}

fn after_what(after: Option<RecordKey>) -> String {
    after.map_or_else(
        || "from the start".to_owned(),
        |key| format!("after key {}", short(&key)),
    )
}

fn same_page(did: String, promised: &[Record], came: &[Record]) -> Verdict {
    let keys = |records: &[Record]| -> Vec<_> {
        records.iter().map(|record| short(&record.key)).collect()
    };
    same_records(&promised.iter().collect::<Vec<_>>(), came)
        .map_err(|what| format!("{did}: {what}"))?;
    let sorted = promised.iter().map(|record| record.key);
    if sorted.ne(came.iter().map(|record| record.key)) {
        return Err(format!(
            "{did}: promised is the order of the keys, {:?}, came {:?}",
            keys(promised),
            keys(came)
        ));
    }
    Ok(())
}
