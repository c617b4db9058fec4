//! What lists of tasks take.

use clap::Args;

#[derive(Debug, Args)]
pub(crate) struct ListArguments {
    /// Only tasks of this kind.
    #[arg(long)]
    pub(crate) kind: Option<String>,
    /// Only children of this task.
    #[arg(long, value_name = "ID")]
    pub(crate) parent: Option<String>,
    /// Only tasks of this tenant.
    #[arg(long)]
    pub(crate) tenant: Option<String>,
    /// Only tasks with this tag; may be given again: all of them are meant.
    #[arg(long = "tag", value_name = "NAME=VALUE", value_parser = tag)]
    pub(crate) tags: Vec<(String, String)>,
    /// At most so many.
    #[arg(long, default_value_t = 100)]
    pub(crate) limit: usize,
    /// Where the page before ended.
    #[arg(long)]
    pub(crate) cursor: Option<String>,
    /// Prints how many there are instead.
    #[arg(long)]
    pub(crate) count: bool,
}

/// A tag of a task or workflow as it is typed.
pub(super) fn tag(typed: &str) -> Result<(String, String), String> {
    let pair = typed.split_once('=').filter(|(name, _)| !name.is_empty());
    let (name, value) = pair.ok_or_else(|| format!("a tag is NAME=VALUE: `{typed}`"))?;
    Ok((name.to_owned(), value.to_owned()))
}
