//! The context of a test's task.

use std::cell::RefCell;
use std::path::PathBuf;
use std::time::Duration;

use serde_json::Value;

use super::TestTask;
use crate::context::{Host, WORKSPACE};
use crate::{Answer, Level, Progress, Step, Upstream};

/// What a run told of itself.
#[derive(Default)]
pub(super) struct Told {
    pub(super) logs: Vec<(Level, String, Value)>,
    pub(super) progress: Vec<Progress>,
    pub(super) audits: Vec<(String, Value)>,
}

pub(super) struct FakeHost {
    pub(super) task: TestTask,
    pub(super) told: RefCell<Told>,
}

fn parsed(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_default()
}

impl Host for FakeHost {
    fn idempotency_key(&self) -> String {
        format!("{}:{}", self.task.task.id, self.task.task.stage)
    }

    fn tenant(&self) -> Option<String> {
        self.task.tenant.clone()
    }

    fn tags(&self) -> Vec<(String, String)> {
        self.task.tags.clone()
    }

    fn traceparent(&self) -> Option<String> {
        None
    }

    fn settings(&self) -> String {
        self.task.settings.to_string()
    }

    fn state(&self) -> Option<String> {
        self.task.state.as_ref().map(Value::to_string)
    }

    fn resumption(&self) -> Option<Answer> {
        self.task.resumption.clone()
    }

    fn upstream(&self) -> Vec<Upstream> {
        self.task.upstream.clone()
    }

    fn upstream_named(&self, name: &str) -> Option<Upstream> {
        self.task.upstream.iter().find(|upstream| upstream.name == name).cloned()
    }

    fn step(&self) -> Option<Step> {
        self.task.step.clone()
    }

    fn cancelled(&self) -> bool {
        self.task.cancelled
    }

    fn remaining(&self) -> Duration {
        Duration::from_secs(60)
    }

    fn remaining_fuel(&self) -> u64 {
        u64::MAX
    }

    fn workspace(&self) -> PathBuf {
        self.task.workspace.clone().unwrap_or_else(|| PathBuf::from(WORKSPACE))
    }

    fn log(&self, level: Level, message: &str, fields: &str) {
        self.told.borrow_mut().logs.push((level, message.to_owned(), parsed(fields)));
    }

    fn report_progress(&self, progress: &Progress) {
        self.told.borrow_mut().progress.push(progress.clone());
    }

    fn audit(&self, code: &str, details: &str) {
        self.told.borrow_mut().audits.push((code.to_owned(), parsed(details)));
    }
}
