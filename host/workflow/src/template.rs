//! A template that was read and checked.

use std::collections::BTreeMap;
use std::sync::Arc;

use bulkhead_core::{Digest, WorkflowPlan};

use crate::begin::InputSchema;
use crate::check::{Findings, check_steps, unroutable};
use crate::read::{Draft, adopt, overlay, read_head, read_step};
use crate::shape::{Report, Shape, TEMPLATE, conform, forget_blanks};
use crate::yaml::{Content, Mark, Node};
use crate::{NotActedOn, Problem, Served, TemplateErrors, TemplateSettings, yaml};

/// A template that was read and checked: a workflow can begin from it.
#[derive(Debug, Clone)]
pub struct Template {
    plan: Arc<WorkflowPlan>,
    digest: Digest,
    version: semver::Version,
    description: Option<String>,
    file: String,
    pub(crate) input_schema: Option<Arc<InputSchema>>,
    warnings: Vec<Problem>,
    not_acted_on: Vec<NotActedOn>,
    /// Where each step's name stands.
    marks: Vec<Mark>,
}

/// As many problems of a file are told.
const SHOWN: usize = 200;
static SHAPE: Shape = Shape::Table(&TEMPLATE);

impl Template {
    /// Reads a template; or says everything that is wrong with it. `file` is only for messages.
    pub fn read(file: &str, text: &str, settings: &TemplateSettings) -> Result<Self, TemplateErrors> {
        let mut report = Report::default();
        let template = yaml::read(text).map_err(|problem| vec![problem]).and_then(|root| {
            let template = build(file, root, settings, &mut report);
            template.filter(|_| report.problems.is_empty()).ok_or_else(|| std::mem::take(&mut report.problems))
        });
        template.map_err(|mut problems| {
            problems.sort();
            problems.dedup();
            let more = problems.len().saturating_sub(SHOWN);
            problems.truncate(SHOWN);
            TemplateErrors { file: file.to_owned(), problems, more }
        })
    }

    /// What a workflow does that begins from it.
    pub fn plan(&self) -> &Arc<WorkflowPlan> {
        &self.plan
    }

    /// The digest of the plan as it is kept.
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// The version, for comparison with others.
    pub fn version(&self) -> &semver::Version {
        &self.version
    }

    /// What it says of itself.
    pub fn description(&self) -> Option<&str> {
        self.description.as_deref()
    }

    /// The file, as it was called when it was read.
    pub fn file(&self) -> &str {
        &self.file
    }

    /// The JSON Schema that inputs must fulfil, where there is one.
    pub fn input_schema(&self) -> Option<&serde_json::Value> {
        self.input_schema.as_ref().map(|schema| schema.schema())
    }

    /// What its author should know, though it does no harm.
    pub fn warnings(&self) -> &[Problem] {
        &self.warnings
    }

    /// Tasker's keys in it on which nothing acts.
    pub fn not_acted_on(&self) -> &[NotActedOn] {
        &self.not_acted_on
    }

    /// The steps that none of these handlers serves.
    pub fn unroutable(&self, served: &[Served]) -> Vec<Problem> {
        unroutable(self.plan.steps.iter().zip(self.marks.iter().copied()), served)
    }
}

/// The template, or none where it is so wrong that there is nothing to build from.
fn build(file: &str, mut root: Node, settings: &TemplateSettings, report: &mut Report) -> Option<Template> {
    if !matches!(root.content, Content::Table(_)) {
        let message = match root.content {
            Content::Null => "there is no template here: it is a table with `name` and `steps`".to_owned(),
            _ => format!("a template is a table with `name` and `steps`, not {}", root.what()),
        };
        report.problems.push(Problem::at(root.mark, message));
        return None;
    }
    forget_blanks(&mut root, &SHAPE);
    conform(&root, &SHAPE, "", report);
    overlay(&mut root, settings.environment.as_deref(), &mut report.problems);
    adopt(&mut root, &mut report.problems);
    let head = read_head(&root, &mut report.problems);
    let input_schema = root.get("input_schema").and_then(|node| match InputSchema::compile(node) {
        Ok(schema) => Some(Arc::new(schema)),
        Err(problem) => {
            report.problems.push(problem);
            None
        }
    });
    let served = settings.handlers.as_ref().map(|handlers| handlers());
    let steps = root.get("steps");
    let at = steps.map_or(root.mark, |node| node.mark);
    let nodes = steps.map(Node::items).unwrap_or_default();
    let mut drafts: Vec<Draft> = Vec::with_capacity(nodes.len());
    for (index, node) in nodes.iter().enumerate() {
        drafts.extend(read_step(node, &format!("steps[{index}]"), settings, served.as_deref(), report));
    }
    let whole = drafts.len() == nodes.len() && steps.is_some();
    let Findings { problems, mut warnings } = check_steps(&mut drafts, at, whole);
    report.problems.extend(problems);
    let marks: Vec<Mark> = drafts.iter().map(|draft| draft.mark).collect();
    let mut steps: Vec<_> = drafts.into_iter().map(|draft| draft.step).collect();
    for step in &mut steps {
        step.stale_after = step.stale_after.or(head.max_waiting);
    }
    if let Some(served) = &served {
        let unroutable = unroutable(steps.iter().zip(marks.iter().copied()), served);
        if settings.refuse_unroutable {
            report.problems.extend(unroutable);
        } else {
            warnings.extend(unroutable);
        }
    }
    if !report.problems.is_empty() {
        return None;
    }
    let plan = WorkflowPlan {
        namespace: head.namespace,
        name: head.name,
        version: head.version.to_string(),
        max_duration: head.max_duration,
        steps,
    };
    let bytes = match serde_json::to_vec(&plan) {
        Ok(bytes) => bytes,
        Err(error) => {
            report.problems.push(Problem::at(root.mark, format!("the plan cannot be written: {error}")));
            return None;
        }
    };
    warnings.sort();
    let not_acted_on = std::mem::take(&mut report.not_acted_on);
    Some(Template {
        digest: Digest::from_bytes(*blake3::hash(&bytes).as_bytes()),
        plan: Arc::new(plan),
        version: head.version,
        description: head.description,
        file: file.to_owned(),
        input_schema,
        warnings,
        not_acted_on: once_each(not_acted_on),
        marks,
    })
}

/// Each key once, in the order of the lines: an alias repeats it.
fn once_each(keys: Vec<NotActedOn>) -> Vec<NotActedOn> {
    let by_place: BTreeMap<(u32, String), NotActedOn> =
        keys.into_iter().map(|key| ((key.line, key.key.clone()), key)).collect();
    by_place.into_values().collect()
}
