//! Workflows in SQL: beginning them, letting steps go on as those before them end, and showing them.
//!
//! Each step is a task. One that waits for others has a row in `waits`, like any task that waits, and its row in `steps`
//! counts how its dependencies have ended, so that who ends a step touches only the edges that leave it. What ended in a
//! cycle is told to its dependents once, at the end of the cycle (`release`), wave by wave; then each workflow that was
//! touched is counted (`settle`).

mod begin;
mod control;
mod counting;
mod dependencies;
mod dependents;
mod input;
mod notes;
mod numbers;
mod plans;
mod release;
mod removal;
mod request;
mod settle;
mod slowest;
mod store;
mod tally;
mod view;

pub(super) use input::input_of;
pub(super) use plans::Plans;
pub(super) use release::StepChange;
pub(super) use request::{AskedWorkflow, BeginAnswer, BeginWorkflow};
