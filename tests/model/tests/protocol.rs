//! The protocol holds in every interleaving of every scenario, and each flaw is seen by the property that is there for it.

use bulkhead_model::property::{
    ALL_END, CANCEL_HOLDS, ENDS_ONCE, HOLDER_COMMITS, ONE_COMMITTER, ONE_PLACE, STOPS_IN_TIME,
};
use bulkhead_model::{Figures, Flaw, LeaseModel, Scenario};

fn holds_in(scenario: Scenario) {
    let figures = Figures::of(LeaseModel::sound(scenario));
    assert!(figures.broken.is_empty(), "{:#?}", figures.broken);
    assert!(figures.impossible.is_empty(), "the scenario is too small: {:?}", figures.impossible);
}

fn breaks(flaw: Flaw, property: &str) {
    assert_eq!(flaw.breaks(), property);
    let figures = Figures::of(flaw.model());
    let broken: Vec<_> = figures.broken.iter().map(|(name, _)| *name).collect();
    assert_eq!(broken, [property], "{} states were gone through", figures.unique_states);
}

macro_rules! the_protocol_holds {
    ($($name:ident: $scenario:ident;)*) => {$(
        #[test]
        fn $name() {
            holds_in(Scenario::$scenario);
        }
    )*};
}

the_protocol_holds! {
    the_protocol_holds_while_workers_stand_still: PAUSES;
    the_protocol_holds_while_processes_die: CRASHES;
    the_protocol_holds_while_lines_break_and_runs_fail: LINES;
    the_protocol_holds_while_clocks_lose_less_than_the_margin: SLOW_CLOCKS;
    the_protocol_holds_while_clocks_disagree: SKEWED_CLOCKS;
    the_protocol_holds_while_ends_are_refused: REFUSALS;
    the_protocol_holds_for_batches: BATCHES;
    the_protocol_holds_among_three_workers: THREE;
    the_protocol_holds_while_tasks_are_cancelled: CANCELS;
}

macro_rules! flaws_are_seen {
    ($($name:ident: $flaw:ident breaks $property:ident;)*) => {
        $(
            #[test]
            fn $name() {
                breaks(Flaw::$flaw, $property);
            }
        )*

        #[test]
        fn each_flaw_has_its_test() {
            assert_eq!([$(Flaw::$flaw),*], Flaw::ALL);
        }
    };
}

flaws_are_seen! {
    commits_that_are_not_fenced_end_a_task_twice: CommitsAreNotFenced breaks ENDS_ONCE;
    commits_fenced_by_task_alone_are_taken_from_who_lost_it: CommitsAreFencedByTaskAlone breaks HOLDER_COMMITS;
    lease_numbers_used_twice_let_two_runs_commit: LeaseNumbersAreReused breaks ONE_COMMITTER;
    a_commit_repeated_after_an_unknown_one_ends_a_task_twice: RepeatedCommitIsWrittenAgain breaks ENDS_ONCE;
    trust_counted_from_the_answer_lasts_too_long: TrustCountsFromTheAnswer breaks STOPS_IN_TIME;
    workers_that_wait_to_be_told_stop_too_late: WorkersDoNotStopThemselves breaks STOPS_IN_TIME;
    renewals_stamped_by_the_worker_are_swept_too_early: RenewalsAreStampedByTheWorker breaks STOPS_IN_TIME;
    clocks_that_lose_the_whole_margin_stop_runs_too_late: ClocksLoseTheWholeMargin breaks STOPS_IN_TIME;
    a_lease_taken_up_again_keeps_its_tasks_for_ever: LeaseIsTakenUpAgain breaks ALL_END;
    a_delivery_started_after_the_cut_off_runs_under_a_void_lease: LateDeliveryIsStarted breaks STOPS_IN_TIME;
    tasks_given_back_too_early_still_run: TasksAreGivenBackBeforeRunsStop breaks STOPS_IN_TIME;
    a_batch_lost_on_a_line_that_is_kept_is_renewed_for_ever: BrokenLineIsKept breaks ALL_END;
    an_end_refused_and_forgotten_is_renewed_for_ever: RefusedEndIsForgotten breaks ALL_END;
    a_sweep_that_forgets_tasks_loses_them: SweepForgetsTasks breaks ONE_PLACE;
    a_sweep_that_keeps_the_lease_has_tasks_twice: SweepKeepsTheLease breaks ONE_PLACE;
    without_a_sweep_the_tasks_of_the_dead_never_end: NobodySweeps breaks ALL_END;
    a_takeover_without_the_lock_finds_runs_alive: TakeoverWithoutTheLock breaks STOPS_IN_TIME;
    a_loss_that_forgets_the_cancel_makes_a_cancelled_task_ready: LossForgetsTheCancel breaks CANCEL_HOLDS;
}
