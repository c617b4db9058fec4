//! One step.

use super::FailureStrategy;
use bulkhead_core::{JsonText, Kind, PlanStep, Priority, StepName, StepRole, TagSet};

use super::callable::kind_of;
use super::event::read_events;
use super::retry::read_options;
use super::{batch, execute, fan_out, filled, lifecycle, texts};
use crate::expression::Expression;
use crate::shape::{Report, quoted};
use crate::yaml::{Content, Mark, Node};
use crate::{Problem, Served, TemplateSettings, shown};

/// The largest settings of a step, in bytes of JSON.
const MAX_SETTINGS: usize = 1 << 20;

/// A step that was read, before its dependencies are known to be there.
#[derive(Debug)]
pub(crate) struct Draft {
    /// Where its name stands.
    pub(crate) mark: Mark,
    pub(crate) role: Role,
    /// The steps that it depends on, by name.
    pub(crate) depends_on: Vec<(String, Mark)>,
    /// Where its expressions stand: what they are called, their text.
    pub(crate) expressions: Vec<(&'static str, String, Mark)>,
    /// Complete but for `depends_on` and what comes of batches.
    pub(crate) step: PlanStep,
}

/// Tasker's step types.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Role {
    Standard,
    Decision,
    Convergence,
    /// Cuts a batch: the worker that it names, and what becomes of the rest when one ends badly.
    Analyzer {
        worker: Option<(String, Mark)>,
        strategy: FailureStrategy,
    },
    BatchWorker,
}

impl Role {
    fn of(node: &Node) -> Self {
        match batch::step_type(node) {
            Some("decision" | "decision_point") => Self::Decision,
            Some("deferred_convergence" | "deferred") => Self::Convergence,
            Some("batchable") => batch::analyzer(node),
            Some("batch_worker") => Self::BatchWorker,
            _ => Self::Standard,
        }
    }

    pub(crate) const fn plain(&self) -> StepRole {
        match self {
            Self::Standard | Self::BatchWorker => StepRole::Standard,
            Self::Decision => StepRole::Decision,
            Self::Convergence => StepRole::Convergence,
            Self::Analyzer { .. } => StepRole::Analyzer,
        }
    }
}

/// Reads a step; none where it has no name, or no kind, that it could be known by.
pub(crate) fn read_step(
    node: &Node,
    path: &str,
    settings: &TemplateSettings,
    served: Option<&[Served]>,
    report: &mut Report,
) -> Option<Draft> {
    let (name, mark) = read_name(node, report)?;
    let role = Role::of(node);
    let mut expressions = Vec::new();
    let handler = node.get("handler");
    let executor = execute::executor(node);
    if role == Role::BatchWorker && executor.is_some() {
        let at = node.get("executor").map_or(node.mark, |node| node.mark);
        let message = format!(
            "batch worker `{name}` cannot have an `executor`: each of its tasks would get the workflow's input, and not what to run"
        );
        let hint = "let a handler take the ranges, or use `for_each` with a list of what is different";
        report.problems.push(Problem::at(at, message).hint(hint));
    }
    if !matches!(role, Role::Analyzer { .. } | Role::BatchWorker) {
        report.not_acted_on.extend(batch::not_acted_on(node, path));
    }
    let requires = read_requires(node, executor, report);
    let kind = read_kind(node, &name, settings, served, executor.is_some(), report);
    let payload = executor.and_then(|executor| execute::payload(node, executor, path, report));
    let initialization = handler.and_then(|handler| handler.get("initialization"));
    let settings = if executor.is_none() { read_settings(initialization, node, &role, report) } else { None };
    let when = read_when(node, &name, &mut expressions, report);
    let fan_out = fan_out::read(node, &name, &role, executor, path, &mut expressions, report);
    let problems = &mut report.problems;
    let options = read_options(node, problems);
    let waiting = node.get("lifecycle");
    let step = PlanStep {
        role: role.plain(),
        // Any kind would do: without one there are problems, and then no plan.
        kind: kind.or_else(|| Kind::parse(execute::KIND).ok())?,
        requires,
        method: handler.and_then(|handler| filled(handler.get("method"))).map(str::to_owned),
        settings,
        payload,
        depends_on: Vec::new(),
        priority: node.get("priority").and_then(Node::whole).and_then(|number| Priority::try_new(number).ok()),
        options,
        stale_after: waiting.and_then(|node| lifecycle::minutes(node, "max_waiting_for_dependencies_minutes")),
        when,
        fan_out,
        publishes: read_events(node, path, problems, &mut report.not_acted_on),
        name,
    };
    let both = texts(node.get("depends_on")).into_iter().chain(texts(node.get("dependencies")));
    let mut depends_on: Vec<(String, Mark)> = Vec::new();
    let mut seen = std::collections::HashSet::new();
    for (name, node) in both {
        if seen.insert(name) {
            depends_on.push((name.to_owned(), node.mark));
        }
    }
    Some(Draft { mark, role, depends_on, expressions, step })
}

