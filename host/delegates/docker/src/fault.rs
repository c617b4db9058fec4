//! What an error of the engine means.

use bollard::errors::Error;

/// What an error of the engine means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Fault {
    /// It cannot be reached, or does not answer.
    Away(String),
    /// What was named is not there.
    Missing(String),
    /// Something else holds what was named.
    Conflict(String),
    /// It will not.
    Refused(String),
}

impl Fault {
    /// Why, in the engine's words or ours.
    pub(crate) fn text(&self) -> &str {
        let (Self::Away(why) | Self::Missing(why) | Self::Conflict(why) | Self::Refused(why)) = self;
        why
    }
}

/// Reads an error. What an engine answers is never a reason to leave it alone, but that it is unavailable: handlers can
/// bring most other answers about.
pub(crate) fn fault(error: &Error) -> Fault {
    match error {
        Error::DockerResponseServerError { status_code: 404, message } => Fault::Missing(message.clone()),
        Error::DockerResponseServerError { status_code: 409, message } => Fault::Conflict(message.clone()),
        Error::DockerResponseServerError { status_code: 502..=504, message } => Fault::Away(message.clone()),
        Error::DockerResponseServerError { message, .. } => Fault::Refused(message.clone()),
        Error::DockerStreamError { error } | Error::DockerContainerWaitError { error, .. } => {
            Fault::Refused(error.clone())
        }
        Error::JsonDataError { .. } | Error::JsonSerdeError { .. } | Error::APIVersionParseError {} => {
            Fault::Refused(format!("its answer cannot be read: {error}"))
        }
        Error::SocketNotFoundError(_) => Fault::Away("there is no socket".to_owned()),
        Error::RequestTimeoutError => Fault::Away("no answer in time".to_owned()),
        other => Fault::Away(root(other)),
    }
}

/// The innermost cause, which is the one that says something: `Connection refused`.
fn root(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |cause| cause.source());
    causes.last().map_or_else(|| error.to_string(), ToString::to_string)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_innermost_cause_is_told() {
        let error = Error::from(std::io::Error::other("the cable is cut"));
        assert_eq!(fault(&error), Fault::Away("the cable is cut".to_owned()));
    }
}
