//! Where workspaces are, and which host may run a task that uses one.

use std::collections::BTreeSet;

crate::text::text_type! {
    /// A folder that holds workspaces, by the name that was thrown when it was made. Hosts that see the same folder have
    /// the same home, and a host that is started again on its disk has the one that it had.
    Home, "home of workspaces", "16 of 0–9 a–f", |text| {
        text.len() == 16 && text.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
    }
}

/// Whether a task that is bound to a home may run on a host of this home; one that was released may run on any.
pub fn may_run_at(bound_to: Option<&Home>, own: Option<&Home>, released: &BTreeSet<Home>) -> bool {
    bound_to.is_none_or(|home| own == Some(home) || released.contains(home))
}

/// What a host does before a run uses a workspace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Use {
    /// Runs: the workspace is here.
    Here,
    /// Runs; binds the workspace before anything is first put into it.
    Unbound,
    /// Binds the workspace, and then runs.
    Bind,
    /// Sends the task to the host of this home.
    Elsewhere(Home),
}

/// Decides where a workspace is used: what it is bound to, and what the host that was asked knows of it.
///
/// `holds_files`: something is in the folder that this host has of it. `unwatched`: others than the guest may put something
/// there, such as containers, of which the host hears only afterwards.
pub fn before_use(bound_to: Option<Home>, own: Option<&Home>, holds_files: bool, unwatched: bool) -> Use {
    match bound_to {
        Some(home) if own == Some(&home) => Use::Here,
        Some(home) => Use::Elsewhere(home),
        None if holds_files || unwatched => Use::Bind,
        None => Use::Unbound,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn home(text: &str) -> Home {
        Home::parse(text.repeat(16)).unwrap()
    }

    #[test]
    fn a_bound_task_runs_at_its_home_or_anywhere_once_that_is_released() {
        let (a, b) = (home("a"), home("b"));
        let none = BTreeSet::new();
        assert!(may_run_at(None, None, &none) && may_run_at(None, Some(&a), &none));
        assert!(may_run_at(Some(&a), Some(&a), &none));
        assert!(!may_run_at(Some(&a), Some(&b), &none) && !may_run_at(Some(&a), None, &none));
        let released = BTreeSet::from([a.clone()]);
        assert!(may_run_at(Some(&a), Some(&b), &released) && may_run_at(Some(&a), None, &released));
    }

    #[test]
    fn a_workspace_is_bound_by_what_is_in_it_and_not_by_being_opened() {
        let (a, b) = (home("a"), home("b"));
        assert_eq!(before_use(None, Some(&a), false, false), Use::Unbound);
        assert_eq!(before_use(None, None, true, false), Use::Bind);
        assert_eq!(before_use(None, Some(&a), false, true), Use::Bind);
        for (holds_files, unwatched) in [(false, false), (true, true)] {
            assert_eq!(before_use(Some(a.clone()), Some(&a), holds_files, unwatched), Use::Here);
            assert_eq!(before_use(Some(b.clone()), Some(&a), holds_files, unwatched), Use::Elsewhere(b.clone()));
            assert_eq!(before_use(Some(b.clone()), None, holds_files, unwatched), Use::Elsewhere(b.clone()));
        }
    }

    #[test]
    fn a_home_is_no_tag_and_no_tag_a_home() {
        assert!(Home::parse("cpu").is_err() && Home::parse("A".repeat(16)).is_err());
    }
}
