//! Where connections come from.

use crate::StoreError;
use crate::sql::Connection;

/// A database that connections can be made to.
pub(crate) trait Source: Send + Sync + std::fmt::Debug + 'static {
    /// One that writes.
    fn writer(&self) -> Result<Connection, StoreError>;

    /// One that reads.
    fn reader(&self) -> Result<Connection, StoreError>;
}
