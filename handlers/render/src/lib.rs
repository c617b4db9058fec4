//! The handler RENDER: Jinja templates, of one text or of a whole tree of files.
//!
//! A payload is one of these:
//!
//! - `{"template": "Hello {{ name }}", "context": {"name": "Ada"}}` gives `{"text": "Hello Ada"}`;
//! - `{"template_dir": "template", "output_dir": "project", "context": {…}, "copy_without_render": ["*.png"]}` renders a
//!   folder of the workspace into another and gives `{"files": ["README.md", …]}`.
//!
//! Templates mean what they mean to Python's jinja2; the README lists where they do not.

#[cfg(test)]
mod conformance;
mod environment;
mod failure;
mod filters;
mod json;
mod markup;
mod payload;
#[cfg(test)]
mod tests;
mod text;
mod tree;

use std::path::Path;

use bulkhead_sdk::prelude::*;

pub use payload::{Options, Payload, Undefined};

/// Where the host puts the folder that it shares with a task.
const WORKSPACE: &str = "/workspace";

/// Renders templates.
#[derive(Debug, Default)]
pub struct Render;

impl Handler for Render {
    const KIND: &'static str = "RENDER";
    type Payload = Payload;

    fn handle(&self, task: Task<Payload>, context: &Context) -> Result<Outcome, Failure> {
        complete(render(&task.payload, Path::new(WORKSPACE), context)?)
    }
}

/// Does what the payload says, in this workspace.
fn render(payload: &Payload, workspace: &Path, context: &Context) -> Result<Value, Failure> {
    match payload.job()? {
        payload::Job::Text { template } => {
            let text = text::render(template, payload)?;
            Ok(json!({ "text": text }))
        }
        payload::Job::Tree { template_dir, output_dir } => {
            let files = tree::render(workspace, template_dir, output_dir, payload)?;
            context.info(&format!("{} files", files.len()));
            Ok(json!({ "files": files }))
        }
    }
}

bulkhead_sdk::export!(Render);
