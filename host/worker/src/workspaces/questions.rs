//! Asking what workspaces are bound to: for many runs at once, since each asks before it begins.

use std::sync::{Arc, Mutex, PoisonError};

use bulkhead_core::TaskId;
use bulkhead_store::{HomeView, Store, StoreError};
use tokio::sync::{mpsc, oneshot};

/// Questions that wait; whoever finds no room waits for it.
const WAITING: usize = 1_024;
/// Workspaces that are asked for at once: more than there are runs in flight.
const AT_ONCE: usize = 512;

struct Question {
    workspace: TaskId,
    answer: oneshot::Sender<Result<Option<HomeView>, StoreError>>,
}

/// Where questions are asked.
#[derive(Debug)]
pub(super) struct Questions {
    asked: mpsc::Sender<Question>,
    to_answer: Mutex<Option<mpsc::Receiver<Question>>>,
}

impl Default for Questions {
    fn default() -> Self {
        let (asked, to_answer) = mpsc::channel(WAITING);
        Self { asked, to_answer: Mutex::new(Some(to_answer)) }
    }
}

impl std::fmt::Debug for Question {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_tuple("Question").field(&self.workspace).finish()
    }
}

impl Questions {
    /// Asks what a workspace is bound to.
    pub(super) async fn ask(&self, workspace: &TaskId) -> Result<Option<HomeView>, StoreError> {
        let (answer, answered) = oneshot::channel();
        let question = Question { workspace: workspace.clone(), answer };
        self.asked.send(question).await.map_err(|_| StoreError::Closed)?;
        answered.await.unwrap_or(Err(StoreError::Closed))
    }

    /// Answers for as long as anybody can ask; what is asked meanwhile is answered together.
    pub(super) async fn answer(&self, store: &Arc<dyn Store>) {
        let to_answer = self.to_answer.lock().unwrap_or_else(PoisonError::into_inner).take();
        let (Some(mut to_answer), Some(homes)) = (to_answer, store.homes()) else { return };
        let mut asked = Vec::new();
        while to_answer.recv_many(&mut asked, AT_ONCE).await > 0 {
            let found = homes.homes_of(asked.iter().map(|question| question.workspace.clone()).collect()).await;
            for Question { workspace, answer } in asked.drain(..) {
                let found = found.as_ref().map(|found| found.get(&workspace).cloned());
                // Who asked may be gone.
                let _ = answer.send(found.map_err(Clone::clone));
            }
        }
    }
}
