//! What a template says, and what the plan says then.

use std::collections::BTreeMap;
use std::sync::Arc;

use bulkhead_core::{Backoff, BackoffCurve, FanOutOver, Join, Kind, PublishCondition, Span, StepRole, TagSet};
use bulkhead_workflow::{Served, Template, TemplateSettings};

use crate::support::{before, read, refusal, step, template};

const ECOMMERCE: &str = include_str!("../templates/ecommerce.yaml");
const OLDER: &str = include_str!("../templates/older.yaml");
const BATCH: &str = include_str!("../templates/batch.yaml");
const APPROVAL: &str = include_str!("../templates/approval.yaml");

#[test]
fn the_template_of_taskers_guide_loads_as_it_is() {
    let template = template(ECOMMERCE);
    let plan = template.plan();
    assert_eq!(plan.reference(), "ecommerce_py/ecommerce_order_processing@1.0.0");
    assert_eq!(template.description(), Some("Complete e-commerce order processing workflow"));
    let names: Vec<&str> = plan.steps.iter().map(|step| step.name.as_str()).collect();
    assert_eq!(names, ["validate_cart", "process_payment", "update_inventory", "create_order", "send_confirmation"]);
    assert_eq!(before(plan, "send_confirmation"), ["create_order"]);
    let step = step(plan, "process_payment");
    assert_eq!((step.kind.as_str(), step.options.max_attempts), ("process_payment", Some(2)));
    let backoff = Backoff { base: Span::from_millis(100), max: Span::from_millis(5000), ..Backoff::default() };
    assert_eq!(step.options.backoff, Some(backoff));
    assert_eq!(template.warnings(), []);
    let kept: Vec<&str> = template.not_acted_on().iter().map(|key| key.key.as_str()).collect();
    assert_eq!(kept, ["task_handler", "system_dependencies"]);
}

#[test]
fn a_template_in_the_older_spellings_loads() {
    let template = template(OLDER);
    let plan = template.plan();
    assert_eq!((plan.version.as_str(), plan.max_duration), ("2.0.0", Some(Span::from_secs(3600))));
    let charge = step(plan, "charge");
    assert_eq!((charge.kind.as_str(), charge.method.as_deref()), ("charge_handler", Some("charge")));
    assert_eq!(charge.options.max_attempts, Some(4));
    let backoff = charge.options.backoff.expect("a back-off");
    assert_eq!(
        (backoff.curve, backoff.base, backoff.max),
        (BackoffCurve::Linear, Span::from_millis(1500), Span::from_secs(30))
    );
    assert_eq!(charge.options.timeout, Some(Span::from_secs(20)));
    assert_eq!(charge.stale_after, Some(Span::from_secs(120)));
    assert_eq!(step(plan, "route").stale_after, Some(Span::from_secs(600)));
    assert_eq!(step(plan, "route").role, StepRole::Decision);
    assert_eq!(step(plan, "join").role, StepRole::Convergence);
    assert_eq!(step(plan, "once").options.max_attempts, Some(1));
    assert_eq!(before(plan, "join"), ["charge", "once"]);
    let publishes: Vec<_> = charge.publishes.iter().map(|event| (event.name.as_str(), event.condition)).collect();
    assert_eq!(publishes, [("order.charged", PublishCondition::Success), ("order.lost", PublishCondition::Failure)]);
    let kept: Vec<String> = template.not_acted_on().iter().map(|key| key.key.clone()).collect();
    for key in ["lifecycle.staleness_action", "steps[1].publishes_events[2]", "steps[1].result_schema"] {
        assert!(kept.iter().any(|kept| kept == key), "{key} is not in {kept:?}");
    }
}

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
fn decisions_and_convergence_load() {
    let template = template(APPROVAL);
    let plan = template.plan();
    assert_eq!(step(plan, "route_approval").role, StepRole::Decision);
    assert_eq!(step(plan, "finalize").role, StepRole::Convergence);
    assert_eq!(before(plan, "finalize").len(), 3);
    assert_eq!(template.warnings(), []);
}

#[test]
fn the_shortest_template_is_a_name_and_a_step() {
    let template = template("name: hello\nsteps:\n  - name: one\n    kind: RENDER\n");
    assert_eq!(template.plan().reference(), "default/hello@1.0.0");
    assert_eq!(template.plan().steps.len(), 1);
}

