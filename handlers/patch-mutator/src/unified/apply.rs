//! Applies a diff.

use super::write::{self, Placed};
use super::{Applied, Hunk, Patch, shown};

/// A source by its lines.
pub(super) struct Text<'a> {
    pub(super) lines: Vec<&'a str>,
    /// Its last line has no newline.
    pub(super) unterminated: bool,
}

impl<'a> Text<'a> {
    pub(super) fn new(source: &'a str) -> Self {
        let mut lines: Vec<&str> = source.split('\n').collect();
        let unterminated = lines.pop_if(|last| last.is_empty()).is_none();
        Self { lines, unterminated }
    }
}

impl Patch {
    /// Applies every hunk, in order, or none.
    pub(super) fn apply(&self, source: &str) -> Result<Applied, String> {
        let old = Text::new(source);
        let mut placed = Vec::new();
        let (mut new, mut done) = (Vec::new(), 0);
        for (index, hunk) in self.hunks.iter().enumerate() {
            let at = hunk.place(&old, done).map_err(|why| format!("hunk {} {why}", index + 1))?;
            new.extend_from_slice(&old.lines[done..at]);
            placed.push(Placed { hunk, old: at, new: new.len() });
            new.extend(hunk.after());
            done = at + hunk.before().count();
        }
        let is_at_end = done == old.lines.len();
        new.extend_from_slice(&old.lines[done..]);
        let new = Text { unterminated: self.ends_unterminated(&old, is_at_end)? && !new.is_empty(), lines: new };
        let mut source = new.lines.join("\n");
        if !new.lines.is_empty() && !new.unterminated {
            source.push('\n');
        }
        Ok(Applied { diff: write::diff(&placed, &old, &new), source })
    }

    /// Whether the result's last line has no newline: as the source's, unless the last hunk says otherwise.
    fn ends_unterminated(&self, old: &Text, is_at_end: bool) -> Result<bool, String> {
        let says = |hunk: &Hunk| hunk.old_unterminated || hunk.new_unterminated;
        let speaks_early = self.hunks.iter().rev().skip(1).any(says);
        let Some(last) = self.hunks.last().filter(|last| says(last)) else {
            return if speaks_early { Err(too_early()) } else { Ok(old.unterminated) };
        };
        if speaks_early || !is_at_end {
            return Err(too_early());
        }
        if last.old_unterminated && !old.unterminated {
            return Err("the source ends with a newline, and the diff says that it does not".to_owned());
        }
        Ok(last.new_unterminated)
    }
}

fn too_early() -> String {
    "the diff says that the file ends where it does not".to_owned()
}

impl Hunk {
    /// The index of its first line in the source, at or after `from`.
    fn place(&self, source: &Text, from: usize) -> Result<usize, String> {
        let old: Vec<&str> = self.before().collect();
        if old.is_empty() {
            // Nothing says where it belongs but its number, which is that of the line before.
            return if (from..=source.lines.len()).contains(&self.start) {
                Ok(self.start)
            } else {
                Err(format!("adds after line {}, where nothing can be added", self.start))
            };
        }
        let said = self.start.saturating_sub(1);
        let fits = |at: usize| source.lines.get(at..).is_some_and(|rest| rest.starts_with(&old));
        if said >= from && fits(said) {
            return Ok(said);
        }
        let mut places = (from..source.lines.len()).filter(|at| fits(*at));
        match (places.next(), places.next()) {
            (Some(place), None) => Ok(place),
            (Some(one), Some(other)) => {
                Err(format!("does not fit at line {}, but at line {} and at line {}", self.start, one + 1, other + 1))
            }
            (None, _) => Err(self.misfit(source, said, from)),
        }
    }

    /// What does not fit where the hunk says that it belongs.
    fn misfit(&self, source: &Text, said: usize, from: usize) -> String {
        if said < from {
            return format!("fits nowhere after the one before it, and says line {}", self.start);
        }
        let wrong = self.before().enumerate().find(|(offset, line)| source.lines.get(said + offset) != Some(line));
        match wrong {
            Some((offset, line)) => match source.lines.get(said + offset) {
                Some(there) => {
                    let number = said + offset + 1;
                    format!("fits nowhere: line {number} is `{}`, and the diff has `{}`", shown(there), shown(line))
                }
                None => format!("fits nowhere: the source has {} lines, and the diff more", source.lines.len()),
            },
            None => "fits nowhere".to_owned(),
        }
    }
}
