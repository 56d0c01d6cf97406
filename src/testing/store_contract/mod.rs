//! What [`store`](crate::store) promises in words, as checks that any store can be put to.

mod answer;
mod hang_up;
mod probe;
mod together;

mod clearing;
mod creating;
mod deleting;
mod deleting_all;
mod dropped;
mod late;
mod listing;
mod owners;
mod races;
mod renewed;
mod replaced_at_once;
mod replacing;
mod round_trips;
mod touching;
mod updating;
mod whole;

use std::{fmt, pin::Pin, sync::Arc, time::Duration};

use tokio::{task, time::timeout};

pub use self::whole::StoreContract;
use self::{
    answer::{Verdict, why},
    probe::Probe,
};
use crate::store::SessionStore;

/// A check that isn't through by then hangs. One call may take ten seconds of it.
const PATIENCE: Duration = Duration::from_secs(60);

/// Puts a store to every check of the contract, one after the other.
///
/// The store may be in use and full: each check works with random keys, families and owners of its own, and what it leaves
/// behind expires within a day. Only the checks of [`delete_expired`](SessionStore::delete_expired) touch what isn't
/// theirs: they clear away whatever has expired or does so within the next ten seconds, which is what the call is for.
///
/// The races are real ones only where the runtime has several threads.
///
/// ```
/// use login_manager::{MemoryStore, testing::store_contract};
///
/// # /*
/// #[tokio::test(flavor = "multi_thread")]
/// # */
/// # #[tokio::main]
/// async fn my_store_keeps_the_contract() {
///     store_contract(MemoryStore::new()).await;
/// }
/// # my_store_keeps_the_contract();
/// ```
///
/// A store whose server drops expired records by itself says so, and is excused from what asks `delete_expired` for more than 0:
/// `store_contract(store).that_clears_up_itself().await`.
///
/// # Panics
/// When a promise is broken, with one message that names every check that found one and says what was done, what is
/// promised and what came. [`store_checks`] is the neighbour that doesn't panic. Outside of a tokio runtime that keeps time;
/// a paused clock won't do, since stores with a server wait in earnest.
pub fn store_contract<S: SessionStore>(store: S) -> StoreContract {
    StoreContract::new(Arc::new(store))
}

/// The checks that [`store_contract`] is made of, for a harness that shows each as a test of its own.
///
/// They may run at the same time on one store.
///
/// ```
/// use std::sync::Arc;
/// use login_manager::{MemoryStore, testing::store_checks};
///
/// # #[tokio::main] async fn main() {
/// let store = Arc::new(MemoryStore::new());
/// for check in store_checks() {
///     assert_eq!(check.run(store.clone()).await, Ok(()), "{}", check.name());
/// }
/// # }
/// ```
pub fn store_checks() -> impl Iterator<Item = StoreCheck> {
    CHECKS.iter().copied()
}

/// One promise of the contract, and how to find out whether a store keeps it.
#[derive(Clone, Copy)]
pub struct StoreCheck {
    name: &'static str,
    check: fn(Probe) -> Pin<Box<dyn Future<Output = Verdict> + Send>>,
}

impl StoreCheck {
    /// What is promised, as the name of a test: `a6_create_never_overwrites`.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Whether a store that clears up by itself is excused from it.
    #[must_use]
    pub fn is_about_clearing_up(&self) -> bool {
        CLEARING_UP.contains(&self.name)
    }

    /// Puts this store to the check. It runs in a task of its own, so that a store that panics or never answers is found out.
    ///
    /// # Errors
    /// What was done, what is promised and what came instead.
    ///
    /// # Panics
    /// Outside of a tokio runtime that keeps time. There is no neighbour that doesn't: a store needs one anyway.
    pub async fn run(&self, store: Arc<dyn SessionStore>) -> Result<(), String> {
        let probe = Probe::new(store)?;
        let mut task = Guarded(task::spawn((self.check)(probe)));
        match timeout(PATIENCE, &mut task.0).await {
            Ok(Ok(verdict)) => verdict,
            Ok(Err(error)) => Err(why(error)),
            Err(_) => Err(format!("it hangs: not through after {PATIENCE:?}")),
        }
    }
}

impl fmt::Debug for StoreCheck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("StoreCheck").field(&self.name).finish()
    }
}

/// Ends with whoever waits for it.
struct Guarded<T>(task::JoinHandle<T>);

impl<T> Drop for Guarded<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}

macro_rules! checks {
    ($($subject:ident { $($check:ident)* })*) => {
        &[$($(StoreCheck {
            name: stringify!($check),
            check: |probe| Box::pin($subject::$check(probe)),
        },)*)*]
    };
}

/// Of a store that clears up by itself these ask too much.
const CLEARING_UP: [&str; 4] = [
    "b24_a_batch_that_is_not_full_was_the_last",
    "b24_expired_is_due_from_the_very_millisecond",
    "b24_what_was_cleared_away_is_off_the_list",
    "fault_37_ten_nodes_may_clear_away_at_once",
];

