//! `bulkhead workspace`

use std::fs::{File, OpenOptions};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Component, Path, PathBuf};

use anyhow::{Context, Result, anyhow, bail};
use rustix::fs::OFlags;
use serde_json::{Value, json};

use super::show;
use crate::arguments::WorkspaceCommand;
use crate::client::{Client, part};
use crate::exit::ExitStatus;
use crate::printer::Printer;
use crate::terminal;

/// The longest path that the system takes, with the byte that ends it.
const MAX_LOCAL: usize = 4 << 10;

pub(super) fn run(command: WorkspaceCommand, client: &Client, printer: &mut Printer) -> Result<ExitStatus> {
    match command {
        WorkspaceCommand::Push { id, folder } => push(&id, &folder, client, printer)?,
        WorkspaceCommand::List { id } => list(&id, client, printer)?,
        WorkspaceCommand::Pull { id, folder } => pull(&id, &folder, client, printer)?,
        WorkspaceCommand::Hosts => hosts(client, printer)?,
        WorkspaceCommand::Release { host } => {
            let released =
                client.post(&format!("/v1/workspace-hosts/{}/release", part(&host)), &[], "application/json", b"{}")?;
            let released = released.accepted()?;
            let count = show::text(&released, "workspaces");
            printer.item(&released, || format!("{count} workspaces of {host} released"))?;
        }
        WorkspaceCommand::Remove { id } => {
            let removed = client.delete(&format!("/v1/workspaces/{}", part(&id)))?.accepted()?;
            printer.item(&removed, || format!("workspace of {id} removed"))?;
        }
    }
    Ok(ExitStatus::Success)
}

/// The address of a file, each name of its path a part of its own.
fn address(id: &str, path: &str) -> String {
    let parts: Vec<String> = path.split('/').map(part).collect();
    format!("/v1/workspaces/{}/files/{}", part(id), parts.join("/"))
}

fn hosts(client: &Client, printer: &mut Printer) -> Result<()> {
    let hosts = client.get("/v1/workspace-hosts", &[])?.accepted()?;
    let items = hosts.get("items").and_then(Value::as_array).cloned().unwrap_or_default();
    printer.list(&items, &["HOST", "HOME", "WORKSPACES", "SEEN", "RELEASED"], |item| {
        ["host", "home", "workspaces", "seen_at", "released_at"].map(|field| show::text(item, field)).into()
    })
}

fn push(id: &str, folder: &Path, client: &Client, printer: &mut Printer) -> Result<()> {
    let (mut files, mut bytes) = (0_u64, 0_u64);
    let mut waiting = vec![(folder.to_owned(), String::new())];
    while let Some((at, prefix)) = waiting.pop() {
        let entries = at.read_dir().with_context(|| format!("the folder cannot be read: `{}`", at.display()))?;
        let mut entries = entries.collect::<Result<Vec<_>, _>>()?;
        entries.sort_by_key(std::fs::DirEntry::file_name);
        if entries.is_empty() && !prefix.is_empty() {
            client.put(&address(id, &format!("{prefix}/")), ())?.accepted()?;
        }
        for entry in entries {
            let name = entry.file_name();
            let name = name.to_str().ok_or_else(|| anyhow!("the name is no UTF-8: `{}`", entry.path().display()))?;
            let path = if prefix.is_empty() { name.to_owned() } else { format!("{prefix}/{name}") };
            let kind = entry.file_type()?;
            if kind.is_dir() {
                waiting.push((entry.path(), path));
            } else if kind.is_file() {
                let file = without_link(File::options().read(true)).open(entry.path());
                let file = file.with_context(|| format!("cannot be read: `{}`", terminal::name(&path)))?;
                bytes += file.metadata()?.len();
                let answer = client.put(&address(id, &path), &file)?;
                answer.accepted().with_context(|| format!("`{}` was not pushed", terminal::name(&path)))?;
                files += 1;
            } else {
                let shown = terminal::name(&path);
                printer.note(format_args!("`{shown}` is neither a file nor a folder, and was passed over"));
            }
        }
    }
    let pushed = json!({ "workspace": id, "files": files, "bytes": bytes });
    printer.item(&pushed, || format!("{files} files pushed into the workspace of {id}"))
}

