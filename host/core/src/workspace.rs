//! Which workspace a task uses.

use serde::{Deserialize, Deserializer, Serialize};

use crate::TaskId;

/// What stands before the id where a workspace is named in full.
const SCHEME: &str = "workspace:";

/// What a task says of its workspace: `"workspace:ID"`, `"ID"`, or a table such as `{"fresh": true}`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct WorkspaceChoice {
    /// The task whose workspace it is; none, its own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<TaskId>,
    /// Whether a retry finds it empty; none, as the handler's grant says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fresh: Option<bool>,
}

impl WorkspaceChoice {
    /// Reads a name, with or without `workspace:` before the id.
    pub fn parse_name(text: &str) -> Result<TaskId, crate::TextError> {
        TaskId::parse(text.strip_prefix(SCHEME).unwrap_or(text))
    }
}

impl<'de> Deserialize<'de> for WorkspaceChoice {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Table {
            #[serde(default)]
            id: Option<String>,
            #[serde(default)]
            fresh: Option<bool>,
        }
        struct Visitor;
        impl<'de> serde::de::Visitor<'de> for Visitor {
            type Value = WorkspaceChoice;
            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("a name such as \"workspace:ID\", or a table such as {\"fresh\": true}")
            }
            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<WorkspaceChoice, E> {
                let id = WorkspaceChoice::parse_name(text).map_err(E::custom)?;
                Ok(WorkspaceChoice { id: Some(id), fresh: None })
            }
            fn visit_map<A: serde::de::MapAccess<'de>>(self, map: A) -> Result<WorkspaceChoice, A::Error> {
                let Table { id, fresh } = Table::deserialize(serde::de::value::MapAccessDeserializer::new(map))?;
                let id = id.as_deref().map(WorkspaceChoice::parse_name).transpose();
                Ok(WorkspaceChoice { id: id.map_err(serde::de::Error::custom)?, fresh })
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Digest, Extras, StepTicket};

    #[test]
    fn a_workspace_is_named_with_or_without_its_scheme() {
        let read = |text: &str| serde_json::from_str::<WorkspaceChoice>(text).map_err(|error| error.to_string());
        let named = WorkspaceChoice { id: Some(TaskId::parse("a").unwrap()), fresh: None };
        for text in [r#""a""#, r#""workspace:a""#, r#"{"id":"workspace:a"}"#] {
            assert_eq!(read(text).as_ref(), Ok(&named), "{text}");
        }
        assert_eq!(read(&serde_json::to_string(&named).unwrap()), Ok(named));
        assert_eq!(read(r#"{"fresh":true}"#), Ok(WorkspaceChoice { id: None, fresh: Some(true) }));
        assert!(read(r#""workspace:""#).is_err() && read(r#"{"frsh":true}"#).unwrap_err().contains("frsh"));
    }

    #[test]
    fn a_step_uses_the_workspace_of_its_workflow_unless_it_names_another() {
        let id = |text: &str| TaskId::parse(text).unwrap();
        let ticket = StepTicket {
            workflow: id("w"),
            template: "etl".to_owned(),
            plan: Digest::from_bytes([0; 32]),
            place: 0,
            name: "load".to_owned(),
            instance: false,
            cursor: None,
        };
        let mut extras = Extras { step: Some(Box::new(ticket)), ..Extras::default() };
        assert_eq!(extras.workspace_of(), Some(&id("w")));
        extras.workspace = Some(WorkspaceChoice { id: None, fresh: Some(true) });
        assert_eq!(extras.workspace_of(), Some(&id("w")));
        extras.workspace = Some(WorkspaceChoice { id: Some(id("a")), fresh: None });
        assert_eq!(extras.workspace_of(), Some(&id("a")));
        assert_eq!(Extras::default().workspace_of(), None);
    }
}
