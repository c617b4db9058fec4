//! What a container may do: the one place that decides it.

use std::collections::HashMap;

use bollard::models::{
    ContainerCreateBody, DeviceRequest, HealthConfig, HostConfig, HostConfigCgroupnsModeEnum, HostConfigLogConfig,
    Mount, MountBindOptions, MountBindOptionsPropagationEnum, MountType, ResourcesUlimits, RestartPolicy,
    RestartPolicyNameEnum,
};

use bulkhead_core::Traceparent;

use crate::admit::Plan;
use crate::labels::Labels;
use crate::mounts::Folder;

/// The kernel's usual period over which cores are counted, in microseconds.
const CPU_PERIOD: i64 = 100_000;

/// Files that a process may have open: the kernel's own hard limit, which an engine without privileges can set too.
const OPEN_FILES: i64 = 4096;

/// The folders of a container.
#[derive(Debug)]
pub(crate) struct Folders<'a> {
    pub(crate) mounts: &'a [Folder],
    /// Those that the image wants to write to.
    pub(crate) volumes: &'a [String],
    /// Whether the engine lets folders in memory have an owner.
    pub(crate) have_owner: bool,
}

/// What the engine is told to make.
pub(crate) fn body(plan: &Plan, folders: &Folders<'_>, labels: &Labels) -> ContainerCreateBody {
    let (program, arguments) = match plan.command.split_first() {
        Some((program, arguments)) => (Some(vec![program.clone()]), Some(arguments.to_vec())),
        None => (None, None),
    };
    let has_stdin = !plan.stdin.is_empty();
    ContainerCreateBody {
        image: Some(plan.image.to_string()),
        // The program in the place of the image's entry point, so that a command means the same with every image.
        entrypoint: program,
        cmd: arguments,
        env: Some(env(plan, labels.traceparent)),
        working_dir: plan.working_dir.clone(),
        user: Some(plan.user.clone()),
        labels: Some(labels.to_map()),
        attach_stdin: Some(has_stdin),
        open_stdin: Some(has_stdin),
        // Standard input ends where ours does.
        stdin_once: Some(has_stdin),
        attach_stdout: Some(true),
        attach_stderr: Some(true),
        tty: Some(false),
        // An image's own check would run programs beside the one that is asked for.
        healthcheck: Some(HealthConfig { test: Some(vec!["NONE".to_owned()]), ..HealthConfig::default() }),
        host_config: Some(host_config(plan, folders)),
        ..ContainerCreateBody::default()
    }
}

fn host_config(plan: &Plan, folders: &Folders<'_>) -> HostConfig {
    HostConfig {
        privileged: Some(false),
        security_opt: Some(vec!["no-new-privileges".to_owned()]),
        cap_drop: Some(vec!["ALL".to_owned()]),
        readonly_rootfs: Some(true),
        network_mode: Some(if plan.network { "default" } else { "none" }.to_owned()),
        ipc_mode: Some("private".to_owned()),
        cgroupns_mode: Some(HostConfigCgroupnsModeEnum::PRIVATE),
        memory: Some(number(plan.memory)),
        // Memory and swap together: no swap.
        memory_swap: Some(number(plan.memory)),
        oom_kill_disable: Some(false),
        cpu_period: Some(CPU_PERIOD),
        // A quota and not `nano_cpus`, which engines refuse where it is more than the machine has.
        cpu_quota: Some(quota(plan.cpus)),
        // One more for the init process, which is not the guest's.
        pids_limit: Some(i64::from(plan.processes) + 1),
        ulimits: Some(vec![ulimit("nofile", OPEN_FILES), ulimit("core", 0)]),
        tmpfs: Some(tmpfs(plan, folders)),
        shm_size: Some(number(plan.tmpfs.max(1))),
        mounts: Some(folders.mounts.iter().map(mount).collect()),
        device_requests: devices(&plan.devices),
        // Reaps what the program leaves, and passes its end on.
        init: Some(true),
        // Output is read as it comes; nothing is written to the engine's disk.
        log_config: Some(HostConfigLogConfig { typ: Some("none".to_owned()), config: None }),
        restart_policy: Some(RestartPolicy { name: Some(RestartPolicyNameEnum::NO), maximum_retry_count: None }),
        // Removed by us, when it has been asked how it ended.
        auto_remove: Some(false),
        ..HostConfig::default()
    }
}

