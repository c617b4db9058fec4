//! Taking an address and answering on it.

use std::net::SocketAddr;

use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::app::App;
use crate::prompt::PromptListener;
use crate::routes::routes;

/// Why the server cannot listen.
#[derive(Debug, thiserror::Error)]
pub enum BindError {
    /// Tokens, which any address but loopback needs, are not there yet.
    #[error(
        "server.listen must be a loopback address, such as 127.0.0.1:7070, since this version has no tokens: `{0}`; to reach it from elsewhere, put a proxy with authentication before it"
    )]
    NotLoopback(SocketAddr),
    /// Another program has the port.
    #[error(
        "the address `{0}` is in use by another program; stop it, or set server.listen (or --listen) to another port, or to port 0 for a free one"
    )]
    InUse(SocketAddr),
    /// The system refuses.
    #[error("cannot listen on `{0}`")]
    Refused(SocketAddr, #[source] std::io::Error),
}

/// Whether this version may listen there at all.
pub fn check_address(address: SocketAddr) -> Result<(), BindError> {
    if address.ip().is_loopback() { Ok(()) } else { Err(BindError::NotLoopback(address)) }
}

/// Takes the address; port 0 takes a free one.
pub async fn bind(address: SocketAddr) -> Result<TcpListener, BindError> {
    check_address(address)?;
    TcpListener::bind(address).await.map_err(|error| match error.kind() {
        std::io::ErrorKind::AddrInUse => BindError::InUse(address),
        _ => BindError::Refused(address, error),
    })
}

/// Answers until `stopping` turns true and the requests under way are served.
pub async fn serve(listener: TcpListener, app: App, mut stopping: watch::Receiver<bool>) -> std::io::Result<()> {
    let stopped = async move {
        // An error means that nobody is left to stop the server: it stops then, too.
        let _ = stopping.wait_for(|stopping| *stopping).await;
    };
    axum::serve(PromptListener(listener), routes(app)).with_graceful_shutdown(stopped).await
}
