//! Whether a job may run, and what of it is the operator's.

use std::collections::BTreeSet;

use bulkhead_core::{DelegateError, HandlerName, Job};

use crate::environment::{MAX_PROGRAM_NAME, is_devices, is_name, may_be_listed, may_set};
use crate::{GpuGrant, GpuSettings, ProgramSettings};

/// The bounds of `record job` in the contract.
const MAX_ARGUMENTS: usize = 1024;
const MAX_ARGUMENT_BYTES: usize = 64 << 10;
const MAX_VARIABLES: usize = 256;
const MAX_VARIABLE_BYTES: usize = 64 << 10;
const MAX_STDIN: usize = 16 << 20;

/// Checks a job against the bounds of the contract, the handler's grant and the operator's programs; gives the program.
pub(crate) fn admit<'a>(
    settings: &'a GpuSettings,
    handler: &HandlerName,
    grant: &GpuGrant,
    job: &Job,
) -> Result<&'a ProgramSettings, DelegateError> {
    if job.program.is_empty() || job.program.len() > MAX_PROGRAM_NAME {
        return Err(invalid(format!("`program`: a name has 1 to {MAX_PROGRAM_NAME} bytes")));
    }
    let granted = format!("handler.{handler}.grants.gpu");
    if !grant.programs.contains(&job.program) {
        return Err(denied(format!("`{granted}.programs` does not list `{}`; add it", job.program)));
    }
    let Some(program) = settings.programs.get(&job.program) else {
        return Err(denied(format!("the host has no `[gpu.programs.{}]`; add it, with its `path`", job.program)));
    };
    arguments(&job.arguments)?;
    variables(job, program)?;
    if job.stdin.len() > MAX_STDIN {
        return Err(invalid(format!("`stdin`: at most {MAX_STDIN} bytes: `{}`", job.stdin.len())));
    }
    if job.gpus == 0 {
        return Err(invalid("`gpus`: at least 1".into()));
    }
    if job.gpus > grant.count {
        return Err(denied(format!("`{granted}.count` allows {} devices, not {}; raise it", grant.count, job.gpus)));
    }
    match (job.memory_bytes_each, grant.memory_each) {
        (Some(asked), Some(most)) if asked > most.bytes() => Err(denied(format!(
            "`{granted}.memory_each` allows {} bytes on each device, not {asked}; raise it",
            most.bytes()
        ))),
        _ => Ok(program),
    }
}

fn arguments(arguments: &[String]) -> Result<(), DelegateError> {
    if arguments.len() > MAX_ARGUMENTS {
        return Err(invalid(format!("`arguments`: at most {MAX_ARGUMENTS}: `{}`", arguments.len())));
    }
    let bytes: usize = arguments.iter().map(String::len).sum();
    if bytes > MAX_ARGUMENT_BYTES {
        return Err(invalid(format!("`arguments`: at most {MAX_ARGUMENT_BYTES} bytes together: `{bytes}`")));
    }
    match arguments.iter().position(|argument| argument.contains('\0')) {
        Some(place) => Err(invalid(format!("`arguments`: number {place} holds a zero byte"))),
        None => Ok(()),
    }
}

fn variables(job: &Job, program: &ProgramSettings) -> Result<(), DelegateError> {
    let Job { program: called, env, .. } = job;
    if env.len() > MAX_VARIABLES {
        return Err(invalid(format!("`env`: at most {MAX_VARIABLES} variables: `{}`", env.len())));
    }
    let bytes: usize = env.iter().map(|(name, value)| name.len() + value.len()).sum();
    if bytes > MAX_VARIABLE_BYTES {
        return Err(invalid(format!("`env`: at most {MAX_VARIABLE_BYTES} bytes together: `{bytes}`")));
    }
    let mut seen = BTreeSet::new();
    for (name, value) in env {
        if !is_name(name) {
            return Err(invalid(format!("`env`: a name is not empty and has no `=`: `{}`", name.escape_debug())));
        }
        if value.contains('\0') {
            return Err(invalid(format!("`env`: the value of `{name}` holds a zero byte")));
        }
        if program.env.contains_key(name) {
            return Err(invalid(format!("`env`: the operator fixed `{name}` for this program")));
        }
        if is_devices(name) {
            return Err(denied(format!("`env`: `{name}` is the lease's to set, and nobody else's")));
        }
        if !may_set(program, name) {
            let shown = name.escape_debug();
            return Err(denied(if may_be_listed(name) {
                format!("`gpu.programs.{called}.job_env` does not list `{shown}`; add it")
            } else {
                format!(
                    "`env`: `{shown}` is not for a job to set, but for the operator, in `gpu.programs.{called}.env`"
                )
            }));
        }
        if !seen.insert(name) {
            return Err(invalid(format!("`env`: `{name}` is there twice")));
        }
    }
    Ok(())
}

