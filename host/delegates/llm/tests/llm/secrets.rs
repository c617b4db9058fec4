//! Keys reach their backend and nobody else.

use std::sync::{Arc, Mutex};

use bulkhead_llm::{KeyPlace, Llm, TokenMeter};
use tracing_subscriber::fmt::MakeWriter;

use crate::server::{Server, Step};
use crate::{PATIENCE, caller, each, grant, request, settings};

/// What was logged.
#[derive(Debug, Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Self;
    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

#[tokio::test]
async fn a_key_shows_in_no_error_no_debug_and_no_log_even_where_the_backend_repeats_it() {
    let log = Log::default();
    let subscriber = tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE).with_writer(log.clone()).finish();
    // Of all tests: what another thread logs first with no subscriber of its own would be taken for logged by none.
    tracing::subscriber::set_global_default(subscriber).unwrap();
    let file = tempfile::NamedTempFile::new().unwrap();
    let key = "sesame_open_sesame";
    std::fs::write(&file, key).unwrap();
    let error = format!("{{\"error\":{{\"message\":\"no {key}\",\"code\":\"{key}\",\"type\":\"open_sesame\"}}}}");
    let answer = |body: &str| {
        let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n";
        Step::Raw(format!("{head}content-length: {}\r\n\r\n{body}", body.len()).into_bytes())
    };
    let mut shown = String::new();
    for step in [
        Step::Status(401, vec![("www-authenticate", key.to_owned())], error.clone()),
        Step::Status(503, vec![("retry-after", key.to_owned())], error.clone()),
        Step::Status(302, vec![("location", format!("http://{key}/"))], key.to_owned()),
        Step::Raw(format!("{key}\r\n\r\n").into_bytes()),
        Step::Raw(format!("HTTP/1.1 200 {key}\r\n{key}\r\n\r\n").into_bytes()),
        answer(key),
        answer(&error),
        answer(&format!("{{\"choices\":\"{key}\"}}")),
        answer(&format!("{{\"{key}\":{key}}}")),
        answer(&format!("{{\"choices\":[{{\"message\":\"{key}\"}}]}}")),
    ] {
        let server = Server::start([step]).await;
        let mut settings = each(settings(&[("a", &server)]), |_, backend| {
            backend.key = Some(KeyPlace::new(&format!("file:{}", file.path().display())));
        });
        settings.retries = 2.try_into().unwrap();
        let (grant, llm) = (grant(&settings), Llm::new(settings).unwrap());
        let error = llm.generate(&caller(PATIENCE), &grant, 0, &TokenMeter::new(), request(1)).await.unwrap_err();
        shown += &format!("{error}\n{error:?}\n{llm:?}\n{:?}\n", llm.probe().await);
        assert_eq!(server.seen()[0].authorization, Some(format!("Bearer {key}")));
    }
    let logged = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    assert!(logged.contains("a language model gave no answer"), "{logged}");
    assert!(!shown.contains("sesame"), "{shown}");
    assert!(!logged.contains("sesame"), "{logged}");
}

#[tokio::test]
async fn a_key_that_is_gone_is_told_by_its_setting_and_not_by_its_place() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("key");
    std::fs::write(&place, "sk-sesame").unwrap();
    let server = Server::start([Step::Whole("x")]).await;
    let settings = each(settings(&[("a", &server)]), |_, backend| {
        backend.key = Some(KeyPlace::new(&format!("file:{}", place.display())));
    });
    let (grant, llm) = (grant(&settings), Llm::new(settings).unwrap());
    for is_gone in [false, true] {
        std::fs::write(&place, "two words").unwrap();
        if is_gone {
            std::fs::remove_file(&place).unwrap();
        }
        let error = llm.generate(&caller(PATIENCE), &grant, 0, &TokenMeter::new(), request(1)).await.unwrap_err();
        let text = error.to_string();
        assert!(text.contains("`a`: its key") && text.contains("look at its `key`"), "{text}");
        assert!(!text.contains(&*folder.path().to_string_lossy()), "{text}");
        let told = llm.probe().await[0].state.clone().unwrap_err();
        assert!(told.contains(&*place.to_string_lossy()), "the operator is told: {told}");
    }
}

#[tokio::test]
async fn a_key_that_is_changed_in_its_file_is_used_from_then_on() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let server = Server::start([Step::Whole("x")]).await;
    std::fs::write(&file, "sk-0").unwrap();
    let settings = each(settings(&[("a", &server)]), |_, backend| {
        backend.key = Some(KeyPlace::new(&format!("file:{}", file.path().display())));
    });
    let (grant, llm) = (grant(&settings), Llm::new(settings).unwrap());
    for key in ["sk-1", "sk-2\n"] {
        std::fs::write(&file, key).unwrap();
        llm.generate(&caller(PATIENCE), &grant, 0, &TokenMeter::new(), request(1)).await.unwrap();
        assert_eq!(server.seen().last().unwrap().authorization, Some(format!("Bearer {}", key.trim())));
    }
    std::fs::remove_file(&file).unwrap();
    let error = llm.generate(&caller(PATIENCE), &grant, 0, &TokenMeter::new(), request(1)).await.unwrap_err();
    assert!(error.to_string().contains("its key is in a file that cannot be read"), "{error}");
    assert_eq!(server.counts().requests, 2);
}

#[tokio::test]
async fn a_key_may_be_in_the_environment() {
    let server = Server::start([Step::Whole("x")]).await;
    let settings = each(settings(&[("a", &server)]), |_, backend| {
        // A variable that Cargo sets for every test.
        backend.key = Some(KeyPlace::new("env:CARGO_PKG_NAME"));
    });
    let (grant, llm) = (grant(&settings), Llm::new(settings).unwrap());
    llm.generate(&caller(PATIENCE), &grant, 0, &TokenMeter::new(), request(1)).await.unwrap();
    assert_eq!(server.seen()[0].authorization.as_deref(), Some("Bearer bulkhead-llm"));
    assert!(!format!("{llm:?}").contains("Bearer"));
}
