//! Asks for containers that do what they must not, or that nobody may have; its payload names which. It answers what it
//! could do all the same, or how its container ended.

use std::fs;

use bulkhead_guests::*;

use bulkhead_guests::bindings::bulkhead::handler::delegate::{Error, Mount};
use docker::Container;

/// What the tests make.
const IMAGE: &str = "bulkhead-test-busybox:system";

guest!("ABUSES-CONTAINERS", |task| {
    let words = task.payload.trim_matches('"');
    complete(match words {
        "bomb" => ended("b() { b | b & }; b & while :; do :; done"),
        "forks" => ended("n=0; while [ $n -lt 200 ]; do sleep 600 & n=$((n+1)); done; echo all of them"),
        "prints for ever" => ended("cat /dev/zero"),
        "fills" => ended(
            "for file in /tmp/x /dev/shm/x /x; do busybox dd if=/dev/zero of=$file bs=1M; busybox wc -c < $file; done",
        ),
        "eats" => ended("x=a; while :; do x=$x$x; done"),
        "stays" => ended("trap '' TERM INT HUP QUIT; while :; do sleep 1; done"),
        "forks away" => ended("busybox setsid sleep 600 & (sleep 600 &); exit 0"),
        "privileges" => ended(PRIVILEGES),
        "more" => list(more()),
        "links" => list(links()),
        "fifo" => list(fifo()),
        "files" => {
            overfills("i=0; while :; do : > $i; i=$((i+1)); done", "max_files");
            // It may be more than a guest is listed; the folder is its own all the same.
            let listed = fs::read_dir("/workspace").map(Iterator::count);
            format!("\"ended at more files than it may have: {}\"", listed.map_or(true, |files| files > 10_000))
        }
        "hole" => {
            overfills("busybox truncate -s 1099511627776 hole; sleep 600", "max_bytes");
            let read = std::io::copy(&mut fs::File::open("/workspace/hole").expect("a file"), &mut std::io::sink());
            format!("\"{read:?}\"").replace('"', "'")
        }
        way => match way.strip_prefix("prints ") {
            Some(bytes) => ended(&format!("busybox head -c {bytes} /dev/zero")),
            None => panic!("no such way: {way}"),
        },
    })
});

/// Says which of these is possible: none.
const PRIVILEGES: &str = "may() { busybox timeout 5 \"$@\" > /dev/null 2>&1 && echo \"may: $*\"; }
may busybox mount -t tmpfs none /tmp; may busybox mknod /tmp/disk b 8 0; may busybox chown 0:0 /tmp
may busybox chroot / /bin/true; may busybox unshare -U /bin/true; may busybox unshare -m /bin/true
may busybox nsenter -t 1 -n /bin/true; may busybox hostname mine; may busybox dmesg; may busybox swapoff -a
may busybox nc -w 1 127.0.0.1 1; may busybox ping -c 1 -W 1 1.1.1.1; may busybox ip link add dummy0 type dummy
may busybox dd if=/dev/mem of=/dev/null bs=1 count=1; may touch /proc/sys/kernel/core_pattern /sys/kernel/mine /mine
may busybox renice -n -5 1; may ls /var/run/docker.sock; may ls /run/docker.sock
busybox grep -E '^Cap(Prm|Eff|Bnd|Amb)' /proc/self/status | busybox grep -v 0000000000000000
echo that is all";

/// What is refused: more than the grant has, of everything. Gives what was not.
fn more() -> Vec<String> {
    let plain = || container("echo it runs");
    let mount = |source: &str, target: &str| {
        let mount = Mount { source: source.to_owned(), target: target.to_owned(), read_only: true };
        Container { mounts: vec![mount], ..plain() }
    };
    let env = |name: &str, value: &str| Container { env: vec![(name.to_owned(), value.to_owned())], ..plain() };
    let refused = [
        ("another image", Container { image: "alpine:3".to_owned(), ..plain() }),
        ("an image from elsewhere", Container { image: format!("127.0.0.1:5000/{IMAGE}"), ..plain() }),
        ("an image like it", Container { image: format!("{IMAGE}2"), ..plain() }),
        ("a network", Container { network: true, ..plain() }),
        ("a device", Container { gpus: 1, ..plain() }),
        ("all devices", env("NVIDIA_VISIBLE_DEVICES", "all")),
        ("more memory", Container { memory_bytes: Some(1 << 40), ..plain() }),
        ("more cores", Container { cpus: Some(64.0), ..plain() }),
        ("infinite cores", Container { cpus: Some(f64::INFINITY), ..plain() }),
        ("cores that are none", Container { cpus: Some(f64::NAN), ..plain() }),
        ("more processes", Container { processes: Some(u32::MAX), ..plain() }),
        ("two thousand words", Container { command: vec!["x".to_owned(); 2000], ..plain() }),
        ("a mount of /", mount("/", "/host")),
        ("a mount of the folder above", mount("..", "/host")),
        ("a mount of the engine's socket", mount("/var/run/docker.sock", "/var/run/docker.sock")),
        ("a mount of what is not there", mount("missing", "/host")),
        ("a mount over /proc", mount(".", "/proc")),
        ("a mount over /dev", mount(".", "/dev/shm")),
        ("a mount over /", mount(".", "/")),
        ("a mount with `..`", mount(".", "/tmp/../..")),
    ];
    not_refused(refused)
}

