//! What a caller says to begin a workflow.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::WorkflowPlan;
use crate::submission::{Carried, Due};
use crate::{
    Digest, Extras, JsonError, JsonText, Priority, Span, SubmissionError, SubmissionLimits, TaskId, Timestamp,
};

/// A workflow as a caller asks for it: the body of `POST /v1/workflows`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WorkflowSubmission {
    /// The template: `name`, `namespace/name`, either with `@version`; without one, the newest.
    pub template: TemplateRef,
    /// The input, any JSON value that the template's `input_schema` allows; `{}` where absent.
    #[serde(default = "JsonText::empty_object")]
    pub input: JsonText,
    /// The caller's own id; made by the store where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<TaskId>,
    /// The same key and body again give the first workflow again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// The priority of steps that have none of their own.
    #[serde(default)]
    pub priority: Priority,
    /// No step begins before this moment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run_at: Option<Timestamp>,
    /// No step begins before so long from now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delay: Option<Span>,
    /// W3C trace context, carried to every run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub traceparent: Option<String>,
    /// For filters and limits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant: Option<String>,
    /// Labels for filters.
    #[serde(default, skip_serializing_if = "std::collections::BTreeMap::is_empty")]
    pub tags: std::collections::BTreeMap<String, String>,
}

impl WorkflowSubmission {
    /// Checks what the types alone do not, by the rules of tasks, and gives what the store takes; what the input
    /// must look like is for the template to say.
    pub fn check(
        self,
        plan: Arc<WorkflowPlan>,
        digest: Digest,
        limits: &SubmissionLimits,
    ) -> Result<NewWorkflow, SubmissionError> {
        if self.input.len() > limits.payload {
            let error = JsonError::TooLarge { size: self.input.len(), limit: limits.payload };
            return Err(SubmissionError::InputTooLarge(error));
        }
        let Self { key, tenant, tags, traceparent, .. } = &self;
        let traceparent = Carried { key, tenant, tags, traceparent }.check()?;
        let due = Due::parse(self.run_at, self.delay)?;
        let Self { id, input, priority, key, tenant, tags, .. } = self;
        let extras = Extras { key, tenant, tags, traceparent, ..Extras::default() };
        Ok(NewWorkflow { id, plan, digest, input, priority, due, extras })
    }
}

crate::text::text_type! {
    /// Which template is meant: `name`, `namespace/name`, either with `@version`.
    TemplateRef, "template", "NAME, NAMESPACE/NAME or NAMESPACE/NAME@VERSION, at most 768 bytes", |text| {
        (1..=768).contains(&text.len()) && !text.bytes().any(|byte| byte.is_ascii_control())
    }
}

impl TemplateRef {
    /// The namespace, where one is said, the name, and the version, where one is said.
    pub fn parts(&self) -> (Option<&str>, &str, Option<&str>) {
        let (path, version) = match self.as_str().rsplit_once('@') {
            Some((path, version)) => (path, Some(version)),
            None => (self.as_str(), None),
        };
        match path.split_once('/') {
            Some((namespace, name)) => (Some(namespace), name, version),
            None => (None, path, version),
        }
    }
}

/// A workflow that has passed every check and may be stored.
#[derive(Debug, Clone, PartialEq)]
pub struct NewWorkflow {
    /// The caller's own id.
    pub id: Option<TaskId>,
    /// What it does.
    pub plan: Arc<WorkflowPlan>,
    /// The digest of the plan as it is kept.
    pub digest: Digest,
    /// Its input, the payload of all steps that have none of their own.
    pub input: JsonText,
    /// The priority of steps that have none of their own.
    pub priority: Priority,
    /// When its first steps may be claimed.
    pub due: Due,
    /// Key, trace, tenant and labels.
    pub extras: Extras,
}