/// Hands on every entry of a workspace.
fn each(id: &str, client: &Client, entry: &mut dyn FnMut(&Value) -> Result<()>) -> Result<()> {
    let mut cursor: Option<String> = None;
    loop {
        let query: Vec<(&str, &str)> = cursor.iter().map(|cursor| ("cursor", cursor.as_str())).collect();
        let page = client.get(&address(id, ""), &query)?.accepted()?;
        page.get("items").and_then(Value::as_array).into_iter().flatten().try_for_each(&mut *entry)?;
        match page.get("next").and_then(Value::as_str) {
            Some(next) => cursor = Some(next.to_owned()),
            None => return Ok(()),
        }
    }
}

fn list(id: &str, client: &Client, printer: &mut Printer) -> Result<()> {
    let mut items = Vec::new();
    each(id, client, &mut |entry| {
        items.push(entry.clone());
        Ok(())
    })?;
    printer.list(&items, &["PATH", "TYPE", "SIZE", "MODIFIED"], |item| {
        ["path", "type", "size", "modified_at"].map(|field| terminal::name(&show::text(item, field))).into()
    })
}

fn pull(id: &str, folder: &Path, client: &Client, printer: &mut Printer) -> Result<()> {
    let make = |folder: &Path| {
        std::fs::create_dir_all(folder).with_context(|| format!("the folder cannot be made: `{}`", shown(folder)))
    };
    make(folder)?;
    let (mut files, mut bytes) = (0_u64, 0_u64);
    each(id, client, &mut |entry| {
        let path = show::text(entry, "path");
        let name = terminal::name(&path);
        let local = beneath(folder, &path)?;
        if local.as_os_str().len() >= MAX_LOCAL {
            printer
                .note(format_args!("`{name}` is too long for a path beneath `{}`, and was passed over", shown(folder)));
            return Ok(());
        }
        match show::text(entry, "type").as_str() {
            "folder" => make(&local)?,
            "file" => {
                if let Some(parent) = local.parent() {
                    make(parent)?;
                }
                let file = without_link(File::options().write(true).create(true).truncate(true)).open(&local);
                let mut file = file.with_context(|| format!("cannot be written: `{}`", shown(&local)))?;
                bytes += client
                    .get_file(&address(id, &path), &mut file)
                    .with_context(|| format!("`{name}` was not pulled"))?;
                files += 1;
            }
            kind => {
                printer.note(format_args!("`{name}` is a {}, and was passed over", terminal::name(kind)));
            }
        }
        Ok(())
    })?;
    let pulled = json!({ "workspace": id, "files": files, "bytes": bytes });
    printer.item(&pulled, || format!("{files} files pulled from the workspace of {id}"))
}

/// A path on this machine, whose end may be what somebody else named it.
fn shown(path: &Path) -> String {
    terminal::name(&path.to_string_lossy())
}

/// The same where a link that somebody put there, which would lead elsewhere, is refused.
fn without_link(options: &mut OpenOptions) -> &mut OpenOptions {
    options.custom_flags(i32::try_from(OFlags::NOFOLLOW.bits()).unwrap_or_default())
}

/// Where a file of this path goes: never outside of the folder, whatever the host says.
fn beneath(folder: &Path, path: &str) -> Result<PathBuf> {
    if path.is_empty() || !Path::new(path).components().all(|part| matches!(part, Component::Normal(_))) {
        bail!("the host named a file outside of the workspace: `{}`", terminal::name(path));
    }
    let mut local = folder.to_owned();
    for name in Path::new(path).components() {
        local.push(name);
        let is_last = local.ends_with(path) && local == folder.join(path);
        if !is_last && local.symlink_metadata().is_ok_and(|found| found.is_symlink()) {
            bail!("`{}` is a link, which is not followed", shown(&local));
        }
    }
    Ok(local)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_host_names_stays_in_the_folder() {
        let folder = tempfile::tempdir().expect("a folder");
        for bad in ["", "..", "../a", "/etc/passwd", "a/../../b"] {
            assert!(beneath(folder.path(), bad).is_err(), "{bad}");
        }
        assert_eq!(beneath(folder.path(), "a/b").expect("a path"), folder.path().join("a/b"));
        std::os::unix::fs::symlink("/etc", folder.path().join("link")).expect("a link");
        assert!(beneath(folder.path(), "link/passwd").is_err());
    }

    #[test]
    fn each_name_of_a_path_is_a_part_of_its_own() {
        assert_eq!(address("a/b", "x y/{{ n }}?"), "/v1/workspaces/a%2Fb/files/x%20y/%7B%7B%20n%20%7D%7D%3F");
        assert_eq!(address("a", ""), "/v1/workspaces/a/files/");
    }
}
