//! The HTTP API as a program sees it.

use std::time::Duration;

use anyhow::{Context, Result};
use serde_json::Value;

/// No request of a test takes longer; those that wait for a task ask for less.
const LIMIT: Duration = Duration::from_secs(120);

/// A client of one host.
#[derive(Debug, Clone)]
pub struct Client {
    agent: ureq::Agent,
    url: String,
}

/// What the host answered.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The media type.
    pub media_type: String,
    /// The body: JSON, or text where it is none.
    pub body: Value,
}

impl Client {
    pub(crate) fn new(url: &str) -> Self {
        let agent = ureq::Agent::config_builder().http_status_as_error(false).timeout_global(Some(LIMIT)).build();
        Self { agent: agent.into(), url: url.to_owned() }
    }

    /// Asks for something; an error where no whole answer came.
    pub fn try_get(&self, path: &str) -> Result<Answer> {
        answer(self.agent.get(format!("{}{path}", self.url)).call()?)
    }

    /// Sends something; an error where no whole answer came.
    pub fn try_post(&self, path: &str, media_type: &str, body: &[u8]) -> Result<Answer> {
        answer(self.agent.post(format!("{}{path}", self.url)).content_type(media_type).send(body)?)
    }

    /// Asks for something.
    ///
    /// # Panics
    ///
    /// Where the host does not answer.
    pub fn get(&self, path: &str) -> Answer {
        self.try_get(path).unwrap_or_else(|error| panic!("GET {path}: {error:#}"))
    }

    /// Sends JSON.
    ///
    /// # Panics
    ///
    /// Where the host does not answer.
    pub fn post(&self, path: &str, body: &Value) -> Answer {
        self.try_post(path, "application/json", body.to_string().as_bytes())
            .unwrap_or_else(|error| panic!("POST {path}: {error:#}"))
    }

    /// Puts a file somewhere.
    ///
    /// # Panics
    ///
    /// Where the host does not answer.
    pub fn put(&self, path: &str, body: &[u8]) -> Answer {
        let answer = self.agent.put(format!("{}{path}", self.url)).send(body).map_err(anyhow::Error::new);
        answer.and_then(self::answer).unwrap_or_else(|error| panic!("PUT {path}: {error:#}"))
    }

    /// Takes something away.
    ///
    /// # Panics
    ///
    /// Where the host does not answer.
    pub fn delete(&self, path: &str) -> Answer {
        let answer = self.agent.delete(format!("{}{path}", self.url)).call().map_err(anyhow::Error::new);
        answer.and_then(self::answer).unwrap_or_else(|error| panic!("DELETE {path}: {error:#}"))
    }

    /// Submits one task; gives its id.
    ///
    /// # Panics
    ///
    /// Where the host does not take it.
    pub fn submit(&self, task: &Value) -> String {
        let answer = self.post("/v1/tasks", task);
        assert!(matches!(answer.status, 200 | 201), "{answer:?}");
        text(&answer.body, "/id").to_owned()
    }

    /// Submits many tasks at once; gives their ids.
    ///
    /// # Panics
    ///
    /// Where the host does not take them.
    pub fn submit_all<'a>(&self, tasks: impl IntoIterator<Item = &'a Value>) -> Vec<String> {
        let lines: Vec<String> = tasks.into_iter().map(Value::to_string).collect();
        let answer = self.try_post("/v1/tasks", "application/x-ndjson", lines.join("\n").as_bytes());
        let answer = answer.unwrap_or_else(|error| panic!("POST /v1/tasks: {error:#}"));
        assert_eq!(answer.status, 201, "{answer:?}");
        let ids = answer.body.pointer("/ids").and_then(Value::as_array);
        ids.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
    }

    /// One task as it is now.
    ///
    /// # Panics
    ///
    /// Where there is none.
    pub fn task(&self, id: &str) -> Value {
        let answer = self.get(&format!("/v1/tasks/{id}"));
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.body
    }

    /// One task once it has ended.
    ///
    /// # Panics
    ///
    /// Where it has not ended after a minute.
    pub fn ended(&self, id: &str) -> Value {
        let answer = self.get(&format!("/v1/tasks/{id}?wait=60s"));
        assert_eq!(answer.status, 200, "{answer:?}");
        let state = text(&answer.body, "/state");
        assert!(["succeeded", "dead", "cancelled"].contains(&state), "has not ended: {answer:#?}");
        answer.body
    }

    /// How many tasks the query meets.
    ///
    /// # Panics
    ///
    /// Where the host does not say.
    pub fn count(&self, query: &str) -> u64 {
        let answer = self.get(&format!("/v1/tasks?count=true&{query}"));
        answer.body.pointer("/count").and_then(Value::as_u64).unwrap_or_else(|| panic!("{answer:?}"))
    }

    /// A handler of the catalogue, where its file is known.
    ///
    /// # Panics
    ///
    /// Where the host does not answer.
    pub fn handler(&self, name: &str) -> Option<Value> {
        let answer = self.get(&format!("/v1/handlers/{name}"));
        (answer.status == 200).then_some(answer.body)
    }

    /// The value of one line of `/metrics`, such as `lease_lost_total`.
    ///
    /// # Panics
    ///
    /// Where there is no such line.
    pub fn metric(&self, line: &str) -> f64 {
        let metrics = self.metrics();
        value(&metrics, line).unwrap_or_else(|| panic!("no `{line}` in:\n{metrics}"))
    }

    /// The same; none where there is no such line yet.
    ///
    /// # Panics
    ///
    /// Where the host does not answer.
    pub fn try_metric(&self, line: &str) -> Option<f64> {
        value(&self.metrics(), line)
    }

    fn metrics(&self) -> String {
        self.get("/metrics").body.as_str().unwrap_or_default().to_owned()
    }
}

impl Client {
    /// The bound below which all but a hundredth of what a histogram of `/metrics` observed lies, and how many that were; none
    /// where the last bound is too low for that.
    ///
    /// # Panics
    ///
    /// Where there is no such histogram.
    pub fn p99(&self, histogram: &str) -> (Option<f64>, f64) {
        let metrics = self.metrics();
        let prefix = format!("{histogram}_bucket{{le=\"");
        let bucket = |line: &str| {
            let (bound, count) = line.strip_prefix(&prefix)?.split_once("\"} ")?;
            Some((bound.parse::<f64>().ok()?, count.parse::<f64>().ok()?))
        };
        let buckets: Vec<(f64, f64)> = metrics.lines().filter_map(bucket).collect();
        let all = self.metric(&format!("{histogram}_count"));
        let within = buckets.iter().find(|(bound, count)| bound.is_finite() && *count >= all * 0.99);
        (within.map(|(bound, _)| *bound), all)
    }
}

/// The value of one line of `/metrics`.
fn value(metrics: &str, line: &str) -> Option<f64> {
    metrics.lines().find_map(|found| found.strip_prefix(line)?.strip_prefix(' ')?.parse().ok())
}

/// The text at this place of an answer; empty where there is none.
pub(crate) fn text<'a>(value: &'a Value, pointer: &str) -> &'a str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

fn answer(mut response: ureq::http::Response<ureq::Body>) -> Result<Answer> {
    let status = response.status().as_u16();
    let media_type = response.headers().get("content-type").and_then(|value| value.to_str().ok()).unwrap_or_default();
    let media_type = media_type.to_owned();
    let text = response.body_mut().with_config().limit(256 << 20).read_to_string().context("the answer broke off")?;
    let body = serde_json::from_str(&text).unwrap_or(Value::String(text));
    Ok(Answer { status, media_type, body })
}
