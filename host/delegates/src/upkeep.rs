//! Which delegates are there, and what hosts that died have left.

use std::sync::Arc;
use std::time::Duration;

use bulkhead_core::{Tag, TagSet};
use bulkhead_sandbox::Catalogue;
use bulkhead_store::Store;
use tokio::time::MissedTickBehavior;

use crate::Delegates;

/// How often it is looked which engines answer.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// Every so many looks, what dead hosts have left is looked for, too.
const SWEEP_EVERY: u32 = 6;

/// How the delegates of a host are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Health {
    /// What the engine calls itself, or why it does not answer.
    pub docker: Result<String, String>,
    /// The tags that the devices give, or why there are none.
    pub gpu: Result<Vec<String>, String>,
    /// Each backend, and why it cannot be asked.
    pub llm: Vec<(String, Result<(), String>)>,
}

impl Delegates {
    /// Asks every delegate how it is. Takes some seconds at most.
    pub async fn health(&self) -> Health {
        let gpu = async {
            self.gpu.probe().await?;
            Ok(self.gpu.capabilities().await)
        };
        let (docker, gpu, llm) = tokio::join!(self.docker.probe(), gpu, self.llm.probe());
        Health { docker, gpu, llm: llm.into_iter().map(|health| (health.backend, health.state)).collect() }
    }

    /// The capability tags of a worker with these delegates, as they are now: `cpu` always.
    pub async fn tags(&self) -> TagSet {
        let (docker, gpu) = tokio::join!(self.docker.probe(), self.gpu.capabilities());
        found_tags(docker.is_ok(), &gpu, self.has_models)
    }

    /// Removes the containers that nobody will remove any more; gives their number.
    async fn sweep(&self, store: &dyn Store) -> Result<usize, String> {
        let over = self.sweep_leases(store).await?;
        Ok(over + self.docker.remove_orphans().await.map_err(|error| error.to_string())?)
    }

    /// Removes the containers of this store that no living lease is for; gives their number.
    async fn sweep_leases(&self, store: &dyn Store) -> Result<usize, String> {
        // First the containers, then the leases: what is begun in between is in neither list, or in both.
        let found = self.docker.leftovers().await.map_err(|error| error.to_string())?;
        if found.is_empty() {
            return Ok(0);
        }
        let living = store.living_leases().await.map_err(|error| error.to_string())?;
        let is_over = |lease: &bulkhead_core::LeaseId| !living.contains(lease);
        let over: Vec<String> =
            found.into_iter().filter(|left| left.lease.as_ref().is_some_and(is_over)).map(|left| left.id).collect();
        if over.is_empty() {
            return Ok(0);
        }
        self.docker.remove(&over).await.map_err(|error| error.to_string())
    }
}

/// The capability tags of a worker for which these were found.
pub fn found_tags(docker: bool, gpu: &[String], llm: bool) -> TagSet {
    let words = std::iter::once("cpu").chain(docker.then_some("docker")).chain(llm.then_some("llm"));
    let tags = words.chain(gpu.iter().map(String::as_str)).filter_map(|word| Tag::parse(word).ok());
    TagSet::try_new(tags).unwrap_or_default()
}

/// Looks after the delegates for as long as it is polled: the catalogue's tags follow what answers, where they are not
/// listed by the operator, and what dead hosts have left is removed.
pub async fn look_after(delegates: Arc<Delegates>, store: Arc<dyn Store>, catalogue: Arc<Catalogue>, follow: bool) {
    let mut clock = tokio::time::interval(LOOK_EVERY);
    clock.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut looks: u32 = 0;
    loop {
        clock.tick().await;
        if follow && catalogue.set_caps(delegates.tags().await).is_err() {
            tracing::debug!("the catalogue is busy; its tags are told again");
        }
        if looks.is_multiple_of(SWEEP_EVERY) && delegates.grants_docker() {
            match delegates.sweep(store.as_ref()).await {
                Ok(0) => {}
                Ok(removed) => tracing::info!(removed, "containers whose lease or process is over were removed"),
                Err(error) => tracing::debug!(error, "what is left of containers cannot be looked for"),
            }
        }
        looks = looks.wrapping_add(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_those_of_what_answers() {
        assert_eq!(found_tags(false, &[], false).to_string(), "cpu");
        let gpu = ["gpu".to_owned(), "cuda12".to_owned()];
        assert_eq!(found_tags(true, &gpu, true), TagSet::parse(["cpu", "cuda12", "docker", "gpu", "llm"]).unwrap());
    }
}
