//! What goes wrong, as clients see it: RFC 9457 problem details, with the status chosen here and nowhere else.

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use bulkhead_core::{Kind, ScheduleError, SubmissionError, TextError};
use bulkhead_store::{BatchRefusal, StoreError, WorkflowRefusal};
use bulkhead_webhooks::{EndpointError, SecretError};
use bulkhead_worker::WorkspaceError;
use bulkhead_workflow::{InputProblem, NoTemplate};
use serde_json::json;

/// How long a client should wait before it tries again what the store could not do, in seconds.
const RETRY_AFTER: &str = "5";

/// The same while the queue is full, which it is as long as tasks run.
const RETRY_BUSY_AFTER: &str = "1";

/// A request that was not served.
#[derive(Debug)]
pub(crate) enum Problem {
    /// The body or a query value cannot be read.
    Malformed(String),
    /// It can be read, and is not what is asked for.
    Unacceptable(String),
    /// A task of a bulk submit is not acceptable.
    Line { line: usize, problem: Box<Problem> },
    /// A workflow's input is not as its template wants it.
    Input { detail: String, problems: Vec<InputProblem> },
    /// No live handler serves the kind.
    UnknownKind { kind: Kind, known: Vec<Kind> },
    /// The body is longer than is read.
    TooLarge(String),
    /// The request is not for this server, or from a page of another.
    Forbidden(String),
    /// There is no such thing.
    NotFound(String),
    /// There is such a thing, and it cannot be asked this.
    WrongMethod(String),
    /// Something else holds the name, or the state does not allow it.
    Conflict(String),
    /// There is no room now, and will be.
    Busy(String),
    /// The disk is full.
    NoSpace(String),
    /// Something of the host's own failed.
    Failed(String),
    /// The store could not do it.
    Store(StoreError),
    /// The host is going down.
    Stopping,
}

impl Problem {
    fn status(&self) -> StatusCode {
        match self {
            Self::Malformed(_) => StatusCode::BAD_REQUEST,
            Self::Unacceptable(_) | Self::Input { .. } | Self::UnknownKind { .. } => StatusCode::UNPROCESSABLE_ENTITY,
            Self::Line { problem, .. } => problem.status(),
            Self::TooLarge(_) => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Forbidden(_) => StatusCode::FORBIDDEN,
            Self::NotFound(_) => StatusCode::NOT_FOUND,
            Self::WrongMethod(_) => StatusCode::METHOD_NOT_ALLOWED,
            Self::Conflict(_) => StatusCode::CONFLICT,
            Self::Busy(_) => StatusCode::TOO_MANY_REQUESTS,
            Self::NoSpace(_) => StatusCode::INSUFFICIENT_STORAGE,
            Self::Failed(_) => StatusCode::INTERNAL_SERVER_ERROR,
            Self::Stopping => StatusCode::SERVICE_UNAVAILABLE,
            Self::Store(error) => match error {
                StoreError::Cursor(_) => StatusCode::BAD_REQUEST,
                StoreError::Full
                | StoreError::Closed
                | StoreError::Unreachable { .. }
                | StoreError::InUse { .. }
                | StoreError::ReadOnly { .. }
                | StoreError::Corrupt { .. }
                | StoreError::NewerSchema { .. }
                | StoreError::OlderHosts { .. }
                | StoreError::TablesHeld { .. } => StatusCode::SERVICE_UNAVAILABLE,
                StoreError::Database(_) => StatusCode::INTERNAL_SERVER_ERROR,
            },
        }
    }

