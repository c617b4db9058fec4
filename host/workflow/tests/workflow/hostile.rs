//! Files and inputs that mean harm.

use bulkhead_core::{SubmissionLimits, WorkflowSubmission};
use bulkhead_workflow::{InputProblem, Template, TemplateSettings, WorkflowRefusal};

use crate::support::{refusal, template};

const ECOMMERCE: &str = include_str!("../templates/ecommerce.yaml");

/// What is wrong with an input of a template with this schema.
fn problems(schema: &str, input: &str) -> (Vec<InputProblem>, bool) {
    let text = format!("name: a\ninput_schema: {schema}\nsteps: [{{name: b, kind: B}}]\n");
    let template = Template::read("test.yaml", &text, &TemplateSettings::default()).expect("a template");
    let submission: WorkflowSubmission =
        serde_json::from_str(&format!(r#"{{"template": "a", "input": {input}}}"#)).expect("a submission");
    match template.begin(submission, &SubmissionLimits::default()) {
        Err(WorkflowRefusal::Input { problems, more, .. }) => (problems, more),
        Err(other) => panic!("{other}"),
        Ok(_) => (Vec::new(), false),
    }
}

#[test]
fn a_schema_that_refers_to_itself_ends() {
    for schema in [
        "{$ref: '#'}",
        "{allOf: [{$ref: '#'}]}",
        "{$ref: '#/$defs/a', $defs: {a: {$ref: '#/$defs/b'}, b: {$ref: '#/$defs/a'}}}",
        "{properties: {a: {$ref: '#'}}}",
    ] {
        assert_eq!(problems(schema, r#"{"a": {"a": 3}}"#), (Vec::new(), false), "{schema}");
    }
}

#[test]
fn a_schema_that_refers_to_more_and_more_is_refused() {
    let with = |schema: &str| format!("name: a\ninput_schema: {schema}\nsteps: [{{name: b, kind: B}}]\n");
    let expected = "`input_schema` is too large once it is followed";
    for (part, reference) in [
        ("allOf: [A, A]", "$ref: '#/$defs/a%N'"),
        ("anyOf: [A, A]", "$ref: '#/%24defs/a%N'"),
        ("items: {allOf: [A, A]}", "$ref: '#a%N'"),
        ("patternProperties: {a: A, b: A}", "$ref: '#/$defs/a%N'"),
    ] {
        let mut schema = String::from("{$ref: '#/$defs/a40', $defs: {a0: {$anchor: a0, type: number}");
        for level in 1..=40 {
            let before = format!("{{{}}}", reference.replace("%N", &(level - 1).to_string()));
            schema.push_str(&format!(", a{level}: {{$anchor: a{level}, {}}}", part.replace('A', &before)));
        }
        assert!(refusal(&with(&(schema + "}}"))).contains(expected), "{part}");
    }
    let chain: String = (1..5000).map(|level| format!(", a{level}: {{$ref: '#/$defs/a{}'}}", level - 1)).collect();
    let chain = format!("{{$ref: '#/$defs/a4999', $defs: {{a0: {{}}{chain}}}}}");
    assert!(refusal(&with(&chain)).contains("a chain of more than 500 schemas"));
    // Many parts of one value, and a tree, are as large as they look.
    let wide: String = (0..2000).map(|name| format!("k{name}: {{$ref: '#/$defs/p'}}, ")).collect();
    let tree = "{$defs: {p: {allOf: [{type: object}]}}, properties: {WIDE l: {$ref: '#'}, r: {$ref: '#'}}}";
    assert_eq!(problems(&tree.replace("WIDE", &wide), r#"{"k1": {}, "l": {"r": {"k2": {}}}}"#), (Vec::new(), false));
}

#[test]
fn deep_inputs_and_schemas_are_no_harm() {
    let deep = format!("{}{}", "[".repeat(127), "]".repeat(127));
    assert_eq!(problems("{items: {$ref: '#'}, type: array}", &deep).0, []);
    let schema = format!("{}{{}}{}", "{items: ".repeat(95), "}".repeat(95));
    assert_eq!(problems(&schema, &deep).0, []);
}

#[test]
fn of_a_large_input_one_problem_is_told_and_that_there_are_more() {
    let input = format!("[{}1]", "1,".repeat(500_000));
    let (problems, more) = problems("{type: array, items: {type: string}}", &input);
    assert_eq!((problems.len(), problems[0].pointer.as_str(), more), (1, "/0", true));
}

#[test]
fn what_is_no_template_is_refused_however_large_it_is() {
    const MOST: usize = 4 << 20;
    let whole = |text: &str| text.repeat(MOST / text.len());
    let keys: String = (0..50_000).map(|key| format!("k{key}: 1\n")).collect();
    for (text, words) in [
        (whole("["), "recursion limit exceeded"),
        (whole("{"), "recursion limit exceeded"),
        (whole("? "), "nested deeper"),
        (whole("- "), "nested deeper"),
        (whole(": "), "nested deeper"),
        (whole("a "), "not text"),
        (whole("\n"), "there is no template here"),
        (whole("#\n"), "there is no template here"),
        (whole("---\n"), "second document"),
        (whole("!a "), "a tag that a template cannot have"),
        (whole("%TAG ! a\n"), "not valid YAML"),
        (format!("a: [{}]", whole("1,").split_at(MOST - 10).0), "more than 500000 values"),
        (keys, "test.yaml: 800 more"),
    ] {
        let refused = refusal(&text);
        assert!(refused.contains(words), "{words}: {}", &refused[..refused.len().min(300)]);
    }
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

#[test]
fn an_environment_makes_no_more_of_a_file_than_aliases_may() {
    let steps: String = (0..10_000).map(|step| format!("  - {{name: s{step}, kind: A}}\n")).collect();
    let production = TemplateSettings { environment: Some("p".to_owned()), ..TemplateSettings::default() };
    let refused = |change: &str| {
        let text = format!("name: a\nsteps:\n{steps}environments:\n  p:\n    steps:\n{change}");
        Template::read("test.yaml", &text, &production).map(|_| ()).map_err(|errors| errors.to_string())
    };
    let words = "environment `p` makes more than 500000 values";
    let all = "      - {name: ALL, priority: 1}\n";
    assert_eq!(refused(all), Ok(()));
    assert!(refused(&all.repeat(1000)).unwrap_err().contains(words));
    let handler = |inner: &str| format!("      - {{name: ALL, handler: {{initialization: {{a: {inner}}}}}}}\n");
    assert!(refused(&handler(&format!("[{}]", "1, ".repeat(1000)))).unwrap_err().contains(words));
    assert!(refused(&handler(&"x".repeat(100_000))).unwrap_err().contains(words));
}

#[test]
fn payloads_and_items_together_have_a_bound() {
    let env: String = (0..10_000).map(|name| format!("k{name}: '', ")).collect();
    let items = "{}, ".repeat(10_000);
    let text = format!(
        "name: a\nsteps:\n  - name: one\n    executor: docker\n    \
         handler: {{initialization: {{image: a, env: {{{env}}}}}}}\n    for_each: [{items}]\n"
    );
    assert!(refusal(&text).contains("the payloads of `for_each` have together more than 5000000 values"));
    let wrong = text.replace(&env, "k: 1").replace(&items, &"{}, ".repeat(9_000));
    assert!(refusal(&wrong).contains("must be text"));
}

#[test]
fn ten_thousand_wrong_names_among_ten_thousand_steps_are_told_soon() {
    let near = |step: usize| format!("{}{step:05}", "x".repeat(55));
    let mut text = String::from("name: a\nsteps:\n");
    for step in 0..10_000 {
        text.push_str(&format!("  - {{name: {}, kind: A, depends_on: [{}]}}\n", near(step), near(step + 20_000)));
    }
    let refused = refusal(&text);
    assert!(refused.ends_with("9800 more"), "{}", &refused[..300]);
    // Each search compares with all names, so that there are few of them.
    assert!((1..=20).contains(&refused.matches("did you mean").count()), "{}", &refused[..300]);
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
