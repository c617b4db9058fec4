//! Many tasks in one body: a JSON array, or one JSON object a line.

use bulkhead_core::{NewTask, Submission, SubmissionLimits};
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

use crate::problem::{Problem, in_words};

/// The most tasks in one body.
pub(crate) const MAX_TASKS: usize = 10_000;

/// The longest body, in bytes.
pub(crate) const MAX_BODY: usize = 64 << 20;

/// Many tasks, and the line of each, from 1.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Bulk {
    /// The tasks.
    pub(crate) tasks: Vec<NewTask>,
    /// The line of NDJSON, or the place in the array, of each.
    pub(crate) lines: Vec<usize>,
}

/// Reads the tasks of an array; a bad one is told by its place, from 1.
pub(crate) fn read_array(body: &[u8], limits: &SubmissionLimits) -> Result<Bulk, Problem> {
    let elements: Vec<&RawValue> = serde_json::from_slice(body)?;
    read_each(elements.into_iter().enumerate().map(|(index, element)| (index + 1, element.get())), limits)
}

/// Reads the tasks of NDJSON; a bad one is told by its line, from 1. Blank lines are passed over.
pub(crate) fn read_lines(body: &[u8], limits: &SubmissionLimits) -> Result<Bulk, Problem> {
    let text = std::str::from_utf8(body).map_err(|error| {
        let line = 1 + body[..error.valid_up_to()].iter().filter(|byte| **byte == b'\n').count();
        Problem::Line { line, problem: Box::new(Problem::Malformed("not valid UTF-8".to_owned())) }
    })?;
    let lines =
        text.lines().enumerate().map(|(index, line)| (index + 1, line)).filter(|(_, line)| !line.trim().is_empty());
    read_each(lines, limits)
}

fn read_each<'a>(texts: impl Iterator<Item = (usize, &'a str)>, limits: &SubmissionLimits) -> Result<Bulk, Problem> {
    let mut bulk = Bulk::default();
    for (line, text) in texts {
        if bulk.tasks.len() == MAX_TASKS {
            let detail = format!("more than {MAX_TASKS} tasks in one request; send them in several");
            return Err(Problem::TooLarge(detail));
        }
        let task = read_one(text.as_bytes(), limits);
        bulk.tasks.push(task.map_err(|problem| Problem::Line { line, problem: Box::new(problem) })?);
        bulk.lines.push(line);
    }
    Ok(bulk)
}

/// Reads one task.
pub(crate) fn read_one(body: &[u8], limits: &SubmissionLimits) -> Result<NewTask, Problem> {
    Ok(read_object::<Submission>(body)?.check(limits)?)
}

/// Reads what is not checked yet; an error names the field that it is about.
pub(crate) fn read_object<T: DeserializeOwned>(body: &[u8]) -> Result<T, Problem> {
    serde_json::from_slice(body).map_err(|error| named::<T>(body, error))
}

/// The same error with the field it is about: read once more, since keeping track of the place costs time.
fn named<T: DeserializeOwned>(body: &[u8], error: serde_json::Error) -> Problem {
    let mut reader = serde_json::Deserializer::from_slice(body);
    match serde_path_to_error::deserialize::<_, T>(&mut reader) {
        Err(found) if found.inner().is_data() && found.path().iter().next().is_some() => {
            Problem::Unacceptable(format!("`{}`: {}", found.path(), in_words(found.inner())))
        }
        _ => error.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line_of(result: Result<Bulk, Problem>) -> usize {
        match result {
            Err(Problem::Line { line, .. }) => line,
            other => panic!("no line is named: {other:?}"),
        }
    }

    #[test]
    fn a_bad_line_is_named_by_its_number() {
        let limits = SubmissionLimits::default();
        assert_eq!(line_of(read_lines(b"{\"kind\":\"A\"}\n\n{\"kind\":\"A\"\n", &limits)), 3);
        assert_eq!(line_of(read_lines(b"{\"kind\":\"A\"}\n\xff", &limits)), 2);
        assert_eq!(line_of(read_array(br#"[{"kind":"A"},{"kind":""}]"#, &limits)), 2);
    }

    #[test]
    fn good_lines_are_read_whether_or_not_the_last_ends() {
        let limits = SubmissionLimits::default();
        let bulk = read_lines(b"{\"kind\":\"A\"}\r\n\r\n{\"kind\":\"B\"}", &limits).expect("tasks");
        assert_eq!((bulk.tasks.len(), bulk.lines), (2, vec![1, 3]));
        assert_eq!(read_array(b"[]", &limits).expect("tasks"), Bulk::default());
    }

    #[test]
    fn ten_thousand_tasks_are_read_and_one_more_is_not() {
        let limits = SubmissionLimits::default();
        let lines = "{\"kind\":\"A\"}\n".repeat(MAX_TASKS);
        assert!(read_lines(lines.as_bytes(), &limits).is_ok());
        assert!(matches!(read_lines((lines + "{}").as_bytes(), &limits), Err(Problem::TooLarge(_))));
    }
}