    /// For people; nothing of the database's own words or paths.
    fn detail(&self) -> String {
        match self {
            Self::Malformed(detail)
            | Self::Unacceptable(detail)
            | Self::Input { detail, .. }
            | Self::TooLarge(detail)
            | Self::Forbidden(detail)
            | Self::NotFound(detail)
            | Self::WrongMethod(detail)
            | Self::Conflict(detail)
            | Self::Busy(detail)
            | Self::NoSpace(detail)
            | Self::Failed(detail) => detail.clone(),
            Self::Line { line, problem } => format!("line {line}: {}; nothing was stored", problem.detail()),
            Self::UnknownKind { kind, known } if known.is_empty() => {
                format!("no handler serves kind `{kind}`, and none is live at all; put one into the handlers folder")
            }
            Self::UnknownKind { kind, known } => {
                let known: Vec<&str> = known.iter().map(Kind::as_str).collect();
                format!("no handler serves kind `{kind}`; there are: {}", known.join(" "))
            }
            Self::Stopping => "the host is shutting down; try again when it is back".to_owned(),
            Self::Store(StoreError::Cursor(cursor)) => StoreError::Cursor(cursor.clone()).to_string(),
            Self::Store(StoreError::Full) => StoreError::Full.to_string(),
            Self::Store(StoreError::Database(_)) => "the store failed; the host's log says more".to_owned(),
            Self::Store(_) => "the store cannot be used now; the host's log says more".to_owned(),
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = self.status();
        if let Self::Store(error) = &self {
            tracing::error!(%error, status = status.as_u16(), "a request failed");
        }
        let mut body = json!({
            "type": "about:blank",
            "title": status.canonical_reason().unwrap_or("Error"),
            "status": status.as_u16(),
            "detail": self.detail(),
        });
        match &self {
            Self::Line { line, .. } => body["line"] = json!(line),
            Self::Input { problems, .. } => body["errors"] = json!(problems),
            _ => {}
        }
        let mut response = (status, Json(body)).into_response();
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        let retry_after = match status {
            StatusCode::SERVICE_UNAVAILABLE => Some(RETRY_AFTER),
            StatusCode::TOO_MANY_REQUESTS => Some(RETRY_BUSY_AFTER),
            _ => None,
        };
        if let Some(seconds) = retry_after {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static(seconds));
        }
        response
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<TextError> for Problem {
    fn from(error: TextError) -> Self {
        Self::Malformed(error.to_string())
    }
}

impl From<SubmissionError> for Problem {
    fn from(error: SubmissionError) -> Self {
        match error {
            SubmissionError::PayloadTooLarge(_) | SubmissionError::InputTooLarge(_) => {
                Self::TooLarge(error.to_string())
            }
            SubmissionError::Field { .. } => Self::Unacceptable(error.to_string()),
        }
    }
}

impl From<ScheduleError> for Problem {
    fn from(error: ScheduleError) -> Self {
        match error {
            ScheduleError::Task(SubmissionError::PayloadTooLarge(_) | SubmissionError::InputTooLarge(_)) => {
                Self::TooLarge(error.to_string())
            }
            ScheduleError::Task(SubmissionError::Field { .. })
            | ScheduleError::Text { .. }
            | ScheduleError::Field { .. } => Self::Unacceptable(error.to_string()),
        }
    }
}

impl From<WorkspaceError> for Problem {
    fn from(error: WorkspaceError) -> Self {
        let detail = error.to_string();
        match error {
            WorkspaceError::Unknown(_) | WorkspaceError::NoFile { .. } => Self::NotFound(detail),
            WorkspaceError::Unfit { .. }
            | WorkspaceError::InUse(_)
            | WorkspaceError::Elsewhere { .. }
            | WorkspaceError::TakenElsewhere(_) => Self::Conflict(detail),
            WorkspaceError::Store(error) => Self::Store(error),
            WorkspaceError::Full { .. } => Self::TooLarge(detail),
            WorkspaceError::DiskFull => Self::NoSpace(detail),
            WorkspaceError::Busy => Self::Busy(detail),
            WorkspaceError::System(error) => {
                tracing::error!(%error, "a workspace cannot be used");
                Self::Failed(detail)
            }
        }
    }
}

impl From<EndpointError> for Problem {
    fn from(error: EndpointError) -> Self {
        Self::Unacceptable(error.to_string())
    }
}

impl From<SecretError> for Problem {
    fn from(error: SecretError) -> Self {
        Self::Unacceptable(format!("secret: {error}"))
    }
}

impl From<serde_json::Error> for Problem {
    /// Text that is no JSON is malformed; JSON of another shape is unacceptable.
    fn from(error: serde_json::Error) -> Self {
        if error.is_data() { Self::Unacceptable(in_words(&error)) } else { Self::Malformed(in_words(&error)) }
    }
}

/// The error with its place; the line only where there is more than one, since a line of NDJSON has its own number.
pub(crate) fn in_words(error: &serde_json::Error) -> String {
    error.to_string().replace(" at line 1 column ", " at column ")
}

impl From<BatchRefusal> for Problem {
    fn from(refusal: BatchRefusal) -> Self {
        match refusal {
            BatchRefusal::Taken { .. } => Self::Conflict(refusal.to_string()),
            // What would never fit is not to be sent again.
            BatchRefusal::QueueFull { size, most, .. } if size as u64 > most => Self::Unacceptable(format!(
                "{size} tasks in one batch, and at most {most} may wait at all (store.max_pending): send fewer at once"
            )),
            BatchRefusal::QueueFull { .. } => Self::Busy(refusal.to_string()),
            BatchRefusal::Refused { message, .. } => {
                tracing::error!(message, "the store refused a task");
                Self::Unacceptable("the store refuses this task; the host's log says why".to_owned())
            }
        }
    }
}

impl From<NoTemplate> for Problem {
    fn from(none: NoTemplate) -> Self {
        Self::NotFound(none.to_string())
    }
}

impl From<bulkhead_workflow::WorkflowRefusal> for Problem {
    fn from(refusal: bulkhead_workflow::WorkflowRefusal) -> Self {
        let detail = refusal.to_string();
        match refusal {
            bulkhead_workflow::WorkflowRefusal::Submission(error) => error.into(),
            bulkhead_workflow::WorkflowRefusal::Input { problems, .. } => Self::Input { detail, problems },
        }
    }
}

impl From<WorkflowRefusal> for Problem {
    fn from(refusal: WorkflowRefusal) -> Self {
        match refusal {
            WorkflowRefusal::Taken { .. } => Self::Conflict(refusal.to_string()),
            WorkflowRefusal::QueueFull { .. } => Self::Busy(refusal.to_string()),
            WorkflowRefusal::Refused { message } => {
                tracing::error!(message, "the store refused a workflow");
                Self::Unacceptable("the store refuses this workflow; the host's log says why".to_owned())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_problem_has_its_status() {
        let text = || "x".to_owned();
        let kind = || Kind::parse("A").expect("a kind");
        for (problem, status) in [
            (Problem::Malformed(text()), 400),
            (Problem::Unacceptable(text()), 422),
            (Problem::UnknownKind { kind: kind(), known: vec![] }, 422),
            (Problem::Input { detail: text(), problems: vec![] }, 422),
            (NoTemplate { message: text(), hint: text() }.into(), 404),
            (WorkflowRefusal::QueueFull { waiting: 1, most: 1 }.into(), 429),
            (WorkflowRefusal::Refused { message: text() }.into(), 422),
            (Problem::Line { line: 3, problem: Box::new(Problem::TooLarge(text())) }, 413),
            (Problem::Forbidden(text()), 403),
            (Problem::NotFound(text()), 404),
            (Problem::WrongMethod(text()), 405),
            (Problem::Conflict(text()), 409),
            (Problem::Busy(text()), 429),
            (Problem::NoSpace(text()), 507),
            (Problem::Failed(text()), 500),
            (WorkspaceError::Busy.into(), 429),
            (WorkspaceError::DiskFull.into(), 507),
            (WorkspaceError::Unfit { path: text(), rule: "is a folder" }.into(), 409),
            (WorkspaceError::Store(StoreError::Full).into(), 503),
            (Problem::Stopping, 503),
            (Problem::Store(StoreError::Full), 503),
            (Problem::Store(StoreError::Cursor(text())), 400),
            (Problem::Store(StoreError::Database(text())), 500),
        ] {
            assert_eq!(problem.status().as_u16(), status, "{problem:?}");
        }
    }

    #[test]
    fn the_databases_own_words_reach_no_client() {
        let refusal = BatchRefusal::Refused { index: 0, message: "CHECK constraint failed: tasks".to_owned() };
        assert!(!Problem::from(refusal).detail().contains("tasks"));
        let problem = Problem::Store(StoreError::Database("no such table: tasks".to_owned()));
        assert!(!problem.detail().contains("tasks"));
    }
}
