//! Where workspaces are, as the hosts of one store tell each other.

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use bulkhead_core::{Home, TaskId, Timestamp};

use crate::{BoxFuture, StoreError};

/// A host that has not been heard of for so long counts as gone: several times what it takes to be heard of again.
pub const HOME_GONE_AFTER: Duration = Duration::from_secs(30);

/// A folder of workspaces, and the host that had it last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HomeView {
    /// The folder.
    pub home: Home,
    /// The name of the worker there.
    pub host: String,
    /// When it was last heard of.
    pub seen_at: Timestamp,
    /// Whether it was heard of lately.
    pub is_there: bool,
    /// Workspaces that are bound to it.
    pub workspaces: u64,
    /// When it was released.
    pub released_at: Option<Timestamp>,
}

/// What became of a wish to release the workspaces of a host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReleaseFate {
    /// Their tasks may run anywhere; so many workspaces were bound.
    Released {
        /// How many.
        workspaces: u64,
    },
    /// The host is there: what is in its workspaces is not lost.
    StillThere,
    /// No host of that name, and no home, has workspaces.
    Unknown,
}

/// Where workspaces are, on a store that several hosts have.
pub trait Homes: Send + Sync + std::fmt::Debug {
    /// Says that the host of this name is there and has this home, if any; gives the homes that were released.
    fn tell<'a>(&'a self, home: Option<&'a Home>, host: &'a str) -> BoxFuture<'a, Result<BTreeSet<Home>, StoreError>>;

    /// What each of these workspaces is bound to, of those that are.
    fn homes_of(&self, workspaces: Vec<TaskId>) -> BoxFuture<'_, Result<HashMap<TaskId, HomeView>, StoreError>>;

    /// Binds a workspace to the home of the host of this name, unless it is bound; gives what it is bound to then. None where
    /// that home was released.
    fn bind<'a>(
        &'a self,
        workspace: &'a TaskId,
        home: &'a Home,
        host: &'a str,
    ) -> BoxFuture<'a, Result<Option<Home>, StoreError>>;

    /// Forgets that a workspace is at a home: there is nothing in it any more.
    fn unbind<'a>(&'a self, workspace: &'a TaskId, home: &'a Home) -> BoxFuture<'a, Result<(), StoreError>>;

    /// All homes, by their hosts.
    fn homes(&self) -> BoxFuture<'_, Result<Vec<HomeView>, StoreError>>;

    /// Gives up what is in the workspaces of a host that is gone, named by its name or its home.
    fn release<'a>(&'a self, host: &'a str) -> BoxFuture<'a, Result<ReleaseFate, StoreError>>;
}
