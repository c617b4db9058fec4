//! Asks a delegate: its payload is `"docker LINE"` (a line for the shell of the image; `docker-in` where `/workspace` is to
//! be mounted), `"gpu PROGRAM LINE"`, `"devices"` or
//! `"llm QUESTION"`, without quotes inside; its result what came of it.

use bulkhead_guests::*;

use bulkhead_guests::bindings::bulkhead::handler::delegate::{Error, Exit};
use docker::{Container, Mount};
use gpu::Job;
use llm::{Message, Request};

/// What the tests make.
const IMAGE: &str = "bulkhead-test-busybox:system";

guest!("DELEGATE", |task| {
    let words = task.payload.trim_matches('"');
    let (delegate, rest) = words.split_once(' ').unwrap_or((words, ""));
    let told = match delegate {
        "docker" => ran(docker::run(&container(rest))),
        "docker-in" => {
            let workspace = Mount { source: ".".to_owned(), target: "/workspace".to_owned(), read_only: false };
            ran(docker::run(&Container { mounts: vec![workspace], ..container(rest) }))
        }
        "gpu" => {
            let (program, line) = rest.split_once(' ').unwrap_or((rest, ""));
            ran(gpu::run(&job(program, line)))
        }
        "devices" => format!("{{\"devices\":{}}}", gpu::devices().len()),
        _ => match llm::generate(&request(rest)) {
            Ok(candidates) => {
                let texts: Vec<String> = candidates.iter().map(|one| quoted(one.text.as_bytes())).collect();
                format!("{{\"texts\":[{}]}}", texts.join(","))
            }
            Err(error) => refused(&error),
        },
    };
    complete(&told)
});

fn container(line: &str) -> Container {
    Container {
        image: IMAGE.to_owned(),
        command: vec!["/bin/sh".to_owned(), "-c".to_owned(), line.to_owned()],
        env: Vec::new(),
        working_dir: None,
        stdin: b"from the guest".to_vec(),
        mounts: Vec::new(),
        memory_bytes: None,
        cpus: None,
        processes: None,
        network: false,
        gpus: 0,
    }
}

fn job(program: &str, line: &str) -> Job {
    Job {
        program: program.to_owned(),
        arguments: vec![line.to_owned()],
        env: Vec::new(),
        stdin: Vec::new(),
        gpus: 1,
        memory_bytes_each: None,
    }
}

fn request(question: &str) -> Request {
    Request {
        model: None,
        messages: vec![Message { role: "user".to_owned(), content: question.to_owned() }],
        max_tokens: Some(10),
        temperature: None,
        candidates: 1,
    }
}

fn ran(result: Result<Exit, Error>) -> String {
    match result {
        Ok(exit) => {
            let (code, stdout) = (exit.code, quoted(&exit.stdout));
            format!("{{\"code\":{code},\"stdout\":{stdout},\"peak\":{}}}", exit.usage.peak_memory_bytes)
        }
        Err(error) => refused(&error),
    }
}

fn refused(error: &Error) -> String {
    let (name, text) = match error {
        Error::Denied(text) => ("denied", text.as_str()),
        Error::Unavailable(text) => ("unavailable", text.as_str()),
        Error::Invalid(text) => ("invalid", text.as_str()),
        Error::TimedOut => ("timed_out", ""),
        Error::Failed(text) => ("failed", text.as_str()),
    };
    format!("{{\"error\":\"{name}\",\"text\":{}}}", quoted(text.as_bytes()))
}
