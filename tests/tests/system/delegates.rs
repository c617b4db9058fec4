//! What the host does for handlers: containers, language models and programs with devices, under grants.

use std::process::{Child, Stdio};
use std::time::Duration;

use bulkhead_tests::{Engine, Folder, Host, IMAGE, ModelServer, Ran, Reply, eventually, within};
use serde_json::{Value, json};

/// The guest that asks, with these settings.
fn folder(settings: &str) -> Folder {
    let folder = Folder::with_settings(settings);
    folder.drop_in("asks", &bulkhead_test_guests::guest_bytes("delegates"));
    folder
}

fn submit(host: &Host, words: &str) -> String {
    host.client.submit(&json!({"kind": "DELEGATE", "payload": words}))
}

/// What came of a question to a delegate.
fn told(host: &Host, words: &str) -> Value {
    host.client.ended(&submit(host, words))["result"].clone()
}

#[test]
fn without_a_grant_every_delegate_is_closed_and_names_the_setting() {
    let folder = folder("");
    let host = folder.host();
    for delegate in ["docker", "gpu", "llm"] {
        let told = told(&host, &format!("{delegate} x y"));
        assert_eq!(told["error"], "denied", "{told}");
        let text = told["text"].as_str().unwrap_or_default();
        assert!(text.contains(&format!("[handler.asks.grants.{delegate}]")), "{text}");
    }
    assert_eq!(told(&host, "devices"), json!({"devices": 0}));
}

#[test]
fn a_container_runs_to_its_end_and_is_counted_and_is_gone() {
    let Some(engine) = Engine::find() else { return };
    let folder = folder(&format!(
        "[docker]\nsocket = {:?}\n[handler.asks.grants.docker]\nimages = [{IMAGE:?}]\n",
        engine.socket()
    ));
    let host = folder.host();
    let id = submit(&host, "docker cat; echo; id -u; exit 3");
    let told = host.client.ended(&id)["result"].clone();
    assert_eq!((&told["code"], &told["stdout"]), (&json!(3), &json!("from the guest\n65534\n")), "{told}");
    assert!(told["peak"].as_u64().is_some_and(|peak| peak > 100 << 10), "{told}");
    assert_eq!(engine.containers_of(&id), 0);
    let line = "delegate_calls_total{delegate=\"docker\",result=\"ok\"}";
    assert_eq!(host.client.metric(line), 1.0);
}

#[test]
fn a_container_that_fills_its_workspace_beyond_a_bound_is_ended() {
    let Some(engine) = Engine::find() else { return };
    let folder = folder(&format!(
        "[docker]\nsocket = {:?}\n[workspace]\nmax_bytes = \"4MiB\"\nmax_files = 100\n\
         [handler.asks.grants]\nworkspace = \"read-write\"\n[handler.asks.grants.docker]\nimages = [{IMAGE:?}]\n",
        engine.socket()
    ));
    let host = folder.host();
    let within = submit(&host, "docker-in head -c 4000000 /dev/zero > /workspace/big; sleep 2; ls /workspace");
    let bytes = submit(&host, "docker-in head -c 8000000 /dev/zero > /workspace/big; sleep 600");
    let files = submit(&host, "docker-in for i in $(seq 200); do mkdir /workspace/$i; done; sleep 600");
    for (id, bound) in [(bytes, "workspace.max_bytes"), (files, "workspace.max_files")] {
        let told = host.client.ended(&id)["result"].clone();
        assert_eq!(told["error"], "failed", "{told}");
        assert!(told["text"].as_str().is_some_and(|text| text.contains(bound)), "{told}");
        eventually("it is gone", || (engine.containers_of(&id) == 0).then_some(()));
    }
    let told = host.client.ended(&within)["result"].clone();
    assert_eq!((&told["code"], &told["stdout"]), (&json!(0), &json!("big\n")), "{told}");
}

