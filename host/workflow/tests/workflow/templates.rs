//! What a template says, and what the plan says then.

use bulkhead_core::{Backoff, BackoffCurve, PublishCondition, Span, StepRole};
use bulkhead_workflow::TemplateSettings;

use crate::support::{before, read, step, template};

const ECOMMERCE: &str = include_str!("../templates/ecommerce.yaml");
const OLDER: &str = include_str!("../templates/older.yaml");

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
fn as_few_attempts_as_none_are_one() {
    let text = "name: a\nsteps:\n  - {name: one, kind: A, retry: {max_attempts: 0, backoff_seconds: [1, 5]}}\n  \
                - {name: two, kind: A, lifecycle: {max_retries: 0}}\n";
    let template = template(text);
    assert!(template.plan().steps.iter().all(|step| step.options.max_attempts == Some(1)));
    assert_eq!(template.not_acted_on()[0].key, "steps[0].retry.backoff_seconds");
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
fn empty_texts_are_as_good_as_none() {
    let plain = template("name: a\nsteps:\n  - {name: one, kind: A}\n");
    let empty = template(
        "name: a\ndescription: ''\ninput_schema: ''\nlifecycle: ''\nsteps:\n  - {name: one, type: '', step_type: '', \
         kind: A, handler: {callable: '', method: '', initialization: ''}, depends_on: '', requires: '', when: ' ', \
         for_each: '', join: '', priority: '', executor: '', retry: {backoff: '', limit: ''}, timeout_seconds: '', \
         lifecycle: '', batch_config: {batch_size: ''}, publishes_events: ''}\n\
         environments: {production: {steps: ''}}\n",
    );
    assert_eq!(empty.plan(), plain.plan());
    let called = template("name: a\nsteps:\n  - {name: one, kind: '', handler: {callable: B}}\n");
    assert_eq!(called.plan().steps[0].kind.as_str(), "B");
    let needed = crate::support::refusal("name: ''\nsteps:\n  - {name: '', kind: A}\n");
    assert_eq!(needed.matches("needs `name`").count(), 2, "{needed}");
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
fn an_environment_changes_a_key_however_the_step_spells_it() {
    let production = TemplateSettings { environment: Some("production".to_owned()), ..TemplateSettings::default() };
    let changed = |own: &str, change: &str| {
        let text = format!(
            "name: a\nsteps:\n  - {{name: one, {own}}}\n  - {{name: two, kind: B}}\nenvironments:\n  production:\n    \
             steps: [{{name: one, {change}}}]\n"
        );
        let template = read(&text, &production);
        let one = step(template.plan(), "one").clone();
        let backoff = one.options.backoff.map(|backoff| (backoff.curve, backoff.base));
        (one.kind.to_string(), one.role, one.options.max_attempts, backoff, one.depends_on.len())
    };
    let said = (None, None);
    let standard =
        |kind: &str, (attempts, backoff), before| (kind.to_owned(), StepRole::Standard, attempts, backoff, before);
    assert_eq!(changed("kind: A", "handler: {callable: b}"), standard("b", said, 0));
    assert_eq!(changed("kind: A, dependencies: [two]", "depends_on: []"), standard("A", said, 0));
    assert_eq!(changed("kind: A, step_type: decision", "type: standard"), standard("A", said, 0));
    let linear = Some((BackoffCurve::Linear, Span::from_secs(2)));
    for (own, change) in [
        ("retry: {limit: 2, backoff: linear, backoff_base_ms: 9}", "retry: {max_attempts: 7, initial_delay: 2}"),
        ("retry: {max_attempts: 2, backoff: linear, initial_delay: 9}", "retry: {limit: 7, backoff_base_ms: 2000}"),
        ("retry: {limit: 2, backoff: linear, initial_delay: 2}", "lifecycle: {retry: {max_attempts: 7}}"),
        ("retry: {limit: 2, backoff: linear, initial_delay: 2}", "lifecycle: {max_retries: 7}"),
        ("lifecycle: {retry: {limit: 2, backoff: linear, initial_delay: 2}}", "retry: {limit: 7}"),
    ] {
        assert_eq!(changed(&format!("kind: A, {own}"), change), standard("A", (Some(7), linear), 0), "{own} {change}");
    }
}

#[test]
fn the_digest_is_that_of_what_the_workflow_does() {
    let text = "name: a\nsteps: [{name: one, kind: A}]\n";
    let same = "# a comment\nname: 'a'\ndescription: another\nsteps:\n- kind: A\n  name: one\n";
    assert_eq!(template(text).digest(), template(same).digest());
    assert_ne!(template(text).digest(), template(&text.replace("kind: A", "kind: B")).digest());
}

#[test]
fn anchors_and_merge_keys_are_followed() {
    let text = "name: a\nmetadata:\n  defaults: &defaults {retry: &retry {max_attempts: 5}}\nsteps:\n  \
                - {<<: *defaults, name: one, kind: A}\n  - {name: two, kind: A, retry: *retry}\n";
    let template = template(text);
    assert!(template.plan().steps.iter().all(|step| step.options.max_attempts == Some(5)));
}

#[test]
fn the_templates_of_the_examples_load() {
    let examples = crate::published::at_root("examples");
    let mut loaded = 0;
    for example in std::fs::read_dir(examples).expect("the examples").flatten() {
        for file in std::fs::read_dir(example.path().join("workflows")).into_iter().flatten().flatten() {
            template(&std::fs::read_to_string(file.path()).expect("a file"));
            loaded += 1;
        }
    }
    assert!(loaded > 3);
}
