//! `/v1/workspaces`: the files that tasks share with the host.

use std::sync::Arc;

use axum::Json;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use bulkhead_core::{TaskId, WorkspaceChoice};
use bulkhead_worker::{Listing, MAX_LISTED, WorkspaceError, WorkspacePath, Workspaces};
use futures::StreamExt;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::time::timeout;

use crate::app::App;
use crate::parameters::Parameters;
use crate::path_part::PathPart;
use crate::problem::Problem;

/// Bytes that are read and sent at once.
const CHUNK: usize = 64 << 10;
/// How long the next part of a file that is pushed may take.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(60);

/// Which part of a workspace is listed.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct FilesQuery {
    limit: Option<usize>,
    cursor: Option<String>,
}

/// `GET /v1/workspaces/{id}/files/[?limit=…&cursor=…]`
pub(crate) async fn list(
    State(app): State<App>,
    PathPart(id): PathPart<String>,
    Parameters(query): Parameters<FilesQuery>,
) -> Result<Json<Listing>, Problem> {
    let id = WorkspaceChoice::parse_name(&id)?;
    let limit = query.limit.unwrap_or(1000);
    if limit == 0 || limit > MAX_LISTED {
        return Err(Problem::Malformed(format!("limit must be 1 to {MAX_LISTED}: `{limit}`")));
    }
    let after = query.cursor.map(|path| parse(&id, path)).transpose()?;
    let listing =
        blocking(&app, move |workspaces| workspaces.list(&id, after.as_ref().map(WorkspacePath::as_str), limit));
    Ok(Json(listing.await?))
}

/// `GET /v1/workspaces/{id}/files/{path}`
pub(crate) async fn get(
    State(app): State<App>,
    PathPart((id, path)): PathPart<(String, String)>,
) -> Result<Response, Problem> {
    let id = WorkspaceChoice::parse_name(&id)?;
    let path = parse(&id, path)?;
    let (file, length) = blocking(&app, move |workspaces| workspaces.read(&id, &path)).await?;
    let parts = futures::stream::try_unfold(0_u64, move |position| {
        let file = Arc::clone(&file);
        async move {
            if position >= length {
                return Ok(None);
            }
            let part = tokio::task::spawn_blocking(move || read_part(&file, position, length)).await;
            let part = part.unwrap_or_else(|_| Err(std::io::Error::other("it was given up")))?;
            let next = position + part.len() as u64;
            Ok::<_, std::io::Error>(Some((part, next)))
        }
    });
    let headers =
        [(header::CONTENT_TYPE, "application/octet-stream".to_owned()), (header::CONTENT_LENGTH, length.to_string())];
    Ok((headers, Body::from_stream(parts)).into_response())
}

/// The next part of a file that was so long when it was opened.
fn read_part(file: &std::fs::File, position: u64, length: u64) -> std::io::Result<Bytes> {
    let left = usize::try_from(length - position).unwrap_or(CHUNK).min(CHUNK);
    let mut part = vec![0; left];
    let read = std::os::unix::fs::FileExt::read_at(file, &mut part, position)?;
    if read == 0 {
        // Better an answer that breaks off than one that is filled up.
        return Err(std::io::ErrorKind::UnexpectedEof.into());
    }
    part.truncate(read);
    Ok(part.into())
}

/// `PUT /v1/workspaces/{id}/files/{path}`: a file, or a folder where the path ends with `/`.
pub(crate) async fn put(
    State(app): State<App>,
    PathPart((id, path)): PathPart<(String, String)>,
    body: Body,
) -> Result<Response, Problem> {
    let id = WorkspaceChoice::parse_name(&id)?;
    if let Some(folder) = path.strip_suffix('/') {
        let (folder, name) = (parse(&id, folder.to_owned())?, id.clone());
        blocking(&app, move |workspaces| workspaces.make_folder(&name, &folder)).await?;
        return Ok((StatusCode::CREATED, Json(json!({ "workspace": id, "path": path }))).into_response());
    }
    let (parsed, name) = (parse(&id, path.clone())?, id.clone());
    let mut upload = blocking(&app, move |workspaces| workspaces.upload(name, parsed)).await?;
    let mut parts = body.into_data_stream();
    loop {
        let part = match timeout(PATIENCE, parts.next()).await {
            Ok(None) => break,
            Ok(Some(Ok(part))) => part,
            Ok(Some(Err(_))) | Err(_) => {
                return Err(Problem::Malformed("the file broke off, or stood still; push it again".to_owned()));
            }
        };
        upload = blocking(&app, move |_| {
            let mut upload = upload;
            upload.write(&part)?;
            Ok(upload)
        })
        .await?;
    }
    let size = blocking(&app, move |_| upload.finish()).await?;
    Ok((StatusCode::CREATED, Json(json!({ "workspace": id, "path": path, "size": size }))).into_response())
}

/// `DELETE /v1/workspaces/{id}/files/{path}`: a file, or a folder with all that is in it.
pub(crate) async fn remove(
    State(app): State<App>,
    PathPart((id, path)): PathPart<(String, String)>,
) -> Result<Json<Value>, Problem> {
    let id = WorkspaceChoice::parse_name(&id)?;
    let (parsed, name) = (parse(&id, path.trim_end_matches('/').to_owned())?, id.clone());
    blocking(&app, move |workspaces| workspaces.remove(&name, &parsed)).await?;
    Ok(Json(json!({ "workspace": id, "removed": path })))
}

/// `DELETE /v1/workspaces/{id}`
pub(crate) async fn remove_all(State(app): State<App>, PathPart(id): PathPart<String>) -> Result<Json<Value>, Problem> {
    let id = WorkspaceChoice::parse_name(&id)?;
    let name = id.clone();
    blocking(&app, move |workspaces| workspaces.remove_all(&name)).await?;
    Ok(Json(json!({ "workspace": id, "removed": true })))
}

/// Notes which workspaces of others were named by tasks that were accepted.
pub(crate) async fn keep_named(app: &App, named: Vec<(TaskId, TaskId)>) {
    if named.is_empty() {
        return;
    }
    let kept = blocking(app, move |workspaces| {
        named
            .iter()
            .try_for_each(|(workspace, task)| workspaces.keep_for(workspace, task))
            .map_err(WorkspaceError::System)
    });
    if let Err(problem) = kept.await {
        tracing::warn!(?problem, "a workspace may go before the task that is to use it runs");
    }
}

fn parse(id: &TaskId, path: String) -> Result<WorkspacePath, Problem> {
    let shown: String = path.chars().take(80).flat_map(char::escape_debug).collect();
    WorkspacePath::parse(path).map_err(|rule| Problem::Unacceptable(format!("{rule}: `{shown}` in workspace `{id}`")))
}

/// Does something with files where that may block.
async fn blocking<T: Send + 'static>(
    app: &App,
    work: impl FnOnce(&Arc<Workspaces>) -> Result<T, WorkspaceError> + Send + 'static,
) -> Result<T, Problem> {
    let workspaces = Arc::clone(app.worker.workspaces());
    let done = tokio::task::spawn_blocking(move || work(&workspaces)).await;
    Ok(done.unwrap_or_else(|_| Err(WorkspaceError::System(std::io::Error::other("it was given up"))))?)
}
