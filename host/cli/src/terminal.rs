//! Text that others have written, as a terminal may be given it.
//!
//! Guests and those who submit choose what stands in errors, results and names. A terminal obeys some characters instead
//! of showing them, and some change how others look; all of these are escaped (CWE-150).

use std::borrow::Cow;

/// A text of several lines: what moves the cursor, or cannot be seen, is escaped; its lines and tabs stay.
pub(crate) fn text(text: &str) -> Cow<'_, str> {
    let stays = |character: char| matches!(character, '\n' | '\t' | '\\' | '\'' | '"');
    let mut escaped = String::new();
    for part in text.split_inclusive(stays) {
        let end = part.chars().next_back().filter(|character| stays(*character));
        let shown = part.strip_suffix(stays).unwrap_or(part).escape_debug();
        escaped.extend(shown.chain(end));
    }
    if escaped == text { Cow::Borrowed(text) } else { Cow::Owned(escaped) }
}

/// A name, in one line; escapes that were in it are told from those made here.
pub(crate) fn name(name: &str) -> String {
    // Quotes harm nobody, and names have them.
    name.escape_debug().to_string().replace("\\'", "'").replace("\\\"", "\"")
}

/// JSON that means the same: what is left in it that a terminal obeys stands in strings, where it may be escaped.
pub(crate) fn json(json: &str) -> Cow<'_, str> {
    // Controls beyond those that JSON escapes itself, and those that turn the direction of what follows.
    let is_obeyed =
        |character: char| matches!(character, '\u{7f}'..='\u{9f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    if !json.contains(is_obeyed) {
        return Cow::Borrowed(json);
    }
    let mut escaped = String::with_capacity(json.len() + 16);
    for character in json.chars() {
        if is_obeyed(character) {
            escaped.push_str(&format!("\\u{:04x}", u32::from(character)));
        } else {
            escaped.push(character);
        }
    }
    Cow::Owned(escaped)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_name_moves_the_cursor_or_hides_what_it_is() {
        for (given, shown) in [
            ("it's \"my\" file.txt", "it's \"my\" file.txt"),
            ("ä/e\u{301}", "ä/e\u{301}"),
            ("a\nb\r\x1b[2J", "a\\nb\\r\\u{1b}[2J"),
            ("\u{9b}2J \u{202e}txt.exe", "\\u{9b}2J \\u{202e}txt.exe"),
            ("back\\n\\'", "back\\\\n\\\\'"),
        ] {
            assert_eq!(name(given), shown);
        }
    }

    #[test]
    fn no_text_does_and_its_lines_stay() {
        for (given, shown) in [
            ("", ""),
            ("it's \"mine\"\n\tC:\\x → ä\n", "it's \"mine\"\n\tC:\\x → ä\n"),
            ("a\r\nb\x1b[2J", "a\\r\nb\\u{1b}[2J"),
            ("\u{9b}2J\0\u{7f} \u{202e}txt.exe", "\\u{9b}2J\\0\\u{7f} \\u{202e}txt.exe"),
        ] {
            assert_eq!(text(given), shown);
        }
        assert!(matches!(text("plain 'words'"), Cow::Borrowed(_)));
    }

    #[test]
    fn json_means_the_same() {
        let value = serde_json::json!({ "a\u{7f}": "\u{9b}2J\x1b[1m\\\u{9f}", "b": ["ä", "\u{202e}\u{2069}"] });
        let printed = value.to_string();
        let escaped = json(&printed);
        assert!(!escaped.contains(|character: char| character != 'ä' && !character.is_ascii_graphic()), "{escaped}");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&escaped).expect("JSON"), value);
        assert!(matches!(json("{\"a\":1}\n"), Cow::Borrowed(_)));
    }
}
