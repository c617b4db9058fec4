//! The tables of `bulkhead.toml`, with their defaults.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::num::NonZeroU32;
use std::path::PathBuf;

use bulkhead_core::{Ceilings, HandlerName, Kind, KindLimit, Overrides, Size, Span, TagSet};
use bulkhead_docker::{DockerGrant, DockerSettings};
use bulkhead_gpu::{GpuGrant, GpuSettings};
use bulkhead_http::HttpGrant;
use bulkhead_llm::{LlmGrant, LlmSettings};
use bulkhead_sandbox::{WorkspaceBounds, WorkspaceGrant};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::events::{Events, Webhooks};
use super::workflow::Workflow;

/// Everything that can be set.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Settings {
    pub(crate) server: Server,
    pub(crate) store: Store,
    pub(crate) retention: Retention,
    pub(crate) worker: Worker,
    pub(crate) workspace: Workspace,
    pub(crate) log: Log,
    pub(crate) handlers: Handlers,
    pub(crate) workflow: Workflow,
    pub(crate) events: Events,
    pub(crate) webhooks: Webhooks,
    pub(crate) docker: DockerSettings,
    pub(crate) gpu: GpuSettings,
    pub(crate) llm: LlmSettings,
    /// `[limits.KIND]`
    pub(crate) limits: BTreeMap<Kind, KindLimit>,
    /// `[handler.NAME]`
    pub(crate) handler: BTreeMap<HandlerName, Handler>,
}

/// `[server]`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Server {
    /// The address to answer on.
    pub(crate) listen: SocketAddr,
}

impl Default for Server {
    fn default() -> Self {
        Self { listen: (Ipv4Addr::LOCALHOST, 7070).into() }
    }
}

/// `[store]`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Store {
    /// `sqlite:FILE` or `postgres://…`, or `env:NAME` or `file:PATH` of one.
    pub(crate) url: String,
    /// Whether a pooler stands before the server that gives each transaction another connection.
    pub(crate) pooled: bool,
    /// The server itself, past such a pooler, where hosts listen to each other.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) listen_url: Option<String>,
    /// Whose certificates of the server are trusted, in PEM; the system's authorities' where there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) ca: Option<PathBuf>,
    /// The largest payload.
    pub(crate) max_payload: Size,
    /// How long idempotency keys are kept.
    pub(crate) key_ttl: Span,
    /// Whether tasks are accepted that no live handler serves.
    pub(crate) allow_unknown_kinds: bool,
    /// Memory for pages of the database.
    pub(crate) cache: Size,
    /// Tasks that may wait.
    pub(crate) max_pending: u64,
    /// Children, and children's children, of one task.
    pub(crate) max_descendants: u64,
}

impl Default for Store {
    fn default() -> Self {
        Self {
            url: "sqlite:bulkhead.db".to_owned(),
            pooled: false,
            listen_url: None,
            ca: None,
            max_payload: Size::from_mib(1),
            key_ttl: Span::from_secs(7 * 24 * 3600),
            allow_unknown_kinds: true,
            cache: Size::from_mib(64),
            max_pending: 10_000_000,
            max_descendants: 1_000_000,
        }
    }
}

/// `[retention]`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Retention {
    /// How long tasks are kept that ended well or by somebody's wish.
    pub(crate) succeeded: Span,
    /// How long dead letters are kept.
    pub(crate) dead: Span,
    /// How long audit trails are kept from the end of their task; never shorter than the task.
    pub(crate) audit: Span,
    /// How long logs are kept, in the same way.
    pub(crate) logs: Span,
}

impl Default for Retention {
    fn default() -> Self {
        let bulkhead_core::Retention { succeeded, dead, audit, logs } = bulkhead_core::Retention::default();
        Self { succeeded, dead, audit, logs }
    }
}

impl Retention {
    /// The same, as the store knows it.
    pub(crate) const fn kept(&self) -> bulkhead_core::Retention {
        let Self { succeeded, dead, audit, logs } = *self;
        bulkhead_core::Retention { succeeded, dead, audit, logs }
    }
}

/// `[worker]`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Worker {
    /// The worker's name in attempts and lists.
    pub(crate) name: String,
    /// The capability tags of this machine.
    pub(crate) caps: Caps,
    /// The handlers that may be live; empty, all.
    pub(crate) plugins: Vec<HandlerName>,
    /// Sandboxes in flight at once.
    pub(crate) max_concurrent: NonZeroU32,
    /// Sandboxes that execute at once.
    pub(crate) cpu_slots: NonZeroU32,
    /// How long running work may take once the host is told to stop.
    pub(crate) drain_timeout: Span,
}

impl Default for Worker {
    fn default() -> Self {
        Self {
            name: rustix::system::uname().nodename().to_string_lossy().into_owned(),
            caps: Caps::Auto,
            plugins: Vec::new(),
            max_concurrent: NonZeroU32::new(64).unwrap_or(NonZeroU32::MIN),
            cpu_slots: cores(),
            drain_timeout: Span::from_secs(30),
        }
    }
}

fn cores() -> NonZeroU32 {
    std::thread::available_parallelism().ok().and_then(|cores| cores.try_into().ok()).unwrap_or(NonZeroU32::MIN)
}

/// The capability tags: found out, or listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Caps {
    /// `cpu`, and what is found on the machine.
    Auto,
    /// These.
    Listed(TagSet),
}

