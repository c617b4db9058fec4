//! What one guest is made to do, and how that must end.

use std::fmt;

use serde_json::{Value, json};

/// Runs of the long form: what leaks a page each time has leaked 40 MB then.
const MOST: usize = 10_000;
/// The same of rows that run containers.
const CONTAINERS: usize = 20;

/// One way to use a guest.
#[derive(Debug, Clone)]
pub struct Row {
    /// What it does, in a few words.
    pub does: &'static str,
    /// The end that the host must give it.
    pub end: End,
    /// What its tasks have beside their kind.
    pub task: Value,
    /// The most runs that are worth their time.
    pub most: usize,
    /// Whether it takes a Docker engine: with none it cannot be made.
    pub takes_engine: bool,
}

/// How a row must end.
#[derive(Debug, Clone, PartialEq)]
pub enum End {
    /// Its file is refused, with these words.
    Refused(&'static str),
    /// Its file is understood and kept out, with these words.
    KeptOut(&'static str),
    /// Its task dies with this reason, and the error has these words.
    Dead(&'static str, &'static str),
    /// Its task succeeds with this result: what it was after was not there, or did no harm.
    Succeeds(Value),
    /// Its task succeeds, and its result has these words.
    Tells(&'static str),
}

impl fmt::Display for End {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(match self {
            Self::Refused(_) => "refused",
            Self::KeptOut(_) => "kept out",
            Self::Dead(reason, _) => reason,
            Self::Succeeds(_) | Self::Tells(_) => "succeeded",
        })
    }
}

impl Row {
    pub(super) fn new(does: &'static str, end: End) -> Self {
        Self { does, end, task: json!({}), most: MOST, takes_engine: false }
    }

    pub(super) fn kept_out(does: &'static str, words: &'static str) -> Self {
        Self::new(does, End::KeptOut(words))
    }

    pub(super) fn refused(does: &'static str, words: &'static str) -> Self {
        Self::new(does, End::Refused(words))
    }

    pub(super) fn dead(does: &'static str, reason: &'static str, words: &'static str) -> Self {
        Self::new(does, End::Dead(reason, words))
    }

    pub(super) fn succeeds(does: &'static str, result: Value) -> Self {
        Self::new(does, End::Succeeds(result))
    }

    pub(super) fn tells(does: &'static str, words: &'static str) -> Self {
        Self::new(does, End::Tells(words))
    }

    /// Its tasks have this payload.
    pub(super) fn payload(self, payload: impl Into<Value>) -> Self {
        self.with("payload", payload)
    }

    /// Its tasks have this field.
    pub(super) fn with(mut self, field: &str, value: impl Into<Value>) -> Self {
        if let Some(task) = self.task.as_object_mut() {
            task.insert(field.to_owned(), value.into());
        }
        self
    }

    /// It runs containers: they take long, so that few must do.
    pub(super) fn in_containers(mut self) -> Self {
        self.takes_engine = true;
        self.most(CONTAINERS)
    }

    /// Each run takes long, so that fewer must do.
    pub(super) fn most(mut self, most: usize) -> Self {
        self.most = most;
        self
    }
}
