//! Workflows: tasks tied by dependencies, as every room sees them.
//!
//! A template is read elsewhere; what comes of it is a [`WorkflowPlan`], kept with every workflow that began from it.
//! Here is what a plan may say, how it becomes tasks ([`expand`]), when a step may run ([`dependency_step`]), how a
//! workflow stands ([`standing`]), and where its time went ([`critical_path`]).

mod by_hand;
mod choice;
mod critical_path;
mod dependency;
mod domain_event;
mod expand;
mod fan_in;
mod fan_out;
mod outcome;
mod plan;
mod state;
mod step_name;
mod submission;
mod ticket;

pub use by_hand::{chosen_by_hand, cursors_by_hand};
pub use choice::chosen_steps;
pub use critical_path::{CriticalStep, StepTimes, critical_path};
pub use dependency::{DependencyCount, DependencyStep, StepEnd, StepStanding, dependency_step};
pub use domain_event::{DomainEvent, PublishCondition};
pub use expand::{expand, instance, instance_name};
pub use fan_in::{FanInCount, fan_in};
pub use fan_out::{FanOut, FanOutOver};
pub use outcome::check_outcome;
pub use plan::{MAX_CHOSEN, MAX_DECISIONS, MAX_STEPS, PlanStep, StepRole, WorkflowPlan};
pub use state::{EarlyEnd, StepGlance, StepTally, WorkflowState, standing, under_way, when_terminated};
pub use step_name::StepName;
pub use submission::{NewWorkflow, TemplateRef, WorkflowSubmission};
pub use ticket::{Cursor, StepTicket};
