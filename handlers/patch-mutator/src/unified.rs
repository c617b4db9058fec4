//! Unified diffs of one file, applied strictly.
//!
//! What a hunk keeps and removes must be in the source exactly as it says; nothing is ignored, and nothing is guessed. The
//! line number of a hunk says where; where its lines are not there but at exactly one other place, it is that. Its counts are
//! not trusted: models rarely count right, and the lines say it themselves.

mod apply;
mod parse;
mod write;

/// The marker of a last line without its newline.
const UNTERMINATED: &str = "\\ No newline at end of file";

/// A diff of one file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Patch {
    hunks: Vec<Hunk>,
}

/// A change of neighbouring lines.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Hunk {
    /// The number of its first line in the source; of the line before, where it only adds.
    start: usize,
    lines: Vec<Line>,
    /// It says that the source's last line has no newline.
    old_unterminated: bool,
    /// It says that the result's last line has none.
    new_unterminated: bool,
}

/// A line of a hunk.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Line {
    Keep(String),
    Remove(String),
    Add(String),
}

/// What came of a patch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Applied {
    /// The new source.
    pub(crate) source: String,
    /// The diff between the two, with line numbers and counts that are right.
    pub(crate) diff: String,
}

impl Hunk {
    /// The lines that must be in the source.
    fn before(&self) -> impl Iterator<Item = &str> {
        self.lines.iter().filter_map(|line| match line {
            Line::Keep(text) | Line::Remove(text) => Some(text.as_str()),
            Line::Add(_) => None,
        })
    }

    /// The lines that are there afterwards.
    fn after(&self) -> impl Iterator<Item = &str> {
        self.lines.iter().filter_map(|line| match line {
            Line::Keep(text) | Line::Add(text) => Some(text.as_str()),
            Line::Remove(_) => None,
        })
    }
}

/// Applies the diff that these lines hold; says why where it cannot be.
pub(crate) fn apply(source: &str, diff: &[&str]) -> Result<Applied, String> {
    // Who writes a diff of a source with CRLF writes LF, or CRLF: both are meant.
    let is_crlf = source.contains('\n')
        && source.split_inclusive('\n').all(|line| !line.ends_with('\n') || line.ends_with("\r\n"));
    if !is_crlf {
        return Patch::parse(diff)?.apply(source);
    }
    let diff: Vec<&str> = diff.iter().map(|line| line.strip_suffix('\r').unwrap_or(line)).collect();
    let applied = Patch::parse(&diff)?.apply(&source.replace("\r\n", "\n"))?;
    Ok(Applied { source: applied.source.replace('\n', "\r\n"), diff: applied.diff })
}

/// As much of a line as an error shows.
fn shown(line: &str) -> String {
    let mut shown: String = line.chars().take(60).collect();
    if shown.len() < line.len() {
        shown.push('…');
    }
    shown.escape_debug().to_string()
}

#[cfg(test)]
mod tests;
