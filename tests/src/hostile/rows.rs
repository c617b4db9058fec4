//! The table: every guest with what it does and how it must end.

use serde_json::{Value, json};

use super::{Guest, Row};

/// A fuel that a loop uses up within milliseconds.
const LITTLE: u64 = 10_000_000;

/// What a guest is made to do. There is no arm for the rest: a guest without a row does not compile.
pub fn rows(guest: Guest) -> Vec<Row> {
    match guest {
        Guest::AbusesContainers => containers(),
        Guest::AsksRandom => vec![Row::dead("asks for 4 GiB of random bytes", "limit", "host_calls")],
        Guest::BadAudit => vec![Row::dead("audits with a code that is none", "invalid_outcome", "context.audit: code")],
        Guest::BadDefaults => vec![Row::refused("asks for an unknown option", "timout")],
        Guest::BadJson => vec![
            Row::dead("answers single quotes for JSON", "invalid_outcome", "result: not valid JSON").payload(1),
            Row::dead("answers a lone surrogate", "invalid_outcome", "result: not valid JSON").payload(2),
            Row::dead("answers JSON 100,000 deep", "invalid_outcome", "deep").payload(3),
        ],
        Guest::BadKind => vec![Row::refused("has a kind with a space and a bell", "kind must be")],
        Guest::BadTags => vec![Row::refused("provides 10,000 tags", "at most 32 tags")],
        Guest::BigResult => vec![
            Row::dead("answers 2 MiB", "limit", "result").payload(2 << 20),
            Row::dead("answers 40 MiB", "limit", "result").payload(40 << 20).with("memory", "200MiB").most(500),
        ],
        Guest::Breeds => vec![
            Row::dead("submits 1,001 tasks", "invalid_outcome", "then").payload(1001).most(2000),
            Row::dead("submits 300,000 tasks", "limit", "result").payload(300_000).most(500),
        ],
        Guest::CallsDelegates => vec![Row::tells("calls docker, gpu and llm", "has no grant for llm")],
        Guest::Checkpoint => vec![Row::dead("checkpoints for ever", "limit", "stages").most(20)],
        Guest::ClaimsGpu => vec![Row::kept_out("claims a tag that the worker lacks", "gpu")],
        Guest::DeepRecursion => vec![
            Row::dead("recurses for ever", "trap", "stack overflow").payload(1),
            Row::dead("recurses with 64 KiB frames", "trap", "out of bounds").payload(2),
        ],
        Guest::DefaultsLoop => vec![Row::refused("loops in `defaults`", "`defaults` does not end")],
        Guest::DescribesDifferently => vec![Row::succeeds("is another each time it is asked", Value::Null)],
        Guest::DispatchLoops => vec![Row::dead("loops in `dispatch`", "out_of_fuel", "fuel")],
        Guest::DispatchSleeps => vec![Row::dead("sleeps in `dispatch`", "timeout", "").most(1000)],
        Guest::EarlyWorkspace => vec![Row::succeeds("opens its workspace in `dispatch`", Value::Null)],
        Guest::EatMemory => {
            vec![Row::dead("grows its memory to the end", "limit", "memory").with("memory", "16MiB")]
        }
        Guest::FillsMemory => {
            let fuel = 10 * LITTLE;
            vec![Row::dead("fills and copies memory for ever", "out_of_fuel", "fuel").with("fuel", fuel).most(2000)]
        }
        Guest::FillsWorkspace => vec![
            Row::tells("fills its workspace with bytes", "os error").payload("append"),
            Row::tells("fills its workspace with holes", "os error").payload("hole"),
            Row::tells("fills its workspace with files", "os error").payload("files"),
            Row::tells("fills its workspace with files without a name", "os error").payload("unlinked"),
            Row::tells("opens its workspace again and again", "os error").payload("open"),
        ],
        Guest::FloodsHttp => vec![
            Row::dead("makes 100,000 headers", "limit", "calls").payload(1),
            Row::dead("holds on to bodies of requests without end", "limit", "handles").payload(2),
            Row::succeeds("asks others by HTTP without a grant", json!([])).payload(3),
        ],
        Guest::GrowsMemories => {
            vec![Row::dead("grows four memories to the end", "limit", "memory").with("memory", "16MiB")]
        }
        Guest::GrowsTables => vec![Row::dead("grows its table to the end", "limit", "table")],
        Guest::KindLoops => vec![Row::refused("loops in `kind`", "`kind` does not end")],
        Guest::KindSleeps => vec![Row::refused("sleeps in `kind`", "`kind` does not end")],
        Guest::KindTraps => vec![Row::refused("panics in `kind`", "`kind` traps")],
        Guest::LeakCheck => vec![Row::succeeds("looks for what the run before it left", json!("clean"))],
        Guest::LeaksHandles => vec![
            Row::dead("leaks resource handles", "limit", "handles").payload(1),
            Row::dead("drops a handle twice", "trap", "").payload(2),
        ],
        Guest::LeavesWorkspace => vec![Row::succeeds("tries every way out of its workspace", json!([]))],
        Guest::LiesAboutLength => vec![
            Row::dead("answers a text of 2 GiB that is not there", "trap", "").payload(1),
            Row::dead("answers a list of 100 M that is not there", "trap", "").payload(2),
            Row::dead("answers text that is no UTF-8", "invalid_outcome", "utf-8").payload(3),
        ],
        Guest::LogFlood => {
            vec![Row::succeeds("logs 1 GiB", Value::Null).payload(1 << 20).most(20)]
        }
        Guest::LoopForever => vec![
            Row::dead("loops, with little fuel", "out_of_fuel", "fuel").with("fuel", LITTLE),
            Row::dead("loops, with unlimited fuel", "timeout", "").with("fuel", "unlimited").with("timeout", "10ms"),
        ],
        Guest::ManyCalls => vec![
            Row::dead("calls the host for ever", "out_of_fuel", "fuel").payload(1).with("fuel", LITTLE),
            Row::dead("asks for the time for ever", "out_of_fuel", "fuel").payload(2).with("fuel", LITTLE),
            Row::dead("calls the host for ever, with unlimited fuel", "limit", "calls")
                .payload(1)
                .with("fuel", "unlimited")
                .most(20),
        ],
        Guest::NamesWorkspace => {
            vec![Row::dead("names the workspace of another task", "invalid_outcome", "workspace:").payload("other")]
        }
        Guest::OpensSockets => vec![Row::succeeds("opens sockets and resolves names", json!([]))],
        Guest::Panic => vec![Row::dead("panics", "trap", "unreachable")],
        Guest::PassesMuch => vec![
            Row::dead("passes 40 MiB in a log line", "limit", "host").payload(1).most(500),
            Row::dead("passes 1 GiB to the llm", "limit", "host").payload(2).most(500),
        ],
        Guest::ProvidesLoops => vec![Row::refused("loops in `provides`", "`provides` does not end")],
        Guest::ReadsEnvAndFiles => vec![Row::succeeds("looks for environment, arguments and files", json!([]))],
        Guest::ReadsInput => vec![Row::succeeds("reads standard input to the end", json!(0))],
        Guest::Says => vec![Row::succeeds("logs newlines, NUL and terminal escapes", Value::Null)],
        Guest::SleepForever => vec![Row::dead("sleeps for ever", "timeout", "").with("timeout", "50ms")],
        Guest::PlansBatch => vec![Row::dead("plans a batch outside of a workflow", "invalid_outcome", "`batch`")],
        Guest::Spawns => vec![
            Row::dead("spawns 10,001 children", "invalid_outcome", "10000").payload(10_001).most(500),
            Row::dead("spawns 150,000 children", "limit", "result").payload(150_000).most(500),
            Row::dead("spawns itself for ever", "permanent", "permanent").payload(0).most(200),
        ],
        Guest::StartLoops => {
            vec![Row::dead("loops in its start function", "out_of_fuel", "fuel").with("fuel", 10 * LITTLE)]
        }
        Guest::WaitsForHttp => {
            let waits = |does, path: &str, words| Row::tells(does, words).payload(path).most(50);
            vec![
                waits("waits for a server that never answers", "/silent", "no response: "),
                waits("waits for a head that comes byte by byte", "/drips-head", "no response: "),
                waits("waits for a body that comes byte by byte", "/drips-body", "broken off: HTTP response timeout"),
                waits("reads a body that never ends", "/endless", "HTTP response body size exceeds limit"),
            ]
        }
    }
}

