//! What a handler may do with containers.

use bulkhead_core::{HandlerName, Size};
use serde::{Deserialize, Serialize};

use crate::admit::MIN_MEMORY;
use crate::{ContainerUser, DockerError, ImagePattern};

/// The table `[handler.NAME.grants.docker]`.
///
/// Folders come from `grants.workspace`: a container may mount what the handler itself may see, and no more than read
/// where the handler may only read. The program runs as `user`, which must be able to read (and write) those files.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DockerGrant {
    /// Images that it may run: `name:tag`, `name@sha256:…`, or `name:*` for every tag of a name; none. A name without
    /// tag or digest means `:latest`. Names are compared as they are written: `alpine` is not `docker.io/library/alpine`.
    pub images: Vec<ImagePattern>,
    /// Whether its containers may have the engine's default network, from which they reach whatever this machine
    /// reaches; `false`.
    pub network: bool,
    /// The most memory of a container, files in `/tmp` and `/dev/shm` included, never swapped; `512MiB`.
    pub memory: Size,
    /// The most cores of a container; `1.0`.
    pub cpus: f64,
    /// The most processes and threads of a container at once; `128`.
    pub processes: u32,
    /// The size of `/tmp`, of `/dev/shm` and of each volume that the image declares; all of them are kept in memory, and
    /// are all that a container can write to beside the workspace; `64MiB`. Programs may be run from `/tmp` and volumes.
    pub tmpfs: Size,
    /// The most GPUs of a container; `0`.
    pub gpus: u32,
    /// Whether an image that the engine lacks is fetched from its registry; `false`.
    pub pull: bool,
    /// As whom its programs run, whatever the image says; `65534:65534` where the host is root, else the host's own.
    pub user: ContainerUser,
}

impl Default for DockerGrant {
    fn default() -> Self {
        Self {
            images: Vec::new(),
            network: false,
            memory: Size::from_mib(512),
            cpus: 1.0,
            processes: 128,
            tmpfs: Size::from_mib(64),
            gpus: 0,
            pull: false,
            user: ContainerUser::default(),
        }
    }
}

impl DockerGrant {
    /// Whether an engine could work with it; asked once, when the settings are read.
    pub fn check(&self, handler: &HandlerName) -> Result<(), DockerError> {
        let handler = handler.clone();
        if self.memory < MIN_MEMORY {
            return Err(DockerError::Memory { handler, given: self.memory });
        }
        if !(0.01..=4096.0).contains(&self.cpus) {
            return Err(DockerError::Cpus { handler, given: self.cpus });
        }
        if !(1..=1_000_000).contains(&self.processes) {
            return Err(DockerError::Processes { handler, given: self.processes });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_grant_without_images_lists_none_and_survives_being_written() {
        let grant: DockerGrant =
            serde_json::from_str(r#"{"images": ["alpine:*"], "memory": "1GiB"}"#).expect("a grant");
        assert_eq!((grant.memory, grant.processes, grant.network), (Size::from_mib(1024), 128, false));
        let written = serde_json::to_string(&grant).expect("written");
        assert_eq!(serde_json::from_str::<DockerGrant>(&written).ok(), Some(grant));
        assert!(DockerGrant::default().images.is_empty());
        assert!(serde_json::from_str::<DockerGrant>(r#"{"privileged": true}"#).is_err());
    }

    #[test]
    fn a_grant_that_no_engine_could_work_with_is_refused() {
        let handler = HandlerName::parse("render").expect("a name");
        let good = DockerGrant::default();
        assert_eq!(good.check(&handler), Ok(()));
        for bad in [
            DockerGrant { memory: Size::from_kib(1), ..good.clone() },
            DockerGrant { cpus: f64::NAN, ..good.clone() },
            DockerGrant { cpus: 0.0, ..good.clone() },
            DockerGrant { processes: 0, ..good },
        ] {
            let error = bad.check(&handler).expect_err("refused").to_string();
            assert!(error.starts_with("`handler.render.grants.docker."), "{error}");
        }
    }
}