/// The environment; where the engine's default runtime is that of GPUs, it reads there which of them to show.
fn env(plan: &Plan, traceparent: Option<Traceparent>) -> Vec<String> {
    let mut env = plan.env.clone();
    if let Some(place) = traceparent.filter(|_| !env.iter().any(|pair| pair.starts_with("TRACEPARENT="))) {
        env.push(format!("TRACEPARENT={place}"));
    }
    let devices = if plan.devices.is_empty() { "void".to_owned() } else { device_ids(&plan.devices).join(",") };
    env.push(format!("NVIDIA_VISIBLE_DEVICES={devices}"));
    env
}

fn devices(devices: &[u32]) -> Option<Vec<DeviceRequest>> {
    if devices.is_empty() {
        return None;
    }
    Some(vec![DeviceRequest {
        driver: Some("nvidia".to_owned()),
        device_ids: Some(device_ids(devices)),
        capabilities: Some(vec![vec!["gpu".to_owned(), "compute".to_owned(), "utility".to_owned()]]),
        ..DeviceRequest::default()
    }])
}

fn device_ids(devices: &[u32]) -> Vec<String> {
    devices.iter().map(u32::to_string).collect()
}

/// Folders in memory: `/tmp`, and in the place of each volume of the image, which the engine would else make on its disk.
///
/// Programs may be run from them (`exec`): compilers and test runners do, and whoever can run a shell gains nothing by it.
fn tmpfs(plan: &Plan, folders: &Folders<'_>) -> HashMap<String, String> {
    let is_mounted = |path: &str| folders.mounts.iter().any(|folder| trimmed(&folder.target) == path);
    let owner = if folders.have_owner { owner(&plan.user) } else { String::new() };
    let options = format!("rw,exec,nosuid,nodev,mode=1777,size={}{}", plan.tmpfs.max(1), owner);
    folders
        .volumes
        .iter()
        .map(|volume| trimmed(volume))
        .chain(["/tmp"])
        .filter(|path| !path.is_empty() && !is_mounted(path))
        .map(|path| (path.to_owned(), options.clone()))
        .collect()
}

/// The user as the owner of what it is to write to: some engines give such a folder the mode that it has in the image,
/// where it may be nobody's but root's. A name means nothing outside of the image.
fn owner(user: &str) -> String {
    let (user, group) = user.split_once(':').unwrap_or((user, ""));
    let option =
        |name: &str, value: &str| value.parse::<u32>().map(|number| format!(",{name}={number}")).unwrap_or_default();
    option("uid", user) + &option("gid", group)
}

fn trimmed(path: &str) -> &str {
    path.trim_end_matches('/')
}

fn mount(folder: &Folder) -> Mount {
    Mount {
        typ: Some(MountType::BIND),
        source: Some(folder.source.to_string_lossy().into_owned()),
        target: Some(folder.target.clone()),
        read_only: Some(folder.read_only),
        bind_options: Some(MountBindOptions {
            propagation: Some(MountBindOptionsPropagationEnum::RPRIVATE),
            ..MountBindOptions::default()
        }),
        ..Mount::default()
    }
}

fn ulimit(name: &str, limit: i64) -> ResourcesUlimits {
    ResourcesUlimits { name: Some(name.to_owned()), soft: Some(limit), hard: Some(limit) }
}

fn number(bytes: u64) -> i64 {
    i64::try_from(bytes).unwrap_or(i64::MAX)
}

/// Microseconds of each period; cores are 0.01 to 4096 when they come here.
fn quota(cpus: f64) -> i64 {
    const PER_CPU: f64 = CPU_PERIOD as f64;
    (cpus * PER_CPU) as i64
}

#[cfg(test)]
mod tests {
    use bulkhead_core::{Container, HandlerName, TaskId};

