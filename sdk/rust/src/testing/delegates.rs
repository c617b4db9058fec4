//! What delegates answer in a test, and what they were asked.

use std::cell::RefCell;
use std::rc::Rc;

use crate::docker::Container;
use crate::gpu::{Device, Job};
use crate::http::{self, HttpError};
use crate::llm::{Candidate, Request};
use crate::{DelegateError, Exit};

type Answer<Q, A, E = DelegateError> = Option<Rc<dyn Fn(&Q) -> Result<A, E>>>;

/// What a test lets delegates answer; nothing, where it says nothing.
#[derive(Clone, Default)]
pub(super) struct Answers {
    pub(super) docker: Answer<Container, Exit>,
    pub(super) gpu: Answer<Job, Exit>,
    pub(super) llm: Answer<Request, Vec<Candidate>>,
    pub(super) http: Answer<http::Request, http::Response, HttpError>,
    pub(super) devices: Vec<Device>,
}

impl std::fmt::Debug for Answers {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Answers").field("devices", &self.devices).finish_non_exhaustive()
    }
}

/// What delegates were asked during a run.
#[derive(Debug, Default)]
pub(super) struct Asked {
    pub(super) containers: Vec<Container>,
    pub(super) jobs: Vec<Job>,
    pub(super) requests: Vec<Request>,
    pub(super) http_requests: Vec<http::Request>,
}

#[derive(Default)]
struct Run {
    answers: Answers,
    asked: Asked,
}

thread_local! {
    /// The runs under way on this thread, one inside of the other.
    static RUNS: RefCell<Vec<Run>> = const { RefCell::new(Vec::new()) };
}

/// Ends a run, though it panics: the next test on this thread must not find its answers.
struct Under;

impl Drop for Under {
    fn drop(&mut self) {
        RUNS.with_borrow_mut(|runs| runs.pop());
    }
}

/// Does something while delegates answer so; gives what they were asked as well.
pub(super) fn answering<R>(answers: Answers, act: impl FnOnce() -> R) -> (R, Asked) {
    RUNS.with_borrow_mut(|runs| runs.push(Run { answers, asked: Asked::default() }));
    let _under = Under;
    let given = act();
    let asked = RUNS.with_borrow_mut(|runs| runs.last_mut().map(|run| std::mem::take(&mut run.asked)));
    (given, asked.unwrap_or_default())
}

pub(crate) fn run_container(container: Container) -> Result<Exit, DelegateError> {
    ask("docker", container, |run| run.answers.docker.clone(), |asked| &mut asked.containers, DelegateError::Denied)
}

pub(crate) fn run_job(job: Job) -> Result<Exit, DelegateError> {
    ask("gpu", job, |run| run.answers.gpu.clone(), |asked| &mut asked.jobs, DelegateError::Denied)
}

pub(crate) fn generate(request: Request) -> Result<Vec<Candidate>, DelegateError> {
    ask("llm", request, |run| run.answers.llm.clone(), |asked| &mut asked.requests, DelegateError::Denied)
}

pub(crate) fn send_http(request: http::Request) -> Result<http::Response, HttpError> {
    ask("http", request, |run| run.answers.http.clone(), |asked| &mut asked.http_requests, HttpError::Denied)
}

pub(crate) fn devices() -> Vec<Device> {
    RUNS.with_borrow(|runs| runs.last().map(|run| run.answers.devices.clone()).unwrap_or_default())
}

fn ask<Q, A, E>(
    delegate: &str,
    question: Q,
    answer: impl FnOnce(&Run) -> Answer<Q, A, E>,
    log: impl FnOnce(&mut Asked) -> &mut Vec<Q>,
    denied: impl FnOnce(String) -> E,
) -> Result<A, E> {
    // Not borrowed while the test's closure runs: it may run a handler itself.
    let answer = RUNS.with_borrow(|runs| runs.last().and_then(answer));
    let answered = match answer {
        Some(answer) => answer(&question),
        None => Err(denied(format!("this test grants no {delegate}; say what it answers: `.{delegate}(…)`"))),
    };
    RUNS.with_borrow_mut(|runs| {
        if let Some(run) = runs.last_mut() {
            log(&mut run.asked).push(question);
        }
    });
    answered
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::docker::Container;
    use crate::gpu::{Job, devices};
    use crate::llm::Request;
    use crate::prelude::*;
    use crate::testing::TestTask;

    /// Asks whatever the payload names.
    #[derive(Default)]
    struct Ask;

    impl Handler for Ask {
        const KIND: &'static str = "ASK";
        type Payload = String;

        fn dispatch(_: &RawTask) -> bool {
            Container::new("alpine:3").run().is_ok()
        }

        fn handle(&self, task: Task<String>, _: &Context) -> Result<Outcome, Failure> {
            match task.payload.as_str() {
                "docker" => complete(Container::new("alpine:3").command(["true"]).run()?.code),
                "gpu" => complete(Job::new("train").run()?.code),
                "llm" => complete(Request::new().user("why?").generate()?.remove(0).text),
                _ => complete(devices().len()),
            }
        }
    }

    #[test]
    fn a_delegate_answers_what_the_test_says_and_the_run_tells_what_it_was_asked() {
        let exit = |code| Ok(Exit { code, ..Exit::default() });
        let task = |payload| {
            TestTask::new(payload)
                .docker(move |container| exit(i32::try_from(container.command.len()).unwrap_or_default()))
                .gpu(move |_| exit(2))
                .devices([Device::default(), Device::default()])
                .llm(|request| Ok(vec![Candidate::new("small", request.messages[0].content.to_uppercase())]))
        };
        let run = task("docker").run::<Ask>();
        assert_eq!((run.result(), run.containers.len(), run.jobs.len()), (json!(1), 1, 0));
        let run = task("gpu").run::<Ask>();
        assert_eq!((run.result(), run.jobs[0].program.as_str()), (json!(2), "train"));
        let run = task("llm").run::<Ask>();
        assert_eq!((run.result(), run.requests.len()), (json!("WHY?"), 1));
        assert_eq!(task("devices").run::<Ask>().result(), json!(2));
    }

    #[test]
    fn without_an_answer_a_delegate_is_denied_as_it_is_without_a_grant() {
        for delegate in ["docker", "gpu", "llm"] {
            let run = TestTask::new(delegate).run::<Ask>();
            assert_eq!((run.failure().code.as_str(), run.failure().retryable), ("denied", false), "{delegate}");
        }
        assert_eq!(TestTask::new("devices").run::<Ask>().result(), json!(0));
    }

    #[test]
    fn in_dispatch_delegates_are_denied() {
        assert!(!TestTask::new("docker").docker(|_| Ok(Exit::default())).dispatch::<Ask>());
    }

    #[test]
    fn answers_end_with_their_run_though_it_panics() {
        let task = TestTask::new("docker").docker(|_| panic!("no engine"));
        let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| task.run::<Ask>()));
        assert!(panicked.is_err());
        assert!(matches!(Container::new("alpine:3").run(), Err(DelegateError::Denied(_))));
    }

    #[test]
    fn an_answer_may_run_a_handler_itself() {
        let inner = || TestTask::new("docker").docker(|_| Ok(Exit { code: 7, ..Exit::default() })).run::<Ask>();
        let task = TestTask::new("docker")
            .docker(move |_| Ok(Exit { code: inner().containers.len() as i32, ..Exit::default() }));
        let run = task.run::<Ask>();
        assert_eq!((run.result(), run.containers.len()), (json!(1), 1));
    }
}
