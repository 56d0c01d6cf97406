//! Which promise a store breaks.

/// Each is a mistake that is easily made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    // Any call.
    Panics,
    Hangs,
    Fails,
    FailsWhenBusy,
    LosesConnections,
    ReadsFromAReplica,
    MissingIsDone,
    MissingIsConflict,
    ExpiryIsSetOnce,
    // What comes back.
    Seconds,
    Until2038,
    EveryVersionStartsAtZero,
    VersionsHave32Bits,
    PayloadsUpTo(usize),
    NoEmptyPayloads,
    PayloadsOnlyGrow,
    NoOwnerIsAnEmptyOwner,
    OwnersAreTrimmed,
    IdsWithoutNul,
    IdsInAnyCase,
    OwnersInAnyCase,
    OwnersPadded,
    OwnersByPattern,
    OwnersUpToNul,
    OwnersUpTo1999,
    // create
    CreateOverwrites,
    CreateLooksFirst,
    IndexAfterTheRecord,
    HalfOfACreate,
    // load_fresh
    LoadFreshIsCached,
    // update
    UpdateIgnoresTheVersion,
    UpdateKeepsTheVersion,
    UpdateOfTheSameIsNone,
    UpdateKeepsTouched,
    UpdateLowersTouched,
    UpdateKeepsExpires,
    UpdateKeepsEnds,
    UpdateNeverShortens,
    UpdateKeepsToTheOldEnd,
    UpdateForgetsTheIndex,
    UpdateRevives,
    UpdateReadsFirst,
    UpdateExpiresEarly,
    UpdateExpiresLate,
    HalfOfAnUpdate,
    // touch
    TouchGoesBeyondTheEnd,
    TouchShortens,
    TouchOnlyNotes,
    TouchLowersTouched,
    TouchRaisesTheVersion,
    TouchRevives,
    TouchReadsFirst,
    TouchExpiresEarly,
    TouchExpiresLate,
    HalfOfATouch,
    // delete
    DeleteIgnoresTheVersion,
    DeleteSparesTheExpired,
    DeleteReadsFirst,
    HalfOfADelete,
    // list
    ListLacksTheLast,
    ListShowsAnonymous,
    ListShowsTheDead,
    ListIsACopy,
    ListForgetsFormerOwners,
    ListIsUnordered,
    ListIsOrderedBySignedBytes,
    ListStartsAnew,
    ListCountsTheExpired,
    ListHasAFixedPage,
    ListKnowsNoZero,
    ListLimitIsSigned,
    ListGivesUp,
    ListExpiresEarly,
    ListExpiresLate,
    ListExpiryIsSetOnce,
    // delete_all
    DeleteAllCountsNothing,
    DeleteAllIgnoresTheException,
    DeleteAllDeletesTheException,
    DeleteAllNeedsTheException,
    DeleteAllTakesAnonymous,
    DeleteAllTakesAPage,
    DeleteAllSparesTheExpired,
    DeleteAllIsLate,
    DeleteAllGoesOneByOne,
    DeleteAllDropsTheIndex,
    HalfOfADeleteAll,
    // delete_expired
    CleanupIsUnbounded,
    CleanupTakesMoreThanItSays,
    CleanupStopsEarly,
    CleanupIsEarly,
    CleanupIsLate,
    CleanupTakesTheLiving,
    CleanupKnowsNoExtension,
    CleanupKnowsNoEarlyEnd,
}

impl Fault {
    pub fn now_of_update(self, now: i64) -> i64 {
        self.off_by_one(now, Self::UpdateExpiresEarly, Self::UpdateExpiresLate)
    }

    pub fn now_of_touch(self, now: i64) -> i64 {
        self.off_by_one(now, Self::TouchExpiresEarly, Self::TouchExpiresLate)
    }

    pub fn now_of_list(self, now: i64) -> i64 {
        self.off_by_one(now, Self::ListExpiresEarly, Self::ListExpiresLate)
    }

    fn off_by_one(self, now: i64, early: Self, late: Self) -> i64 {
        now + i64::from(self == early) - i64::from(self == late)
    }
}
