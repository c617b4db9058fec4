//! A model of the lease protocol, small enough that every interleaving of it can be gone through.
//!
//! One store, two or three workers and one or two tasks; time goes in ticks. Claims, ends of runs, commits, renewals, sweeps
//! and faults happen in every order that the protocol allows; a message comes late, never, or (a commit) again and again.
//! What is modelled, what is not, and what was seen: `docs/adr/0008-lease-protocol-model.md`.
//!
//! | here | in the product |
//! |---|---|
//! | [`Store::would_take`], [`Store::commit`] | `host/store/src/sqlite/{leases,commit}.rs` |
//! | [`Store::sweep`], [`Store::detach`] | `host/store/src/sqlite/loss.rs` |
//! | [`Store::take_over`] | `host/store/src/sqlite/load.rs`, `lock_file.rs` |
//! | [`Store::answer`] | `host/store/src/sqlite/hearing.rs` |
//! | [`Worker::must_stop`], [`Worker::hear_answer`] | `host/worker/src/lease_guard.rs`, `renew` in `worker.rs` |
//! | [`Worker::cut_off`], [`Worker::guard_fires`] | `pump` and `cut_off` in `host/worker/src/worker.rs` |
//!
//! What must hold is in [`property`], what may go wrong in [`scenario::Faults`], and what a protocol can get wrong in
//! [`Flaw`]: each of those must be seen, or the model would prove nothing.

mod action;
mod case;
mod choices;
mod figures;
mod flaw;
pub mod message;
mod model;
mod next_step;
mod numbers;
pub mod property;
pub mod scenario;
mod state;
mod step;
pub mod store;
mod task_set;
pub mod worker;

pub use action::Action;
pub use figures::Figures;
pub use flaw::Flaw;
pub use model::LeaseModel;
pub use numbers::{AttachmentNumber, LeaseNumber, RunNumber, StoreTime, TaskNumber, WorkerNumber, WorkerTime};
pub use scenario::Scenario;
pub use state::State;
pub use store::Store;
pub use task_set::TaskSet;
pub use worker::Worker;