fn invalid(text: String) -> DelegateError {
    DelegateError::Invalid(text)
}

fn denied(text: String) -> DelegateError {
    DelegateError::Denied(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use bulkhead_core::Size;

    fn settings() -> GpuSettings {
        let text = "[programs.smi]\npath = '/bin/true'\nenv = { MODEL = 'small' }\njob_env = ['A']";
        let mut settings: GpuSettings = toml::from_str(text).unwrap();
        let listed = (0..300).map(|number| format!("V{number}"));
        settings.programs.get_mut("smi").unwrap().job_env.extend(listed);
        settings
    }

    fn grant() -> GpuGrant {
        let memory_each = Some(Size::from_mib(8));
        GpuGrant { programs: vec!["smi".into(), "gone".into()], count: 2, memory_each }
    }

    fn job() -> Job {
        Job { program: "smi".into(), gpus: 1, ..Job::default() }
    }

    fn answer(job: &Job) -> Result<(), DelegateError> {
        admit(&settings(), &"render".parse().unwrap(), &grant(), job).map(|_| ())
    }

    fn with_env(name: &str, value: &str) -> Job {
        Job { env: vec![(name.into(), value.into())], ..job() }
    }

    #[test]
    fn what_the_grant_or_the_host_does_not_allow_is_denied_and_the_setting_named() {
        let text = |job: Job| match answer(&job) {
            Err(DelegateError::Denied(text)) => text,
            other => panic!("{other:?}"),
        };
        assert_eq!(
            text(Job { program: "other".into(), ..job() }),
            "`handler.render.grants.gpu.programs` does not list `other`; add it"
        );
        assert_eq!(
            text(Job { program: "gone".into(), ..job() }),
            "the host has no `[gpu.programs.gone]`; add it, with its `path`"
        );
        assert!(text(Job { gpus: 3, ..job() }).contains("`handler.render.grants.gpu.count` allows 2"));
        let greedy = Job { memory_bytes_each: Some((8 << 20) + 1), ..job() };
        assert!(text(greedy).contains("`handler.render.grants.gpu.memory_each`"));
        assert_eq!(
            text(with_env("OMP_NUM_THREADS", "4")),
            "`gpu.programs.smi.job_env` does not list `OMP_NUM_THREADS`; add it"
        );
        for name in ["HOME", "LD_PRELOAD"] {
            let expected =
                format!("`env`: `{name}` is not for a job to set, but for the operator, in `gpu.programs.smi.env`");
            assert_eq!(text(with_env(name, ".")), expected);
        }
        let devices = text(with_env("CUDA_VISIBLE_DEVICES", "0,1"));
        assert_eq!(devices, "`env`: `CUDA_VISIBLE_DEVICES` is the lease's to set, and nobody else's");
    }

    #[test]
    fn every_bound_holds_at_its_edge_and_not_beyond_it() {
        let arguments = |count: usize, bytes: usize| Job { arguments: vec!["x".repeat(bytes); count], ..job() };
        let env = |count: usize| Job { env: (0..count).map(|n| (format!("V{n}"), String::new())).collect(), ..job() };
        let stdin = |bytes: usize| Job { stdin: vec![0; bytes], ..job() };
        for good in [
            arguments(1024, 64),
            env(256),
            stdin(16 << 20),
            with_env("A", &"x".repeat((64 << 10) - 1)),
            Job { gpus: 2, memory_bytes_each: Some(8 << 20), ..job() },
        ] {
            assert_eq!(answer(&good), Ok(()));
        }
        for bad in [
            arguments(1025, 1),
            arguments(1, (64 << 10) + 1),
            env(257),
            stdin((16 << 20) + 1),
            with_env("A", &"x".repeat(64 << 10)),
            Job { gpus: 0, ..job() },
            Job { program: "x".repeat(129), ..job() },
            Job { program: String::new(), ..job() },
        ] {
            assert!(matches!(answer(&bad), Err(DelegateError::Invalid(_))));
        }
    }

    #[test]
    fn what_no_program_can_be_given_is_invalid_and_the_field_named() {
        for (bad, field) in [
            (Job { arguments: vec!["a\0b".into()], ..job() }, "`arguments`"),
            (with_env("", "x"), "`env`"),
            (with_env("A=B", "x"), "`env`"),
            (with_env("A", "x\0"), "`env`: the value of `A`"),
            (with_env("MODEL", "large"), "`env`: the operator fixed `MODEL`"),
            (
                Job { env: vec![("A".into(), "1".into()), ("A".into(), "2".into())], ..job() },
                "`env`: `A` is there twice",
            ),
        ] {
            match answer(&bad) {
                Err(DelegateError::Invalid(text)) => assert!(text.starts_with(field), "{text}"),
                other => panic!("{field}: {other:?}"),
            }
        }
    }
}
