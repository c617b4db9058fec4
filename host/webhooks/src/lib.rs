//! Sending events to receivers outside.
//!
//! [`Sender`] runs in every host; of several on one database, one sends at a time. Each webhook has a task of its own, so
//! that a slow receiver holds up no other. A message is signed as Standard Webhooks says (`signature`), goes to no address
//! that is not allowed (`bulkhead_outbound`, checked on the address that is connected to), and is tried again for a day
//! (`retry`). Secrets are in `secret`; nothing prints them.

mod delivery;
mod endpoint;
mod metrics;
mod receiver;
mod retry;
mod round;
mod secret;
mod sender;
mod settings;
mod signature;
mod transport;

pub use bulkhead_outbound::{AddressRules, RefusedAddress};
pub use endpoint::{Endpoint, EndpointError};
pub use metrics::WebhookMetrics;
pub use secret::{SecretError, make_secret, stored_secret};
pub use sender::Sender;
pub use settings::WebhookSettings;
