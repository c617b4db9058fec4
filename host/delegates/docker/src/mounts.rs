//! Folders of the workspace that a container sees.

use std::io;
use std::path::{Component, Path, PathBuf};

use bulkhead_core::{CallerWorkspace, DelegateError, HandlerName, Mount};

/// Where nothing may be mounted: over what the kernel shows, and where GPU runtimes read which devices are wanted.
const FORBIDDEN: [&str; 5] =
    ["/proc", "/sys", "/dev", "/run/nvidia-container-devices", "/var/run/nvidia-container-devices"];

/// A folder of this host and where a container sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Folder {
    /// Without links, inside of the workspace.
    pub(crate) source: PathBuf,
    pub(crate) target: String,
    pub(crate) read_only: bool,
}

/// Checks what can be seen without a look at the file system.
pub(crate) fn check(index: usize, mount: &Mount) -> Result<(), DelegateError> {
    let invalid = |text: String| Err(DelegateError::Invalid(text));
    let source = mount.source.escape_debug();
    if mount.source.is_empty() || mount.source.contains('\0') {
        return invalid(format!("`mounts[{index}].source` is no path; the workspace itself is `.`: `{source}`"));
    }
    let parts = || Path::new(&mount.source).components();
    if !parts().all(|part| matches!(part, Component::Normal(_) | Component::CurDir)) {
        return Err(leads_out(index, mount));
    }
    let target = mount.target.escape_debug();
    let parts = || Path::new(&mount.target).components();
    let is_plain = parts().all(|part| matches!(part, Component::Normal(_) | Component::RootDir));
    if !mount.target.starts_with('/') || mount.target.contains('\0') || !is_plain || parts().count() < 2 {
        return invalid(format!("`mounts[{index}].target` is no absolute path below `/` without `..`: `{target}`"));
    }
    let over = |path: &str| Path::new(&mount.target).starts_with(path) || Path::new(path).starts_with(&mount.target);
    if let Some(path) = FORBIDDEN.iter().find(|path| over(path)) {
        // Above one of them it would hide it, or be where one could be made.
        return invalid(format!("`mounts[{index}].target` may not cover or lie in `{path}`: `{target}`"));
    }
    Ok(())
}

/// Whether two folders would lie at the same place.
pub(crate) fn same_target(one: &Mount, other: &Mount) -> bool {
    Path::new(&one.target).components().eq(Path::new(&other.target).components())
}

/// Finds the folders; looks at the file system, and blocks while it does.
pub(crate) fn resolve(
    handler: &HandlerName,
    workspace: Option<&CallerWorkspace>,
    mounts: &[Mount],
) -> Result<Vec<Folder>, DelegateError> {
    if mounts.is_empty() {
        return Ok(Vec::new());
    }
    let Some(workspace) = workspace else {
        return Err(DelegateError::Denied(format!(
            "`handler.{handler}.grants.workspace` is not set, so that there is nothing to mount; add `workspace = \"read\"`"
        )));
    };
    let root = workspace.folder.canonicalize().map_err(|error| {
        tracing::error!(folder = %workspace.folder.display(), %error, "a workspace cannot be mounted");
        DelegateError::Gone("the workspace cannot be opened".to_owned())
    })?;
    mounts.iter().enumerate().map(|(index, mount)| folder(handler, workspace, &root, index, mount)).collect()
}

fn folder(
    handler: &HandlerName,
    workspace: &CallerWorkspace,
    root: &Path,
    index: usize,
    mount: &Mount,
) -> Result<Folder, DelegateError> {
    if !mount.read_only && !workspace.writable {
        return Err(DelegateError::Denied(format!(
            "`handler.{handler}.grants.workspace` is `read`, so that `mounts[{index}].read-only` must be true"
        )));
    }
    let shown = mount.source.escape_debug();
    let source = root.join(&mount.source).canonicalize().map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => DelegateError::Invalid(format!(
            "`mounts[{index}].source` is not in the workspace; make the folder first: `{shown}`"
        )),
        kind => DelegateError::Invalid(format!("`mounts[{index}].source` cannot be opened, {kind}: `{shown}`")),
    })?;
    if !source.starts_with(root) {
        return Err(leads_out(index, mount));
    }
    if !source.is_dir() {
        return Err(DelegateError::Invalid(format!("`mounts[{index}].source` is no folder: `{shown}`")));
    }
    if source.to_str().is_none() {
        return Err(DelegateError::Invalid(format!(
            "`mounts[{index}].source` is no UTF-8 where it leads to: `{shown}`"
        )));
    }
    Ok(Folder { source, target: mount.target.clone(), read_only: mount.read_only })
}

