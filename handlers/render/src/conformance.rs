//! What Python's jinja2 makes of a template is what we make of it; see `tests/jinja2_cases.py`.

use minijinja::Value;
use serde::Deserialize;

use crate::{Options, environment};

/// Where we differ, and the README says so: the template, and what becomes of it here.
const DIFFERENCES: &[(&str, Option<&str>)] = &[
    ("{{ \"a verylongwordindeed b\"|wordwrap(8) }}", Some("a\nverylong\nwordinde\ned b")),
    ("{{ people[0]|attr(\"name\") }}", Some("Ada")),
    ("{% set c = cycler(\"a\", \"b\") %}{{ c.next() }}{{ c.current }}", Some("a")),
    ("{% set xs = [1] %}{% do xs.append(2) %}{{ xs|length }}", None),
];

/// Where we differ as a class: very large and very small numbers are written in full, `pprint` has one item per line, the
/// newline after `{% raw %}` goes with `trim_blocks`, and carriage returns stay.
fn differs(case: &Case) -> bool {
    case.template.contains("e300")
        || case.template.contains("pprint")
        || case.template.contains("{% raw %}\n") && case.options.trim_blocks
        || case.template.contains('\r')
}

#[derive(Deserialize)]
struct Cases {
    context: Value,
    templates: std::collections::BTreeMap<String, String>,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    template: String,
    #[serde(default)]
    options: Options,
    text: Option<String>,
}

#[test]
fn templates_mean_what_they_mean_to_jinja2() {
    let cases: Cases = serde_json::from_str(include_str!("../tests/jinja2_cases.json")).expect("the cases are JSON");
    let mut wrong = Vec::new();
    for case in &cases.cases {
        let keep = case.options.keep_trailing_newline.unwrap_or(false);
        let mut environment = environment::environment(&case.options, keep);
        for (name, template) in &cases.templates {
            environment.add_template(name, template).expect("a template");
        }
        let ours = environment.render_str(&case.template, cases.context.clone());
        let known = DIFFERENCES.iter().find(|(template, _)| *template == case.template);
        let meant = known.map_or(case.text.as_deref(), |(_, text)| *text);
        if ours.as_deref().ok() != meant && !differs(case) {
            wrong.push(format!("{}\n  meant {meant:?}\n  given {ours:?}\n  {:?}", case.template, case.options));
        }
    }
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), cases.cases.len(), wrong.join("\n"));
}
