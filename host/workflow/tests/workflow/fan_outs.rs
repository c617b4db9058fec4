//! Steps that stand for several tasks, and steps that run a program.

use bulkhead_core::{FanOutOver, Join};

use crate::support::{refusal, step, template};

#[test]
fn a_list_or_an_expression_fans_out_and_joins() {
    let with = |more: &str| {
        let text = format!("name: a\nsteps:\n  - {{name: list, kind: A}}\n  - name: train\n    kind: B\n{more}");
        let template = template(&text);
        step(template.plan(), "train").fan_out.clone().expect("a fan-out")
    };
    let fan_out = with("    for_each: [1.50, {a: x}, null]\n");
    let FanOutOver::Items(items) = &fan_out.over else { panic!("no items: {fan_out:?}") };
    let items: Vec<&str> = items.iter().map(bulkhead_core::JsonText::as_str).collect();
    assert_eq!(items, ["1.50", r#"{"a":"x"}"#, "null"]);
    assert_eq!((&fan_out.join, fan_out.needs_all), (&Join::BestEffort, true));
    for (word, join, needs_all) in [
        ("all", Join::BestEffort, true),
        ("best-effort", Join::BestEffort, false),
        ("strict", Join::Strict, false),
        ("at-least(48)", Join::AtLeast(48), false),
        ("{at-least: 48}", Join::AtLeast(48), false),
        ("{critical: [train_001]}", Join::Critical(vec!["train_001".to_owned()]), false),
    ] {
        let fan_out = with(&format!(
            "    depends_on: list\n    for_each: '{{{{ steps.list.result.items }}}}'\n    join: {word}\n"
        ));
        assert!(matches!(fan_out.over, FanOutOver::Expression(_)));
        assert_eq!((fan_out.join, fan_out.needs_all), (join, needs_all), "{word}");
    }
}

#[test]
fn a_program_becomes_an_execute_task() {
    let template = template(
        "name: a\nsteps:\n  - name: one\n    executor: docker\n    requires: [internet]\n    handler:\n      \
         callable: what.Ever\n      initialization: {image: 'alpine:3', command: [sh, main], env: {A: '1'}, stdin: }\n  \
         - name: two\n    executor: gpu\n    handler: {initialization: {program: train}}\n    \
         for_each: [{stdin: a}, {gpus: 2}]\n  - {name: three, kind: A, executor: direct}\n",
    );
    let plan = template.plan();
    let one = step(plan, "one");
    assert_eq!((one.kind.as_str(), one.requires.to_string().as_str()), ("EXECUTE", "docker internet"));
    assert_eq!(one.settings, None);
    let payload: serde_json::Value =
        serde_json::from_str(one.payload.as_ref().expect("a payload").as_str()).expect("JSON");
    let expected = serde_json::json!({
        "image": "alpine:3", "command": ["sh", "main"], "env": {"A": "1"}, "workspace_uri": "workspace:workflow",
    });
    assert_eq!(payload, expected);
    let two = step(plan, "two");
    assert_eq!(two.requires.to_string(), "docker gpu");
    let Some(FanOutOver::Items(items)) = two.fan_out.as_ref().map(|fan_out| &fan_out.over) else { panic!("no items") };
    let merged = bulkhead_workflow::instance_payload(two, items[1].clone()).expect("a payload");
    let merged: serde_json::Value = serde_json::from_str(merged.as_str()).expect("JSON");
    assert_eq!((&merged["program"], &merged["gpus"]), (&"train".into(), &2.into()));
    assert_eq!(step(plan, "three").payload, None);
}

#[test]
fn no_step_is_called_as_a_task_of_another() {
    let with = |name: &str, of: &str| {
        format!("name: a\nsteps:\n  - {{name: train, kind: A, {of}}}\n  - {{name: {name}, kind: B}}\n")
    };
    let expected = "step `train_002` is called as a task of the step `train`";
    assert!(refusal(&with("train_002", "for_each: [1, 2]")).contains(expected));
    assert!(refusal(&with("train_002", "for_each: input.list")).contains(expected));
    let worker = "type: batch_worker, depends_on: cut";
    let cut = "  - {name: cut, kind: A, type: batchable}\n";
    assert!(refusal(&(with("train_002", worker) + cut)).contains(expected));
    for (name, of) in
        [("train_003", "for_each: [1, 2]"), ("train_02", "for_each: [1, 2]"), ("train_002", "priority: 1")]
    {
        assert_eq!(template(&with(name, of)).plan().steps.len(), 2);
    }
}

#[test]
fn a_batch_worker_runs_no_program() {
    let text = "name: a\nsteps:\n  - {name: cut, kind: A, type: batchable}\n  - name: work\n    type: batch_worker\n    \
                depends_on: cut\n    executor: docker\n    handler: {initialization: {image: a}}\n";
    assert!(refusal(text).starts_with("test.yaml:7:15: batch worker `work` cannot have an `executor`"));
}
