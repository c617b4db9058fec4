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

pub use bindings::bulkhead::handler::types::{Category, Checkpoint, Child, Completion, Join, Spawn};
pub use bindings::bulkhead::handler::{context, docker, gpu, llm};
pub use bindings::export;
pub use bindings::exports::bulkhead::handler::handler::{Failure, Guest, Outcome, Task};

/// The work is done, with this result.
pub fn complete(result: impl AsRef<str>) -> Result<Outcome, Failure> {
    Ok(Outcome::Complete(Completion { result: result.as_ref().to_owned(), metadata: String::new(), then: Vec::new() }))
}

/// A guest that is ordinary but for what it does.
#[macro_export]
macro_rules! guest {
    ($kind:literal, |$task:pat_param| $work:block) => {
        struct Component;

        impl $crate::Guest for Component {
            fn kind() -> String {
                $kind.to_owned()
            }

            fn provides() -> Vec<String> {
                vec!["cpu".to_owned()]
            }

            fn defaults() -> String {
                "{}".to_owned()
            }

            fn dispatch(_: $crate::Task) -> bool {
                true
            }

            fn handle($task: $crate::Task) -> Result<$crate::Outcome, $crate::Failure> {
                $work
            }
        }

        $crate::export!(Component);
    };
}
