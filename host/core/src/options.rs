//! What bounds a task's attempts, and who has the say.

use serde::{Deserialize, Serialize};

use crate::{Backoff, Fuel, Size, Span};

/// What a task, an operator or a handler asks for; what is absent is left to the next in line.
///
/// The published schema of options: the keys of `[handler.NAME]`, of `defaults()`, of `[handlers.defaults]`, and (the
/// first five) of a submitted task.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Overrides {
    /// Running time of one attempt over its runs, delegate calls included, waiting excluded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout: Option<Span>,
    /// Fuel of one run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fuel: Option<Fuel>,
    /// All of the sandbox's memories together.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory: Option<Size>,
    /// Attempts in all, the first included.
    #[serde(default, alias = "max_retries", skip_serializing_if = "Option::is_none")]
    pub max_attempts: Option<u32>,
    /// The wait between attempts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backoff: Option<Backoff>,
    /// Size of a result.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub result: Option<Size>,
    /// Size of one run's logs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub logs: Option<Size>,
    /// Runs of this handler at once on one worker.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_concurrent: Option<u32>,
    /// What follows a trap.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_trap: Option<OnTrap>,
    /// Whether a run out of fuel is tried again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_on_fuel: Option<bool>,
    /// Where a retry begins.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_from: Option<RetryFrom>,
    /// Stages of one task, before it is ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_stages: Option<u32>,
    /// Fuel of all runs of one task, before it is ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_fuel_total: Option<Fuel>,
}

/// What follows a trap.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OnTrap {
    /// The task is dead: the same run would trap again.
    #[default]
    Dead,
    /// It is retried like a retryable failure.
    Retry,
}

/// Where a retry begins.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RetryFrom {
    /// At the current stage, with its state.
    #[default]
    Stage,
    /// At stage 0, without state.
    Start,
}

/// What holds for one attempt, every question answered.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Options {
    /// Running time of one attempt.
    pub timeout: Span,
    /// Fuel of one run.
    pub fuel: Fuel,
    /// All of the sandbox's memories together.
    pub memory: Size,
    /// Attempts in all, the first included; at least 1.
    pub max_attempts: u32,
    /// The wait between attempts.
    pub backoff: Backoff,
    /// Size of a result.
    pub result: Size,
    /// Size of one run's logs.
    pub logs: Size,
    /// Runs of this handler at once on one worker, where bounded.
    pub max_concurrent: Option<u32>,
    /// What follows a trap.
    pub on_trap: OnTrap,
    /// Whether a run out of fuel is tried again.
    pub retry_on_fuel: bool,
    /// Where a retry begins.
    pub retry_from: RetryFrom,
    /// Stages of one task, before it is ended.
    pub max_stages: u32,
    /// Fuel of all runs of one task, before it is ended.
    pub max_fuel_total: Fuel,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            timeout: Span::from_secs(60),
            // About ten seconds of computing; a loop without end is caught before the wall clock does.
            fuel: Fuel::try_new(10_000_000_000).unwrap_or(Fuel::UNLIMITED),
            memory: Size::from_mib(64),
            max_attempts: 3,
            backoff: Backoff::default(),
            result: Size::from_mib(1),
            logs: Size::from_kib(256),
            max_concurrent: None,
            on_trap: OnTrap::Dead,
            retry_on_fuel: false,
            retry_from: RetryFrom::Stage,
            max_stages: 1_000,
            // A hundred runs that use all they may.
            max_fuel_total: Fuel::try_new(1_000_000_000_000).unwrap_or(Fuel::UNLIMITED),
        }
    }
}

/// What the host never exceeds, whoever asks.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Ceilings {
    /// The longest attempt.
    pub timeout: Span,
    /// The most fuel for one run.
    pub fuel: Fuel,
    /// The most memory for one sandbox.
    pub memory: Size,
    /// The most attempts.
    pub max_attempts: u32,
    /// The largest result.
    pub result: Size,
    /// The largest log of one run.
    pub logs: Size,
}

