//! Decisions, convergence and batches.

use bulkhead_core::{FanOutOver, Join, StepRole};

use crate::support::{before, refusal, step, template};

const BATCH: &str = include_str!("../templates/batch.yaml");
const APPROVAL: &str = include_str!("../templates/approval.yaml");

#[test]
fn a_batch_becomes_a_fan_out_over_the_analyzers_ranges() {
    for (word, join, needs_all) in [
        ("continue_on_failure", Join::BestEffort, false),
        ("fail_fast", Join::Strict, false),
        ("isolate", Join::BestEffort, true),
    ] {
        let template = template(&BATCH.replace("continue_on_failure", word));
        let plan = template.plan();
        let (analyzer, analyze) = plan.find("analyze_csv").expect("a step");
        assert_eq!(analyze.role, StepRole::Analyzer);
        let settings: serde_json::Value =
            serde_json::from_str(analyze.settings.as_ref().expect("settings").as_str()).expect("JSON");
        assert_eq!(settings["max_workers"], 5);
        assert_eq!(settings["batch_config"]["batch_size"], 200);
        assert_eq!(settings["batch_config"]["cursor_field"], "row");
        let fan_out = step(plan, "process_csv_batch").fan_out.as_ref().expect("a fan-out");
        assert_eq!(fan_out.over, FanOutOver::Batches(analyzer));
        assert_eq!((&fan_out.join, fan_out.needs_all), (&join, needs_all));
        assert_eq!(step(plan, "process_csv_batch").options.max_attempts, Some(3));
        assert_eq!(before(plan, "aggregate_csv_results"), ["process_csv_batch"]);
        assert_eq!(template.warnings(), []);
    }
}

