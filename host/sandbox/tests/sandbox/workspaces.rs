//! Workspaces: their bounds hold however a guest goes about it, and what is neither file nor folder stays shut.

use std::sync::Arc;
use std::time::Duration;

use bulkhead_core::{Interruption, RunEnd, Size};
use bulkhead_sandbox::{Workspace, WorkspaceAccess, WorkspaceBounds};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::harness::{Ears, Run};

const BOUNDS: WorkspaceBounds = WorkspaceBounds { bytes: Size::from_bytes(10_000), files: 20 };

pub(crate) fn workspace(folder: &TempDir, access: WorkspaceAccess) -> Workspace {
    Workspace::open(folder.path().to_owned(), access, BOUNDS).unwrap()
}

/// A run that fills this folder in this way.
fn filling(way: &str, folder: &TempDir) -> Run {
    let mut run = Run::of("fills_workspace").payload(format!("\"{way}\""));
    run.workspace = Some(workspace(folder, WorkspaceAccess::ReadWrite));
    run
}

/// How often it went, and what refused it then.
async fn filled(run: &Run) -> (u64, String) {
    let answer: Value = serde_json::from_str(&run.result().await).unwrap();
    (answer[0].as_u64().unwrap(), answer[1].as_str().unwrap().to_owned())
}

fn bytes_in(folder: &TempDir) -> u64 {
    folder.path().read_dir().unwrap().map(|entry| entry.unwrap().metadata().unwrap().len()).sum()
}

#[tokio::test]
async fn a_run_whose_workspace_is_gone_is_interrupted_and_not_blamed() {
    let folder = tempfile::tempdir().unwrap();
    let run = filling("append", &folder);
    folder.close().unwrap();
    assert_eq!(run.end().await, RunEnd::Interrupted(Interruption::EngineGone));
}

#[tokio::test]
async fn bytes_are_bounded_however_they_are_written() {
    for way in ["append", "write", "sparse", "hole"] {
        let folder = tempfile::tempdir().unwrap();
        let (times, error) = filled(&filling(way, &folder)).await;
        assert_eq!(times, 10, "{way}: {error}");
        // What libc makes of a stream that failed, and of a call that there is no space for.
        assert!(error.contains("os error 29") || error.contains("os error 51"), "{way}: {error}");
        assert_eq!(bytes_in(&folder), 10_000, "{way}");
    }
}

#[tokio::test]
async fn files_and_folders_are_bounded() {
    for way in ["files", "folders"] {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(filled(&filling(way, &folder)).await.0, 20, "{way}");
        assert_eq!(folder.path().read_dir().unwrap().count(), 20);
    }
}

#[tokio::test]
async fn a_file_without_a_name_still_counts() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(filled(&filling("unlinked", &folder)).await.0, 10);
    assert_eq!(folder.path().read_dir().unwrap().count(), 0);
}

#[tokio::test]
async fn only_so_many_files_are_open_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let (times, error) = filled(&filling("open", &folder)).await;
    assert_eq!(times, 128, "{error}");
}

#[tokio::test]
async fn what_is_removed_may_be_written_again() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(filled(&filling("rewrite", &folder)).await, (2000, "enough".to_owned()));
}

#[tokio::test]
async fn what_was_there_before_the_run_counts() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("inner")).unwrap();
    std::fs::write(folder.path().join("inner/pushed"), [0; 7000]).unwrap();
    assert_eq!(filled(&filling("append", &folder)).await.0, 3);
    assert_eq!(filled(&filling("files", &folder)).await.0, 17);
}

#[tokio::test]
async fn a_thousand_opens_of_a_fifo_are_refused_and_block_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let fifo = folder.path().join("fifo");
    rustix::fs::mknodat(rustix::fs::CWD, &fifo, rustix::fs::FileType::Fifo, 0o666.into(), 0).unwrap();
    let _socket = std::os::unix::net::UnixListener::bind(folder.path().join("socket")).unwrap();
    let run = filling("fifo", &folder).timeout(Duration::from_secs(30));
    assert_eq!(filled(&run).await, (1000, "enough".to_owned()));
}

#[tokio::test]
async fn bytes_that_are_read_and_written_cost_fuel() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("large"), [0; 9000]).unwrap();
    let small = tempfile::tempdir().unwrap();
    std::fs::write(small.path().join("large"), [0; 1]).unwrap();
    let (of_large, of_small) = (filling("read", &folder).report().await, filling("read", &small).report().await);
    assert!(matches!(of_large.end, RunEnd::Completed(_)), "{:?}", of_large.end);
    assert!(of_large.fuel - of_small.fuel >= 50 * 8999, "{} {}", of_large.fuel, of_small.fuel);
    let folder = tempfile::tempdir().unwrap();
    let report = filling("append", &folder).report().await;
    assert!(report.fuel >= 10_000, "{}", report.fuel);
}

#[tokio::test]
async fn the_log_says_which_bound_was_met() {
    let (folder, ears) = (tempfile::tempdir().unwrap(), Arc::new(Ears::default()));
    filled(&filling("files", &folder).observed_by(&ears)).await;
    let heard = ears.heard().join("\n");
    assert!(heard.contains("workspace.max_bytes") && heard.contains("20 files"), "{heard}");
}

#[tokio::test]
async fn a_workspace_to_read_cannot_be_changed() {
    for way in ["append", "hole", "files", "folders"] {
        let folder = tempfile::tempdir().unwrap();
        let mut run = filling(way, &folder);
        run.workspace = Some(workspace(&folder, WorkspaceAccess::Read));
        assert_eq!(filled(&run).await.0, 0, "{way}");
    }
}

#[tokio::test]
async fn there_is_no_way_out_of_a_workspace() {
    let (folder, outside) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    std::fs::write(outside.path().join("secret"), "secret").unwrap();
    std::os::unix::fs::symlink(outside.path(), folder.path().join("out")).unwrap();
    let mut run = Run::of("leaves_workspace");
    run.workspace = Some(workspace(&folder, WorkspaceAccess::ReadWrite));
    assert_eq!(serde_json::from_str::<Value>(&run.result().await).unwrap(), json!([]));
}
