//! One record in the place of another, beside others who want the same record.

use std::{fmt::Debug, sync::Arc};

use tokio::task::yield_now;

use super::{
    answer::{Broken, Verdict, answers},
    probe::Probe,
    races::the_only_one,
    replacing::{is_left, is_missing},
    together::{RACERS, together},
};
use crate::store::{Outcome, Record, RecordKey, Replaced};

pub(super) async fn fault_20_of_64_replaces_of_one_record_one_is_done(probe: Probe) -> Verdict {
    for _ in 0..4 {
        let owner = probe.owner();
        let old = probe.record_of(&owner);
        probe.insert(&old).await?;
        let news: Vec<_> = (0..RACERS).map(|_| probe.record_of(&owner)).collect();
        let outcomes = together(news.clone(), |new| {
            let (probe, old) = (probe.clone(), old.key);
            async move { probe.replace(&old, 0, &new).await }
        })
        .await?;
        let winner = the_only_one(&outcomes, &Replaced::Done, &Replaced::Gone)
            .map_err(|what| format!("64 replaces of one record: {what}"))?;
        let when = "after 64 replaces of one record, one of them Done";
        probe.lacks(&old.key, when).await?;
        for (number, new) in news.iter().enumerate() {
            if number == winner {
                // It alone is on the list of the owner of all of them.
                is_left(&probe, new, when).await?;
            } else {
                probe.lacks(&new.key, when).await?;
            }
        }
    }
    Ok(())
}

pub(super) async fn a6_of_64_replaces_by_one_key_one_is_done(probe: Probe) -> Verdict {
    let key = probe.key();
    let mut olds = Vec::new();
    for _ in 0..RACERS {
        olds.push(probe.inserted().await?);
    }
    let pairs: Vec<_> = olds
        .into_iter()
        .map(|old| {
            let new = Record {
                key,
                ..probe.record()
            };
            (old, new)
        })
        .collect();
    let outcomes = together(pairs.clone(), |(old, new)| {
        let probe = probe.clone();
        async move { probe.replace(&old.key, 0, &new).await }
    })
    .await?;
    let winner = the_only_one(&outcomes, &Replaced::Done, &Replaced::Exists)
        .map_err(|what| format!("64 replaces by one key: {what}"))?;
    let when = "after 64 replaces by one key, one of them Done";
    for (number, (old, new)) in pairs.iter().enumerate() {
        if number == winner {
            is_missing(&probe, old, when).await?;
            is_left(&probe, new, when).await?;
        } else {
            is_left(&probe, old, when).await?;
            let owner = new.owner.clone().unwrap_or_default();
            probe.lists(&owner, probe.now(), [], when).await?;
        }
    }
    Ok(())
}

pub(super) async fn b6_of_an_update_and_a_replace_one_is_done(probe: Probe) -> Verdict {
    let rival = |probe: Probe, key| async move { probe.update(&key, 0, b"new", probe.now()).await };
    for (old, new, outcomes) in beside(&probe, rival).await? {
        match outcomes {
            (Replaced::Conflict, Outcome::Done) => {
                let when = "after an update that won against a replace";
                let old = Record {
                    version: 1,
                    payload: Arc::from(*b"new"),
                    ..old
                };
                is_left(&probe, &old, when).await?;
                is_missing(&probe, &new, when).await?;
            }
            (Replaced::Done, Outcome::Gone) => {
                let when = "after a replace that won against an update";
                is_missing(&probe, &old, when).await?;
                is_left(&probe, &new, when).await?;
            }
            other => {
                return Err(neither(
                    "(Conflict, Done) or (Done, Gone)",
                    "update",
                    &other,
                ));
            }
        }
    }
    Ok(())
}

