//! Deletion of an owner's records.

use std::sync::Arc;

use super::{
    outcome::{Broken, Verdict, expect},
    probe::{HOUR, Probe},
};
use crate::store::{Outcome, SessionId, SessionRecord};

pub(super) async fn delete_all_deletes_an_owners_records(probe: Probe) -> Verdict {
    let scene = Scene::new(&probe).await?;
    scene.deletes_all_but(&probe, None).await
}

pub(super) async fn delete_all_spares_the_excepted_record(probe: Probe) -> Verdict {
    for number in 0..3 {
        let scene = Scene::new(&probe).await?;
        let except = scene.mine.get(number).map(|record| record.id);
        scene.deletes_all_but(&probe, except).await?;
    }
    Ok(())
}

/// The excepted id is that of another owner's record, or of no record at all.
pub(super) async fn delete_all_but_a_foreign_record_deletes_all(probe: Probe) -> Verdict {
    let scene = Scene::new(&probe).await?;
    let foreign = scene.others.first().map(|record| record.id);
    scene.deletes_all_but(&probe, foreign).await?;
    let scene = Scene::new(&probe).await?;
    scene.deletes_all_but(&probe, Some(probe.id())).await
}

/// Three records of one owner, one of another, and an anonymous one.
struct Scene {
    owner: Arc<str>,
    other: Arc<str>,
    mine: Vec<SessionRecord>,
    others: Vec<SessionRecord>,
}

impl Scene {
    async fn new(probe: &Probe) -> Result<Self, Broken> {
        let (owner, other) = (probe.owner(), probe.owner());
        let mine: Vec<_> = (0..3).map(|_| probe.record_of(&owner)).collect();
        let anonymous = SessionRecord {
            owner: None,
            ..probe.record()
        };
        let others = vec![probe.record_of(&other), anonymous];
        probe.insert_all(&mine).await?;
        probe.insert_all(&others).await?;
        Ok(Self {
            owner,
            other,
            mine,
            others,
        })
    }

    async fn deletes_all_but(&self, probe: &Probe, except: Option<SessionId>) -> Verdict {
        let is_spared = |record: &&SessionRecord| Some(record.id) == except;
        let (left, gone): (Vec<_>, Vec<_>) = self.mine.iter().partition(is_spared);
        let what = format!(
            "delete_all of an owner with 3 records, {} of them excepted",
            left.len()
        );
        let deleted = probe.delete_all(&self.owner, except).await?;
        expect(&what, gone.len() as u64, deleted)?;
        let when = format!("after {what}");
        for record in &gone {
            probe.lacks(&record.id, &when).await?;
        }
        for record in left.iter().copied().chain(&self.others) {
            probe.finds(record, &when).await?;
        }
        probe.lists(&self.owner, probe.now(), left, &when).await?;
        let theirs = self.others.iter().filter(|record| record.owner.is_some());
        probe.lists(&self.other, probe.now(), theirs, &when).await?;
        let deleted = probe.delete_all(&self.owner, except).await?;
        expect(format!("the same {what}, again"), 0, deleted)
    }
}

pub(super) async fn delete_all_deletes_300_records(probe: Probe) -> Verdict {
    let owner = probe.owner();
    let records = probe.records_of(&owner, 300).await?;
    let deleted = probe.delete_all(&owner, None).await?;
    expect("delete_all of an owner with 300 records", 300, deleted)?;
    let when = "after a delete_all of 300 records";
    for record in records.iter().step_by(50) {
        probe.lacks(&record.id, when).await?;
    }
    probe.lists(&owner, probe.now(), [], when).await
}

pub(super) async fn new_records_after_delete_all_are_listed(probe: Probe) -> Verdict {
    let owner = probe.owner();
    for round in 0..3 {
        let records = probe.records_of(&owner, 2).await?;
        let when = format!("after {round} times delete_all and new records");
        probe.lists(&owner, probe.now(), &records, when).await?;
        let deleted = probe.delete_all(&owner, None).await?;
        expect("delete_all of an owner with 2 records", 2, deleted)?;
    }
    Ok(())
}

pub(super) async fn changes_after_delete_all_are_gone(probe: Probe) -> Verdict {
    let record = probe.inserted().await?;
    let owner = record.owner.clone().unwrap_or_default();
    let deleted = probe.delete_all(&owner, None).await?;
    expect("delete_all of an owner with a record", 1, deleted)?;
    let updated = probe.update(&record, probe.now()).await?;
    expect("update after a delete_all", Outcome::Gone, updated)?;
    let touched = probe.touch(&record.id, probe.now(), record.ends).await?;
    expect("touch after a delete_all", Outcome::Gone, touched)?;
    let deleted = probe.delete(&record.id, Some(0)).await?;
    expect("delete after a delete_all", Outcome::Gone, deleted)?;
    probe.lacks(&record.id, "after late changes").await?;
    probe
        .lists(&owner, probe.now(), [], "after late changes")
        .await
}

pub(super) async fn delete_all_includes_expired_records(probe: Probe) -> Verdict {
    let owner = probe.owner();
    let live = probe.records_of(&owner, 2).await?;
    let expired: Vec<_> = (0..3)
        .map(|_| SessionRecord {
            created: probe.now() - 3 * HOUR,
            touched: probe.now() - 2 * HOUR,
            expires: probe.now() - HOUR,
            ..probe.record_of(&owner)
        })
        .collect();
    probe.insert_all(&expired).await?;
    let deleted = probe.delete_all(&owner, None).await?;
    if !(2..=5).contains(&deleted) {
        return Err(format!(
            "delete_all of an owner with 2 live and 3 expired records: expected 2 to 5, since the \
             store may have removed expired ones, got {deleted}"
        ));
    }
    for record in live.iter().chain(&expired) {
        // `delete_all` is not passed a time. If the clock is turned back, an expired record that is
        // still there is live again.
        probe
            .lacks(&record.id, "after a delete_all with expired records")
            .await?;
    }
    let before = probe.now() - HOUR - 1;
    probe
        .lists(&owner, before, [], "after a delete_all, an hour earlier")
        .await
}
