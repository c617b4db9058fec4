//! What the operator lets a handler do in the workspaces of its tasks.

use bulkhead_core::Size;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::WorkspaceBounds;

/// What a guest may do in its workspace.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum WorkspaceAccess {
    /// Read files and list folders.
    Read,
    /// Also write, create, rename and remove.
    ReadWrite,
}

/// `grants.workspace`: `"read"`, `"read-write"`, or a table that says more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WorkspaceGrant {
    /// What it may do.
    pub access: WorkspaceAccess,
    /// Whether a retry finds the workspace empty.
    pub fresh: bool,
    /// Bytes that the workspace may hold, where that is not what holds for all.
    pub max_bytes: Option<Size>,
    /// Files that the workspace may hold, where that is not what holds for all.
    pub max_files: Option<u64>,
}

impl WorkspaceGrant {
    /// The bounds under this grant, where these hold for all.
    pub fn bounds(&self, of_all: WorkspaceBounds) -> WorkspaceBounds {
        WorkspaceBounds { bytes: self.max_bytes.unwrap_or(of_all.bytes), files: self.max_files.unwrap_or(of_all.files) }
    }
}

impl From<WorkspaceAccess> for WorkspaceGrant {
    fn from(access: WorkspaceAccess) -> Self {
        Self { access, fresh: false, max_bytes: None, max_files: None }
    }
}

/// The grant as it is written.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    access: WorkspaceAccess,
    #[serde(default)]
    fresh: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    max_bytes: Option<Size>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    max_files: Option<u64>,
}

impl Serialize for WorkspaceGrant {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { access, fresh, max_bytes, max_files } = *self;
        if Self::from(access) == *self {
            return access.serialize(serializer);
        }
        Table { access, fresh, max_bytes, max_files }.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for WorkspaceGrant {
    /// By hand, since an untagged enum hides which key of the table is wrong.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> serde::de::Visitor<'de> for Visitor {
            type Value = WorkspaceGrant;
            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter
                    .write_str("\"read\", \"read-write\" or a table such as { access = \"read-write\", fresh = true }")
            }
            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<WorkspaceGrant, E> {
                let access = WorkspaceAccess::deserialize(serde::de::value::StrDeserializer::<E>::new(text))?;
                Ok(access.into())
            }
            fn visit_map<A: serde::de::MapAccess<'de>>(self, map: A) -> Result<WorkspaceGrant, A::Error> {
                let Table { access, fresh, max_bytes, max_files } =
                    Table::deserialize(serde::de::value::MapAccessDeserializer::new(map))?;
                Ok(WorkspaceGrant { access, fresh, max_bytes, max_files })
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<WorkspaceGrant, String> {
        serde_json::from_str(text).map_err(|error| error.to_string())
    }

    #[test]
    fn a_word_and_a_table_say_the_same() {
        let plain = WorkspaceGrant::from(WorkspaceAccess::ReadWrite);
        assert_eq!(read(r#""read-write""#), Ok(plain));
        assert_eq!(read(r#"{"access":"read-write"}"#), Ok(plain));
        assert_eq!(serde_json::to_string(&plain).unwrap(), r#""read-write""#);
        let fresh = read(r#"{"access":"read","fresh":true,"max_bytes":"1MiB","max_files":5}"#).unwrap();
        assert_eq!(read(&serde_json::to_string(&fresh).unwrap()), Ok(fresh));
        let bounds = fresh.bounds(WorkspaceBounds::default());
        assert_eq!(bounds, WorkspaceBounds { bytes: Size::from_mib(1), files: 5 });
    }

    #[test]
    fn what_it_does_not_know_is_named() {
        assert!(read(r#""write""#).unwrap_err().contains("read-write"));
        assert!(read(r#"{"access":"read","frsh":true}"#).unwrap_err().contains("frsh"));
    }
}
