//! HTML as Python's markupsafe escapes it, which differs from minijinja's way in two characters.

use minijinja::value::ValueKind;
use minijinja::{AutoEscape, Error, ErrorKind, Output, State, Value};

/// Writes a value where a template prints it.
pub(crate) fn write(out: &mut Output, state: &mut State, value: &Value) -> Result<(), Error> {
    if matches!(state.auto_escape(), AutoEscape::Html) && !value.is_undefined() {
        return Ok(out.write_str(escape(value).as_str().unwrap_or_default())?);
    }
    minijinja::escape_formatter(out, state, value)
}

/// Escapes what is not marked safe.
pub(crate) fn escape(value: &Value) -> Value {
    if value.is_safe() { value.clone() } else { force_escape(value) }
}

/// Escapes, whether marked safe or not.
pub(crate) fn force_escape(value: &Value) -> Value {
    let text = value.to_string();
    let mut escaped = String::with_capacity(text.len() + text.len() / 8);
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '\'' => escaped.push_str("&#39;"),
            '"' => escaped.push_str("&#34;"),
            other => escaped.push(other),
        }
    }
    Value::from_safe_string(escaped)
}

/// An object as the attributes of an HTML element; what is none or not there is left out.
pub(crate) fn attributes(value: &Value, space: Option<bool>) -> Result<Value, Error> {
    let mut written = String::new();
    for name in value.try_iter()? {
        let attribute = value.get_item(&name)?;
        if matches!(attribute.kind(), ValueKind::None | ValueKind::Undefined) {
            continue;
        }
        let name = name.to_string();
        if name.contains([' ', '\t', '\n', '\r', '\u{c}', '/', '>', '=']) {
            let detail = format!("`{name}` cannot be the name of an attribute");
            return Err(Error::new(ErrorKind::InvalidOperation, detail));
        }
        if !written.is_empty() || space.unwrap_or(true) {
            written.push(' ');
        }
        let (name, attribute) = (escape(&Value::from(name)), escape(&attribute));
        written.push_str(&format!("{name}=\"{attribute}\""));
    }
    Ok(Value::from_safe_string(written))
}
