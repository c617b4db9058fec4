//! What can be typed after `bulkhead workspace`.

use std::path::PathBuf;

use clap::Subcommand;

#[derive(Debug, Subcommand)]
pub(crate) enum WorkspaceCommand {
    /// Copies a folder's files into a workspace, in place of those of the same names.
    Push {
        /// The task whose workspace it is, submitted already or not.
        id: String,
        /// The folder.
        folder: PathBuf,
    },
    /// Lists the files of a workspace.
    List {
        /// The task whose workspace it is.
        id: String,
    },
    /// Copies the files of a workspace into a folder, in place of those of the same names.
    Pull {
        /// The task whose workspace it is.
        id: String,
        /// The folder, made where it is not there.
        folder: PathBuf,
    },
    /// Lists the hosts that have workspaces, where several hosts share a store.
    Hosts,
    /// Gives up what is in the workspaces of a host that is gone for good: their tasks go on elsewhere, with empty ones.
    Release {
        /// The host's name or home, as `hosts` lists them.
        host: String,
    },
    /// Removes a workspace that no run uses.
    Remove {
        /// The task whose workspace it is.
        id: String,
    },
}
