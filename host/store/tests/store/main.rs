//! One suite of properties for every engine: each is generic over [`harness::Engine`], and run on each engine there is.

mod harness;
mod sqlite_engine;

mod alone;
mod cancelling;
mod claiming;
mod committing;
mod leases;
mod listing;
mod refusals;
mod requeuing;
mod restarts;
mod submitting;
mod waiting;

mod sqlite_only;

/// Runs each property on each engine.
macro_rules! properties {
    ($($module:ident: $($property:ident)*;)*) => {
        mod sqlite {
            $(mod $module {
                $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $property() {
                    crate::$module::$property::<crate::sqlite_engine::Sqlite>().await;
                })*
            })*
        }
    };
}

properties! {
    alone:
        a_task_that_lost_two_workers_runs_with_nothing_beside_it
        a_task_that_keeps_losing_workers_is_dead_as_poison;
    cancelling:
        a_task_that_waits_is_cancelled_at_once
        a_run_that_succeeds_within_the_grace_wins_over_the_cancel
        a_run_that_succeeds_after_the_grace_is_cancelled
        a_cancelled_task_is_not_retried
        a_worker_that_leaves_lets_its_cancelled_tasks_end
        cancelling_what_has_ended_or_never_was_says_so;
    claiming:
        a_claim_has_all_that_was_submitted
        higher_priorities_go_first_then_earlier_due_times_then_older_tasks
        a_task_is_not_claimed_before_it_is_due
        a_worker_is_sent_only_routes_it_serves_and_no_more_than_its_permits
        nothing_is_claimed_after_the_worker_has_stopped_claiming
        a_task_that_has_not_started_by_its_expiry_is_dead
        a_task_that_started_does_not_expire
        claims_over_many_routes_come_in_the_order_of_a_plain_model;
    committing:
        a_task_that_succeeds_shows_its_result_and_the_facts_of_its_attempt
        a_retry_waits_and_a_death_keeps_every_attempt
        a_deferral_charges_nothing_and_keeps_who_declined
        a_parked_task_waits_for_another_catalogue
        a_checkpoint_goes_on_at_the_next_stage_with_its_state
        tasks_that_follow_are_submitted_with_the_result
        tasks_that_follow_under_a_taken_id_make_the_outcome_invalid
        a_second_commit_under_the_same_lease_is_fenced
        a_commit_of_another_worker_is_fenced;
    leases:
        a_worker_that_does_not_renew_loses_its_leases
        a_worker_that_renews_keeps_its_leases
        a_line_that_is_dropped_gives_its_tasks_back_without_a_loss
        a_released_task_keeps_its_place_in_the_queue;
    listing:
        pages_come_newest_first_and_end
        a_cursor_that_was_not_given_for_this_list_is_refused
        filters_meet_what_they_say
        depths_follow_what_waits;
    refusals:
        a_refused_submit_leaves_others_unharmed
        a_refused_commit_makes_that_one_task_dead;
    requeuing:
        a_dead_letter_begins_a_new_epoch
        only_dead_letters_are_requeued;
    restarts:
        what_was_answered_is_there_after_a_crash
        what_ran_during_a_crash_has_lost_its_worker
        what_ran_during_a_close_is_given_back
        a_cancel_holds_over_a_crash
        leases_of_an_earlier_holder_are_void;
    submitting:
        the_same_key_and_body_give_the_first_task
        a_taken_key_or_id_refuses_the_whole_batch
        a_key_is_forgotten_when_its_time_is_over_and_its_task_has_ended
        a_callers_own_id_names_the_task;
    waiting:
        a_waiter_is_woken_by_the_end
        a_waiter_is_answered_when_its_time_is_over;
}
