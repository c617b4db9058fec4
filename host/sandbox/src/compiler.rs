//! Compiling in a process of its own, so that a component made to wear the compiler out, or to break it, hurts nobody.
//!
//! The child is this very program, called with [`COMMAND`]. It gets the component on standard input, limits itself, and
//! answers with machine code on standard output, or with the compiler's words and exit code 1. The parent
//! takes the code from there, checks what it is, and keeps it in the cache.

use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use bulkhead_core::Size;
use rustix::process::{Resource, Rlimit, Signal};

use crate::{LoadError, engine, inspect};

/// The argument that makes this program a compiler.
pub const COMMAND: &str = "compile-component";

/// How often the parent looks whether the child's time is up.
const LOOK: Duration = Duration::from_millis(5);
/// The most machine code that is taken from a child.
const MOST_CODE: u64 = 2 << 30;
/// The most that is read of the compiler's words.
const MOST_WORDS: u64 = 4 << 10;
/// The exit code of a compiler that refuses its input, rather than failing at it.
const REFUSED: u8 = 1;

/// How to call the compiler, and how much it may use.
#[derive(Debug, Clone)]
pub struct CompilerSettings {
    /// The program: one whose main function calls [`compile_standard_input`] when it is called with [`COMMAND`].
    pub program: PathBuf,
    /// How long it may take, and how many seconds of processor time it may use.
    pub timeout: Duration,
    /// How much memory it may address.
    pub memory: Size,
}

/// Compiles in a child.
pub(crate) fn compile(settings: &CompilerSettings, bytes: &[u8]) -> Result<Vec<u8>, LoadError> {
    let trouble = |error: std::io::Error| LoadError::Host(format!("the compiler's process: {error}"));
    let mut child = Command::new(&settings.program)
        .arg(COMMAND)
        .arg(settings.timeout.as_secs().max(1).to_string())
        .arg(settings.memory.bytes().to_string())
        .env_clear()
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|error| LoadError::Host(format!("the compiler `{}`: {error}", settings.program.display())))?;
    let (stdin, stdout) = (child.stdin.take(), child.stdout.take());
    let (answer, status) = std::thread::scope(|scope| {
        // A child that ends early closes its end, which is no error of ours.
        scope.spawn(move || stdin.map(|mut stdin| stdin.write_all(bytes)));
        let answer = scope.spawn(move || {
            let mut answer = Vec::new();
            stdout.map(|stdout| stdout.take(MOST_CODE).read_to_end(&mut answer)).transpose().map(|_| answer)
        });
        let status = wait(&mut child, settings.timeout);
        (answer.join(), status)
    });
    let answer = answer.map_err(|_| LoadError::Host("reading from the compiler panicked".to_owned()))?;
    let answer = answer.map_err(trouble)?;
    match status.map_err(trouble)? {
        Some(status) if status.success() => Ok(answer),
        Some(status) if status.code() == Some(i32::from(REFUSED)) => {
            let words = &answer[..answer.len().min(usize::try_from(MOST_WORDS).unwrap_or(usize::MAX))];
            Err(inspect::compile_error(&String::from_utf8_lossy(words)))
        }
        ended => Err(LoadError::Compiler(how_it_failed(settings, ended))),
    }
}

/// The child's end; none where its time was up and it was killed.
fn wait(child: &mut Child, timeout: Duration) -> std::io::Result<Option<ExitStatus>> {
    let deadline = Instant::now() + timeout;
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        if Instant::now() >= deadline {
            child.kill()?;
            child.wait()?;
            return Ok(None);
        }
        std::thread::sleep(LOOK);
    }
}

fn how_it_failed(settings: &CompilerSettings, ended: Option<ExitStatus>) -> String {
    use std::os::unix::process::ExitStatusExt;
    let seconds = settings.timeout.as_secs_f64();
    match ended {
        None => format!("takes longer to compile than {seconds} s"),
        Some(status) if status.signal() == Some(Signal::XCPU.as_raw()) => {
            format!("takes more processor time to compile than {seconds} s")
        }
        // Memory that is refused makes the allocator abort.
        Some(status) if status.signal() == Some(Signal::ABORT.as_raw()) => {
            format!("needs more memory to compile than {}, or breaks the compiler", settings.memory)
        }
        Some(status) => format!("breaks the compiler: {status}"),
    }
}

/// The child's side: limits this process, reads a component from standard input, and writes what it was compiled to.
///
/// `arguments` are those after [`COMMAND`]: seconds and bytes.
pub fn compile_standard_input(mut arguments: impl Iterator<Item = String>) -> ExitCode {
    let mut number = || arguments.next().and_then(|text| text.parse::<u64>().ok());
    let (Some(seconds), Some(memory)) = (number(), number()) else { return ExitCode::from(REFUSED + 1) };
    if limit(seconds, memory).is_err() {
        return ExitCode::from(REFUSED + 1);
    }
    let mut bytes = Vec::new();
    if std::io::stdin().lock().take(inspect::MAX_COMPONENT + 1).read_to_end(&mut bytes).is_err() {
        return ExitCode::from(REFUSED + 1);
    }
    let compiled = engine::for_compiling().and_then(|engine| engine.precompile_component(&bytes));
    let (code, answer) = match compiled {
        Ok(machine_code) => (ExitCode::SUCCESS, machine_code),
        Err(error) => (ExitCode::from(REFUSED), format!("{error:#}").into_bytes()),
    };
    match std::io::stdout().lock().write_all(&answer) {
        Ok(()) => code,
        Err(_) => ExitCode::from(REFUSED + 1),
    }
}

/// No more time, memory or files than it needs, no dump of its memory, and no life after its parent's.
fn limit(seconds: u64, memory: u64) -> rustix::io::Result<()> {
    let at_most = |most: u64| Rlimit { current: Some(most), maximum: Some(most) };
    rustix::process::set_parent_process_death_signal(Some(Signal::KILL))?;
    // A second apart, so that the first signal, which says what it is, comes first.
    let seconds = Rlimit { current: Some(seconds), maximum: Some(seconds + 1) };
    rustix::process::setrlimit(Resource::Cpu, seconds)?;
    rustix::process::setrlimit(Resource::As, at_most(memory))?;
    rustix::process::setrlimit(Resource::Core, at_most(0))?;
    rustix::process::setrlimit(Resource::Fsize, at_most(0))
}

/// The program that runs now, as its own compiler.
pub fn this_program() -> std::io::Result<PathBuf> {
    // The link works on when the file was replaced by an upgrade, and then names the program that runs.
    let link = Path::new("/proc/self/exe");
    if link.exists() { Ok(link.to_owned()) } else { std::env::current_exe() }
}
