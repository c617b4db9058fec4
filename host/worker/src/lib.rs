//! The loop that claims, runs and commits.
