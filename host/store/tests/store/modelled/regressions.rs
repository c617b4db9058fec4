//! What sequences at random have found, each as short as it could be made.

use super::asking::EXACTLY;
use super::driver::Driver;
use super::hosts::{Hosts, One, Two};
use super::operation::{Asked, JoinSpec, Name, NewSpec, Operation, Outcome, Step};
use crate::harness::Engine;

const PLAIN: NewSpec = NewSpec {
    route: 0,
    priority: 0,
    delay: 0,
    expires_in: None,
    stale_after: None,
    max_attempts: None,
    name: Name::None,
};

const AGAIN: Outcome = Outcome::Fail { retryable: true, after: Some(0), from_start: true };
const FOR_GOOD: Outcome = Outcome::Fail { retryable: false, after: None, from_start: false };

async fn holds<E: Engine>(operations: Vec<Operation>) {
    holds_on::<One<E>>(operations.into_iter().map(|operation| (0, operation)).collect(), None).await;
}

async fn holds_on<H: Hosts>(steps: Vec<Step>, limit: Option<u32>) {
    if let Err(wrong) = Driver::<H>::start(limit).await.run(&steps).await {
        panic!("{wrong}");
    }
}

fn submit(spec: &NewSpec) -> Operation {
    Operation::Submit(vec![spec.clone()])
}

fn serve(permits: usize) -> Operation {
    Operation::Serve { slot: 0, serves: 15, permits }
}

/// The end of the worker's first run, with room for one more or for none.
fn end(outcome: Outcome, permits: usize) -> Operation {
    Operation::End { slot: 0, runs: vec![(0, outcome)], permits }
}

fn spawn(children: impl Into<Vec<NewSpec>>, join: JoinSpec) -> Outcome {
    Outcome::Spawn { children: children.into(), join }
}

fn ask(task: usize, asked: Asked) -> Operation {
    Operation::Change { tasks: vec![EXACTLY + task], asked }
}

fn wait(seconds: u64) -> Operation {
    Operation::Advance { millis: seconds * 1_000, renew: true }
}

pub(crate) async fn a_pause_that_was_asked_for_holds_over_a_crash<E: Engine>() {
    holds::<E>(vec![submit(&PLAIN), serve(1), ask(0, Asked::Pause), Operation::Crash]).await;
}

pub(crate) async fn a_parent_hears_of_a_child_that_ended_with_a_crash<E: Engine>() {
    let family = spawn([PLAIN], JoinSpec::BestEffort);
    holds::<E>(vec![submit(&PLAIN), serve(1), end(family, 1), ask(1, Asked::Cancel), Operation::Crash]).await;
}

pub(crate) async fn a_child_is_cancelled_in_the_batch_in_which_its_parent_ends<E: Engine>() {
    let family = || spawn([PLAIN, PLAIN], JoinSpec::Strict);
    let both = Operation::End { slot: 0, runs: vec![(0, FOR_GOOD), (1, AGAIN)], permits: 0 };
    holds::<E>(vec![submit(&PLAIN), serve(1), end(family(), 2), both]).await;
    let leave = Operation::Detach { slot: 0 };
    let requeued = vec![
        submit(&PLAIN),
        serve(1),
        end(spawn([PLAIN], JoinSpec::AtLeast(0)), 1),
        wait(1),
        end(spawn([PLAIN, PLAIN], JoinSpec::Strict), 2),
        ask(1, Asked::Cancel),
        leave,
    ];
    holds::<E>(requeued).await;
}

pub(crate) async fn a_task_that_comes_back_after_its_expiry_is_dead<E: Engine>() {
    let expiring = NewSpec { expires_in: Some(5), ..PLAIN };
    let declined = Outcome::Decline { digest: 1, others: true };
    for back in [Operation::Release { run: 0 }, end(declined, 0), Operation::Detach { slot: 0 }] {
        holds::<E>(vec![submit(&expiring), serve(1), wait(6), back]).await;
    }
    let paused = vec![submit(&expiring), ask(0, Asked::Pause), wait(6), ask(0, Asked::Resume)];
    holds::<E>(paused).await;
}

