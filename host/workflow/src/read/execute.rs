//! Steps that run a program: `executor: docker` and `gpu`.

use bulkhead_core::{JsonText, Size};

use crate::shape::{DOCKER, GPU, Report, Shape, Table, conform};
use crate::yaml::{Content, Entry, Mark, Node};
use crate::{Problem, shown};

/// What runs the program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Executor {
    Docker,
    Gpu,
}

/// The largest payload of such a step, in bytes of JSON.
const MAX_PAYLOAD: usize = 1 << 20;
/// Where a step does not say which: the handlers only see the workspace that the host gives them.
const WORKSPACE: &str = "workspace:workflow";
static DOCKER_SHAPE: Shape = Shape::Table(&DOCKER);
static GPU_SHAPE: Shape = Shape::Table(&GPU);

impl Executor {
    /// The tags that its handler must provide.
    pub(super) fn tags(self) -> &'static [&'static str] {
        match self {
            Self::Docker => &["docker"],
            Self::Gpu => &["docker", "gpu"],
        }
    }

    fn shape(self) -> (&'static Shape, &'static Table) {
        match self {
            Self::Docker => (&DOCKER_SHAPE, &DOCKER),
            Self::Gpu => (&GPU_SHAPE, &GPU),
        }
    }
}

/// The kind of tasks that run a program.
pub(super) const KIND: &str = "EXECUTE";

/// What the step's `executor` is, if it runs a program.
pub(super) fn executor(step: &Node) -> Option<Executor> {
    match step.get("executor").and_then(Node::text) {
        Some("docker") => Some(Executor::Docker),
        Some("gpu") => Some(Executor::Gpu),
        _ => None,
    }
}

/// The payload: `handler.initialization`, checked as the EXECUTE handlers check it.
pub(super) fn payload(step: &Node, executor: Executor, path: &str, report: &mut Report) -> Option<JsonText> {
    let path = format!("{path}.handler.initialization");
    let own = initialization(step);
    let Some(node) = own.clone().or_else(|| each_has_its_own(step)) else {
        let at = step.get("executor").map_or(step.mark, |node| node.mark);
        let message = "a step with an `executor` needs `handler.initialization`";
        let known = crate::shape::quoted(executor.shape().1.names());
        report.problems.push(Problem::at(at, message).hint(format!("known keys: {known}")));
        return None;
    };
    // With a literal list, what counts is each item's own payload.
    if step.get("for_each").is_none_or(|list| list.text().is_some()) {
        check(&node, executor, &path, report);
    }
    let mut entries: Vec<Entry> = node.entries().iter().filter(|entry| !entry.value.is_null()).cloned().collect();
    let mut add = |key: &str, content: Content| {
        if !entries.iter().any(|entry| &*entry.key == key) {
            entries.push(Entry { key: key.into(), mark: node.mark, value: Node { mark: node.mark, content } });
        }
    };
    add("command", Content::List(Vec::new()));
    add("workspace_uri", Content::Text(WORKSPACE.into()));
    let json = Node { mark: node.mark, content: Content::Table(entries) }.to_json();
    match JsonText::parse(json, MAX_PAYLOAD) {
        Ok(json) => Some(json),
        Err(error) => {
            report.problems.push(Problem::at(node.mark, format!("{path}: {error}")));
            None
        }
    }
}

/// Checks what one item of `for_each` makes of the payload.
pub(super) fn check_item(step: &Node, item: &Node, executor: Executor, path: &str, report: &mut Report) {
    let Content::Table(changed) = &item.content else {
        let message = format!("{path} must be a table of what is different, since the step runs a program");
        report.problems.push(Problem::at(item.mark, message));
        return;
    };
    let base = initialization(step);
    let own = base.as_ref().map(Node::entries).unwrap_or_default();
    let stays = |entry: &&Entry| !changed.iter().any(|changed| changed.key == entry.key);
    let entries = own.iter().filter(stays).chain(changed).cloned().collect();
    check(&Node { mark: item.mark, content: Content::Table(entries) }, executor, path, report);
}

fn initialization(step: &Node) -> Option<Node> {
    step.get("handler")?.get("initialization").cloned()
}

/// An empty payload, where each item of a literal list brings one.
fn each_has_its_own(step: &Node) -> Option<Node> {
    let list = step.get("for_each").filter(|list| !list.items().is_empty())?;
    Some(Node { mark: list.mark, content: Content::Table(Vec::new()) })
}

fn check(node: &Node, executor: Executor, path: &str, report: &mut Report) {
    let before = report.problems.len();
    conform(node, executor.shape().0, path, report);
    if report.problems.len() > before {
        return;
    }
    let mut wrong = |mark: Mark, message: String| report.problems.push(Problem::at(mark, message));
    for key in ["image", "program"] {
        if let Some(value) = node.get(key)
            && value.text().is_some_and(str::is_empty)
        {
            wrong(value.mark, format!("{path}.{key} must not be empty"));
        }
    }
    if let Some(uri) = node.get("workspace_uri") {
        let text = uri.text().unwrap_or_default();
        let id = text.strip_prefix("workspace:").unwrap_or_default();
        if !(1..=128).contains(&id.len()) || !id.bytes().all(|byte| byte.is_ascii_graphic()) {
            wrong(uri.mark, format!("{path}.workspace_uri must be `workspace:` and an id: `{}`", shown(text)));
        }
    }
    let limits = node.get("limits");
    let limit = |key: &str| limits.and_then(|limits| limits.get(key));
    for key in ["memory", "gpu_memory"] {
        if let Some(size) = limit(key)
            && let Err(error) = Size::parse(size.written().unwrap_or_default())
        {
            wrong(size.mark, format!("{path}.limits.{key}: {error}"));
        }
    }
    if executor == Executor::Gpu {
        match (node.get("image"), node.get("program")) {
            (None, None) => wrong(node.mark, format!("{path} needs `image` or `program`")),
            (_, Some(_)) => {
                if let Some(node) = ["memory", "cpus", "processes"].into_iter().find_map(limit) {
                    wrong(node.mark, format!("{path}.limits: `memory`, `cpus` and `processes` are for containers"));
                }
            }
            (Some(_), None) => {
                if let Some(node) = limit("gpu_memory") {
                    wrong(node.mark, format!("{path}.limits.gpu_memory is for a `program`"));
                }
            }
        }
    }
}