impl Default for Ceilings {
    fn default() -> Self {
        Self {
            timeout: Span::from_secs(24 * 3600),
            fuel: Fuel::UNLIMITED,
            memory: Size::from_mib(1024),
            max_attempts: 1000,
            result: Size::from_mib(16),
            logs: Size::from_mib(4),
        }
    }
}

/// Where an effective value comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// The task itself.
    Task,
    /// `[handler.NAME]` of the settings.
    Operator,
    /// The handler's `defaults()`.
    Handler,
    /// The task that spawned it.
    Parent,
    /// `[handlers.defaults]` of the settings.
    Defaults,
    /// Nobody said; the host's own default.
    BuiltIn,
    /// More was asked than the host allows.
    Ceiling,
}

impl std::fmt::Display for Source {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(match self {
            Self::Task => "task",
            Self::Operator => "[handler.NAME]",
            Self::Handler => "defaults()",
            Self::Parent => "parent task",
            Self::Defaults => "[handlers.defaults]",
            Self::BuiltIn => "built in",
            Self::Ceiling => "[handlers.ceilings]",
        })
    }
}

/// A value and where it comes from.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Effective<T> {
    /// The value that holds.
    pub value: T,
    /// Who said so.
    pub source: Source,
}

/// Everyone who has a say, in no order; [`Sources::resolve`] knows the order.
#[derive(Debug, Clone, Copy)]
pub struct Sources<'a> {
    /// What the host never exceeds.
    pub ceilings: &'a Ceilings,
    /// The task's own wishes.
    pub task: Option<&'a Overrides>,
    /// Those of the task that spawned it.
    pub parent: Option<&'a Overrides>,
    /// `[handler.NAME]`.
    pub operator: &'a Overrides,
    /// The handler's `defaults()`.
    pub handler: &'a Overrides,
    /// `[handlers.defaults]`.
    pub defaults: &'a Overrides,
}

impl<'a> Sources<'a> {
    /// Task, then operator, then handler, then parent, then defaults, then what is built in; the ceiling caps all.
    fn pick<T: Copy>(&self, of: impl Fn(&Overrides) -> Option<T>, built_in: T) -> Effective<T> {
        let said =
            |overrides: Option<&Overrides>, source| overrides.and_then(&of).map(|value| Effective { value, source });
        said(self.task, Source::Task)
            .or_else(|| said(Some(self.operator), Source::Operator))
            .or_else(|| said(Some(self.handler), Source::Handler))
            .or_else(|| said(self.parent, Source::Parent))
            .or_else(|| said(Some(self.defaults), Source::Defaults))
            .unwrap_or(Effective { value: built_in, source: Source::BuiltIn })
    }

    /// The value that holds for `timeout`, and so on for each of the others.
    pub fn timeout(&self) -> Effective<Span> {
        capped(self.pick(|overrides| overrides.timeout, Options::default().timeout), self.ceilings.timeout)
    }

    /// The fuel of one run.
    pub fn fuel(&self) -> Effective<Fuel> {
        capped(self.pick(|overrides| overrides.fuel, Options::default().fuel), self.ceilings.fuel)
    }

    /// The memory of one sandbox.
    pub fn memory(&self) -> Effective<Size> {
        capped(self.pick(|overrides| overrides.memory, Options::default().memory), self.ceilings.memory)
    }

    /// The attempts in all; zero counts as one.
    pub fn max_attempts(&self) -> Effective<u32> {
        let asked = self.pick(|overrides| overrides.max_attempts, Options::default().max_attempts);
        capped(Effective { value: asked.value.max(1), ..asked }, self.ceilings.max_attempts)
    }

    /// The back-off policy.
    pub fn backoff(&self) -> Effective<Backoff> {
        self.pick(|overrides| overrides.backoff, Options::default().backoff)
    }

    /// The size of a result.
    pub fn result(&self) -> Effective<Size> {
        capped(self.pick(|overrides| overrides.result, Options::default().result), self.ceilings.result)
    }

    /// The size of one run's logs.
    pub fn logs(&self) -> Effective<Size> {
        capped(self.pick(|overrides| overrides.logs, Options::default().logs), self.ceilings.logs)
    }

    /// The runs at once on one worker.
    pub fn max_concurrent(&self) -> Effective<Option<u32>> {
        self.pick(|overrides| overrides.max_concurrent.map(Some), None)
    }

