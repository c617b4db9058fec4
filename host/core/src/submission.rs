//! What a caller may submit, checked once, at the edge.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{
    Backoff, Fuel, JsonError, JsonText, Kind, Overrides, Priority, Route, Size, Span, StepTicket, TagSet, TaskId,
    Timestamp, Traceparent, TraceparentError, WorkspaceChoice,
};

/// A task as a caller writes it: the body of `POST /v1/tasks` and one line of a bulk submit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Submission {
    /// The caller's own id; made by the store where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<TaskId>,
    /// The kind of task.
    pub kind: Kind,
    /// The payload, any JSON value; `null` where absent.
    #[serde(default = "JsonText::null")]
    pub payload: JsonText,
    /// The tags a handler must provide.
    #[serde(default, skip_serializing_if = "TagSet::is_empty")]
    pub requires: TagSet,
    /// −20 to 20, higher first.
    #[serde(default)]
    pub priority: Priority,
    /// Not before this moment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run_at: Option<Timestamp>,
    /// Not before so long from now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delay: Option<Span>,
    /// Dead as `expired` if not started by this moment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
    /// Dead as `stale` if it waits for others, or for an answer, longer than this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stale_after: Option<Span>,
    /// Overrides the handler's timeout.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout: Option<Span>,
    /// Overrides the handler's fuel.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fuel: Option<Fuel>,
    /// Overrides the handler's memory.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory: Option<Size>,
    /// Overrides the handler's attempts.
    #[serde(default, alias = "max_retries", skip_serializing_if = "Option::is_none")]
    pub max_attempts: Option<u32>,
    /// Overrides the handler's back-off.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backoff: Option<Backoff>,
    /// The same key and body again give the first task again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// W3C trace context, carried to every run, child and delegate call.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub traceparent: Option<String>,
    /// For filters and limits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant: Option<String>,
    /// Labels for filters.
    #[serde(default, skip_serializing_if = "std::collections::BTreeMap::is_empty")]
    pub tags: std::collections::BTreeMap<String, String>,
    /// Whose workspace it uses, where that is not its own, and whether a retry finds it empty.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workspace: Option<WorkspaceChoice>,
}

/// The bounds that a host sets for submissions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SubmissionLimits {
    /// The largest payload, in bytes.
    pub payload: usize,
}

impl Default for SubmissionLimits {
    fn default() -> Self {
        Self { payload: 1 << 20 }
    }
}

/// Why a submission is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SubmissionError {
    /// The payload is not acceptable.
    #[error("payload: {0}; put larger things into the workspace, or raise store.max_payload")]
    PayloadTooLarge(JsonError),
    /// The input of a workflow is not acceptable.
    #[error("input: {0}; put larger things into the workspace, or raise store.max_payload")]
    InputTooLarge(JsonError),
    /// A field's value is out of its bounds.
    #[error("{field}: {rule}")]
    Field {
        /// The field's name.
        field: &'static str,
        /// The rule it breaks.
        rule: &'static str,
    },
}

/// When a new task may first be claimed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Due {
    /// At once.
    Now,
    /// So long after it was stored, by the store's clock.
    After(Duration),
    /// At a moment.
    At(Timestamp),
}

impl Due {
    /// What a caller says by `run_at` or `delay`.
    pub(crate) fn parse(run_at: Option<Timestamp>, delay: Option<Span>) -> Result<Self, SubmissionError> {
        match (run_at, delay) {
            (Some(_), Some(_)) => {
                Err(SubmissionError::Field { field: "delay", rule: "give `run_at` or `delay`, not both" })
            }
            (Some(moment), None) => Ok(Self::At(moment)),
            (None, Some(delay)) => Ok(Self::After(delay.duration())),
            (None, None) => Ok(Self::Now),
        }
    }
}

