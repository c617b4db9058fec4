//! The contract of `wit/handler.wit` as Rust sees it from the host's side.

wasmtime::component::bindgen!({
    path: "../../wit",
    world: "task-handler",
    ownership: Borrowing { duplicate_if_necessary: true },
    imports: { default: trappable },
    exports: { default: async },
});