#[test]
fn a_container_is_gone_when_its_task_is_cancelled_or_its_time_is_over() {
    let Some(engine) = Engine::find() else { return };
    let folder = folder(&format!(
        "[docker]\nsocket = {:?}\n[handler.asks]\ntimeout = \"3s\"\n[handler.asks.grants.docker]\nimages = [{IMAGE:?}]\n",
        engine.socket()
    ));
    let host = folder.host();
    let late = submit(&host, "docker sleep 600");
    let cancelled = submit(&host, "docker sleep 600");
    eventually("it runs", || (engine.containers_of(&cancelled) == 1).then_some(()));
    host.client.post(&format!("/v1/tasks/{cancelled}/cancel"), &json!({}));
    assert_eq!(host.client.ended(&cancelled)["state"], "cancelled");
    eventually("it is gone", || (engine.containers_of(&cancelled) == 0).then_some(()));
    eventually("its time is over", || {
        let view = host.client.get(&format!("/v1/tasks/{late}")).body;
        (view["attempt"].as_u64() > Some(1) || view["state"] == "dead").then_some(())
    });
    host.client.post(&format!("/v1/tasks/{late}/cancel"), &json!({}));
    host.client.ended(&late);
    // A host that stops in order waits until nothing is left of what it began.
    assert_eq!(host.stop(), Some(0));
    assert_eq!(engine.containers_of(&late), 0);
}

#[test]
fn a_handler_that_is_run_by_hand_leaves_no_container() {
    let Some(engine) = Engine::find() else { return };
    let folder = by_hand(&engine);
    let exec = exec(&folder, "docker sleep 600");
    let task = format!("exec-{}", exec.id());
    Ran::from(exec.wait_with_output().expect("it ends")).failed(1, &["running time is over"]);
    assert_eq!(engine.containers_of(&task), 0);
}

#[test]
fn what_a_run_by_hand_that_was_killed_has_left_the_next_removes() {
    let Some(engine) = Engine::find() else { return };
    let folder = by_hand(&engine);
    let mut killed = exec(&folder, "docker sleep 600");
    let task = format!("exec-{}", killed.id());
    eventually("it runs", || (engine.containers_of(&task) == 1).then_some(()));
    killed.kill().expect("killed");
    killed.wait().expect("reaped");
    let next = exec(&folder, "docker echo next").wait_with_output().expect("it ends");
    assert!(Ran::from(next).good().contains("next"));
    assert_eq!(engine.containers_of(&task), 0);
}

/// A folder whose handler may run containers, for five seconds.
fn by_hand(engine: &Engine) -> Folder {
    folder(&format!(
        "[docker]\nsocket = {:?}\n[handler.asks]\ntimeout = \"5s\"\n[handler.asks.grants.docker]\nimages = [{IMAGE:?}]\n",
        engine.socket()
    ))
}

fn exec(folder: &Folder, words: &str) -> Child {
    let payload = json!(words).to_string();
    let mut command = folder.command();
    command.args(["exec", "asks", "--payload", &payload]).stdout(Stdio::piped()).stderr(Stdio::piped());
    command.spawn().expect("a process")
}

/// The short form of `cargo xtask torture -- cancels`.
#[test]
fn of_tasks_that_are_cancelled_at_random_nothing_is_left() {
    let Some(cancelled) = bulkhead_tests::cancels::cancels(20_261_121, 40).expect("a host") else { return };
    cancelled.check(40).unwrap_or_else(|error| panic!("{error:#}\n{cancelled}"));
}

#[test]
fn what_a_host_that_died_has_left_is_removed_by_the_next() {
    let Some(engine) = Engine::find() else { return };
    let settings =
        format!("[docker]\nsocket = {:?}\n[handler.asks.grants.docker]\nimages = [{IMAGE:?}]\n", engine.socket());
    let folder = folder(&settings);
    let host = folder.host();
    let id = submit(&host, "docker sleep 600");
    eventually("it runs", || (engine.containers_of(&id) == 1).then_some(()));
    host.kill();
    // The next host may not run it again: it has no handler for it any more.
    std::fs::remove_file(folder.path().join("handlers/asks.wasm")).expect("the handler");
    let host = folder.host();
    within(Duration::from_secs(90), "it is gone", || (engine.containers_of(&id) == 0).then_some(()));
    assert_eq!(host.client.get(&format!("/v1/tasks/{id}")).body["state"], "ready");
}

