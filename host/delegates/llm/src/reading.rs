//! What the answer of a backend means, whether it came in pieces or as a whole.

use serde::de::{IgnoredAny, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

use crate::error_body::ErrorBody;
use crate::failure::Failure;

/// What a stream ends with.
const DONE: &[u8] = b"[DONE]";

/// Tokens as a backend reports them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
pub(crate) struct Reported {
    #[serde(default)]
    pub(crate) prompt_tokens: Option<u64>,
    #[serde(default)]
    pub(crate) completion_tokens: Option<u64>,
}

/// An answer that is read piece by piece.
#[derive(Debug)]
pub(crate) struct Reading {
    text: String,
    reported: Reported,
    seen: bool,
    finished: bool,
    done: bool,
    max: usize,
}

/// A piece of an answer, or a whole one.
#[derive(Deserialize)]
struct Piece {
    #[serde(default, deserialize_with = "first")]
    choices: Option<Choice>,
    #[serde(default)]
    usage: Option<Reported>,
    #[serde(default)]
    error: Option<ErrorBody>,
}

#[derive(Deserialize)]
struct Choice {
    #[serde(default)]
    delta: Option<Content>,
    #[serde(default)]
    message: Option<Content>,
    #[serde(default)]
    finish_reason: Option<IgnoredAny>,
}

#[derive(Deserialize)]
struct Content {
    #[serde(default)]
    content: Option<String>,
}

/// The first of a list: one answer was asked for, and a list without end must not fill the memory.
fn first<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Choice>, D::Error> {
    struct First;
    impl<'de> Visitor<'de> for First {
        type Value = Option<Choice>;
        fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            formatter.write_str("a list")
        }
        fn visit_unit<E>(self) -> Result<Self::Value, E> {
            Ok(None)
        }
        fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
            let first = items.next_element()?;
            while items.next_element::<IgnoredAny>()?.is_some() {}
            Ok(first)
        }
    }
    deserializer.deserialize_any(First)
}

/// Parses without telling anything of the text: where it has the wrong shape, the field's name is told.
fn parse(bytes: &[u8]) -> Result<Piece, Failure> {
    let malformed = |text: String| Err(Failure::Malformed(text));
    let mut text = serde_json::Deserializer::from_slice(bytes);
    match serde_path_to_error::deserialize(&mut text) {
        Ok(piece) if text.end().is_ok() => Ok(piece),
        Ok(_) => malformed("it goes on after its end".to_owned()),
        // The path of what is known by its shape has only names of ours.
        Err(error) if error.inner().classify() == serde_json::error::Category::Data => {
            malformed(format!("`{}` is not what it should be", error.path()))
        }
        Err(error) => {
            malformed(format!("it is no JSON at line {}, column {}", error.inner().line(), error.inner().column()))
        }
    }
}

impl Reading {
    /// Reads an answer of at most so many bytes of text.
    pub(crate) const fn new(max: usize) -> Self {
        let reported = Reported { prompt_tokens: None, completion_tokens: None };
        Self { text: String::new(), reported, seen: false, finished: false, done: false, max }
    }

    /// Takes the next event of a stream.
    pub(crate) fn event(&mut self, data: &[u8]) -> Result<(), Failure> {
        if data.trim_ascii() == DONE {
            self.done = true;
            return Ok(());
        }
        if self.done {
            return Ok(());
        }
        self.take(parse(data)?).map(|_| ())
    }

    /// Takes a whole answer.
    pub(crate) fn whole(mut self, body: &[u8]) -> Result<(String, Reported), Failure> {
        if !self.take(parse(body)?)? {
            return Err(Failure::Malformed("it has no `choices[0].message`".to_owned()));
        }
        Ok((self.text, self.reported))
    }

    /// Takes a piece, and says whether it had text or could have had.
    fn take(&mut self, piece: Piece) -> Result<bool, Failure> {
        if let Some(error) = piece.error {
            return Err(Failure::Reported(error.code()));
        }
        if let Some(reported) = piece.usage {
            self.reported.prompt_tokens = reported.prompt_tokens.or(self.reported.prompt_tokens);
            self.reported.completion_tokens = reported.completion_tokens.or(self.reported.completion_tokens);
        }
        let Some(choice) = piece.choices else { return Ok(false) };
        self.seen = true;
        self.finished |= choice.finish_reason.is_some();
        let Some(content) = choice.delta.or(choice.message) else { return Ok(false) };
        let text = content.content.unwrap_or_default();
        if self.text.len() + text.len() > self.max {
            return Err(Failure::TooLong(self.max));
        }
        self.text.push_str(&text);
        Ok(true)
    }

    /// Bytes of text so far.
    pub(crate) const fn len(&self) -> usize {
        self.text.len()
    }

    /// Whether the stream said that it is at its end.
    pub(crate) const fn is_done(&self) -> bool {
        self.done
    }

