//! From everything that was said to what holds.

use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::environment::{self, FromEnvironment};
use super::tables::Settings;

/// The settings file that is read where none is named.
const DEFAULT_FILE: &str = "bulkhead.toml";

/// Settings that hold, and where each comes from.
#[derive(Debug)]
pub(crate) struct Resolved {
    /// The settings.
    pub(crate) settings: Settings,
    /// The file that was read.
    pub(crate) file: Option<PathBuf>,
    in_file: toml::Table,
    in_environment: Vec<FromEnvironment>,
    in_flags: Vec<Vec<String>>,
}

/// Why the settings are refused.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum SettingsError {
    /// The file cannot be read.
    Unreadable { file: PathBuf, reason: String },
    /// The file says something that cannot be.
    File { file: PathBuf, reason: String },
    /// Something in the environment or a flag says so.
    Said { by: String, reason: String },
}

impl std::error::Error for SettingsError {}

impl std::fmt::Display for SettingsError {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Unreadable { file, reason } => write!(
                formatter,
                "the settings file cannot be read: {reason}: `{}`; make one with `bulkhead init`, or name another with --config",
                file.display()
            ),
            Self::File { file, reason } => {
                write!(formatter, "the settings file `{}` is refused: {reason}", file.display())
            }
            Self::Said { by, reason } => write!(formatter, "{by} is refused: {reason}"),
        }
    }
}

/// One flag: the tables and the key it sets, its name, and its value.
pub(crate) type Flag<'a> = (&'a [&'a str], &'a str, String);