fn read_name(node: &Node, report: &mut Report) -> Option<(StepName, Mark)> {
    let name = node.get("name")?;
    match StepName::parse(name.text()?) {
        Ok(parsed) => Some((parsed, name.mark)),
        Err(error) => {
            report.problems.push(Problem::at(name.mark, error.to_string()));
            None
        }
    }
}

fn read_requires(node: &Node, executor: Option<execute::Executor>, report: &mut Report) -> TagSet {
    let said = node.get("requires");
    let own = texts(said).into_iter().map(|(tag, _)| tag.to_owned());
    let of_executor = executor.into_iter().flat_map(execute::Executor::tags).map(|tag| (*tag).to_owned());
    let tags = own.chain(of_executor);
    TagSet::parse(tags).unwrap_or_else(|error| {
        report.problems.push(Problem::at(said.map_or(node.mark, |node| node.mark), error.to_string()));
        TagSet::default()
    })
}

fn read_kind(
    node: &Node,
    name: &StepName,
    settings: &TemplateSettings,
    served: Option<&[Served]>,
    executes: bool,
    report: &mut Report,
) -> Option<Kind> {
    let said = node.get("kind");
    if executes {
        if let Some(said) = said
            && said.text() != Some(execute::KIND)
        {
            let message = format!("a step with an `executor` is of kind `{}`", execute::KIND);
            report.problems.push(Problem::at(said.mark, message).hint("leave `kind` or `executor` out"));
        }
        return Kind::parse(execute::KIND).ok();
    }
    let callable = node.get("handler").and_then(|handler| handler.get("callable"));
    let (text, at, kind) = match (said, callable) {
        (Some(said), _) => (said.text()?, said.mark, Kind::parse(said.text()?)),
        (None, Some(callable)) => {
            let text = callable.text()?;
            (text, callable.mark, kind_of(text, &settings.callables, served))
        }
        (None, None) => {
            let readable = |handler: &Node| matches!(handler.content, Content::Table(_));
            if node.get("handler").is_none_or(readable) {
                let message = format!("step `{name}` does not say what does it");
                let hint = "give `kind`, or `handler.callable`, or an `executor`";
                report.problems.push(Problem::at(node.mark, message).hint(hint));
            }
            return None;
        }
    };
    match kind {
        Ok(kind) => Some(kind),
        Err(error) => {
            let problem = Problem::at(at, error.to_string());
            let hint = format!("name its kind under [workflow.callables], as `\"{}\" = \"KIND\"`", shown(text));
            report.problems.push(if said.is_none() { problem.hint(hint) } else { problem });
            None
        }
    }
}

/// `handler.initialization`, with what an analyzer or a worker must know of its batch.
fn read_settings(initialization: Option<&Node>, node: &Node, role: &Role, report: &mut Report) -> Option<JsonText> {
    let initialization = initialization.filter(|node| !node.entries().is_empty());
    let batch = node.get("batch_config").filter(|_| matches!(role, Role::Analyzer { .. } | Role::BatchWorker));
    let (at, json) = match (initialization, batch) {
        (None, None) => return None,
        (Some(initialization), None) => (initialization.mark, initialization.to_json()),
        (initialization, Some(batch)) => (batch.mark, batch::settings(initialization, batch)),
    };
    match JsonText::parse(json, MAX_SETTINGS) {
        Ok(json) => Some(json),
        Err(error) => {
            report.problems.push(Problem::at(at, format!("the settings of a step: {error}")));
            None
        }
    }
}

fn read_when(
    node: &Node,
    name: &StepName,
    expressions: &mut Vec<(&'static str, String, Mark)>,
    report: &mut Report,
) -> Option<String> {
    let when = node.get("when")?;
    let text = match when.flag() {
        Some(flag) => flag.to_string(),
        None => when.text()?.to_owned(),
    };
    if let Err(error) = Expression::check(&text) {
        report.problems.push(Problem::at(when.mark, format!("`when` of step `{name}`: {error}")));
        return None;
    }
    match Expression::constant(&text) {
        Some(true) => None,
        Some(false) => {
            let message = format!("`when` never holds, so the step `{name}` can never run: `{}`", shown(&text));
            let names = quoted(["input", "steps"].into_iter());
            report.problems.push(Problem::at(when.mark, message).hint(format!("a condition speaks of {names}")));
            None
        }
        None => {
            expressions.push(("when", text.clone(), when.mark));
            Some(text)
        }
    }
}
