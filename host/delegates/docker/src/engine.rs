//! The engine: how it is reached, what its errors mean, and when it is left alone.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use bollard::errors::Error;
use bollard::{API_DEFAULT_VERSION, ClientVersion};
use bulkhead_core::{Breaker, BreakerRules, BreakerState, DelegateError};
use tokio::time::timeout;

use crate::DockerSettings;
use crate::fault::{Fault, fault};

/// How long the engine may take to begin an answer; starting a container on a busy machine takes seconds.
const ANSWER_WITHIN: Duration = Duration::from_secs(60);

/// How long it may take to say which version it speaks.
const VERSION_WITHIN: Duration = Duration::from_secs(2);

/// A Docker engine on this machine.
#[derive(Debug)]
pub(crate) struct Engine {
    socket: PathBuf,
    rules: BreakerRules,
    /// The version that was agreed on; asked again when the engine was away, for then it may be another.
    version: Mutex<Option<ClientVersion>>,
    is_podman: AtomicBool,
    breaker: Mutex<Breaker>,
    since: Instant,
}

impl Engine {
    pub(crate) fn new(settings: &DockerSettings) -> Self {
        Self {
            socket: settings.socket.clone(),
            rules: settings.breaker(),
            version: Mutex::default(),
            is_podman: AtomicBool::new(false),
            breaker: Mutex::default(),
            since: Instant::now(),
        }
    }

    /// A client, once a version is agreed on.
    pub(crate) async fn client(&self) -> Result<bollard::Docker, Error> {
        let agreed = *self.version();
        match agreed {
            Some(version) => self.connect(&version),
            None => {
                let (version, name) = self.ask_version().await?;
                self.is_podman.store(name.starts_with("Podman"), Ordering::Relaxed);
                *self.version() = Some(version);
                self.connect(&version)
            }
        }
    }

    /// Whether it is Podman, which knows fewer options of folders in memory; known once there is a client.
    pub(crate) fn is_podman(&self) -> bool {
        self.is_podman.load(Ordering::Relaxed)
    }

    /// The version of the API that both sides speak, and what the engine calls itself.
    pub(crate) async fn ask_version(&self) -> Result<(ClientVersion, String), Error> {
        let versioned = format!("/v{API_DEFAULT_VERSION}/");
        // An engine refuses to say which versions it speaks to who asks in one that it does not.
        let client = self.connect(API_DEFAULT_VERSION)?.with_request_modifier(move |mut request| {
            if let Ok(plain) = request.uri().to_string().replacen(&versioned, "/", 1).parse() {
                *request.uri_mut() = plain;
            }
            request
        });
        let told = timeout(VERSION_WITHIN, client.version()).await.map_err(|_| Error::RequestTimeoutError)??;
        let api = told.api_version.unwrap_or_default();
        let version = parse(&api).ok_or(Error::APIVersionParseError {})?;
        let name = told.components.and_then(|all| Some(all.into_iter().next()?.name)).unwrap_or_default();
        let text = format!("{name} {}, API {api}", told.version.unwrap_or_default());
        let newest = *API_DEFAULT_VERSION;
        Ok((if version < newest { version } else { newest }, text.trim_start().to_owned()))
    }

    fn connect(&self, version: &ClientVersion) -> Result<bollard::Docker, Error> {
        let socket = self.socket.to_string_lossy();
        bollard::Docker::connect_with_unix(&socket, ANSWER_WITHIN.as_secs(), version)
    }

    /// Leave to call the engine, unless it is left alone.
    pub(crate) fn permit(self: &Arc<Self>) -> Result<Permit, DelegateError> {
        let state = self.breaker().ask(self.since.elapsed());
        match state {
            BreakerState::Closed => Ok(Permit { engine: Arc::clone(self), trying: false }),
            BreakerState::Trying => Ok(Permit { engine: Arc::clone(self), trying: true }),
            BreakerState::Open(rest) => {
                let millis = rest.as_millis();
                let again = if millis == 0 {
                    "a call tries it now".to_owned()
                } else {
                    format!("it is tried again in {millis} ms")
                };
                Err(DelegateError::Gone(format!("the docker engine failed and is left alone: {again}")))
            }
        }
    }

