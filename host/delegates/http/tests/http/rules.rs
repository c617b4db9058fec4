//! Whom a handler can ask, and whom not.

use bulkhead_http::HttpAccess;
use bulkhead_sandbox::HttpProblem;
use http::Request;

use crate::server::Server;
use crate::world::{access, access_to, get, leads_to, problem, read, send};

#[tokio::test]
async fn an_origin_or_a_method_that_is_not_granted_is_denied_and_nobody_is_asked() {
    let server = Server::start().await;
    let handler = access_to(server.address, "");
    let others = ["http://127.0.0.1:1/", "https://example.com/", "http://localhost/"];
    for url in others {
        assert_eq!(problem(send(&handler, get(url)).await), HttpProblem::Denied, "{url}");
    }
    let post = Request::post(server.url("/status/200"));
    assert_eq!(problem(send(&handler, post).await), HttpProblem::Denied);
    assert!(server.requests().is_empty());
}

#[tokio::test]
async fn a_private_address_is_refused_though_its_name_is_granted() {
    let server = Server::start().await;
    let port = server.address.port();
    for host in ["localhost", "127.0.0.1", "[::1]", "[::ffff:127.0.0.1]", "0x7f.1"] {
        let handler = access(&format!("origins = [\"http://{host}:{port}\"]"));
        let failure = send(&handler, get(&format!("http://{host}:{port}/status/200"))).await.unwrap_err();
        assert_eq!(failure.problem, HttpProblem::AddressDenied, "{host}: {failure}");
        assert!(failure.to_string().contains("handler.fetch.grants.http.addresses"), "{failure}");
    }
    assert!(server.requests().is_empty());
}

#[tokio::test]
async fn what_counts_is_the_address_that_a_name_leads_to_now() {
    let server = Server::start().await;
    let grant = "origins = [\"http://api.example.org\"]";
    for address in ["169.254.169.254:80", "10.0.0.1:80", "[fd00::1]:80", "[::ffff:10.0.0.1]:80", "100.64.0.1:80"] {
        let handler = access(grant).with_resolver(leads_to(address));
        let told = problem(send(&handler, get("http://api.example.org/")).await);
        assert_eq!(told, HttpProblem::AddressDenied, "{address}");
    }
    let named = access(&format!("{grant}\naddresses = [\"127.0.0.1/32\"]"));
    let named = named.with_resolver(leads_to(&server.address.to_string()));
    let response = send(&named, get("http://api.example.org/status/204")).await.unwrap();
    assert_eq!(response.status(), 204);
    assert!(server.requests()[0].contains("host: api.example.org\r\n"), "{:?}", server.requests());
}

#[tokio::test]
async fn a_redirect_is_for_the_guest_to_see_and_leads_nowhere_that_is_not_granted() {
    let server = Server::start().await;
    let handler = access_to(server.address, "");
    let response = send(&handler, get(&server.url("/status/302"))).await.unwrap();
    assert_eq!(response.status(), 302);
    let location = response.headers()["location"].to_str().unwrap().to_owned();
    assert_eq!(problem(send(&handler, get(&location)).await), HttpProblem::Denied);
    assert_eq!(server.requests().len(), 1);
}

fn with_secret(server: &Server, file: &tempfile::NamedTempFile) -> HttpAccess {
    let (url, file) = (server.url(""), file.path().display().to_string());
    access_to(
        server.address,
        &format!("[headers.\"{url}\"]\nAuthorization = \"Bearer file:{file}\"\nX-Team = \"red\"\n"),
    )
}

#[tokio::test]
async fn a_secret_arrives_whatever_the_guest_says_and_the_guest_never_sees_it() {
    let server = Server::start().await;
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(&file, "sesame-1234").unwrap();
    let handler = with_secret(&server, &file);
    let request = get(&server.url("/echo")).header("Authorization", "mine").header("x-team", "blue").header("x-a", "b");
    let response = send(&handler, request.header("authorization", "mine too")).await.unwrap();
    let came = server.requests()[0].clone();
    assert!(came.contains("authorization: Bearer sesame-1234\r\n") && came.contains("x-team: red\r\n"), "{came}");
    assert!(came.contains("x-a: b\r\n") && !came.contains("mine") && !came.contains("blue"), "{came}");
    let shown = format!("{response:?}{handler:?}");
    let (body, end) = read(response).await;
    assert_eq!(end, Ok(()));
    assert!(body.contains("authorization: Bearer ***********\r\n") && body.contains("x-trailer"), "{body}");
    assert!(!format!("{shown}{body}").contains("sesame"), "{shown}{body}");
}

#[tokio::test]
async fn a_secret_that_cannot_be_read_any_more_is_not_sent_without() {
    let server = Server::start().await;
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(&file, "sesame-1234").unwrap();
    let handler = with_secret(&server, &file);
    drop(file);
    assert_eq!(problem(send(&handler, get(&server.url("/echo"))).await), HttpProblem::Unreachable);
    assert!(server.requests().is_empty());
}

#[tokio::test]
async fn a_secret_goes_over_plain_http_to_named_addresses_alone() {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(&file, "sesame-1234").unwrap();
    let file = file.path().display();
    let grant = format!(
        "origins = [\"http://api.example.org\"]\n[headers.\"http://api.example.org\"]\nAuthorization = \"file:{file}\"\n"
    );
    let handler = access(&grant).with_resolver(leads_to("1.1.1.1:80"));
    let failure = send(&handler, get("http://api.example.org/")).await.unwrap_err();
    assert_eq!(failure.problem, HttpProblem::AddressDenied);
    assert!(failure.to_string().contains("use https"), "{failure}");
}
