//! Nothing goes on for whoever is gone.

use crate::server::Server;
use crate::world::{access_to, get, send};

#[tokio::test]
async fn a_request_that_is_given_up_closes_its_connection() {
    let mut server = Server::start().await;
    let handler = access_to(server.address, "");
    let url = server.url("/silent");
    let asking = tokio::spawn(async move { send(&handler, get(&url)).await });
    server.has_seen(1).await;
    asking.abort();
    server.was_left(1).await;
}

#[tokio::test]
async fn a_body_that_is_given_up_closes_its_connection() {
    let mut server = Server::start().await;
    let handler = access_to(server.address, "");
    let response = send(&handler, get(&server.url("/stuck"))).await.unwrap();
    drop(response);
    server.was_left(1).await;
}