/// What is done by containers, or asked of them.
fn containers() -> Vec<Row> {
    let ends = |does, way: &str, words| Row::tells(does, words).payload(way).in_containers();
    let stays = |does, way: &str| Row::dead(does, "timeout", "").payload(way).with("timeout", "3000ms").in_containers();
    let nothing = |does, way: &str| Row::succeeds(does, json!([])).payload(way).in_containers();
    vec![
        nothing("asks for containers with more than it may have", "more"),
        ends("tries to gain privileges in a container", "privileges", "out of memory false: that is all"),
        stays("forks for ever in a container", "bomb"),
        ends("starts 200 processes in a container", "forks", "can't fork"),
        ends("leaves processes behind in a container", "forks away", "code 0"),
        stays("ignores all signals in a container", "stays"),
        ends("prints 1 GiB in a container", "prints 1073741824", "printed 4194304, truncated true")
            .with("timeout", "10m")
            .most(3),
        ends("prints 10 GiB in a container", "prints 10737418240", "printed 4194304, truncated true")
            .with("timeout", "30m")
            .most(1),
        stays("prints for ever in a container", "prints for ever"),
        ends("fills `/tmp`, `/dev/shm` and `/` of a container", "fills", ": 67108864\\n67108864\\n"),
        ends("eats memory in a container", "eats", "out of memory true"),
        nothing("has a container make links out of its workspace", "links"),
        nothing("has a container make a FIFO, and opens it 1,000 times", "fifo"),
        // As long as it takes: of twenty at once on two cores, none may have made so many within a minute.
        ends("has a container make files without end", "files", "ended at more files than it may have: true")
            .with("timeout", "15m"),
        Row::dead("has a container make a hole of 1 TiB, and reads it", "out_of_fuel", "fuel")
            .payload("hole")
            .with("fuel", 100 * LITTLE)
            .in_containers(),
    ]
}
