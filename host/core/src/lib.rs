//! Words and decisions of Bulkhead.
//!
//! What the other rooms must agree on lives here: the words ([`Kind`], [`TagSet`], [`TaskId`], [`State`] …), what a
//! caller may submit ([`Submission`]), how a run can end ([`RunEnd`]) and what follows from it ([`decide`]).
//! Nothing here reads a clock, a file, a database or the environment: the same arguments give the same answer, so every
//! rule can be tested by itself.

mod attempt;
mod backoff;
mod decide;
mod delegate;
mod digest;
mod event;
mod failure;
mod family;
mod fuel;
mod handler_name;
mod handler_version;
mod home;
mod join;
mod json_text;
mod kind;
mod kind_limit;
mod lease_id;
mod options;
mod outcome;
mod past;
mod priority;
mod retention;
mod routing;
mod run_end;
mod schedule;
mod size;
mod span;
mod state;
mod submission;
mod tag;
mod task_id;
mod text;
mod timestamp;
mod traceparent;
mod upstream;
mod waiting;
mod workflow;
mod workspace;

pub use attempt::{AttemptRecord, RunRecord};
pub use backoff::{Backoff, BackoffCurve};
pub use decide::{
    Conduct, LOSSES_BEFORE_ALONE, LOSSES_WHILE_ALONE, LossStep, MAX_RETRY_AFTER, NextStep, Standing, after_loss,
    bounded, decide,
};
pub use delegate::{
    Breaker, BreakerRules, BreakerState, Caller, CallerWorkspace, Candidate, ChatMessage, ChatRequest, Container,
    DelegateError, Device, Exit, InUse, Job, Mount, Overrun, Usage,
};
pub use digest::Digest;
pub use event::{Event, EventData, EventFacts, EventFilter, EventType, EventTypes, WebhookName, WebhookSubmission};
pub use failure::{Category, Failure, TaskError};
pub use family::{MAX_GENERATIONS, family_limit};
pub use fuel::Fuel;
pub use handler_name::HandlerName;
pub use handler_version::HandlerVersion;
pub use home::{Home, Use, before_use, may_run_at};
pub use join::{Join, JoinCount, JoinEnd, JoinStep, first_to_join, join_step};
pub use json_text::{JsonError, JsonText, MAX_JSON_DEPTH, json_depth};
pub use kind::Kind;
pub use kind_limit::{Bucket, KindLimit, Rate};
pub use lease_id::LeaseId;
pub use options::{Ceilings, Effective, OnTrap, Options, Overrides, RetryFrom, Source, Sources};
pub use outcome::{Answer, BatchPlan, Checkpoint, Child, Completion, Decision, Spawn, Suspension};
pub use past::Past;
pub use priority::Priority;
pub use retention::{Retention, overdue_by};
pub use routing::{Route, RoutingError, admits, serves};
pub use run_end::{Interruption, Limit, RunEnd};
pub use schedule::{
    Cron, EarlierTask, GRACE, Interval, MAX_MADE_UP, MAX_WAITING, MissedRule, NewSchedule, OverlapRule, Recurrence,
    ScheduleError, ScheduleName, SchedulePlan, ScheduleProgress, ScheduleRules, ScheduleSubmission, TickSkip, Zone,
    plan_ticks,
};
pub use size::Size;
pub use span::Span;
pub use state::{DeadReason, ReadyReason, State};
pub use submission::{Due, Extras, NewTask, Submission, SubmissionError, SubmissionLimits, is_label};
pub use tag::{Tag, TagSet, TagSetError};
pub use task_id::TaskId;
pub use text::TextError;
pub use timestamp::Timestamp;
pub use traceparent::{Traceparent, TraceparentError};
pub use upstream::{UpstreamEnd, UpstreamTask};
pub use waiting::{WaitLimits, WaitStep};
pub use workflow::{
    CriticalStep, Cursor, DependencyCount, DependencyStep, DomainEvent, EarlyEnd, FanInCount, FanOut, FanOutOver,
    MAX_CHOSEN, MAX_DECISIONS, MAX_STEPS, NewWorkflow, PlanStep, PublishCondition, StepEnd, StepGlance, StepName,
    StepRole, StepStanding, StepTally, StepTicket, StepTimes, TemplateRef, WorkflowPlan, WorkflowState,
    WorkflowSubmission, check_outcome, chosen_by_hand, chosen_steps, critical_path, cursors_by_hand, dependency_step,
    expand, fan_in, instance, instance_name, standing, under_way, when_terminated,
};
pub use workspace::WorkspaceChoice;
