//! How a backend describes an error, and the little of it that is told.

use serde::Deserialize;
use serde::de::IgnoredAny;

/// An error as a backend describes it; only a code of known form is ever told.
#[derive(Deserialize)]
#[serde(untagged)]
pub(crate) enum ErrorBody {
    Described {
        #[serde(default)]
        code: Option<Word>,
        #[serde(default, rename = "type")]
        kind: Option<Word>,
    },
    Other(IgnoredAny),
}

#[derive(Deserialize)]
#[serde(untagged)]
pub(crate) enum Word {
    Text(String),
    Other(IgnoredAny),
}

/// The body of a refusal.
#[derive(Deserialize)]
struct Refusal {
    error: ErrorBody,
}

impl ErrorBody {
    /// The code in lower-case letters and `_`, a form that keys do not have.
    pub(crate) fn code(self) -> Option<String> {
        let Self::Described { code, kind } = self else { return None };
        let known = |text: &String| {
            (3..=64).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_')
        };
        let word = |word: Option<Word>| match word {
            Some(Word::Text(text)) => Some(text).filter(known),
            Some(Word::Other(_)) | None => None,
        };
        word(code).or_else(|| word(kind))
    }
}

/// The code in the body of a refusal, such as `model_not_found`.
pub(crate) fn code(body: &[u8]) -> Option<String> {
    serde_json::from_slice::<Refusal>(body).ok()?.error.code()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_an_error_only_a_code_is_told() {
        for (error, told) in [
            (r#"{"message":"sk-sesame is wrong","code":"invalid_api_key"}"#, Some("invalid_api_key")),
            (r#"{"code":null,"type":"server_error"}"#, Some("server_error")),
            (r#"{"code":429,"type":"sk-Sesame"}"#, None),
            (r#"{"code":"open sesame"}"#, None),
            (r#""sesame""#, None),
        ] {
            let body = format!("{{\"error\":{error}}}");
            assert_eq!(code(body.as_bytes()).as_deref(), told);
        }
        assert_eq!(code(b"<html>sesame"), None);
    }
}
