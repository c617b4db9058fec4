//! One text.

use bulkhead_sdk::Failure;

use crate::{Payload, environment, failure};

/// Renders it with the payload's context.
pub(crate) fn render(template: &str, payload: &Payload) -> Result<String, Failure> {
    let keep_trailing_newline = payload.options.keep_trailing_newline.unwrap_or(false);
    let environment = environment::environment(&payload.options, keep_trailing_newline);
    environment
        .render_named_str("template", template, payload.context.clone())
        .map_err(|error| failure::template(&error))
}
