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
    WhatIsMissingIsDone,
    WhatIsMissingIsConflict,
    // What comes back.
    Seconds,
    Until2038,
    EveryVersionStartsAtZero,
    PayloadsUpTo(usize),
    NoEmptyPayloads,
    PayloadsOnlyGrow,
    NobodyIsTheOwnerWithoutAName,
    OwnersAreTrimmed,
    FamiliesArePadded,
    KeysInAnyCase,
    OwnersInAnyCase,
    OwnersPadded,
    OwnersByPattern,
    OwnersUpToNul,
    OwnersUpTo1999,
    // create
    CreateOverwrites,
    CreateLooksFirst,
    KeysAreNeverFree,
    IndexAfterTheRecord,
    HalfOfACreate,
    // update
    UpdateIgnoresTheVersion,
    UpdateKeepsTheVersion,
    UpdateOfTheSameIsNone,
    UpdateMovesTheTimes,
    UpdateRevives,
    UpdateReadsFirst,
    UpdateExpiresEarly,
    UpdateExpiresLate,
    HalfOfAnUpdate,
    // touch
    TouchGoesBeyondTheEnd,
    TouchShortens,
    TouchOnlyNotes,
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
    IndexAfterTheDelete,
    HalfOfADelete,
    // replace
    ReplaceLeavesTheOld,
    ReplaceIsNotListed,
    ReplaceKeepsTheOwner,
    ReplaceKeepsTheFamily,
    ReplaceKeepsTheTimes,
    ReplaceRaisesTheVersion,
    ReplaceIgnoresTheVersion,
    ReplaceRevives,
    ReplaceSparesTheExpired,
    ReplaceOverwrites,
    ReplaceLooksFirst,
    ReplaceReadsFirst,
    ReplaceDeletesFirst,
    ReplaceTakesNothingBack,
    HalfOfAReplace,
    // list
    ListLacksTheLast,
    ListShowsNobodys,
    ListShowsTheDead,
    ListIsACopy,
    ListForgetsFormerOwners,
    ListIsUnordered,
    ListIsOrderedBySignedBytes,
    ListStartsAnew,
    ListCountsTheExpired,
    ListHasAFixedPage,
    ListKnowsNoNone,
    ListLimitIsSigned,
    ListGivesUp,
    ListExpiresEarly,
    ListExpiresLate,
    // delete_all
    DeleteAllCountsNothing,
    DeleteAllKnowsNoFamilies,
    DeleteAllMistakesExceptForOnly,
    DeleteAllTakesNobodys,
    DeleteAllTakesAPage,
    DeleteAllSparesTheExpired,
    DeleteAllIsLate,
    DeleteAllListsFirst,
    DeleteAllDropsTheIndex,
    HalfOfADeleteAll,
    // delete_expired
    CleanupIsUnbounded,
    CleanupTakesMoreThanItSays,
    CleanupStopsEarly,
    CleanupIsEarly,
    CleanupIsLate,
    CleanupTakesTheLiving,
    CleanupKnowsNoTouch,
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
