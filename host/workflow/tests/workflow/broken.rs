//! Templates that are refused, and what is said of each: the page of template errors.

use bulkhead_workflow::{Template, TemplateSettings};

use crate::published::{at_root, is_current};

/// What is wrong, and a template in which it is.
const BROKEN: [(&str, &[(&str, &str)]); 6] = [
    (
        "YAML",
        &[
            ("A bracket that is not closed", "name: order\nsteps: [{name: one, kind: A}\n"),
            ("A tab where YAML wants spaces", "name: order\nsteps:\n\t- name: one\n"),
            ("No table", "- name: order\n"),
            ("An empty file", "# to be written\n"),
            ("Two documents", "name: order\nsteps: [{name: one, kind: A}]\n---\nname: other\n"),
            ("A key twice", "name: order\nsteps:\n  - name: one\n    kind: A\n    kind: B\n"),
            ("A tag of another language", "name: order\nsteps:\n  - name: one\n    kind: !ruby/object:Kind A\n"),
            (
                "An alias within its own value",
                "name: order\nmetadata: &all\n  again: *all\nsteps: [{name: one, kind: A}]\n",
            ),
        ],
    ),
    (
        "Keys and values",
        &[
            ("An unknown key", "name: order\nsteps:\n  - name: one\n    kind: A\n    retires: 3\n"),
            ("A key that is near a known one", "name: order\nsteps:\n  - name: one\n    kind: A\n    depend_on: []\n"),
            (
                "A spelling of Tasker's oldest templates",
                "name: order\nstep_templates:\n  - name: one\n    handler_class: One\n",
            ),
            ("A misspelled key at the top", "name: order\nversoin: 1.0.0\nsteps: [{name: one, kind: A}]\n"),
            ("Something needed is missing", "version: 1.0.0\nsteps:\n  - kind: A\n"),
            ("A number where text is meant", "name: order\nsteps:\n  - name: 1\n    kind: A\n"),
            (
                "A word that is not one of those",
                "name: order\nsteps:\n  - name: one\n    kind: A\n    type: desicion\n",
            ),
            (
                "A number out of its bounds",
                "name: order\nsteps:\n  - {name: one, kind: A, priority: 21, timeout_seconds: 0}\n",
            ),
            ("A list where a table is meant", "name: order\nsteps:\n  - name: one\n    handler: [one]\n"),
            ("A version that is none", "name: order\nversion: latest\nsteps: [{name: one, kind: A}]\n"),
            ("A name that nobody could ask for", "name: order/eu@1\nsteps: [{name: one, kind: A}]\n"),
            ("A step's name with a space", "name: order\nsteps: [{name: step one, kind: A}]\n"),
            ("A tag in capitals", "name: order\nsteps: [{name: one, kind: A, requires: [GPU]}]\n"),
            (
                "An event's name with a space",
                "name: order\nsteps:\n  - {name: one, kind: A, publishes_events: [order paid]}\n",
            ),
            ("No steps", "name: order\nsteps: []\n"),
        ],
    ),
    (
        "What does a step",
        &[
            (
                "A step that does not say what does it",
                "name: order\nsteps:\n  - name: one\n    description: nobody does it\n",
            ),
            (
                "A callable that can be no kind",
                "name: order\nsteps:\n  - name: one\n    handler: {callable: \"call me\"}\n",
            ),
            (
                "An executor and another kind",
                "name: order\nsteps:\n  - name: one\n    kind: TRAIN\n    executor: docker\n    handler: {initialization: {image: alpine}}\n",
            ),
            (
                "A container without an image",
                "name: order\nsteps:\n  - name: one\n    executor: docker\n    handler:\n      initialization: {imgae: alpine, limits: {memory: much}}\n",
            ),
            (
                "Limits that are not for programs",
                "name: order\nsteps:\n  - name: one\n    executor: gpu\n    handler:\n      initialization: {program: train, limits: {cpus: 2}}\n",
            ),
        ],
    ),
    (
        "Dependencies",
        &[
            (
                "Steps that wait for each other",
                "name: order\nsteps:\n  - {name: a, kind: A, depends_on: [c]}\n  - {name: b, kind: A, depends_on: [a]}\n  - {name: c, kind: A, depends_on: [b]}\n",
            ),
            ("A step that waits for itself", "name: order\nsteps:\n  - {name: a, kind: A, depends_on: [a]}\n"),
            (
                "An unknown step",
                "name: order\nsteps:\n  - {name: validate, kind: A}\n  - {name: pay, kind: A, depends_on: [valdiate]}\n",
            ),
            (
                "A step that is called as a task of another",
                "name: order\nsteps:\n  - {name: train, kind: A, for_each: [1, 2]}\n  - {name: train_001, kind: B}\n",
            ),
            ("Two steps of one name", "name: order\nsteps:\n  - {name: pay, kind: A}\n  - {name: pay, kind: B}\n"),
            (
                "An environment that changes an unknown step",
                "name: order\nsteps: [{name: pay, kind: A}]\nenvironments:\n  production:\n    steps:\n      - {name: pya, timeout_seconds: 5}\n",
            ),
            (
                "A batch worker without an analyzer",
                "name: order\nsteps:\n  - {name: cut, kind: A}\n  - {name: work, kind: B, type: batch_worker, depends_on: [cut]}\n",
            ),
            (
                "A batch worker that is to run a program",
                "name: order\nsteps:\n  - {name: cut, kind: A, type: batchable}\n  - name: work\n    type: batch_worker\n    depends_on: [cut]\n    executor: docker\n    handler: {initialization: {image: alpine}}\n",
            ),
            (
                "A batch that its two steps describe differently",
                "name: order\nsteps:\n  - {name: cut, kind: A, type: batchable, batch_config: {batch_size: 10}}\n  - {name: work, kind: B, type: batch_worker, depends_on: [cut], batch_config: {batch_size: 20}}\n",
            ),
            ("An analyzer without a batch worker", "name: order\nsteps:\n  - {name: cut, kind: A, type: batchable}\n"),
            (
                "A worker that is not there",
                "name: order\nsteps:\n  - {name: cut, kind: A, type: batchable, batch_config: {worker_template: wrok}}\n  - {name: work, kind: B, type: batch_worker, depends_on: [cut]}\n",
            ),
        ],
    ),
    (
        "Conditions and lists",
        &[
            (
                "A condition that is no expression",
                "name: order\nsteps:\n  - {name: one, kind: A, when: 'input.amount >'}\n",
            ),
            (
                "A condition on what there is not",
                "name: order\nsteps:\n  - {name: one, kind: A, when: 'inptu.amount > 3'}\n",
            ),
            (
                "A filter that there is not",
                "name: order\nsteps:\n  - {name: one, kind: A, when: 'input.name|upcase == \"A\"'}\n",
            ),
            (
                "An expression that could grow without bound",
                "name: order\nsteps:\n  - {name: one, kind: A, when: 'input.items * 100000 == [1]'}\n",
            ),
            (
                "A condition on a step that may not have ended",
                "name: order\nsteps:\n  - {name: check, kind: A}\n  - {name: pay, kind: B, when: steps.check.result.ok}\n",
            ),
            (
                "A condition on a step that there is not",
                "name: order\nsteps:\n  - {name: check, kind: A}\n  - {name: pay, kind: B, depends_on: [check], when: steps.chekc.result.ok}\n",
            ),
            ("A condition that never holds", "name: order\nsteps:\n  - {name: one, kind: A, when: false}\n"),
            ("A join without a list", "name: order\nsteps:\n  - {name: one, kind: A, join: strict}\n"),
            ("A join that is none", "name: order\nsteps:\n  - {name: one, kind: A, for_each: [1, 2], join: any}\n"),
            (
                "A join that cannot be fulfilled",
                "name: order\nsteps:\n  - {name: one, kind: A, for_each: [1, 2], join: at-least(3)}\n  - {name: two, kind: A, for_each: [1, 2], join: {critical: [two_003]}}\n",
            ),
        ],
    ),
    (
        "The schema of the input",
        &[
            (
                "A schema that is none",
                "name: order\ninput_schema:\n  type: object\n  properties:\n    amount: {type: nubmer}\nsteps: [{name: one, kind: A}]\n",
            ),
            (
                "A pattern that is none",
                "name: order\ninput_schema:\n  properties:\n    code: {pattern: '['}\nsteps: [{name: one, kind: A}]\n",
            ),
            (
                "A reference to somewhere else",
                "name: order\ninput_schema:\n  $ref: https://example.com/order.json\nsteps: [{name: one, kind: A}]\n",
            ),
        ],
    ),
];