pub(super) async fn fault_19_of_a_delete_and_a_replace_one_is_done(probe: Probe) -> Verdict {
    for version in [None, Some(0)] {
        let rival = move |probe: Probe, key| async move { probe.delete(&key, version).await };
        for (old, new, outcomes) in beside(&probe, rival).await? {
            match outcomes {
                (Replaced::Gone, Outcome::Done) => {
                    let when = "after a delete that won against a replace";
                    is_missing(&probe, &old, when).await?;
                    is_missing(&probe, &new, when).await?;
                }
                (Replaced::Done, Outcome::Gone) => {
                    let when = "after a replace that won against a delete";
                    is_missing(&probe, &old, when).await?;
                    is_left(&probe, &new, when).await?;
                }
                other => {
                    return Err(neither("(Gone, Done) or (Done, Gone)", "delete", &other));
                }
            }
        }
    }
    Ok(())
}

fn neither(promised: &str, rival: &str, came: &impl Debug) -> Broken {
    format!("replace and {rival} at one version at once: promised is {promised}, came {came:?}")
}

/// Replaces many records, each beside a rival of its own. Answers the old and the new ones, and what both were told.
async fn beside<F>(
    probe: &Probe,
    rival: impl Fn(Probe, RecordKey) -> F + Copy + Send + 'static,
) -> Result<Vec<(Record, Record, (Replaced, Outcome))>, Broken>
where
    F: Future<Output = Result<Outcome, Broken>> + Send + 'static,
{
    let mut pairs = Vec::new();
    for _ in 0..RACERS / 2 {
        pairs.push((probe.inserted().await?, probe.record()));
    }
    let racers: Vec<_> = pairs
        .iter()
        .flat_map(|(old, new)| [(old.key, Some(new.clone())), (old.key, None)])
        .collect();
    let told = together(racers, |(old, new)| {
        let probe = probe.clone();
        async move {
            Ok(match new {
                Some(new) => Told::New(probe.replace(&old, 0, &new).await?),
                None => Told::Rival(rival(probe, old).await?),
            })
        }
    })
    .await?;
    let told = told.chunks(2).filter_map(|two| match two {
        [Told::New(new), Told::Rival(rival)] => Some((*new, *rival)),
        _ => None,
    });
    let pairs = pairs.into_iter().zip(told);
    Ok(pairs.map(|((old, new), told)| (old, new, told)).collect())
}

enum Told {
    New(Replaced),
    Rival(Outcome),
}

pub(super) async fn fault_21_along_a_chain_of_replaces_one_is_always_there(
    probe: Probe,
) -> Verdict {
    let owner = probe.owner();
    let chain: Vec<_> = (0..40).map(|_| probe.record_of(&owner)).collect();
    let chain: Arc<[Record]> = chain.into();
    if let Some(first) = chain.first() {
        probe.insert(first).await?;
    }
    together(0..5, |number| {
        let (probe, chain) = (probe.clone(), Arc::clone(&chain));
        async move {
            if number > 0 {
                return follow(&probe, &chain).await;
            }
            for (number, two) in chain.windows(2).enumerate() {
                let [old, new] = two else { continue };
                let replaced = probe.replace(&old.key, 0, new).await?;
                answers("replace that nobody disturbs", Replaced::Done, replaced)?;
                // Not in step with those who follow.
                for _ in 0..=number % 3 {
                    yield_now().await;
                }
            }
            Ok(())
        }
    })
    .await?;
    match &*chain {
        [before @ .., last] => {
            for record in before {
                probe
                    .lacks(&record.key, "after a chain of replaces")
                    .await?;
            }
            is_left(&probe, last, "after a chain of replaces").await
        }
        [] => Ok(()),
    }
}

/// Goes on to the next record where one isn't there any more, until the last one is. The old one first and then the new one:
/// where the one is gone, the other has been there, and is, or has been replaced in its turn.
async fn follow(probe: &Probe, chain: &[Record]) -> Verdict {
    let mut rest = chain;
    while let [record, after @ ..] = rest {
        if probe.load(&record.key).await?.is_none() {
            rest = after;
        } else if after.is_empty() {
            return Ok(());
        } else {
            yield_now().await;
        }
    }
    Err("load of each record along a chain of replaces: not one was there".to_owned())
}
