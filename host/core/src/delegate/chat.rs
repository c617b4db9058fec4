//! What a handler asks of language models; the bounds stand in `interface llm` of the contract.

/// One turn of a conversation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChatMessage {
    /// `system`, `user` or `assistant`.
    pub role: String,
    /// What was said.
    pub content: String,
}

/// What to ask.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ChatRequest {
    /// A model that the grant allows; the ensemble chooses where absent.
    pub model: Option<String>,
    /// The conversation so far.
    pub messages: Vec<ChatMessage>,
    /// The longest answer, in tokens; what the grant leaves where absent.
    pub max_tokens: Option<u32>,
    /// 0 to 2; the backend's own where absent.
    pub temperature: Option<f64>,
    /// How many answers.
    pub candidates: u32,
}

/// One answer.
#[derive(Debug, Clone, PartialEq, Eq)]
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
