//! The whole of it on a fresh folder, as a newcomer would type it.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use serde_json::{Value, json};

use crate::chore::{root, target};
use crate::steps::{Steps, say};
use crate::{handlers, host, tools};

/// The host must answer within this: it compiles the handlers first.
const START: Duration = Duration::from_secs(120);
/// The id of the task that renders the template, which also names its workspace.
const RENDER_ID: &str = "service-template";

/// Runs the examples, and ends, or stays up.
pub(crate) fn run(serve: bool) -> Result<()> {
    let mut steps = Steps::of("demo");
    tools::set_up(&mut steps)?;
    let python = tools::python(&mut steps);
    let components = handlers::build(&mut steps)?;
    let binary = host::build(&mut steps)?;
    let folder = prepare(&binary, &components)?;
    let mut demo = steps.time("start the host", || Demo::start(&binary, &folder))?;
    steps.time("a first handler", || demo.first_handler())?;
    let project = steps.time("a service from a template", || demo.service_template())?;
    if let Some(python) = &python {
        steps.time("the tests of that service", || test_project(python, &project))?;
    }
    steps.time("a thousand tasks", || demo.thousand_tasks())?;
    demo.show_addresses(&folder);
    if serve {
        say("── it stays up until you press Ctrl-C");
        demo.process.wait()?;
    } else {
        steps.time("stop the host", || demo.stop())?;
    }
    steps.finish();
    Ok(())
}

/// A fresh folder: settings, handlers, and the template in the workspace of the task that will render it.
fn prepare(binary: &Path, components: &Path) -> Result<PathBuf> {
    let folder = target().join("demo");
    if folder.exists() {
        std::fs::remove_dir_all(&folder).with_context(|| format!("cannot empty `{}`", folder.display()))?;
    }
    std::fs::create_dir_all(&folder)?;
    let init = Command::new(binary).args(["init", "."]).current_dir(&folder).status()?;
    ensure!(init.success(), "bulkhead init: {init}");
    let settings = folder.join("bulkhead.toml");
    let text = std::fs::read_to_string(&settings)? + "\n[handler.render.grants]\nworkspace = \"read-write\"\n";
    std::fs::write(&settings, text)?;
    for name in ["first_handler", "render", "thousand_tasks"] {
        let file = format!("{name}.wasm");
        std::fs::copy(components.join(&file), folder.join("handlers").join(&file))
            .with_context(|| format!("cannot copy `{file}`"))?;
    }
    copy_tree(&root().join("examples/service-template/template"), &workspace(&folder).join("template"))?;
    Ok(folder)
}

fn workspace(folder: &Path) -> PathBuf {
    folder.join("workspaces").join(RENDER_ID)
}

fn copy_tree(from: &Path, to: &Path) -> Result<()> {
    std::fs::create_dir_all(to)?;
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy_tree(&entry.path(), &target)?;
        } else {
            std::fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}

fn test_project(python: &Path, project: &Path) -> Result<()> {
    let mut tests = Command::new(python);
    tests.args(["-m", "unittest", "discover", "-s", "tests"]).current_dir(project).env("PYTHONDONTWRITEBYTECODE", "1");
    let status = tests.status()?;
    ensure!(status.success(), "the rendered service fails its own tests: {status}");
    Ok(())
}

/// A host, and the command line to it.
struct Demo {
    process: Child,
    binary: PathBuf,
    folder: PathBuf,
    url: String,
}

impl Demo {
    fn start(binary: &Path, folder: &Path) -> Result<Self> {
        let mut process = Command::new(binary)
            .args(["run", "--listen", "127.0.0.1:0", "--ready-file", "ready"])
            .current_dir(folder)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(std::fs::File::create(folder.join("host.log"))?)
            .spawn()
            .context("cannot start the host")?;
        let began = Instant::now();
        let url = loop {
            if let Ok(url) = std::fs::read_to_string(folder.join("ready")) {
                break url.trim().to_owned();
            }
            if process.try_wait()?.is_some() || began.elapsed() > START {
                let _ = process.kill();
                bail!("the host did not start: {}", std::fs::read_to_string(folder.join("host.log"))?);
            }
            std::thread::sleep(Duration::from_millis(10));
        };
        Ok(Self { process, binary: binary.to_owned(), folder: folder.to_owned(), url })
    }

