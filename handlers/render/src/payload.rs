//! What a task of kind RENDER says.

use bulkhead_sdk::Failure;
use minijinja::Value;
use minijinja::value::ValueKind;
use serde::Deserialize;

use crate::failure;

/// The payload: one text, or a tree.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Payload {
    /// One text to render.
    #[serde(default)]
    pub template: Option<String>,
    /// A folder of the workspace to render.
    #[serde(default)]
    pub template_dir: Option<String>,
    /// The folder of the workspace that takes what comes of it.
    #[serde(default)]
    pub output_dir: Option<String>,
    /// The variables: an object.
    #[serde(default = "nothing")]
    pub context: Value,
    /// Patterns of files that are copied as they are; `*` stands for any text, `/` included.
    #[serde(default)]
    pub copy_without_render: Vec<String>,
    /// How templates are read.
    #[serde(default)]
    pub options: Options,
}

/// How templates are read: the names and defaults of jinja2's `Environment`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Options {
    /// The first newline after a block is removed.
    pub trim_blocks: bool,
    /// Blanks before a block are removed from the start of its line.
    pub lstrip_blocks: bool,
    /// The newline at the end of a template stays; where absent, it stays in a tree and goes in a single text.
    pub keep_trailing_newline: Option<bool>,
    /// Values are escaped for HTML unless they are marked safe.
    pub autoescape: bool,
    /// What a variable that is not there is.
    pub undefined: Undefined,
}

/// What a variable that is not there is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Undefined {
    /// Empty where it is printed; to ask it for something is an error.
    #[default]
    Lenient,
    /// Empty where it is printed, and whatever it is asked for is not there either.
    Chainable,
    /// An error.
    Strict,
}

/// What is to be done.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Job<'a> {
    Text { template: &'a str },
    Tree { template_dir: &'a str, output_dir: &'a str },
}

impl Payload {
    /// What is to be done, or which fields don't go together.
    pub(crate) fn job(&self) -> Result<Job<'_>, Failure> {
        if self.context.kind() != ValueKind::Map {
            return Err(failure::payload("`context` must be an object"));
        }
        match (&self.template, &self.template_dir, &self.output_dir) {
            (Some(_), None, None) if !self.copy_without_render.is_empty() => {
                Err(failure::payload("`copy_without_render` goes with `template_dir`, not with `template`"))
            }
            (Some(template), None, None) => Ok(Job::Text { template }),
            (None, Some(template_dir), Some(output_dir)) => Ok(Job::Tree { template_dir, output_dir }),
            (Some(_), ..) => Err(failure::payload("`template` goes without `template_dir` and `output_dir`")),
            (None, ..) => Err(failure::payload("give `template`, or both `template_dir` and `output_dir`")),
        }
    }
}

fn nothing() -> Value {
    Value::from_pairs::<[(&str, Value); 0], _, _>([])
}
