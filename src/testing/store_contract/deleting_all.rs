//! A logout of a browser, of the others, of everywhere.

use std::sync::Arc;

use super::{
    answer::{Broken, Verdict, answers},
    probe::{HOUR, Probe},
};
use crate::store::{Family, Outcome, Record, Which};

pub(super) async fn delete_all_deletes_all(probe: Probe) -> Verdict {
    let scene = Scene::new(&probe).await?;
    scene.deletes(&probe, Which::All).await
}

pub(super) async fn delete_all_deletes_one_family(probe: Probe) -> Verdict {
    for family in 0..3 {
        let scene = Scene::new(&probe).await?;
        scene
            .deletes(&probe, Which::Only(scene.family(family)))
            .await?;
    }
    Ok(())
}

pub(super) async fn delete_all_deletes_the_other_families(probe: Probe) -> Verdict {
    for family in 0..3 {
        let scene = Scene::new(&probe).await?;
        scene
            .deletes(&probe, Which::Except(scene.family(family)))
            .await?;
    }
    Ok(())
}

/// Two owners and nobody, in the same families.
struct Scene {
    owner: Arc<str>,
    other: Arc<str>,
    // The last has no record.
    families: [Family; 3],
    mine: Vec<Record>,
    others: Vec<Record>,
}

impl Scene {
    async fn new(probe: &Probe) -> Result<Self, Broken> {
        let (owner, other) = (probe.owner(), probe.owner());
        let families = [(); 3].map(|()| probe.family());
        let [one, two, _] = families;
        let of = |family| Record {
            family,
            ..probe.record_of(&owner)
        };
        let mine = vec![of(one), of(one), of(one), of(two), of(two)];
        let owners = [Some(Arc::clone(&other)), None];
        let others: Vec<_> = owners
            .into_iter()
            .flat_map(|owner| [one, two].map(|family| (owner.clone(), family)))
            .map(|(owner, family)| Record {
                owner,
                ..of(family)
            })
            .map(|record| Record {
                key: probe.key(),
                ..record
            })
            .collect();
        probe.insert_all(&mine).await?;
        probe.insert_all(&others).await?;
        Ok(Self {
            owner,
            other,
            families,
            mine,
            others,
        })
    }

    fn family(&self, number: usize) -> Family {
        let [one, two, without] = self.families;
        match number {
            0 => one,
            1 => two,
            _ => without,
        }
    }

    async fn deletes(&self, probe: &Probe, which: Which) -> Verdict {
        let is_theirs = |record: &&Record| which.includes(record.family);
        let (gone, left): (Vec<_>, Vec<_>) = self.mine.iter().partition(is_theirs);
        let what = format!(
            "delete_all({which:?}) of an owner with 3 records of one family and 2 of another, {} of them meant",
            gone.len()
        );
        let deleted = probe.delete_all(&self.owner, which).await?;
        answers(&what, gone.len() as u64, deleted)?;
        for record in &gone {
            probe
                .lacks(
                    &record.key,
                    format!("of a record that is meant, after {what}"),
                )
                .await?;
        }
        for record in &left {
            probe
                .finds(
                    record,
                    format!("of a record that isn't meant, after {what}"),
                )
                .await?;
        }
        for record in &self.others {
            probe
                .finds(
                    record,
                    format!("of a record that isn't the owner's, after {what}"),
                )
                .await?;
        }
        let when = format!("after {what}");
        probe.lists(&self.owner, probe.now(), left, &when).await?;
        let theirs = self.others.iter().filter(|record| record.owner.is_some());
        probe.lists(&self.other, probe.now(), theirs, &when).await?;
        let deleted = probe.delete_all(&self.owner, which).await?;
        answers(format!("the same {what}, once more"), 0, deleted)
    }
}

pub(super) async fn delete_all_of_300(probe: Probe) -> Verdict {
    let owner = probe.owner();
    let records = probe.records_of(&owner, 300).await?;
    let deleted = probe.delete_all(&owner, Which::All).await?;
    answers("delete_all of an owner with 300 records", 300, deleted)?;
    for record in records.iter().step_by(50) {
        probe
            .lacks(&record.key, "after a delete_all of 300")
            .await?;
    }
    probe
        .lists(&owner, probe.now(), [], "after a delete_all of 300")
        .await
}

pub(super) async fn an_owner_can_come_back_after_a_delete_all(probe: Probe) -> Verdict {
    let owner = probe.owner();
    for round in 0..3 {
        let records = probe.records_of(&owner, 2).await?;
        let when = format!("after {round} times delete_all and new records");
        probe.lists(&owner, probe.now(), &records, when).await?;
        let deleted = probe.delete_all(&owner, Which::All).await?;
        answers("delete_all of an owner with 2 records", 2, deleted)?;
    }
    Ok(())
}

pub(super) async fn fault_10_changes_after_a_delete_all_are_gone(probe: Probe) -> Verdict {
    let record = probe.inserted().await?;
    let owner = record.owner.clone().unwrap_or_default();
    let deleted = probe.delete_all(&owner, Which::Only(record.family)).await?;
    answers("delete_all of the record's family", 1, deleted)?;
    let updated = probe.update(&record.key, 0, b"late", probe.now()).await?;
    answers("update after a delete_all", Outcome::Gone, updated)?;
    let touched = probe.touch(&record.key, probe.now(), record.ends).await?;
    answers("touch after a delete_all", Outcome::Gone, touched)?;
    let deleted = probe.delete(&record.key, Some(0)).await?;
    answers("delete after a delete_all", Outcome::Gone, deleted)?;
    probe.lacks(&record.key, "after late changes").await?;
    probe
        .lists(&owner, probe.now(), [], "after late changes")
        .await
}

pub(super) async fn delete_all_takes_expired_records_too(probe: Probe) -> Verdict {
    let owner = probe.owner();
    let live = probe.records_of(&owner, 2).await?;
    let expired: Vec<_> = (0..3)
        .map(|_| Record {
            created: probe.now() - 3 * HOUR,
            touched: probe.now() - 2 * HOUR,
            expires: probe.now() - HOUR,
            ..probe.record_of(&owner)
        })
        .collect();
    probe.insert_all(&expired).await?;
    let deleted = probe.delete_all(&owner, Which::All).await?;
    if !(2..=5).contains(&deleted) {
        return Err(format!(
            "delete_all of an owner with 2 live and 3 expired records: promised are 2 to 5, since \
             expired ones may have been cleared away, came {deleted}"
        ));
    }
    for record in live.iter().chain(&expired) {
        // Nothing says what time it is: the clock may go back, and then an expired one would live again.
        probe
            .lacks(&record.key, "after a delete_all with expired records")
            .await?;
    }
    let before = probe.now() - HOUR - 1;
    probe
        .lists(&owner, before, [], "after a delete_all, an hour earlier")
        .await
}
