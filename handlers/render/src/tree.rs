//! A whole tree of files.
//!
//! Everything is rendered before anything is written: a template that is wrong leaves no half of a project behind.

use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};

use bulkhead_sdk::Failure;
use globset::{GlobBuilder, GlobSet, GlobSetBuilder};
use minijinja::{Environment, TemplateSource};

use crate::{Options, Payload, Undefined, environment, failure};

/// At the root of a tree: what others include, import and extend; nothing in it is written out.
const SHARED: &str = "_templates";
/// The most files and folders of a tree.
const MAX_ENTRIES: usize = 10_000;
/// The deepest folder of a tree.
const MAX_DEPTH: usize = 64;

/// What becomes of one entry of the tree.
enum Made {
    Folder,
    /// Rendered.
    Text(String),
    /// Copied from here.
    Copy(PathBuf),
}

/// Renders the folder `from` of the workspace into its folder `into`; gives the files written, sorted.
pub(crate) fn render(workspace: &Path, from: &str, into: &str, payload: &Payload) -> Result<Vec<String>, Failure> {
    if !workspace.is_dir() {
        return Err(Failure::permanent(
            "no_workspace",
            "there is no workspace to render in; next: set `workspace = \"read-write\"` under [handler.render.grants], or run \
             `bulkhead exec --workspace DIR`",
        ));
    }
    let (from_path, into_path) = (inside("template_dir", from)?, inside("output_dir", into)?);
    if from_path.starts_with(&into_path) || into_path.starts_with(&from_path) {
        return Err(failure::payload(format!("`{into}` and `{from}` must not lie in one another")));
    }
    let (root, output) = (workspace.join(&from_path), workspace.join(&into_path));
    if !root.is_dir() {
        return Err(failure::tree(format!("the workspace has no folder `{from}`")));
    }
    let tree = Tree::new(&root, payload)?;
    let mut made = BTreeMap::new();
    tree.enter(&mut made, Path::new(""), Path::new(""), 0)?;
    write(&output, made)
}

/// A path of the payload: relative, and not out of the workspace.
fn inside(field: &str, path: &str) -> Result<PathBuf, Failure> {
    let mut clean = PathBuf::new();
    for component in Path::new(path).components() {
        match component {
            Component::Normal(part) => clean.push(part),
            Component::CurDir => {}
            _ => return Err(failure::payload(format!("`{field}` must be a path inside the workspace, not `{path}`"))),
        }
    }
    if clean.as_os_str().is_empty() {
        return Err(failure::payload(format!("`{field}` must name a folder inside the workspace, not `{path}`")));
    }
    Ok(clean)
}

/// The template of this name, a path from the root of the tree; hidden files too, which minijinja's own loader leaves out.
fn load(root: &Path, name: &str) -> Result<Option<TemplateSource>, minijinja::Error> {
    let path = Path::new(name);
    if path.components().any(|component| !matches!(component, Component::Normal(_))) {
        return Ok(None);
    }
    match std::fs::read_to_string(root.join(path)) {
        Ok(text) => Ok(Some(TemplateSource::new(text))),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => {
            Err(minijinja::Error::new(minijinja::ErrorKind::InvalidOperation, "cannot be read").with_source(error))
        }
    }
}

struct Tree<'a> {
    root: &'a Path,
    payload: &'a Payload,
    contents: Environment<'static>,
    names: Environment<'static>,
    copied: GlobSet,
}

impl<'a> Tree<'a> {
    fn new(root: &'a Path, payload: &'a Payload) -> Result<Self, Failure> {
        let mut contents =
            environment::environment(&payload.options, payload.options.keep_trailing_newline.unwrap_or(true));
        let folder = root.to_owned();
        contents.set_loader(move |name| load(&folder, name));
        // A name with a hole in it is never meant.
        let strict = Options { undefined: Undefined::Strict, ..Options::default() };
        let mut copied = GlobSetBuilder::new();
        for pattern in &payload.copy_without_render {
            let glob = GlobBuilder::new(pattern).build();
            copied.add(glob.map_err(|error| failure::payload(format!("`copy_without_render`: {error}")))?);
        }
        let copied = copied.build().map_err(|error| failure::payload(format!("`copy_without_render`: {error}")))?;
        Ok(Self { root, payload, contents, names: environment::environment(&strict, false), copied })
    }

