//! A guest that does not end by itself is ended, and nobody beside it notices.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bulkhead_core::{Interruption, Limit, RunEnd};
use bulkhead_sandbox::{LogLevel, Observer, Progress, Stop};

use crate::harness::{Ears, Run};

/// How late an end may be.
const PROMPT: Duration = Duration::from_millis(100);

#[tokio::test]
async fn a_loop_runs_out_of_fuel() {
    let report = Run::of("loop_forever").fuel(10_000_000).report().await;
    assert_eq!(report.end, RunEnd::OutOfFuel);
    assert!((10_000_000..11_000_000).contains(&report.fuel), "{}", report.fuel);
}

#[tokio::test]
async fn a_loop_without_a_fuel_bound_times_out_promptly() {
    let timeout = Duration::from_millis(200);
    let report = Run::of("loop_forever").fuel(u64::MAX).timeout(timeout).report().await;
    assert_eq!(report.end, RunEnd::TimedOut);
    assert!(report.elapsed >= timeout && report.elapsed < timeout + PROMPT, "{:?}", report.elapsed);
}

#[tokio::test]
async fn a_sleeper_times_out_promptly() {
    let timeout = Duration::from_millis(200);
    let report = Run::of("sleep_forever").timeout(timeout).report().await;
    assert_eq!(report.end, RunEnd::TimedOut);
    assert!(report.elapsed >= timeout && report.elapsed < timeout + PROMPT, "{:?}", report.elapsed);
}

#[tokio::test]
async fn a_nap_within_the_timeout_completes() {
    assert_eq!(Run::of("nap").payload(30).result().await, "null");
}

#[tokio::test]
async fn dispatch_has_a_small_budget_of_its_own() {
    assert_eq!(Run::of("dispatch_loops").end().await, RunEnd::OutOfFuel);
    let report = Run::of("dispatch_sleeps").report().await;
    assert_eq!(report.end, RunEnd::TimedOut);
    assert!(report.elapsed < Duration::from_millis(100) + PROMPT, "{:?}", report.elapsed);
}

#[tokio::test]
async fn a_stop_reaches_sleepers_and_loops_promptly_and_says_why() {
    for guest in ["sleep_forever", "loop_forever"] {
        for (why, end) in [
            (Stop::Cancel, RunEnd::Cancelled),
            (Stop::Drain, RunEnd::Interrupted(Interruption::Drain)),
            (Stop::LeaseLost, RunEnd::Interrupted(Interruption::LeaseLost)),
        ] {
            let run = Run::of(guest).fuel(u64::MAX);
            let stopper = {
                let control = Arc::clone(&run.control);
                // A thread of its own: the loop has this one.
                std::thread::spawn(move || {
                    std::thread::sleep(Duration::from_millis(20));
                    control.stop(why);
                    Instant::now()
                })
            };
            assert_eq!(run.end().await, end, "{guest}");
            let late = stopper.join().unwrap().elapsed();
            assert!(late < PROMPT, "{guest}: {late:?}");
        }
    }
}

#[tokio::test]
async fn a_run_that_is_stopped_before_it_starts_does_not_start() {
    let run = Run::of("noop");
    run.control.stop(Stop::Cancel);
    let report = run.report().await;
    assert_eq!((report.end, report.fuel), (RunEnd::Cancelled, 0));
}

/// The thread is lent to others at every tick: timers and neighbours go on beside a loop.
#[tokio::test(flavor = "current_thread")]
async fn timers_of_the_same_thread_fire_beside_a_loop() {
    let run = Run::of("loop_forever").fuel(u64::MAX).timeout(Duration::from_millis(500));
    let beats = async {
        let started = Instant::now();
        for _ in 0..10 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        started.elapsed()
    };
    let (end, beats) = tokio::join!(run.end(), beats);
    assert_eq!(end, RunEnd::TimedOut);
    assert!(beats < Duration::from_millis(300), "{beats:?}");
}

