//! Backends over https.

use std::sync::Arc;

use bulkhead_llm::{Llm, LlmError};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::ServerConfig;
use rustls::pki_types::PrivateKeyDer;
use tokio_rustls::TlsAcceptor;

use crate::server::{Server, Step};
use crate::{ask, each, settings, told};

/// An authority in PEM, and a server's side of TLS with a certificate that it gave for this name.
fn certified(name: &str) -> (String, TlsAcceptor) {
    let mut authority = CertificateParams::new([]).unwrap();
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(authority, KeyPair::generate().unwrap()).unwrap();
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new([name.to_owned()]).unwrap().signed_by(&key, &authority).unwrap();
    let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], key)
        .unwrap();
    (authority.pem(), TlsAcceptor::from(Arc::new(config)))
}

#[tokio::test]
async fn a_backend_with_a_certificate_of_the_given_authority_is_asked_and_no_other() {
    let (authority, tls) = certified("127.0.0.1");
    let (another, wrong_name) = certified("elsewhere.example");
    let folder = tempfile::tempdir().unwrap();
    for (server, trusted, good) in [
        (Server::start_tls([Step::Stream(&["over ", "tls"], None)], tls.clone()).await, &authority, true),
        (Server::start_tls([Step::Whole("x")], tls).await, &another, false),
        (Server::start_tls([Step::Whole("x")], wrong_name).await, &another, false),
    ] {
        let file = folder.path().join("ca.pem");
        std::fs::write(&file, trusted).unwrap();
        let mut settings = each(settings(&[("a", &server)]), |_, backend| backend.ca = Some(file.clone()));
        settings.retries = 1.try_into().unwrap();
        let result = ask(settings, 1).await;
        if good {
            assert_eq!(result.unwrap()[0].text, "over tls");
        } else {
            let text = told(result, "unavailable");
            assert!(text.contains("`a`: it cannot be reached") && text.contains("certificate"), "{text}");
            assert_eq!(server.counts().requests, 0);
        }
    }
}

#[tokio::test]
async fn a_file_without_certificates_is_refused_by_its_name() {
    let server = Server::start([Step::Whole("x")]).await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("ca.pem");
    for content in [None, Some(""), Some("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")] {
        if let Some(content) = content {
            std::fs::write(&file, content).unwrap();
        }
        let settings = each(settings(&[("a", &server)]), |_, backend| backend.ca = Some(file.clone()));
        let error = Llm::new(settings).expect_err("no certificates");
        assert!(error.to_string().contains("llm.backends.a.ca"), "{error}");
        let LlmError::Tls { source, .. } = error else { panic!("{error}") };
        assert!(source.to_string().contains("ca.pem"), "{source}");
    }
}
