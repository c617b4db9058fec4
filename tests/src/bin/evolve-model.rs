//! The model of `examples/evolve` for people who have no other: says where it is, and answers until it is ended.

use std::io::Write;
use std::path::PathBuf;

use anyhow::{Context, Result};
use bulkhead_tests::ModelServer;
use bulkhead_tests::evolving::Answers;

fn main() -> Result<()> {
    let folder = std::env::args_os().nth(1).map(PathBuf::from).context("usage: evolve-model FOLDER")?;
    let answers = Answers::read(&folder).with_context(|| format!("`{}`", folder.display()))?;
    let server = ModelServer::answering(move |question| answers.reply(question));
    writeln!(std::io::stdout(), "{}", server.url())?;
    loop {
        std::thread::park();
    }
}
