//! `bulkhead doctor`

use std::net::TcpListener;
use std::path::{Path, PathBuf};

use anyhow::Result;
use bulkhead_delegates::{Health, found_tags};
use bulkhead_store::StoreError;
use bulkhead_store::postgres::{self, PostgresSettings};
use bulkhead_workflow::{Shelf, ShelfSettings};
use serde_json::{Value, json};

use crate::assemble;
use crate::exit::ExitStatus;
use crate::printer::Printer;
use crate::settings::{Caps, Grants, Resolved, Settings};
use crate::store_place::StorePlace;

/// The first kernel that can tell which pages a guest has touched, which makes a fresh sandbox cheap.
const PAGEMAP_SCAN_SINCE: (u32, u32) = (6, 7);

/// Less free space than this is worth a word.
const LITTLE_SPACE: u64 = 1 << 30;

/// Connections of one host: its thread's, its readers', and one to spare.
const CONNECTIONS: i64 = 6;

/// The oldest PostgreSQL that numbers transactions for good, by which a host learns what became of one.
const OLDEST_SERVER: u32 = 13;

enum Finding {
    Good(String),
    /// It works, but not as well as it could.
    Note(String),
    /// A host would not start.
    Bad(String),
}

pub(super) fn run(resolved: &Resolved, printer: &mut Printer) -> Result<ExitStatus> {
    let settings = &resolved.settings;
    let findings = [
        ("kernel", kernel()),
        ("sandbox", sandbox(settings)),
        ("store", store(settings)),
        ("disk", disk(settings)),
        ("handlers", handlers(settings)),
        ("workflows", workflows(settings)),
        ("address", address(settings)),
    ];
    let findings = findings.into_iter().chain(delegates(settings));
    let findings: Vec<(&str, Finding)> = findings.collect();
    let bad = findings.iter().any(|(_, finding)| matches!(finding, Finding::Bad(_)));
    let rows: Vec<Value> = findings
        .into_iter()
        .map(|(what, finding)| {
            let (verdict, text) = match finding {
                Finding::Good(text) => ("good", text),
                Finding::Note(text) => ("note", text),
                Finding::Bad(text) => ("bad", text),
            };
            json!({ "check": what, "verdict": verdict, "finding": text })
        })
        .collect();
    printer.list(&rows, &["CHECK", "VERDICT", "FINDING"], |row| {
        ["check", "verdict", "finding"].iter().map(|field| super::show::text(row, field)).collect()
    })?;
    Ok(if bad { ExitStatus::Failure } else { ExitStatus::Success })
}

fn kernel() -> Finding {
    let uname = rustix::system::uname();
    let release = uname.release().to_string_lossy().into_owned();
    let mut numbers = release.split(['.', '-']).map_while(|part| part.parse::<u32>().ok());
    let version = (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0));
    if version >= PAGEMAP_SCAN_SINCE {
        Finding::Good(format!("Linux {release}"))
    } else {
        Finding::Note(format!("Linux {release}; from 6.7 on, fresh sandboxes are several times cheaper"))
    }
}

fn sandbox(settings: &Settings) -> Finding {
    match assemble::sandbox(settings) {
        Ok(_) => Finding::Good(format!("{} sandboxes at once", settings.worker.max_concurrent)),
        Err(error) => Finding::Bad(format!("{error:#}")),
    }
}

fn store(settings: &Settings) -> Finding {
    match assemble::store_place(settings) {
        Ok(StorePlace::File(path)) => file(settings, &path),
        Ok(StorePlace::Server { url, .. }) => match assemble::server(settings, url) {
            Ok(settings) => server(&settings),
            Err(error) => Finding::Bad(format!("{error:#}")),
        },
        Err(error) => Finding::Bad(format!("{error:#}")),
    }
}

fn file(settings: &Settings, path: &Path) -> Finding {
    // Opening it would make it, and void the leases of a host that runs.
    let shown = path.display();
    if !path.exists() {
        return Finding::Good(format!("{shown} is not there yet: the host makes it"));
    }
    match assemble::store(settings) {
        Ok(_) => Finding::Good(format!("{shown} can be opened and written")),
        Err(error) if is_in_use(&error) => Finding::Note(format!("a host runs here: {error:#}")),
        Err(error) => Finding::Bad(format!("{error:#}")),
    }
}

fn server(settings: &PostgresSettings) -> Finding {
    let shown = postgres::shown_url(&settings.url);
    let found = match postgres::maintenance::look(settings) {
        Ok(found) => found,
        Err(error) => return Finding::Bad(error.to_string()),
    };
    let server = format!("{shown}: PostgreSQL {}", found.version);
    let major = found.version.split('.').next().and_then(|major| major.parse::<u32>().ok());
    if major.is_some_and(|major| major < OLDEST_SERVER) {
        return Finding::Bad(format!("{server} is too old: {OLDEST_SERVER} or newer is needed"));
    }
    if found.is_standby {
        return Finding::Bad(format!("{server} is a standby, which takes no writes; set store.url to the primary"));
    }
    let schema = match found.schema {
        None if !found.may_create => {
            return Finding::Bad(format!(
                "{server}; its role may not make tables: make it the owner of the database, or GRANT CREATE, USAGE ON SCHEMA to it"
            ));
        }
        None => "no tables yet: the host makes them".to_owned(),
        Some(schema) if schema < postgres::SCHEMA_VERSION => {
            format!("schema {schema}, which the host brings to {}", postgres::SCHEMA_VERSION)
        }
        Some(schema) => format!("schema {schema}"),
    };
    if !settings.pooled && found.connections_left < CONNECTIONS {
        let left = found.connections_left;
        return Finding::Note(format!(
            "{server}, {schema}; only {left} connections left, and a host needs {CONNECTIONS}"
        ));
    }
    Finding::Good(format!("{server}, {schema}"))
}

