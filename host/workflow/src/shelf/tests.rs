//! A folder whose files come, change and go.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bulkhead_core::TemplateRef;

use super::files::{Files, Look};
use super::{Shelf, ShelfSettings, ShelfSnapshot};
use crate::TemplateSettings;

fn template(name: &str, version: &str, kind: &str) -> String {
    format!("name: {name}\nnamespace_name: shop\nversion: {version}\nsteps:\n  - {{name: one, kind: {kind}}}\n")
}

fn put(folder: &Path, file: &str, text: &str) {
    let beside = folder.join(format!("{file}.tmp"));
    std::fs::write(&beside, text).expect("a file");
    std::fs::rename(beside, folder.join(file)).expect("a file");
}

fn open(folder: &Path) -> Arc<Shelf> {
    let settings = ShelfSettings { dir: folder.to_owned(), templates: TemplateSettings::default() };
    Shelf::open(settings).expect("a shelf")
}

/// Waits until the shelf is as it should be.
fn until(shelf: &Shelf, holds: impl Fn(&ShelfSnapshot) -> bool) -> Arc<ShelfSnapshot> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
    let mut changes = shelf.changes();
    let waited = runtime.block_on(async {
        let wait = async {
            loop {
                changes.borrow_and_update();
                let snapshot = shelf.snapshot();
                if holds(&snapshot) {
                    return snapshot;
                }
                changes.changed().await.expect("the shelf is there");
            }
        };
        tokio::time::timeout(Duration::from_secs(20), wait).await
    });
    waited.unwrap_or_else(|_| panic!("it never came to that: {:#?}", shelf.snapshot()))
}

fn kind(snapshot: &ShelfSnapshot, reference: &str) -> String {
    match snapshot.find(&TemplateRef::parse(reference).expect("a reference")) {
        Ok(template) => template.plan().steps[0].kind.to_string(),
        Err(none) => none.to_string(),
    }
}

fn error<'a>(snapshot: &'a ShelfSnapshot, file: &str) -> &'a str {
    let found = snapshot.files().iter().find(|other| other.name == file);
    found.and_then(|file| file.error.as_deref()).unwrap_or_default()
}

#[test]
fn the_newest_version_is_found_and_any_other_by_its_number() {
    let folder = tempfile::tempdir().expect("a folder");
    for (file, version, kind) in
        [("a.yaml", "1.2.0", "OLD"), ("b.yml", "1.10.0", "NEW"), ("c.yaml", "2.0.0-beta.1", "NEXT")]
    {
        put(folder.path(), file, &template("order", version, kind));
    }
    put(folder.path(), "d.txt", "no template");
    put(folder.path(), ".e.yaml", "no template");
    let shelf = open(folder.path());
    let snapshot = shelf.snapshot();
    assert_eq!(snapshot.files().len(), 3);
    for (reference, expected) in [
        ("order", "NEW"),
        ("shop/order", "NEW"),
        ("order@1.2.0", "OLD"),
        ("shop/order@1.2", "OLD"),
        ("order@2.0.0-beta.1", "NEXT"),
        ("order@3.0.0", "the template `order` has no live version `3.0.0`; there is `1.10.0`, `1.2.0`, `2.0.0-beta.1`"),
        ("ordre", "unknown template: `ordre`; did you mean `order`?"),
        ("shop/odrer", "unknown template: `shop/odrer`; did you mean `shop/order`?"),
        ("store/quite_another", "unknown template: `store/quite_another`; there are `shop/order`"),
    ] {
        assert_eq!(kind(&snapshot, reference), expected, "{reference}");
    }
    let order: Vec<String> = snapshot.templates().map(|template| template.version().to_string()).collect();
    assert_eq!(order, ["1.10.0", "1.2.0", "2.0.0-beta.1"]);
}

#[test]
fn a_name_in_two_namespaces_must_say_which() {
    let folder = tempfile::tempdir().expect("a folder");
    put(folder.path(), "a.yaml", &template("order", "1.0.0", "A"));
    put(folder.path(), "b.yaml", &template("order", "1.0.0", "B").replace("shop", "store"));
    let snapshot = open(folder.path()).snapshot();
    assert_eq!(kind(&snapshot, "store/order"), "B");
    let expected = "several templates are called `order`; say which: `shop/order`, `store/order`";
    assert_eq!(kind(&snapshot, "order"), expected);
}

#[test]
fn files_come_change_and_go() {
    let folder = tempfile::tempdir().expect("a folder");
    let shelf = open(folder.path());
    put(folder.path(), "a.yaml", &template("order", "1.0.0", "A"));
    let first = until(&shelf, |snapshot| kind(snapshot, "order") == "A");
    // Written in place, as editors do.
    std::fs::write(folder.path().join("a.yaml"), template("order", "1.0.0", "B")).expect("a file");
    until(&shelf, |snapshot| kind(snapshot, "order") == "B");
    // What began before keeps what it had.
    assert_eq!(kind(&first, "order"), "A");
    std::fs::remove_file(folder.path().join("a.yaml")).expect("a file");
    until(&shelf, |snapshot| snapshot.files().is_empty() && kind(snapshot, "order").contains("there are no templates"));
}

