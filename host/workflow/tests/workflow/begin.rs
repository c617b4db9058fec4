//! Inputs, and what becomes of them.

use bulkhead_core::{Due, SubmissionLimits, WorkflowSubmission, expand};
use bulkhead_workflow::{InputProblem, WorkflowRefusal};

use crate::support::{refusal, template};

const APPROVAL: &str = include_str!("../templates/approval.yaml");

fn submission(text: &str) -> WorkflowSubmission {
    serde_json::from_str(text).expect("a submission")
}

fn begin(text: &str) -> Result<bulkhead_core::NewWorkflow, WorkflowRefusal> {
    template(APPROVAL).begin(submission(text), &SubmissionLimits { payload: 1000 })
}

fn problems(input: &str) -> Vec<InputProblem> {
    match begin(&format!(r#"{{"template": "approval_routing", "input": {input}}}"#)) {
        Err(WorkflowRefusal::Input { problems, .. }) => problems,
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_input_as_the_schema_wants_it_begins_a_workflow() {
    let workflow = begin(
        r#"{"template": "approval_routing", "input": {"amount": 12.50, "requester": "ann"}, "priority": 3,
            "key": "k", "tenant": "t", "tags": {"a": "b"}, "delay": "5s"}"#,
    )
    .expect("a workflow");
    assert_eq!(workflow.input.as_str(), r#"{"amount": 12.50, "requester": "ann"}"#);
    assert_eq!((workflow.plan.steps.len(), workflow.due), (6, Due::After(std::time::Duration::from_secs(5))));
    assert_eq!((workflow.extras.key.as_deref(), workflow.extras.tenant.as_deref()), (Some("k"), Some("t")));
}

#[test]
fn each_problem_of_an_input_names_its_pointer() {
    let found = problems(r#"{"amount": -1, "requester": "", "email": "none"}"#);
    let mut pointers: Vec<&str> = found.iter().map(|problem| problem.pointer.as_str()).collect();
    pointers.sort_unstable();
    assert_eq!(pointers, ["/amount", "/email", "/requester"]);
    assert_eq!(problems("{}").len(), 2);
    assert_eq!(problems("3")[0].pointer, "");
    let all = begin(r#"{"template": "a", "input": {"amount": "secret", "requester": "ann"}}"#).expect_err("a refusal");
    let expected = "the input is not as conditional_approval/approval_routing@1.0.0 wants it; \
                    /amount: value is not of type \"number\"";
    assert_eq!(all.to_string(), expected);
}

#[test]
fn no_more_than_twenty_problems_are_told() {
    let text = "name: a\ninput_schema: {type: array, items: {type: string}}\nsteps: [{name: b, kind: B}]\n";
    let input = format!(r#"{{"template": "a", "input": {:?}}}"#, vec![1; 50]);
    let refused = template(text).begin(submission(&input), &SubmissionLimits::default()).expect_err("a refusal");
    let WorkflowRefusal::Input { problems, more, .. } = &refused else { panic!("{refused:?}") };
    assert_eq!((problems.len(), *more), (20, true));
    assert!(refused.to_string().ends_with("; and more"));
}

#[test]
fn what_tasks_may_not_carry_workflows_may_not_either() {
    let input = r#""template": "a", "input": {"amount": 1, "requester": "a"}"#;
    for (more, named) in [
        (r#""key": """#, "key"),
        (r#""tenant": """#, "tenant"),
        (r#""tags": {"": "a"}"#, "tags"),
        (r#""traceparent": "x""#, "traceparent"),
        (r#""run_at": "2026-11-21T00:00:00Z", "delay": "5s""#, "delay"),
    ] {
        let refused = begin(&format!("{{{input}, {more}}}")).expect_err("a refusal").to_string();
        assert!(refused.starts_with(&format!("{named}: ")), "{refused}");
    }
    let large = format!(r#"{{"template": "a", "input": "{}"}}"#, "x".repeat(1000));
    assert!(begin(&large).expect_err("a refusal").to_string().starts_with("input: 1002 bytes long; the limit is 1000"));
}

#[test]
fn a_pattern_that_takes_for_ever_on_some_texts_ends() {
    let text = "name: a\ninput_schema: {pattern: '^(?=(a+)+$)(a|aa)+$(?!b)'}\nsteps: [{name: b, kind: B}]\n";
    let input = format!(r#"{{"template": "a", "input": "{}!"}}"#, "a".repeat(200));
    assert!(template(text).begin(submission(&input), &SubmissionLimits::default()).is_err());
}

#[test]
fn a_schema_refers_to_nothing_outside() {
    for reference in ["https://example.com/schema.json", "file:///etc/passwd", "other.json"] {
        let text = format!("name: a\ninput_schema: {{$ref: '{reference}'}}\nsteps: [{{name: b, kind: B}}]\n");
        assert!(refusal(&text).starts_with("test.yaml:2:"), "{}", refusal(&text));
    }
    let within =
        "name: a\ninput_schema: {$ref: '#/$defs/n', $defs: {n: {type: number}}}\nsteps: [{name: b, kind: B}]\n";
    assert!(template(within).begin(submission(r#"{"template":"a","input":1}"#), &SubmissionLimits::default()).is_ok());
}

#[test]
fn a_workflow_becomes_a_task_for_each_step_in_the_order_of_the_template() {
    let workflow = begin(r#"{"template": "a", "input": {"amount": 1, "requester": "a"}}"#).expect("a workflow");
    let id = bulkhead_core::TaskId::parse("w").expect("an id");
    let tasks = expand(&workflow, &id);
    assert_eq!(tasks.len(), workflow.plan.steps.len());
    for (task, step) in tasks.iter().zip(&workflow.plan.steps) {
        assert_eq!(task.route.kind, step.kind);
        let ticket = task.extras.as_ref().and_then(|extras| extras.step.as_ref()).expect("a ticket");
        assert_eq!((ticket.name.as_str(), ticket.plan), (step.name.as_str(), workflow.digest));
    }
}
