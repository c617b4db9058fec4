//! How a value is read.

use std::path::PathBuf;

use bulkhead_sdk::Failure;
use regex::Regex;
use serde_json::Value;

use crate::evidence::{Evidence, Found};
use crate::settings::{Kind, WrittenEvaluator};

/// The field of a run that a pattern looks at where the operator names none.
const STDOUT: &str = "stdout";
/// The group of a pattern that holds the value, where it has one of this name; else its first.
const GROUP: &str = "value";

/// What an evaluator reads.
#[derive(Debug)]
pub(crate) enum Measure {
    /// A number.
    Metric(Place),
    /// Whether the exit code is one of these.
    ExitCode(Vec<i64>),
    /// Whether a pattern is found, or the number in its group.
    Regex(Place, Regex),
    /// A number in JSON; without a place, in the run itself.
    JsonPointer(Option<Place>, String),
}

/// Where something is read from.
#[derive(Debug)]
pub(crate) enum Place {
    File(PathBuf),
    Field(String),
}

impl Measure {
    /// Checks what the operator wrote: each type has fields of its own.
    pub(crate) fn new(written: &WrittenEvaluator) -> Result<Self, String> {
        let WrittenEvaluator { kind, pattern, pointer, expected, file, run, .. } = written;
        let strangers = [
            ("pattern", pattern.is_some(), Kind::Regex),
            ("pointer", pointer.is_some(), Kind::JsonPointer),
            ("expected", expected.is_some(), Kind::ExitCode),
        ];
        if let Some((name, ..)) = strangers.iter().find(|(_, is_there, owner)| *is_there && owner != kind) {
            return Err(format!("`{name}` does not go with its type"));
        }
        let place = match (file, run) {
            (Some(_), Some(_)) => return Err("`file` and `run` do not go together".to_owned()),
            (Some(file), None) => Some(Place::File(handlers_shared::inside("file", file)?)),
            (None, Some(field)) => Some(Place::Field(field.clone())),
            (None, None) => None,
        };
        match kind {
            Kind::Metric => Ok(Self::Metric(place.ok_or("a metric needs a `file` or a field of the `run`")?)),
            Kind::ExitCode if place.is_some() => Err("an exit code is read from the run alone".to_owned()),
            Kind::ExitCode => Ok(Self::ExitCode(expected.clone().unwrap_or_else(|| vec![0]))),
            Kind::Regex => {
                let pattern = pattern.as_deref().ok_or("a regex needs a `pattern`")?;
                let regex = Regex::new(pattern).map_err(|error| format!("`pattern`: {error}"))?;
                Ok(Self::Regex(place.unwrap_or_else(|| Place::Field(STDOUT.to_owned())), regex))
            }
            Kind::JsonPointer => {
                let pointer = pointer.as_deref().ok_or("a JSON pointer needs a `pointer`")?;
                if !pointer.is_empty() && !pointer.starts_with('/') {
                    return Err(format!("`pointer` must be empty or begin with `/`, not `{pointer}`"));
                }
                Ok(Self::JsonPointer(place, pointer.to_owned()))
            }
        }
    }

    /// The value, a finite number, or why it is missing; a failure where no value can be looked for.
    pub(crate) fn value(&self, evidence: &Evidence) -> Result<Found<f64>, Failure> {
        let found = match self {
            Self::Metric(Place::Field(name)) => evidence.field(name).and_then(number),
            Self::Metric(place) => place.text(evidence)?.and_then(|text| parsed(&text)),
            Self::ExitCode(expected) => evidence.field("exit_code").and_then(|code| {
                let code = code.as_i64().ok_or("the `exit_code` of the run is no whole number")?;
                Ok(f64::from(u8::from(expected.contains(&code))))
            }),
            Self::Regex(place, regex) => place.text(evidence)?.and_then(|text| searched(regex, &text)),
            Self::JsonPointer(None, pointer) => evidence.run().and_then(|run| match pointer.as_str() {
                "" => Err("the run itself is no number".to_owned()),
                _ => pointed(&Value::Object(run.clone()), pointer),
            }),
            Self::JsonPointer(Some(place), pointer) => place.text(evidence)?.and_then(|text| {
                let json: Value =
                    serde_json::from_str(&text).map_err(|error| format!("{place} is no JSON: {error}"))?;
                pointed(&json, pointer)
            }),
        };
        Ok(found)
    }
}

impl Place {
    fn text(&self, evidence: &Evidence) -> Result<Found<String>, Failure> {
        match self {
            Self::File(path) => evidence.file(path),
            Self::Field(name) => Ok(evidence.field(name).and_then(|value| match value {
                Value::String(text) => Ok(text.clone()),
                _ => Err(format!("the `{name}` of the run is no text")),
            })),
        }
    }
}

impl std::fmt::Display for Place {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::File(path) => write!(formatter, "`{}`", path.display()),
            Self::Field(name) => write!(formatter, "the `{name}` of the run"),
        }
    }
}

fn pointed(json: &Value, pointer: &str) -> Found<f64> {
    number(json.pointer(pointer).ok_or_else(|| format!("nothing is at `{pointer}`"))?)
}

/// The number in a group of the first match; without groups, whether there is a match.
fn searched(regex: &Regex, text: &str) -> Found<f64> {
    if regex.captures_len() == 1 {
        return Ok(f64::from(u8::from(regex.is_match(text))));
    }
    let captures = regex.captures(text).ok_or("the pattern is not found")?;
    let group = captures.name(GROUP).or_else(|| captures.get(1)).ok_or("the group of the pattern is not found")?;
    parsed(group.as_str())
}

fn number(value: &Value) -> Found<f64> {
    match value {
        Value::Number(number) => number.as_f64().filter(|number| number.is_finite()).ok_or_else(|| not_one("it")),
        Value::Bool(is) => Ok(f64::from(u8::from(*is))),
        Value::String(text) => parsed(text),
        Value::Null => Err("it is null".to_owned()),
        Value::Array(_) | Value::Object(_) => Err(not_one("it")),
    }
}

fn parsed(text: &str) -> Found<f64> {
    let text = text.trim();
    let shown: String = text.chars().take(40).collect();
    let number = text.parse::<f64>().ok().filter(|number| number.is_finite());
    number.ok_or_else(|| not_one(&format!("`{}`", shown.escape_debug())))
}

fn not_one(what: &str) -> String {
    format!("{what} is not a number")
}
