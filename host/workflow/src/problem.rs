//! What is wrong with a template, and where.

use crate::yaml::Mark;

/// One thing that is wrong with a template, or that its author should know.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    /// The line, from 1.
    pub line: u32,
    /// The column, from 1.
    pub column: u32,
    /// What is wrong.
    pub message: String,
    /// What is allowed there, or what to do.
    pub hint: Option<String>,
}

impl Problem {
    pub(crate) fn at(mark: Mark, message: impl Into<String>) -> Self {
        Self { line: mark.line, column: mark.column, message: message.into(), hint: None }
    }

    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Adds the nearest of the known names, as long as there are guesses left.
    pub(crate) fn guessed<'a>(
        self,
        wrong: &str,
        known: impl IntoIterator<Item = &'a str>,
        guesses: &mut Guesses,
    ) -> Self {
        let left = |_: &&str| {
            guesses.left = guesses.left.saturating_sub(1);
            guesses.left > 0
        };
        self.nearest(wrong, known.into_iter().take_while(left))
    }

    /// Adds the nearest of the known names as what to do, where one is near.
    pub(crate) fn nearest<'a>(mut self, wrong: &str, known: impl IntoIterator<Item = &'a str>) -> Self {
        if let Some(name) = nearest(wrong, known) {
            let question = format!("did you mean `{name}`?");
            self.hint = Some(match self.hint {
                Some(hint) => format!("{question} {hint}"),
                None => question,
            });
        }
        self
    }
}

impl std::fmt::Display for Problem {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{}:{}: {}", self.line, self.column, self.message)?;
        match &self.hint {
            Some(hint) => write!(formatter, "\n    {hint}"),
            None => Ok(()),
        }
    }
}

/// How many names may still be compared with wrong ones.
///
/// A comparison costs up to some tens of microseconds, and a file may have ten thousand steps with as many wrong names.
#[derive(Debug)]
pub(crate) struct Guesses {
    left: usize,
}

impl Default for Guesses {
    /// Enough for every wrong name of any file that a person wrote.
    fn default() -> Self {
        Self { left: 100_000 }
    }
}

/// Everything that is wrong with a template, in the order of its lines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TemplateErrors {
    /// The file, as the reader of the messages knows it.
    pub file: String,
    /// What is wrong.
    pub problems: Vec<Problem>,
    /// How many more problems there are than are told.
    pub more: usize,
}

impl std::error::Error for TemplateErrors {}

impl std::fmt::Display for TemplateErrors {
    /// `file:line:column: message`, one a line, with what is allowed there below it.
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (index, problem) in self.problems.iter().enumerate() {
            let line = if index == 0 { "" } else { "\n" };
            write!(formatter, "{line}{}:{problem}", self.file)?;
        }
        if self.more > 0 {
            write!(formatter, "\n{}: {} more", self.file, self.more)?;
        }
        Ok(())
    }
}

/// The known name that is nearest to a wrong one, where one is near enough to be meant.
pub(crate) fn nearest<'a>(wrong: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    // What is longer is no slip of the pen, and would take long to compare.
    let short = |name: &&str| name.len() <= 64;
    let wrong = Some(wrong).filter(short)?;
    let far = |name: &'a str| (strsim::damerau_levenshtein(&wrong.to_lowercase(), &name.to_lowercase()), name);
    let near = |(far, name): &(usize, &str)| *far <= 1.max(name.len().min(9) / 3);
    known.into_iter().filter(short).map(far).filter(near).min().map(|(_, name)| name)
}

/// A text as it may stand in a message: control characters escaped, at most 80 characters.
pub(crate) fn shown(text: &str) -> String {
    let mut shown: String = text.chars().take(80).flat_map(char::escape_debug).collect();
    if text.chars().nth(80).is_some() {
        shown.push('…');
    }
    shown
}
