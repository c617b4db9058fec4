//! What a program is given, and what comes back.

use std::os::unix::fs::PermissionsExt;

use bulkhead_core::{Caller, CallerWorkspace, DelegateError, InUse, Job, Overrun, Size, Traceparent};
use bulkhead_gpu::{DevicesError, FoundDevice, ProgramSettings};

use crate::world::{caller, grant, job, mark, sh, text, world};

#[tokio::test]
async fn the_environment_is_what_is_promised_and_nothing_else() {
    let world = world(3, |settings| {
        let program = settings.programs.get_mut("env").unwrap();
        program.env.insert("MODEL".into(), "small".into());
        program.job_env = vec!["GREETING".into()];
    });
    let held = world.gpu.lease(&caller(), 1, None).await.unwrap();
    let env = vec![("GREETING".to_owned(), "a b\n'$HOME'".to_owned())];
    let exit = world.gpu.run(&caller(), &grant(), Job { env, gpus: 2, ..job("env", &["-0"]) }).await.unwrap();
    let mut lines: Vec<&str> = text(&exit.stdout).trim_end_matches('\0').split('\0').collect();
    lines.sort_unstable();
    let expected = [
        "CUDA_DEVICE_ORDER=PCI_BUS_ID",
        "CUDA_VISIBLE_DEVICES=GPU-00000001-0000-0000-0000-000000000000,GPU-00000002-0000-0000-0000-000000000000",
        "GREETING=a b\n'$HOME'",
        "HOME=/nonexistent",
        "MODEL=small",
        "PATH=/usr/local/bin:/usr/bin:/bin",
    ];
    assert_eq!(lines, expected);
    assert_eq!((exit.code, held.indices()), (0, vec![0]));
}

#[tokio::test]
async fn a_program_finds_its_place_in_the_trace_unless_the_job_or_the_operator_names_another() {
    const PLACE: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    let caller = Caller { traceparent: Traceparent::parse(PLACE).ok(), ..caller() };
    let own = |place: &str| vec![("TRACEPARENT".to_owned(), place.to_owned())];
    let script = "printf %s \"$TRACEPARENT\"";
    for (env, found) in [(Vec::new(), PLACE), (own("mine"), "mine")] {
        let world = world(1, |_| {});
        let exit = world.gpu.run(&caller, &grant(), Job { env, ..sh(script) }).await.unwrap();
        assert_eq!(text(&exit.stdout), found);
    }
    let world = world(1, |settings| {
        settings.programs.get_mut("sh").unwrap().env.extend(own("the operator's"));
    });
    assert_eq!(text(&world.gpu.run(&caller, &grant(), sh(script)).await.unwrap().stdout), "the operator's");
}

#[tokio::test]
async fn arguments_arrive_as_they_were_given_after_those_of_the_operator() {
    let world = world(1, |settings| {
        let arguments = vec!["-c".into(), "printf '%s|' \"$@\"".into(), "name".into(), "first".into()];
        settings.programs.get_mut("sh").unwrap().arguments = arguments;
    });
    let odd = ["", "a b", "$(touch x)", "; exit 9", "--", "*", "\u{fc}\n\"'\\"];
    let exit = world.gpu.run(&caller(), &grant(), job("sh", &odd)).await.unwrap();
    assert_eq!(text(&exit.stdout), format!("first|{}|", odd.join("|")));
}

#[tokio::test]
async fn exit_codes_and_signals_come_back() {
    let world = world(1, |_| {});
    assert_eq!(world.sh("exit 7").await.code, 7);
    let killed = world.sh("kill -9 $$").await;
    assert_eq!((killed.code, killed.out_of_memory), (137, false));
    assert_eq!(world.sh("kill -TERM $$").await.code, 143, "what the launcher blocks, the program does not");
    let both = world.sh("echo out; echo err >&2").await;
    assert_eq!((text(&both.stdout), text(&both.stderr), both.truncated), ("out\n", "err\n", false));
}

#[tokio::test]
async fn output_beyond_the_limit_is_dropped_and_holds_up_nobody() {
    let world = world(1, |settings| settings.output = Size::from_bytes(1000));
    let exit = world.sh("head -c 3000000 /dev/zero; head -c 2000000 /dev/zero >&2; exit 3").await;
    assert_eq!((exit.code, exit.stdout.len(), exit.stderr.len(), exit.truncated), (3, 1000, 1000, true));
    let exact = world.sh("head -c 1000 /dev/zero").await;
    assert_eq!((exact.stdout.len(), exact.truncated), (1000, false));
}

#[tokio::test]
async fn the_largest_input_goes_in_and_out_at_once() {
    let world = world(1, |settings| settings.output = Size::from_mib(16));
    let stdin: Vec<u8> = (0..16_u32 << 20).map(|place| (place % 251) as u8).collect();
    let exit = world.gpu.run(&caller(), &grant(), Job { stdin: stdin.clone(), ..job("cat", &[]) }).await.unwrap();
    assert!(exit.stdout == stdin && !exit.truncated && exit.code == 0);
}

