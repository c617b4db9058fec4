//! Plans as pictures.

use bulkhead_workflow::{dot, graph, mermaid};

use crate::support::template;

const BATCH: &str = include_str!("../templates/batch.yaml");
const APPROVAL: &str = include_str!("../templates/approval.yaml");

#[test]
fn a_plan_is_drawn_for_mermaid() {
    let template = template(APPROVAL);
    let state = |place| (place == 2).then(|| "skipped".to_owned());
    let expected = r##"flowchart TD
    s0["validate_request<br/>validate_request"]
    s1{"route_approval<br/>route_approval, decision"}
    s2["auto_approve<br/>auto_approve, skipped"]:::state_skipped
    s3["manager_approval<br/>manager_approval"]
    s4["finance_review<br/>finance_review"]
    s5(["finalize<br/>finalize, convergence"])
    s0 --> s1
    s1 -.-> s2
    s1 -.-> s3
    s1 -.-> s4
    s2 --> s5
    s3 --> s5
    s4 --> s5
    classDef state_skipped fill:#e0e0e0,stroke:#607d8b,color:#000
"##;
    assert_eq!(mermaid(template.plan(), &state), expected);
}

#[test]
fn a_plan_is_drawn_for_graphviz() {
    let template = template(BATCH);
    let state = |place| (place == 0).then(|| "succeeded".to_owned());
    let text = dot(template.plan(), &state);
    assert!(text.starts_with("digraph \"csv_processing/csv_product_inventory_analyzer@1.0.0\" {\n"));
    for line in [
        "    \"analyze_csv\" [label=\"analyze_csv\\ncsv_analyzer_handler, batch, succeeded\", fillcolor=\"#c8e6c9\"];\n",
        "    \"process_csv_batch\" [label=\"process_csv_batch\\ncsv_batch_processor_handler, for each\", peripheries=2];\n",
        "    \"process_csv_batch\" -> \"aggregate_csv_results\";\n",
    ] {
        assert!(text.contains(line), "{line} is not in\n{text}");
    }
}

#[test]
fn a_plan_is_json_for_consoles() {
    let template = template(APPROVAL);
    let json = serde_json::to_value(graph(template.plan(), &|_| None)).expect("JSON");
    assert_eq!(json["template"], "conditional_approval/approval_routing@1.0.0");
    let expected = serde_json::json!({"name": "route_approval", "kind": "route_approval", "role": "decision"});
    assert_eq!(json["steps"][1], expected);
    let edge = serde_json::json!({"from": "route_approval", "to": "auto_approve", "chosen": true});
    assert_eq!(json["edges"][1], edge);
}

#[test]
fn names_cannot_break_out_of_a_picture() {
    let text = "name: 'a\"]; b<script>'\nnamespace_name: 'x\\\"'\nsteps:\n  - {name: end, kind: A}\n";
    let template = template(text);
    let state = |_: u32| Some("a\"]<b>\nend".to_owned());
    let text = mermaid(template.plan(), &state);
    assert!(text.contains("s0[\"end<br/>A, a#34;]#60;b#62; end\"]:::state_abend"), "{text}");
    let text = dot(template.plan(), &state);
    assert!(text.starts_with(r#"digraph "x\\\"/a\"]; b<script>@1.0.0" {"#), "{text}");
    assert!(text.contains(r#"label="end\nA, a\"]<b>\nend""#), "{text}");
}
