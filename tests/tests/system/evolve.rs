//! The example evolve: MUTATE, EXECUTE and EVALUATE improve a program over generations, with a model that also fails.

use std::collections::{BTreeMap, HashSet};
use std::process::Command;
use std::time::Duration;

use bulkhead_tests::evolving::{Answers, Word};
use bulkhead_tests::{Engine, Folder, Host, ModelServer, places, skipped, within};
use serde_json::{Value, json};

/// All generations, on a machine that does other things, too.
const LIMIT: Duration = Duration::from_secs(540);

/// A folder as the example's README makes it: its settings, and the handlers.
fn folder() -> Folder {
    let example = places::root().join("examples/evolve");
    let folder = Folder::with_settings(&std::fs::read_to_string(example.join("bulkhead.toml")).expect("the settings"));
    for (workspace, name) in [
        ("handlers", "patch_mutator"),
        ("handlers", "execute_docker"),
        ("handlers", "evaluate"),
        ("examples/evolve", "evolve"),
    ] {
        let component = std::fs::read(places::handler(workspace, name)).expect("the component");
        folder.drop_in(&name.replace('_', "-"), &component);
    }
    folder
}

/// What a script of the example writes to standard output.
fn script(name: &str, arguments: &[&str], environment: &[(&str, &str)]) -> String {
    let example = places::root().join("examples/evolve");
    let mut command = match name.ends_with(".py") {
        true => Command::new(places::python().expect("python3")),
        false => Command::new("sh"),
    };
    command.arg(name).args(arguments).envs(environment.iter().copied()).current_dir(example);
    let output = command.output().expect("it can be started");
    assert!(output.status.success(), "{name}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("a text")
}

/// How many changes of a generation get one of these.
fn scripted(answers: &Answers, generation: usize, wanted: impl Fn(&Word) -> bool) -> u64 {
    answers.generation(generation).iter().filter(|word| wanted(word)).count() as u64
}

fn is_one_of(word: &Word, names: &[&str]) -> bool {
    matches!(word, Word::Other(name) if names.contains(&name.as_str()))
}

/// The children of a task, whole.
fn children(host: &Host, parent: &str) -> Vec<Value> {
    let answer = host.client.get(&format!("/v1/tasks?parent={parent}&limit=1000")).body;
    assert_eq!(answer["next"], Value::Null, "one page");
    answer["items"].as_array().expect("a list").clone()
}

#[test]
fn a_program_gets_better_over_generations_whatever_the_model_says() {
    let Some(engine) = Engine::find() else { return };
    if places::python().is_none() {
        return skipped("python3 is not here");
    }
    let socket = format!("unix://{}", engine.socket().display());
    script("make-image.sh", &[], &[("DOCKER_HOST", &socket)]);
    let example = places::root().join("examples/evolve");
    let answers = Answers::read(&example.join("answers")).expect("the answers");
    let script_of_model = Answers::read(&example.join("answers")).expect("the answers");
    let server = ModelServer::answering(move |question| script_of_model.reply(question));
    let folder = folder();
    let environment = [
        ("BULKHEAD_LLM__BACKENDS__MODEL__URL", server.url()),
        ("BULKHEAD_LLM__BACKENDS__MODEL__TIMEOUT", "3s".to_owned()),
        ("BULKHEAD_DOCKER__SOCKET", engine.socket().display().to_string()),
    ];
    let environment: Vec<(&str, &str)> = environment.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let host = Host::start(&folder, &environment).expect("a host");
    let payload: Value = serde_json::from_str(&script("make_payload.py", &["lcs.awk"], &[])).expect("JSON");
    let id = host.client.submit(&json!({"kind": "EVOLVE", "payload": payload}));
    let task = within(LIMIT, "it ends", || {
        let task = host.client.get(&format!("/v1/tasks/{id}?wait=30s")).body;
        matches!(task["state"].as_str(), Some("succeeded" | "dead")).then_some(task)
    });
    assert_eq!(task["state"], "succeeded", "{task:#}");
    let result = &task["result"];

    // The score rises, by steps that no noise explains.
    let generations = result["generations"].as_array().expect("a list");
    assert_eq!(generations.len(), 5);
    let mut scores = vec![result["baseline"].as_f64().expect("a number")];
    scores.extend(generations.iter().map(|row| row["best"].as_f64().expect("a number")));
    assert!(scores.is_sorted(), "{scores:?}");
    assert!(scores.windows(2).filter(|pair| pair[1] > pair[0]).count() >= 3, "{scores:?}");
    assert!(scores[5] > scores[0] + 0.25, "{scores:?}");

    // What is best is an improvement, and right.
    let best = result["best"]["source"].as_str().expect("a program");
    assert!(best != payload["source"] && result["best"]["generation"].as_u64() >= Some(3), "{best}");
    assert!(best.contains("row[j]") || best.contains("places["), "{best}");
    let workspace = format!("{id}.best");
    let run = json!({
        "workspace_uri": format!("workspace:{workspace}"), "image": payload["image"], "command": payload["command"],
        "source": best,
    });
    let run = host.client.ended(&host.client.submit(&json!({"kind": "EXECUTE", "payload": run})));
    assert_eq!((&run["result"]["stdout"], &run["result"]["exit_code"]), (&json!("lcs 234\n"), &json!(0)), "{run:#}");

    // What went wrong is what was scripted.
    let population = payload["population"].as_u64().expect("a number");
    let (mut bad_patches, mut unavailable, mut failed, mut tried) = (0, 0, 0, 0);
    for (index, row) in generations.iter().enumerate() {
        let count = |field: &str| row[field].as_u64().expect("a number");
        let scripted = |wanted: &dyn Fn(&Word) -> bool| scripted(&answers, index + 1, wanted);
        assert_eq!(count("bad_patch"), scripted(&|word| is_one_of(word, &["stale", "prose", "cut-off"])), "{row}");
        assert_eq!(count("unavailable"), scripted(&|word| matches!(word, Word::Unavailable | Word::Slow)), "{row}");
        let fails = ["wrong", "cheats", "syntax", "crash", "endless", "greedy"];
        assert_eq!(count("failed_runs"), scripted(&|word| is_one_of(word, &fails)), "{row}");
        assert_eq!(
            count("tried") + count("repeated") + count("bad_patch") + count("unavailable"),
            population,
            "each change is accounted for: {row}"
        );
        bad_patches += count("bad_patch");
        unavailable += count("unavailable");
        failed += count("failed_runs");
        tried += count("tried");
    }

    // Each task that was spawned has ended, and as it is told.
    let children = children(&host, &id);
    let mut account: BTreeMap<(&str, &str), u64> = BTreeMap::new();
    for child in &children {
        let of = |field: &str| child[field].as_str().unwrap_or_default();
        *account.entry((of("kind"), of("state"))).or_default() += 1;
    }
    let mutated = 5 * population;
    let dead_runs = account.get(&("EXECUTE", "dead")).copied().unwrap_or(0);
    assert_eq!(account.get(&("EXECUTE", "dead")), Some(&1), "the one that does not end: {account:?}");
    assert_eq!(
        account,
        BTreeMap::from([
            (("MUTATE", "succeeded"), mutated - bad_patches - unavailable),
            (("MUTATE", "dead"), bad_patches + unavailable),
            (("EXECUTE", "succeeded"), 1 + tried - dead_runs),
            (("EXECUTE", "dead"), dead_runs),
            (("EVALUATE", "succeeded"), 1 + tried - failed),
            (("EVALUATE", "dead"), failed - dead_runs),
        ])
    );
    assert_eq!(host.client.count(&format!("parent={id}")), children.len() as u64);

    // Nothing is left of them.
    let ids: HashSet<String> = children.iter().filter_map(|child| child["id"].as_str()).map(str::to_owned).collect();
    assert_eq!(ids.len(), children.len());
    within(Duration::from_secs(60), "no container is left", || {
        (engine.containers_among(&ids).expect("a list") == 0).then_some(())
    });
    assert_eq!(server.open(), 0, "nobody waits for the model");

    // The table that people see.
    let table = script("table.py", &[&id], &[("BULKHEAD_URL", &host.url)]);
    assert!(table.contains(&format!("{0}  tasks were spawned, and {0} have ended", children.len())), "{table}");
    assert!(table.contains(best), "{table}");
}
