//! JSON as jinja2 writes it: names sorted, nothing but ASCII.

use std::fmt::Write;

use minijinja::value::{Kwargs, ValueKind};
use minijinja::{Error, Value};

/// The filter `tojson`: safe inside HTML.
pub(crate) fn tojson(value: &Value, indent: Option<Value>, kwargs: Kwargs) -> Result<Value, Error> {
    let json = minijinja::filters::tojson(&sorted(value)?, indent, kwargs)?;
    let text = json.as_str().unwrap_or_default();
    if text.is_ascii() {
        return Ok(json);
    }
    let mut escaped = String::with_capacity(text.len() * 2);
    for character in text.chars() {
        if character.is_ascii() {
            escaped.push(character);
        } else {
            for unit in character.encode_utf16(&mut [0; 2]) {
                // Writing to a String cannot fail.
                let _ = write!(escaped, "\\u{unit:04x}");
            }
        }
    }
    Ok(Value::from_safe_string(escaped))
}

fn sorted(value: &Value) -> Result<Value, Error> {
    match value.kind() {
        ValueKind::Map => {
            let mut names: Vec<Value> = value.try_iter()?.collect();
            names.sort();
            let pairs = names.into_iter().map(|name| Ok((name.clone(), sorted(&value.get_item(&name)?)?)));
            Ok(Value::from_pairs(pairs.collect::<Result<Vec<_>, Error>>()?))
        }
        ValueKind::Seq | ValueKind::Iterable => {
            value.try_iter()?.map(|item| sorted(&item)).collect::<Result<Vec<_>, Error>>().map(Value::from)
        }
        _ => Ok(value.clone()),
    }
}
