//! Workflow templates: reading, checking, finding and drawing them.
//!
//! A template is a YAML file with the keys of Tasker's templates and some of our own. [`Template::read`] makes of it a plan
//! ([`bulkhead_core::WorkflowPlan`]) or says everything that is wrong with it, each with line and column;
//! [`Template::begin`] checks an input and gives what a store takes. [`Shelf`] keeps the templates of a folder, with the
//! same hot reload as handlers; it is the one part of this crate that reads files. [`Expression`] is the language of `when`
//! and `for_each`. [`mermaid`], [`dot`] and [`graph`] draw a plan; [`json_schema`] is the format for editors.

mod begin;
mod check;
mod expansions;
mod expression;
mod graph;
mod instance;
mod not_acted_on;
mod problem;
mod read;
mod settings;
mod shape;
mod shelf;
mod template;
mod yaml;

pub use begin::{InputProblem, WorkflowRefusal};
pub use expression::{Expression, ExpressionError, Scope, StepResult, StepView};
pub use graph::{Graph, GraphEdge, GraphStep, dot, graph, mermaid};
pub use instance::instance_payload;
pub use not_acted_on::NotActedOn;
pub use problem::{Problem, TemplateErrors};
pub use settings::{Served, TemplateSettings};
pub use shape::json_schema;
pub use shelf::{NoTemplate, Shelf, ShelfError, ShelfFile, ShelfSettings, ShelfSnapshot};
pub use template::Template;

pub(crate) use problem::shown;
