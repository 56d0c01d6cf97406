//! Records, and what a verb does: straight-line functions that call the store.
//!
//! A request is run again from its start after each answer of the store, with all the answers so
//! far. So a verb needs no state of its own, and a state of the world is a plain value.

use std::collections::BTreeSet;

/// Within it a replaced secret joins. Time is counted in ticks.
pub const GRACE: u8 = 1;
/// More than any verb needs beside two others.
pub const TRIES: usize = 6;

pub type Secret = u16;
pub type Id = u16;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum User {
    A,
    B,
    /// The attacker's own account.
    E,
}

/// The rules of the protocol. Each can be switched off, to show what it is for.
#[derive(Clone, Copy, Debug)]
pub struct Rules {
    /// What is ended because of what was read is deleted at the version that was read.
    pub delete_at_judged_version: bool,
    /// A request that shows the previous session secret within the grace joins.
    pub late_requests_join: bool,
    /// A record that a login takes the place of is closed and not deleted, so that late requests
    /// are recognized.
    pub old_records_are_closed: bool,
    /// Data that was saved for an earlier epoch is dropped.
    pub epochs_are_compared: bool,
    /// A login also ends the record of the remember cookie.
    pub login_ends_other_record: bool,
    /// A writer recognizes its own write by its mark.
    pub own_mark: bool,
    /// A writer that does not know an outcome raises the version before it reports an error.
    pub fence: bool,
    /// A deletion that is retried checks the secrets again.
    pub retries_check_secrets: bool,
    /// A logout accepts the previous session secret and the series secret.
    pub logout_accepts_replaced: bool,
    /// A logout that leaves a live record behind is an error.
    pub logout_reports_rest: bool,
    /// A login beyond the limit ends only older ones.
    pub limit_ends_older_only: bool,
    /// A value is handed out only once it has been removed.
    pub take_after_update: bool,
    /// A login that keeps the remember part gives it new secrets.
    pub login_renews_series: bool,
    /// Only the current session secret shows that the last restore was received.
    pub seen_by_current_only: bool,
    /// A successor that was passed over by a second restore stays acceptable until one is seen.
    pub skipped_is_accepted: bool,
}

pub const ALL_RULES: Rules = Rules {
    delete_at_judged_version: true,
    late_requests_join: true,
    old_records_are_closed: true,
    epochs_are_compared: true,
    login_ends_other_record: true,
    own_mark: true,
    fence: true,
    retries_check_secrets: true,
    logout_accepts_replaced: true,
    logout_reports_rest: true,
    limit_ends_older_only: true,
    take_after_update: true,
    login_renews_series: true,
    seen_by_current_only: true,
    skipped_is_accepted: true,
};

/// A value that a request saved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Datum {
    /// The number of the request.
    pub by: u8,
    pub owner: Option<User>,
    pub epoch: u8,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Record {
    pub id: Id,
    pub owner: Option<User>,
    pub version: u8,
    /// None once the record is closed.
    pub current: Option<Secret>,
    pub previous: Option<Secret>,
    pub rotated: u8,
    pub created: u8,
    pub epoch: u8,
    pub stamp: u8,
    pub remember: Option<Remember>,
    pub data: BTreeSet<Datum>,
    pub mark: u16,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Remember {
    pub series: Secret,
    pub current: Secret,
    pub previous: Option<Secret>,
    pub skipped: Option<Secret>,
    pub exchanged: u8,
    pub seen: bool,
}

impl Record {
    pub fn was_replaced_moments_before(&self, arrived: u8) -> bool {
        arrived <= self.rotated.saturating_add(GRACE)
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Op {
    Load(Id),
    Create(Record),
    /// At the record's own version.
    Update(Record),
    Delete(Id, Option<u8>),
    DeleteAll(User, Id),
    List(User),
    /// The user loader: the security stamp.
    Stamp(User),
    ChangeStamp(User),
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Answer {
    Record(Option<Record>),
    Records(Vec<Record>),
    Stamp(u8),
    Done,
    Conflict,
    Gone,
    /// The call failed, whatever became of it.
    Failed,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Cookies {
    pub session: Option<(Id, Secret)>,
    /// Id, series secret, token secret.
    pub remember: Option<(Id, Secret, Secret)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Verb {
    Page,
    Save,
    Take,
    Login(User),
    LoginRemembered(User),
    /// With a limit of one session.
    LoginLimited(User),
    ChangePassword,
    Confirm,
    Logout,
    LogoutOthers,
    /// In the background: the deletion of a logout or a login that failed.
    EndLater(Id),
    /// In the background: the deletion of a record whose `create` had no answer.
    DeleteLater(Id),
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum SetCookie<T> {
    #[default]
    No,
    Remove,
    To(T),
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Response {
    pub user: Option<User>,
    pub joined: bool,
    pub alarm: bool,
    pub is_late: bool,
    pub session: SetCookie<(Id, Secret)>,
    pub remember: SetCookie<(Id, Secret, Secret)>,
    /// What the handler has seen of the session's data.
    pub seen: BTreeSet<Datum>,
    pub taken: Option<(Id, Datum)>,
    /// What was saved, and in which record.
    pub saved: Option<(Id, Datum)>,
    pub later: Vec<Verb>,
}

/// Why a verb does not go on.
#[derive(Debug)]
pub enum Stop {
    Call(Box<Op>),
    StoreFailed,
    Refused,
}

pub type Run<T> = Result<T, Stop>;

/// Who a request is found to be.
pub enum Found {
    Nobody,
    Anonymous(Record),
    Session(Record),
    Joined(Record),
}

pub enum Swap {
    Done,
    Conflict,
    Gone,
}

/// One run of a request, from its start.
pub struct Request<'a> {
    pub rules: &'a Rules,
    pub number: u8,
    pub verb: Verb,
    pub cookies: Cookies,
    pub arrived: u8,
    pub answers: &'a [Answer],
    pub at: usize,
    pub made: u16,
    pub response: Response,
}
