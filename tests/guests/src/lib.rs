//! What the guests share: the bindings of the contract, and a short way to say that the work is done.
//!
//! Each guest is one file of `examples/`, and does one thing that a handler may do, well meant or not.

#[doc(hidden)]
pub mod bindings {
    #![allow(missing_docs, reason = "generated")]
    wit_bindgen::generate!({
        path: "../../wit",
        world: "task-handler",
        pub_export_macro: true,
        export_macro_name: "export",
        default_bindings_module: "bulkhead_guests::bindings",
    });
}

pub use bindings::bulkhead::handler::types::{
    BatchPlan, Category, Checkpoint, Child, Completion, Cursor, Decision, Join, Spawn, Suspension,
};
pub use bindings::bulkhead::handler::{context, docker, gpu, llm};
pub use bindings::export;
pub use bindings::exports::bulkhead::handler::handler::{Failure, Guest, Outcome, Task};

/// The work is done, with this result.
pub fn complete(result: impl AsRef<str>) -> Result<Outcome, Failure> {
    Ok(Outcome::Complete(Completion { result: result.as_ref().to_owned(), metadata: String::new(), then: Vec::new() }))
}

/// Text as JSON has it.
pub fn quoted(bytes: &[u8]) -> String {
    let mut quoted = String::from("\"");
    for letter in String::from_utf8_lossy(bytes).chars() {
        match letter {
            '"' | '\\' => quoted.extend(['\\', letter]),
            letter if letter < ' ' => quoted.push_str(&format!("\\u{:04x}", u32::from(letter))),
            letter => quoted.push(letter),
        }
    }
    quoted.push('"');
    quoted
}

/// A guest that is ordinary but for what is said.
///
/// Its kind stands first where nothing else differs; else what differs is named, in the order of the contract:
/// `guest!(kind: …, provides: …, defaults: …, dispatch: |task| …, |task| { … })`.
#[macro_export]
macro_rules! guest {
    ($kind:literal, |$task:pat_param| $work:block) => {
        $crate::guest!(kind: $kind.to_owned(), |$task| $work);
    };
    (
        $(kind: $kind:expr,)?
        $(provides: $provides:expr,)?
        $(defaults: $defaults:expr,)?
        $(dispatch: |$asked:pat_param| $wanted:expr,)?
        |$task:pat_param| $work:block
    ) => {
        struct Component;

        impl $crate::Guest for Component {
            fn kind() -> String {
                $crate::or!("GUEST".to_owned() $(, $kind)?)
            }

            fn provides() -> Vec<String> {
                $crate::or!(vec!["cpu".to_owned()] $(, $provides)?)
            }

            fn defaults() -> String {
                $crate::or!("{}".to_owned() $(, $defaults)?)
            }

            fn dispatch(task: $crate::Task) -> bool {
                $crate::or!({ drop(task); true } $(, { let $asked = task; $wanted })?)
            }

            fn handle($task: $crate::Task) -> Result<$crate::Outcome, $crate::Failure> {
                $work
            }
        }

        $crate::export!(Component);
    };
}

/// What is given second, where it is given.
#[doc(hidden)]
#[macro_export]
macro_rules! or {
    ($ordinary:expr) => {
        $ordinary
    };
    ($ordinary:expr, $given:expr) => {
        $given
    };
}
