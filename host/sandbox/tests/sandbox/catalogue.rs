//! Handlers come, change and go with their files, and what runs is never disturbed.

use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bulkhead_core::{Ceilings, Extras, Kind, Overrides, Route, Size, Span, TagSet};
use bulkhead_sandbox::{
    Catalogue, CatalogueError, CatalogueSettings, HandlerSettings, HandlerStatus, Sandbox, SandboxSettings, Snapshot,
    compiler::CompilerSettings,
};

use crate::harness::{Run, SANDBOX, guest, name};

fn settings(folder: &Path) -> CatalogueSettings {
    CatalogueSettings { dir: folder.to_owned(), caps: TagSet::parse(["cpu"]).unwrap(), ..CatalogueSettings::default() }
}

fn open(settings: CatalogueSettings) -> Arc<Catalogue> {
    Catalogue::open(SANDBOX.clone(), settings).unwrap()
}

fn put(folder: &Path, handler: &str, bytes: &[u8]) {
    let beside = folder.join(format!("{handler}.new"));
    std::fs::write(&beside, bytes).unwrap();
    std::fs::rename(&beside, folder.join(format!("{handler}.wasm"))).unwrap();
}

fn kind(kind: &str) -> Kind {
    Kind::parse(kind).unwrap()
}

fn status(snapshot: &Snapshot, handler: &str) -> Option<HandlerStatus> {
    snapshot.entries().iter().find(|entry| entry.name == handler).map(|entry| entry.status.clone())
}

/// Waits until the catalogue is as it should be.
async fn until(catalogue: &Catalogue, what: &str, ready: impl Fn(&Snapshot) -> bool) -> Arc<Snapshot> {
    let mut changes = catalogue.changes();
    let wait = async {
        loop {
            let snapshot = catalogue.snapshot();
            if ready(&snapshot) {
                return snapshot;
            }
            changes.changed().await.unwrap();
        }
    };
    let waited = tokio::time::timeout(Duration::from_secs(20), wait).await;
    waited.unwrap_or_else(|_| panic!("{what}: {:?}", catalogue.snapshot().entries()))
}

fn serves(snapshot: &Snapshot, of: &str) -> bool {
    !snapshot.serving(&kind(of)).is_empty()
}

#[tokio::test]
async fn handlers_appear_change_and_go_with_their_files() {
    let folder = tempfile::tempdir().unwrap();
    let catalogue = open(settings(folder.path()));
    assert_eq!((catalogue.snapshot().generation, catalogue.snapshot().entries().len()), (1, 0));

    put(folder.path(), "one", &guest("noop"));
    let first = until(&catalogue, "appears", |snapshot| serves(snapshot, "NOOP")).await;

    put(folder.path(), "one", &guest("echo"));
    let second = until(&catalogue, "changes", |snapshot| serves(snapshot, "ECHO")).await;
    assert!(!serves(&second, "NOOP") && second.generation > first.generation);

    std::fs::remove_file(folder.path().join("one.wasm")).unwrap();
    until(&catalogue, "goes", |snapshot| snapshot.entries().is_empty()).await;

    // Whoever held the first version still runs it.
    let old = first.serving(&kind("NOOP"))[0].handler.clone();
    assert_eq!(Run::handler(old).result().await, "null");
}

