//! What a template may say, as data: the loader checks against it and the published JSON Schema is written from it, so that
//! neither can know a key that the other does not.

mod blank;
mod conform;
mod execute;
mod grammar;
mod schema;
mod step;

pub(crate) use blank::forget_blanks;
pub(crate) use conform::{MAX_PROBLEMS, Report, conform};
pub(crate) use execute::{DOCKER, GPU};
pub(crate) use grammar::TEMPLATE;
pub use schema::json_schema;

/// What a value must look like. Nothing at all (null) is allowed everywhere, and means that the key is not there.
#[derive(Debug)]
pub(crate) enum Shape {
    /// Text.
    Text,
    /// Text, or a number that is taken as it is written.
    Written,
    /// `true` or `false`.
    Flag,
    /// A whole number within bounds.
    Whole(i64, i64),
    /// A number that is not negative.
    Amount,
    /// One of these words.
    Word(&'static [&'static str]),
    /// A list.
    List(&'static Shape),
    /// A table with these keys and no others.
    Table(&'static Table),
    /// A table with any keys, its values of one shape.
    Names(&'static Shape),
    /// A table of anything.
    AnyTable,
    /// A JSON Schema: a table, or true or false.
    Schema,
    /// Anything.
    Any,
    /// One of these.
    Either(&'static [Shape]),
}

/// A table of known keys.
#[derive(Debug)]
pub(crate) struct Table {
    /// What it is called in messages.
    pub(crate) what: &'static str,
    pub(crate) keys: &'static [Key],
}

/// A key of a table.
#[derive(Debug)]
pub(crate) struct Key {
    pub(crate) name: &'static str,
    pub(crate) shape: Shape,
    pub(crate) effect: Effect,
    /// One sentence for editors and the reference.
    pub(crate) about: &'static str,
}

/// What comes of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Effect {
    /// It does something here.
    Acts,
    /// It tells people something.
    Tells,
    /// It is Tasker's; nothing here acts on it.
    Kept,
    /// Without it there is no such table.
    Needed,
}

impl Shape {
    /// What is allowed, for messages.
    pub(crate) fn allowed(&self) -> String {
        match self {
            Self::Text => "text".to_owned(),
            Self::Written => "text or a number".to_owned(),
            Self::Flag => "true or false".to_owned(),
            Self::Whole(least, i64::MAX) => format!("a whole number from {least}"),
            Self::Whole(least, most) => format!("a whole number from {least} to {most}"),
            Self::Amount => "a number from 0".to_owned(),
            Self::Word(words) => format!("one of {}", quoted(words.iter().copied())),
            Self::List(_) => "a list".to_owned(),
            Self::Table(_) | Self::Names(_) | Self::AnyTable => "a table".to_owned(),
            Self::Schema => "a JSON Schema".to_owned(),
            Self::Any => "anything".to_owned(),
            Self::Either(shapes) => shapes.iter().map(Self::allowed).collect::<Vec<_>>().join(", or "),
        }
    }
}

impl Table {
    pub(crate) fn find(&self, name: &str) -> Option<&'static Key> {
        self.keys.iter().find(|key| key.name == name)
    }

    pub(crate) fn names(&self) -> impl Iterator<Item = &'static str> {
        self.keys.iter().map(|key| key.name)
    }
}

/// Names in backticks, with commas between.
pub(crate) fn quoted<'a>(names: impl Iterator<Item = &'a str>) -> String {
    names.map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

/// A key that does something.
const fn acts(name: &'static str, shape: Shape, about: &'static str) -> Key {
    Key { name, shape, effect: Effect::Acts, about }
}

/// A key for people.
const fn tells(name: &'static str, shape: Shape, about: &'static str) -> Key {
    Key { name, shape, effect: Effect::Tells, about }
}

/// A key of Tasker's on which nothing acts.
const fn kept(name: &'static str, shape: Shape, about: &'static str) -> Key {
    Key { name, shape, effect: Effect::Kept, about }
}

/// A key that must be there.
const fn needed(name: &'static str, shape: Shape, about: &'static str) -> Key {
    Key { name, shape, effect: Effect::Needed, about }
}
