//! GPUs, under the operator's grant `gpu`.
//!
//! ```
//! use bulkhead_sdk::gpu::Job;
//! use bulkhead_sdk::prelude::*;
//!
//! #[derive(Default)]
//! struct Train;
//!
//! impl Handler for Train {
//!     const KIND: &'static str = "TRAIN";
//!     const PROVIDES: &'static [&'static str] = &["gpu"];
//!     type Payload = u32;
//!
//!     fn handle(&self, task: Task<u32>, _: &Context) -> Result<Outcome, Failure> {
//!         let exit = Job::new("train").arguments(["--epochs", &task.payload.to_string()]).gpus(2).run()?;
//!         complete(json!({ "loss": exit.stdout_text().trim().parse::<f64>()? }))
//!     }
//! }
//! # bulkhead_sdk::export!(Train);
//!
//! // A test says what the GPUs answer.
//! use bulkhead_sdk::Exit;
//! use bulkhead_sdk::testing::TestTask;
//!
//! let task = TestTask::new(3).gpu(|_| Ok(Exit { stdout: b"0.25".to_vec(), ..Exit::default() }));
//! assert_eq!(task.run::<Train>().result(), json!({"loss": 0.25}));
//! ```

use crate::setters::setters;
use crate::{DelegateError, Exit, delegate, testing};

/// A device as it is now.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Device {
    /// Its number on this host.
    pub index: u32,
    /// Its name.
    pub name: String,
    /// Its memory.
    pub memory_bytes: u64,
    /// Memory that nobody uses now.
    pub free_memory_bytes: u64,
}

/// The devices of this host.
pub fn devices() -> Vec<Device> {
    if cfg!(target_arch = "wasm32") { delegate::host::devices() } else { testing::devices() }
}

/// A program of the operator's, run with devices leased for it alone.
///
/// It runs in the task's workspace where the handler may write there, else in an empty folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job {
    /// A name from the operator's allow-list.
    pub program: String,
    /// Its arguments.
    pub arguments: Vec<String>,
    /// Environment: names, of which the operator lists those that may be set, and values.
    pub env: Vec<(String, String)>,
    /// Standard input; at most 16 MiB.
    pub stdin: Vec<u8>,
    /// How many devices; at least 1.
    pub gpus: u32,
    /// Free memory that each of them must have.
    pub memory_bytes_each: Option<u64>,
}

impl Job {
    /// This program, with one device.
    pub fn new(program: impl Into<String>) -> Self {
        Self {
            program: program.into(),
            arguments: Vec::new(),
            env: Vec::new(),
            stdin: Vec::new(),
            gpus: 1,
            memory_bytes_each: None,
        }
    }

    setters! {
        /// Gives it these arguments.
        arguments(words: impl IntoIterator<Item = impl Into<String>>) => arguments = words.into_iter().map(Into::into).collect();

        /// Gives it this standard input.
        stdin(input: impl Into<Vec<u8>>) => stdin = input.into();

        /// Leases so many devices for it.
        gpus(count: u32) => gpus = count;

        /// Leases only devices with so much free memory.
        memory_bytes_each(bytes: u64) => memory_bytes_each = Some(bytes);
    }

    /// Adds a variable to its environment.
    #[must_use]
    pub fn env(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.env.push((name.into(), value.into()));
        self
    }

    /// Runs it, and waits for its end; the attempt's deadline kills it.
    pub fn run(self) -> Result<Exit, DelegateError> {
        if cfg!(target_arch = "wasm32") { delegate::host::run_job(self) } else { testing::run_job(self) }
    }
}