/// Reads file and environment, and lays the flags over them.
pub(crate) fn resolve(
    file: Option<&Path>,
    variables: impl Iterator<Item = (String, String)>,
    flags: &[Flag<'_>],
) -> Result<Resolved, SettingsError> {
    let (file, text) = read(file)?;
    resolve_text(file, &text, variables, flags)
}

/// The same of a file that was read.
pub(crate) fn resolve_text(
    file: Option<PathBuf>,
    text: &str,
    variables: impl Iterator<Item = (String, String)>,
    flags: &[Flag<'_>],
) -> Result<Resolved, SettingsError> {
    let refused = |reason| SettingsError::File { file: file.clone().unwrap_or_default(), reason };
    // Read as settings first, so that an error has its line.
    let mut settings: Settings =
        toml::from_str(text).map_err(|error| refused(with_nearest(&without_texts(&error.to_string()))))?;
    let in_file: toml::Table = toml::from_str(text).map_err(|error| refused(without_texts(&error.to_string())))?;
    let mut all = in_file.clone();
    let in_environment = environment::read(variables);
    for said in &in_environment {
        let by = format!("the environment's {}", said.name);
        if let Some(table) = said.case_sensitive_table() {
            return Err(SettingsError::Said {
                by,
                reason: format!(
                    "small and large letters differ in the names of `[{table}]`: set it in the settings file"
                ),
            });
        }
        let path: Vec<&str> = said.path.iter().map(String::as_str).collect();
        settings = lay_over(&mut all, &path, said.value.clone(), &by)?;
    }
    for (path, name, value) in flags {
        settings = lay_over(&mut all, path, toml::Value::String(value.clone()), name)?;
    }
    let in_flags = flags.iter().map(|(path, ..)| path.iter().map(|part| (*part).to_owned()).collect()).collect();
    Ok(Resolved { settings, file, in_file, in_environment, in_flags })
}

fn read(file: Option<&Path>) -> Result<(Option<PathBuf>, String), SettingsError> {
    let named = file.is_some();
    let file = file.unwrap_or(Path::new(DEFAULT_FILE));
    match std::fs::read_to_string(file) {
        Ok(text) => Ok((Some(file.to_owned()), text)),
        Err(error) if !named && error.kind() == std::io::ErrorKind::NotFound => Ok((None, String::new())),
        Err(error) => Err(SettingsError::Unreadable { file: file.to_owned(), reason: error.to_string() }),
    }
}

/// Sets one value and reads the whole again, so that whoever said something wrong is named.
fn lay_over(all: &mut toml::Table, path: &[&str], value: toml::Value, by: &str) -> Result<Settings, SettingsError> {
    let said = |reason| SettingsError::Said { by: by.to_owned(), reason };
    let (key, tables) = path.split_last().ok_or_else(|| said("it names no setting".to_owned()))?;
    let mut table = &mut *all;
    for name in tables {
        let inner = table.entry((*name).to_owned()).or_insert_with(|| toml::Value::Table(toml::Table::new()));
        table = inner.as_table_mut().ok_or_else(|| said(format!("`{name}` is no table")))?;
    }
    table.insert((*key).to_owned(), value);
    Settings::deserialize(all.clone()).map_err(|error| said(with_nearest(error.to_string().trim())))
}

/// A message of TOML whose line of the file is shown without the texts in it: one of them may be a secret that somebody
/// gave where its place should be.
fn without_texts(message: &str) -> String {
    let is_of_the_file = |line: &str| {
        let number = line.trim_start().split(' ').next().unwrap_or_default();
        !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()) && line.contains(" | ")
    };
    let shown = message.lines().map(|line| match line.find(['"', '\'']) {
        Some(quote) if is_of_the_file(line) => format!("{}…", &line[..quote]),
        _ => line.to_owned(),
    });
    shown.collect::<Vec<_>>().join("\n")
}

/// Adds the nearest known name to a message about an unknown one.
fn with_nearest(message: &str) -> String {
    let names = |text: &str| -> Vec<String> { text.split('`').skip(1).step_by(2).map(str::to_owned).collect() };
    let Some(start) = message.find("unknown field `") else { return message.trim().to_owned() };
    let quoted = names(&message[start..]);
    let nearest = quoted.split_first().and_then(|(unknown, known)| {
        known.iter().map(|name| (strsim::damerau_levenshtein(unknown, name), name)).min().filter(|(far, _)| *far <= 3)
    });
    match nearest {
        Some((_, name)) => format!("{}\ndid you mean `{name}`?", message.trim()),
        None => message.trim().to_owned(),
    }
}

impl Resolved {
    /// Every setting as `table.key`, with its value and where it comes from.
    pub(crate) fn rows(&self) -> Vec<(String, toml::Value, &'static str)> {
        let mut rows = Vec::new();
        if let Ok(toml::Value::Table(table)) = toml::Value::try_from(&self.settings) {
            self.collect(&table, &mut Vec::new(), &mut rows);
        }
        rows
    }

    fn collect(
        &self,
        table: &toml::Table,
        path: &mut Vec<String>,
        rows: &mut Vec<(String, toml::Value, &'static str)>,
    ) {
        for (key, value) in table {
            path.push(key.clone());
            match value {
                toml::Value::Table(inner) => self.collect(inner, path, rows),
                value => rows.push((path.join("."), value.clone(), self.source(path))),
            }
            path.pop();
        }
    }

    fn source(&self, path: &[String]) -> &'static str {
        if self.in_flags.iter().any(|flag| flag == path) {
            "flag"
        } else if self.in_environment.iter().any(|said| said.path == path) {
            "environment"
        } else if is_in(&self.in_file, path) {
            "file"
        } else {
            "default"
        }
    }
}

fn is_in(table: &toml::Table, path: &[String]) -> bool {
    match path {
        [] => true,
        [key, rest @ ..] => match table.get(key) {
            Some(toml::Value::Table(inner)) => is_in(inner, rest),
            Some(_) => rest.is_empty(),
            None => false,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolved(text: &str, variables: &[(&str, &str)], flags: &[Flag<'_>]) -> Result<Resolved, String> {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("bulkhead.toml");
        std::fs::write(&file, text).expect("a file");
        let variables = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        resolve(Some(&file), variables, flags).map_err(|error| error.to_string())
    }

    #[test]
    fn a_flag_beats_the_environment_which_beats_the_file_which_beats_the_default() {
        let text = "[worker]\nmax_concurrent = 1\ncpu_slots = 1\n[store]\nurl = \"sqlite:file.db\"\n";
        let variables = [("BULKHEAD_WORKER__CPU_SLOTS", "2"), ("BULKHEAD_STORE__URL", "sqlite:environment.db")];
        let flag: Flag<'_> = (&["store", "url"], "--store", "sqlite:flag.db".to_owned());
        let resolved = resolved(text, &variables, &[flag]).expect("settings");
        assert_eq!(resolved.settings.worker.max_concurrent.get(), 1);
        assert_eq!(resolved.settings.worker.cpu_slots.get(), 2);
        assert_eq!(resolved.settings.store.url, "sqlite:flag.db");
        let source = |name: &str| resolved.rows().into_iter().find(|row| row.0 == name).map(|row| row.2);
        assert_eq!(source("store.url"), Some("flag"));
        assert_eq!(source("worker.cpu_slots"), Some("environment"));
        assert_eq!(source("worker.max_concurrent"), Some("file"));
        assert_eq!(source("server.listen"), Some("default"));
    }

    #[test]
    fn what_a_line_says_is_not_shown_with_its_error() {
        for text in [
            "[llm.backends.a]\nkee = \"sk-secret\"\n",
            "[llm.backends.a]\nkey = 'sk-secret\n",
            "[llm.backends.a]\nkey = \"sk-secret\" x\n",
            "[store]\nurll = \"postgres://a:sk-secret@host/db\"\n",
        ] {
            let error = resolved(text, &[], &[]).expect_err("refused");
            assert!(!error.contains("sk-secret") && error.contains(" | "), "{error}");
        }
    }

    #[test]
    fn an_unknown_key_is_refused_with_its_line_and_the_nearest_name() {
        for (text, line, nearest) in [
            ("[server]\nlisen = \"127.0.0.1:1\"\n", "line 2", "`listen`"),
            ("[workers]\n", "line 1", "`worker`"),
            ("[handler.render]\ntimout = \"1s\"\n", "line 1", "`timeout`"),
        ] {
            let error = resolved(text, &[], &[]).expect_err("refused");
            assert!(error.contains(line) && error.contains(&format!("did you mean {nearest}")), "{error}");
        }
    }

    #[test]
    fn whatever_is_accepted_is_shown() {
        let text =
            "[handlers.ceilings]\nmemory = \"7EiB\"\nfuel = \"unlimited\"\n[handler.a.settings]\nday = 1979-05-27\n";
        let rows = resolved(text, &[], &[]).expect("settings").rows();
        assert!(rows.iter().any(|row| row.0 == "handlers.ceilings.memory"), "{rows:?}");
        let error = resolved("[handlers.ceilings]\nmemory = \"8EiB\"\n", &[], &[]).expect_err("refused");
        assert!(error.contains("8EiB"), "{error}");
    }

    #[test]
    fn whoever_says_something_wrong_is_named() {
        let error = resolved("", &[("BULKHEAD_WORKER__MAX_CONCURENT", "8")], &[]).expect_err("refused");
        assert!(error.contains("BULKHEAD_WORKER__MAX_CONCURENT") && error.contains("`max_concurrent`"), "{error}");
        let error = resolved("[handler.a]\ntimeout = 5\n", &[], &[]).expect_err("refused");
        assert!(error.contains("unit"), "{error}");
    }

    #[test]
    fn names_in_which_letters_differ_are_not_taken_from_the_environment() {
        for (name, table) in [
            ("BULKHEAD_LIMITS__RENDER__RATE", "[limits]"),
            ("BULKHEAD_LIMITS__render__RATE", "[limits]"),
            ("BULKHEAD_WORKFLOW__CALLABLES__ORDER", "[workflow.callables]"),
            ("BULKHEAD_GPU__PROGRAMS__TRAIN__ENV__HOME", "[gpu.programs.train.env]"),
        ] {
            let error = resolved("", &[(name, "100/s")], &[]).expect_err("refused");
            assert!(error.contains(name) && error.contains(table) && error.contains("settings file"), "{error}");
        }
        let whole = [("BULKHEAD_WORKFLOW__CALLABLES", "{ \"shop.OrderHandler\" = \"ORDER\" }")];
        let settings = resolved("", &whole, &[]).expect("settings").settings;
        assert!(settings.workflow.callables.contains_key("shop.OrderHandler"));
    }

    #[test]
    fn caps_and_plugins_are_read_from_their_own_names() {
        let variables = [("WORKER_CAPS", "docker,cpu"), ("WORKER_PLUGINS", "render, evaluate")];
        let settings = resolved("", &variables, &[]).expect("settings").settings;
        assert_eq!(settings.worker.caps.tags().to_string(), "cpu docker");
        assert_eq!(settings.worker.plugins.len(), 2);
    }

    #[test]
    fn a_handlers_table_takes_options_grants_and_settings() {
        let text = "[handler.render]\ntimeout = \"10s\"\nprovides = [\"cpu\"]\n[handler.render.grants]\nworkspace = \"read-write\"\n[handler.render.settings]\nx = 1\n";
        let settings = resolved(text, &[], &[]).expect("settings").settings;
        let handler = settings.handler.values().next().expect("a handler");
        assert!(handler.grants.workspace.is_some() && handler.settings.is_some() && handler.options.timeout.is_some());
    }
}
