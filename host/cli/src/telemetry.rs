//! Where log lines go.

use std::io::IsTerminal;

use anyhow::{Context, Result};
use tracing_subscriber::EnvFilter;

use crate::settings::{LogFormat, Settings};

/// Writes log lines to standard error, as the settings say.
pub(crate) fn start(settings: &Settings) -> Result<()> {
    let filter = filter(settings)?;
    let colours = std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    let lines = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_ansi(colours);
    match settings.log.format {
        LogFormat::Text => lines.try_init(),
        LogFormat::Json => lines.json().try_init(),
    }
    .map_err(|error| anyhow::anyhow!("the log could not be started: {error}"))
}

/// Warns of requests that are none, one line for each: a guest could fill the host's log with them.
const NOISY: &str = "wasmtime_wasi_http";

/// Which lines are written.
pub(crate) fn filter(settings: &Settings) -> Result<EnvFilter> {
    let text = &settings.log.filter;
    let filter = EnvFilter::builder().parse(text);
    let filter = filter.with_context(|| format!("log.filter is no level and no list of directives: `{text}`"))?;
    match text.contains(NOISY) {
        true => Ok(filter),
        false => Ok(filter.add_directive(format!("{NOISY}=error").parse()?)),
    }
}