#[tokio::test]
async fn a_program_need_not_read_its_input() {
    let world = world(1, |_| {});
    let job = Job { stdin: vec![7; 16 << 20], ..sh("exec <&-; echo done") };
    assert_eq!(text(&world.gpu.run(&caller(), &grant(), job).await.unwrap().stdout), "done\n");
    assert_eq!(text(&world.sh("wc -c").await.stdout).trim(), "0", "no input is an end at once");
}

#[tokio::test]
async fn without_a_workspace_the_folder_is_empty_and_removed_afterwards() {
    let scratch = tempfile::tempdir().unwrap();
    let world = world(1, |settings| settings.scratch = Some(scratch.path().to_owned()));
    let exit = world.sh("ls -A; mkdir -p a/b; echo x > a/b/c; pwd").await;
    let folder = text(&exit.stdout).trim();
    assert!(folder.starts_with(scratch.path().to_str().unwrap()), "{folder}");
    assert_eq!(std::fs::read_dir(scratch.path()).unwrap().count(), 0);
}

#[tokio::test]
async fn a_workspace_is_the_folder_only_where_it_may_be_written_to() {
    let world = world(1, |_| {});
    let folder = tempfile::tempdir().unwrap();
    for writable in [true, false] {
        let mut caller = caller();
        let workspace = CallerWorkspace {
            folder: folder.path().to_owned(),
            writable,
            in_use: InUse::default(),
            overrun: Overrun::default(),
        };
        caller.workspace = Some(workspace);
        let exit = world.gpu.run(&caller, &grant(), sh("echo x > made; pwd")).await.unwrap();
        assert_eq!(text(&exit.stdout).trim() == folder.path().to_str().unwrap(), writable);
    }
    assert_eq!(std::fs::read_to_string(folder.path().join("made")).unwrap(), "x\n");
}

#[tokio::test]
async fn limits_hold_for_the_program_and_what_it_starts() {
    let world = world(1, |settings| {
        settings.files = 64;
        settings.file_size = Some(Size::from_kib(8));
        settings.memory = Some(Size::from_mib(512));
    });
    let exit = world.sh("sh -c 'ulimit -c; ulimit -n; ulimit -v'; grep NoNewPrivs /proc/self/status").await;
    assert_eq!(text(&exit.stdout), "0\n64\n524288\nNoNewPrivs:\t1\n");
    let large = world.sh("head -c 9000 /dev/zero > large; echo $?; wc -c < large").await;
    assert_eq!(text(&large.stdout).lines().last().map(str::trim), Some("8192"));
    let stdin = Job { stdin: vec![1; 16 << 20], ..sh("wc -c") };
    let exit = world.gpu.run(&caller(), &grant(), stdin).await.unwrap();
    assert_eq!(text(&exit.stdout).trim(), "16777216", "the launcher lives with the least that may be set");
    let greedy = world.sh("x=$(head -c 600000000 /dev/zero | tr '\\0' x)").await;
    assert_ne!(greedy.code, 0);
}

#[tokio::test]
async fn a_program_has_its_streams_and_no_other_files() {
    let world = world(1, |_| {});
    // As some starters of hosts do: a file that is not closed when another program begins.
    let left_open = std::fs::File::open("/dev/null").unwrap();
    rustix::io::fcntl_setfd(&left_open, rustix::io::FdFlags::empty()).unwrap();
    let exit = world.sh("ls /proc/$$/fd; cut -d' ' -f6 /proc/$$/stat").await;
    let lines: Vec<&str> = text(&exit.stdout).lines().collect();
    assert!(lines.starts_with(&["0", "1", "2"]) && lines.len() == 4, "{lines:?}");
    // Read, and not asked with `getsid`: in a container whose session began outside it, it is 0.
    let own = std::fs::read_to_string("/proc/self/stat").unwrap();
    assert_ne!(lines[3], own.split(' ').nth(5).unwrap(), "a session of its own");
}

#[tokio::test]
async fn use_of_time_cores_and_memory_is_measured_with_what_the_program_started() {
    let world = world(1, |_| {});
    let idle = world.sh("sleep 0.2").await.usage;
    assert!((200..30_000).contains(&idle.wall_ms) && idle.cpu_ms < 150, "{idle:?}");
    // 64 MiB in one process, and work in a grandchild that nobody waited for.
    let busy = world
        .sh("x=$(head -c 67108864 /dev/zero | tr '\\0' x); (head -c 300000000 /dev/zero | sha256sum) & wait")
        .await;
    assert!(busy.usage.cpu_ms > 50 && busy.usage.cpu_ms > idle.cpu_ms, "{:?}", busy.usage);
    assert!(busy.usage.peak_memory_bytes > 64 << 20, "{:?}", busy.usage);
    assert!(idle.peak_memory_bytes < 64 << 20, "{idle:?}");
}

