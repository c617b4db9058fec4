//! What is sent to a backend.

use bulkhead_core::{ChatRequest, Traceparent};
use reqwest::header::HeaderValue;
use serde::Serialize;
use serde_json::value::RawValue;

use crate::{BackendSettings, LimitField};

/// A question, written once for all tries.
#[derive(Debug)]
pub(crate) struct Question {
    messages: Box<RawValue>,
    temperature: Option<f64>,
    /// The longest answer that the handler wants, in tokens.
    pub(crate) max_tokens: Option<u32>,
    /// Tokens of the question, about.
    pub(crate) prompt: u64,
    /// The header `traceparent`.
    traceparent: Option<HeaderValue>,
}

#[derive(Serialize)]
struct Message<'a> {
    role: &'a str,
    content: &'a str,
}

#[derive(Serialize)]
struct Body<'a> {
    model: &'a str,
    messages: &'a RawValue,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_tokens: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_completion_tokens: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    temperature: Option<f64>,
    stream: bool,
    stream_options: StreamOptions,
}

#[derive(Serialize)]
struct StreamOptions {
    include_usage: bool,
}

impl Question {
    /// The question of a request that was admitted, of about `prompt` tokens.
    pub(crate) fn new(
        request: &ChatRequest,
        prompt: u64,
        traceparent: Option<Traceparent>,
    ) -> Result<Self, serde_json::Error> {
        let messages =
            request.messages.iter().map(|message| Message { role: &message.role, content: &message.content });
        let messages = serde_json::value::to_raw_value(&messages.collect::<Vec<_>>())?;
        let traceparent = traceparent.and_then(|place| HeaderValue::from_str(&place.to_string()).ok());
        let ChatRequest { temperature, max_tokens, .. } = *request;
        Ok(Self { messages, temperature, max_tokens, prompt, traceparent })
    }

    /// Where the question stands in its task's trace.
    pub(crate) fn traceparent(&self) -> Option<HeaderValue> {
        self.traceparent.clone()
    }

    /// The body of one try, for an answer of at most so many tokens.
    pub(crate) fn body(&self, settings: &BackendSettings, max_tokens: u64) -> Result<Vec<u8>, serde_json::Error> {
        serde_json::to_vec(&Body {
            model: &settings.model,
            messages: &self.messages,
            max_tokens: (settings.limit_field == LimitField::MaxTokens).then_some(max_tokens),
            max_completion_tokens: (settings.limit_field == LimitField::MaxCompletionTokens).then_some(max_tokens),
            temperature: self.temperature,
            stream: true,
            stream_options: StreamOptions { include_usage: true },
        })
    }
}
