//! The workflow's input: which file it is about.

use std::fs::File;
use std::io::ErrorKind;

use bulkhead_sdk::{Context, Failure};
use serde::Deserialize;

/// The first line of each file, which names the columns.
pub const HEADER: &str = "order,day,country,product,quantity,price";

/// The payload of each step.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Input {
    /// The file, in the workspace.
    pub file: String,
}

impl Input {
    /// Opens the file.
    pub fn open(&self, context: &Context) -> Result<File, Failure> {
        File::open(context.workspace().join(&self.file)).map_err(|error| {
            let why = format!("`{}` of the workspace cannot be read: {error}", self.file);
            match error.kind() {
                ErrorKind::NotFound => Failure::permanent("no_file", format!("{why}; push it, then retry the step")),
                _ => Failure::retryable("unreadable", why),
            }
        })
    }
}