#[test]
fn a_bad_file_leaves_the_version_before_it_live_and_says_what_is_wrong() {
    let folder = tempfile::tempdir().expect("a folder");
    put(folder.path(), "a.yaml", &template("order", "1.0.0", "A"));
    let shelf = open(folder.path());
    put(folder.path(), "a.yaml", "name: order\nsteps: [{name: one, kidn: A}]\n");
    let snapshot = until(&shelf, |snapshot| !error(snapshot, "a.yaml").is_empty());
    assert_eq!(kind(&snapshot, "order"), "A");
    assert!(error(&snapshot, "a.yaml").starts_with("a.yaml:2:"), "{}", error(&snapshot, "a.yaml"));
    put(folder.path(), "a.yaml", &template("order", "1.0.0", "C"));
    until(&shelf, |snapshot| kind(snapshot, "order") == "C" && error(snapshot, "a.yaml").is_empty());
}

#[test]
fn a_slow_copy_is_read_once_it_is_whole() {
    use std::io::Write as _;
    let folder = tempfile::tempdir().expect("a folder");
    let shelf = open(folder.path());
    let text = template("order", "1.0.0", "A") + "  - {name: two, kind: B}\n";
    let half = text.find("  - {name: two").expect("a second step");
    let began = std::time::Instant::now();
    let mut file = std::fs::File::create(folder.path().join("a.yaml")).expect("a file");
    file.write_all(&text.as_bytes()[..half]).expect("half of it");
    // Another file comes meanwhile, so that the thread looks and sees the half.
    put(folder.path(), "b.yaml", &template("other", "1.0.0", "B"));
    let snapshot = until(&shelf, |snapshot| kind(snapshot, "other") == "B");
    // On a machine that stood still meanwhile, the writer counts as gone.
    if began.elapsed() < Duration::from_millis(500) {
        assert!(kind(&snapshot, "order").starts_with("unknown template"));
    }
    file.write_all(&text.as_bytes()[half..]).expect("the rest");
    drop(file);
    until(&shelf, |snapshot| {
        let found = snapshot.find(&TemplateRef::parse("order").expect("a reference"));
        found.is_ok_and(|template| template.plan().steps.len() == 2)
    });
}

#[test]
fn two_files_with_one_reference_are_an_error_that_names_both() {
    let folder = tempfile::tempdir().expect("a folder");
    put(folder.path(), "b.yaml", &template("order", "1.0.0", "B"));
    let shelf = open(folder.path());
    put(folder.path(), "a.yaml", &template("order", "1.0", "A"));
    let snapshot = until(&shelf, |snapshot| !error(snapshot, "a.yaml").is_empty());
    let expected =
        "a.yaml: `shop/order@1.0.0` is in another file already: `b.yaml`; give one of them another name or version";
    assert_eq!(error(&snapshot, "a.yaml"), expected);
    assert_eq!((kind(&snapshot, "order").as_str(), error(&snapshot, "b.yaml")), ("B", ""));
    std::fs::remove_file(folder.path().join("b.yaml")).expect("a file");
    until(&shelf, |snapshot| kind(snapshot, "order") == "A" && error(snapshot, "a.yaml").is_empty());
}

#[test]
fn a_reload_reads_everything_by_what_is_live_now() {
    use std::sync::atomic::{AtomicBool, Ordering};
    let folder = tempfile::tempdir().expect("a folder");
    put(folder.path(), "a.yaml", &template("order", "1.0.0", "RENDER"));
    let served = Arc::new(AtomicBool::new(false));
    let asked = Arc::clone(&served);
    let handler = |_| crate::Served {
        kind: bulkhead_core::Kind::parse("RENDER").expect("a kind"),
        provides: bulkhead_core::TagSet::default(),
    };
    let templates = TemplateSettings {
        handlers: Some(Arc::new(move || {
            Some(()).filter(|()| asked.load(Ordering::SeqCst)).map(handler).into_iter().collect()
        })),
        refuse_unroutable: true,
        ..TemplateSettings::default()
    };
    let shelf = Shelf::open(ShelfSettings { dir: folder.path().to_owned(), templates }).expect("a shelf");
    assert!(error(&shelf.snapshot(), "a.yaml").contains("no live handler serves the kind `RENDER`"));
    served.store(true, Ordering::SeqCst);
    shelf.reload().expect("a look");
    assert_eq!((kind(&shelf.snapshot(), "order").as_str(), error(&shelf.snapshot(), "a.yaml")), ("RENDER", ""));
}

