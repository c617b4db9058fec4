//! HTTP requests that handlers make.
//!
//! [`HttpGrant`] is the table `[handler.NAME.grants.http]`; [`HttpAccess`] is what one handler may do with it, made when the
//! host starts. A request goes through `admit`, which is pure: its method and its [`Origin`] must be listed, its headers
//! are bounded, and those that the operator injects ([`HeaderPlace`]) replace the guest's. `exchange` connects to an address
//! that the grant allows, and `answer` hands on what comes back: no more of it, and for no longer, than the grant says, and
//! without the secrets that were sent (`mask`). Redirects are not followed: the guest sees them, and what it asks next
//! passes the same rules.

mod access;
mod admit;
mod answer;
mod error;
mod exchange;
mod grant;
mod header_place;
mod injected;
mod mask;
mod origin;

pub use access::HttpAccess;
pub use error::HttpError;
pub use grant::HttpGrant;
pub use header_place::HeaderPlace;
pub use origin::{Origin, OriginError};
