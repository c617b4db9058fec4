//! `LISTEN` and `NOTIFY`, on a connection of their own: inside a transaction, `NOTIFY` would hold up every other commit.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;
use tokio_postgres::AsyncMessage;

use crate::StoreError;
use crate::relational::{Bell, Listen};

use super::failure::words;
use super::settings::PostgresSettings;

/// Rings that come closer together than this are one.
const APART: Duration = Duration::from_millis(5);

/// How long until a lost connection is made anew; until then, hosts find by looking what they would be told.
const AGAIN: Duration = Duration::from_secs(2);

/// Rings that wait to be heard; one that finds no room says nothing that those before it do not.
const HEARD: usize = 64;

/// The wish to ring.
#[derive(Debug, Default)]
struct Rope(Arc<Notify>);

impl Bell for Rope {
    fn ring(&self) {
        self.0.notify_one();
    }
}

/// Listens on a thread of its own for as long as anybody holds the bell.
pub(super) fn listen(settings: &PostgresSettings) -> Option<Listen> {
    let url = match (&settings.listen_url, settings.pooled) {
        (Some(url), _) => url.clone(),
        (None, false) => settings.url.clone(),
        // A pooler gives what is said to whoever has the connection by then.
        (None, true) => return None,
    };
    let settings = settings.clone();
    Some(Box::new(move |heard| {
        let rope = Rope::default();
        let wish = Arc::downgrade(&rope.0);
        let listener = std::thread::Builder::new().name("bulkhead-listen".to_owned()).spawn(move || {
            let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else { return };
            runtime.block_on(async {
                while wish.strong_count() > 0 {
                    if let Err(error) = listen_once(&settings, &url, &wish, &heard).await {
                        tracing::debug!(%error, "not told of what other hosts do, for now");
                    }
                    tokio::time::sleep(AGAIN).await;
                }
            });
        });
        if let Err(error) = listener {
            tracing::warn!(%error, "no thread to listen to other hosts; they are looked at now and then");
        }
        Arc::new(rope)
    }))
}

/// Listens and rings on one connection, until that is lost or nobody is there any more.
async fn listen_once(
    settings: &PostgresSettings,
    url: &str,
    wish: &std::sync::Weak<Notify>,
    heard: &(dyn Fn() + Send),
) -> Result<(), StoreError> {
    let failed = |error: tokio_postgres::Error| StoreError::Unreachable { reason: words(&error) };
    let (client, mut connection) = settings.connect_to(url).await?;
    let (said, mut says) = tokio::sync::mpsc::channel(HEARD);
    let driver = async move {
        loop {
            match std::future::poll_fn(|context| connection.poll_message(context)).await {
                Some(Ok(AsyncMessage::Notification(notification))) => drop(said.try_send(notification.process_id())),
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return,
            }
        }
    };
    let talk = async {
        // Of this schema alone: several stores may be in one database.
        let row = client
            .query_one("SELECT 'bulkhead_' || hashtext(current_schema()), pg_backend_pid()", &[])
            .await
            .map_err(failed)?;
        let (channel, own): (String, i32) = (row.get(0), row.get(1));
        client.batch_execute(&format!("LISTEN \"{channel}\"")).await.map_err(failed)?;
        while let Some(wish) = wish.upgrade() {
            tokio::select! {
                from = says.recv() => match from {
                    Some(from) if from != own => heard(),
                    Some(_) => {}
                    None => return Ok(()),
                },
                () = wish.notified() => {
                    client.batch_execute(&format!("NOTIFY \"{channel}\"")).await.map_err(failed)?;
                    tokio::time::sleep(APART).await;
                }
                // So that the end of the store is noticed.
                () = tokio::time::sleep(AGAIN) => {}
            }
        }
        Ok(())
    };
    tokio::select! {
        () = driver => Ok(()),
        ended = talk => ended,
    }
}