#[test]
fn a_folder_that_is_not_there_yet_holds_nothing_and_is_read_once_it_is() {
    let parent = tempfile::tempdir().expect("a folder");
    let folder = parent.path().join("workflows");
    let shelf = open(&folder);
    let nothing = "unknown template: `order`; there are no templates: put one into the folder of workflow.dir";
    assert_eq!(kind(&shelf.snapshot(), "order"), nothing);
    assert_eq!(kind(&Shelf::empty().snapshot(), "order"), nothing);
    std::fs::create_dir(&folder).expect("a folder");
    put(&folder, "a.yaml", &template("order", "1.0.0", "RENDER"));
    until(&shelf, |snapshot| kind(snapshot, "order") == "RENDER");
}

#[test]
fn a_file_that_asks_for_what_another_has_keeps_what_it_had() {
    let folder = tempfile::tempdir().expect("a folder");
    put(folder.path(), "a.yaml", &template("order", "1.0.0", "A"));
    put(folder.path(), "b.yaml", &template("order", "2.0.0", "B"));
    let shelf = open(folder.path());
    for (file, other, asked) in [("a.yaml", "b.yaml", "2.0.0"), ("b.yaml", "a.yaml", "1.0.0")] {
        put(folder.path(), file, &template("order", asked, "C"));
        let snapshot = until(&shelf, |snapshot| !error(snapshot, file).is_empty());
        assert!(error(&snapshot, file).contains(&format!("`{other}`")), "{}", error(&snapshot, file));
        assert_eq!(error(&snapshot, other), "");
        assert_eq!((kind(&snapshot, "order@1.0.0").as_str(), kind(&snapshot, "order@2.0.0").as_str()), ("A", "B"));
        // As it was before.
        put(folder.path(), "a.yaml", &template("order", "1.0.0", "A"));
        put(folder.path(), "b.yaml", &template("order", "2.0.0", "B"));
        until(&shelf, |snapshot| error(snapshot, file).is_empty());
    }
}

#[test]
fn files_that_change_places_in_one_look_all_win() {
    let folder = tempfile::tempdir().expect("a folder");
    let settings = ShelfSettings { dir: folder.path().to_owned(), templates: TemplateSettings::default() };
    let mut files = Files::new(settings);
    let versions = |files: &mut Files, versions: [&str; 3]| {
        for (file, version) in ["a", "b", "c"].iter().zip(versions) {
            put(folder.path(), &format!("{file}.yaml"), &template("order", version, &file.to_uppercase()));
        }
        files.sweep(std::time::Instant::now(), Look::First).expect("a look");
        let snapshot = files.snapshot(1);
        ["1.0.0", "2.0.0", "3.0.0"].map(|version| kind(&snapshot, &format!("order@{version}")))
    };
    assert_eq!(versions(&mut files, ["1.0.0", "2.0.0", "3.0.0"]), ["A", "B", "C"]);
    assert_eq!(versions(&mut files, ["2.0.0", "3.0.0", "1.0.0"]), ["C", "A", "B"]);
    // Who cannot move makes no room for others: `a` asks for what `b` has, and `c` for what `a` has.
    assert_eq!(versions(&mut files, ["3.0.0", "3.0.0", "2.0.0"]), ["C", "A", "B"]);
    let snapshot = files.snapshot(1);
    assert_eq!((error(&snapshot, "b.yaml"), error(&snapshot, "a.yaml").is_empty()), ("", false));
    assert!(error(&snapshot, "c.yaml").contains("`a.yaml`"), "{}", error(&snapshot, "c.yaml"));
}

#[test]
fn a_relative_folder_is_known_by_the_path_that_the_watcher_says() {
    let folder = tempfile::tempdir().expect("a folder");
    put(folder.path(), "a.yaml", &template("order", "1.0.0", "A"));
    let here = std::env::current_dir().expect("a folder");
    let up = "../".repeat(here.components().count() - 1);
    let relative = Path::new(&up).join(folder.path().strip_prefix("/").expect("an absolute path"));
    let snapshot = open(&relative).snapshot();
    assert!(snapshot.files()[0].path.is_absolute(), "{:?}", snapshot.files());
}

#[test]
fn a_reload_leaves_a_file_waiting_that_is_being_written() {
    let folder = tempfile::tempdir().expect("a folder");
    put(folder.path(), "a.yaml", &template("order", "1.0.0", "A"));
    let settings = ShelfSettings { dir: folder.path().to_owned(), templates: TemplateSettings::default() };
    let mut files = Files::new(settings);
    let now = std::time::Instant::now();
    assert!(files.sweep(now, Look::First).expect("a look"));
    std::fs::write(folder.path().join("a.yaml"), template("order", "1.0.0", "HALF")).expect("a file");
    std::fs::write(folder.path().join("b.yaml"), template("other", "1.0.0", "HALF")).expect("a file");
    assert!(!files.sweep(now, Look::Again).expect("a look"));
    assert_eq!(kind(&files.snapshot(1), "order"), "A");
    assert!(files.is_waiting() && files.snapshot(1).files().len() == 1);
    let later = now + Duration::from_secs(1);
    assert!(files.sweep(later, Look::Changed(&std::collections::HashSet::new())).expect("a look"));
    assert_eq!(kind(&files.snapshot(1), "order") + &kind(&files.snapshot(1), "other"), "HALFHALF");
}
