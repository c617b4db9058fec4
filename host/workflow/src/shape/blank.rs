//! Values that say nothing.

use super::Shape;
use crate::yaml::{Content, Node};

/// Makes nothing of empty texts where a key of a known table has one: people leave keys empty in either way.
pub(crate) fn forget_blanks(node: &mut Node, shape: &Shape) {
    match (shape, &mut node.content) {
        (Shape::Table(table), Content::Table(entries)) => {
            for entry in entries {
                let Some(key) = table.find(&entry.key) else { continue };
                if entry.value.text().is_some_and(|text| text.trim().is_empty()) {
                    entry.value.content = Content::Null;
                }
                forget_blanks(&mut entry.value, &key.shape);
            }
        }
        (Shape::Names(inner), Content::Table(entries)) => {
            entries.iter_mut().for_each(|entry| forget_blanks(&mut entry.value, inner));
        }
        (Shape::List(inner), Content::List(items)) => items.iter_mut().for_each(|item| forget_blanks(item, inner)),
        (Shape::Either(shapes), _) => {
            if let Some(shape) = shapes.iter().find(|shape| shape.is_of(node)) {
                forget_blanks(node, shape);
            }
        }
        _ => {}
    }
}
