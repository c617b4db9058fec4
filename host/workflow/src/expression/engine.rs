//! The engine that evaluates expressions, without what could make much out of little.

use std::sync::OnceLock;

use minijinja::value::{Kwargs, ValueKind};
use minijinja::{Environment, Error, ErrorKind, State, UndefinedBehavior, Value};

use super::{MAX_ITEMS, ROOTS};

/// The most instructions of one evaluation; no expression of the greatest length comes near.
const FUEL: u64 = 100_000;
/// Filters that print or that can make a long text out of a short one.
const WITHOUT_FILTERS: [&str; 11] =
    ["batch", "e", "escape", "format", "indent", "join", "pprint", "replace", "safe", "slice", "title"];

/// A value that is not there is false, and may be asked whether it is `defined`; all else with it is an error: a condition
/// must not skip a step because of a slip of the pen.
pub(super) fn engine() -> &'static Environment<'static> {
    static ENGINE: OnceLock<Environment<'static>> = OnceLock::new();
    ENGINE.get_or_init(build)
}

fn build() -> Environment<'static> {
    let mut engine = Environment::new();
    engine.set_undefined_behavior(UndefinedBehavior::SemiStrict);
    engine.set_fuel(Some(FUEL));
    for filter in WITHOUT_FILTERS {
        engine.remove_filter(filter);
    }
    let globals: Vec<String> = engine.globals().map(|(name, _)| name.to_owned()).collect();
    for name in globals.iter().filter(|name| !ROOTS.contains(&name.as_str())) {
        engine.remove_global(name);
    }
    engine.add_function("range", range);
    engine.add_filter("string", string);
    engine.add_filter("sum", sum);
    engine
}

fn refused(why: impl Into<std::borrow::Cow<'static, str>>) -> Error {
    Error::new(ErrorKind::InvalidOperation, why)
}

/// Numbers in a row, no more than a list may have.
fn range(lower: isize, upper: Option<isize>, step: Option<isize>) -> Result<Value, Error> {
    let range = minijinja::functions::range(lower, upper, step)?;
    if range.try_iter()?.nth(MAX_ITEMS).is_some() {
        return Err(refused(format!("a range of more than {MAX_ITEMS} items")));
    }
    Ok(range)
}

/// A number or a flag as text; lists and tables written out could be of any length.
fn string(state: &State<'_, '_>, value: &Value) -> Result<Value, Error> {
    match value.kind() {
        ValueKind::Undefined | ValueKind::None | ValueKind::Bool | ValueKind::Number | ValueKind::String => {
            minijinja::filters::string(state, value)
        }
        kind => Err(refused(format!("`string` writes no {kind}"))),
    }
}

/// The sum of numbers, or of an attribute of tables; texts and lists are not put together.
fn sum(values: &Value, attribute: Option<&str>, options: Kwargs) -> Result<Value, Error> {
    let attribute =
        attribute.map_or_else(|| options.get::<Option<&str>>("attribute"), |attribute| Ok(Some(attribute)))?;
    options.assert_all_used()?;
    let (mut whole, mut broken, mut is_whole) = (0_i128, 0.0_f64, true);
    for item in values.try_iter()? {
        let parts = attribute.into_iter().flat_map(|path| path.split('.'));
        let number = parts.into_iter().try_fold(item, |value, part| value.get_attr(part))?;
        if number.kind() != ValueKind::Number {
            return Err(refused(format!("`sum` adds numbers, not {}", number.kind())));
        }
        is_whole &= number.is_integer();
        broken += f64::try_from(number.clone())?;
        if is_whole {
            let more = i128::try_from(number)?;
            whole = whole.checked_add(more).ok_or_else(|| refused("the sum is too large"))?;
        }
    }
    Ok(if is_whole { Value::from(whole) } else { Value::from(broken) })
}