    /// Renders what is in one folder; both paths are relative.
    fn enter(
        &self,
        made: &mut BTreeMap<PathBuf, Made>,
        source: &Path,
        target: &Path,
        depth: usize,
    ) -> Result<(), Failure> {
        if depth > MAX_DEPTH {
            return Err(failure::tree(format!("`{}` lies deeper than {MAX_DEPTH} folders", source.display())));
        }
        let folder = self.root.join(source);
        let entries = std::fs::read_dir(&folder).and_then(Iterator::collect::<std::io::Result<Vec<_>>>);
        let mut entries = entries.map_err(|error| failure::file("read", source, &error))?;
        entries.sort_by_key(std::fs::DirEntry::file_name);
        for entry in entries {
            let name = entry.file_name();
            let name = name
                .to_str()
                .ok_or_else(|| failure::tree(format!("the name of a file in `{}` is not UTF-8", source.display())))?;
            if depth == 0 && name == SHARED {
                continue;
            }
            let source = source.join(name);
            let Some(rendered) = self.name(&source, name)? else { continue };
            let target = target.join(rendered);
            let kind = entry.file_type().map_err(|error| failure::file("read", &source, &error))?;
            let content = if kind.is_dir() {
                Made::Folder
            } else if kind.is_file() {
                self.file(&source)?
            } else {
                return Err(failure::tree(format!("`{}` is neither a file nor a folder", source.display())));
            };
            if made.insert(target.clone(), content).is_some() {
                return Err(failure::tree(format!(
                    "`{}` and another both become `{}`",
                    source.display(),
                    target.display()
                )));
            }
            if made.len() > MAX_ENTRIES {
                return Err(failure::tree(format!("there are more than {MAX_ENTRIES} files and folders")));
            }
            if kind.is_dir() {
                self.enter(made, &source, &target, depth + 1)?;
            }
        }
        Ok(())
    }

    /// What the name of a file or folder becomes; nothing where it is left out.
    fn name(&self, source: &Path, name: &str) -> Result<Option<String>, Failure> {
        let context = self.payload.context.clone();
        let file = source.to_string_lossy();
        let rendered = self.names.render_named_str(&file, name, context).map_err(|error| failure::template(&error))?;
        let rendered = rendered.trim();
        if rendered.is_empty() {
            return Ok(None);
        }
        if rendered.contains(['/', '\\', '\0']) || matches!(rendered, "." | "..") {
            return Err(failure::tree(format!("`{file}` becomes `{rendered}`, which cannot be the name of one file")));
        }
        Ok(Some(rendered.to_owned()))
    }

    fn file(&self, source: &Path) -> Result<Made, Failure> {
        let path = self.root.join(source);
        if self.copied.is_match(source) {
            return Ok(Made::Copy(path));
        }
        let content = std::fs::read(&path).map_err(|error| failure::file("read", source, &error))?;
        if content.contains(&0) || std::str::from_utf8(&content).is_err() {
            return Ok(Made::Copy(path));
        }
        let name = source.to_string_lossy();
        let rendered = self.contents.get_template(&name).and_then(|found| found.render(self.payload.context.clone()));
        rendered.map(Made::Text).map_err(|error| failure::template(&error))
    }
}

/// Writes it all down; what is there already is written over, so that a task may run again.
fn write(output: &Path, made: BTreeMap<PathBuf, Made>) -> Result<Vec<String>, Failure> {
    std::fs::create_dir_all(output).map_err(|error| failure::file("make the folder", output, &error))?;
    let mut files = Vec::new();
    for (target, content) in made {
        let path = output.join(&target);
        match content {
            Made::Folder => std::fs::create_dir_all(&path),
            Made::Text(text) => std::fs::write(&path, text),
            Made::Copy(source) => std::fs::copy(source, &path).map(drop),
        }
        .map_err(|error| failure::file("write", &path, &error))?;
        if path.is_file() {
            files.push(target.to_string_lossy().into_owned());
        }
    }
    Ok(files)
}
