//! What is no handler is refused, and the refusal says what it is.

use bulkhead_core::{Size, Span};
use bulkhead_sandbox::LoadError;

use crate::harness::{SANDBOX, guest, load, name};

fn refused(bytes: &[u8]) -> LoadError {
    SANDBOX.load(&name("x"), bytes).expect_err("it is loaded")
}

fn wat(text: &str) -> Vec<u8> {
    wat::parse_str(text).unwrap()
}

#[test]
fn a_handler_is_described_by_what_it_exports() {
    let handler = load("with_defaults");
    assert_eq!(handler.kind().as_str(), "WITH");
    assert_eq!(handler.provides().to_string(), "cpu llm");
    assert_eq!(handler.defaults().timeout, Some(Span::from_secs(5)));
    assert_eq!(handler.defaults().memory, Some(Size::from_mib(8)));
    assert_eq!(handler.version().name.as_str(), "with_defaults");
    assert_eq!(handler.size_bytes(), guest("with_defaults").len() as u64);
}

#[test]
fn what_is_no_component_is_told_by_name() {
    assert_eq!(refused(b"MZ\x90\0"), LoadError::NotWasm);
    assert_eq!(refused(b"(component)"), LoadError::NotWasm);
    assert_eq!(refused(&wat("(module)")), LoadError::CoreModule);
    assert!(matches!(refused(&vec![0; 200 << 20]), LoadError::TooLarge { .. }));
    let engine = wasmtime::Engine::default();
    let compiled = engine.precompile_component(&wat("(component)")).unwrap();
    assert_eq!(refused(&compiled), LoadError::Precompiled);
}

#[test]
fn a_file_that_ends_anywhere_is_told_so() {
    let whole = guest("noop");
    for length in [4, 9, 100, 5000, whole.len() / 2, whole.len() - 1] {
        assert_eq!(refused(&whole[..length]), LoadError::Truncated, "{length}");
    }
}

#[test]
fn a_component_of_another_world_is_told_what_to_export() {
    let error = refused(&wat("(component)"));
    assert_eq!(error, LoadError::NotAHandler { expected: "bulkhead:handler/handler@0.1.0".to_owned() });
    let error = refused(&wat(r#"(component (instance $i) (export "bulkhead:handler/handler@0.1.0" (instance $i)))"#));
    assert_eq!(error, LoadError::NotAHandler { expected: "bulkhead:handler/handler@0.1.0#dispatch".to_owned() });
}

#[test]
fn a_component_of_another_version_is_told_both() {
    for version in ["0.0.9", "0.2.0", "1.0.0"] {
        let text = format!(r#"(component (instance $i) (export "bulkhead:handler/handler@{version}" (instance $i)))"#);
        let error = refused(&wat(&text)).to_string();
        assert!(error.contains(&format!("handler@{version}")) && error.contains("handler@0.1.0"), "{error}");
    }
}

#[test]
fn an_import_that_the_host_has_not_is_named() {
    let text = r#"(component
        (import "acme:tools/hammer@1.0.0" (instance (export "hit" (func))))
        (instance $i) (export "bulkhead:handler/handler@0.1.0" (instance $i)))"#;
    let error = refused(&wat(text));
    assert!(matches!(&error, LoadError::UnknownImport { name, .. } if name == "acme:tools/hammer@1.0.0"), "{error:?}");
}

#[test]
fn an_export_of_another_type_is_named() {
    let text = r#"(component
        (core module $m (func (export "f")))
        (core instance $m (instantiate $m))
        (func $f (canon lift (core func $m "f")))
        (instance $i (export "kind" (func $f)) (export "provides" (func $f)) (export "defaults" (func $f))
            (export "dispatch" (func $f)) (export "handle" (func $f)))
        (export "bulkhead:handler/handler@0.1.0" (instance $i)))"#;
    assert!(matches!(refused(&wat(text)), LoadError::WrongExport { .. }));
}

#[test]
fn a_component_that_needs_wasi_0_3_is_told_so() {
    let text = r#"(component
        (import "wasi:clocks/monotonic-clock@0.3.0" (instance (export "now" (func (result u64)))))
        (instance $i) (export "bulkhead:handler/handler@0.1.0" (instance $i)))"#;
    assert!(matches!(refused(&wat(text)), LoadError::NeedsAsync(_)));
    let text = r#"(component
        (core module $m (func (export "f")))
        (core instance $m (instantiate $m))
        (func $f async (canon lift (core func $m "f") async)))"#;
    let error = refused(&wat(text));
    assert!(matches!(error, LoadError::NeedsAsync(_)), "{error:?}");
}

#[test]
fn more_than_one_sandbox_may_have_is_told_so() {
    let memories = "(core module $m (memory 1)) ".to_owned()
        + &(0..40).map(|_| "(core instance (instantiate $m)) ").collect::<String>();
    let error = refused(&wat(&format!("(component {memories})")));
    assert!(matches!(error, LoadError::TooDemanding(_)), "{error:?}");
}

#[test]
fn a_kind_that_traps_loops_or_sleeps_is_refused_in_time() {
    let describe = |of: &str| match refused(&guest(of)) {
        LoadError::Describe { export, problem } => (export, problem),
        other => panic!("{of}: {other:?}"),
    };
    assert_eq!(describe("kind_traps"), ("kind", "traps: unreachable".to_owned()));
    for of in ["kind_loops", "kind_sleeps"] {
        let started = std::time::Instant::now();
        let (export, problem) = describe(of);
        assert!(export == "kind" && problem.contains("does not end"), "{of}: {export} {problem}");
        assert!(started.elapsed() < std::time::Duration::from_secs(5), "{of}: {:?}", started.elapsed());
    }
}

#[test]
fn a_start_function_that_loops_is_refused() {
    let text = r#"(component
        (core module $m (func $f (loop (br 0))) (start $f))
        (core instance (instantiate $m))
        (core module $n (func (export "f")))
        (core instance $n (instantiate $n))
        (func $f (canon lift (core func $n "f")))
        (instance $i (export "dispatch" (func $f)) (export "handle" (func $f)))
        (export "bulkhead:handler/handler@0.1.0" (instance $i)))"#;
    let error = refused(&wat(text));
    assert!(
        matches!(error, LoadError::Describe { export: "instantiate", .. } | LoadError::WrongExport { .. }),
        "{error:?}"
    );
}

#[test]
fn a_bad_description_is_told_by_export_and_rule() {
    for (of, export, rule) in [
        ("bad_kind", "kind", r"two words\u{7}"),
        ("bad_tags", "provides", "at most 32 tags"),
        ("bad_defaults", "defaults", "timout"),
    ] {
        let error = refused(&guest(of));
        assert!(matches!(&error, LoadError::Description { export: named, .. } if *named == export), "{of}: {error:?}");
        assert!(error.to_string().contains(rule), "{error}");
    }
}

#[test]
fn random_changes_to_a_component_never_break_the_host() {
    let whole = guest("noop");
    for round in 0u64..40 {
        let mut bytes = whole.clone();
        let mut seed = round.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
        for _ in 0..=round % 5 {
            seed ^= seed << 13;
            seed ^= seed >> 7;
            seed ^= seed << 17;
            let at = usize::try_from(seed % bytes.len() as u64).unwrap();
            bytes[at] ^= u8::try_from(seed >> 56).unwrap() | 1;
        }
        // Refused or loaded, but never a panic or a hang.
        let _ = SANDBOX.load(&name("x"), &bytes);
    }
}
