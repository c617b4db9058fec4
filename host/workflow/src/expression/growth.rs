//! What could make much out of little, told before anything is evaluated.
//!
//! `*` repeats lists and texts as well as it multiplies numbers, and the engine counts no fuel for that: a list of repeated
//! lists, once repeated itself and written out, would fill any memory. Where an expression multiplies, it may therefore
//! neither build lists and texts nor write values out. `map` is the other way to have a value many times: what it gives for
//! each item must be short.

use super::ExpressionError;
use super::tokens::Token::{self, Sign, Text, Word};

/// The most operators, filters, subscripts and commas: each is a level of the tree that the engine walks.
const MAX_OPERATORS: usize = 200;
/// The most `*`: each may make a text of 100 MB, by the engine's own bound.
const MAX_PRODUCTS: usize = 4;
/// The longest text in the brackets of `map`, in bytes: it may stand for each item of the longest list.
const MAX_MAPPED: usize = 64;
/// Words that build lists or texts, or write values out.
const WORDS: [&str; 5] = ["range", "map", "list", "string", "split"];

/// Refuses what could grow without bound.
pub(super) fn check(tokens: &[Token<'_>]) -> Result<(), ExpressionError> {
    let operators = tokens.iter().filter(|token| token.is_operator()).count();
    if operators > MAX_OPERATORS {
        return Err(ExpressionError::TooManyOperators(MAX_OPERATORS));
    }
    let products = tokens.iter().filter(|token| matches!(token, Sign("*" | "**"))).count();
    if products > MAX_PRODUCTS {
        return Err(ExpressionError::TooManyProducts(MAX_PRODUCTS));
    }
    if let Some(beside) = builds(tokens).filter(|_| products > 0) {
        return Err(ExpressionError::Grows(beside));
    }
    let lists = tokens.iter().any(|token| matches!(token, Word("map" | "range")));
    if lists && tokens.contains(&Sign("~")) {
        return Err(ExpressionError::WritesLists);
    }
    if maps_at_large(tokens) { Err(ExpressionError::MapsAtLarge(MAX_MAPPED)) } else { Ok(()) }
}

/// The first part that builds a list or a text, or writes one out.
fn builds(tokens: &[Token<'_>]) -> Option<&'static str> {
    // For each bracket that is open: whether a comma in it makes a tuple.
    let mut open: Vec<bool> = Vec::new();
    let mut before = None;
    for (at, token) in tokens.iter().enumerate() {
        let after_value = before.is_some_and(Token::ends_value);
        match *token {
            Word(word) => {
                if let Some(known) = WORDS.into_iter().find(|known| *known == word) {
                    return Some(known);
                }
            }
            Text(_) if is_subscript(before, tokens.get(at + 1)) || is_compared(before, tokens.get(at + 1)) => {}
            Text(_) => return Some("'…'"),
            Sign("~") => return Some("~"),
            Sign("[") if !after_value => return Some("[…]"),
            Sign("(") => open.push(!after_value),
            Sign("[" | "{") => open.push(false),
            Sign(")" | "]" | "}") => drop(open.pop()),
            Sign(",") if open.last().copied().unwrap_or(true) => return Some("(…, …)"),
            Sign(_) => {}
        }
        before = Some(*token);
    }
    None
}

fn is_subscript(before: Option<Token<'_>>, after: Option<&Token<'_>>) -> bool {
    before == Some(Sign("[")) && after == Some(&Sign("]"))
}

/// Whether what stands between these is compared, and nothing else: what comes of that is no text.
fn is_compared(before: Option<Token<'_>>, after: Option<&Token<'_>>) -> bool {
    let compares =
        |token: Option<&Token<'_>>| matches!(token, Some(Sign("==" | "!=" | "<" | ">" | "<=" | ">=") | Word("in")));
    let begins = matches!(before, None | Some(Sign("(") | Word("and" | "or" | "not")));
    let ends = matches!(after, None | Some(Sign(")") | Word("and" | "or")));
    (compares(before.as_ref()) && ends) || (begins && compares(after))
}

/// Whether a `map` takes anything but short literals.
fn maps_at_large(tokens: &[Token<'_>]) -> bool {
    let calls = tokens.windows(3).enumerate().filter(|(_, part)| *part == [Sign("|"), Word("map"), Sign("(")]);
    calls.into_iter().any(|(at, _)| {
        let arguments = tokens[at + 3..].iter().take_while(|token| **token != Sign(")"));
        arguments.into_iter().any(|token| match token {
            Text(text) => text.len() > MAX_MAPPED,
            Word("attribute" | "default" | "true" | "True" | "false" | "False" | "none" | "None") => false,
            Word(word) => !word.starts_with(|first: char| first.is_ascii_digit()),
            Sign(sign) => !matches!(*sign, "=" | "," | "-" | "."),
        })
    })
}