#[test]
fn while_the_engine_is_away_its_tag_is_gone_and_what_runs_is_not_charged() {
    let Some(engine) = Engine::find() else { return };
    let folder = folder("");
    let socket = folder.path().join("engine.sock");
    folder.write(
        "bulkhead.toml",
        format!(
            "[docker]\nsocket = {socket:?}\n[handler.asks]\nprovides = [\"docker\"]\n\
             [handler.asks.grants.docker]\nimages = [{IMAGE:?}]\n"
        ),
    );
    let host = folder.host();
    let handler = || host.client.get("/v1/handlers").body.to_string();
    assert!(handler().contains("lacks: `docker`"), "{}", handler());
    let id = host.client.submit(&json!({"kind": "DELEGATE", "payload": "docker echo x", "requires": ["docker"]}));
    // The engine comes, and with it the tag.
    std::os::unix::fs::symlink(engine.socket(), &socket).expect("a link");
    let ended = host.client.ended(&id);
    assert_eq!((&ended["result"]["stdout"], &ended["attempt"]), (&json!("x\n"), &json!(1)), "{ended:#}");
    std::fs::remove_file(&socket).expect("the link");
    eventually("the tag is gone", || handler().contains("lacks: `docker`").then_some(()));
}

#[test]
fn a_model_answers_under_the_operators_key_and_its_tokens_are_counted() {
    let server =
        ModelServer::start([Reply::Fails(400), Reply::Says("the answer".to_owned()), Reply::Says("2".to_owned())]);
    let folder = folder(&format!(
        "[llm.backends.local]\nurl = {:?}\nmodel = \"small\"\nkey = \"env:MODEL_KEY\"\n\
         [handler.asks.grants.llm]\nbackends = [\"local\"]\ntokens = 100\n",
        server.url()
    ));
    let host = Host::start(&folder, &[("MODEL_KEY", "sk-never-shown")]).expect("a host");
    let refused = told(&host, "llm what is it");
    assert_eq!(refused["error"], "failed", "{refused}");
    assert_eq!(told(&host, "llm what is it"), json!({"texts": ["the answer"]}));
    let asked = server.asked();
    assert_eq!((&asked[1]["model"], &asked[1]["messages"][0]["content"]), (&json!("small"), &json!("what is it")));
    assert_eq!(server.keys()[1], "Bearer sk-never-shown");
    let tokens = |direction: &str| {
        let line = format!("llm_tokens_total{{backend=\"local\",direction=\"{direction}\",handler=\"asks\"}}");
        host.client.metric(&line)
    };
    assert!(tokens("prompt") >= 7.0 && tokens("completion") == 5.0);
    assert!(!std::fs::read_to_string(folder.path().join("host.log")).expect("a log").contains("sk-never-shown"));
}

#[test]
fn what_an_attempt_asked_that_its_time_cut_off_counts_in_the_next() {
    let server = ModelServer::start([Reply::IsSilent, Reply::Says("never asked".to_owned())]);
    // The question is some seven tokens, so that there are enough for one.
    let folder = folder(&format!(
        "[llm.backends.local]\nurl = {:?}\nmodel = \"small\"\n[handler.asks]\ntimeout = \"1s\"\n\
         [handler.asks.grants.llm]\nbackends = [\"local\"]\ntokens = 12\n",
        server.url()
    ));
    let host = folder.host();
    let ended = host.client.ended(&submit(&host, "llm what is it"));
    let told = &ended["result"];
    assert_eq!((&ended["attempt"], &told["error"]), (&json!(2), &json!("denied")), "{ended:#}");
    assert!(told["text"].as_str().unwrap_or_default().contains("grants.llm.tokens"), "{told}");
    assert_eq!(server.asked().len(), 1);
}

#[test]
fn a_program_of_the_operators_needs_a_device_and_says_that_there_is_none() {
    let folder = folder(
        "[gpu.programs.shell]\npath = \"/bin/sh\"\narguments = [\"-c\"]\n\
         [handler.asks.grants.gpu]\nprograms = [\"shell\"]\n",
    );
    let host = folder.host();
    let told = told(&host, "gpu shell echo");
    // Where the machine has one, it is used.
    assert!(told["code"] == 0 || told["error"] == "unavailable", "{told}");
}

#[test]
fn the_doctor_says_which_delegates_are_there() {
    let folder = folder(
        "[docker]\nsocket = \"/nowhere/docker.sock\"\n[llm.backends.gone]\nurl = \"http://127.0.0.1:9/v1\"\nmodel = \"m\"\n\
         [handler.asks.grants.docker]\nimages = [\"alpine:3\"]\n",
    );
    let ran = folder.bulkhead(&["doctor"]);
    assert_eq!(ran.code, Some(0), "{}", ran.stdout);
    assert!(ran.stdout.contains("/nowhere/docker.sock") && ran.stdout.contains("gone:"), "{}", ran.stdout);
    assert!(ran.stdout.contains("tags of this worker: cpu llm"), "{}", ran.stdout);
}
