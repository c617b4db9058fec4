//! How many tokens a text is where no backend says so.

use bulkhead_core::ChatMessage;

/// Bytes of a token: what English comes to with the tokenizers in use, and more than most other texts have.
const BYTES: u64 = 4;

/// Tokens that a message has beside its content: its role and what separates it.
const PER_MESSAGE: u64 = 4;

/// Tokens of so many bytes of text.
pub(crate) const fn tokens_of(bytes: u64) -> u64 {
    bytes.div_ceil(BYTES)
}

/// Tokens of a question.
pub(crate) fn tokens_of_messages(messages: &[ChatMessage]) -> u64 {
    messages.iter().map(|message| PER_MESSAGE + tokens_of(message.content.len() as u64)).sum()
}
