//! One file for each command.

mod config;
mod db;
mod dlq;
mod doctor;
mod events;
mod exec;
mod handler;
mod init;
mod new;
mod run;
mod schedule;
mod show;
mod submit;
mod submit_file;
mod task;
mod wait;
mod webhook;
mod worker;
mod workflow;
mod workspace;

use std::io::Read;

use anyhow::{Context, Result};
use bulkhead_core::{JsonText, MAX_JSON_DEPTH};

use crate::arguments::{Arguments, Command};
use crate::client::Client;
use crate::exit::ExitStatus;
use crate::printer::Printer;
use crate::settings::{Resolved, resolve};

/// Runs the command that was typed.
pub(crate) fn run(arguments: Arguments, printer: &mut Printer) -> Result<ExitStatus> {
    let settings = |flags: &[crate::settings::Flag<'_>]| -> Result<Resolved> {
        Ok(resolve(arguments.config.as_deref(), std::env::vars(), flags)?)
    };
    let client = || Client::new(&arguments.url);
    match arguments.command {
        Command::Init(init) => init::run(&init, printer),
        Command::Run(run) => run::run(&run, &settings(&run.flags())?.settings, printer),
        Command::Exec(exec) => exec::run(&exec, &settings(&[])?.settings, printer),
        Command::Submit(submit) => submit::run(submit, &client(), printer),
        Command::Task(task) => task::run(task, &client(), printer),
        Command::Dlq(dlq) => dlq::run(dlq, &client(), printer),
        Command::Workflow(workflow) => workflow::run(workflow, &client(), || Ok(settings(&[])?.settings), printer),
        Command::Schedule(schedule) => schedule::run(schedule, &client(), printer),
        Command::Webhook(webhook) => webhook::run(webhook, &client(), printer),
        Command::Events(events) => events::run(&events, &client(), printer),
        Command::Handler(handler) => handler::run(handler, &client(), || Ok(settings(&[])?.settings), printer),
        Command::Worker(worker) => worker::run(worker, &client(), printer),
        Command::Workspace(command) => workspace::run(command, &client(), printer),
        Command::New(new) => new::run(&new, &settings(&[])?.settings, printer),
        Command::Db(db) => db::run(&db, &settings(&[])?.settings, printer),
        Command::Config(config) => config::run(&config, &settings(&[])?, printer),
        Command::Doctor => doctor::run(&settings(&[])?, printer),
    }
}

/// A payload, or the like, as it was typed, byte for byte; what is no JSON is refused here, by its name.
fn read_json(what: &str, typed: &str) -> Result<JsonText> {
    JsonText::parse(read_payload(typed)?.trim(), usize::MAX)
        .with_context(|| format!("the {what} is refused (JSON, nested at most {MAX_JSON_DEPTH} deep)"))
}

/// A payload as it was typed: JSON itself, `@FILE`, or `-` for standard input.
fn read_payload(typed: &str) -> Result<String> {
    if typed == "-" {
        let mut text = String::new();
        std::io::stdin().read_to_string(&mut text).context("standard input cannot be read")?;
        return Ok(text);
    }
    match typed.strip_prefix('@') {
        Some(file) => std::fs::read_to_string(file).with_context(|| format!("the payload cannot be read: `{file}`")),
        None => Ok(typed.to_owned()),
    }
}