/// A task that has passed every check and may be stored.
#[derive(Debug, Clone, PartialEq)]
pub struct NewTask {
    /// The caller's own id.
    pub id: Option<TaskId>,
    /// Its kind and the tags it requires.
    pub route: Route,
    /// Its payload.
    pub payload: JsonText,
    /// Which goes first.
    pub priority: Priority,
    /// When it may first be claimed.
    pub due: Due,
    /// What only some tasks have; boxed so that the others stay small.
    pub extras: Option<Box<Extras>>,
}

impl NewTask {
    /// Takes from the task that asks for it what it does not say itself: trace, tenant, and options as a last resort.
    pub fn inherit(&mut self, parent: &Extras) {
        let Extras { options, inherited, traceparent, tenant, .. } = parent;
        let options = if *options == Overrides::default() { inherited.as_ref() } else { Some(options) };
        if options.is_none() && traceparent.is_none() && tenant.is_none() {
            return;
        }
        let extras = self.extras.get_or_insert_default();
        extras.inherited = extras.inherited.take().or_else(|| options.cloned());
        extras.traceparent = extras.traceparent.or(*traceparent);
        extras.tenant = extras.tenant.take().or_else(|| tenant.clone());
    }
}

/// What only some tasks have.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Extras {
    /// Idempotency key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// Dead if not started by then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
    /// Dead if it waits longer than this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stale_after: Option<Span>,
    /// The task's own options.
    #[serde(default)]
    pub options: Overrides,
    /// The options of the task that spawned it; they hold where neither it nor its handler has a say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub inherited: Option<Overrides>,
    /// Its place in a trace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub traceparent: Option<Traceparent>,
    /// For filters and limits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant: Option<String>,
    /// Labels for filters.
    #[serde(default, skip_serializing_if = "std::collections::BTreeMap::is_empty")]
    pub tags: std::collections::BTreeMap<String, String>,
    /// Whose workspace it uses, where that is not its own, and whether a retry finds it empty.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workspace: Option<WorkspaceChoice>,
    /// The workflow step that it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step: Option<Box<StepTicket>>,
}

impl Extras {
    /// Whose workspace is used, where that is not the task's own: the one that it names, else that of its workflow.
    pub fn workspace_of(&self) -> Option<&TaskId> {
        let named = self.workspace.as_ref().and_then(|choice| choice.id.as_ref());
        named.or_else(|| Some(&self.step.as_ref()?.workflow))
    }
}

/// The most labels a task may carry, and the longest label, key or tenant, in bytes.
const MAX_LABELS: usize = 32;
const MAX_LABEL: usize = 256;

/// Whether a text may be a key, a tenant or the name of a child: not every database keeps control characters.
pub fn is_label(text: &str) -> bool {
    (1..=MAX_LABEL).contains(&text.len()) && !text.contains(char::is_control)
}

/// What tasks and workflows alike carry with them.
pub(crate) struct Carried<'a> {
    pub(crate) key: &'a Option<String>,
    pub(crate) tenant: &'a Option<String>,
    pub(crate) tags: &'a std::collections::BTreeMap<String, String>,
    pub(crate) traceparent: &'a Option<String>,
}

impl Carried<'_> {
    /// Checks what the types alone do not, and gives the place in a trace.
    pub(crate) fn check(&self) -> Result<Option<Traceparent>, SubmissionError> {
        let refuse = |field, rule| Err(SubmissionError::Field { field, rule });
        let is_no_label = |text: &Option<String>| text.as_ref().is_some_and(|text| !is_label(text));
        if is_no_label(self.key) {
            return refuse("key", "must be 1 to 256 bytes without control characters");
        }
        if is_no_label(self.tenant) {
            return refuse("tenant", "must be 1 to 256 bytes without control characters");
        }
        if self.tags.len() > MAX_LABELS {
            return refuse("tags", "at most 32 labels are allowed");
        }
        if self.tags.iter().any(|(name, value)| !is_label(name) || !(value.is_empty() || is_label(value))) {
            return refuse("tags", "names must be 1 to 256 bytes, values at most 256, without control characters");
        }
        match self.traceparent.as_deref().map(Traceparent::parse).transpose() {
            Ok(traceparent) => Ok(traceparent),
            Err(TraceparentError) => refuse("traceparent", TraceparentError::RULE),
        }
    }
}

