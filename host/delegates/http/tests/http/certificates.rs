//! TLS with authorities of one's own.

use std::sync::Arc;

use bulkhead_sandbox::HttpProblem;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::ServerConfig;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio_rustls::TlsAcceptor;

use crate::server::Server;
use crate::world::{access, get, leads_to, problem, read, send};

/// A server with a certificate for `api.example.org`, and the authority that gave it.
async fn server() -> (Server, String) {
    let mut authority = CertificateParams::new([]).unwrap();
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(authority, KeyPair::generate().unwrap()).unwrap();
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(["api.example.org".to_owned()]).unwrap();
    let certificate = params.signed_by(&key, &authority).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let config = builder.with_no_client_auth().with_single_cert(vec![certificate.der().clone()], key).unwrap();
    (Server::listen(Some(TlsAcceptor::from(Arc::new(config)))).await, authority.pem())
}

#[tokio::test]
async fn a_private_authority_is_trusted_where_the_grant_names_it_and_nowhere_else() {
    let (server, authority) = server().await;
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(&file, authority).unwrap();
    let port = server.address.port();
    let grant = format!(
        "origins = [\"https://api.example.org:{port}\", \"https://other.example.org:{port}\"]\n\
         addresses = [\"127.0.0.1/32\"]\n"
    );
    let trusted = format!("{grant}ca = \"{}\"\n", file.path().display());
    let handler = |grant: &str| access(grant).with_resolver(leads_to(&server.address.to_string()));
    let url = format!("https://api.example.org:{port}/status/200");
    let response = send(&handler(&trusted), get(&url)).await.unwrap();
    assert_eq!(response.status(), 200);
    assert_eq!(read(response).await, (String::new(), Ok(())));
    // Nobody knows the authority; the certificate is another's.
    assert_eq!(problem(send(&handler(&grant), get(&url)).await), HttpProblem::Certificate);
    let other = format!("https://other.example.org:{port}/status/200");
    assert_eq!(problem(send(&handler(&trusted), get(&other)).await), HttpProblem::Certificate);
    assert_eq!(server.requests().len(), 1);
}
