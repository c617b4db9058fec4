//! Containers, under the operator's grant `docker`.
//!
//! ```
//! use bulkhead_sdk::docker::Container;
//! use bulkhead_sdk::prelude::*;
//!
//! #[derive(Default)]
//! struct Count;
//!
//! impl Handler for Count {
//!     const KIND: &'static str = "COUNT";
//!     const PROVIDES: &'static [&'static str] = &["docker", "cpu"];
//!     type Payload = String;
//!
//!     fn handle(&self, task: Task<String>, _: &Context) -> Result<Outcome, Failure> {
//!         let exit = Container::new("alpine:3").command(["wc", "-c"]).stdin(task.payload).run()?;
//!         complete(json!({ "bytes": exit.stdout_text().trim() }))
//!     }
//! }
//! # bulkhead_sdk::export!(Count);
//!
//! // A test says what docker answers.
//! use bulkhead_sdk::Exit;
//! use bulkhead_sdk::testing::TestTask;
//!
//! let task = TestTask::new("four").docker(|_| Ok(Exit { stdout: b"4\n".to_vec(), ..Exit::default() }));
//! let run = task.run::<Count>();
//! assert_eq!(run.result(), json!({"bytes": "4"}));
//! assert_eq!(run.containers[0].image, "alpine:3");
//! ```

use crate::setters::setters;
use crate::{DelegateError, Exit, delegate, testing};

/// A container to run to its end: no privileges, no capabilities, a read-only root, and no network unless it asks.
///
/// What is absent is what the image or the grant says.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Container {
    /// An image on the operator's allow-list.
    pub image: String,
    /// Program and arguments; empty for the image's own.
    pub command: Vec<String>,
    /// Environment: names and values.
    pub env: Vec<(String, String)>,
    /// Absolute path in the container.
    pub working_dir: Option<String>,
    /// Standard input; at most 16 MiB.
    pub stdin: Vec<u8>,
    /// Folders of the workspace.
    pub mounts: Vec<Mount>,
    /// Memory; at most the grant's.
    pub memory_bytes: Option<u64>,
    /// Cores; at most the grant's.
    pub cpus: Option<f64>,
    /// Processes at once; at most the grant's.
    pub processes: Option<u32>,
    /// Whether it has a network; needs the grant to say so.
    pub network: bool,
    /// Devices leased for the run; 0 for none.
    pub gpus: u32,
}

/// A folder of the task's workspace, seen inside a container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mount {
    /// Path in the workspace, relative; `.` for all of it.
    pub source: String,
    /// Absolute path in the container.
    pub target: String,
    /// Whether it can only be read.
    pub read_only: bool,
}

impl Container {
    /// A container of this image.
    pub fn new(image: impl Into<String>) -> Self {
        Self { image: image.into(), ..Self::default() }
    }

    setters! {
        /// Runs this program, with these arguments.
        command(words: impl IntoIterator<Item = impl Into<String>>) => command = words.into_iter().map(Into::into).collect();

        /// Starts it in this folder of the container.
        working_dir(path: impl Into<String>) => working_dir = Some(path.into());

        /// Gives it this standard input.
        stdin(input: impl Into<Vec<u8>>) => stdin = input.into();

        /// Gives it so much memory.
        memory_bytes(bytes: u64) => memory_bytes = Some(bytes);

        /// Gives it so many cores, or a part of one.
        cpus(cores: f64) => cpus = Some(cores);

        /// Lets it have so many processes at once.
        processes(most: u32) => processes = Some(most);

        /// Gives it a network.
        network() => network = true;

        /// Leases so many devices for it.
        gpus(count: u32) => gpus = count;
    }

    /// Adds a variable to its environment.
    #[must_use]
    pub fn env(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.env.push((name.into(), value.into()));
        self
    }

    /// Shows it a folder of the workspace, to read and write; needs the grant `workspace = "read-write"`.
    #[must_use]
    pub fn mount(self, source: impl Into<String>, target: impl Into<String>) -> Self {
        self.mounting(source, target, false)
    }

    /// Shows it a folder of the workspace, only to read.
    #[must_use]
    pub fn mount_read_only(self, source: impl Into<String>, target: impl Into<String>) -> Self {
        self.mounting(source, target, true)
    }

    fn mounting(mut self, source: impl Into<String>, target: impl Into<String>, read_only: bool) -> Self {
        self.mounts.push(Mount { source: source.into(), target: target.into(), read_only });
        self
    }

    /// Runs it, and waits for its end; the attempt's deadline kills and removes it.
    pub fn run(self) -> Result<Exit, DelegateError> {
        if cfg!(target_arch = "wasm32") { delegate::host::run_container(self) } else { testing::run_container(self) }
    }
}