pub(crate) async fn a_parked_task_is_offered_to_a_catalogue_that_changed_while_it_was_held_back<E: Engine>() {
    let parked = || vec![submit(&PLAIN), serve(1), end(Outcome::Decline { digest: 1, others: false }, 0)];
    let hold = |held| Operation::Hold { kind: None, held };
    let mut kind = parked();
    kind.extend([hold(true), serve(0), hold(false)]);
    holds::<E>(kind).await;
    let mut paused = parked();
    paused.extend([ask(0, Asked::Pause), serve(0), ask(0, Asked::Resume)]);
    holds::<E>(paused).await;
}

pub(crate) async fn a_route_whose_first_task_was_refused_is_not_served_by_whoever_served_it<E: Engine>() {
    let on = |route, name| NewSpec { route, name, ..PLAIN };
    let refused = Operation::Submit(vec![on(1, Name::None), on(0, Name::Existing(0))]);
    let serve = Operation::Serve { slot: 0, serves: 2, permits: 0 };
    holds::<E>(vec![serve, submit(&on(2, Name::None)), refused, submit(&on(3, Name::None))]).await;
}

pub(crate) async fn what_is_known_of_attempts_outlives_the_end<E: Engine>() {
    for asked in [Asked::Requeue, Asked::Resolve] {
        holds::<E>(vec![submit(&PLAIN), serve(1), end(FOR_GOOD, 0), wait(1), ask(0, asked), Operation::Look]).await;
    }
    let taken = NewSpec { name: Name::Existing(0), ..PLAIN };
    for outcome in [spawn([taken.clone()], JoinSpec::BestEffort), Outcome::SucceedThen(vec![taken])] {
        holds::<E>(vec![submit(&PLAIN), serve(1), end(outcome, 0), Operation::Look]).await;
    }
}

pub(crate) async fn waits_of_a_family_that_end_together_end_once<E: Engine>() {
    let stale = NewSpec { stale_after: Some(10), ..PLAIN };
    let ask = || Outcome::Ask { timeout: None };
    let sleep = || Operation::Advance { millis: 70_000, renew: false };
    for join in [JoinSpec::BestEffort, JoinSpec::Strict] {
        let family = spawn([stale.clone()], join);
        holds::<E>(vec![submit(&stale), serve(1), end(family, 1), end(ask(), 0), sleep()]).await;
        let family = spawn([stale.clone()], JoinSpec::BestEffort);
        let older = NewSpec { stale_after: Some(30), ..PLAIN };
        holds::<E>(vec![submit(&older), serve(1), end(family, 1), end(ask(), 0), sleep()]).await;
    }
}

pub(crate) async fn a_spawn_that_is_repeated_may_ask_for_other_children_to_end_well<E: Engine>() {
    let family = |critical| spawn([PLAIN, PLAIN], JoinSpec::Critical(vec![critical]));
    let operations = vec![
        submit(&PLAIN),
        serve(1),
        end(family(0), 1),
        // The first child; then the parent, which is to begin again; then both.
        end(Outcome::Succeed, 0),
        Operation::Hold { kind: None, held: false },
        ask(2, Asked::Pause),
        Operation::Permit { slot: 0, permits: 1 },
        end(AGAIN, 1),
        wait(1),
        end(family(1), 0),
        ask(2, Asked::Resume),
        Operation::Permit { slot: 0, permits: 1 },
        end(Outcome::Succeed, 0),
    ];
    holds::<E>(operations).await;
}

