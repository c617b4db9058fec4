//! A store on a PostgreSQL server, as its operators meet it.

use bulkhead_tests::{Database, Folder, Ran, skipped};
use serde_json::json;

/// A password that nobody else uses, so that it is found wherever it is shown.
const PASSWORD: &str = "gehe1m";

/// The same address with a password in it; servers of tests ask for none.
fn with_password(url: &str) -> String {
    let at = url.find('@').expect("a user");
    format!("{}:{PASSWORD}{}", &url[..at], &url[at..])
}

#[test]
fn a_password_is_shown_nowhere() {
    let Some(database) = Database::make() else { return skipped("there is no PostgreSQL") };
    let url = with_password(&database.url);
    let folder = Folder::on_server(&url, "one", &["echo"], "[log]\nfilter = \"debug\"\n");
    let host = folder.host();
    host.client.ended(&host.client.submit(&json!({ "kind": "ECHO" })));
    let mut said = host.log();
    assert!(said.contains("store postgres://"), "{said}");
    said += &["/v1/workers", "/health", "/metrics"].map(|path| host.client.get(path).body.to_string()).concat();
    for arguments in [
        &["config", "show"][..],
        &["config", "check"],
        &["doctor"],
        &["db", "check"],
        &["db", "migrate"],
        &["db", "backup", "copy"],
    ] {
        let Ran { stdout, stderr, .. } = folder.bulkhead(arguments);
        said += &format!("{arguments:?}\n{stdout}{stderr}");
    }
    assert!(!said.contains(PASSWORD), "{said}");

    // In the settings themselves it is refused, and not shown then either.
    let ran = folder.bulkhead(&["run", "--store", &url]);
    ran.failed(2, &["store.url has a password", "env:NAME", "file:PATH"]);
    assert!(!ran.stderr.contains(PASSWORD), "{ran:?}");
}

#[test]
fn an_operator_looks_at_a_server_makes_its_tables_and_checks_them() {
    let Some(database) = Database::make() else { return skipped("there is no PostgreSQL") };
    let folder = Folder::on_server(&database.url, "one", &["echo"], "");
    assert!(folder.bulkhead(&["doctor"]).good().contains("no tables yet"));
    folder.bulkhead(&["db", "check"]).failed(2, &["no store in this database", "db migrate"]);
    assert!(folder.bulkhead(&["db", "migrate"]).good().contains("schema"));
    assert!(folder.bulkhead(&["db", "check"]).good().contains("is whole"));
    assert!(folder.bulkhead(&["doctor"]).good().contains("schema "));
    let backup = folder.bulkhead(&["db", "backup", "copy.dump"]);
    backup.failed(2, &["pg_dump --format=custom --file='copy.dump' --dbname=\"$(cat 'address')\""]);

    // Beside a host that runs, too.
    let host = folder.host();
    host.client.ended(&host.client.submit(&json!({ "kind": "ECHO" })));
    assert!(folder.bulkhead(&["db", "check"]).good().contains("is whole"));
    assert!(folder.bulkhead(&["db", "migrate"]).good().contains("schema"));
    assert!(folder.bulkhead(&["doctor"]).good().contains("PostgreSQL"));
}

#[test]
fn a_damaged_store_on_a_server_is_found_out() {
    let Some(database) = Database::make() else { return skipped("there is no PostgreSQL") };
    let folder = Folder::on_server(&database.url, "one", &["echo"], "");
    let host = folder.host();
    host.client.ended(&host.client.submit(&json!({ "kind": "ECHO" })));
    let seq = &database.ask("SELECT seq FROM tasks")[0][0];
    assert_eq!(host.stop(), Some(0));
    database.ask(&format!("INSERT INTO paused VALUES ({seq}, false); INSERT INTO paused VALUES (990099, false)"));
    database.ask("INSERT INTO leases (id, attachment, worker, claimed_at, tasks, done) VALUES (7, 8, 9, 0, '{}', '')");
    let checked = folder.bulkhead(&["db", "check"]);
    for words in [
        &format!("task {seq} is in ended and paused")[..],
        "paused names task 990099, which is not there",
        "lease 7 belongs to worker 8, which is not attached",
    ] {
        assert!(checked.stdout.contains(words), "{words} is not in {checked:#?}");
    }
    checked.failed(1, &["damaged", "backup"]);
    database.ask(&format!("DELETE FROM paused; DELETE FROM leases; DELETE FROM ended WHERE seq = {seq}"));
    let checked = folder.bulkhead(&["db", "check"]);
    assert!(checked.stdout.contains(&format!("task {seq} is nowhere")), "{checked:#?}");
}

