//! Why a file is no handler.

/// Why a component is refused, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LoadError {
    /// Larger than the host compiles.
    #[error(
        "{size} bytes long; a handler may have at most {limit}: strip debug information (`strip = true`, `wasm-tools strip`)"
    )]
    TooLarge {
        /// The file's length in bytes.
        size: u64,
        /// The limit in bytes.
        limit: u64,
    },
    /// No WebAssembly at all.
    #[error("not WebAssembly: a handler is a component built for wasm32-wasip2")]
    NotWasm,
    /// Compiled machine code.
    #[error(
        "compiled machine code (`.cwasm`), which is never taken from outside: give the component it was compiled from"
    )]
    Precompiled,
    /// A core module.
    #[error("a core module, not a component: build for wasm32-wasip2, or wrap it by `wasm-tools component new`")]
    CoreModule,
    /// The file ends too early.
    #[error("the file ends early, as if its copy had been cut off: copy it again")]
    Truncated,
    /// Well-formed it is not.
    #[error("not a valid component: {0}")]
    Invalid(String),
    /// It needs component-model async.
    #[error("needs component-model async (WASI 0.3), which this host has not: build for wasm32-wasip2 (WASI 0.2): {0}")]
    NeedsAsync(String),
    /// It exports no handler.
    #[error(
        "exports no `{expected}`: it is not a task handler of this host; its world must be `bulkhead:handler/task-handler`"
    )]
    NotAHandler {
        /// The export that is missing.
        expected: String,
    },
    /// It was built against another version of the contract.
    #[error("built against `{found}`, this host speaks `{expected}`: build it with the SDK of that version")]
    OtherVersion {
        /// The name it exports or imports.
        found: String,
        /// The name the host knows.
        expected: String,
    },
    /// The exports are not what the contract says.
    #[error("`{name}` is not as the contract says: build it with the SDK of this version: {detail}")]
    WrongExport {
        /// The export.
        name: String,
        /// What is wrong with it.
        detail: String,
    },
    /// It imports what the host has not.
    #[error("imports `{name}`, which this host does not offer: {detail}")]
    UnknownImport {
        /// The import.
        name: String,
        /// What is wrong with it.
        detail: String,
    },
    /// More memories, tables or instances than one sandbox may have.
    #[error("asks for more than one sandbox may have: {0}")]
    TooDemanding(String),
    /// It could not be described within the small budget given for that.
    #[error("`{export}` {problem}")]
    Describe {
        /// The export that was called, or `instantiate`.
        export: &'static str,
        /// What happened.
        problem: String,
    },
    /// What it says of itself is not acceptable.
    #[error("`{export}` answers something unusable: {problem}")]
    Description {
        /// The export that answered.
        export: &'static str,
        /// What is wrong with the answer.
        problem: String,
    },
    /// Every sandbox is taken, so that it could not be described just now.
    #[error("no sandbox was free to ask it what it is: try again")]
    Busy,
    /// It wears the compiler out.
    #[error("{0}: make it smaller, or raise handlers.compile")]
    Compiler(String),
    /// The host's own trouble.
    #[error("the host could not compile it: {0}")]
    Host(String),
}
