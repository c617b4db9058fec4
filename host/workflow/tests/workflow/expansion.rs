//! From random templates to tasks.

use bulkhead_core::{SubmissionLimits, TaskId, WorkflowSubmission, expand};
use proptest::prelude::*;

use crate::support::template;

/// Steps in any order, each with those that it depends on: what stands in a row before it, the row being shuffled.
fn steps() -> impl Strategy<Value = Vec<(usize, Vec<usize>)>> {
    (1_usize..30).prop_flat_map(|count| {
        let on = prop::collection::vec(prop::collection::btree_set(0_usize..count, 0..4), count);
        let order = Just((0..count).collect::<Vec<_>>()).prop_shuffle();
        (on, order).prop_map(|(on, order)| {
            let step = |name: usize| (name, on[name].iter().copied().filter(|before| *before < name).collect());
            order.into_iter().map(step).collect()
        })
    })
}

proptest! {
    #[test]
    fn a_task_stands_for_each_step_in_the_order_of_the_file(steps in steps()) {
        let mut text = String::from("name: a\nsteps:\n");
        for (name, on) in &steps {
            let on: Vec<String> = on.iter().map(|before| format!("s{before}")).collect();
            text.push_str(&format!("  - {{name: s{name}, kind: K{name}, depends_on: [{}]}}\n", on.join(", ")));
        }
        let template = template(&text);
        let submission: WorkflowSubmission = serde_json::from_str(r#"{"template": "a"}"#).expect("a submission");
        let workflow = template.begin(submission, &SubmissionLimits::default()).expect("a workflow");
        let tasks = expand(&workflow, &TaskId::parse("w").expect("an id"));
        prop_assert_eq!(tasks.len(), steps.len());
        for ((task, (name, on)), (place, step)) in tasks.iter().zip(&steps).zip((0_u32..).zip(&workflow.plan.steps)) {
            let ticket = task.extras.as_ref().and_then(|extras| extras.step.as_ref()).expect("a ticket");
            prop_assert_eq!((ticket.name.clone(), ticket.place), (format!("s{name}"), place));
            prop_assert_eq!(task.route.kind.as_str(), format!("K{name}"));
            let mut before: Vec<usize> = step.depends_on.iter().map(|place| steps[*place as usize].0).collect();
            before.sort_unstable();
            prop_assert_eq!(&before, on);
        }
    }
}
