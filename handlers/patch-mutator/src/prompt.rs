//! What the model is asked.

use bulkhead_sdk::Failure;
use bulkhead_sdk::llm::Request;

use crate::payload::{Parent, Payload};
use crate::settings::Settings;

/// What sets the scene, unless the operator says otherwise.
pub(crate) const SYSTEM: &str = "You change programs so that they score higher. You answer with one unified diff, in one \
```diff block, of the program that you are given. Every hunk begins with `@@ -line,count +line,count @@`. Context lines \
begin with a blank, removed lines with `-`, and both repeat the program's lines exactly, indentation included. Added lines \
begin with `+`. Hunks are in the order of the program and do not overlap.";

/// What is asked, unless the operator says otherwise.
pub(crate) const TEMPLATE: &str = "{{prompt}}

Programs that were tried before, the best first:

{{parents}}

The program to change:

{{source}}
";

/// What the change is to bring, where neither payload nor operator say it.
pub(crate) const PROMPT: &str = "Change the program so that its score rises.";

/// A part of a template.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part<'a> {
    Text(&'a str),
    Source,
    Parents,
    Prompt,
}

/// Whether a template can be filled in.
pub(crate) fn check(template: &str) -> Result<(), String> {
    match parts(template)?.contains(&Part::Source) {
        true => Ok(()),
        false => Err("`template` must have `{{source}}`, which stands for the program to change".to_owned()),
    }
}

/// The question: what a payload says, filled into the operator's template in one pass, so that nothing of it is taken for a
/// part of the template.
pub(crate) fn request(payload: &Payload, parents: &[&Parent], settings: &Settings) -> Result<Request, Failure> {
    let mut text = String::new();
    for part in parts(&settings.template).map_err(|why| Failure::permanent("bad_settings", why))? {
        match part {
            Part::Text(words) => text.push_str(words),
            Part::Source => fenced(&mut text, &payload.source),
            Part::Prompt => text.push_str(payload.prompt.as_deref().unwrap_or(&settings.prompt)),
            Part::Parents if parents.is_empty() => text.push_str("(none)"),
            Part::Parents => {
                for (index, parent) in parents.iter().enumerate() {
                    text.push_str(if index == 0 { "" } else { "\n\n" });
                    text.push_str(&format!("Score {}:\n", parent.score));
                    fenced(&mut text, &parent.source);
                }
            }
        }
    }
    let mut request = Request::new().system(settings.system.as_str()).user(text).candidates(settings.candidates);
    request.model.clone_from(&settings.model);
    request.temperature = settings.temperature;
    request.max_tokens = settings.max_tokens;
    Ok(request)
}

/// A program in a fence that it does not contain itself.
fn fenced(text: &mut String, program: &str) {
    let longest = program.split(|character| character != '`').map(str::len).max().unwrap_or_default();
    let fence = "`".repeat(longest.max(2) + 1);
    let end = if program.is_empty() || program.ends_with('\n') { "" } else { "\n" };
    text.push_str(&format!("{fence}\n{program}{end}{fence}"));
}

/// The parts of a template; braces around anything but a name are text.
fn parts(template: &str) -> Result<Vec<Part<'_>>, String> {
    let (mut parts, mut rest) = (Vec::new(), template);
    let mut text = 0;
    while let Some(open) = rest[text..].find("{{").map(|at| text + at) {
        let after = &rest[open + 2..];
        let name = after.split_once("}}").map(|(name, _)| name);
        let name = name.filter(|name| name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'));
        let Some(name) = name.filter(|name| !name.is_empty()) else {
            text = open + 1;
            continue;
        };
        let part = match name {
            "source" => Part::Source,
            "parents" => Part::Parents,
            "prompt" => Part::Prompt,
            _ => {
                return Err(format!("`template` has `{{{{{name}}}}}`, which is none of `source`, `parents`, `prompt`"));
            }
        };
        parts.extend([Part::Text(&rest[..open]), part]);
        rest = &after[name.len() + 2..];
        text = 0;
    }
    parts.push(Part::Text(rest));
    Ok(parts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_template_has_names_in_braces_and_other_braces_are_text() {
        assert_eq!(parts("a {{prompt}}b"), Ok(vec![Part::Text("a "), Part::Prompt, Part::Text("b")]));
        for text in ["{{ 1 }}", "{{", "{{}}", "int a[] = {{1}, {2}};", "{{{"] {
            assert_eq!(parts(text), Ok(vec![Part::Text(text)]), "{text}");
        }
        assert_eq!(parts("{{{source}}"), Ok(vec![Part::Text("{"), Part::Source, Part::Text("")]));
        assert!(parts("{{sorce}}").is_err_and(|why| why.contains("`{{sorce}}`")));
        assert!(check("no program").is_err());
        assert_eq!(check(TEMPLATE), Ok(()));
    }

    #[test]
    fn a_program_lies_in_a_fence_that_it_does_not_contain() {
        for (program, expected) in
            [("a\n", "```\na\n```"), ("a", "```\na\n```"), ("", "```\n```"), ("```\n````\n", "`````\n```\n````\n`````")]
        {
            let mut text = String::new();
            fenced(&mut text, program);
            assert_eq!(text, expected);
        }
    }
}
