//! What could make much out of little.
//!
//! `*` repeats lists as well as it multiplies numbers, and the engine counts no fuel for that: a list of repeated lists, once
//! repeated itself and written out, would fill any memory. Where an expression multiplies, it may therefore neither build
//! lists nor write values out.

use super::names::string;

/// Words that build lists or write values out.
const WORDS: [&str; 4] = ["range", "map", "list", "string"];

/// What stands beside a `*` and must not; nothing where there is none, or all is well.
pub(super) fn beside_multiplication(text: &str) -> Option<&'static str> {
    let (mut multiplies, mut found) = (false, None);
    // Whether what comes before is a value, so that `[` is a subscript.
    let mut after_value = false;
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        if first == '"' || first == '\'' {
            rest = string(rest).map_or("", |(_, after)| after);
            after_value = true;
            continue;
        }
        if first.is_alphanumeric() || first == '_' {
            let end = rest.find(|next: char| !next.is_alphanumeric() && next != '_').unwrap_or(rest.len());
            let word = &rest[..end];
            found = found.or_else(|| WORDS.into_iter().find(|known| *known == word));
            after_value = !matches!(word, "and" | "or" | "not" | "in" | "is" | "if" | "else");
            rest = &rest[end..];
            continue;
        }
        match first {
            '*' => multiplies = true,
            '[' if !after_value => found = found.or(Some("[…]")),
            '~' => found = found.or(Some("~")),
            _ => {}
        }
        if !first.is_whitespace() {
            after_value = matches!(first, ')' | ']' | '}');
        }
        rest = &rest[first.len_utf8()..];
    }
    found.filter(|_| multiplies)
}
