//! The whole system: a real host on a fresh folder, as its users meet it. See the crate's documentation.

mod torture;