fn leads_out(index: usize, mount: &Mount) -> DelegateError {
    let source = mount.source.escape_debug();
    DelegateError::Denied(format!(
        "`mounts[{index}].source` leads out of the workspace; name a folder inside of it: `{source}`"
    ))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use bulkhead_core::{InUse, Overrun};

    use super::*;

    fn mount(source: &str, target: &str) -> Mount {
        Mount { source: source.to_owned(), target: target.to_owned(), read_only: false }
    }

    fn resolved(folder: &Path, writable: bool, mounts: &[Mount]) -> Result<Vec<Folder>, DelegateError> {
        let workspace = CallerWorkspace {
            folder: folder.to_owned(),
            writable,
            in_use: InUse::default(),
            overrun: Overrun::default(),
        };
        resolve(&HandlerName::parse("render").expect("a name"), Some(&workspace), mounts)
    }

    #[test]
    fn a_source_is_a_relative_path_that_goes_only_down() {
        for source in ["..", "../x", "a/../..", "a/../b", "/", "/etc", "a/../../etc"] {
            assert!(matches!(check(0, &mount(source, "/a")), Err(DelegateError::Denied(_))), "{source}");
        }
        for source in ["", "a\0b"] {
            assert!(matches!(check(0, &mount(source, "/a")), Err(DelegateError::Invalid(_))), "{source}");
        }
        for source in [".", "a", "./a/b", "a//b/", "..a"] {
            assert_eq!(check(0, &mount(source, "/a")), Ok(()), "{source}");
        }
    }

    #[test]
    fn a_target_is_an_absolute_path_that_covers_nothing_of_the_kernels() {
        let bad = [
            "",
            "a",
            "/",
            "//",
            "/..",
            "/a/../..",
            "/proc",
            "/proc/self",
            "/sys/fs",
            "/dev",
            "/dev/shm",
            "/a\0",
            "/var/run",
            "/var",
            "/run",
        ];
        for target in bad {
            assert!(matches!(check(0, &mount("a", target)), Err(DelegateError::Invalid(_))), "{target}");
        }
        for target in ["/a", "/tmp/x", "/work/space/", "/process", "/var/lib/x"] {
            assert_eq!(check(0, &mount("a", target)), Ok(()), "{target}");
        }
    }

    #[test]
    fn links_may_lead_about_inside_of_the_workspace_and_never_out() {
        let outer = tempfile::tempdir().expect("a folder");
        let root = outer.path().join("workspace");
        for folder in ["workspace/a/b", "other"] {
            std::fs::create_dir_all(outer.path().join(folder)).expect("a folder");
        }
        std::fs::write(root.join("file"), "").expect("a file");
        symlink("a/b", root.join("inside")).expect("a link");
        symlink("/", root.join("everything")).expect("a link");
        symlink("../other", root.join("other")).expect("a link");
        symlink("other", root.join("twice")).expect("a link");
        symlink("gone", root.join("nowhere")).expect("a link");

        let folders = resolved(&root, true, &[mount("inside", "/x")]).expect("resolved");
        assert!(folders[0].source.ends_with("workspace/a/b"));
        for source in ["everything", "everything/etc", "other", "twice", "a/b/../../other"] {
            assert!(matches!(resolved(&root, true, &[mount(source, "/x")]), Err(DelegateError::Denied(_))), "{source}");
        }
        for source in ["file", "nowhere", "missing"] {
            assert!(
                matches!(resolved(&root, true, &[mount(source, "/x")]), Err(DelegateError::Invalid(_))),
                "{source}"
            );
        }
    }

    #[test]
    fn a_workspace_that_is_gone_is_a_fault_of_the_hosts() {
        let folder = tempfile::tempdir().expect("a folder");
        let gone = resolved(&folder.path().join("gone"), true, &[mount(".", "/x")]);
        assert_eq!(gone, Err(DelegateError::Gone("the workspace cannot be opened".to_owned())));
    }

    #[test]
    fn who_may_only_read_mounts_only_to_read_and_who_has_no_workspace_mounts_nothing() {
        let folder = tempfile::tempdir().expect("a folder");
        assert!(matches!(resolved(folder.path(), false, &[mount(".", "/x")]), Err(DelegateError::Denied(_))));
        let read = Mount { read_only: true, ..mount(".", "/x") };
        assert!(resolved(folder.path(), false, std::slice::from_ref(&read)).is_ok());
        let handler = HandlerName::parse("render").expect("a name");
        match resolve(&handler, None, &[read]) {
            Err(DelegateError::Denied(text)) => {
                assert!(text.starts_with("`handler.render.grants.workspace`"), "{text}")
            }
            other => panic!("not denied: {other:?}"),
        }
        assert_eq!(resolve(&handler, None, &[]), Ok(Vec::new()));
    }
}
