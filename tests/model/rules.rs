//! Without each of the rules an invariant breaks, in a scene in which none does with all of them.

use super::{
    protocol::{ALL_RULES, Rules, SetCookie, User, Verb::*},
    scenes::{Scene, Start::*},
    search::explore,
    world::{Actor, Fate, Phase, Step, World},
};

#[track_caller]
fn assert_needed(switch_off: fn(&mut Rules), scene: Scene, invariant: &str) {
    let mut rules = ALL_RULES;
    assert_eq!(explore(&rules, &scene).broken, None, "with all rules");
    switch_off(&mut rules);
    let broken = explore(&rules, &scene).broken;
    let broken = broken.expect("nothing breaks without the rule");
    assert!(broken.contains(invariant), "{broken}");
}

#[test]
fn what_was_judged_is_deleted_at_its_version() {
    let scene = Scene::of(LoggedIn, &[Page, ChangePassword]);
    assert_needed(|it| it.delete_at_judged_version = false, scene, "(c)");
}

#[test]
fn late_requests_join() {
    let scene = Scene::of(Anonymous, &[Save, Login(User::A)]);
    assert_needed(|it| it.late_requests_join = false, scene, "(c)");
}

#[test]
fn a_replaced_record_is_closed_and_not_deleted() {
    let scene = Scene::of(Anonymous, &[Save, Login(User::A)]);
    assert_needed(|it| it.old_records_are_closed = false, scene, "(h)");
}

#[test]
fn data_of_an_earlier_epoch_is_dropped() {
    let scene = Scene::of(LoggedIn, &[Save, Login(User::A)]);
    assert_needed(|it| it.epochs_are_compared = false, scene, "(d)");
}

#[test]
fn a_login_ends_the_record_of_the_remember_cookie() {
    let requests = [(Actor::Owner, Login(User::A)), (Actor::Thief, Page)];
    let scene = Scene::new(Returning, &requests);
    assert_needed(|it| it.login_ends_other_record = false, scene, "(f)");
}

#[test]
fn a_writer_recognizes_its_own_write() {
    let scene = Scene::of(LoggedIn, &[Login(User::A)]).with(1, 0, 0);
    assert_needed(|it| it.own_mark = false, scene, "(c)");
}

#[test]
fn a_writer_fences_an_unknown_outcome() {
    let scene = Scene::of(LoggedIn, &[Login(User::A)]).with(1, 0, 0);
    assert_needed(|it| it.fence = false, scene, "(c)");
}

#[test]
fn a_retried_deletion_checks_the_secrets() {
    let requests = [(Actor::Owner, Page), (Actor::Stranger, Logout)];
    let scene = Scene::new(LoggedIn, &requests).with(1, 0, 0);
    assert_needed(|it| it.retries_check_secrets = false, scene, "(i)");
}

#[test]
fn a_logout_accepts_replaced_secrets() {
    let scene = Scene::of(LoggedIn, &[Confirm, Logout]);
    assert_needed(|it| it.logout_accepts_replaced = false, scene, "(a)");
}

#[test]
fn a_logout_reports_what_it_leaves_behind() {
    let scene = Scene::of(LoggedIn, &[Confirm, Confirm, Logout]);
    assert_needed(|it| it.logout_reports_rest = false, scene, "(a)");
}

#[test]
fn a_login_beyond_the_limit_ends_only_older_ones() {
    let scene = Scene::of(Nothing, &[LoginLimited(User::A), LoginLimited(User::A)]);
    assert_needed(|it| it.limit_ends_older_only = false, scene, "(c)");
}

#[test]
fn a_value_is_handed_out_once_it_is_removed() {
    let scene = Scene::of(LoggedInWithData, &[Take, Take]);
    assert_needed(|it| it.take_after_update = false, scene, "(h)");
}

#[test]
fn a_login_renews_the_series() {
    let requests = [(Actor::Owner, Login(User::A)), (Actor::Thief, Page)];
    let scene = Scene::new(Remembered, &requests);
    assert_needed(|it| it.login_renews_series = false, scene, "(d)");
}

#[test]
fn only_the_current_secret_shows_a_received_restore() {
    let scene = Scene::of(Returning, &[Page, Save, Page]).with(0, 1, 1);
    assert_needed(|it| it.seen_by_current_only = false, scene, "(e)");
}

/// The second restore's response is lost, and the first one's arrives after it. If responses take
/// so long, a search would also find what the documentation leaves open: one that arrives after
/// the grace and after a later restore was seen looks like a theft.
fn restore_twice(rules: &Rules) -> Result<(), String> {
    let mut world = Scene::of(Returning, &[Page, Page, Page])
        .with(0, 1, 2)
        .world(rules)?;
    let [first, second, third] = [1, 2, 3];
    run(&mut world, rules, first)?;
    world.take(rules, Step::Tick)?;
    run(&mut world, rules, second)?;
    let restored = world.requests[second].response.session;
    assert!(matches!(restored, SetCookie::To(_)), "{restored:?}");
    world.take(rules, Step::Lose(second))?;
    world.take(rules, Step::Deliver(first))?;
    world.take(rules, Step::Tick)?;
    run(&mut world, rules, third)
}

fn run(world: &mut World, rules: &Rules, number: usize) -> Result<(), String> {
    world.take(rules, Step::Send(number))?;
    while world.requests[number].phase == Phase::Running {
        world.take(rules, Step::Call(number, Fate::Answered))?;
    }
    Ok(())
}

#[test]
fn a_skipped_successor_stays_acceptable() {
    assert_eq!(restore_twice(&ALL_RULES), Ok(()));
    let rules = Rules {
        skipped_is_accepted: false,
        ..ALL_RULES
    };
    let broken = restore_twice(&rules).unwrap_err();
    assert!(broken.contains("(e)"), "{broken}");
}