    /// What an error means to who called, and to the breaker.
    pub(crate) fn explain(&self, error: &Error) -> DelegateError {
        match fault(error) {
            Fault::Away(why) => {
                *self.version() = None;
                self.breaker().failed(self.rules, self.since.elapsed());
                tracing::warn!(socket = %self.socket.display(), why, "the docker engine does not answer");
                let text = format!("the docker engine does not answer ({why}); start it, or set `docker.socket`");
                DelegateError::Gone(text)
            }
            Fault::Missing(why) | Fault::Conflict(why) | Fault::Refused(why) => {
                if why.contains("client version") {
                    *self.version() = None;
                }
                DelegateError::Failed(format!("the docker engine refuses: {why}"))
            }
        }
    }

    fn version(&self) -> MutexGuard<'_, Option<ClientVersion>> {
        self.version.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn breaker(&self) -> MutexGuard<'_, Breaker> {
        self.breaker.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Leave to call the engine once; who drops it untold has learnt nothing.
#[derive(Debug)]
pub(crate) struct Permit {
    engine: Arc<Engine>,
    /// Whether it is the one call that tries whether the engine is well again, and nobody was told yet how that went.
    trying: bool,
}

impl Permit {
    /// The engine answered.
    pub(crate) fn succeeded(mut self) {
        self.trying = false;
        self.engine.breaker().succeeded();
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        // Any other that ends says nothing about the one that tries, and must not let another try beside it.
        if self.trying {
            self.engine.breaker().abandoned();
        }
    }
}

fn parse(text: &str) -> Option<ClientVersion> {
    let (major, minor) = text.split_once('.')?;
    Some(ClientVersion { major_version: major.parse().ok()?, minor_version: minor.parse().ok()? })
}

#[cfg(test)]
mod tests {
    use bulkhead_core::Span;

    use super::*;

    fn engine() -> Arc<Engine> {
        Arc::new(Engine::new(&DockerSettings { failures: 2, ..DockerSettings::default() }))
    }

    #[test]
    fn an_engine_that_is_away_is_left_alone_and_one_that_refuses_is_not() {
        let engine = engine();
        let refused = Error::DockerResponseServerError { status_code: 500, message: "no such program".to_owned() };
        for _ in 0..5 {
            assert!(matches!(engine.explain(&refused), DelegateError::Failed(_)));
        }
        assert!(engine.permit().is_ok());
        for _ in 0..2 {
            assert!(matches!(engine.explain(&Error::RequestTimeoutError), DelegateError::Gone(_)));
        }
        match engine.permit() {
            Err(DelegateError::Gone(text)) => assert!(text.contains("it is tried again in "), "{text}"),
            other => panic!("it is not left alone: {other:?}"),
        }
    }

    #[test]
    fn while_one_tries_no_other_does_whatever_calls_end_meanwhile() {
        let settings = DockerSettings { failures: 1, rest: Span::from_millis(0), ..DockerSettings::default() };
        let engine = Arc::new(Engine::new(&settings));
        let ordinary = engine.permit().expect("the engine is well");
        assert!(matches!(engine.explain(&Error::RequestTimeoutError), DelegateError::Gone(_)));
        let tries = engine.permit().expect("its rest is over");
        assert!(engine.permit().is_err(), "one tries");
        drop(ordinary);
        assert!(engine.permit().is_err(), "that another call ended says nothing of the one that tries");
        drop(tries);
        assert!(engine.permit().is_ok(), "it was given up, so that another may try");
    }

    #[test]
    fn versions_are_read() {
        let version = parse("1.41").expect("a version");
        assert_eq!((version.major_version, version.minor_version), (1, 41));
        assert_eq!(parse("one"), None);
    }
}
