//! A minijinja environment that means what jinja2's means.

use minijinja::syntax::SyntaxConfig;
use minijinja::{AutoEscape, Environment, UndefinedBehavior};

use crate::{Options, Undefined, filters, markup};

/// How deep includes, macros and calls may nest: what fits on the stack of a sandbox.
const NESTING: usize = 120;

/// An environment without templates.
pub(crate) fn environment(options: &Options, keep_trailing_newline: bool) -> Environment<'static> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(match options.undefined {
        Undefined::Lenient => UndefinedBehavior::Lenient,
        Undefined::Chainable => UndefinedBehavior::Chainable,
        Undefined::Strict => UndefinedBehavior::Strict,
    });
    environment.set_syntax(
        SyntaxConfig::builder()
            .trim_blocks(options.trim_blocks)
            .lstrip_blocks(options.lstrip_blocks)
            .keep_trailing_newline(keep_trailing_newline)
            .build()
            .expect("the delimiters are the usual ones"),
    );
    let escape = if options.autoescape { AutoEscape::Html } else { AutoEscape::None };
    environment.set_auto_escape_callback(move |_| escape.clone());
    environment.set_recursion_limit(NESTING);
    environment.set_unknown_method_callback(minijinja_contrib::pycompat::unknown_method_callback);
    environment.set_formatter(markup::write);
    filters::add(&mut environment);
    environment
}
