//! The filters and functions of jinja2 that minijinja leaves to its users.

use minijinja::value::{Kwargs, Rest, StringInput, ValueKind, ValueOrKwargs};
use minijinja::{Environment, Error, ErrorKind, State, Value};
use minijinja_contrib::{filters, globals};

use crate::{json, markup};

/// Adds them all.
pub(crate) fn add(environment: &mut Environment<'_>) {
    environment.add_filter("center", center);
    environment.add_filter("e", markup::escape);
    environment.add_filter("escape", markup::escape);
    environment.add_filter("filesizeformat", filters::filesizeformat);
    environment.add_filter("float", |state: &mut State, value: &Value, rest: Rest<ValueOrKwargs>| {
        minijinja::filters::float(state, value, None, with_default(named(&["default"], rest)?, 0.0)?)
    });
    environment.add_filter("forceescape", markup::force_escape);
    environment.add_filter("indent", indent);
    environment.add_filter("int", |state: &mut State, value: &Value, rest: Rest<ValueOrKwargs>| {
        minijinja::filters::int(state, value, None, None, with_default(named(&["default", "base"], rest)?, 0)?)
    });
    environment.add_filter("replace", replace);
    environment.add_filter("striptags", filters::striptags);
    environment.add_filter("tojson", json::tojson);
    environment.add_filter("truncate", |state: &mut State, value: &Value, rest: Rest<ValueOrKwargs>| {
        filters::truncate(state, value, named(&["length", "killwords", "end", "leeway"], rest)?)
    });
    environment.add_filter("urlencode", urlencode);
    environment.add_filter("wordcount", |value: &Value| filters::wordcount(value));
    environment.add_filter("wordwrap", |value: &Value, rest: Rest<ValueOrKwargs>| {
        let names = ["width", "break_long_words", "wrapstring", "break_on_hyphens"];
        filters::wordwrap(value, named(&names, rest)?)
    });
    environment.add_filter("xmlattr", markup::attributes);
    environment.add_function("cycler", |items: Rest<Value>| globals::cycler(items.0));
    environment.add_function("joiner", |separator: Option<Value>| globals::joiner(separator));
}

/// Gives arguments that came by place their names, since jinja2 takes them either way.
fn named(names: &[&str], rest: Rest<ValueOrKwargs>) -> Result<Kwargs, Error> {
    let mut names = names.iter();
    let mut pairs = Vec::new();
    for argument in rest.into_values() {
        if let Ok(kwargs) = Kwargs::try_from(argument.clone()) {
            for name in kwargs.args() {
                pairs.push((name.to_owned(), kwargs.get::<Value>(name)?));
            }
            continue;
        }
        let name = names.next().ok_or_else(|| Error::from(ErrorKind::TooManyArguments))?;
        pairs.push(((*name).to_owned(), argument));
    }
    Ok(pairs.into_iter().collect())
}

/// Names the default where the template names none.
fn with_default(kwargs: Kwargs, default: impl Into<Value>) -> Result<Kwargs, Error> {
    if kwargs.has("default") {
        return Ok(kwargs);
    }
    let mut pairs = vec![("default".to_owned(), default.into())];
    for name in kwargs.args() {
        pairs.push((name.to_owned(), kwargs.get::<Value>(name)?));
    }
    Ok(pairs.into_iter().collect())
}

/// Python's `str.center`: where the margins cannot be the same, the larger one is on the left for an odd width.
fn center(value: &Value, width: Option<usize>) -> String {
    let text = value.to_string();
    let length = text.chars().count();
    let width = width.unwrap_or(80);
    let margin = width.saturating_sub(length);
    let left = margin / 2 + (margin & width & 1);
    format!("{}{text}{}", " ".repeat(left), " ".repeat(margin - left))
}

/// Lines after the first, and the first where asked for, begin with so many blanks, or with this text; empty lines only
/// where asked for.
fn indent(
    value: &Value,
    width: Option<Value>,
    first: Option<bool>,
    blank: Option<bool>,
    kwargs: Kwargs,
) -> Result<String, Error> {
    let width = match width {
        None => kwargs.get::<Option<Value>>("width")?,
        given => given,
    };
    let first = first.or(kwargs.get("first")?).unwrap_or(false);
    let blank = blank.or(kwargs.get("blank")?).unwrap_or(false);
    kwargs.assert_all_used()?;
    let margin = match width {
        None => " ".repeat(4),
        Some(width) => match width.as_str() {
            Some(text) => text.to_owned(),
            None => " ".repeat(usize::try_from(width)?),
        },
    };
    let text = value.to_string();
    let mut indented = String::with_capacity(text.len() + text.len() / 4);
    for (number, line) in text.split('\n').enumerate() {
        if number > 0 {
            indented.push('\n');
        }
        if if number == 0 { first } else { blank || !line.is_empty() } {
            indented.push_str(&margin);
        }
        indented.push_str(line);
    }
    Ok(indented)
}

/// Replaces a text by another, everywhere or so many times.
fn replace(
    state: &mut State,
    value: &Value,
    from: StringInput<'_>,
    to: StringInput<'_>,
    count: Option<usize>,
) -> Result<Value, Error> {
    match count {
        None => minijinja::filters::replace(state, StringInput::new(state, value)?, from, to),
        Some(count) => Ok(Value::from(value.to_string().replacen(from.as_str(), to.as_str(), count))),
    }
}

/// Encodes a text for a path, or an object for a query, where a blank is a plus sign.
fn urlencode(value: &Value) -> Result<String, Error> {
    let encoded = minijinja::filters::urlencode(value)?;
    // The only blanks of a query that is encoded are these.
    Ok(if value.kind() == ValueKind::String { encoded } else { encoded.replace("%20", "+") })
}
