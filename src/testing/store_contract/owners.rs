//! Owners that the collation of a database might treat as equal.

use std::sync::Arc;

use super::{
    outcome::{Verdict, expect},
    probe::Probe,
};

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
        let deleted = probe.delete_all(owner, None).await?;
        let did = format!("delete_all of {owner:?}, one record, after owners that look alike");
        expect(did, 1, deleted)?;
        probe
            .lacks(&record.id, "after its owner's delete_all")
            .await?;
    }
    Ok(())
}
