//! An engine, an image with nothing but busybox, and a delegate with a store of its own.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use bollard::query_parameters::{CreateImageOptionsBuilder, InspectContainerOptions};
use bulkhead_core::{
    Caller, CallerWorkspace, Container, DelegateError, Exit, HandlerName, InUse, LeaseId, Overrun, TaskId,
};
use bulkhead_docker::{Docker, DockerGrant, DockerSettings, ImagePattern};
use futures::StreamExt;
use tokio::sync::OnceCell;

pub(crate) const IMAGE: &str = "bulkhead-test-busybox:1";

/// Declares a volume, an entry point and a check of its own.
pub(crate) const IMAGE_WITH_VOLUME: &str = "bulkhead-test-busybox:volume";

/// A delegate and those for whom it works.
pub(crate) struct World {
    pub(crate) docker: Arc<Docker>,
    pub(crate) caller: Caller,
    pub(crate) grant: DockerGrant,
}

impl World {
    /// None where no engine is reached.
    pub(crate) async fn new() -> Option<Self> {
        Self::with(DockerSettings { socket: socket(), ..DockerSettings::default() }).await
    }

    pub(crate) async fn with(settings: DockerSettings) -> Option<Self> {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let store = format!("test-{}-{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
        let docker = Docker::new(settings, store).expect("a delegate");
        if let Err(why) = docker.probe().await {
            assert!(std::env::var("CI").as_deref() != Ok("true"), "no docker engine: {why}");
            note("skipped: no docker engine");
            return None;
        }
        make_images().await;
        let grant = DockerGrant {
            images: vec![ImagePattern::parse("bulkhead-test-busybox:*").expect("a pattern")],
            ..DockerGrant::default()
        };
        Some(Self { docker: Arc::new(docker), caller: caller("task"), grant })
    }

    /// Runs a line of shell.
    pub(crate) async fn shell(&self, line: &str) -> Result<Exit, DelegateError> {
        self.run(shell(line)).await
    }

    pub(crate) async fn run(&self, request: Container) -> Result<Exit, DelegateError> {
        self.docker.run(&self.caller, &self.grant, request, &[], ()).await
    }

    /// How many containers the store has.
    pub(crate) async fn count(&self) -> usize {
        self.docker.leftovers().await.expect("a list").len()
    }

    /// Waits until the only container of the store runs: one that is just being made or started may do either.
    pub(crate) async fn until_it_runs(&self) {
        let runs = async || {
            let id = self.docker.leftovers().await.expect("a list").pop()?.id;
            // The engine lists a container a moment before it can be asked about it.
            engine().inspect_container(&id, None::<InspectContainerOptions>).await.ok()?.state?.running
        };
        while runs().await != Some(true) {
            tokio::task::yield_now().await;
        }
    }

    /// Gives the caller a workspace.
    pub(crate) fn with_workspace(mut self, folder: &Path, writable: bool) -> Self {
        self.caller.workspace = Some(CallerWorkspace {
            folder: folder.to_owned(),
            writable,
            in_use: InUse::default(),
            overrun: Overrun::default(),
        });
        self
    }

    pub(crate) fn with_lease(mut self, lease: i64) -> Self {
        self.caller.lease = Some(LeaseId(lease));
        self
    }

    pub(crate) fn within(mut self, time: Duration) -> Self {
        self.caller.deadline = Instant::now() + time;
        self
    }
}

pub(crate) fn caller(task: &str) -> Caller {
    Caller {
        handler: HandlerName::parse("render").expect("a name"),
        task: TaskId::parse(task).expect("an id"),
        lease: Some(LeaseId(1)),
        workspace: None,
        traceparent: None,
        deadline: Instant::now() + Duration::from_secs(120),
    }
}

pub(crate) fn shell(line: &str) -> Container {
    Container {
        image: IMAGE.to_owned(),
        command: ["/bin/sh", "-c", line].map(str::to_owned).to_vec(),
        ..Container::default()
    }
}

/// What it printed, without spaces around it.
pub(crate) fn printed(exit: &Exit) -> String {
    String::from_utf8_lossy(&exit.stdout).trim().to_owned()
}

#[expect(clippy::print_stderr, reason = "whoever runs the tests is to see it")]
pub(crate) fn note(text: &str) {
    eprintln!("{text}");
}

/// Where the engine is: `BULKHEAD_TEST_DOCKER_SOCKET`, or where Docker's usually is.
pub(crate) fn socket() -> PathBuf {
    std::env::var_os("BULKHEAD_TEST_DOCKER_SOCKET").map_or_else(|| DockerSettings::default().socket, PathBuf::from)
}

/// The engine, asked without the delegate.
pub(crate) fn engine() -> bollard::Docker {
    // Spoken by every engine that these tests are run with.
    let version = bollard::ClientVersion { major_version: 1, minor_version: 41 };
    bollard::Docker::connect_with_unix(&socket().to_string_lossy(), 60, &version).expect("a client")
}

async fn make_images() {
    static MADE: OnceCell<()> = OnceCell::const_new();
    MADE.get_or_init(async || {
        make_image(IMAGE, Vec::new()).await;
        let changes = ["VOLUME /data", "ENTRYPOINT [\"/bin/echo\",\"from-the-image\"]", "HEALTHCHECK CMD /bin/false"];
        make_image(IMAGE_WITH_VOLUME, changes.map(str::to_owned).to_vec()).await;
    })
    .await;
}

async fn make_image(name: &str, changes: Vec<String>) {
    let options = CreateImageOptionsBuilder::default()
        .from_src("-")
        // With its tag, for Podman passes over a tag that is given beside it.
        .repo(name)
        .changes(changes)
        .build();
    let mut steps = engine().create_image(Some(options), Some(bollard::body_full(archive().into())), None);
    while let Some(step) = steps.next().await {
        step.expect("the image is made");
    }
}

/// A tar archive of `/bin/busybox` and links to it.
fn archive() -> Vec<u8> {
    let busybox = ["/bin/busybox", "/usr/bin/busybox"].map(PathBuf::from).into_iter().find(|path| path.is_file());
    let busybox = std::fs::read(busybox.expect("busybox: install busybox-static")).expect("busybox is read");
    let mut archive = Vec::new();
    entry(&mut archive, "bin/busybox", b'0', "", &busybox);
    for name in [
        "sh", "echo", "cat", "head", "yes", "sleep", "id", "env", "ls", "dd", "wc", "grep", "ip", "touch", "pwd",
        "kill", "mkdir", "true", "false", "awk", "tr",
    ] {
        entry(&mut archive, &format!("bin/{name}"), b'2', "busybox", &[]);
    }
    entry(&mut archive, "tmp/", b'5', "", &[]);
    archive.resize(archive.len() + 1024, 0);
    archive
}

fn entry(archive: &mut Vec<u8>, name: &str, kind: u8, link: &str, content: &[u8]) {
    let mut header = [0u8; 512];
    let mut put = |at: usize, text: &str| header[at..at + text.len()].copy_from_slice(text.as_bytes());
    put(0, name);
    put(100, "0000755");
    put(108, "0000000");
    put(116, "0000000");
    put(124, &format!("{:011o}", content.len()));
    put(136, "00000000000");
    put(148, "        ");
    put(157, link);
    put(257, "ustar\x0000");
    header[156] = kind;
    let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
    header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    archive.extend_from_slice(&header);
    archive.extend_from_slice(content);
    archive.resize(archive.len().next_multiple_of(512), 0);
}