impl Caps {
    /// The tags that hold before anything was looked for.
    pub(crate) fn tags(&self) -> TagSet {
        match self {
            // The host adds the others once it has found what answers.
            Self::Auto => TagSet::parse(["cpu"]).unwrap_or_default(),
            Self::Listed(tags) => tags.clone(),
        }
    }
}

impl Serialize for Caps {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Auto => serializer.serialize_str("auto"),
            Self::Listed(tags) => tags.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Caps {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged, expecting = "\"auto\" or a list of tags such as [\"cpu\", \"docker\"]")]
        enum Written {
            Word(String),
            Tags(TagSet),
        }
        match Written::deserialize(deserializer)? {
            Written::Word(word) if word == "auto" => Ok(Self::Auto),
            Written::Word(word) => TagSet::parse(word.split([',', ' ']).filter(|tag| !tag.is_empty()))
                .map(Self::Listed)
                .map_err(serde::de::Error::custom),
            Written::Tags(tags) => Ok(Self::Listed(tags)),
        }
    }
}

/// `[workspace]`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Workspace {
    /// The folder that holds one folder for each task of a handler with a workspace grant.
    pub(crate) root: PathBuf,
    /// The bytes that each may hold, holes included.
    pub(crate) max_bytes: Size,
    /// The files, folders and links that each may hold.
    pub(crate) max_files: u64,
    /// How long one is kept that no task has used yet.
    pub(crate) keep_unused: Span,
    /// Whether all hosts of the store see the same `root`; else tasks are bound to the host that has their workspace.
    pub(crate) shared: bool,
}

impl Default for Workspace {
    fn default() -> Self {
        let WorkspaceBounds { bytes, files } = WorkspaceBounds::default();
        let keep_unused = Span::from_secs(24 * 3600);
        Self { root: "workspaces".into(), max_bytes: bytes, max_files: files, keep_unused, shared: false }
    }
}

/// `[log]`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Log {
    /// Which lines are written: a level, or directives such as `info,guest=debug`.
    pub(crate) filter: String,
    /// The form of a line.
    pub(crate) format: LogFormat,
}

impl Default for Log {
    fn default() -> Self {
        Self { filter: "info".to_owned(), format: LogFormat::Text }
    }
}

/// The form of a log line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum LogFormat {
    /// For people.
    Text,
    /// For programs.
    Json,
}

/// `[handlers.compile]`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Compile {
    /// How long it may take, and how much processor time it may use.
    pub(crate) timeout: Span,
    /// How much memory the compiler may address.
    pub(crate) memory: Size,
}

impl Default for Compile {
    fn default() -> Self {
        Self { timeout: Span::from_secs(120), memory: Size::from_mib(4096) }
    }
}

/// `[handlers]`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Handlers {
    /// The folder whose `*.wasm` files are the handlers.
    pub(crate) dir: PathBuf,
    /// The folder of compiled handlers.
    pub(crate) cache: PathBuf,
    /// How much that folder may hold.
    pub(crate) cache_size: Size,
    /// What compiling one handler may use.
    pub(crate) compile: Compile,
    /// What holds where nobody else says anything.
    pub(crate) defaults: Overrides,
    /// What nobody may exceed.
    pub(crate) ceilings: Ceilings,
}

impl Default for Handlers {
    fn default() -> Self {
        Self {
            dir: "handlers".into(),
            cache: ".bulkhead-cache".into(),
            cache_size: Size::from_mib(1024),
            compile: Compile::default(),
            defaults: Overrides::default(),
            ceilings: Ceilings::default(),
        }
    }
}

/// `[handler.NAME]`: the keys of [`Overrides`], and these.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub(crate) struct Handler {
    /// Replaces the tags that the handler exports.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) provides: Option<TagSet>,
    /// What the handler finds as its settings.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) settings: Option<toml::Table>,
    /// What it may ask of the host.
    #[serde(skip_serializing_if = "Grants::is_empty")]
    pub(crate) grants: Grants,
    #[serde(flatten)]
    pub(crate) options: Overrides,
}

/// `[handler.NAME.grants]`
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Grants {
    /// What it may do in the workspace of its task.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) workspace: Option<WorkspaceGrant>,
    /// The containers that it may run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) docker: Option<DockerGrant>,
    /// The devices that it may use, and the programs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) gpu: Option<GpuGrant>,
    /// The language models that it may ask.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) llm: Option<LlmGrant>,
    /// Whom it may ask by HTTP.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) http: Option<HttpGrant>,
}

impl Grants {
    fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

impl<'de> Deserialize<'de> for Handler {
    /// By hand, since a flattened table cannot refuse unknown keys.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        use serde::de::Error;
        let mut table = toml::Table::deserialize(deserializer)?;
        fn take<'de, T: Deserialize<'de>>(table: &mut toml::Table, key: &str) -> Result<Option<T>, toml::de::Error> {
            table.remove(key).map(T::deserialize).transpose()
        }
        Ok(Self {
            provides: take(&mut table, "provides").map_err(D::Error::custom)?,
            settings: take(&mut table, "settings").map_err(D::Error::custom)?,
            grants: take(&mut table, "grants").map_err(D::Error::custom)?.unwrap_or_default(),
            options: Overrides::deserialize(toml::Value::Table(table)).map_err(D::Error::custom)?,
        })
    }
}
