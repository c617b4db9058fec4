//! Writes a diff down, with line numbers and counts that are right.

use super::apply::Text;
use super::{Hunk, Line, UNTERMINATED};

/// A hunk, and the indices of its first line in the source and in the result.
pub(super) struct Placed<'a> {
    pub(super) hunk: &'a Hunk,
    pub(super) old: usize,
    pub(super) new: usize,
}

/// The diff of these hunks.
pub(super) fn diff(placed: &[Placed], old: &Text, new: &Text) -> String {
    let mut lines = vec!["--- a/source".to_owned(), "+++ b/source".to_owned()];
    for Placed { hunk, old: old_at, new: new_at } in placed {
        lines.push(format!(
            "@@ -{} +{} @@",
            range(*old_at, hunk.before().count()),
            range(*new_at, hunk.after().count())
        ));
        let (mut old_at, mut new_at) = (*old_at, *new_at);
        for line in &hunk.lines {
            let ends_old = old.unterminated && old_at + 1 == old.lines.len();
            let ends_new = new.unterminated && new_at + 1 == new.lines.len();
            match line {
                Line::Keep(text) if ends_old == ends_new => signed(&mut lines, ' ', text, ends_old),
                // The newline alone came or went.
                Line::Keep(text) => {
                    signed(&mut lines, '-', text, ends_old);
                    signed(&mut lines, '+', text, ends_new);
                }
                Line::Remove(text) => signed(&mut lines, '-', text, ends_old),
                Line::Add(text) => signed(&mut lines, '+', text, ends_new),
            }
            old_at += usize::from(!matches!(line, Line::Add(_)));
            new_at += usize::from(!matches!(line, Line::Remove(_)));
        }
    }
    lines.push(String::new());
    lines.join("\n")
}

fn signed(lines: &mut Vec<String>, sign: char, text: &str, ends_file: bool) {
    lines.push(format!("{sign}{text}"));
    if ends_file {
        lines.push(UNTERMINATED.to_owned());
    }
}

/// A range counts from 1, and an empty one names the line before.
fn range(at: usize, count: usize) -> String {
    format!("{},{count}", if count == 0 { at } else { at + 1 })
}
