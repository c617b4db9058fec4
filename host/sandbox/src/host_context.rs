//! `context`: what a guest may learn of its run, and tell of it.

use bulkhead_core::JsonText;
use wasmtime::Result;

use crate::bindings::bulkhead::handler::context::{
    Answer, Host, Level, Progress as GuestProgress, UpstreamTask, WorkflowStep,
};
use crate::fence::Fence;
use crate::guest_log::escape;
use crate::host_state::HostState;
use crate::{LogLevel, Progress, bounds};

impl Host for HostState {
    fn idempotency_key(&mut self) -> Result<String> {
        self.meter.charge(0);
        Ok(format!("{}:{}", self.identity.task, self.identity.stage))
    }

    fn tenant(&mut self) -> Result<Option<String>> {
        self.meter.charge(0);
        Ok(self.facts.as_ref().and_then(|facts| facts.tenant.clone()))
    }

    fn tags(&mut self) -> Result<Vec<(String, String)>> {
        let tags = self.facts.as_ref().map(|facts| &facts.tags);
        let bytes = tags.iter().flat_map(|tags| tags.iter()).map(|(name, value)| name.len() + value.len()).sum();
        self.meter.charge(bytes);
        Ok(tags.iter().flat_map(|tags| tags.iter()).map(|(name, value)| (name.clone(), value.clone())).collect())
    }

    fn traceparent(&mut self) -> Result<Option<String>> {
        self.meter.charge(0);
        Ok(self.facts.as_ref().and_then(|facts| facts.traceparent.clone()))
    }

    fn settings(&mut self) -> Result<String> {
        let settings = self.facts.as_ref().and_then(|facts| facts.settings.as_deref()).unwrap_or("{}");
        self.meter.charge(settings.len());
        Ok(settings.to_owned())
    }

    fn state(&mut self) -> Result<Option<String>> {
        let state = self.facts.as_ref().and_then(|facts| facts.state.as_deref());
        self.meter.charge(state.map_or(0, str::len));
        Ok(state.map(str::to_owned))
    }

    fn resumption(&mut self) -> Result<Option<Answer>> {
        let answer = self.facts.as_ref().and_then(|facts| facts.answer.as_ref());
        let bytes = match answer {
            Some(bulkhead_core::Answer::Given(answer)) => answer.len(),
            Some(bulkhead_core::Answer::TimedOut) | None => 0,
        };
        self.meter.charge(bytes);
        Ok(answer.map(|answer| match answer {
            bulkhead_core::Answer::Given(answer) => Answer::Given(answer.as_str().to_owned()),
            bulkhead_core::Answer::TimedOut => Answer::TimedOut,
        }))
    }

    fn upstream_count(&mut self) -> Result<u32> {
        self.meter.charge(0);
        Ok(self.count_upstream())
    }

    async fn upstream(&mut self, offset: u32, count: u32) -> Result<Vec<UpstreamTask>> {
        self.meter.charge(0);
        self.upstream_page(offset, count).await
    }

    async fn upstream_named(&mut self, name: String) -> Result<Option<UpstreamTask>> {
        self.meter.charge(name.len());
        self.one_upstream(&name).await
    }

    fn step(&mut self) -> Result<Option<WorkflowStep>> {
        let step = self.facts.as_ref().and_then(|facts| facts.step.as_ref());
        let bytes = step.map_or(0, |step| {
            let cursor = step.cursor.as_ref().map_or(0, |cursor| cursor.metadata.len());
            step.workflow_id.len() + step.workflow.len() + step.name.len() + cursor
        });
        self.meter.charge(bytes);
        Ok(step.cloned())
    }

    fn cancelled(&mut self) -> Result<bool> {
        self.meter.charge(0);
        Ok(self.control.stopped().is_some())
    }

    fn remaining_ms(&mut self) -> Result<u64> {
        self.meter.charge(0);
        let left = self.deadline.saturating_duration_since(self.control.now());
        Ok(u64::try_from(left.as_millis()).unwrap_or(u64::MAX))
    }

    /// Stands in for the function that `linker` puts in its place, since only that one can see the store's fuel.
    fn remaining_fuel(&mut self) -> Result<u64> {
        self.meter.charge(0);
        Ok(0)
    }

    fn log(&mut self, level: Level, message: String, fields: String) -> Result<()> {
        self.meter.charge(message.len() + fields.len());
        let fields = object("context.log: fields", fields, bounds::LOG_FIELDS)?;
        let level = match level {
            Level::Trace => LogLevel::Trace,
            Level::Debug => LogLevel::Debug,
            Level::Info => LogLevel::Info,
            Level::Warn => LogLevel::Warn,
            Level::Error => LogLevel::Error,
        };
        self.log().log(level, &message, fields.as_str());
        Ok(())
    }

    fn report_progress(&mut self, progress: GuestProgress) -> Result<()> {
        let GuestProgress { stage, text, fraction, metadata } = progress;
        self.meter.charge(stage.len() + text.len() + metadata.len());
        bounded("context.report-progress: stage", &stage, bounds::SHORT_NAME)?;
        bounded("context.report-progress: text", &text, bounds::PROGRESS_TEXT)?;
        let metadata = object("context.report-progress: metadata", metadata, bounds::PROGRESS_METADATA)?;
        if let Some(observer) = &self.observer {
            observer.progress(Progress {
                stage: &escape(&stage),
                text: &escape(&text),
                // What is no number between 0 and 1 says nothing.
                fraction: fraction.filter(|fraction| (0.0..=1.0).contains(fraction)),
                metadata: metadata.as_str(),
            });
        }
        Ok(())
    }

    fn audit(&mut self, code: String, details: String) -> Result<()> {
        self.meter.charge(code.len() + details.len());
        if !is_snake_case(&code) {
            let rule = format!("must be snake_case, 1 to {} of a–z 0–9 _", bounds::SHORT_NAME);
            return Err(breach("context.audit: code", &rule).into());
        }
        self.audits += 1;
        if self.audits > bounds::AUDITS {
            return Err(Fence::HostCalls.into());
        }
        let details = object("context.audit: details", details, bounds::AUDIT_DETAILS)?;
        if let Some(observer) = &self.observer {
            observer.audit(&code, details.as_str());
        }
        Ok(())
    }
}

impl crate::bindings::bulkhead::handler::types::Host for HostState {}

/// A JSON object as a guest passes it.
fn object(what: &str, text: String, limit: usize) -> Result<JsonText, Fence> {
    bounds::object(text, limit).map_err(|problem| breach(what, &problem))
}

fn bounded(what: &str, text: &str, limit: usize) -> Result<(), Fence> {
    if text.len() > limit {
        return Err(breach(what, &format!("{} bytes long; the limit is {limit}", text.len())));
    }
    Ok(())
}

fn breach(what: &str, rule: &str) -> Fence {
    Fence::Breach(format!("{what}: {rule}"))
}

fn is_snake_case(code: &str) -> bool {
    (1..=bounds::SHORT_NAME).contains(&code.len())
        && code.starts_with(|first: char| first.is_ascii_lowercase())
        && code.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn audit_codes_are_snake_case() {
        assert!(["a", "cart_emptied", "step_2"].into_iter().all(is_snake_case));
        assert!(!["", "A", "a b", "a-b", "_a", "2a", "é"].into_iter().any(is_snake_case));
        assert!(!is_snake_case(&"a".repeat(65)));
    }
}
