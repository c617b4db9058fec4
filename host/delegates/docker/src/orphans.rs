//! Containers without a lease whose maker was killed before it removed them.

use std::collections::HashMap;

use bollard::errors::Error;
use bollard::query_parameters::ListContainersOptionsBuilder;

use crate::labels::MAKER;
use crate::maker::Maker;
use crate::removal::remove;

/// Kills and removes them, whichever store they name: a process that is gone makes no difference between stores. Gives
/// their number.
pub(crate) async fn remove_orphans(client: &bollard::Docker) -> Result<usize, Error> {
    let Some(this) = Maker::this() else { return Ok(0) };
    let filters = HashMap::from([("label", vec![MAKER])]);
    let options = ListContainersOptionsBuilder::default().all(true).filters(&filters).build();
    let mut removed = 0;
    for container in client.list_containers(Some(options)).await? {
        let labels = container.labels.unwrap_or_default();
        let is_orphan =
            labels.get(MAKER).and_then(|label| Maker::parse(label)).is_some_and(|maker| maker.is_gone(&this));
        if let Some(id) = container.id.filter(|_| is_orphan) {
            match remove(client, &id).await {
                Ok(there_was_one) => removed += usize::from(there_was_one),
                // It is nobody's, and must not keep others from what they are about.
                Err(error) => {
                    tracing::warn!(container = id, %error, "what a killed process left cannot be removed yet")
                }
            }
        }
    }
    Ok(removed)
}