#[tokio::test]
async fn a_slow_copy_is_taken_when_it_is_whole_and_never_called_broken() {
    let folder = tempfile::tempdir().unwrap();
    let catalogue = open(settings(folder.path()));
    let mut changes = catalogue.changes();
    let bytes = guest("noop");
    let file = folder.path().join("slow.wasm");
    let writer = std::thread::spawn(move || {
        let (halves, pause) = (bytes.chunks(bytes.len() / 2), Duration::from_millis(400));
        for half in halves {
            // Closed after each piece, which looks like being done.
            std::fs::File::options().create(true).append(true).open(&file).unwrap().write_all(half).unwrap();
            std::thread::sleep(pause);
        }
    });
    let live = async {
        loop {
            changes.changed().await.unwrap();
            let snapshot = catalogue.snapshot();
            match status(&snapshot, "slow") {
                Some(HandlerStatus::Live) => return,
                other => assert_eq!(other, None),
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(20), live).await.unwrap();
    writer.join().unwrap();
    assert!(catalogue.load_errors().is_empty());
}

#[tokio::test]
async fn a_bad_file_leaves_the_old_version_live_and_shows_its_error() {
    let folder = tempfile::tempdir().unwrap();
    put(folder.path(), "one", &guest("noop"));
    let catalogue = open(settings(folder.path()));
    put(folder.path(), "one", &wat::parse_str("(module)").unwrap());
    let broken = |snapshot: &Snapshot| matches!(status(snapshot, "one"), Some(HandlerStatus::Broken(_)));
    let snapshot = until(&catalogue, "breaks", broken).await;
    assert!(serves(&snapshot, "NOOP"));
    let entry = &snapshot.entries()[0];
    assert!(entry.status.reason().unwrap().contains("core module"), "{entry:?}");
    assert_eq!(catalogue.load_errors(), [("one".to_owned(), 1)].into());

    put(folder.path(), "one", &guest("noop"));
    until(&catalogue, "mends", |snapshot| status(snapshot, "one") == Some(HandlerStatus::Live)).await;
}

#[tokio::test]
async fn a_file_that_takes_long_to_compile_holds_up_no_other() {
    let (folder, cache) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let go = cache.path().join("go");
    let program = cache.path().join("compiler");
    // It compiles nothing: it waits to be told, then refuses what it was given.
    let script = format!("#!/bin/sh\ncat > /dev/null\nuntil [ -e {} ]; do sleep 0.01; done\nexit 1\n", go.display());
    std::fs::write(&program, script).unwrap();
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o700)).unwrap();
    let kept = SandboxSettings { cache: Some(cache.path().join("kept")), ..SandboxSettings::default() };
    Sandbox::try_new(&kept).unwrap().load(&name("quick"), &guest("noop")).unwrap();
    let (timeout, memory) = (Duration::from_secs(60), Size::from_mib(64));
    let compiler = Some(CompilerSettings { program, timeout, memory });
    let sandbox = Sandbox::try_new(&SandboxSettings { compiler, ..kept }).unwrap();

    let catalogue = Catalogue::open(sandbox, settings(folder.path())).unwrap();
    put(folder.path(), "a-slow-one", &guest("echo"));
    put(folder.path(), "quick", &guest("noop"));
    let snapshot = until(&catalogue, "goes live", |snapshot| serves(snapshot, "NOOP")).await;
    assert_eq!(status(&snapshot, "a-slow-one"), None);
    std::fs::write(go, "").unwrap();
    let broken = |snapshot: &Snapshot| matches!(status(snapshot, "a-slow-one"), Some(HandlerStatus::Broken(_)));
    let snapshot = until(&catalogue, "is refused", broken).await;
    assert!(serves(&snapshot, "NOOP"));
}

#[test]
fn what_is_kept_out_says_why() {
    let folder = tempfile::tempdir().unwrap();
    for file in ["with_defaults", "Bad Name", "other", "noop"] {
        put(folder.path(), file, &guest(if file == "with_defaults" { "with_defaults" } else { "noop" }));
    }
    std::fs::create_dir(folder.path().join("inner")).unwrap();
    put(&folder.path().join("inner"), "deep", &guest("noop"));
    let plugins = vec![name("with_defaults"), name("noop")];
    let catalogue = open(CatalogueSettings { plugins, ..settings(folder.path()) });
    let snapshot = catalogue.snapshot();
    let reason = |of: &str| match status(&snapshot, of) {
        Some(HandlerStatus::KeptOut(reason)) => reason,
        other => panic!("{of}: {other:?}"),
    };
    assert!(reason("with_defaults").contains("lacks: `llm`"), "{}", reason("with_defaults"));
    assert!(reason("Bad Name").contains("rename the file"), "{}", reason("Bad Name"));
    assert!(reason("other").contains("worker.plugins"), "{}", reason("other"));
    let names: Vec<&str> = snapshot.entries().iter().map(|entry| entry.name.as_str()).collect();
    assert_eq!(names, ["Bad Name", "noop", "other", "with_defaults"]);
    assert_eq!(snapshot.kinds().map(Kind::as_str).collect::<Vec<_>>(), ["NOOP"]);
}

#[tokio::test]
async fn a_handler_goes_live_and_is_kept_out_with_the_tags_that_it_needs() {
    let folder = tempfile::tempdir().unwrap();
    put(folder.path(), "with_defaults", &guest("with_defaults"));
    put(folder.path(), "noop", &guest("noop"));
    let catalogue = open(settings(folder.path()));
    let live = |snapshot: &Snapshot| matches!(status(snapshot, "with_defaults"), Some(HandlerStatus::Live));
    assert!(!live(&catalogue.snapshot()));
    catalogue.set_caps(TagSet::parse(["cpu", "llm"]).unwrap()).unwrap();
    let snapshot = until(&catalogue, "it has the tag", live).await;
    assert!(serves(&snapshot, "NOOP"));
    catalogue.set_caps(TagSet::parse(["cpu"]).unwrap()).unwrap();
    let snapshot = until(&catalogue, "the tag is gone", |snapshot| !live(snapshot)).await;
    let Some(HandlerStatus::KeptOut(reason)) = status(&snapshot, "with_defaults") else { panic!("not kept out") };
    assert!(reason.contains("lacks: `llm`"), "{reason}");
    assert!(serves(&snapshot, "NOOP"));
}