#[test]
fn what_a_worker_says_of_its_batch_holds_for_the_analyzer() {
    let text = "name: a\nsteps:\n  - {name: cut, kind: CUT, type: batchable, handler: {initialization: {rows: 5}}}\n  \
                - name: work\n    kind: WORK\n    type: batch_worker\n    dependencies: [cut]\n    \
                batch_config: {batch_size: 3, worker_template: work, failure_strategy: fail_fast}\n  \
                - {name: sum, kind: SUM, type: deferred_convergence, dependencies: [cut]}\n";
    let template = template(text);
    let plan = template.plan();
    let fan_out = step(plan, "work").fan_out.as_ref().expect("a fan-out");
    assert_eq!((&fan_out.join, fan_out.needs_all), (&Join::Strict, false));
    let settings = |name| step(plan, name).settings.as_ref().expect("settings").as_str();
    let batch = r#"{"batch_size":3,"worker_template":"work","failure_strategy":"fail_fast"}"#;
    assert_eq!(settings("cut"), format!(r#"{{"rows":5,"batch_config":{batch}}}"#));
    assert_eq!(settings("work"), format!(r#"{{"batch_config":{batch}}}"#));
    // Behind the analyzer a convergence step waits for the workers, whose number nobody knows before.
    assert_eq!(before(plan, "sum"), ["cut", "work"]);
    assert_eq!(template.warnings(), []);
}

#[test]
fn a_worker_needs_neither_a_batch_config_nor_a_dependency_if_the_other_says_it() {
    let without = "name: a\nsteps:\n  - {name: cut, kind: CUT, type: batchable}\n  \
                   - {name: work, kind: WORK, type: batch_worker, depends_on: [cut]}\n";
    let named = "name: a\nsteps:\n  - {name: work, kind: WORK, type: batch_worker}\n  \
                 - {name: cut, kind: CUT, type: batchable, batch_config: {worker_template: work}}\n";
    for text in [without, named] {
        let template = template(text);
        assert_eq!(before(template.plan(), "work"), ["cut"]);
        assert!(step(template.plan(), "work").fan_out.is_some());
    }
}

#[test]
fn analyzer_and_worker_describe_their_batch_together() {
    let with = |analyzer: &str, worker: &str| {
        format!(
            "name: a\nsteps:\n  - {{name: cut, kind: A, type: batchable, batch_config: {analyzer}}}\n  \
             - {{name: work, kind: B, type: batch_worker, depends_on: [cut], batch_config: {worker}}}\n"
        )
    };
    for (analyzer, worker) in [
        ("{batch_size: 10}", "{failure_strategy: fail_fast}"),
        ("{batch_size: 10, failure_strategy: ''}", "{failure_strategy: fail_fast, batch_size: 10}"),
        ("{}", "{batch_size: 10, failure_strategy: fail_fast}"),
    ] {
        let template = template(&with(analyzer, worker));
        let fan_out = step(template.plan(), "work").fan_out.clone().expect("a fan-out");
        assert_eq!((fan_out.join, fan_out.needs_all), (Join::Strict, false), "{analyzer} {worker}");
        for name in ["cut", "work"] {
            let settings = step(template.plan(), name).settings.clone().expect("settings");
            let settings: serde_json::Value = serde_json::from_str(settings.as_str()).expect("JSON");
            let expected = serde_json::json!({"batch_size": 10, "failure_strategy": "fail_fast"});
            assert_eq!(settings["batch_config"], expected, "{analyzer} {worker}");
        }
    }
    let refused = refusal(&with("{batch_size: 10}", "{batch_size: 20}"));
    assert!(
        refused.contains("4:93: `batch_config.batch_size` is not what the other step of the batch says"),
        "{refused}"
    );
    assert!(refused.contains("it is 10 on line 3"), "{refused}");
}

#[test]
fn a_batch_of_a_step_that_has_none_is_not_acted_on() {
    let template = template("name: a\nsteps:\n  - {name: one, kind: A, batch_config: {batch_size: 3}}\n");
    let keys: Vec<(&str, u32)> = template.not_acted_on().iter().map(|key| (key.key.as_str(), key.line)).collect();
    assert_eq!(keys, [("steps[0].batch_config", 3)]);
}

#[test]
fn decisions_and_convergence_load() {
    let template = template(APPROVAL);
    let plan = template.plan();
    assert_eq!(step(plan, "route_approval").role, StepRole::Decision);
    assert_eq!(step(plan, "finalize").role, StepRole::Convergence);
    assert_eq!(before(plan, "finalize").len(), 3);
    assert_eq!(template.warnings(), []);
}

#[test]
fn what_may_be_a_mistake_is_warned_of() {
    let text = "name: a\nsteps:\n  - {name: pick, kind: A, type: decision}\n  - {name: alone, kind: B, type: deferred}\n  \
                - {name: none, kind: A, type: decision}\n  - {name: left, kind: A, depends_on: [pick]}\n  \
                - {name: right, kind: A, depends_on: [pick]}\n  - {name: both, kind: A, depends_on: [left, right]}\n  \
                - {name: end, kind: A, type: deferred, depends_on: [none, left, right]}\n";
    let template = template(text);
    let warnings: Vec<(u32, &str)> =
        template.warnings().iter().map(|warning| (warning.line, warning.message.as_str())).collect();
    let expected = [
        (4, "convergence step `alone` has no decision, condition or batch before it"),
        (5, "decision `none` has no steps to choose from"),
        (8, "step `both` depends on several branches of the decision `pick`"),
    ];
    assert_eq!(warnings, expected);
}

#[test]
fn decisions_are_bounded() {
    let mut deep = String::from("name: a\nsteps:\n  - {name: d0, kind: A, type: decision}\n");
    for level in 1..=20 {
        deep.push_str(&format!("  - {{name: d{level}, kind: A, type: decision, depends_on: [d{}]}}\n", level - 1));
    }
    deep.push_str("  - {name: end, kind: A, depends_on: [d20]}\n");
    assert!(refusal(&deep).contains("decision `d20` is decision 21 on one path"));
    let wide = |steps: usize| {
        let mut text = String::from("name: a\nsteps:\n  - {name: pick, kind: A, type: decision}\n");
        for step in 0..steps {
            text.push_str(&format!("  - {{name: s{step}, kind: A, depends_on: [pick]}}\n"));
        }
        text + "  - {name: end, kind: A, type: deferred, depends_on: [pick]}\n"
    };
    assert_eq!(template(&wide(100)).plan().steps.len(), 102);
    assert!(refusal(&wide(101)).contains("decision `pick` has 101 steps to choose from"));
}
