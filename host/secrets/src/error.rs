//! Why a secret cannot be read.

/// Why there is no secret, to be said of it: "its key …". Nothing of what was read is told.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SecretError {
    /// There is no such variable.
    #[error("is not in the host's environment; set it and start the host again: `{0}`")]
    NoVariable(String),
    /// There is no such file, or it cannot be read.
    #[error("is in a file that cannot be read by the host ({reason}): `{path}`")]
    Unreadable {
        /// The file.
        path: String,
        /// Why.
        reason: String,
    },
}

impl SecretError {
    /// The same for guests, who may not know where the host keeps its secrets; whoever tells it names the setting.
    pub fn without_place(&self) -> String {
        match self {
            Self::NoVariable(_) => "is not in the host's environment".to_owned(),
            Self::Unreadable { reason, .. } => format!("is in a file that cannot be read by the host ({reason})"),
        }
    }
}
