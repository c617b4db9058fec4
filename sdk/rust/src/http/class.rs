//! What a status means to a task.

/// What a status that is no success means to a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Class {
    /// Its name: the code of the failure.
    pub name: &'static str,
    /// Whether the same request may succeed later.
    pub retryable: bool,
}

/// What a status means to a task where it is no success.
///
/// | status | name | tried again |
/// |---|---|---|
/// | 400, 401, 403, 404 | `bad_request`, `unauthorized`, `forbidden`, `not_found` | no |
/// | 405, 409, 410, 422 | `method_not_allowed`, `conflict`, `gone`, `unprocessable_entity` | no |
/// | 408, 429 | `request_timeout`, `rate_limited` | yes |
/// | 500, 502, 503, 504 | `internal_server_error`, `bad_gateway`, `service_unavailable`, `gateway_timeout` | yes |
/// | others of 4xx | `client_error` | no |
/// | others of 5xx | `server_error` | no |
/// | all others | `http_error` | no |
pub const fn class(status: u16) -> Class {
    let (name, retryable) = match status {
        400 => ("bad_request", false),
        401 => ("unauthorized", false),
        403 => ("forbidden", false),
        404 => ("not_found", false),
        405 => ("method_not_allowed", false),
        408 => ("request_timeout", true),
        409 => ("conflict", false),
        410 => ("gone", false),
        422 => ("unprocessable_entity", false),
        429 => ("rate_limited", true),
        500 => ("internal_server_error", true),
        502 => ("bad_gateway", true),
        503 => ("service_unavailable", true),
        504 => ("gateway_timeout", true),
        _ => match status / 100 {
            4 => ("client_error", false),
            5 => ("server_error", false),
            _ => ("http_error", false),
        },
    };
    Class { name, retryable }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_status_has_the_name_and_the_fate_that_the_table_gives() {
        let named = [
            (400, "bad_request"),
            (401, "unauthorized"),
            (403, "forbidden"),
            (404, "not_found"),
            (405, "method_not_allowed"),
            (408, "request_timeout"),
            (409, "conflict"),
            (410, "gone"),
            (422, "unprocessable_entity"),
            (429, "rate_limited"),
            (500, "internal_server_error"),
            (502, "bad_gateway"),
            (503, "service_unavailable"),
            (504, "gateway_timeout"),
        ];
        let again = [408, 429, 500, 502, 503, 504];
        for status in 100..=599 {
            let name = match named.iter().find(|(named, _)| *named == status) {
                Some((_, name)) => name,
                None if status >= 500 => "server_error",
                None if status >= 400 => "client_error",
                None => "http_error",
            };
            assert_eq!(class(status), Class { name, retryable: again.contains(&status) }, "{status}");
        }
    }

    #[test]
    fn what_is_no_status_has_a_class_too() {
        for status in [0, 99, 600, u16::MAX] {
            assert_eq!(class(status), Class { name: "http_error", retryable: false }, "{status}");
        }
    }
}
