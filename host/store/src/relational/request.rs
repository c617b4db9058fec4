//! What the store's thread is asked.

use bulkhead_core::{Due, Extras, Kind, NewTask, Route, TaskId, Timestamp};
use tokio::sync::{OwnedSemaphorePermit, oneshot};

use crate::{
    BatchRefusal, Change, Commit, Fate, LeaseId, ProgressNote, ScheduleChange, ScheduleFate, ServedRoutes, StoreError,
    Submitted, TaskSeq, WorkLine, WorkerId,
};

use super::body_hash::BodyHash;
use super::events::AskedEvents;
use super::slot::Rank;
use super::workflow::{AskedWorkflow, BeginWorkflow};

/// Where an answer goes.
pub(super) type Answer<T> = oneshot::Sender<Result<T, StoreError>>;

/// One request. Those from outside carry a permit, so that they are bounded.
#[derive(Debug)]
pub(super) enum Request {
    Submit(Submit),
    Begin(Box<BeginWorkflow>),
    Workflow(AskedWorkflow),
    Change(Asked),
    Schedule(AskedSchedule),
    Events(AskedEvents),
    Hold {
        kind: Option<Kind>,
        held: bool,
        answer: Answer<()>,
    },
    Attach {
        name: String,
        answer: Answer<WorkLine>,
    },
    Work {
        worker: WorkerId,
        commits: Vec<Commit>,
        permits: usize,
    },
    Report {
        worker: WorkerId,
        progress: Vec<(TaskSeq, ProgressNote)>,
    },
    Serve {
        worker: WorkerId,
        routes: ServedRoutes,
    },
    StopClaiming {
        worker: WorkerId,
        answer: Answer<()>,
    },
    Renew {
        worker: WorkerId,
        answer: Answer<bool>,
    },
    Release {
        worker: WorkerId,
        tasks: Vec<(LeaseId, TaskSeq)>,
        answer: Answer<()>,
    },
    /// The line was dropped.
    Detach {
        worker: WorkerId,
    },
    /// Another host has done something.
    Look,
    /// Look at the clock; answered after the cycle.
    Tick {
        answer: Answer<()>,
    },
    /// Give everything back and end.
    Close {
        answer: Answer<()>,
    },
    /// End at once, as a crash would.
    Abandon,
}

/// The same asked of several tasks.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) ids: Vec<TaskId>,
    pub(super) change: Change,
    pub(super) answer: Answer<Vec<Fate>>,
    pub(super) _permit: OwnedSemaphorePermit,
}

/// What is asked of one schedule.
#[derive(Debug)]
pub(super) struct AskedSchedule {
    pub(super) change: ScheduleChange,
    pub(super) answer: Answer<ScheduleFate>,
    pub(super) _permit: OwnedSemaphorePermit,
}

/// A batch to be accepted whole.
#[derive(Debug)]
pub(super) struct Submit {
    pub(super) tasks: Vec<Prepared>,
    pub(super) answer: Answer<Result<Vec<Submitted>, BatchRefusal>>,
    pub(super) _permit: OwnedSemaphorePermit,
}

/// A new task with all that can be made ready before the store's thread sees it.
#[derive(Debug)]
pub(super) struct Prepared {
    pub(super) id: Option<TaskId>,
    pub(super) route: Route,
    pub(super) payload: Box<str>,
    pub(super) rank: Rank,
    pub(super) due: Due,
    pub(super) extras: Option<String>,
    pub(super) key: Option<String>,
    pub(super) tenant: Option<String>,
    pub(super) max_attempts: Option<u32>,
    pub(super) expires_at: Option<Timestamp>,
    /// Hash of the whole body, where it has a key or an id of its own.
    pub(super) body: Option<[u8; 32]>,
}

impl From<NewTask> for Prepared {
    fn from(task: NewTask) -> Self {
        let extras = task.extras.as_deref().and_then(|extras| serde_json::to_string(extras).ok());
        let named = task.id.is_some() || task.extras.as_ref().is_some_and(|extras| extras.key.is_some());
        let body = named.then(|| body_hash(&task));
        let rank = Rank::of(task.priority);
        let (mut key, mut tenant, mut max_attempts, mut expires_at) = (None, None, None, None);
        if let Some(extras) = task.extras {
            key = extras.key;
            tenant = extras.tenant;
            max_attempts = extras.options.max_attempts;
            expires_at = extras.expires_at;
        }
        Self {
            id: task.id,
            route: task.route,
            payload: task.payload.into_boxed_str(),
            rank,
            due: task.due,
            extras,
            key,
            tenant,
            max_attempts,
            expires_at,
            body,
        }
    }
}

/// Covers every field that says what the task is; not which trace it belongs to, and what it takes from whoever asks
/// for it, which are others each time that the same is asked again.
fn body_hash(task: &NewTask) -> [u8; 32] {
    let own = task.extras.as_deref().map(|extras| Extras { traceparent: None, inherited: None, ..extras.clone() });
    let extras = own.filter(|extras| *extras != Extras::default());
    let extras = extras.and_then(|extras| serde_json::to_string(&extras).ok());
    let mut body = BodyHash::default();
    body.part(task.id.as_ref().map_or(&[][..], |id| id.as_str().as_bytes()));
    body.part(task.route.kind.as_str().as_bytes());
    body.part(task.route.requires.to_string().as_bytes());
    body.part(task.payload.as_str().as_bytes());
    body.part(&task.priority.get().to_le_bytes());
    body.due(task.due);
    body.part(extras.unwrap_or_default().as_bytes());
    body.finish()
}