    /// What follows a trap.
    pub fn on_trap(&self) -> Effective<OnTrap> {
        self.pick(|overrides| overrides.on_trap, OnTrap::default())
    }

    /// Whether a run out of fuel is tried again.
    pub fn retry_on_fuel(&self) -> Effective<bool> {
        self.pick(|overrides| overrides.retry_on_fuel, false)
    }

    /// Where a retry begins.
    pub fn retry_from(&self) -> Effective<RetryFrom> {
        self.pick(|overrides| overrides.retry_from, RetryFrom::default())
    }

    /// The stages of one task.
    pub fn max_stages(&self) -> Effective<u32> {
        self.pick(|overrides| overrides.max_stages, Options::default().max_stages)
    }

    /// The fuel of all runs of one task.
    pub fn max_fuel_total(&self) -> Effective<Fuel> {
        self.pick(|overrides| overrides.max_fuel_total, Options::default().max_fuel_total)
    }

    /// Every value that holds.
    pub fn resolve(&self) -> Options {
        Options {
            timeout: self.timeout().value,
            fuel: self.fuel().value,
            memory: self.memory().value,
            max_attempts: self.max_attempts().value,
            backoff: self.backoff().value,
            result: self.result().value,
            logs: self.logs().value,
            max_concurrent: self.max_concurrent().value,
            on_trap: self.on_trap().value,
            retry_on_fuel: self.retry_on_fuel().value,
            retry_from: self.retry_from().value,
            max_stages: self.max_stages().value,
            max_fuel_total: self.max_fuel_total().value,
        }
    }
}

fn capped<T: Ord + Copy>(asked: Effective<T>, ceiling: T) -> Effective<T> {
    if asked.value > ceiling { Effective { value: ceiling, source: Source::Ceiling } } else { asked }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn asking(attempts: Option<u32>) -> Overrides {
        Overrides { max_attempts: attempts, ..Overrides::default() }
    }

    proptest! {
        #[test]
        fn the_first_in_line_has_the_say_and_the_ceiling_caps_all(
            task: Option<u32>, operator: Option<u32>, handler: Option<u32>, parent: Option<u32>, defaults: Option<u32>,
            ceiling in 1u32..,
        ) {
            let ceilings = Ceilings { max_attempts: ceiling, ..Ceilings::default() };
            let (task_says, operator_says, parent_says) = (asking(task), asking(operator), asking(parent));
            let (handler_says, defaults_say) = (asking(handler), asking(defaults));
            let sources = Sources {
                ceilings: &ceilings,
                task: Some(&task_says),
                parent: Some(&parent_says),
                operator: &operator_says,
                handler: &handler_says,
                defaults: &defaults_say,
            };
            let asked = task.or(operator).or(handler).or(parent).or(defaults).unwrap_or(3).max(1);
            let effective = sources.max_attempts();
            prop_assert_eq!(effective.value, asked.min(ceiling));
            prop_assert_eq!(effective.source == Source::Ceiling, asked > ceiling);
        }
    }

    #[test]
    fn options_are_read_as_people_write_them() {
        let text = r#"{"timeout":"5s","fuel":"unlimited","memory":"32MiB","max_retries":2,"backoff":"linear"}"#;
        let read: Overrides = serde_json::from_str(text).unwrap();
        assert_eq!(read.timeout, Some(Span::from_secs(5)));
        assert_eq!(read.fuel, Some(Fuel::UNLIMITED));
        assert_eq!(read.memory, Some(Size::from_mib(32)));
        assert_eq!(read.max_attempts, Some(2));
    }

    #[test]
    fn zero_fuel_and_unknown_keys_are_refused() {
        assert!(serde_json::from_str::<Overrides>(r#"{"fuel":0}"#).unwrap_err().to_string().contains("unlimited"));
        assert!(serde_json::from_str::<Overrides>(r#"{"timout":"5s"}"#).is_err());
        assert!(serde_json::from_str::<Overrides>(r#"{"timeout":5}"#).unwrap_err().to_string().contains("unit"));
    }
}
