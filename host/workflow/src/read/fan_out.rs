//! Steps for which several tasks stand.

use bulkhead_core::{FanOut, FanOutOver, Join, JsonText, MAX_STEPS, StepName, instance_name};

use super::execute::{self, Executor};
use super::step::Role;
use crate::expression::Expression;
use crate::shape::{MAX_PROBLEMS, Report};
use crate::yaml::{Content, Mark, Node};
use crate::{Problem, shown};

/// The longest item, in bytes of JSON.
const MAX_ITEM: usize = 1 << 20;
/// The most values of the payloads of all items, where each has what its step has.
const MAX_PAYLOADS: usize = 5_000_000;
const ALLOWED: &str = "`all`, `best-effort`, `strict`, `at-least(48)`, {at-least: 48} or {critical: [train_001]}";

/// What a step says of `for_each` and `join`.
pub(super) fn read(
    node: &Node,
    name: &StepName,
    role: &Role,
    executor: Option<Executor>,
    path: &str,
    expressions: &mut Vec<(&'static str, String, Mark)>,
    report: &mut Report,
) -> Option<FanOut> {
    let join = node.get("join");
    let Some(list) = node.get("for_each") else {
        if let Some(join) = join {
            let hint = match role {
                Role::BatchWorker => "the `failure_strategy` of its batch says it for a batch worker",
                _ => "add `for_each`, or leave it out",
            };
            let message = "`join` is for a step with `for_each`";
            report.problems.push(Problem::at(join.mark, message).hint(hint));
        }
        return None;
    };
    if *role != Role::Standard && *role != Role::Convergence {
        let message = "only a standard step or a convergence step can have `for_each`";
        report.problems.push(Problem::at(list.mark, message));
        return None;
    }
    let (join, needs_all) = read_join(join, report)?;
    let over = match &list.content {
        Content::Text(text) => {
            if let Err(error) = Expression::check(text) {
                report.problems.push(Problem::at(list.mark, format!("`for_each` of step `{name}`: {error}")));
                return None;
            }
            expressions.push(("for_each", text.to_string(), list.mark));
            FanOutOver::Expression(text.to_string())
        }
        Content::List(items) => FanOutOver::Items(read_items(node, items, list.mark, executor, path, report)?),
        _ => return None,
    };
    if let FanOutOver::Items(items) = &over
        && !items.is_empty()
    {
        let names: Vec<String> = (0..items.len()).map(|index| instance_name(name.as_str(), index)).collect();
        if let Err(error) = join.check(names.iter().map(|name| Some(name.as_str()))) {
            let at = node.get("join").map_or(list.mark, |join| join.mark);
            report.problems.push(Problem::at(at, error.replace("children", "instances").replace("child", "instance")));
        }
    }
    Some(FanOut { over, join, needs_all })
}

fn read_items(
    node: &Node,
    items: &[Node],
    mark: Mark,
    executor: Option<Executor>,
    path: &str,
    report: &mut Report,
) -> Option<Vec<JsonText>> {
    if items.len() > MAX_STEPS {
        let message = format!("{} items; a step may stand for at most {MAX_STEPS} tasks", items.len());
        report.problems.push(Problem::at(mark, message));
        return None;
    }
    // Each item is checked with the payload that it changes, and stored with it.
    let payload = executor.and_then(|_| node.get("handler")?.get("initialization")).map(Node::weight);
    if payload.is_some_and(|payload| payload.nodes.saturating_mul(items.len()) > MAX_PAYLOADS) {
        let message = format!("the payloads of `for_each` have together more than {MAX_PAYLOADS} values");
        report.problems.push(Problem::at(mark, message).hint("shorten `handler.initialization`, or the list"));
        return None;
    }
    let mut texts = Vec::with_capacity(items.len());
    for (index, item) in items.iter().enumerate() {
        if let Some(executor) = executor.filter(|_| report.problems.len() < MAX_PROBLEMS) {
            execute::check_item(node, item, executor, &format!("{path}.for_each[{index}]"), report);
        }
        match JsonText::parse(item.to_json(), MAX_ITEM) {
            Ok(text) => texts.push(text),
            Err(error) => report.problems.push(Problem::at(item.mark, format!("item {index} of `for_each`: {error}"))),
        }
    }
    Some(texts)
}

/// When the step has ended, and whether all must end well.
fn read_join(node: Option<&Node>, report: &mut Report) -> Option<(Join, bool)> {
    let Some(node) = node else { return Some((Join::BestEffort, true)) };
    let count = |text: &str| text.trim().parse::<u32>().ok().filter(|count| *count > 0);
    let at_least = |text: &str| count(text.strip_prefix("at-least(")?.strip_suffix(')')?);
    match &node.content {
        Content::Text(text) => match text.trim() {
            "all" => return Some((Join::BestEffort, true)),
            "best-effort" => return Some((Join::BestEffort, false)),
            "strict" => return Some((Join::Strict, false)),
            other => {
                if let Some(count) = at_least(other) {
                    return Some((Join::AtLeast(count), false));
                }
                let message = format!("not a join: `{}`", shown(other));
                let problem = Problem::at(node.mark, message).hint(format!("one of {ALLOWED}"));
                report.problems.push(problem.nearest(other, ["all", "best-effort", "strict"]));
            }
        },
        Content::Table(_) => match (node.get("at-least"), node.get("critical")) {
            (Some(count), None) => {
                let count = count.whole().and_then(|count| u32::try_from(count).ok())?;
                return Some((Join::AtLeast(count), false));
            }
            (None, Some(names)) => {
                let names = names.items().iter().filter_map(|name| name.text().map(str::to_owned)).collect();
                return Some((Join::Critical(names), false));
            }
            _ => {
                report.problems.push(Problem::at(node.mark, "a join says one thing").hint(format!("one of {ALLOWED}")))
            }
        },
        _ => {}
    }
    None
}
