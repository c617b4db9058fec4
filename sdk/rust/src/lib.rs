//! Write Bulkhead task handlers in Rust.
//!
//! A handler is a struct, its implementation of [`Handler`], and one [`export!`] line:
//!
//! ```
//! use bulkhead_sdk::prelude::*;
//!
//! #[derive(Deserialize)]
//! struct Greeting {
//!     name: String,
//! }
//!
//! #[derive(Default)]
//! struct Greet;
//!
//! impl Handler for Greet {
//!     const KIND: &'static str = "GREET";
//!     type Payload = Greeting;
//!
//!     fn handle(&self, task: Task<Greeting>, _context: &Context) -> Result<Outcome, Failure> {
//!         complete(json!({ "text": format!("Hello, {}!", task.payload.name) }))
//!     }
//! }
//!
//! bulkhead_sdk::export!(Greet);
//! # let run = bulkhead_sdk::testing::TestTask::new(json!({"name": "Ada"})).run::<Greet>();
//! # assert_eq!(run.result(), json!({"text": "Hello, Ada!"}));
//! ```
//!
//! Built for `wasm32-wasip2` as a `cdylib`, that is a component the host can load. On any other target the same code is
//! ordinary Rust, and [`testing`] runs it without a host.
//!
//! What a sandbox must not do, the host does for it where the operator granted it: [`docker`], [`gpu`], [`llm`]
//! and [`http`].
//!
//! `?` works on every standard error: it becomes a retryable [`Failure`] of category `handler`. On a [`DelegateError`]
//! and on an [`http::HttpError`] it gives a failure with the code of its case. A payload that does not
//! fit [`Handler::Payload`] is a failure of category `validation` that is not retried. A panic cannot be caught inside
//! WebAssembly: it is a trap, and the task is a dead letter unless the operator sets `on_trap = "retry"`.

#![cfg_attr(not(test), warn(clippy::unwrap_used))]

mod context;
mod defaults;
mod delegate;
pub mod docker;
mod export;
mod failure;
pub mod gpu;
mod handler;
pub mod http;
pub mod llm;
mod outcome;
mod setters;
mod task;
pub mod testing;

#[doc(hidden)]
pub mod bindings {
    #![allow(missing_docs, unreachable_pub, unsafe_code, clippy::all, reason = "generated from wit/handler.wit")]
    wit_bindgen::generate!({
        path: "wit",
        world: "task-handler",
        pub_export_macro: true,
        export_macro_name: "export_component",
        default_bindings_module: "bulkhead_sdk::bindings",
    });
}

#[doc(hidden)]
pub use export::Exported;

pub use context::{Answer, Context, Level, Progress, Step, Upstream, UpstreamEnd};
pub use defaults::{Backoff, Defaults};
pub use delegate::{DelegateError, Exit, Usage};
pub use failure::{Category, Failure};
pub use handler::Handler;
pub use outcome::{BatchPlan, Child, Cursor, Join, Outcome, Suspension, complete};
pub use task::{RawTask, Task};

/// What most handlers use.
pub mod prelude {
    pub use serde::{Deserialize, Serialize};
    pub use serde_json::{Value, json};

    pub use crate::{Category, Child, Context, Defaults, Failure, Handler, Join, Outcome, RawTask, Task, complete};
}
