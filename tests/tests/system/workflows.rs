//! Workflows, as their users meet them.

mod courses;
mod programs;
mod side_by_side;
mod typed;

use bulkhead_tests::{Folder, Host, Stream, eventually};
use serde_json::{Value, json};

/// A folder with these guests, and templates by their files' names.
fn folder(guests: &[&str], templates: &[(&str, &str)]) -> Folder {
    let folder = Folder::with_guests(guests);
    std::fs::create_dir(folder.path().join("workflows")).expect("a folder can be made");
    for (name, text) in templates {
        put(&folder, name, text);
    }
    folder
}

/// Writes a template as careful people do: beside, then under its name.
fn put(folder: &Folder, name: &str, text: &str) {
    let beside = folder.write("template.tmp", text);
    std::fs::rename(beside, folder.path().join("workflows").join(name)).expect("it can be renamed");
}

/// Starts a workflow; gives its id.
fn start(host: &Host, template: &str, input: &Value) -> String {
    let answer = host.client.post("/v1/workflows", &json!({ "template": template, "input": input }));
    assert_eq!((answer.status, &answer.body["state"]), (201, &json!("pending")), "{answer:?}");
    answer.body["id"].as_str().expect("an id").to_owned()
}

fn workflow(host: &Host, id: &str) -> Value {
    let answer = host.client.get(&format!("/v1/workflows/{id}"));
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.body
}

/// A workflow once nothing more happens in it by itself.
fn settled(host: &Host, id: &str) -> Value {
    let answer = host.client.get(&format!("/v1/workflows/{id}?wait=60s"));
    let state = answer.body["state"].as_str().unwrap_or_default();
    assert!(["succeeded", "failed", "cancelled", "blocked"].contains(&state), "{answer:#?}");
    answer.body
}

fn step<'a>(workflow: &'a Value, name: &str) -> &'a Value {
    let steps = workflow["steps"].as_array().expect("steps");
    steps.iter().find(|step| step["name"] == name).unwrap_or_else(|| panic!("no step {name}: {workflow:#}"))
}

/// The states of the steps, in the order of the template.
fn states(workflow: &Value) -> Vec<&str> {
    let steps = workflow["steps"].as_array().expect("steps");
    steps.iter().map(|step| step["state"].as_str().expect("a state")).collect()
}

const ORDER: &str = r#"
name: order
namespace_name: shop
description: From a cart to a mail
input_schema:
  type: object
  required: [cart]
  properties: {cart: {type: array, items: {type: object, required: [sku]}}}
steps:
  - {name: validate, kind: STEP, handler: {initialization: {currency: EUR}}}
  - {name: pay, kind: STEP, depends_on: [validate], publishes_events: [order.paid]}
  - {name: pack, kind: STEP, depends_on: [validate]}
  - {name: mail, kind: STEP, depends_on: [pay, pack], when: "input.cart|length > 1"}
"#;

#[test]
fn each_step_finds_the_input_and_the_results_of_those_before_it() {
    let folder = folder(&["steps"], &[("order.yaml", ORDER)]);
    let host = folder.host();
    let input = json!({ "cart": [{ "sku": "a" }, { "sku": "b" }] });
    let id = start(&host, "order", &input);
    let ended = settled(&host, &id);
    assert_eq!((&ended["state"], &ended["ended"], &ended["total"]), (&json!("succeeded"), &json!(4), &json!(4)));
    assert_eq!((&ended["namespace"], &ended["version"], &ended["input"]), (&json!("shop"), &json!("1.0.0"), &input));
    let validated = &step(&ended, "validate")["result"];
    assert_eq!((&validated["payload"], &validated["settings"]), (&input, &json!({ "currency": "EUR" })), "{ended:#}");
    let mailed = &step(&ended, "mail")["result"];
    assert_eq!(mailed["upstream"]["pay"]["upstream"]["validate"], *validated, "{ended:#}");
    assert_eq!(mailed["upstream"]["pack"]["step"], "pack", "{ended:#}");

    // Where the time went: from the beginning to the last end, without a gap.
    let path = ended["critical_path"].as_array().expect("a path");
    let names: Vec<&str> = path.iter().filter_map(|part| part["step"].as_str()).collect();
    assert!(names == ["validate", "pay", "mail"] || names == ["validate", "pack", "mail"], "{ended:#}");
    assert_eq!((&path[0]["since"], &path[1]["since"]), (&ended["created_at"], &step(&ended, "validate")["ended_at"]));
    assert_eq!(ended["slowest_attempts"].as_array().map(Vec::len), Some(4), "{ended:#}");
    assert_eq!(ended["failed_steps"], json!([]));

    // A step that is looked at as a task says whose it is.
    let task = host.client.task(step(&ended, "pay")["task"].as_str().expect("a task"));
    assert_eq!(task["workflow"], json!({ "id": id, "template": "order", "step": "pay" }));
}

