//! What stands in the path, with its errors as problems.

use axum::extract::rejection::PathRejection;
use axum::extract::{FromRequestParts, Path};
use axum::http::StatusCode;
use axum::http::request::Parts;
use serde::de::DeserializeOwned;

use crate::problem::Problem;

/// A part of the path, or several.
#[derive(Debug)]
pub(crate) struct PathPart<T>(pub(crate) T);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for PathPart<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        match Path::from_request_parts(parts, state).await {
            Ok(Path(part)) => Ok(Self(part)),
            Err(PathRejection::FailedToDeserializePathParams(error)) if error.status() == StatusCode::BAD_REQUEST => {
                Err(Problem::Malformed(format!("the path is refused: {}", error.kind())))
            }
            Err(rejection) => {
                tracing::error!(%rejection, "a route has other parts than its handler takes");
                Err(Problem::Failed("the path cannot be read; the host's log says why".to_owned()))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::{Ipv4Addr, SocketAddr, TcpStream};

    use axum::Router;
    use axum::routing::get;
    use tokio::net::TcpListener;

    use super::*;

    /// What is answered, with its head.
    fn ask(address: SocketAddr, path: &str) -> String {
        let mut stream = TcpStream::connect(address).expect("it listens");
        write!(stream, "GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").expect("it reads");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("it answers");
        answer
    }

    #[tokio::test]
    async fn a_path_that_is_no_text_is_answered_with_a_problem() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let router = Router::new().route("/{id}/{*path}", get(two));
        tokio::spawn(async move { axum::serve(listener, router).await });
        let answers =
            tokio::task::spawn_blocking(move || ["/a/%62/c", "/%FF/b", "/a/b%FF"].map(|path| ask(address, path)));
        let [good, id, path] = answers.await.expect("answers");
        assert!(good.starts_with("HTTP/1.1 200 ") && good.ends_with("a b/c"), "{good}");
        for (answer, part) in [(id, "`id`"), (path, "`path`")] {
            assert!(answer.starts_with("HTTP/1.1 400 ") && answer.contains("application/problem+json"), "{answer}");
            assert!(answer.contains(part), "{answer}");
        }
    }

    async fn two(PathPart((id, path)): PathPart<(String, String)>) -> String {
        format!("{id} {path}")
    }
}