#[tokio::test]
async fn a_program_that_holds_too_much_memory_is_ended_and_it_is_said() {
    let world = world(1, |settings| settings.resident = Some(Size::from_mib(64)));
    let exit = world.sh("x=$(head -c 200000000 /dev/zero | tr '\\0' x); sleep 100").await;
    assert_eq!((exit.code, exit.out_of_memory), (137, true));
}

#[tokio::test]
async fn a_program_that_cannot_be_started_is_said_to_be_so_and_holds_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let plain = folder.path().join("plain");
    std::fs::write(&plain, "not a program").unwrap();
    for (path, executable) in [(folder.path().join("missing"), false), (plain.clone(), false), (plain, true)] {
        if executable {
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        }
        let shown = path.to_string_lossy().into_owned();
        let world = world(1, |settings| {
            settings.programs.insert("given".into(), ProgramSettings { path, ..ProgramSettings::default() });
        });
        match world.gpu.run(&caller(), &grant(), job("given", &[])).await {
            Err(DelegateError::Failed(text)) => {
                assert!(text.contains("`gpu.programs.given.path`"), "{text}");
                assert!(!text.contains(&shown), "{text}");
            }
            other => panic!("{other:?}"),
        }
        world.gpu.lease(&caller(), 1, None).await.unwrap();
    }
}

#[tokio::test]
async fn what_is_not_granted_or_dangerous_starts_nothing() {
    let world = world(1, |_| {});
    let (folder, mark) = (tempfile::tempdir().unwrap(), mark());
    let made = folder.path().join(&mark);
    let script = format!("touch {}", made.display());
    let mut narrow = grant();
    narrow.programs = vec!["cat".into()];
    let expected = "`handler.render.grants.gpu.programs` does not list `sh`; add it";
    assert_eq!(world.gpu.run(&caller(), &narrow, sh(&script)).await, Err(DelegateError::Denied(expected.into())));
    for name in ["LD_PRELOAD", "LD_LIBRARY_PATH", "CUDA_VISIBLE_DEVICES", "PATH", "HOME", "_JAVA_OPTIONS", "ANYTHING"] {
        let job = Job { env: vec![(name.into(), "x".into())], ..sh(&script) };
        match world.gpu.run(&caller(), &grant(), job).await {
            Err(DelegateError::Denied(text)) => {
                assert!(text.contains(&format!("`{name}`")), "{text}");
            }
            other => panic!("{name}: {other:?}"),
        }
    }
    assert!(!made.exists());
}

#[tokio::test]
async fn no_code_is_loaded_from_a_home_in_the_workspace() {
    let (folder, world) = (tempfile::tempdir().unwrap(), world(1, |_| {}));
    let mut caller = caller();
    let workspace = CallerWorkspace {
        folder: folder.path().to_owned(),
        writable: true,
        in_use: InUse::default(),
        overrun: Overrun::default(),
    };
    caller.workspace = Some(workspace);
    // What interpreters read from a home, for all of them.
    std::fs::write(folder.path().join(".profile"), "echo of the job's own").unwrap();
    let grant = grant();
    let run = |job: Job| world.gpu.run(&caller, &grant, job);
    let reads = || job("sh", &["-l", "-c", "echo $HOME; cd ~ && echo reached; :"]);
    let job = Job { env: vec![("HOME".into(), ".".into())], ..reads() };
    assert!(matches!(run(job).await, Err(DelegateError::Denied(_))));
    assert_eq!(text(&run(reads()).await.unwrap().stdout), "/nonexistent\n");
}

#[tokio::test]
async fn the_operator_may_give_a_program_a_home() {
    let world = world(1, |settings| {
        settings.programs.get_mut("sh").unwrap().env.insert("HOME".into(), "/srv/models".into());
    });
    assert_eq!(text(&world.sh("printf %s $HOME").await.stdout), "/srv/models");
}

#[tokio::test]
async fn the_health_of_the_host_is_told() {
    let world = world(2, |settings| settings.devices = Some(vec![1]));
    assert_eq!(world.gpu.probe().await, Ok(()));
    assert_eq!(world.gpu.capabilities().await, ["gpu"]);
    let listed = world.gpu.devices(&caller()).await.unwrap();
    assert_eq!(listed.iter().map(|device| device.index).collect::<Vec<_>>(), [1], "only those that may be leased");
    world.devices.set(Ok(vec![FoundDevice::given(0, 1)]));
    assert!(world.gpu.probe().await.unwrap_err().contains("`gpu.devices`"));
    world.devices.set(Err(DevicesError::Absent("`libnvidia-ml.so` cannot be loaded".into())));
    assert_eq!(world.gpu.probe().await.unwrap_err(), "this host has no GPUs: `libnvidia-ml.so` cannot be loaded");
    assert_eq!(world.gpu.devices(&caller()).await, Ok(Vec::new()), "which is nothing wrong");
    assert!(world.gpu.capabilities().await.is_empty());
}