    /// The stream is at its end, or broke off for this reason: the answer, if it is complete.
    pub(crate) fn finish(self, broken: Option<String>) -> Result<(String, Reported), Failure> {
        match (self.seen, self.finished || self.done) {
            (true, true) => Ok((self.text, self.reported)),
            (false, true) => Err(Failure::Malformed("its stream has no `choices`".to_owned())),
            (_, false) => Err(Failure::Broken(broken.unwrap_or_else(|| "the answer is not complete".to_owned()))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn streamed(events: &[&str]) -> Result<(String, Reported), Failure> {
        let mut reading = Reading::new(10);
        for event in events {
            reading.event(event.as_bytes())?;
        }
        reading.finish(None)
    }

    fn whole(body: &str) -> Result<(String, Reported), Failure> {
        Reading::new(10).whole(body.as_bytes())
    }

    const NOTHING: Reported = Reported { prompt_tokens: None, completion_tokens: None };

    #[test]
    fn pieces_make_an_answer_with_its_usage_at_the_end() {
        let events = [
            r#"{"choices":[{"delta":{"role":"assistant","content":null},"finish_reason":null}],"usage":null}"#,
            r#"{"choices":[{"delta":{"content":"hel"}}]}"#,
            r#"{"choices":[{"delta":{"content":"lo"},"finish_reason":null}]}"#,
            r#"{"choices":[{"delta":{},"finish_reason":"stop"}]}"#,
            r#"{"choices":[],"usage":{"prompt_tokens":3,"completion_tokens":2,"total_tokens":5}}"#,
            "[DONE]",
        ];
        let usage = Reported { prompt_tokens: Some(3), completion_tokens: Some(2) };
        assert_eq!(streamed(&events), Ok(("hello".to_owned(), usage)));
        assert_eq!(streamed(&events[..4]), Ok(("hello".to_owned(), NOTHING)));
        assert_eq!(streamed(&events[..3]), Err(Failure::Broken("the answer is not complete".to_owned())));
        assert!(matches!(streamed(&["[DONE]"]), Err(Failure::Malformed(text)) if text.contains("choices")));
    }

    #[test]
    fn a_whole_answer_is_its_first_choice() {
        let body = r#"{"choices":[{"message":{"content":"hi"}},{"message":{"content":"ho"}},7],"usage":{}}"#;
        assert_eq!(whole(body), Ok(("hi".to_owned(), NOTHING)));
        let body = r#"{"choices":[{"message":{"content":null},"finish_reason":"content_filter"}]}"#;
        assert_eq!(whole(body), Ok((String::new(), NOTHING)));
    }

    #[test]
    fn what_is_malformed_is_named_and_never_quoted() {
        for (body, named) in [
            ("sesame", "no JSON at line 1, column 1"),
            ("{\"sesame\":", "no JSON at line 1"),
            ("{\"sesame\":{\"x\":sesame}}", "no JSON at line 1"),
            ("[]", "no `choices[0].message`"),
            ("7", "not what it should be"),
            ("{} sesame", "goes on after its end"),
            ("{}", "no `choices[0].message`"),
            ("{\"choices\":null}", "no `choices[0].message`"),
            ("{\"choices\":[{\"sesame\":1}]}", "no `choices[0].message`"),
            ("{\"choices\":\"sesame\"}", "`choices` is not"),
            ("{\"choices\":[{\"message\":{\"content\":{\"sesame\":1}}}]}", "`choices[0].message.content` is not"),
            ("{\"usage\":{\"prompt_tokens\":\"sesame\"}}", "`usage.prompt_tokens` is not"),
            ("{\"usage\":{\"prompt_tokens\":-1}}", "`usage.prompt_tokens` is not"),
        ] {
            match whole(body) {
                Err(Failure::Malformed(text)) => assert!(text.contains(named) && !text.contains("sesame"), "{text}"),
                other => unreachable!("{body}: {other:?}"),
            }
        }
        let deep = format!("{{\"x\":{}", "[".repeat(100_000));
        assert!(matches!(whole(&deep), Err(Failure::Malformed(_))));
    }

    #[test]
    fn an_error_in_an_answer_is_told_by_its_code() {
        let body = r#"{"error":{"code":"context_length_exceeded","message":"sesame"}}"#;
        assert_eq!(whole(body), Err(Failure::Reported(Some("context_length_exceeded".to_owned()))));
        assert_eq!(streamed(&[body]), whole(body));
    }

    #[test]
    fn an_answer_may_be_as_long_as_allowed_and_no_longer() {
        let piece = r#"{"choices":[{"delta":{"content":"12345"},"finish_reason":"stop"}]}"#;
        assert!(streamed(&[piece, piece]).is_ok());
        assert_eq!(streamed(&[piece, piece, piece]), Err(Failure::TooLong(10)));
    }
}
