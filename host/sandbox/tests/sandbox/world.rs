//! What a guest finds around it.

use bulkhead_core::{Cursor, JsonText, TagSet};
use bulkhead_sandbox::{StepFacts, WorkspaceAccess};
use serde_json::{Value, json};

use crate::harness::{ID, Run};
use crate::workspaces::workspace;

#[tokio::test]
async fn nothing_of_the_host_is_there() {
    assert_eq!(Run::of("reads_env_and_files").result().await, "[]");
}

#[tokio::test]
async fn a_workspace_that_was_asked_for_too_early_is_there_in_handle_and_not_before() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("note"), "mine").unwrap();
    let mut run = Run::of("early_folders");
    run.workspace = Some(workspace(&folder, WorkspaceAccess::Read));
    assert_eq!(run.result().await, r#"["", "mine"]"#);
}

#[tokio::test]
async fn delegates_without_a_grant_are_denied_and_say_why() {
    let answers: Vec<String> = serde_json::from_str(&Run::of("calls_delegates").result().await).unwrap();
    for (answer, delegate) in answers.iter().zip(["docker", "gpu", "llm"]) {
        assert!(answer.contains("Denied"), "{answer}");
        assert!(answer.contains(&format!("`calls_delegates` has no grant for {delegate}")), "{answer}");
    }
    assert_eq!(answers[3], "0 devices");
}

async fn asked(run: Run) -> Value {
    serde_json::from_str(&run.result().await).unwrap()
}

#[tokio::test]
async fn context_knows_the_facts_of_the_task() {
    let mut run = Run::of("asks_context").payload("{}");
    run.requires = TagSet::parse(["llm", "cpu"]).unwrap();
    run.tenant = Some("acme".to_owned());
    run.tags = Some([("team".to_owned(), "red".to_owned())].into());
    run.traceparent = Some("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".to_owned());
    run.settings = Some(JsonText::from_trusted(r#"{"model":"small"}"#));
    run.state = Some(JsonText::from_trusted("[7]"));
    let cursor: &'static Cursor =
        Box::leak(Box::new(Cursor { start: 3, end: 9, metadata: JsonText::from_trusted("{}") }));
    run.step = Some(StepFacts {
        workflow: "w-1",
        template: "orders",
        name: "pay_002",
        method: Some("charge"),
        cursor: Some(cursor),
    });
    let said = asked(run).await;
    assert_eq!(said["step"], "w-1 orders pay_002 Some(\"charge\") Some((3, 9, \"{}\"))");
    assert_eq!(said["key"], format!("{ID}:4"));
    assert_eq!(said["tenant"], "acme");
    assert_eq!(said["tags"], json!(["team=red"]));
    assert_eq!(said["traceparent"], "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
    assert_eq!(said["settings"], json!({"model": "small"}));
    assert_eq!(said["state"], json!([7]));
    assert_eq!(said["task"], json!([ID, "ASK", ["cpu", "llm"], 2, 3, 4]));
}

#[tokio::test]
async fn context_is_empty_where_the_task_has_nothing() {
    let said = asked(Run::of("asks_context").fuel(1_000_000)).await;
    for absent in ["tenant", "traceparent", "state"] {
        assert_eq!(said[absent], Value::Null, "{absent}");
    }
    assert_eq!((&said["tags"], &said["settings"], &said["upstream"]), (&json!([]), &json!({}), &json!(0)));
    assert_eq!((&said["resumed"], &said["step"], &said["cancelled"]), (&json!(false), &json!(false), &json!(false)));
    let (millis, fuel) = (said["ms"].as_u64().unwrap(), said["fuel"].as_u64().unwrap());
    assert!(millis > 50_000 && millis <= 60_000, "{millis}");
    assert!(fuel > 100_000 && fuel < 1_000_000, "{fuel}");
}
