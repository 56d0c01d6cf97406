//! The promises of [`store`](crate::store) as checks that any store can run.

mod hang_up;
mod outcome;
mod probe;
mod together;

mod creating;
mod deleting;
mod deleting_all;
mod deleting_expired;
mod dropped;
mod late;
mod listing;
mod owners;
mod races;
mod round_trips;
mod touching;
mod updating;
mod whole;

use std::{fmt, pin::Pin, sync::Arc, time::Duration};

use tokio::{task, time::timeout};

pub use self::whole::StoreContract;
use self::{
    outcome::{Verdict, why},
    probe::Probe,
};
use crate::store::SessionStore;

/// The maximum duration of a check. One call may take ten seconds of it.
const PATIENCE: Duration = Duration::from_secs(60);

/// Runs every check of the contract on a store, one after the other.
///
/// The store may be in use and have records: each check works with random ids and owners of its
/// own, and its records expire within a few days. Only the checks of
/// [`delete_expired`](SessionStore::delete_expired) touch other records: they remove those that
/// have expired or expire within ten seconds.
///
/// The checks for races need a multi-threaded runtime.
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
/// If the store's server removes expired records by itself, say so:
/// `store_contract(store).with_native_expiry().await` leaves out the checks that need
/// `delete_expired` to remove something.
///
/// # Panics
/// - Panics if a check fails. The message lists all checks that failed, with what was called, what
///   was expected and what the store returned. The checks of [`store_checks`] return it instead.
/// - Panics outside of a tokio runtime with timers. Do not pause the runtime's clock: stores with a
///   server need real time.
pub fn store_contract<S: SessionStore>(store: S) -> StoreContract {
    StoreContract::new(Arc::new(store))
}

/// Returns the checks of [`store_contract`], for a test harness that runs each of them as a
/// separate test.
///
/// They may run concurrently on one store.
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

/// One promise of the contract, and its check.
#[derive(Clone, Copy)]
pub struct StoreCheck {
    name: &'static str,
    check: fn(Probe) -> Pin<Box<dyn Future<Output = Verdict> + Send>>,
}

impl StoreCheck {
    /// Returns the promise as the name of a test, such as `create_never_overwrites`.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Returns whether the check needs `delete_expired` to remove something, so that it does not
    /// apply to a store whose server removes expired records by itself.
    #[must_use]
    pub fn needs_delete_expired(&self) -> bool {
        NEED_DELETE_EXPIRED.contains(&self.name)
    }

    /// Runs the check on a store, in a task of its own, so that a store that panics or hangs
    /// fails it.
    ///
    /// # Errors
    /// - what was called, what was expected and what the store returned
    ///
    /// # Panics
    /// Panics outside of a tokio runtime with timers.
    pub async fn run(&self, store: Arc<dyn SessionStore>) -> Result<(), String> {
        let probe = Probe::new(store)?;
        let mut task = AbortOnDrop(task::spawn((self.check)(probe)));
        match timeout(PATIENCE, &mut task.0).await {
            Ok(Ok(verdict)) => verdict,
            Ok(Err(error)) => Err(why(error)),
            Err(_) => Err(format!("it did not finish within {PATIENCE:?}")),
        }
    }
}

impl fmt::Debug for StoreCheck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("StoreCheck").field(&self.name).finish()
    }
}

struct AbortOnDrop<T>(task::JoinHandle<T>);

impl<T> Drop for AbortOnDrop<T> {
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

const NEED_DELETE_EXPIRED: [&str; 5] = [
    "a_short_batch_of_delete_expired_was_the_last",
    "delete_expired_is_exact_to_the_millisecond",
    "delete_expired_knows_records_ended_early",
    "a_record_removed_as_expired_is_not_listed",
    "ten_nodes_may_delete_expired_at_once",
];

/// The compiler reports a check that is missing here as dead code.
static CHECKS: &[StoreCheck] = checks! {
    creating {
        create_never_overwrites
        a_created_record_is_there_at_once
        changes_of_a_missing_record_create_nothing
        load_fresh_returns_the_latest_record
    }
    round_trips {
        every_field_comes_back_as_it_was
        times_are_exact_to_the_millisecond
        no_owner_differs_from_an_empty_owner
        owners_come_back_byte_by_byte
        an_owner_may_contain_a_nul
        an_owner_may_have_2000_bytes
        ids_may_contain_any_byte
        ids_that_differ_in_one_byte_are_different
        an_empty_payload_comes_back
        a_payload_of_66_kib_comes_back
    }
    owners {
        owners_that_look_alike_are_different
    }
    updating {
        update_acts_only_on_the_version_that_was_read
        versions_rise_by_one
        update_replaces_times_and_payload
        update_never_lowers_touched
        update_may_end_a_record_early
        update_may_extend_a_record
        update_may_change_the_size_of_a_payload
        update_after_a_delete_is_gone
        an_expired_record_is_absent_for_update
    }
    touching {
        touch_moves_expires_up_to_ends_never_back
        touch_never_lowers_touched
        touch_changes_only_touched_and_expires
        a_touched_record_lives_longer
        touch_after_a_delete_is_gone
        an_expired_record_is_absent_for_touch
    }
    deleting {
        a_deleted_record_is_gone_at_once
        delete_at_another_version_spares_the_record
        an_expired_record_can_be_deleted
    }
    listing {
        lists_come_in_pages_in_the_order_of_the_ids
        a_page_of_zero_records_is_empty
        a_page_starts_after_any_id
        a_page_is_full_while_there_are_more
        an_expired_record_is_absent_in_a_list
        a_list_of_300_records_is_complete
        a_list_has_only_the_owners_records
        a_list_shows_the_latest_changes
        an_extended_record_outlives_its_first_end
    }
    deleting_all {
        delete_all_deletes_an_owners_records
        delete_all_spares_the_excepted_record
        delete_all_but_a_foreign_record_deletes_all
        delete_all_deletes_300_records
        new_records_after_delete_all_are_listed
        changes_after_delete_all_are_gone
        delete_all_includes_expired_records
    }
    races {
        one_of_64_updates_at_one_version_is_done
        a_counter_raised_by_64_tasks_is_exact
        one_of_64_creates_of_one_id_is_done
        one_of_64_deletes_is_done
        one_of_an_update_and_a_delete_is_done
        touches_and_updates_at_once_are_all_kept
        touches_at_once_keep_the_latest
        owners_do_not_disturb_each_other
    }
    late {
        no_update_revives_a_deleted_record
        no_touch_revives_a_deleted_record
        no_live_record_is_missing_from_the_list
        no_record_outlives_a_later_delete_all
        delete_all_beside_creates_equals_one_order
        a_list_during_deletes_has_all_others
    }
    dropped {
        a_dropped_create_did_all_or_nothing
        a_dropped_update_did_all_or_nothing
        a_dropped_touch_did_all_or_nothing
        a_dropped_delete_did_all_or_nothing
        a_dropped_delete_all_did_all_or_nothing
        dropped_reads_and_cleanups_do_no_harm
        many_dropped_calls_at_once_do_no_harm
    }
    deleting_expired {
        delete_expired_keeps_to_its_limit
        a_short_batch_of_delete_expired_was_the_last
        delete_expired_is_exact_to_the_millisecond
        delete_expired_knows_records_ended_early
        delete_expired_spares_live_records
        delete_expired_spares_the_last_millisecond
        a_record_removed_as_expired_is_not_listed
        ten_nodes_may_delete_expired_at_once
    }
};
