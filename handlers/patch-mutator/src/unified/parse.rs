//! Reads a diff.

use super::{Hunk, Line, Patch, shown};
use crate::answer::is_hunk;

/// The numbers of a hunk's header.
struct Header {
    start: usize,
    /// How many lines of the source it says it has.
    old: usize,
}

impl Patch {
    /// Reads the one diff that is in these lines; what stands before it, and prose after it, is no part of it.
    pub(super) fn parse(lines: &[&str]) -> Result<Self, String> {
        let Some(first) = lines.iter().position(|line| is_hunk(line)) else {
            return Err("the diff has no hunk: no line begins with `@@ -`".to_owned());
        };
        if (0..first).filter(|at| is_file_header(&lines[*at..])).count() > 1 {
            return Err("the diff is of more than one file".to_owned());
        }
        let mut hunks = Vec::new();
        let mut rest = &lines[first..];
        while let Some((header, after)) = rest.split_first() {
            let number = hunks.len() + 1;
            let header = Header::parse(header).ok_or_else(|| {
                format!("hunk {number} does not begin with `@@ -line,count +line,count @@`: `{}`", shown(header))
            })?;
            let (hunk, after) = hunk(&header, after).map_err(|why| format!("hunk {number} {why}"))?;
            hunks.push(hunk);
            rest = after;
            match rest.first() {
                Some(line) if is_hunk(line) => {}
                Some(line) if line.starts_with("diff ") || is_file_header(rest) => {
                    return Err("the diff is of more than one file".to_owned());
                }
                // A change after it is one that would be lost.
                Some(line) if rest.iter().any(|line| is_hunk(line) || line.starts_with(['+', '-'])) => {
                    return Err(format!("hunk {number} has a line without a sign before it: `{}`", shown(line)));
                }
                _ => break,
            }
        }
        Ok(Self { hunks })
    }
}

impl Header {
    fn parse(line: &str) -> Option<Self> {
        let (old, rest) = line.strip_prefix("@@ -")?.split_once(" +")?;
        let (new, _) = rest.split_once(" @@")?;
        let range = |text: &str| -> Option<(usize, usize)> {
            let (start, count) = text.split_once(',').unwrap_or((text, "1"));
            Some((start.parse().ok()?, count.parse().ok()?))
        };
        range(new)?;
        let (start, old) = range(old)?;
        Some(Self { start, old })
    }
}

/// Whether a file's header is here: a line that was removed may look like the half of one.
fn is_file_header(lines: &[&str]) -> bool {
    matches!(lines, [old, new, hunk, ..] if old.starts_with("--- ") && new.starts_with("+++ ") && is_hunk(hunk))
}

/// The hunk below a header, and what follows it.
fn hunk<'a>(header: &Header, lines: &'a [&'a str]) -> Result<(Hunk, &'a [&'a str]), String> {
    let mut hunk = Hunk { start: header.start, lines: Vec::new(), old_unterminated: false, new_unterminated: false };
    let mut end = 0;
    for (at, line) in lines.iter().enumerate() {
        if is_file_header(&lines[at..]) {
            break;
        }
        let read = match line.as_bytes().first() {
            // Who strips blanks at the ends of lines strips the one of an empty line that is kept.
            None => Line::Keep(String::new()),
            Some(b' ') => Line::Keep(line[1..].to_owned()),
            Some(b'-') => Line::Remove(line[1..].to_owned()),
            Some(b'+') => Line::Add(line[1..].to_owned()),
            Some(b'\\') => {
                hunk.unterminated()?;
                end = at + 1;
                continue;
            }
            Some(_) => break,
        };
        if hunk.is_over(&read) {
            return Err(format!("goes on after the end of the file: `{}`", shown(line)));
        }
        hunk.lines.push(read);
        end = at + 1;
    }
    // Empty lines at the end are the answer's own, unless the header counts them.
    let counted = hunk.before().count();
    let mut spare = counted.saturating_sub(header.old);
    while spare > 0 && lines[..end].last().is_some_and(|line| line.is_empty()) {
        hunk.lines.pop();
        end -= 1;
        spare -= 1;
    }
    if hunk.lines.iter().all(|line| matches!(line, Line::Keep(_))) {
        return Err("changes nothing".to_owned());
    }
    let rest = &lines[end..];
    let next = rest.iter().position(|line| !line.trim().is_empty()).unwrap_or(rest.len());
    Ok((hunk, &rest[next..]))
}

impl Hunk {
    /// The last line has no newline.
    fn unterminated(&mut self) -> Result<(), String> {
        match self.lines.last() {
            None => return Err("begins with `\\`".to_owned()),
            Some(Line::Keep(_)) => (self.old_unterminated, self.new_unterminated) = (true, true),
            Some(Line::Remove(_)) => self.old_unterminated = true,
            Some(Line::Add(_)) => self.new_unterminated = true,
        }
        Ok(())
    }

    /// Whether a line cannot follow, since the file has ended.
    fn is_over(&self, line: &Line) -> bool {
        match line {
            // An empty line may be the answer's own.
            Line::Keep(text) => !text.is_empty() && (self.old_unterminated || self.new_unterminated),
            Line::Remove(_) => self.old_unterminated,
            Line::Add(_) => self.new_unterminated,
        }
    }
}
