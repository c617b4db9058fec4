//! What stands behind the `?`, with its errors as problems.

use axum::extract::{FromRequestParts, Query};
use axum::http::request::Parts;
use serde::de::DeserializeOwned;

use crate::problem::Problem;

/// Parameters of this shape.
#[derive(Debug)]
pub(crate) struct Parameters<T>(pub(crate) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Parameters<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        match Query::from_request_parts(parts, state).await {
            Ok(Query(parameters)) => Ok(Self(parameters)),
            Err(rejection) => {
                let cause =
                    std::error::Error::source(&rejection).map_or_else(|| rejection.to_string(), ToString::to_string);
                Err(Problem::Malformed(format!("the query is refused: {cause}")))
            }
        }
    }
}
