//! The model of `examples/evolve`: recorded answers, chosen by what the question contains.
//!
//! The example's `answers` has improvements in the folder `better`, what else a model may say in `other`, and in
//! `sequence.txt` what each change of each generation gets: the name of an answer, or one of the words of [`Word`].

use std::collections::{BTreeMap, HashSet};
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use crate::Reply;

/// What the mutator writes before the program that is to be changed.
const PROGRAM: &str = "The program to change:";

/// What a change gets.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Word {
    /// `better`: the next improvement of which all lines are in the program.
    Better,
    /// `flaky`: 503 at first, then the same.
    Flaky,
    /// `503`: always.
    Unavailable,
    /// `slow`: nothing, until whoever asks has waited long enough.
    Slow,
    /// This answer of the folder `other`.
    Other(String),
}

/// What is answered to which change.
#[derive(Debug)]
pub struct Answers {
    better: Vec<String>,
    other: BTreeMap<String, String>,
    sequence: Vec<Vec<Word>>,
    /// The changes that got their 503.
    shaken: Mutex<HashSet<(usize, usize)>>,
}

impl Answers {
    /// Reads the answers of the example.
    pub fn read(folder: &Path) -> Result<Self> {
        let better = texts(&folder.join("better"))?.into_values().collect();
        let other = texts(&folder.join("other"))?;
        let sequence = std::fs::read_to_string(folder.join("sequence.txt")).context("`sequence.txt`")?;
        let word = |word: &str| match word {
            "better" => Ok(Word::Better),
            "flaky" => Ok(Word::Flaky),
            "503" => Ok(Word::Unavailable),
            "slow" => Ok(Word::Slow),
            name if other.contains_key(name) => Ok(Word::Other(name.to_owned())),
            name => anyhow::bail!("there is no answer `{name}`"),
        };
        let line = |line: &str| line.split_whitespace().map(word).collect::<Result<Vec<_>>>();
        let sequence = sequence.lines().map(line).collect::<Result<Vec<_>>>()?;
        ensure!(!sequence.is_empty() && sequence.iter().all(|line| !line.is_empty()), "`sequence.txt` has empty lines");
        Ok(Self { better, other, sequence, shaken: Mutex::default() })
    }

    /// What the changes of a generation get, which is counted from 1; after the last line it is the first again.
    pub fn generation(&self, generation: usize) -> &[Word] {
        &self.sequence[generation.saturating_sub(1) % self.sequence.len()]
    }

    /// The reply to a question; 400 where it is none of an evolution.
    pub fn reply(&self, question: &Value) -> Reply {
        let messages = question["messages"].as_array().into_iter().flatten();
        let asked = messages.filter_map(|message| message["content"].as_str()).next_back().unwrap_or_default();
        let Some((generation, change)) = number(asked, "(Generation ").zip(number(asked, ", change ")) else {
            return Reply::Fails(400);
        };
        let program = asked.rsplit_once(PROGRAM).map_or("", |(_, program)| program);
        let line = self.generation(generation);
        let place = change.saturating_sub(1) % line.len();
        match &line[place] {
            Word::Better => self.improve(program, line, place),
            Word::Flaky if self.shaken.lock().unwrap_or_else(PoisonError::into_inner).insert((generation, change)) => {
                Reply::Fails(503)
            }
            Word::Flaky => self.improve(program, line, place),
            Word::Unavailable => Reply::Fails(503),
            Word::Slow => Reply::IsSilent,
            Word::Other(name) => Reply::Says(self.other[name].clone()),
        }
    }

    /// Changes of one generation that are to be better get different improvements, as far as there are some that apply.
    fn improve(&self, program: &str, line: &[Word], place: usize) -> Reply {
        let applies = |answer: &&String| hunks(answer).iter().all(|hunk| program.matches(hunk.as_str()).count() == 1);
        let applying: Vec<&String> = self.better.iter().filter(applies).collect();
        let before = line[..place].iter().filter(|word| matches!(word, Word::Better | Word::Flaky)).count();
        match applying.len() {
            0 => Reply::Says("I see nothing to improve.".to_owned()),
            count => Reply::Says(applying[before % count].clone()),
        }
    }
}

/// What each hunk of an answer wants to find: its lines but for those that it adds.
fn hunks(answer: &str) -> Vec<String> {
    let diff = answer.split("```").nth(1).unwrap_or_default();
    let hunks = diff.split("\n@@ ").skip(1);
    hunks
        .map(|hunk| {
            let lines = hunk.lines().skip(1).filter_map(|line| match line.split_at_checked(1) {
                Some((" " | "-", rest)) => Some(format!("{rest}\n")),
                _ => None,
            });
            format!("\n{}", lines.collect::<String>())
        })
        .collect()
}

/// The number after these words.
fn number(text: &str, words: &str) -> Option<usize> {
    let rest = text.rsplit_once(words)?.1;
    let end = rest.find(|character: char| !character.is_ascii_digit()).unwrap_or(rest.len());
    rest[..end].parse().ok()
}

/// The texts of a folder, by their names without the extension.
fn texts(folder: &Path) -> Result<BTreeMap<String, String>> {
    let entries = std::fs::read_dir(folder).with_context(|| format!("`{}`", folder.display()))?;
    let read = |entry: std::io::Result<std::fs::DirEntry>| {
        let path = entry?.path();
        let name = path.file_stem().and_then(|name| name.to_str()).context("a name in UTF-8")?;
        Ok((name.to_owned(), std::fs::read_to_string(&path)?))
    };
    entries.map(read).collect()
}
