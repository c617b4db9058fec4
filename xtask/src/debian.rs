//! Debian's packages, installed where this is Debian and this user may.

use std::fs::Permissions;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use crate::tools::quietly;

/// What Debian asks whether a service may be started.
const POLICY: &str = "/usr/sbin/policy-rc.d";
/// Where Debian is told about the cluster that it makes with PostgreSQL.
const CLUSTER: &str = "/etc/postgresql-common/createcluster.conf";

/// Installs the packages.
pub(crate) fn apt_install(packages: &[&str]) -> bool {
    let install = || {
        let mut install = Command::new("apt-get");
        install.args(["install", "-y", "-qq", "--no-install-recommends"]).args(packages);
        // Nobody is asked anything, and what an administrator has written is kept.
        quietly(install.env("DEBIAN_FRONTEND", "noninteractive").env("UCF_FORCE_CONFFOLD", "1"))
    };
    install() || (quietly(Command::new("apt-get").args(["update", "-qq"])) && install())
}

/// Installs packages that bring a service, which is not started, and for PostgreSQL no cluster is made: only the programs
/// are of use here.
pub(crate) fn apt_install_without_service(packages: &[&str]) -> bool {
    let cluster = Path::new(CLUSTER);
    if let Some(folder) = cluster.parent() {
        // Where either fails, so will apt-get, for the same reason.
        let _ = std::fs::create_dir_all(folder);
        let _ = write_new(cluster, "create_main_cluster = false\n");
    }
    let policy = Path::new(POLICY);
    let ours = write_new(policy, "#!/bin/sh\nexit 101\n")
        .and_then(|()| std::fs::set_permissions(policy, Permissions::from_mode(0o755)))
        .is_ok();
    let installed = apt_install(packages);
    if ours {
        let _ = std::fs::remove_file(policy);
    }
    installed
}

/// Writes a file that is not there yet.
fn write_new(file: &Path, text: &str) -> std::io::Result<()> {
    std::fs::File::create_new(file)?.write_all(text.as_bytes())
}
