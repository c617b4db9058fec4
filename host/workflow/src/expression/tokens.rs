//! The parts of an expression, as far as its bounds are told from them.

/// A part of an expression.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Token<'a> {
    /// A name, a word of the language or a number.
    Word(&'a str),
    /// What stands in quotes, as it was written.
    Text(&'a str),
    /// Anything else; `==`, `**` and the like are one.
    Sign(&'a str),
}

/// Words that take a value on their right, so that none stands on their left for `[` and `(`.
const OPERATORS: [&str; 7] = ["and", "or", "not", "in", "is", "if", "else"];

impl Token<'_> {
    /// Whether a value ends here, so that `[` is a subscript and `(` a call.
    pub(super) fn ends_value(self) -> bool {
        match self {
            Self::Word(word) => !OPERATORS.contains(&word),
            Self::Text(_) => true,
            Self::Sign(sign) => matches!(sign, ")" | "]" | "}"),
        }
    }

    /// Whether it makes one more step of the evaluation: an operator, a filter, a subscript, a comma.
    pub(super) fn is_operator(self) -> bool {
        match self {
            Self::Word(word) => OPERATORS.contains(&word),
            Self::Text(_) => false,
            Self::Sign(sign) => !matches!(sign, "(" | ")" | "]" | "{" | "}"),
        }
    }
}

/// The parts of an expression; a text that is not closed ends them.
pub(super) fn tokens(text: &str) -> Vec<Token<'_>> {
    let mut tokens = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let (token, after) = if first == '"' || first == '\'' {
            let Some((inner, after)) = string(rest) else { break };
            (Token::Text(inner), after)
        } else if is_word(first) {
            let (word, after) = rest.split_at(rest.find(|next| !is_word(next)).unwrap_or(rest.len()));
            (Token::Word(word), after)
        } else {
            let two = ["==", "!=", "<=", ">=", "**", "//"].into_iter().find(|two| rest.starts_with(two));
            let (sign, after) = rest.split_at(two.map_or(first.len_utf8(), str::len));
            (Token::Sign(sign), after)
        };
        tokens.push(token);
        rest = after.trim_start();
    }
    tokens
}

/// The text in quotes with which this begins, and what follows it.
fn string(text: &str) -> Option<(&str, &str)> {
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
