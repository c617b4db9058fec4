//! What may stand behind the `?` of a list.

use std::collections::BTreeMap;

use bulkhead_core::{DeadReason, Kind, Span, State, TaskId, Timestamp, is_label};
use bulkhead_store::{Selection, TaskFilter};
use serde::Deserialize;

use crate::page_limit::{LIMIT, page_limit};
use crate::problem::Problem;

/// The parameters of a list of tasks.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ListQuery {
    /// States, with commas between.
    state: Option<String>,
    kind: Option<String>,
    tenant: Option<String>,
    /// Tags that a task must have, as the JSON object that a task has.
    tags: Option<String>,
    /// Children of this task only.
    parent: Option<String>,
    /// Ended before this moment only.
    ended_before: Option<Timestamp>,
    /// Ended so long ago, or longer, only.
    older_than: Option<Span>,
    /// Of dead tasks only.
    reason: Option<String>,
    limit: Option<usize>,
    cursor: Option<String>,
    /// Answer with the number of tasks instead.
    #[serde(default)]
    pub(crate) count: bool,
}

impl ListQuery {
    /// Checks every value; a page of a hundred where no limit is given.
    pub(crate) fn selection(self) -> Result<Selection, Problem> {
        self.selection_of(LIMIT)
    }

    /// The same with another length where none is given.
    pub(crate) fn selection_of(self, length: usize) -> Result<Selection, Problem> {
        let states = self.state.as_deref().unwrap_or_default().split(',').filter(|state| !state.is_empty());
        let limit = page_limit(self.limit, length)?;
        let ended_before = self.ended_before(bulkhead_worker::now());
        Ok(Selection {
            filter: TaskFilter {
                states: states.map(State::parse).collect::<Result<_, _>>()?,
                kind: self.kind.map(Kind::parse).transpose()?,
                tenant: tenant(self.tenant)?,
                tags: tags(self.tags.as_deref())?,
                dead_reason: self.reason.as_deref().map(DeadReason::parse).transpose()?,
                ready_reason: None,
                ended_before,
                parent: self.parent.map(TaskId::parse).transpose()?,
            },
            limit,
            cursor: self.cursor,
        })
    }

    /// The earlier of the two bounds. What has ended has no age at least, by whichever clock its end was taken.
    fn ended_before(&self, now: Timestamp) -> Option<Timestamp> {
        let age = self.older_than.map(Span::duration).filter(|age| !age.is_zero());
        age.map(|age| now.before(age)).into_iter().chain(self.ended_before).min()
    }
}

/// Checks a tenant that is asked for.
pub(crate) fn tenant(tenant: Option<String>) -> Result<Option<String>, Problem> {
    match tenant {
        Some(tenant) if !is_label(&tenant) => {
            Err(Problem::Malformed("tenant: must be 1 to 256 bytes without control characters".to_owned()))
        }
        tenant => Ok(tenant),
    }
}

/// Reads the tags that are asked for.
fn tags(tags: Option<&str>) -> Result<BTreeMap<String, String>, Problem> {
    let malformed =
        |_| Problem::Malformed(r#"tags: must be a JSON object of text, such as {"team":"blue"}"#.to_owned());
    tags.map_or_else(|| Ok(BTreeMap::new()), |text| serde_json::from_str(text).map_err(malformed))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_age_is_taken_from_the_hosts_own_clock() {
        let now = Timestamp::from_millis(10_000);
        let bound = |older_than: Option<u64>, ended_before: Option<i64>| {
            let query = ListQuery {
                older_than: older_than.map(Span::from_millis),
                ended_before: ended_before.map(Timestamp::from_millis),
                ..ListQuery::default()
            };
            query.ended_before(now).map(Timestamp::as_millis)
        };
        assert_eq!(bound(Some(3_000), None), Some(7_000));
        assert_eq!(bound(Some(3_000), Some(6_000)), Some(6_000));
        assert_eq!(bound(Some(3_000), Some(8_000)), Some(7_000));
        assert_eq!(bound(None, Some(8_000)), Some(8_000));
        // Even of what the store's clock says has ended only after the host's now.
        assert_eq!(bound(Some(0), None), None);
    }
}
