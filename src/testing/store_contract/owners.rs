//! Owners that a database's collation might take for the same.

use std::sync::Arc;

use super::{
    answer::{Verdict, answers},
    probe::Probe,
};
use crate::store::Which;

const ALIKE: [&str; 24] = [
    "alice",
    "Alice",
    "ALICE",
    "alice ",
    " alice",
    "alice\t",
    "alice\n",
    "alice\0",
    "alic",
    "alice/",
    "al%",
    "alic_",
    "ali*",
    "al[i]ce",
    "alicé",
    "alice\u{301}",
    "al\u{200b}ice",
    "ａｌｉｃｅ",
    "аlice", // the first letter is Cyrillic
    "straße",
    "strasse",
    "I",
    "ı",
    "İ",
];

pub(super) async fn owners_that_look_alike_are_different(probe: Probe) -> Verdict {
    let unique = probe.owner();
    let owners = ALIKE.map(|letters| Arc::from(format!("{unique}/{letters}")));
    let mut records = Vec::new();
    for owner in &owners {
        let record = probe.record_of(owner);
        probe.insert(&record).await?;
        records.push((owner, record));
    }
    for (owner, record) in &records {
        let when = format!("of {owner:?} beside owners that look alike");
        probe.lists(owner, probe.now(), [record], when).await?;
    }
    for (owner, record) in &records {
        let deleted = probe.delete_all(owner, Which::Only(record.family)).await?;
        let did =
            format!("delete_all of {owner:?}, one record, after those of owners that look alike");
        answers(did, 1, deleted)?;
        probe
            .lacks(&record.key, "after its owner's delete_all")
            .await?;
    }
    Ok(())
}