#[test]
fn a_condition_that_does_not_hold_skips_its_step() {
    let folder = folder(&["steps"], &[("order.yaml", ORDER)]);
    let host = folder.host();
    let ended = settled(&host, &start(&host, "shop/order@1.0.0", &json!({ "cart": [{ "sku": "a" }] })));
    assert_eq!(states(&ended), ["succeeded", "succeeded", "succeeded", "skipped"], "{ended:#}");
    assert_eq!(ended["state"], "succeeded");
    assert_eq!(host.client.metric("workflow_settled_total{state=\"succeeded\"}"), 1.0);
}

#[test]
fn what_cannot_begin_is_refused_with_the_place_of_what_is_wrong() {
    let folder = folder(&["steps"], &[("order.yaml", ORDER)]);
    let host = folder.host();
    let post = |body: &Value| host.client.post("/v1/workflows", body);
    let refused = |body: &Value, status: u16, words: &[&str]| {
        let answer = post(body);
        assert_eq!((answer.status, answer.media_type.as_str()), (status, "application/problem+json"), "{answer:?}");
        let detail = answer.body["detail"].as_str().unwrap_or_default();
        words.iter().for_each(|word| assert!(detail.contains(word), "`{word}` is not in {answer:?}"));
        answer.body
    };
    refused(&json!({ "template": "ordre" }), 404, &["unknown template: `ordre`", "did you mean `order`?"]);
    refused(&json!({ "template": "order@2.0.0" }), 404, &["no live version `2.0.0`", "`1.0.0`"]);
    refused(&json!({ "template": "order", "inptu": {} }), 422, &["inptu"]);
    refused(&json!({ "template": "order", "priority": 99 }), 422, &["priority"]);
    let answer = refused(&json!({ "template": "order", "input": { "cart": [{ "sku": 1 }, {}] } }), 422, &["/cart/1"]);
    assert_eq!(
        (&answer["errors"][0]["pointer"], answer["errors"].as_array().map(Vec::len)),
        (&json!("/cart/1"), Some(1))
    );
    refused(&json!({ "template": "order" }), 422, &["cart"]);
    assert_eq!(
        host.client.try_post("/v1/workflows", "application/json", b"{").map(|answer| answer.status).ok(),
        Some(400)
    );
    assert_eq!(host.client.get("/v1/workflows").body, json!({ "items": [], "next": null }));
    assert_eq!(host.client.get("/v1/workflows/nobody").status, 404);
    assert_eq!(host.client.post("/v1/workflows/nobody/cancel", &Value::Null).status, 404);
    assert_eq!(host.client.count("kind=STEP"), 0);
}

#[test]
fn the_same_key_gives_the_first_workflow_and_another_body_is_refused() {
    let folder = folder(&["steps"], &[("order.yaml", ORDER)]);
    let host = folder.host();
    let body = |cart: Value| json!({ "template": "order", "key": "k", "input": { "cart": cart } });
    let first = host.client.post("/v1/workflows", &body(json!([])));
    settled(&host, first.body["id"].as_str().expect("an id"));
    // A newer version of the template is still what the caller asked for.
    put(&folder, "order-2.yaml", &ORDER.replace("name: order\n", "name: order\nversion: 2.0.0\n"));
    eventually("the newer version", || {
        (host.client.get("/v1/templates/shop/order?version=2.0.0").status == 200).then_some(())
    });
    let again = host.client.post("/v1/workflows", &body(json!([])));
    let expected = json!({ "id": first.body["id"], "state": "succeeded", "duplicate": true });
    assert_eq!((first.status, again.status, &again.body), (201, 200, &expected));
    let other = host.client.post("/v1/workflows", &body(json!([{ "sku": "a" }])));
    assert_eq!(other.status, 409, "{other:?}");
    assert!(other.body["detail"].as_str().is_some_and(|detail| detail.contains("`k`")), "{other:?}");
}

#[test]
fn events_are_told_of_the_workflow_and_those_of_its_template() {
    let folder = folder(&["steps"], &[("order.yaml", ORDER)]);
    let host = folder.host();
    let types = "workflow.begun,workflow.succeeded,workflow.event";
    let stream = Stream::open(&host.url, &format!("type={types}"), None);
    stream.next();
    let id = start(&host, "order", &json!({ "cart": [] }));
    let all = stream.until(|told| told.event == "workflow.succeeded");
    let of: Vec<(&str, &Value)> =
        all.iter().map(|told| (told.event.as_str(), &told.data["data"])).filter(|told| !told.0.is_empty()).collect();
    let [("workflow.begun", begun), ("workflow.event", paid), ("workflow.succeeded", ended)] = of[..] else {
        panic!("{all:#?}")
    };
    for data in [begun, paid, ended] {
        assert_eq!(
            (&data["details"]["workflow"], &data["details"]["template"]),
            (&json!(id), &json!("shop/order@1.0.0")),
            "{all:#?}"
        );
    }
    let details = &paid["details"];
    assert_eq!(
        (&details["name"], &details["step"], &details["succeeded"]),
        (&json!("order.paid"), &json!("pay"), &json!(true))
    );
}
