//! Notes of what happens to workflows, for those who listen.

use bulkhead_core::{DomainEvent, EventFacts, EventType, JsonText, StepStanding, TaskId, WorkflowState};
use serde_json::json;

use super::super::cycle::Cycle;
use super::super::failure::Halt;
use super::super::ids;
use super::super::slot::RouteId;
use crate::TaskSeq;
use crate::sql::OptionalExtension;

/// What is told of every event of a workflow.
struct Named {
    route: RouteId,
    id: TaskId,
    template: String,
}

impl Cycle<'_> {
    /// A workflow was accepted.
    pub(super) fn note_workflow_begun(&mut self, workflow: TaskSeq) -> Result<(), Halt> {
        self.note_workflow(EventType::WorkflowBegun, workflow, workflow, serde_json::Map::new())
    }

    /// Nothing more happens in a workflow by itself.
    pub(super) fn note_workflow_settled(&mut self, workflow: TaskSeq, state: WorkflowState) -> Result<(), Halt> {
        match EventType::of_workflow(state) {
            Some(event) => self.note_workflow(event, workflow, workflow, serde_json::Map::new()),
            None => Ok(()),
        }
    }

    /// What the template tells once a step has come to its end.
    pub(super) fn note_published(
        &mut self,
        (workflow, step): (TaskSeq, TaskSeq),
        standing: StepStanding,
        name: &str,
        publishes: &str,
    ) -> Result<(), Halt> {
        let well = match standing {
            StepStanding::Well => true,
            StepStanding::Dead => false,
            StepStanding::Open | StepStanding::Blocked | StepStanding::Skipped | StepStanding::Cancelled => {
                return Ok(());
            }
        };
        let events: Vec<DomainEvent> = serde_json::from_str(publishes).unwrap_or_else(|error| {
            tracing::error!(%error, "the events of a step cannot be read");
            Vec::new()
        });
        for event in events.into_iter().filter(|event| event.condition.is_met(well)) {
            let mut details = serde_json::Map::new();
            details.insert("name".to_owned(), event.name.into());
            details.insert("step".to_owned(), name.into());
            details.insert("succeeded".to_owned(), well.into());
            self.note_workflow(EventType::WorkflowEvent, workflow, step, details)?;
        }
        Ok(())
    }

    fn note_workflow(
        &mut self,
        event: EventType,
        workflow: TaskSeq,
        about: TaskSeq,
        mut details: serde_json::Map<String, serde_json::Value>,
    ) -> Result<(), Halt> {
        if !self.has_listeners()? {
            return Ok(());
        }
        const SELECT: &str = "SELECT t.route, w.id, w.namespace, w.name, w.version FROM workflows w \
            JOIN tasks t ON t.seq = ?2 WHERE w.seq = ?1";
        let found = self
            .connection
            .prepare_cached(SELECT)?
            .query_row([workflow.0, about.0], |row| {
                let (namespace, name, version): (String, String, String) = (row.get(2)?, row.get(3)?, row.get(4)?);
                Ok(Named {
                    route: RouteId(row.get(0)?),
                    id: ids::read(row.get_ref(1)?),
                    template: format!("{namespace}/{name}@{version}"),
                })
            })
            .optional()?;
        let Some(named) = found else { return Ok(()) };
        details.insert("workflow".to_owned(), json!(named.id.as_str()));
        details.insert("template".to_owned(), named.template.into());
        let details = JsonText::from_value(&details).ok();
        self.note_event(event, (about, named.route), || EventFacts { epoch: 1, details, ..EventFacts::default() })
    }
}
