//! Handlers in Python and JavaScript: those of the examples, and those that only tests and benchmarks run.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::chore::{root, target};
use crate::componentize::{self, Tool};
use crate::steps::{Steps, say};

/// One language: the script with which a newcomer builds the example, and what there is to build.
struct Language {
    script: &'static str,
    tool: fn(&mut Steps) -> Option<Tool>,
    components: [Component; 2],
}

struct Component {
    /// Of the file, without `.wasm`.
    name: &'static str,
    /// Where its source is; the whole folder is.
    folder: &'static str,
    /// What the script is told.
    source: &'static str,
}

const LANGUAGES: [Language; 2] = [
    Language {
        script: "examples/python-handler/build.sh",
        tool: componentize::python,
        components: [
            Component { name: "greet_py", folder: "examples/python-handler", source: "greet" },
            Component { name: "noop_py", folder: "tests/guests/python", source: "noop" },
        ],
    },
    Language {
        script: "examples/javascript-handler/build.sh",
        tool: componentize::javascript,
        components: [
            Component { name: "greet_js", folder: "examples/javascript-handler", source: "greet.js" },
            Component { name: "noop_js", folder: "tests/guests/javascript", source: "noop.js" },
        ],
    },
];

/// Builds them, and says where they are.
pub(crate) fn run() -> Result<()> {
    let mut steps = Steps::of("languages");
    let built = all(&mut steps)?;
    say(format_args!("handlers in Python and JavaScript: {}", built.display()));
    steps.finish();
    Ok(())
}

/// Builds those of both languages.
pub(crate) fn all(steps: &mut Steps) -> Result<PathBuf> {
    match build(steps)? {
        (built, true) => Ok(built),
        _ => bail!("a tool is missing, see above"),
    }
}

/// Builds what can be built here; gives the folder that holds the components, and whether all of them are there.
pub(crate) fn build(steps: &mut Steps) -> Result<(PathBuf, bool)> {
    let into = target().join("languages");
    std::fs::create_dir_all(&into)?;
    let mut complete = true;
    for language in &LANGUAGES {
        let tool = (language.tool)(steps);
        for component in &language.components {
            match &tool {
                Some(tool) => component.build(steps, &root().join(language.script), tool, &into)?,
                // One of another time would be tested as if it were this one.
                None => component.remove(&into),
            }
        }
        complete &= tool.is_some();
    }
    Ok((into, complete))
}

impl Component {
    /// Builds it, unless it was built from the same.
    fn build(&self, steps: &mut Steps, script: &Path, tool: &Tool, into: &Path) -> Result<()> {
        let (file, stamp) = self.files(into);
        let digest = self.digest(script, tool)?;
        if file.is_file() && std::fs::read_to_string(&stamp).is_ok_and(|built| built == digest) {
            return Ok(());
        }
        self.remove(into);
        let mut build = Command::new(script);
        build.arg(self.source).arg(&file).current_dir(root().join(self.folder)).env("PATH", &tool.path);
        steps.run(self.name, &mut build)?;
        Ok(std::fs::write(stamp, digest)?)
    }

    fn remove(&self, into: &Path) {
        let (file, stamp) = self.files(into);
        // Those that are not there need not go.
        let _ = std::fs::remove_file(stamp);
        let _ = std::fs::remove_file(file);
    }

    fn files(&self, into: &Path) -> (PathBuf, PathBuf) {
        (into.join(format!("{}.wasm", self.name)), into.join(format!("{}.digest", self.name)))
    }

    /// Of all that it is made of: its folder, the contract, the script and the tool.
    fn digest(&self, script: &Path, tool: &Tool) -> Result<String> {
        let mut hasher = DefaultHasher::new();
        tool.version.hash(&mut hasher);
        std::fs::read(script)?.hash(&mut hasher);
        for folder in [self.folder, "wit"] {
            for file in files_in(&root().join(folder))? {
                file.hash(&mut hasher);
                std::fs::read(&file)?.hash(&mut hasher);
            }
        }
        Ok(format!("{:016x}", hasher.finish()))
    }
}

/// The sources and texts of one folder, in order.
fn files_in(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries = std::fs::read_dir(folder).with_context(|| format!("cannot read `{}`", folder.display()))?;
    let source = |path: &PathBuf| ["py", "js", "wit"].iter().any(|kind| path.extension().is_some_and(|is| is == *kind));
    let mut files: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).filter(source).collect();
    files.sort();
    Ok(files)
}