/// Has a container make links that lead out of the workspace, and follows them. Gives those that lead somewhere.
fn links() -> Vec<String> {
    let made = "busybox ln -s / root; busybox ln -s .. up; busybox ln -s /etc etc; busybox ln -s /proc/1/root first";
    run(&container(made)).expect("it runs");
    let mount = |source: &'static str| {
        let mount = Mount { source: source.to_owned(), target: "/host".to_owned(), read_only: true };
        (source, Container { mounts: vec![mount], ..container("ls /host") })
    };
    let mut through = not_refused(["root", "root/etc", "up", "etc", "first"].map(mount));
    for path in ["root/etc/passwd", "etc/passwd", "up", "first/etc/passwd"] {
        let path = format!("/workspace/{path}");
        if fs::read(&path).is_ok() || fs::read_dir(&path).is_ok() {
            through.push(path);
        }
    }
    through
}

/// Has a container make a pipe with a name, and opens it again and again. Gives what went well.
fn fifo() -> Vec<String> {
    run(&container("busybox mkfifo fifo")).expect("it runs");
    let opened = (0..1000).filter(|_| fs::File::open("/workspace/fifo").is_ok()).count();
    if opened == 0 { Vec::new() } else { vec![format!("opened {opened} times")] }
}

fn not_refused<const N: usize>(asked: [(&str, Container); N]) -> Vec<String> {
    let answers = asked.map(|(what, container)| (what, run(&container)));
    let not_refused =
        answers.into_iter().filter(|(_, answer)| !matches!(answer, Err(Error::Denied(_) | Error::Invalid(_))));
    not_refused.map(|(what, answer)| format!("{what}: {answer:?}")).collect()
}

fn run(container: &Container) -> Result<docker::Exit, Error> {
    docker::run(container)
}

/// Runs a container that is to be ended since it brings the workspace beyond this bound.
fn overfills(line: &str, bound: &str) {
    match run(&container(line)) {
        Err(Error::Failed(text)) if text.contains(bound) => {}
        other => panic!("it was not ended: {other:?}"),
    }
}

/// How a container ended that ran this line, in short.
fn ended(line: &str) -> String {
    let exit = run(&container(line)).expect("it runs");
    let text = |bytes: &[u8]| String::from_utf8_lossy(&bytes[..bytes.len().min(300)]).replace('\0', "");
    let printed = exit.stdout.len();
    let told = format!(
        "code {}, printed {printed}, truncated {}, out of memory {}: {} {}",
        exit.code,
        exit.truncated,
        exit.out_of_memory,
        text(&exit.stdout),
        text(&exit.stderr)
    );
    quoted(told.as_bytes())
}

fn list(texts: Vec<String>) -> String {
    format!("[{}]", texts.iter().map(|text| quoted(text.as_bytes())).collect::<Vec<_>>().join(","))
}

/// One that runs a line in the workspace, to read and write.
fn container(line: &str) -> Container {
    let workspace = Mount { source: ".".to_owned(), target: "/workspace".to_owned(), read_only: false };
    Container {
        image: IMAGE.to_owned(),
        command: ["/bin/sh", "-c", line].map(str::to_owned).to_vec(),
        env: Vec::new(),
        working_dir: Some("/workspace".to_owned()),
        stdin: Vec::new(),
        mounts: vec![workspace],
        memory_bytes: None,
        cpus: None,
        processes: None,
        network: false,
        gpus: 0,
    }
}
