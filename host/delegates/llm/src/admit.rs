//! Whether a handler may ask what it asks, and in which bounds.

use bulkhead_core::{ChatMessage, ChatRequest, DelegateError, HandlerName};

use crate::settings::MAX_MODEL;
use crate::{LlmGrant, LlmSettings, estimate};

/// The longest message, all messages together, and how many there may be (`interface llm`).
const MAX_CONTENT: usize = 1 << 20;
const MAX_CONTENTS: usize = 4 << 20;
const MAX_MESSAGES: usize = 1_024;

/// The most candidates (`interface llm`).
const MAX_CANDIDATES: u32 = 64;

/// What is to be done.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Plan {
    /// Backends that may be asked, by name.
    pub(crate) backends: Vec<String>,
    /// Tokens that each candidate may use, question and answer.
    pub(crate) share: u64,
    /// Tokens of the question, about.
    pub(crate) prompt: u64,
}

/// Checks a request against the bounds and the grant; `spent` is what the task has used of its tokens.
pub(crate) fn admit(
    handler: &HandlerName,
    grant: &LlmGrant,
    settings: &LlmSettings,
    spent: u64,
    request: &ChatRequest,
) -> Result<Plan, DelegateError> {
    check(request)?;
    let setting = |name: &str| format!("handler.{handler}.grants.llm.{name}");
    let denied = |text: String| Err(DelegateError::Denied(text));
    if request.candidates > grant.candidates.get() {
        let (asked, most) = (request.candidates, grant.candidates);
        return denied(format!(
            "`{}` allows {most} candidates and {asked} are asked for; raise it",
            setting("candidates")
        ));
    }
    let backends = backends(grant, settings, request.model.as_deref(), setting)?;
    let left = grant.tokens.saturating_sub(spent);
    let tokens = setting("tokens");
    if left == 0 {
        return denied(format!("the task has used {spent} tokens, which are all that `{tokens}` allows; raise it"));
    }
    let (share, prompt) = (left / u64::from(request.candidates), estimate::tokens_of_messages(&request.messages));
    if share <= prompt {
        return denied(format!(
            "the task has {left} tokens left of `{tokens}`, and {} times a question of about {prompt} leaves none for \
             an answer; raise it, or ask less",
            request.candidates
        ));
    }
    Ok(Plan { backends, share, prompt })
}

/// Checks the bounds of the contract.
fn check(request: &ChatRequest) -> Result<(), DelegateError> {
    let invalid = |text: String| Err(DelegateError::Invalid(text));
    if !(1..=MAX_CANDIDATES).contains(&request.candidates) {
        return invalid(format!("`candidates` must be 1 to {MAX_CANDIDATES}: `{}`", request.candidates));
    }
    if request.model.as_ref().is_some_and(|model| !(1..=MAX_MODEL).contains(&model.len())) {
        return invalid(format!("`model` must be 1 to {MAX_MODEL} bytes, or absent"));
    }
    if request.max_tokens == Some(0) {
        return invalid("`max-tokens` must be at least 1, or absent".to_owned());
    }
    if let Some(temperature) = request.temperature.filter(|temperature| !(0.0..=2.0).contains(temperature)) {
        return invalid(format!("`temperature` must be 0 to 2: `{temperature}`"));
    }
    if !(1..=MAX_MESSAGES).contains(&request.messages.len()) {
        return invalid(format!("`messages` must be 1 to {MAX_MESSAGES}: `{}`", request.messages.len()));
    }
    for (index, ChatMessage { role, content }) in request.messages.iter().enumerate() {
        if !matches!(role.as_str(), "system" | "user" | "assistant") {
            let shown: String = role.chars().take(40).flat_map(char::escape_debug).collect();
            return invalid(format!("`messages[{index}].role` must be system, user or assistant: `{shown}`"));
        }
        if content.len() > MAX_CONTENT {
            return invalid(format!("`messages[{index}].content` may be 1 MiB at most: `{} B`", content.len()));
        }
    }
    let all: usize = request.messages.iter().map(|message| message.content.len()).sum();
    if all > MAX_CONTENTS {
        return invalid(format!("the contents of `messages` may be 4 MiB together at most: `{all} B`"));
    }
    Ok(())
}