#[test]
fn a_server_that_is_not_there_is_named_with_the_next_step() {
    let folder = Folder::with_settings("store.url = \"postgres://nobody@127.0.0.1:1/none\"\n");
    for arguments in [&["run"][..], &["db", "check"], &["db", "migrate"]] {
        folder.bulkhead(arguments).failed(2, &["cannot be reached", "refused", "store.url"]);
    }
    let doctor = folder.bulkhead(&["doctor"]);
    assert!(doctor.code == Some(1) && doctor.stdout.contains("cannot be reached"), "{doctor:#?}");
    folder.bulkhead(&["config", "check"]).good();
    folder.write("bulkhead.toml", "store.url = \"postgres://db/b?sslmode=allow\"\n");
    folder.bulkhead(&["config", "check"]).failed(2, &["sslmode"]);
    folder.write("bulkhead.toml", "store.url = \"env:NOT_SET_ANYWHERE\"\n");
    folder.bulkhead(&["config", "check"]).failed(2, &["NOT_SET_ANYWHERE"]);
}

#[test]
fn a_role_that_may_only_read_and_write_is_enough_once_the_tables_are_there() {
    let Some(database) = Database::make() else { return skipped("there is no PostgreSQL") };
    let owner = Folder::on_server(&database.url, "owner", &[], "");
    owner.bulkhead(&["db", "migrate"]).good();
    let role = format!("worker_{}", std::process::id());
    database.ask(&format!(
        "CREATE ROLE {role} LOGIN; REVOKE ALL ON SCHEMA public FROM PUBLIC; GRANT USAGE ON SCHEMA public TO {role}; \
         GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {role}; \
         GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {role}"
    ));
    let at = database.url.find('@').expect("a user");
    let url = format!("postgres://{role}{}", &database.url[at..]);
    let folder = Folder::on_server(&url, "one", &["effect", "family"], "");
    let host = folder.host();
    let ended = host.client.ended(&host.client.submit(&json!({ "kind": "EFFECT", "payload": 3, "key": "once" })));
    let (whole, stopped) = (folder.bulkhead(&["db", "check"]), host.stop());
    database.ask(&format!("DROP OWNED BY {role}; DROP ROLE {role}"));
    assert_eq!((&ended["state"], &ended["attempt"]), (&json!("succeeded"), &json!(2)), "{ended:#}");
    assert!(whole.good().contains("is whole") && stopped == Some(0));
}

#[test]
fn a_role_that_may_not_make_tables_is_told_what_helps() {
    let Some(database) = Database::make() else { return skipped("there is no PostgreSQL") };
    // Roles belong to the whole server.
    let role = format!("nobody_{}", std::process::id());
    database.ask(&format!("CREATE ROLE {role} LOGIN; REVOKE ALL ON SCHEMA public FROM PUBLIC"));
    let at = database.url.find('@').expect("a user");
    let folder = Folder::on_server(&format!("postgres://{role}{}", &database.url[at..]), "one", &[], "");
    let (ran, doctor) = (folder.bulkhead(&["run"]), folder.bulkhead(&["doctor"]));
    database.ask(&format!("DROP ROLE {role}"));
    ran.failed(2, &["owner of the database"]);
    assert!(doctor.code == Some(1) && doctor.stdout.contains("GRANT"), "{doctor:#?}");
}
