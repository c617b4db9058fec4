//! What was compiled once is not compiled again, and what was tampered with is.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use bulkhead_core::{RunEnd, Size};
use bulkhead_sandbox::{Handler, Sandbox, SandboxError, SandboxSettings};

use crate::harness::{Run, guest, name};

fn sandbox(folder: &Path) -> Result<Sandbox, SandboxError> {
    sandbox_of(folder, Size::from_mib(1024))
}

fn sandbox_of(folder: &Path, cache_size: Size) -> Result<Sandbox, SandboxError> {
    let cache = Some(folder.to_owned());
    let (max_concurrent, max_memory) = (1, Size::from_mib(64));
    Sandbox::try_new(&SandboxSettings { max_concurrent, pools: 1, max_memory, cache, cache_size, compiler: None })
}

fn load(folder: &Path) -> (Sandbox, Handler) {
    let sandbox = sandbox(folder).unwrap();
    let handler = sandbox.load(&name("noop"), &guest("noop")).unwrap();
    (sandbox, handler)
}

fn files(folder: &Path, extension: &str) -> Vec<PathBuf> {
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    files.filter(|file| file.extension().is_some_and(|found| found == extension)).collect()
}

fn only(folder: &Path, extension: &str) -> PathBuf {
    let [file] = &files(folder, extension)[..] else { panic!("not one .{extension}") };
    file.clone()
}

async fn works(sandbox: &Sandbox, handler: Handler) {
    let report = Run::handler(handler).report_in(sandbox).await;
    assert!(matches!(report.end, RunEnd::Completed(_)), "{:?}", report.end);
}

#[tokio::test]
async fn a_second_start_takes_the_component_and_its_description_from_the_cache() {
    let folder = tempfile::tempdir().unwrap();
    let (first, handler) = load(folder.path());
    let description = (handler.kind().clone(), handler.provides().clone(), handler.defaults().clone());
    works(&first, handler).await;
    let written = std::fs::metadata(only(folder.path(), "cwasm")).unwrap().modified().unwrap();
    let (second, handler) = load(folder.path());
    assert_eq!((handler.kind().clone(), handler.provides().clone(), handler.defaults().clone()), description);
    works(&second, handler).await;
    assert_eq!(std::fs::metadata(only(folder.path(), "cwasm")).unwrap().modified().unwrap(), written);
    assert!(files(folder.path(), "tmp").is_empty());
}

#[test]
fn a_folder_that_is_made_is_private() {
    let outer = tempfile::tempdir().unwrap();
    let folder = outer.path().join("cache");
    let (_sandbox, _handler) = load(&folder);
    assert_eq!(std::fs::metadata(&folder).unwrap().permissions().mode() & 0o777, 0o700);
    assert_eq!(std::fs::metadata(only(&folder, "cwasm")).unwrap().permissions().mode() & 0o777, 0o600);
}

/// Spoils what is cached, loads again, and expects a handler that works and a cache that is whole again.
async fn survives(spoil: impl FnOnce(&Path, &Path)) {
    let folder = tempfile::tempdir().unwrap();
    drop(load(folder.path()));
    let (code, record) = (only(folder.path(), "cwasm"), only(folder.path(), "json"));
    let whole = std::fs::read(&code).unwrap();
    spoil(&code, &record);
    let (sandbox, handler) = load(folder.path());
    works(&sandbox, handler).await;
    assert!(std::fs::symlink_metadata(&code).unwrap().is_file());
    assert_eq!(std::fs::read(&code).unwrap().len(), whole.len());
}

#[tokio::test]
async fn a_flipped_byte_is_compiled_again() {
    survives(|code, _| {
        let mut bytes = std::fs::read(code).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        std::fs::write(code, bytes).unwrap();
    })
    .await;
}

#[tokio::test]
async fn half_a_file_is_compiled_again() {
    survives(|code, _| {
        let bytes = std::fs::read(code).unwrap();
        std::fs::write(code, &bytes[..bytes.len() / 2]).unwrap();
    })
    .await;
}

#[tokio::test]
async fn a_record_that_is_rubbish_is_written_again() {
    survives(|_, record| std::fs::write(record, "{}").unwrap()).await;
}

#[tokio::test]
async fn a_link_in_place_of_a_file_is_not_followed() {
    survives(|code, _| {
        let aside = code.with_extension("aside");
        std::fs::rename(code, &aside).unwrap();
        std::os::unix::fs::symlink(&aside, code).unwrap();
    })
    .await;
}

#[tokio::test]
async fn a_file_that_others_may_write_to_is_not_trusted() {
    survives(|code, _| std::fs::set_permissions(code, PermissionsExt::from_mode(0o666)).unwrap()).await;
}

#[test]
fn a_folder_that_others_may_write_to_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::set_permissions(folder.path(), PermissionsExt::from_mode(0o777)).unwrap();
    let error = sandbox(folder.path()).expect_err("it is taken").to_string();
    assert!(error.contains("chmod 700"), "{error}");
}

#[test]
fn a_link_in_place_of_the_folder_is_refused() {
    let outer = tempfile::tempdir().unwrap();
    std::fs::create_dir(outer.path().join("real")).unwrap();
    std::os::unix::fs::symlink(outer.path().join("real"), outer.path().join("link")).unwrap();
    assert!(matches!(sandbox(&outer.path().join("link")), Err(SandboxError::Cache { .. })));
}

#[tokio::test]
async fn a_cache_that_is_full_forgets_what_it_has_not_used_for_longest_and_everything_still_works() {
    let folder = tempfile::tempdir().unwrap();
    drop(load(folder.path()));
    let one = std::fs::metadata(only(folder.path(), "cwasm")).unwrap().len();
    // Room for two of them and a little.
    let sandbox = sandbox_of(folder.path(), Size::from_bytes(one * 5 / 2)).unwrap();
    let mut live = Vec::new();
    for guest_name in ["echo", "fail", "nap", "skip"] {
        live.push(sandbox.load(&name(guest_name), &guest(guest_name)).unwrap());
    }
    let held: u64 = files(folder.path(), "cwasm").iter().map(|file| std::fs::metadata(file).unwrap().len()).sum();
    assert!(held <= one * 5 / 2, "{held} of {one} each");
    assert_eq!(files(folder.path(), "json").len(), files(folder.path(), "cwasm").len());
    // What is mapped lives on although its file is gone.
    works(&sandbox, live.remove(0)).await;
    let again = sandbox_of(folder.path(), Size::from_bytes(one * 5 / 2)).unwrap();
    works(&again, again.load(&name("noop"), &guest("noop")).unwrap()).await;
}

/// Two hosts on one folder, each with room for less than they use together: whatever one removes the other compiles again.
#[tokio::test]
async fn hosts_that_share_a_folder_do_each_other_no_harm() {
    let folder = tempfile::tempdir().unwrap();
    let names = ["noop", "echo", "fail", "nap"];
    let threads: Vec<_> = (0..2)
        .map(|_| {
            let folder = folder.path().to_owned();
            std::thread::spawn(move || {
                let mut live = Vec::new();
                for _ in 0..5 {
                    let sandbox = sandbox_of(&folder, Size::from_kib(400)).unwrap();
                    for of in names {
                        live.push((sandbox.clone(), sandbox.load(&name(of), &guest(of)).unwrap()));
                    }
                }
                live
            })
        })
        .collect();
    for thread in threads {
        for (sandbox, handler) in thread.join().unwrap() {
            let report = Run::handler(handler).report_in(&sandbox).await;
            assert!(matches!(report.end, RunEnd::Completed(_) | RunEnd::Failed(_)), "{:?}", report.end);
        }
    }
}