/// The backends that the grant allows for the model.
fn backends(
    grant: &LlmGrant,
    settings: &LlmSettings,
    model: Option<&str>,
    setting: impl Fn(&str) -> String,
) -> Result<Vec<String>, DelegateError> {
    let denied = |text: String| Err(DelegateError::Denied(text));
    if grant.backends.is_empty() {
        return denied(format!("`{}` names no backend; add one of [llm.backends]", setting("backends")));
    }
    let allowed = |model: &str| grant.models.is_empty() || grant.models.iter().any(|allowed| allowed == model);
    if let Some(model) = model.filter(|model| !allowed(model)) {
        return denied(format!("`{}` does not list `{}`; add it", setting("models"), model.escape_debug()));
    }
    let mut names = grant.backends.clone();
    names.sort_unstable();
    names.dedup();
    let there: Vec<String> = names.into_iter().filter(|name| settings.backends.contains_key(name)).collect();
    if there.is_empty() {
        return denied(format!("no backend that `{}` names is in [llm.backends]; add it there", setting("backends")));
    }
    let serves = |name: &String| match (settings.backends.get(name), model) {
        (Some(backend), Some(model)) => backend.model == model,
        (Some(backend), None) => allowed(&backend.model),
        (None, _) => false,
    };
    let serving: Vec<String> = there.into_iter().filter(serves).collect();
    match (serving.is_empty(), model) {
        (false, _) => Ok(serving),
        (true, Some(model)) => denied(format!(
            "no backend that `{}` names serves `{}`; add one that does",
            setting("backends"),
            model.escape_debug()
        )),
        (true, None) => denied(format!(
            "no backend that `{}` names serves a model of `{}`; add one that does",
            setting("backends"),
            setting("models")
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::BackendSettings;

    fn settings() -> LlmSettings {
        let backend = |model: &str| BackendSettings { model: model.to_owned(), ..BackendSettings::default() };
        let backends = [("a", "small"), ("b", "large"), ("c", "small")];
        LlmSettings {
            backends: backends.map(|(name, model)| (name.to_owned(), backend(model))).into(),
            ..LlmSettings::default()
        }
    }

    fn grant(backends: &[&str], models: &[&str]) -> LlmGrant {
        let owned = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect();
        LlmGrant { backends: owned(backends), models: owned(models), ..LlmGrant::default() }
    }

    fn say(content: &str) -> ChatMessage {
        ChatMessage { role: "user".to_owned(), content: content.to_owned() }
    }

    fn request() -> ChatRequest {
        ChatRequest { messages: vec![say("hello")], candidates: 1, ..ChatRequest::default() }
    }

    fn asked(grant: &LlmGrant, spent: u64, request: &ChatRequest) -> Result<Plan, DelegateError> {
        admit(&HandlerName::parse("poet").unwrap(), grant, &settings(), spent, request)
    }

    fn denied(grant: &LlmGrant, spent: u64, request: &ChatRequest) -> String {
        match asked(grant, spent, request) {
            Err(DelegateError::Denied(text)) => text,
            other => unreachable!("{other:?}"),
        }
    }

    #[test]
    fn the_backends_are_those_of_the_grant_that_serve_the_model() {
        for (backends, models, model, chosen) in [
            (&["a", "b", "c"][..], &[][..], None, &["a", "b", "c"][..]),
            (&["c", "a", "a", "gone"], &[], None, &["a", "c"]),
            (&["a", "b", "c"], &["small"], None, &["a", "c"]),
            (&["a", "b", "c"], &["small", "large"], Some("large"), &["b"]),
            (&["a", "b"], &[], Some("small"), &["a"]),
        ] {
            let request = ChatRequest { model: model.map(str::to_owned), ..request() };
            assert_eq!(asked(&grant(backends, models), 0, &request).unwrap().backends, chosen);
        }
    }

    #[test]
    fn what_the_grant_does_not_allow_is_denied_by_the_setting_to_change() {
        let asking = |model: &str| ChatRequest { model: Some(model.to_owned()), ..request() };
        let names = |text: String, setting: &str| {
            assert!(text.contains(&format!("`handler.poet.grants.llm.{setting}`")), "{text}");
        };
        names(denied(&LlmGrant::default(), 0, &request()), "backends");
        names(denied(&grant(&["gone"], &[]), 0, &request()), "backends");
        names(denied(&grant(&["a"], &[]), 0, &asking("large")), "backends");
        names(denied(&grant(&["a"], &["large"]), 0, &request()), "models");
        names(denied(&grant(&["a", "b"], &["small"]), 0, &asking("large")), "models");
        names(denied(&grant(&["a"], &[]), 0, &ChatRequest { candidates: 9, ..request() }), "candidates");
        names(denied(&grant(&["a"], &[]), 100_000, &request()), "tokens");
        names(denied(&grant(&["a"], &[]), u64::MAX, &request()), "tokens");
        names(denied(&grant(&["a"], &[]), 99_994, &request()), "tokens");
    }

    #[test]
    fn the_candidates_share_what_is_left() {
        let plan = asked(&grant(&["a"], &[]), 1_000, &ChatRequest { candidates: 4, ..request() }).unwrap();
        assert_eq!((plan.share, plan.prompt), (24_750, 6));
    }

    #[test]
    fn what_breaks_a_bound_of_the_contract_is_invalid_by_its_field() {
        let grant = LlmGrant { candidates: std::num::NonZeroU32::MAX, ..grant(&["a"], &[]) };
        let long = "x".repeat(MAX_CONTENT + 1);
        let full = "x".repeat(MAX_CONTENT);
        let robot = ChatMessage { role: "robot\n".to_owned(), content: String::new() };
        for (request, field) in [
            (ChatRequest { candidates: 0, ..request() }, "candidates"),
            (ChatRequest { candidates: 65, ..request() }, "candidates"),
            (ChatRequest { model: Some(String::new()), ..request() }, "model"),
            (ChatRequest { model: Some("m".repeat(257)), ..request() }, "model"),
            (ChatRequest { max_tokens: Some(0), ..request() }, "max-tokens"),
            (ChatRequest { temperature: Some(2.1), ..request() }, "temperature"),
            (ChatRequest { temperature: Some(-0.1), ..request() }, "temperature"),
            (ChatRequest { temperature: Some(f64::NAN), ..request() }, "temperature"),
            (ChatRequest { messages: Vec::new(), ..request() }, "messages"),
            (ChatRequest { messages: vec![say(""); 1_025], ..request() }, "messages"),
            (ChatRequest { messages: vec![say(""), robot], ..request() }, "messages[1].role"),
            (ChatRequest { messages: vec![say(&long)], ..request() }, "messages[0].content"),
            (ChatRequest { messages: vec![say(&full); 5], ..request() }, "messages"),
        ] {
            match asked(&grant, 0, &request) {
                Err(DelegateError::Invalid(text)) => assert!(text.contains(&format!("`{field}`")), "{text}"),
                other => unreachable!("{field}: {other:?}"),
            }
        }
        let most = ChatRequest { messages: vec![say(&full); 4], ..request() };
        let rich = LlmGrant { tokens: u64::MAX, ..grant };
        assert!(asked(&rich, 0, &most).is_ok());
    }
}
