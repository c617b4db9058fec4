//! How much a value adds to the bounds of a file.

use super::{Content, Node};

/// How much a value adds to the bounds of a file, each of its keys and parts included.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Weight {
    pub(crate) nodes: usize,
    /// Bytes of all texts.
    pub(crate) bytes: usize,
}

impl std::ops::AddAssign for Weight {
    fn add_assign(&mut self, other: Self) {
        self.nodes = self.nodes.saturating_add(other.nodes);
        self.bytes = self.bytes.saturating_add(other.bytes);
    }
}

impl Node {
    /// How much the value adds to the bounds of a file.
    pub(crate) fn weight(&self) -> Weight {
        let mut weight = Weight { nodes: 1, bytes: 0 };
        match &self.content {
            Content::Null | Content::Flag(_) => {}
            Content::Number(text) | Content::Text(text) => weight.bytes = text.len(),
            Content::List(items) => items.iter().for_each(|item| weight += item.weight()),
            Content::Table(entries) => {
                for entry in entries {
                    weight += Weight { nodes: 1, bytes: entry.key.len() };
                    weight += entry.value.weight();
                }
            }
        }
        weight
    }
}
