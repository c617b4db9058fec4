//! One fresh WebAssembly sandbox for each run, and the catalogue of live handlers.
//!
//! [`Sandbox`] is the engine with its pool, its fences and everything a guest may import; [`Handler`] is one immutable
//! version of a handler; [`Sandbox::run`] enters it once, in a store of its own, and says how that ended in the words
//! of [`bulkhead_core::RunEnd`]. [`Catalogue`] keeps the handlers of a folder live while their files come, change and go.