#[test]
fn null_and_empty_values_are_as_good_as_none() {
    let template = template(
        "name: a\nnamespace_name:\nversion: ''\ndescription: ~\nmetadata: {}\ndomain_events: []\ninput_schema:\n\
         environments:\nlifecycle: {}\nsystem_dependencies:\nsteps:\n  - name: one\n    type:\n    kind: A\n    \
         handler:\n    dependencies: []\n    depends_on:\n    retry:\n    timeout_seconds:\n    publishes_events: []\n    \
         result_schema:\n    batch_config:\n    lifecycle:\n    system_dependency:\n    when:\n    for_each:\n",
    );
    assert_eq!(template.plan().reference(), "default/a@1.0.0");
    assert!(template.not_acted_on().is_empty());
    assert_eq!(template.plan().steps[0].fan_out, None);
}

#[test]
fn an_environment_changes_its_own_steps_and_no_other_does() {
    let text = "name: a\nsteps:\n  - name: one\n    handler: {callable: one, initialization: {url: test, deep: {a: 1}}}\n    \
                retry: {max_attempts: 2, backoff: fixed}\n    dependencies: []\n  - {name: two, kind: TWO}\n\
                environments:\n  production:\n    steps:\n      - name: one\n        timeout_seconds: 9\n        \
                handler: {initialization: {url: live}}\n        retry: {max_attempts: 7}\n        depends_on: [two]\n      \
                - name: ALL\n        priority: 3\n";
    let plain = template(text);
    let in_production = TemplateSettings { environment: Some("production".to_owned()), ..TemplateSettings::default() };
    let live = read(text, &in_production);
    let one = step(live.plan(), "one");
    assert_eq!(one.settings.as_ref().expect("settings").as_str(), r#"{"url":"live","deep":{"a":1}}"#);
    assert_eq!((one.options.max_attempts, one.options.timeout), (Some(7), Some(Span::from_secs(9))));
    assert_eq!(one.options.backoff.expect("a back-off").curve, BackoffCurve::Fixed);
    assert_eq!(before(live.plan(), "one"), ["two"]);
    assert_eq!(step(live.plan(), "two").priority.map(bulkhead_core::Priority::get), Some(3));
    assert_eq!(step(plain.plan(), "one").options.max_attempts, Some(2));
    assert_eq!(step(plain.plan(), "two").priority, None);
    assert_ne!(plain.digest(), live.digest());
    let elsewhere = TemplateSettings { environment: Some("staging".to_owned()), ..TemplateSettings::default() };
    assert_eq!(read(text, &elsewhere).digest(), plain.digest());
}

#[test]
fn the_digest_is_that_of_what_the_workflow_does() {
    let text = "name: a\nsteps: [{name: one, kind: A}]\n";
    let same = "# a comment\nname: 'a'\ndescription: another\nsteps:\n- kind: A\n  name: one\n";
    assert_eq!(template(text).digest(), template(same).digest());
    assert_ne!(template(text).digest(), template(&text.replace("kind: A", "kind: B")).digest());
}

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
fn callables_find_their_kind() {
    let text = "name: a\nsteps:\n  - {name: one, handler: {callable: 'shop.steps.OneHandler'}}\n  \
                - {name: two, handler: {callable: 'Two::Handler'}}\n";
    let handlers = || vec![Served { kind: Kind::parse("shop.steps.OneHandler").unwrap(), provides: TagSet::default() }];
    let settings = TemplateSettings {
        callables: BTreeMap::from([("Two::Handler".to_owned(), Kind::parse("SECOND").unwrap())]),
        handlers: Some(Arc::new(handlers)),
        ..TemplateSettings::default()
    };
    let kinds =
        |template: &Template| template.plan().steps.iter().map(|step| step.kind.to_string()).collect::<Vec<_>>();
    assert_eq!(kinds(&read(text, &settings)), ["shop.steps.OneHandler", "SECOND"]);
    assert_eq!(kinds(&template(text)), ["one_handler", "handler"]);
}

#[test]
fn what_nobody_serves_is_warned_of_or_refused() {
    let text = "name: a\nsteps:\n  - {name: one, kind: TRAIN, requires: [gpu]}\n  - {name: two, kind: TRIAN}\n";
    let served = || vec![Served { kind: Kind::parse("TRAIN").unwrap(), provides: TagSet::parse(["cpu"]).unwrap() }];
    let warned = TemplateSettings { handlers: Some(Arc::new(served)), ..TemplateSettings::default() };
    let template = read(text, &warned);
    let messages: Vec<String> = template.warnings().iter().map(ToString::to_string).collect();
    assert_eq!(messages.len(), 2);
    assert!(messages[0].contains("`gpu`"), "{messages:?}");
    assert!(messages[1].contains("did you mean `TRAIN`?"), "{messages:?}");
    assert_eq!(template.unroutable(&served()), template.warnings());
    let refused = TemplateSettings { refuse_unroutable: true, ..warned };
    let errors = Template::read("test.yaml", text, &refused).expect_err("a refusal");
    assert_eq!(errors.problems.len(), 2);
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

#[test]
fn anchors_and_merge_keys_are_followed() {
    let text = "name: a\nmetadata:\n  defaults: &defaults {retry: &retry {max_attempts: 5}}\nsteps:\n  \
                - {<<: *defaults, name: one, kind: A}\n  - {name: two, kind: A, retry: *retry}\n";
    let template = template(text);
    assert!(template.plan().steps.iter().all(|step| step.options.max_attempts == Some(5)));
}

#[test]
fn a_template_of_ten_thousand_steps_loads_and_one_more_is_refused() {
    let many = |count: usize| {
        let mut text = String::from("name: a\nsteps:\n  - {name: s0, kind: A}\n");
        for step in 1..count {
            text.push_str(&format!("  - {{name: s{step}, kind: A, depends_on: [s{}]}}\n", step - 1));
        }
        text
    };
    assert_eq!(template(&many(10_000)).plan().steps.len(), 10_000);
    assert!(refusal(&many(10_001)).contains("10001 steps; a workflow may have at most 10000"));
}

#[test]
fn bombs_are_refused() {
    let mut laughs = String::from("name: a\nmetadata:\n  a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for level in 1..10 {
        let before = format!("*a{}, ", level - 1).repeat(10);
        laughs.push_str(&format!("  a{level}: &a{level} [{}]\n", before.trim_end_matches(", ")));
    }
    assert!(refusal(&laughs).contains("more than 500000 values"));
    let long = format!("name: a\nmetadata:\n  a: &a {}\n  b: [{}]\n", "x".repeat(100_000), "*a, ".repeat(1000));
    assert!(refusal(&long).contains("bytes of text"));
    let deep = |levels: usize| format!("name: a\nmetadata: {}{}", "[".repeat(levels), "]".repeat(levels));
    assert!(refusal(&deep(120)).contains("nested deeper than 100 levels"));
    // Beyond that the parser itself has a bound.
    assert!(refusal(&deep(5000)).contains("recursion limit exceeded"));
    let block = (0..5000).map(|level| format!("{}- \n", " ".repeat(level * 2 % 200))).collect::<String>();
    let _ = Template::read("test.yaml", &block, &TemplateSettings::default());
    assert!(refusal(&" ".repeat(5 << 20)).contains("at most 4194304"));
    assert!(refusal("name: &a [*a]\n").contains("alias"));
}

proptest::proptest! {
    #[test]
    fn whatever_a_file_says_it_is_read_or_refused(text in "[-a-z:{}\\[\\]&*!|>'\", \n#%@?0-9]{0,120}") {
        let _ = Template::read("test.yaml", &text, &TemplateSettings::default());
        let _ = Template::read("test.yaml", &format!("name: a\nsteps:\n  - name: b\n    kind: {text}"), &TemplateSettings::default());
    }

    #[test]
    fn whatever_stands_where_a_value_may_it_is_read_or_refused(place in 0_usize..20, text in "[-a-z{}\\[\\]:, 0-9]{0,20}") {
        let at: Vec<usize> = ECOMMERCE.match_indices(": ").map(|(at, _)| at + 2).collect();
        let at = at[place % at.len()];
        let changed = format!("{}{text}{}", &ECOMMERCE[..at], &ECOMMERCE[at..]);
        let _ = Template::read("test.yaml", &changed, &TemplateSettings::default());
    }
}
