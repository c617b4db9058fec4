//! What a payload has written into the workspace before its program runs.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use bulkhead_sdk::Failure;
use serde::{Deserialize, Serialize};

use crate::{failure, inside, workspace};

/// The file that a single text becomes.
const MAIN: &str = "main";

/// Texts for the workspace: one, which becomes the file `main`, or several by their paths.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged, expecting = "`source` must be a text, or an object of paths and texts")]
pub enum Source {
    /// One text.
    Text(String),
    /// Paths in the workspace and what is written there.
    Files(BTreeMap<String, String>),
}

impl Source {
    /// Writes the files, over what is there; a path that leads out is refused before anything is written.
    pub fn write(&self, folder: &Path) -> Result<(), Failure> {
        for (path, text) in self.files()? {
            workspace::write(folder, &path, text)?;
        }
        Ok(())
    }

    fn files(&self) -> Result<BTreeMap<PathBuf, &str>, Failure> {
        match self {
            Self::Text(text) => Ok(BTreeMap::from([(PathBuf::from(MAIN), text.as_str())])),
            Self::Files(texts) => {
                let mut files = BTreeMap::new();
                for (path, text) in texts {
                    let clean = inside("source", path).map_err(failure::payload)?;
                    if files.insert(clean, text.as_str()).is_some() {
                        return Err(failure::payload(format!("`source` names one file twice: `{path}`")));
                    }
                }
                Ok(files)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(json: &str) -> Source {
        serde_json::from_str(json).expect("a source")
    }

    fn read(folder: &tempfile::TempDir, name: &str) -> String {
        std::fs::read_to_string(folder.path().join(name)).expect("a file")
    }

    #[test]
    fn a_text_becomes_main_and_files_lie_where_they_are_named() {
        let folder = tempfile::tempdir().expect("a folder");
        source(r#""print(1)""#).write(folder.path()).expect("written");
        assert_eq!(read(&folder, "main"), "print(1)");
        source(r#"{"a.py": "a", "deep/er/b.py": "b"}"#).write(folder.path()).expect("written");
        assert_eq!((read(&folder, "a.py"), read(&folder, "deep/er/b.py")), ("a".to_owned(), "b".to_owned()));
    }

    #[test]
    fn a_path_that_leads_out_or_comes_twice_is_refused_before_anything_is_written() {
        for json in [r#"{"a": "", "../b": ""}"#, r#"{"a": "", "/b": ""}"#, r#"{"a": "", "./a": ""}"#] {
            let folder = tempfile::tempdir().expect("a folder");
            let failure = source(json).write(folder.path()).expect_err(json);
            assert_eq!(failure.code, "bad_payload");
            assert_eq!(std::fs::read_dir(folder.path()).expect("a folder").count(), 0, "{json}");
        }
    }

    #[test]
    fn anything_else_is_refused_in_plain_words() {
        let error = serde_json::from_str::<Source>("[1]").expect_err("a list").to_string();
        assert_eq!(error, "`source` must be a text, or an object of paths and texts");
    }
}