    /// Runs `bulkhead` against the host; says what was typed, gives what it answered.
    fn bulkhead(&self, arguments: &[&str]) -> Result<String> {
        let shown: Vec<String> = arguments.iter().map(|argument| quoted(argument)).collect();
        say(format_args!("$ bulkhead {}", shown.join(" ")));
        let mut command = Command::new(&self.binary);
        command.args(arguments).env("BULKHEAD_URL", &self.url).current_dir(&self.folder).stderr(Stdio::inherit());
        let output = command.output()?;
        // 1 says that the work failed, which some of the thousand tasks are meant to.
        ensure!(matches!(output.status.code(), Some(0 | 1)), "{}: {command:?}", output.status);
        Ok(String::from_utf8(output.stdout)?)
    }

    fn first_handler(&self) -> Result<()> {
        let answer = self.bulkhead(&["submit", "GREET", "--payload", r#"{"name": "world"}"#, "--wait"])?;
        say(answer.trim());
        ensure!(serde_json::from_str::<Value>(&answer)? == json!({"text": "Hello, world!"}), "not what was meant");
        Ok(())
    }

    /// Renders the template into the task's workspace; gives the project's folder.
    fn service_template(&self) -> Result<PathBuf> {
        let context = root().join("examples/service-template/contexts/full.json");
        let payload = json!({
            "template_dir": "template",
            "output_dir": "project",
            "context": serde_json::from_str::<Value>(&std::fs::read_to_string(context)?)?,
            "copy_without_render": ["*/client.js"],
            "options": {"trim_blocks": true, "lstrip_blocks": true},
        });
        std::fs::write(self.folder.join("payload.json"), serde_json::to_string_pretty(&payload)?)?;
        let answer = self.bulkhead(&["submit", "RENDER", "--id", RENDER_ID, "--payload", "@payload.json", "--wait"])?;
        let answer: Value = serde_json::from_str(&answer)?;
        let files = answer.get("files").and_then(Value::as_array).context("no files were rendered")?;
        let project = workspace(&self.folder).join("project");
        say(format_args!("{} files in {}", files.len(), project.display()));
        for file in files.iter().filter_map(Value::as_str) {
            ensure!(project.join(file).is_file(), "`{file}` is not there");
        }
        Ok(project)
    }

    fn thousand_tasks(&self) -> Result<()> {
        let example = root().join("examples/thousand-tasks");
        let tasks = example.join("tasks.ndjson").display().to_string();
        let answer = self.bulkhead(&["submit", "--file", &tasks, "--wait", "--output", "json"])?;
        say(answer.trim());
        let expected: Value = serde_json::from_str(&std::fs::read_to_string(example.join("expected.json"))?)?;
        ensure!(serde_json::from_str::<Value>(&answer)? == expected, "they were meant to end as {expected}");
        Ok(())
    }

    fn show_addresses(&self, folder: &Path) {
        let url = &self.url;
        say(format_args!(
            "\nThe folder   {}\nTasks        {url}/v1/tasks\nDead letters {url}/v1/dlq\nHandlers     {url}/v1/handlers\n\
             Health       {url}/health\nMetrics      {url}/metrics\nAsk it       {} --url {url} task list\n",
            folder.display(),
            self.binary.display()
        ));
    }

    fn stop(&mut self) -> Result<()> {
        let status = Command::new("kill").arg(self.process.id().to_string()).status()?;
        ensure!(status.success(), "kill: {status}");
        let status = self.process.wait()?;
        ensure!(status.success(), "the host ended with {status}");
        Ok(())
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        // It has ended already, but where something failed before.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// As it would be typed.
fn quoted(argument: &str) -> String {
    let plain = argument.chars().all(|character| character.is_ascii_alphanumeric() || "-_./@:".contains(character));
    if plain { argument.to_owned() } else { format!("'{argument}'") }
}
