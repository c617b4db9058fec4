//! Reading templates in tests.

use bulkhead_core::{PlanStep, WorkflowPlan};
use bulkhead_workflow::{Template, TemplateSettings};

/// A template, read as a host without settings would.
pub(crate) fn template(text: &str) -> Template {
    read(text, &TemplateSettings::default())
}

/// A template, read by these settings.
pub(crate) fn read(text: &str, settings: &TemplateSettings) -> Template {
    Template::read("test.yaml", text, settings).unwrap_or_else(|errors| panic!("{errors}"))
}

/// What is said of a template that is refused.
pub(crate) fn refusal(text: &str) -> String {
    match Template::read("test.yaml", text, &TemplateSettings::default()) {
        Ok(_) => panic!("it was taken:\n{text}"),
        Err(errors) => errors.to_string(),
    }
}

/// The step of a name.
pub(crate) fn step<'a>(plan: &'a WorkflowPlan, name: &str) -> &'a PlanStep {
    plan.find(name).unwrap_or_else(|| panic!("no step `{name}`")).1
}

/// The names of the steps that a step depends on.
pub(crate) fn before<'a>(plan: &'a WorkflowPlan, name: &str) -> Vec<&'a str> {
    step(plan, name).depends_on.iter().map(|place| plan.steps[*place as usize].name.as_str()).collect()
}