/// One that is missing here is dead code, and the compiler says so.
static CHECKS: &[StoreCheck] = checks! {
    creating {
        a6_create_never_overwrites
        fault_12_what_was_created_is_there_at_once
        the_key_of_a_deleted_record_is_free_again
        b6_what_is_not_there_is_not_made_by_a_change
    }
    round_trips {
        every_field_comes_back_as_it_was
        times_are_exact_to_the_millisecond
        nobody_is_not_the_owner_without_a_name
        owners_come_back_letter_by_letter
        an_owner_may_hold_a_nul
        an_owner_may_have_2000_bytes
        keys_and_families_may_hold_any_byte
        keys_that_differ_in_one_byte_are_different
        an_empty_payload_comes_back
        a_payload_of_64_kib_comes_back
        a_payload_of_300_kib_comes_back
    }
    owners {
        owners_that_look_alike_are_different
    }
    updating {
        b6_an_update_acts_on_the_version_that_was_read
        versions_rise_one_by_one
        an_update_changes_nothing_but_payload_and_version
        an_update_may_change_the_size_of_a_payload
        fault_10_an_update_after_a_delete_is_gone
        expired_is_absent_for_an_update_from_the_very_millisecond
    }
    touching {
        b11_a_touch_moves_the_end_on_never_beyond_the_limit_nor_back
        a_touch_changes_nothing_but_touched_and_expires
        a_touched_record_lives_longer
        fault_10_a_touch_after_a_delete_is_gone
        expired_is_absent_for_a_touch_from_the_very_millisecond
    }
    deleting {
        fault_12_what_was_deleted_is_gone_at_once
        b6_a_delete_at_another_version_leaves_the_record_alone
        fault_13_what_has_expired_can_be_deleted
    }
    replacing {
        b1_what_was_replaced_is_gone_and_the_new_record_is_there
        p23_a_record_that_replaces_another_comes_back_as_it_was_given
        fault_12_a_chain_of_replaces_is_seen_at_once
        b6_a_replace_at_another_version_leaves_both_as_they_were
        fault_10_a_replace_of_what_is_gone_leaves_nothing
        fault_13_what_has_expired_can_be_replaced
        a6_a_replace_never_overwrites
        a6_no_record_takes_its_own_place
    }
    listing {
        fault_38_lists_come_in_pages_in_the_order_of_the_keys
        a_page_of_none_is_empty
        a_page_starts_after_any_key
        fault_38_a_page_is_full_as_long_as_there_are_more
        expired_is_absent_in_a_list_from_the_very_millisecond
        fault_38_300_records_of_one_owner
        a_list_holds_nobody_elses_records
        a_list_shows_what_was_just_changed
    }
    deleting_all {
        delete_all_deletes_all
        delete_all_deletes_one_family
        delete_all_deletes_the_other_families
        delete_all_of_300
        an_owner_can_come_back_after_a_delete_all
        fault_10_changes_after_a_delete_all_are_gone
        delete_all_takes_expired_records_too
    }
    races {
        b6_of_64_updates_at_one_version_one_is_done
        b6_64_tasks_that_update_one_record_lose_nothing
        a6_of_64_creates_of_one_key_one_is_done
        fault_18_of_64_deletes_one_is_done
        fault_19_of_an_update_and_a_versioned_delete_one_is_done
        b11_touches_and_updates_at_once_lose_nothing
        owners_do_not_get_into_each_others_way
    }
    replaced_at_once {
        fault_20_of_64_replaces_of_one_record_one_is_done
        a6_of_64_replaces_by_one_key_one_is_done
        b6_of_an_update_and_a_replace_one_is_done
        fault_19_of_a_delete_and_a_replace_one_is_done
        fault_21_along_a_chain_of_replaces_one_is_always_there
    }
    late {
        b6_no_update_revives_what_a_delete_removed
        b6_no_touch_revives_what_a_delete_removed
        no_live_record_is_missing_from_its_owners_list
        p16_nothing_that_was_there_before_outlives_a_delete_all
        a_key_that_comes_and_goes_is_listed_when_it_is_there
        a_list_during_deletes_lacks_nobody_else
    }
    renewed {
        p16_a_delete_all_catches_a_session_that_is_being_renewed
        p16_a_delete_all_catches_a_session_that_is_being_replaced
    }
    dropped {
        fault_24_a_dropped_create_made_all_of_it_or_nothing
        fault_24_a_dropped_update_made_all_of_it_or_nothing
        fault_24_a_dropped_touch_made_all_of_it_or_nothing
        fault_24_a_dropped_delete_made_all_of_it_or_nothing
        fault_24_a_dropped_replace_leaves_one_of_them_at_least
        fault_24_a_dropped_delete_all_made_all_of_it_or_nothing
        fault_24_dropped_reads_and_cleanups_leave_a_store_that_works
        fault_24_64_hang_ups_at_once_leave_a_store_that_works
    }
    clearing {
        b24_clearing_away_keeps_to_its_limit
        b24_a_batch_that_is_not_full_was_the_last
        b24_expired_is_due_from_the_very_millisecond
        fault_37_a_live_record_is_never_cleared_away
        fault_37_the_last_millisecond_is_not_cleared_away
        b24_what_was_cleared_away_is_off_the_list
        fault_37_ten_nodes_may_clear_away_at_once
    }
};