const INTRODUCTION: &str = "# Template errors

What is said of a template that is refused, each with an example. The text is the same from `bulkhead workflow check FILE`, in
the log and in `GET /v1/templates`: file, line, column, what is wrong, and below it what is allowed there or what to do.
Everything that is wrong with a file is said at once. A file that is refused leaves the version before it live.

This page is written by a test: `BULKHEAD_BLESS=1 cargo test -p bulkhead-workflow` writes it anew.
";

fn said(text: &str) -> String {
    match Template::read("order.yaml", text, &TemplateSettings::default()) {
        Ok(_) => panic!("it was taken:\n{text}"),
        Err(errors) => errors.to_string(),
    }
}

#[test]
fn the_page_of_template_errors_is_current() {
    let mut page = INTRODUCTION.to_owned();
    for (title, templates) in BROKEN {
        page.push_str(&format!("\n## {title}\n"));
        for (what, text) in templates {
            page.push_str(&format!("\n### {what}\n\n```yaml\n{text}```\n\n```text\n{}\n```\n", said(text)));
        }
    }
    is_current("docs/reference/template-errors.md", &page);
}

#[test]
fn every_message_names_file_line_and_column() {
    for (what, text) in BROKEN.iter().flat_map(|(_, templates)| templates.iter()) {
        for line in said(text).lines().filter(|line| !line.starts_with("    ")) {
            let mut parts = line.splitn(4, ':');
            assert_eq!(parts.next(), Some("order.yaml"), "{what}: {line}");
            for number in [parts.next(), parts.next()] {
                assert!(
                    number.and_then(|number| number.parse::<u32>().ok()).is_some_and(|number| number > 0),
                    "{what}: {line}"
                );
            }
        }
    }
}

#[test]
fn all_that_is_wrong_is_said_at_once_in_the_order_of_the_lines() {
    let text = "name: order\nversion: x\nsteps:\n  - {name: a, kind: A, depends_on: [b, nobody], colour: red}\n  \
                - {name: b, kind: A, depends_on: [a]}\n  - {name: c}\n  - {name: a, kind: '?'}\n";
    let lines: Vec<String> = said(text).lines().map(str::to_owned).filter(|line| !line.starts_with("    ")).collect();
    let numbers: Vec<u32> = lines.iter().filter_map(|line| line.split(':').nth(1)?.parse().ok()).collect();
    assert_eq!(numbers, [2, 4, 4, 4, 6, 7, 7], "{lines:#?}");
}

#[test]
fn the_reference_is_where_the_tests_look() {
    assert!(at_root("docs/reference/template-errors.md").is_file());
}
