//! What both handlers of EXECUTE do with a payload.

use std::collections::BTreeMap;

use bulkhead_sdk::docker::Container;
use bulkhead_sdk::{Context, DelegateError, Exit, Failure, Outcome, complete};
use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::{Limits, Source, failure, output, workspace};

/// Where a container sees the workspace, and where its program starts.
const TARGET: &str = "/workspace";

/// A program to run on the files of a workspace.
#[derive(Debug, Clone, Copy)]
pub struct Execution<'a> {
    /// The handler, as its settings name it.
    pub handler: &'a str,
    /// What is written into the workspace first.
    pub source: Option<&'a Source>,
    /// The environment of the program.
    pub env: &'a BTreeMap<String, String>,
    /// Its standard input.
    pub stdin: &'a str,
}

impl Execution<'_> {
    /// A container that sees the workspace at `/workspace`, to read and write, and starts there.
    pub fn container(&self, image: &str, command: &[String], limits: &Limits) -> Result<Container, Failure> {
        if image.is_empty() {
            return Err(failure::payload("`image` must name an image"));
        }
        let mut container =
            Container::new(image).command(command).stdin(self.stdin).mount(".", TARGET).working_dir(TARGET);
        container.env = self.variables();
        container.memory_bytes = limits.memory.map(crate::Size::bytes);
        container.cpus = limits.cpus;
        container.processes = limits.processes;
        Ok(container)
    }

    /// The environment as delegates take it.
    pub fn variables(&self) -> Vec<(String, String)> {
        self.env.iter().map(|(name, value)| (name.clone(), value.clone())).collect()
    }

    /// Writes the source, runs the program and tells how it ended.
    pub fn run(
        &self,
        context: &Context,
        program: impl FnOnce() -> Result<Exit, DelegateError>,
    ) -> Result<Outcome, Failure> {
        let folder = workspace(context, self.handler, "read-write")?;
        if let Some(source) = self.source {
            source.write(&folder)?;
        }
        let exit = program()?;
        context.info(&format!("exit code {} after {} ms", exit.code, exit.usage.wall_ms));
        complete(output(&exit))
    }
}

/// Whether a payload asks for devices or for a program that runs on them; what is no payload asks for nothing.
pub fn asks_for_gpus(payload: &str) -> bool {
    #[derive(Deserialize)]
    struct Fields {
        gpus: Option<IgnoredAny>,
        program: Option<IgnoredAny>,
    }
    serde_json::from_str(payload).is_ok_and(|Fields { gpus, program }| gpus.is_some() || program.is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn devices_are_asked_for_by_their_number_or_by_a_program() {
        for payload in [r#"{"gpus": 1}"#, r#"{"image": "a", "program": "train"}"#, r#"{"gpus": 0}"#] {
            assert!(asks_for_gpus(payload), "{payload}");
        }
        for payload in ["{}", r#"{"image": "a"}"#, r#"{"gpus": null}"#, r#"{"env": {"gpus": "1"}}"#, "7", "["] {
            assert!(!asks_for_gpus(payload), "{payload}");
        }
    }
}