impl Submission {
    /// Checks what the types alone do not, and gives what the store takes.
    pub fn check(self, limits: &SubmissionLimits) -> Result<NewTask, SubmissionError> {
        if self.payload.len() > limits.payload {
            let error = JsonError::TooLarge { size: self.payload.len(), limit: limits.payload };
            return Err(SubmissionError::PayloadTooLarge(error));
        }
        let refuse = |field, rule| Err(SubmissionError::Field { field, rule });
        let Self { key, tenant, tags, traceparent, .. } = &self;
        let traceparent = Carried { key, tenant, tags, traceparent }.check()?;
        if self.max_attempts == Some(0) {
            return refuse("max_attempts", "must be at least 1");
        }
        let is_others = |choice: &WorkspaceChoice| choice.id.is_some() && choice.id != self.id;
        if self.workspace.as_ref().is_some_and(|choice| choice.fresh == Some(true) && is_others(choice)) {
            return refuse("workspace", "only a task's own workspace can be `fresh`: others use that of another");
        }
        let due = Due::parse(self.run_at, self.delay)?;
        let extras = Extras {
            key: self.key,
            expires_at: self.expires_at,
            stale_after: self.stale_after,
            options: Overrides {
                timeout: self.timeout,
                fuel: self.fuel,
                memory: self.memory,
                max_attempts: self.max_attempts,
                backoff: self.backoff,
                ..Overrides::default()
            },
            inherited: None,
            traceparent,
            tenant: self.tenant,
            tags: self.tags,
            workspace: self.workspace.filter(|choice| *choice != WorkspaceChoice::default()),
            step: None,
        };
        Ok(NewTask {
            id: self.id,
            route: Route::new(self.kind, self.requires),
            payload: self.payload,
            priority: self.priority,
            due,
            extras: (extras != Extras::default()).then(|| Box::new(extras)),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn submit(text: &str) -> Result<NewTask, String> {
        let submission: Submission = serde_json::from_str(text).map_err(|error| error.to_string())?;
        submission.check(&SubmissionLimits { payload: 100 }).map_err(|error| error.to_string())
    }

    #[test]
    fn the_shortest_submission_is_a_kind() {
        let task = submit(r#"{"kind":"RENDER"}"#).unwrap();
        assert_eq!((task.payload.as_str(), task.due, task.extras), ("null", Due::Now, None));
    }

    #[test]
    fn the_payload_is_kept_byte_for_byte() {
        let task = submit(r#"{"kind":"RENDER","payload": {"b":1.0,  "a":[]} }"#).unwrap();
        assert_eq!(task.payload.as_str(), r#"{"b":1.0,  "a":[]}"#);
    }

    #[test]
    fn each_bad_field_is_refused_by_name() {
        for (text, named) in [
            (r#"{"kind":"a b"}"#, "kind"),
            (r#"{"kind":"A","requires":["CPU"]}"#, "tag"),
            (r#"{"kind":"A","priority":21}"#, "priority"),
            (
                r#"{"kind":"A","payload":"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"}"#,
                "payload",
            ),
            (r#"{"kind":"A","run_at":"2026-11-21T00:00:00Z","delay":"5s"}"#, "delay"),
            (r#"{"kind":"A","max_attempts":0}"#, "max_attempts"),
            (r#"{"kind":"A","traceparent":"x"}"#, "traceparent"),
            (r#"{"kind":"A","key":""}"#, "key"),
            (r#"{"kind":"A","colour":"red"}"#, "colour"),
            (r#"{"kind":"A","workspace":"a b"}"#, "task id"),
            (r#"{"kind":"A","id":"a","workspace":{"id":"workspace:b","fresh":true}}"#, "workspace"),
            (r#"{"kind":"A","id":"a b"}"#, "task id"),
            (r#"{}"#, "kind"),
        ] {
            let error = submit(text).unwrap_err();
            assert!(error.contains(named), "{text} → {error}");
        }
    }
}