#[tokio::test]
async fn what_is_live_beside_a_broken_file_goes_and_comes_with_its_tag() {
    let folder = tempfile::tempdir().unwrap();
    put(folder.path(), "with_defaults", &guest("with_defaults"));
    let catalogue = open(settings(folder.path()));
    let with = ["cpu", "llm"];
    catalogue.set_caps(TagSet::parse(with).unwrap()).unwrap();
    until(&catalogue, "it is live", |snapshot| serves(snapshot, "WITH")).await;
    put(folder.path(), "with_defaults", b"\0asm but not for long");
    let broken = |snapshot: &Snapshot| matches!(status(snapshot, "with_defaults"), Some(HandlerStatus::Broken(_)));
    let snapshot = until(&catalogue, "it is broken", broken).await;
    assert!(serves(&snapshot, "WITH"));
    catalogue.set_caps(TagSet::parse(["cpu"]).unwrap()).unwrap();
    let snapshot = until(&catalogue, "the tag is gone", |snapshot| !serves(snapshot, "WITH")).await;
    assert!(broken(&snapshot));
    catalogue.set_caps(TagSet::parse(with).unwrap()).unwrap();
    let snapshot = until(&catalogue, "the tag is back", |snapshot| serves(snapshot, "WITH")).await;
    assert!(broken(&snapshot));
}

#[test]
fn a_file_larger_than_all_of_memory_is_refused_without_being_read() {
    let folder = tempfile::tempdir().unwrap();
    // Sparse: it takes no room on the disk.
    std::fs::File::create(folder.path().join("vast.wasm")).unwrap().set_len(1 << 42).unwrap();
    let catalogue = open(settings(folder.path()));
    let Some(HandlerStatus::Broken(reason)) = status(&catalogue.snapshot(), "vast") else { panic!("not broken") };
    assert!(reason.contains("at most 134217728"), "{reason}");
}

#[test]
fn handlers_of_one_kind_come_in_name_order_and_the_same_bytes_are_one_version() {
    let folder = tempfile::tempdir().unwrap();
    for file in ["b", "a", "c"] {
        put(folder.path(), file, &guest("noop"));
    }
    let catalogue = open(settings(folder.path()));
    let snapshot = catalogue.snapshot();
    let serving = snapshot.serving(&kind("NOOP"));
    let names: Vec<&str> = serving.iter().map(|live| live.handler.version().name.as_str()).collect();
    assert_eq!(names, ["a", "b", "c"]);
    assert!(serving.windows(2).all(|pair| pair[0].handler.version().digest == pair[1].handler.version().digest));
}

#[test]
fn the_operator_has_the_say_over_tags_options_and_settings() {
    let folder = tempfile::tempdir().unwrap();
    put(folder.path(), "with_defaults", &guest("with_defaults"));
    let operator = HandlerSettings {
        provides: Some(TagSet::parse(["cpu"]).unwrap()),
        options: Overrides { timeout: Some(Span::from_secs(7)), ..Overrides::default() },
        settings: None,
        ..HandlerSettings::default()
    };
    let ceilings = Ceilings { memory: Size::from_mib(4), ..Ceilings::default() };
    let handlers = [(name("with_defaults"), operator)].into();
    let catalogue = open(CatalogueSettings { handlers, ceilings, ..settings(folder.path()) });
    let snapshot = catalogue.snapshot();
    let live = &snapshot.serving(&kind("WITH"))[0];
    assert_eq!(live.provides.to_string(), "cpu");
    assert_eq!((live.options.timeout, live.options.memory), (Span::from_secs(7), Size::from_mib(4)));
    let options = Overrides { timeout: Some(Span::from_secs(1)), ..Overrides::default() };
    let task = Extras { options, ..Extras::default() };
    assert_eq!(live.options_for(Some(&task)).timeout, Span::from_secs(1));
    assert!(Arc::ptr_eq(&live.options_for(None), &live.options));
    let route = |tags: &[&str]| Route::new(kind("WITH"), TagSet::parse(tags.iter().copied()).unwrap());
    assert!(snapshot.serves(&route(&["cpu"])) && !snapshot.serves(&route(&["llm"])));
}

#[test]
fn a_missing_folder_says_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let error = Catalogue::open(SANDBOX.clone(), settings(&folder.path().join("none"))).expect_err("it opens");
    assert!(matches!(error, CatalogueError::Missing(_)));
    assert!(error.to_string().contains("create it"), "{error}");
}

#[test]
fn an_entry_can_be_shown_as_json() {
    let folder = tempfile::tempdir().unwrap();
    put(folder.path(), "noop", &guest("noop"));
    let catalogue = open(settings(folder.path()));
    let view = serde_json::to_value(catalogue.snapshot().entries()[0].view()).unwrap();
    assert_eq!((&view["name"], &view["status"], &view["kind"]), (&"noop".into(), &"live".into(), &"NOOP".into()));
    assert_eq!(view["digest"].as_str().unwrap().len(), 64);
}
