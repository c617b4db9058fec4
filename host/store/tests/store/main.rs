//! One suite of properties for every engine: each is generic over [`harness::Engine`], and run on each engine there is.

mod harness;
mod manual_clock;
mod postgres_engine;
mod sqlite_engine;

mod alone;
mod binding;
mod cancelling;
mod children;
mod claiming;
mod committing;
mod events;
mod leases;
mod limits;
mod listing;
mod modelled;
mod pausing;
mod refusals;
mod removing;
mod requeuing;
mod restarts;
mod schedule_changes;
mod schedules;
mod submitting;
mod suspending;
mod telling;
mod waiting;
mod workflow_harness;
mod workflow_pausing;
mod workflow_views;
mod workflows;
mod workflows_at_random;

mod postgres_events;
mod postgres_homes;
mod postgres_only;
mod postgres_partitions;
mod sqlite_only;
mod sqlite_schedules;

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

        mod postgres {
            $(mod $module {
                $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $property() {
                    crate::$module::$property::<crate::postgres_engine::Postgres>().await;
                })*
            })*
        }
    };
}

properties! {
    alone:
        a_task_that_lost_two_workers_runs_with_nothing_beside_it
        a_task_that_keeps_losing_workers_is_dead_as_poison;
    binding:
        a_task_that_moves_is_run_where_its_workspace_is_as_if_it_had_not_begun
        a_bound_task_is_retried_paused_requeued_and_restarted_where_it_is_bound;
    cancelling:
        a_task_that_waits_is_cancelled_at_once
        a_run_that_succeeds_within_the_grace_wins_over_the_cancel
        a_run_that_succeeds_after_the_grace_is_cancelled
        a_cancelled_task_is_not_retried
        a_worker_that_leaves_lets_its_cancelled_tasks_end
        cancelling_what_has_ended_or_never_was_says_so;
    children:
        a_parent_goes_on_when_all_its_children_have_ended
        a_strict_parent_ends_with_its_first_bad_child
        a_parent_that_needs_some_goes_on_when_it_has_them
        a_parent_with_critical_children_does_not_wait_for_the_others
        a_child_that_is_requeued_in_time_is_waited_for_again
        a_child_that_is_resolved_counts_as_one_that_ended_well
        cancelling_a_parent_cancels_its_children
        a_parent_that_begins_again_finds_the_children_it_has
        a_child_that_is_there_by_its_key_is_waited_for
        too_many_generations_end_the_one_that_goes_too_far
        a_family_outlives_a_crash;
    claiming:
        a_claim_has_all_that_was_submitted
        higher_priorities_go_first_then_earlier_due_times_then_older_tasks
        a_task_is_not_claimed_before_it_is_due
        a_worker_is_sent_only_routes_it_serves_and_no_more_than_its_permits
        nothing_is_claimed_after_the_worker_has_stopped_claiming
        a_task_that_has_not_started_by_its_expiry_is_dead
        a_task_that_started_does_not_expire
        a_task_that_was_interrupted_has_started_and_does_not_expire
        claims_over_many_routes_come_in_the_order_of_a_plain_model;
    committing:
        a_task_that_succeeds_shows_its_result_and_the_facts_of_its_attempt
        a_retry_waits_and_a_death_keeps_every_attempt
        a_deferral_charges_nothing_and_keeps_who_declined
        a_parked_task_waits_for_another_catalogue
        a_task_is_not_parked_where_a_handler_came_while_the_others_declined_it
        a_checkpoint_goes_on_at_the_next_stage_with_its_state
        tasks_that_follow_are_submitted_with_the_result
        tasks_that_follow_under_a_taken_id_make_the_outcome_invalid
        a_second_commit_under_the_same_lease_is_fenced
        a_commit_of_another_worker_is_fenced;
    events:
        nothing_is_kept_while_nobody_subscribes
        every_end_is_numbered_once_and_in_the_order_of_its_task
        what_is_not_kept_is_told_to_who_listens_and_after_what_came_before
        a_refused_end_tells_only_what_was_written
        no_event_is_lost_over_a_crash
        a_webhook_gets_what_it_wants_from_its_adding_on
        a_delivery_waits_for_the_earlier_one_of_its_task
        old_events_go_once_everybody_has_them;
    leases:
        a_worker_that_does_not_renew_loses_its_leases
        a_worker_that_renews_keeps_its_leases
        a_line_that_is_dropped_gives_its_tasks_back_without_a_loss
        a_released_task_keeps_its_place_in_the_queue;
    limits:
        no_more_of_a_kind_run_at_once_than_may
        no_more_of_a_kind_begin_than_their_rate_lets;
    listing:
        pages_come_newest_first_and_end
        a_cursor_that_was_not_given_for_this_list_is_refused
        filters_meet_what_they_say
        states_are_asked_for_in_any_company
        depths_follow_what_waits;
    modelled:
        whatever_happens_is_what_a_plain_model_says
        whatever_happens_no_more_of_a_kind_run_at_once_than_may
        a_pause_that_was_asked_for_holds_over_a_crash
        after_a_crash_what_was_claimed_first_is_lost_first
        a_parent_hears_of_a_child_that_ended_with_a_crash
        a_child_is_cancelled_in_the_batch_in_which_its_parent_ends
        a_task_that_comes_back_after_its_expiry_is_dead
        a_parked_task_is_offered_to_a_catalogue_that_changed_while_it_was_held_back
        a_route_whose_first_task_was_refused_is_not_served_by_whoever_served_it
        what_is_known_of_attempts_outlives_the_end
        waits_of_a_family_that_end_together_end_once
        a_spawn_that_is_repeated_may_ask_for_other_children_to_end_well
        a_spawn_that_is_repeated_finds_that_a_child_was_removed
        a_task_that_runs_alone_heeds_the_limit_of_its_kind;
    pausing:
        a_paused_task_is_not_claimed_until_it_is_resumed
        a_running_task_is_paused_when_its_run_is_over
        a_pause_that_is_taken_back_from_a_task_that_waits_answers_nothing
        a_paused_task_is_cancelled_and_keeps_paused_over_a_crash
        tasks_of_a_kind_that_is_held_back_wait;
    refusals:
        a_refused_submit_leaves_others_unharmed
        a_refused_task_is_told_from_named_ones_beside_it
        a_refused_commit_makes_that_one_task_dead;
    removing:
        what_ended_well_goes_before_what_ended_badly
        a_key_and_an_own_id_stand_for_a_task_that_was_removed
        children_stay_as_long_as_their_parent
        a_child_that_was_removed_under_its_key_has_ended_for_its_parent
        a_long_walk_removes_everything_that_is_over;
    requeuing:
        a_dead_letter_begins_a_new_epoch
        only_dead_letters_are_requeued;
    restarts:
        what_was_answered_is_there_after_a_crash
        what_ran_during_a_crash_has_lost_its_worker
        what_ran_during_a_close_is_given_back
        a_cancel_holds_over_a_crash
        leases_of_an_earlier_holder_are_void;
    schedules:
        each_tick_is_one_task_with_the_key_of_the_tick
        a_tick_is_one_task_over_crashes
        a_tick_whose_task_is_there_already_makes_no_other
        missed_ticks_are_skipped_unless_told_otherwise
        one_task_makes_up_for_all_missed_ticks
        each_missed_tick_is_made_up_for_one_after_another
        a_tick_is_passed_over_while_an_earlier_task_runs
        a_tick_waits_until_the_earlier_task_has_ended
        a_tick_replaces_the_earlier_task;
    schedule_changes:
        a_paused_schedule_makes_no_tasks
        a_removed_schedule_is_forgotten_and_its_task_goes_on
        a_schedule_is_put_once_and_replaced_when_asked
        a_replaced_schedule_goes_on_where_its_ticks_are_the_same
        a_schedule_whose_task_is_refused_goes_on_and_stops_nobody;
    submitting:
        the_same_key_and_body_give_the_first_task
        a_taken_key_or_id_refuses_the_whole_batch
        a_key_is_forgotten_when_its_time_is_over_and_its_task_has_ended
        a_callers_own_id_names_the_task
        the_same_asked_for_in_another_trace_is_the_same
        a_batch_that_finds_no_room_is_refused_whole;
    suspending:
        an_answer_lets_a_suspended_task_run_again_one_stage_on
        a_suspended_task_whose_time_is_over_runs_without_an_answer
        a_task_that_waits_too_long_is_flagged_and_then_dead_as_stale
        a_suspended_task_is_cancelled_at_once
        a_requeue_repeats_the_stage_that_ended_in_waiting_with_what_that_stage_had
        a_suspended_task_waits_on_over_a_crash
        a_dead_letter_is_resolved_with_a_result;
    telling:
        what_every_run_told_is_kept_with_its_commit_and_its_log_goes_with_its_task
        an_audit_trail_outlives_its_task;
    waiting:
        a_waiter_is_woken_by_the_end
        a_waiter_is_answered_when_its_time_is_over
        a_waiter_is_woken_whoever_made_the_id;
    workflows:
        a_step_runs_once_those_before_it_have_ended_well
        what_a_decision_did_not_choose_is_skipped_with_what_needs_it
        a_decision_for_nothing_skips_all_that_is_behind_it
        behind_a_dead_step_all_is_blocked_until_it_is_requeued
        a_dead_or_blocked_step_is_resolved_and_the_rest_goes_on
        what_waits_for_a_cancelled_step_is_cancelled
        a_step_may_end_the_workflow_early
        a_whole_workflow_is_cancelled
        a_workflow_that_takes_too_long_fails
        a_step_that_waits_too_long_is_dead_as_stale
        a_step_that_is_blocked_waits_for_help_however_long_that_takes
        a_stale_step_that_is_requeued_waits_for_the_steps_before_it_again
        to_cancel_a_workflow_ends_what_its_dead_steps_have_left_at_work
        the_time_to_wait_for_other_steps_bounds_no_other_wait
        the_same_key_and_body_give_the_first_workflow
        a_workflow_that_finds_no_room_is_refused_whole
        a_template_tells_of_its_own_events_once_a_step_has_ended
        steps_stay_as_long_as_their_workflow_does
        ten_thousand_steps_fan_out_and_come_together;
    workflow_pausing:
        a_paused_workflow_goes_on_where_it_was
        what_a_paused_workflow_spawns_waits_with_it;
    workflow_views:
        the_attempts_that_ran_longest_are_told_first
        a_workflow_whose_first_step_has_waited_is_not_pending_again
        pages_of_workflows_come_to_an_end_though_some_are_removed;
    workflows_at_random:
        random_workflows_end_as_a_walk_through_their_plan_says;
}