/// Which delegates are there, and the tags that follow from it.
fn delegates(settings: &Settings) -> Vec<(&'static str, Finding)> {
    let health = || -> Result<Health> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(async {
            let delegates = assemble::delegates(settings, "doctor", &prometheus::Registry::new())?;
            Ok(delegates.health().await)
        })
    };
    let health = match health() {
        Ok(health) => health,
        Err(error) => return vec![("delegates", Finding::Bad(format!("{error:#}")))],
    };
    let grants = |asks: fn(&Grants) -> bool| settings.handler.values().any(|handler| asks(&handler.grants));
    // What nobody was granted need not be there.
    let absent = |is_granted: bool, reason: String| match is_granted {
        true => Finding::Note(reason),
        false => Finding::Good(format!("not there, and granted to no handler: {reason}")),
    };
    let tags = match settings.worker.caps {
        Caps::Auto => {
            let gpu = health.gpu.as_deref().unwrap_or_default();
            found_tags(health.docker.is_ok(), gpu, !health.llm.is_empty())
        }
        Caps::Listed(_) => settings.worker.caps.tags(),
    };
    let llm = health.llm.iter().map(|(backend, state)| match state {
        Ok(()) => format!("{backend} answers"),
        Err(reason) => format!("{backend}: {reason}"),
    });
    let llm: Vec<String> = llm.collect();
    vec![
        (
            "docker",
            match health.docker {
                Ok(version) => Finding::Good(version),
                Err(reason) => absent(grants(|grants| grants.docker.is_some()), reason),
            },
        ),
        (
            "gpu",
            match health.gpu {
                Ok(tags) => Finding::Good(tags.join(" ")),
                Err(reason) => absent(grants(|grants| grants.gpu.is_some()), reason),
            },
        ),
        (
            "llm",
            if llm.is_empty() {
                absent(grants(|grants| grants.llm.is_some()), "no backend is set in [llm.backends]".to_owned())
            } else if health.llm.iter().all(|(_, state)| state.is_ok()) {
                Finding::Good(llm.join("; "))
            } else {
                Finding::Note(llm.join("; "))
            },
        ),
        ("capabilities", Finding::Good(format!("tags of this worker: {tags}"))),
    ]
}

fn is_in_use(error: &anyhow::Error) -> bool {
    matches!(error.downcast_ref(), Some(StoreError::InUse { .. }))
}

fn disk(settings: &Settings) -> Finding {
    // Where the store is on a server, handlers and workspaces are still here.
    let database = match assemble::store_place(settings) {
        Ok(StorePlace::File(path)) => path,
        Ok(StorePlace::Server { .. }) | Err(_) => PathBuf::new(),
    };
    let folder = database.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    match rustix::fs::statvfs(folder) {
        Ok(space) => {
            let free = space.f_bavail.saturating_mul(space.f_frsize);
            let shown = bulkhead_core::Size::from_bytes(free);
            if free < LITTLE_SPACE {
                Finding::Note(format!("only {shown} free"))
            } else {
                Finding::Good(format!("{shown} free"))
            }
        }
        Err(error) => Finding::Bad(format!("{}: {error}", folder.display())),
    }
}

fn handlers(settings: &Settings) -> Finding {
    let folder = &settings.handlers.dir;
    match std::fs::read_dir(folder) {
        Ok(entries) => {
            let count = entries
                .filter_map(Result::ok)
                .filter(|entry| entry.path().extension().is_some_and(|extension| extension == "wasm"))
                .count();
            let text = format!("{count} handler files in {}", folder.display());
            if count == 0 { Finding::Note(format!("{text}; put one there")) } else { Finding::Good(text) }
        }
        Err(error) => Finding::Bad(format!("{}: {error}; make it with `bulkhead init`", folder.display())),
    }
}

/// Which templates a host would have; what its handlers serve is not asked.
fn workflows(settings: &Settings) -> Finding {
    let folder = settings.workflow.dir.display();
    if !settings.workflow.dir.exists() {
        return Finding::Good(format!("no templates: {folder} is not there"));
    }
    let shelf = ShelfSettings { dir: settings.workflow.dir.clone(), templates: assemble::templates(settings) };
    let snapshot = match Shelf::open(shelf) {
        Ok(shelf) => shelf.snapshot(),
        Err(error) => return Finding::Bad(format!("{:#}", anyhow::Error::new(error))),
    };
    let refused: Vec<&str> =
        snapshot.files().iter().filter(|file| file.error.is_some()).map(|file| file.name.as_str()).collect();
    let text = format!("{} templates in {folder}", snapshot.templates().count());
    if refused.is_empty() {
        return Finding::Good(text);
    }
    Finding::Note(format!("{text}; refused: {}; see `bulkhead workflow check`", refused.join(" ")))
}

fn address(settings: &Settings) -> Finding {
    if let Err(error) = bulkhead_server::check_address(settings.server.listen) {
        return Finding::Bad(error.to_string());
    }
    match TcpListener::bind(settings.server.listen) {
        Ok(_) => Finding::Good(format!("{} is free", settings.server.listen)),
        // The host that runs here, most likely; `store` says whether there is one.
        Err(error) if error.kind() == std::io::ErrorKind::AddrInUse => Finding::Note(format!(
            "{} is in use: by this folder's host if it runs, else set server.listen to another",
            settings.server.listen
        )),
        Err(error) => Finding::Bad(format!("{}: {error}; set server.listen to another", settings.server.listen)),
    }
}
