//! Which handler a step is for.

use std::collections::BTreeMap;
use std::sync::Arc;

use bulkhead_core::{Kind, TagSet};
use bulkhead_workflow::{Served, Template, TemplateSettings};

use crate::support::{read, template};

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
