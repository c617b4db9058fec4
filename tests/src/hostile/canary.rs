//! A good task beside a bad one, again and again.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anyhow::{Result, anyhow, ensure};
use serde_json::json;

use crate::Client;
use crate::client::text;

/// Submits a task to the handler `echo` and waits for its result, from its start until it is asked.
#[derive(Debug)]
pub struct Canary {
    silent: Arc<AtomicBool>,
    thread: JoinHandle<Result<Sung>>,
}

/// What came of it.
#[derive(Debug, Clone, Default)]
pub struct Sung {
    /// How long each task took from its submission to its result, shortest first.
    pub took: Vec<Duration>,
    /// How long it sang.
    pub during: Duration,
}

impl Canary {
    /// Begins.
    pub fn beside(client: &Client) -> Self {
        let (silent, client) = (Arc::new(AtomicBool::new(false)), client.clone());
        let until = Arc::clone(&silent);
        Self { silent, thread: std::thread::spawn(move || sing(&client, &until)) }
    }

    /// Ends; an error where one of its tasks did not succeed, or there was none.
    pub fn ask(self) -> Result<Sung> {
        self.silent.store(true, Ordering::Relaxed);
        self.thread.join().map_err(|_| anyhow!("the canary panicked"))?
    }
}

fn sing(client: &Client, silent: &AtomicBool) -> Result<Sung> {
    let began = Instant::now();
    let mut sung = Sung::default();
    for number in 0u64.. {
        let submitted = Instant::now();
        let task = json!({"kind": "ECHO", "payload": number}).to_string();
        let submitted_as = client.try_post("/v1/tasks", "application/json", task.as_bytes())?;
        let answer = client.try_get(&format!("/v1/tasks/{}?wait=60s", text(&submitted_as.body, "/id")))?;
        let ended = text(&answer.body, "/state") == "succeeded" && answer.body["result"] == number;
        ensure!(ended, "the canary: {submitted_as:?} {answer:?}");
        sung.took.push(submitted.elapsed());
        if silent.load(Ordering::Relaxed) {
            break;
        }
    }
    sung.during = began.elapsed();
    sung.took.sort_unstable();
    Ok(sung)
}

impl Sung {
    /// How long all but a hundredth of its tasks took at most.
    pub fn p99(&self) -> Duration {
        self.took.get((self.took.len() * 99).div_ceil(100).saturating_sub(1)).copied().unwrap_or_default()
    }
}
