//! From an input to a workflow that may be stored.

use std::sync::Arc;

use bulkhead_core::{NewWorkflow, SubmissionError, SubmissionLimits, WorkflowSubmission};
use jsonschema::{PatternOptions, Validator};
use serde_json::Value;

use crate::expansions::expansions;
use crate::yaml::Node;
use crate::{Problem, Template};

/// The most problems of one input that are told.
const SHOWN: usize = 20;
/// The longest input of which more than one problem is told, in bytes.
const DETAILED: usize = 64 << 10;
/// The most looks at values, bytes of the input times looks at each, of which more than one problem is told: each look may
/// find one.
const DETAILED_LOOKS: u64 = 4 << 20;
/// Steps back of one pattern on one text, so that none runs for long.
const BACKTRACKS: usize = 100_000;
/// Bytes of one compiled pattern.
const PATTERN: usize = 1 << 20;

/// Why no workflow begins.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WorkflowRefusal {
    /// A field of the submission is out of its bounds.
    #[error(transparent)]
    Submission(#[from] SubmissionError),
    /// The input is not as the template's `input_schema` says.
    #[error("the input is not as {template} wants it{}", listed(.problems, .more))]
    Input {
        /// `namespace/name@version` of the template.
        template: String,
        /// What is wrong, each with its place in the input.
        problems: Vec<InputProblem>,
        /// There is more than is shown.
        more: bool,
    },
}

/// One thing that is wrong with an input.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct InputProblem {
    /// Where, as a JSON pointer; empty for the input as a whole.
    pub pointer: String,
    /// What is wrong.
    pub message: String,
}

fn listed(problems: &[InputProblem], more: &bool) -> String {
    let mut text = String::new();
    for InputProblem { pointer, message } in problems {
        let place = if pointer.is_empty() { "the input" } else { pointer };
        text.push_str(&format!("; {place}: {message}"));
    }
    text + if *more { "; and more" } else { "" }
}

impl Template {
    /// Checks the input and all else that a caller says, and gives what a store takes.
    pub fn begin(
        &self,
        submission: WorkflowSubmission,
        limits: &SubmissionLimits,
    ) -> Result<NewWorkflow, WorkflowRefusal> {
        let workflow = submission.check(Arc::clone(self.plan()), self.digest(), limits)?;
        if let Some(schema) = &self.input_schema {
            let (problems, more) = schema.problems(workflow.input.as_str());
            if !problems.is_empty() {
                return Err(WorkflowRefusal::Input { template: self.plan().reference(), problems, more });
            }
        }
        Ok(workflow)
    }
}

/// A compiled `input_schema`.
pub(crate) struct InputSchema {
    schema: Value,
    validator: Validator,
    /// How often it looks at one value.
    looks: u64,
}

impl std::fmt::Debug for InputSchema {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_tuple("InputSchema").field(&self.schema).finish()
    }
}

/// One problem, without the values: they are the caller's own, and may be long or secret.
fn problem(error: jsonschema::ValidationError<'_>) -> InputProblem {
    InputProblem { pointer: error.instance_path().to_string(), message: one_line(&error.masked().to_string()) }
}

/// Words of the validator as they may stand in a message.
fn one_line(words: &str) -> String {
    words.chars().take(300).map(|letter| if letter.is_control() { ' ' } else { letter }).collect()
}

impl InputSchema {
    /// Compiles a schema, which may refer to nothing outside of itself.
    pub(crate) fn compile(node: &Node) -> Result<Self, Problem> {
        let schema = node.to_value();
        let looks = expansions(&schema).map_err(|why| {
            let message = format!("`input_schema` is too large once it is followed: {why}");
            Problem::at(node.mark, message).hint("let definitions refer to fewer others")
        })?;
        let patterns = PatternOptions::fancy_regex().backtrack_limit(BACKTRACKS).size_limit(PATTERN);
        let options = jsonschema::options().offline().should_validate_formats(true).with_pattern_options(patterns);
        match options.build(&schema) {
            Ok(validator) => Ok(Self { schema, validator, looks }),
            Err(error) => {
                let pointer = error.instance_path().to_string();
                let place = if pointer.is_empty() { "" } else { " at " };
                let message =
                    format!("`input_schema` is no JSON Schema{place}{pointer}: {}", one_line(&error.to_string()));
                Err(Problem::at(node.mark_at(&pointer), message))
            }
        }
    }

    pub(crate) fn schema(&self) -> &Value {
        &self.schema
    }

    /// What is wrong with an input, and whether there is more.
    fn problems(&self, input: &str) -> (Vec<InputProblem>, bool) {
        let mut deserializer = serde_json::Deserializer::from_str(input);
        // The depth was bounded when the text came in.
        deserializer.disable_recursion_limit();
        let value: Value = match serde::Deserialize::deserialize(&mut deserializer) {
            Ok(value) => value,
            Err(error) => {
                return (
                    vec![InputProblem { pointer: String::new(), message: format!("not readable: {error}") }],
                    false,
                );
            }
        };
        if self.validator.is_valid(&value) {
            return (Vec::new(), false);
        }
        // All problems are found before the first is told: of a large input, which may have very many, only one is asked for.
        if input.len() > DETAILED || (input.len() as u64).saturating_mul(self.looks) > DETAILED_LOOKS {
            let first = self.validator.validate(&value).err().map(problem);
            return (first.into_iter().collect(), true);
        }
        let mut errors = self.validator.iter_errors(&value);
        let problems = errors.by_ref().take(SHOWN).map(problem).collect();
        (problems, errors.next().is_some())
    }
}