#[tokio::test(flavor = "current_thread")]
async fn a_canary_on_the_same_thread_finishes_beside_hostile_guests() {
    let hostile = ["loop_forever", "sleep_forever", "many_calls"]
        .map(|guest| Run::of(guest).payload(1).fuel(u64::MAX).timeout(Duration::from_millis(300)));
    let canary = Run::of("echo").payload("1");
    let canaries = async {
        for _ in 0..20 {
            assert_eq!(canary.result().await, "1");
            tokio::task::yield_now().await;
        }
    };
    let [one, two, three] = &hostile;
    let (one, two, three, ()) = tokio::join!(one.end(), two.end(), three.end(), canaries);
    assert_eq!([one, two, three], [RunEnd::TimedOut, RunEnd::TimedOut, RunEnd::TimedOut]);
}

#[tokio::test(flavor = "current_thread")]
async fn what_a_run_may_take_does_not_depend_on_its_neighbours() {
    let timeout = Duration::from_millis(400);
    // Alone it takes a fraction of its time; beside seven that compute all the while, more than all of it.
    let run = Run::of("counts").payload(30_000_000).fuel(u64::MAX).timeout(timeout);
    let alone = run.report().await;
    assert!(matches!(alone.end, RunEnd::Completed(_)), "{:?}", alone.end);
    let neighbours: Vec<_> =
        (0..7).map(|_| Run::of("loop_forever").fuel(u64::MAX).timeout(alone.elapsed * 3)).collect();
    let started = Instant::now();
    let neighbours = async { futures_all(neighbours.iter().map(|run| Box::pin(run.report())).collect()).await };
    let (beside, neighbours) = tokio::join!(run.report(), neighbours);
    assert!(matches!(beside.end, RunEnd::Completed(_)), "{:?}", beside.end);
    assert!(neighbours.iter().all(|report| report.end == RunEnd::TimedOut));
    assert!(started.elapsed() > alone.elapsed * 10, "they did not take turns: {:?}", started.elapsed());
}

async fn futures_all<F: Future + Unpin>(mut futures: Vec<F>) -> Vec<F::Output> {
    let mut done: Vec<Option<F::Output>> = futures.iter().map(|_| None).collect();
    std::future::poll_fn(|context| {
        for (future, done) in futures.iter_mut().zip(&mut done) {
            if done.is_none()
                && let std::task::Poll::Ready(output) = std::pin::Pin::new(future).poll(context)
            {
                *done = Some(output);
            }
        }
        if done.iter().all(Option::is_some) { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
    })
    .await;
    done.into_iter().flatten().collect()
}

#[tokio::test]
async fn calls_to_the_host_cost_fuel() {
    for own in [1, 2] {
        let report = Run::of("many_calls").payload(own).fuel(50_000_000).report().await;
        assert_eq!(report.end, RunEnd::OutOfFuel);
        assert!(report.elapsed < Duration::from_secs(5), "{:?}", report.elapsed);
    }
}

/// Compiled code keeps its fuel in a register, and must see what calls in a loop have cost.
#[tokio::test]
async fn each_call_to_the_host_is_paid_for() {
    let run = Run::of("many_calls").payload(100_000);
    let report = run.report().await;
    assert!(matches!(report.end, RunEnd::Completed(_)), "{:?}", report.end);
    assert!(report.fuel > 100_000 * 500, "{}", report.fuel);
    assert_eq!(run.report().await.fuel, report.fuel);
}

#[tokio::test]
async fn calls_to_the_host_have_a_quota_where_fuel_has_none() {
    let end = Run::of("many_calls").payload(1).fuel(u64::MAX).end().await;
    assert_eq!(end, RunEnd::LimitReached(Limit::HostCalls));
}

struct Panics;

impl Observer for Panics {
    fn log(&self, _: LogLevel, _: &str, _: &str) {
        panic!("injected");
    }
    fn progress(&self, _: Progress<'_>) {}
    fn audit(&self, _: &str, _: &str) {}
}

#[tokio::test]
async fn a_panic_in_a_host_call_interrupts_the_run_and_nothing_else() {
    let run = Run::of("log_flood").payload(1).observed_by(&Arc::new(Panics));
    assert_eq!(run.end().await, RunEnd::Interrupted(Interruption::EngineGone));
    let ears = Arc::new(Ears::default());
    assert_eq!(Run::of("log_flood").payload(1).observed_by(&ears).result().await, "null");
    assert_eq!(ears.heard().len(), 1);
}