    use super::*;
    use crate::{DockerGrant, ImagePattern};

    const PLACE: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

    fn made(grant: DockerGrant, request: Container, devices: &[u32]) -> ContainerCreateBody {
        let grant = DockerGrant { images: vec![ImagePattern::parse("a:*").expect("a pattern")], ..grant };
        let handler = HandlerName::parse("h").expect("a name");
        let request = Container { image: "a:1".to_owned(), ..request };
        let plan = crate::admit::admit(&handler, &grant, request, devices).expect("admitted");
        let task = TaskId::parse("t").expect("an id");
        let (store, host, traceparent) = ("s".to_owned(), "machine 1".to_owned(), Traceparent::parse(PLACE).ok());
        let labels = Labels { store, host, task, lease: None, traceparent };
        let volumes = ["/data/".to_owned(), "/tmp".to_owned()];
        body(&plan, &Folders { mounts: &[], volumes: &volumes, have_owner: true }, &labels)
    }

    #[test]
    fn nothing_that_a_request_says_gives_privileges() {
        let request = Container { command: vec!["--privileged".to_owned()], ..Container::default() };
        let host = made(DockerGrant::default(), request, &[]).host_config.expect("a host config");
        assert_eq!((host.privileged, host.readonly_rootfs, host.init), (Some(false), Some(true), Some(true)));
        assert_eq!(host.cap_drop, Some(vec!["ALL".to_owned()]));
        assert_eq!((host.cap_add, host.devices, host.binds), (None, None, None));
        assert_eq!(host.network_mode.as_deref(), Some("none"));
        assert_eq!((host.memory, host.memory_swap), (Some(512 << 20), Some(512 << 20)));
        assert_eq!((host.cpu_quota, host.pids_limit), (Some(100_000), Some(129)));
        assert_eq!(host.device_requests, None);
    }

    #[test]
    fn volumes_of_the_image_are_kept_in_memory() {
        let host = made(DockerGrant::default(), Container::default(), &[]).host_config.expect("a host config");
        let tmpfs = host.tmpfs.expect("folders in memory");
        let mut paths: Vec<&str> = tmpfs.keys().map(String::as_str).collect();
        paths.sort_unstable();
        assert_eq!(paths, ["/data", "/tmp"]);
        assert!(tmpfs["/data"].ends_with("size=67108864,uid=65534,gid=65534"), "{tmpfs:?}");
    }

    #[test]
    fn a_program_finds_its_place_in_the_trace_unless_the_guest_names_another() {
        let trace = |env: Vec<(String, String)>| {
            let made = made(DockerGrant::default(), Container { env, ..Container::default() }, &[]);
            assert_eq!(made.labels.expect("labels")["bulkhead.traceparent"], PLACE);
            let env = made.env.expect("an environment").into_iter();
            env.filter(|pair| pair.starts_with("TRACEPARENT=")).collect::<Vec<_>>()
        };
        assert_eq!(trace(Vec::new()), [format!("TRACEPARENT={PLACE}")]);
        assert_eq!(trace(vec![("TRACEPARENT".to_owned(), "mine".to_owned())]), ["TRACEPARENT=mine"]);
    }

    fn devices_of(made: &ContainerCreateBody) -> &str {
        let mut env = made.env.iter().flatten();
        env.find(|pair| pair.starts_with("NVIDIA")).expect("devices are named")
    }

    #[test]
    fn only_leased_devices_are_shown() {
        let none = made(DockerGrant::default(), Container::default(), &[]);
        assert_eq!(devices_of(&none), "NVIDIA_VISIBLE_DEVICES=void");
        let grant = DockerGrant { gpus: 2, ..DockerGrant::default() };
        let two = made(grant, Container { gpus: 2, ..Container::default() }, &[1, 4]);
        assert_eq!(devices_of(&two), "NVIDIA_VISIBLE_DEVICES=1,4");
        let requests = two.host_config.and_then(|host| host.device_requests).expect("a request");
        assert_eq!(requests[0].device_ids, Some(vec!["1".to_owned(), "4".to_owned()]));
    }
}