pub(crate) async fn a_spawn_that_is_repeated_finds_that_a_child_was_removed<E: Engine>() {
    let keyed = NewSpec { name: Name::Key(0, false), ..PLAIN };
    let family = || spawn([keyed.clone()], JoinSpec::BestEffort);
    let operations = vec![
        submit(&keyed),
        serve(1),
        end(FOR_GOOD, 0),
        ask(0, Asked::Remove),
        submit(&PLAIN),
        Operation::Permit { slot: 0, permits: 1 },
        end(family(), 1),
        end(AGAIN, 1),
        wait(1),
        end(family(), 1),
    ];
    holds::<E>(operations).await;
}

pub(crate) async fn a_task_that_runs_alone_heeds_the_limit_of_its_kind<E: Engine>() {
    let attach = |slot| Operation::Serve { slot, serves: 15, permits: 1 };
    let lose = || Operation::Advance { millis: 16_000, renew: false };
    let mut operations = vec![submit(&PLAIN)];
    operations.extend([attach(0), lose(), wait(2), attach(0), lose()]);
    operations.extend([submit(&PLAIN), attach(1), attach(2), wait(3), Operation::Look]);
    holds_on::<One<E>>(operations.into_iter().map(|operation| (0, operation)).collect(), Some(1)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_worker_that_has_not_renewed_is_sent_nothing_however_many_others_were_lost_with_it() {
    let attach = |slot, permits| Operation::Serve { slot, serves: 15, permits };
    let later = NewSpec { delay: 2, ..PLAIN };
    let mut steps = Vec::new();
    for _ in 0..2 {
        steps.extend([(1, attach(0, 0)), (1, attach(1, 0)), (1, attach(2, 0)), (1, Operation::Crash)]);
    }
    steps.extend([(0, submit(&later)), (0, attach(0, 1)), (0, Operation::Advance { millis: 16_000, renew: false })]);
    holds_on::<Two>(steps, None).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_what_a_lost_worker_ran_the_first_that_was_claimed_is_lost_first() {
    let plain = |route| NewSpec { route, ..PLAIN };
    let several = |routes: &[u8]| Operation::Submit(routes.iter().map(|route| plain(*route)).collect());
    let serve = |slot, permits| Operation::Serve { slot, serves: 15, permits };
    let ends = |runs: Vec<(usize, Outcome)>, permits| Operation::End { slot: 0, runs, permits };
    let one = || spawn([plain(1)], JoinSpec::BestEffort);
    let steps = vec![
        several(&[0, 0, 0, 0]),
        serve(0, 1),
        several(&[0, 0, 1, 0]),
        serve(0, 2),
        serve(1, 0),
        Operation::Detach { slot: 0 },
        ends(vec![(0, Outcome::Succeed)], 0),
        ends(vec![(0, Outcome::Succeed)], 4),
        ends(vec![(0, one())], 4),
        ends(vec![(0, one())], 4),
        Operation::Submit(vec![plain(0), NewSpec { name: Name::OwnId(1, false), ..PLAIN }, plain(1), plain(1)]),
        ends(vec![(2, Outcome::Ask { timeout: None }), (0, spawn([plain(1), plain(1)], JoinSpec::BestEffort))], 3),
        ends(vec![(2, spawn([plain(1), plain(1), NewSpec { priority: 1, ..plain(1) }], JoinSpec::Strict))], 0),
        ends(vec![(0, Outcome::Succeed)], 2),
        Operation::Crash,
        Operation::Change { tasks: vec![16], asked: Asked::Cancel },
    ];
    holds_on::<Two>(steps.into_iter().map(|step| (0, step)).collect(), Some(2)).await;
}

pub(crate) async fn after_a_crash_what_was_claimed_first_is_lost_first<E: Engine>() {
    holds::<E>(vec![
        submit(&PLAIN),
        serve(1),
        end(spawn([PLAIN, PLAIN], JoinSpec::Strict), 1),
        Operation::Permit { slot: 0, permits: 1 },
        // Its end is its parent's, so that its sibling, which was claimed later, is cancelled rather than lost.
        ask(1, Asked::Cancel),
        Operation::Crash,
    ])
    .await;
}
