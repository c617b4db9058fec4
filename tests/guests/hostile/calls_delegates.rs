//! Calls every delegate, in `dispatch` too.

use bulkhead_guests::*;

guest!(kind: "DELEGATES".to_owned(), dispatch: |_| gpu::devices().is_empty(), |_| {
    let mut answers = Vec::new();
    let container = docker::Container {
        image: "alpine".to_owned(),
        command: Vec::new(),
        env: Vec::new(),
        working_dir: None,
        stdin: Vec::new(),
        mounts: Vec::new(),
        memory_bytes: None,
        cpus: None,
        processes: None,
        network: false,
        gpus: 0,
    };
    answers.push(format!("{:?}", docker::run(&container).unwrap_err()));
    let job = gpu::Job {
        program: "nvidia-smi".to_owned(),
        arguments: Vec::new(),
        env: Vec::new(),
        stdin: Vec::new(),
        gpus: 1,
        memory_bytes_each: None,
    };
    answers.push(format!("{:?}", gpu::run(&job).unwrap_err()));
    let request =
        llm::Request { model: None, messages: Vec::new(), max_tokens: None, temperature: None, candidates: 1 };
    answers.push(format!("{:?}", llm::generate(&request).unwrap_err()));
    answers.push(format!("{} devices", gpu::devices().len()));
    complete(&format!("{answers:?}"))
});
