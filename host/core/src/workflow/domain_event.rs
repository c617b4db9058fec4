//! What a template tells the world when a step has ended.

use serde::{Deserialize, Serialize};

/// An event of the template's own, told after the commit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DomainEvent {
    /// Its name, such as `order.paid`: 1 to 128 of `a–z A–Z 0–9 _ . -`.
    pub name: String,
    /// When it is told.
    #[serde(default)]
    pub condition: PublishCondition,
}

/// When a domain event is told; Tasker's conditions.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PublishCondition {
    /// Once the step has succeeded.
    #[default]
    Success,
    /// Once the step is dead.
    Failure,
    /// Either way.
    Always,
}

impl PublishCondition {
    /// Whether it is met by a step that ended well, or badly.
    pub const fn is_met(self, well: bool) -> bool {
        match self {
            Self::Success => well,
            Self::Failure => !well,
            Self::Always => true,
        }
    }
}
