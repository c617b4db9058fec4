//! The delegate against backends that answer by a script, over real connections.

mod bounds;
mod budget;
mod ensemble;
mod health;
mod secrets;
mod server;
mod time;
mod tls;

use std::time::{Duration, Instant};

use bulkhead_core::{Caller, Candidate, ChatMessage, ChatRequest, DelegateError, HandlerName, TaskId};
use bulkhead_llm::{BackendSettings, BackendUrl, Llm, LlmGrant, LlmSettings, TokenMeter};

use crate::server::Server;

/// How long a test waits for what must come.
const PATIENCE: Duration = Duration::from_secs(20);

/// Settings with these backends.
fn settings(backends: &[(&str, &Server)]) -> LlmSettings {
    let mut settings = LlmSettings::default();
    for (name, server) in backends {
        let backend = BackendSettings {
            url: BackendUrl::new(server.url()),
            model: format!("model-of-{name}"),
            ..BackendSettings::default()
        };
        settings.backends.insert((*name).to_owned(), backend);
    }
    settings
}

/// The settings, with each backend changed.
fn each(mut settings: LlmSettings, change: impl Fn(&str, &mut BackendSettings)) -> LlmSettings {
    for (name, backend) in &mut settings.backends {
        change(name, backend);
    }
    settings
}

/// A grant of all these settings have.
fn grant(settings: &LlmSettings) -> LlmGrant {
    LlmGrant { backends: settings.backends.keys().cloned().collect(), ..LlmGrant::default() }
}

fn caller(within: Duration) -> Caller {
    Caller {
        handler: HandlerName::parse("poet").unwrap(),
        task: TaskId::parse("t1").unwrap(),
        lease: None,
        workspace: None,
        traceparent: None,
        deadline: Instant::now() + within,
    }
}

/// A question of about six tokens.
fn request(candidates: u32) -> ChatRequest {
    let message = ChatMessage { role: "user".to_owned(), content: "say hello".to_owned() };
    ChatRequest { messages: vec![message], candidates, ..ChatRequest::default() }
}

/// Asks for so many candidates under a grant of everything.
async fn ask(settings: LlmSettings, candidates: u32) -> Result<Vec<Candidate>, DelegateError> {
    let grant = LlmGrant { candidates: 64.try_into().unwrap(), ..grant(&settings) };
    let llm = Llm::new(settings).unwrap();
    llm.generate(&caller(PATIENCE), &grant, 0, &TokenMeter::new(), request(candidates)).await
}

/// The message of a failure of this kind.
fn told(result: Result<Vec<Candidate>, DelegateError>, kind: &str) -> String {
    let error = result.expect_err("no answer");
    assert_eq!(error.name(), kind, "{error}");
    error.to_string()
}
