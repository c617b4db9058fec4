//! Language models, under the operator's grant `llm`.
//!
//! ```
//! use bulkhead_sdk::llm::Request;
//! use bulkhead_sdk::prelude::*;
//!
//! #[derive(Default)]
//! struct Sum;
//!
//! impl Handler for Sum {
//!     const KIND: &'static str = "SUM_UP";
//!     const PROVIDES: &'static [&'static str] = &["llm"];
//!     type Payload = String;
//!
//!     fn handle(&self, task: Task<String>, _: &Context) -> Result<Outcome, Failure> {
//!         let request = Request::new().system("Say it in one sentence.").user(task.payload).temperature(0.2);
//!         complete(request.generate()?.remove(0).text)
//!     }
//! }
//! # bulkhead_sdk::export!(Sum);
//!
//! // A test says what the models answer.
//! use bulkhead_sdk::llm::Candidate;
//! use bulkhead_sdk::testing::TestTask;
//!
//! let run = TestTask::new("…").llm(|_| Ok(vec![Candidate::new("small", "It is long.")])).run::<Sum>();
//! assert_eq!(run.result(), json!("It is long."));
//! assert_eq!(run.requests[0].temperature, Some(0.2));
//! ```

use crate::setters::setters;
use crate::{DelegateError, delegate, testing};

/// Who said something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Whoever sets the scene.
    System,
    /// Whoever asks.
    User,
    /// The model.
    Assistant,
}

impl Role {
    /// Its name on the wire.
    pub const fn name(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::User => "user",
            Self::Assistant => "assistant",
        }
    }
}

/// One turn of a conversation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Who said it.
    pub role: Role,
    /// What was said; at most 1 MiB.
    pub content: String,
}

/// What to ask.
#[derive(Debug, Clone, PartialEq)]
pub struct Request {
    /// A model that the grant allows; the ensemble chooses where absent.
    pub model: Option<String>,
    /// The conversation so far: 1 to 1,024 messages, together at most 4 MiB.
    pub messages: Vec<Message>,
    /// The longest answer, in tokens; what the grant leaves where absent.
    pub max_tokens: Option<u32>,
    /// 0 to 2; the backend's own where absent.
    pub temperature: Option<f64>,
    /// How many answers: 1 to 64.
    pub candidates: u32,
}

impl Default for Request {
    fn default() -> Self {
        Self { model: None, messages: Vec::new(), max_tokens: None, temperature: None, candidates: 1 }
    }
}

impl Request {
    /// A question without words yet, for one answer.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds what sets the scene.
    #[must_use]
    pub fn system(self, content: impl Into<String>) -> Self {
        self.message(Role::System, content)
    }

    /// Adds what is asked.
    #[must_use]
    pub fn user(self, content: impl Into<String>) -> Self {
        self.message(Role::User, content)
    }

    /// Adds what the model answered before.
    #[must_use]
    pub fn assistant(self, content: impl Into<String>) -> Self {
        self.message(Role::Assistant, content)
    }

    setters! {
        /// Asks this model.
        model(model: impl Into<String>) => model = Some(model.into());

        /// Bounds the answer.
        max_tokens(tokens: u32) => max_tokens = Some(tokens);

        /// Sets how freely it answers: 0 to 2.
        temperature(temperature: f64) => temperature = Some(temperature);

        /// Asks for so many answers.
        candidates(count: u32) => candidates = count;
    }

    /// Asks; up to as many answers as were asked for, at least one where it succeeds.
    pub fn generate(self) -> Result<Vec<Candidate>, DelegateError> {
        if cfg!(target_arch = "wasm32") { delegate::host::generate(self) } else { testing::generate(self) }
    }

    fn message(mut self, role: Role, content: impl Into<String>) -> Self {
        self.messages.push(Message { role, content: content.into() });
        self
    }
}

/// One answer.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Candidate {
    /// The backend that gave it.
    pub backend: String,
    /// The answer.
    pub text: String,
    /// Tokens of the question.
    pub prompt_tokens: u32,
    /// Tokens of the answer.
    pub completion_tokens: u32,
}

impl Candidate {
    /// An answer of this backend, as a test gives it.
    pub fn new(backend: impl Into<String>, text: impl Into<String>) -> Self {
        Self { backend: backend.into(), text: text.into(), ..Self::default() }
    }
}
