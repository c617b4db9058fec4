//! Which steps an expression speaks of.

use std::collections::BTreeSet;

use super::{bare, engine};

/// The steps that an expression certainly speaks of: as `steps.NAME` or `steps["NAME"]`.
pub(crate) fn step_names(text: &str) -> BTreeSet<String> {
    let Ok(text) = bare(text) else { return BTreeSet::new() };
    let Ok(expression) = engine().compile_expression_owned(text.to_owned()) else { return BTreeSet::new() };
    let dotted = expression.undeclared_variables(true).into_iter().filter_map(|path| {
        let step = path.strip_prefix("steps.")?;
        Some(step.split('.').next().unwrap_or(step).to_owned())
    });
    dotted.chain(subscripts(text)).collect()
}

/// What stands in `steps["…"]`, outside of texts.
fn subscripts(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut rest = text;
    let mut before = ' ';
    while let Some(first) = rest.chars().next() {
        if first == '"' || first == '\'' {
            rest = string(rest).map_or("", |(_, after)| after);
        } else if !is_word(before)
            && before != '.'
            && let Some(after) = rest.strip_prefix("steps")
            && let Some(inner) = after.trim_start().strip_prefix('[')
        {
            let inner = inner.trim_start();
            if let Some((name, after)) = string(inner)
                && after.trim_start().starts_with(']')
                && !name.contains('\\')
            {
                found.push(name.to_owned());
            }
            rest = inner;
            before = '[';
            continue;
        } else {
            rest = &rest[first.len_utf8()..];
        }
        before = first;
    }
    found
}

/// The text in quotes with which this begins, and what follows it.
pub(super) fn string(text: &str) -> Option<(&str, &str)> {
    let quote = text.chars().next().filter(|quote| *quote == '"' || *quote == '\'')?;
    let mut escaped = false;
    for (at, character) in text.char_indices().skip(1) {
        match character {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            _ if character == quote => return Some((&text[1..at], &text[at + 1..])),
            _ => {}
        }
    }
    None
}

fn is_word(character: char) -> bool {
    character.is_alphanumeric() || character == '_'
}
