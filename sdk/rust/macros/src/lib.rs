//! The attribute that exports a handler.
