//! A server that speaks TLS, and one that does not.

use bulkhead_tests::{Cluster, Folder, skipped};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use serde_json::json;

/// An authority in PEM, and a certificate that it gave for these names, with its key.
fn certificates(names: &[&str]) -> (String, String, String) {
    let mut authority = CertificateParams::new([]).expect("no names");
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(authority, KeyPair::generate().expect("a key")).expect("an authority");
    let key = KeyPair::generate().expect("a key");
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    let params = CertificateParams::new(names).expect("names");
    let certificate = params.signed_by(&key, &authority).expect("a certificate");
    (authority.pem(), certificate.pem(), key.serialize_pem())
}

#[test]
fn a_host_speaks_tls_with_a_server_whose_certificate_it_can_check_and_with_no_other() {
    let (authority, certificate, key) = certificates(&["127.0.0.1"]);
    let Some(cluster) = Cluster::start_with_tls(&certificate, &key) else { return skipped("there is no PostgreSQL") };
    for mode in ["require", "verify-full"] {
        let folder =
            Folder::on_server(&format!("{}?sslmode={mode}", cluster.url()), mode, &["echo"], "store.ca = \"ca.pem\"\n");
        folder.write("ca.pem", &authority);
        assert!(folder.bulkhead(&["doctor"]).good().contains("PostgreSQL"));
        let host = folder.host();
        let task = host.client.ended(&host.client.submit(&json!({ "kind": "ECHO", "payload": mode })));
        assert_eq!(task["result"], *mode);
        let encrypted = bulkhead_tests::ask(
            &cluster.url(),
            "SELECT bool_and(s.ssl), count(*) > 1 FROM pg_stat_ssl s JOIN pg_stat_activity a USING (pid) \
             WHERE a.application_name = 'bulkhead'",
        );
        assert_eq!(encrypted, [["t", "t"]]);
        assert_eq!(host.stop(), Some(0));
    }
    let folder = Folder::on_server(&format!("{}?sslmode=require", cluster.url()), "x", &[], "");
    folder.bulkhead(&["run"]).failed(2, &["certificate"]);
    folder.write("bulkhead.toml", "store.url = \"file:address\"\nstore.ca = \"nowhere.pem\"\n");
    folder.bulkhead(&["run"]).failed(2, &["store.ca", "nowhere.pem"]);
    folder.write("bulkhead.toml", "store.url = \"file:address\"\nstore.ca = \"ca.pem\"\n");
    let (another, ..) = certificates(&[]);
    folder.write("ca.pem", another);
    folder.bulkhead(&["run"]).failed(2, &["certificate"]);
}

#[test]
fn a_certificate_of_another_name_and_a_server_without_tls_are_refused() {
    let (authority, certificate, key) = certificates(&["db.example.org"]);
    let Some(cluster) = Cluster::start_with_tls(&certificate, &key) else { return skipped("there is no PostgreSQL") };
    let folder = Folder::on_server(&format!("{}?sslmode=require", cluster.url()), "x", &[], "store.ca = \"ca.pem\"\n");
    folder.write("ca.pem", &authority);
    folder.bulkhead(&["run"]).failed(2, &["certificate", "name"]);
    drop(cluster);
    let Some(plain) = Cluster::start() else { return };
    folder.write("address", format!("{}?sslmode=require", plain.url()));
    folder.bulkhead(&["run"]).failed(2, &["TLS"]);
}
