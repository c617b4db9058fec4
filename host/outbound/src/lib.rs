//! Connections that the host makes for others.
//!
//! Where a webhook or a handler says where to connect to, the host must not be led to services of its own network:
//! [`connect`] resolves a name, asks of each address whether it may be connected to ([`AddressRules`] knows the public
//! ones), and connects to one that was asked about, so that a name which changes its mind in between gains nothing.
//! [`encrypt`] begins TLS on it, with the [`Trust`] of [`tls_config`].

mod address_rules;
mod connect;
mod resolve;
mod tls;

pub use address_rules::{AddressRules, RefusedAddress};
pub use connect::{ConnectError, connect};
pub use resolve::{Resolve, Resolved, SystemResolver};
pub use tls::{TlsError, Trust, encrypt, tls_config};
