//! What a host knows of the others on the same database.

/// The hosts of one database, as this one sees them.
#[derive(Debug)]
pub(crate) struct ManyHosts {}
