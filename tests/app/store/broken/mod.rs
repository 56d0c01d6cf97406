//! Every check of the contract suite can fail: stores that each break one promise.

mod caught;
mod fault;
mod store;

use std::{collections::BTreeSet, sync::Arc};

use login_manager::testing::{StoreCheck, store_checks, store_contract};

use self::{caught::CAUGHT, fault::Fault, store::BrokenStore};

/// The error of a check of a new store with this fault. If the store hangs, the paused clock runs
/// ahead to the limit.
async fn error_of(fault: Fault, check: StoreCheck) -> Option<String> {
    check.run(Arc::new(BrokenStore::new(fault))).await.err()
}

#[tokio::test(start_paused = true)]
async fn every_broken_promise_fails_the_check_that_names_it() {
    let mut unnoticed = Vec::new();
    for (fault, checks) in CAUGHT {
        for name in *checks {
            let check = store_checks().find(|check| check.name() == *name);
            let check = check.unwrap_or_else(|| panic!("there is no check {name}"));
            if error_of(*fault, check).await.is_none() {
                unnoticed.push(format!("{fault:?} by {name}"));
            }
        }
    }
    assert!(unnoticed.is_empty(), "unnoticed: {unnoticed:#?}");
}

#[test]
fn every_check_can_fail() {
    let can_fail: BTreeSet<_> = CAUGHT
        .iter()
        .flat_map(|(_, checks)| *checks)
        .copied()
        .collect();
    let all: BTreeSet<_> = store_checks().map(|check| check.name()).collect();
    assert_eq!(can_fail, all);
}

#[tokio::test(start_paused = true)]
async fn an_error_names_the_call_the_promise_and_the_outcome() {
    let cases = [
        (
            Fault::DeleteIgnoresTheVersion,
            "delete_at_another_version_spares_the_record",
            "delete at version 2 of a record at version 3: expected Conflict, got Done",
        ),
        (
            Fault::UpdateKeepsTheVersion,
            "versions_rise_by_one",
            "load after update number 1: version: expected 1, got 0",
        ),
        (
            Fault::Panics,
            "a_page_of_zero_records_is_empty",
            "it panicked: out of order",
        ),
        (
            Fault::Hangs,
            "versions_rise_by_one",
            "create did not finish within 10s",
        ),
        (
            Fault::Fails,
            "versions_rise_by_one",
            "create failed: out of order",
        ),
    ];
    for (fault, name, says) in cases {
        let check = store_checks().find(|check| check.name() == name).unwrap();
        assert_eq!(error_of(fault, check).await.as_deref(), Some(says));
    }
}

#[tokio::test(start_paused = true)]
async fn the_suite_names_every_failed_check() {
    let task = tokio::spawn(store_contract(BrokenStore::new(Fault::Until2038)).into_future());
    let panic = task.await.unwrap_err().into_panic();
    let text = panic.downcast_ref::<String>().unwrap();
    let count = store_checks().count();
    let start = format!(
        "the store breaks 1 of {count} promises:\n\ntimes_are_exact_to_the_millisecond: load with 0 odd milliseconds: ends: "
    );
    assert!(text.starts_with(&start), "{text}");

    let task = tokio::spawn(store_contract(BrokenStore::new(Fault::Panics)).into_future());
    let panic = task.await.unwrap_err().into_panic();
    let text = panic.downcast_ref::<String>().unwrap();
    for check in store_checks() {
        let line = format!("\n{}: it panicked: out of order\n", check.name());
        assert!(text.contains(&line), "{line} is missing in {text}");
    }
}
