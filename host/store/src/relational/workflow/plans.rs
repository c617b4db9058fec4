//! The plans of workflows, each read once.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use bulkhead_core::{Digest, WorkflowPlan};

use super::super::failure::reading;
use super::super::readers::Readers;
use crate::StoreError;
use crate::sql::{Connection, OptionalExtension, params};

/// Plans that are kept at hand; where there are more, all are read anew as they are needed.
const KEPT: usize = 256;

/// The plans that were asked for. What is under a digest never changes.
#[derive(Debug, Default)]
pub(in crate::relational) struct Plans(Mutex<HashMap<Digest, Arc<WorkflowPlan>>>);

impl Plans {
    /// What workflows of this digest do.
    pub(super) async fn get(&self, readers: &Readers, digest: Digest) -> Result<Option<Arc<WorkflowPlan>>, StoreError> {
        if let Some(known) = self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&digest) {
            return Ok(Some(Arc::clone(known)));
        }
        let Some(text) = readers.read(move |connection| read(connection, digest)).await? else { return Ok(None) };
        let plan: Arc<WorkflowPlan> = serde_json::from_str(&text).map(Arc::new).map_err(|error| {
            StoreError::Database(format!("the plan `{}` of a workflow cannot be read: {error}", digest.short()))
        })?;
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= KEPT {
            kept.clear();
        }
        kept.insert(digest, Arc::clone(&plan));
        Ok(Some(plan))
    }
}

/// A plan as it is kept.
fn read(connection: &Connection, digest: Digest) -> Result<Option<String>, StoreError> {
    let read = || -> crate::sql::Result<Option<String>> {
        let mut statement = connection.prepare_cached("SELECT plan FROM plans WHERE digest = ?1")?;
        statement.query_row(params![&digest.as_bytes()[..]], |row| row.get(0)).optional()
    };
    read().map_err(|error| reading(&error))
}
