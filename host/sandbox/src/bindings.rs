//! The contract of `wit/handler.wit` as Rust sees it from the host's side.

/// The interface that a handler exports.
pub(crate) const HANDLER: &str = "bulkhead:handler/handler@0.1.0";

wasmtime::component::bindgen!({
    path: "../../wit",
    world: "task-handler",
    ownership: Borrowing { duplicate_if_necessary: true },
    imports: {
        "bulkhead:handler/context.upstream": async | trappable,
        "bulkhead:handler/context.upstream-named": async | trappable,
        "bulkhead:handler/docker.run": async | trappable,
        "bulkhead:handler/gpu.devices": async | trappable,
        "bulkhead:handler/gpu.run": async | trappable,
        "bulkhead:handler/llm.generate": async | trappable,
        default: trappable,
    },
    exports: { default: async },
});
