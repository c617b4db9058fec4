//! Nothing is left of a job that ended, however it ended.

use std::sync::Arc;
use std::time::Duration;

use bulkhead_core::{CallerWorkspace, DelegateError, InUse, Overrun};
use tokio::sync::oneshot;

use crate::world::{Register, caller, caller_until, grant, job, mark, marked, sh, world};

/// Five under a mark that only SIGKILL ends: itself, two children, one of them in a session of its own, and an orphan in
/// one with a child.
fn family(mark: &str, register: &Register) -> String {
    let (stay, sign) = (format!("sh -c \"$STAY\" {mark}"), register.sign());
    format!(
        "{sign}; trap '' TERM HUP INT; export STAY='{sign}; while :; do sleep 1; done'; \
         {stay} & setsid {stay} & (setsid sh -c '{stay} & exit' &); {stay}"
    )
}

#[tokio::test]
async fn the_deadline_kills_all_that_the_job_started() {
    let world = world(1, |_| {});
    let (mark, mut register) = (mark(), Register::new());
    let caller_with_little = caller_until(Duration::from_secs(3));
    let grant = grant();
    let running = world.gpu.run(&caller_with_little, &grant, sh(&family(&mark, &register)));
    let (answer, ()) = tokio::join!(running, register.signed(5));
    assert_eq!(answer, Err(DelegateError::TimedOut));
    // The device is free when all are gone, not before.
    world.gpu.lease(&caller(), 1, None).await.unwrap();
    assert_eq!(marked(&mark), 0);
}

#[tokio::test]
async fn a_program_that_ends_takes_with_it_what_it_left_behind() {
    let world = world(1, |_| {});
    let mark = mark();
    let stay = format!("sh -c 'while :; do sleep 1; done' {mark}");
    let exit = world.sh(&format!("{stay} & setsid {stay} & (setsid {stay} &) ; exit 4")).await;
    assert_eq!((exit.code, marked(&mark)), (4, 0));
}

#[tokio::test]
async fn a_future_that_is_dropped_leaves_no_process_no_lease_and_no_folder() {
    let scratch = tempfile::tempdir().unwrap();
    let world = world(4, |settings| settings.scratch = Some(scratch.path().to_owned()));
    let mark = mark();
    let cancels = (0..100).map(|_| async {
        let time = Duration::from_micros(fastrand::u64(0..400_000));
        let caller = caller();
        let script = format!("setsid sh -c 'while :; do sleep 1; done' {mark} & sleep 100 # {mark}");
        let grant = grant();
        let running = world.gpu.run(&caller, &grant, sh(&script));
        assert!(tokio::time::timeout(time, running).await.is_err());
    });
    futures::future::join_all(cancels).await;
    let all = world.gpu.lease(&caller(), 4, None).await.unwrap();
    assert_eq!(all.indices(), [0, 1, 2, 3]);
    assert_eq!(marked(&mark), 0);
    assert_eq!(std::fs::read_dir(scratch.path()).unwrap().count(), 0);
}

#[tokio::test]
async fn a_workspace_is_in_use_until_the_last_process_in_it_is_gone() {
    let (world, folder) = (world(1, |_| {}), tempfile::tempdir().unwrap());
    let (mark, mut register) = (mark(), Register::new());
    let (held, unused) = oneshot::channel::<()>();
    let mut caller = caller();
    let in_use = InUse::of(Arc::new(held));
    caller.workspace =
        Some(CallerWorkspace { folder: folder.path().to_owned(), writable: true, in_use, overrun: Overrun::default() });
    let (gpu, line) = (world.gpu.clone(), family(&mark, &register));
    let running = tokio::spawn(async move { gpu.run(&caller, &grant(), sh(&line)).await });
    register.signed(5).await;
    running.abort();
    assert!(unused.await.is_err());
    assert_eq!(marked(&mark), 0);
}

#[tokio::test]
async fn a_program_that_kills_its_launcher_is_ended_by_its_session() {
    let world = world(1, |_| {});
    let mark = mark();
    let stay = format!("sh -c 'while :; do sleep 1; done' {mark}");
    let answer = world.gpu.run(&caller(), &grant(), sh(&format!("{stay} & kill -9 $PPID; {stay}"))).await;
    assert_eq!(answer, Err(DelegateError::Failed("the launcher of `sh` was ended".into())));
    world.gpu.lease(&caller(), 1, None).await.unwrap();
    assert_eq!(marked(&mark), 0);
}

#[tokio::test]
async fn signals_that_ask_to_stop_do_not_reach_past_the_launcher() {
    let world = world(1, |_| {});
    let exit = world.sh("for s in TERM INT HUP QUIT; do kill -$s $PPID; done; sleep 0.1; echo lives").await;
    assert_eq!((exit.code, exit.stdout.as_slice()), (0, &b"lives\n"[..]));
}

#[tokio::test]
async fn a_program_that_forks_on_and_on_is_ended() {
    let world = world(1, |_| {});
    let mark = mark();
    // Eight that replace themselves by a child in a session of its own, as fast as they can.
    let script = format!(
        "f() {{ setsid sh -c \"$1\" {mark} \"$1\" & }}; S='setsid sh -c \"$1\" {mark} \"$1\" & exit'; for i in 1 2 3 4 5 6 7 8; do f \"$S\"; done; sleep 100"
    );
    let answer = world.gpu.run(&caller_until(Duration::from_millis(500)), &grant(), sh(&script)).await;
    assert_eq!(answer, Err(DelegateError::TimedOut));
    world.gpu.lease(&caller(), 1, None).await.unwrap();
    assert_eq!(marked(&mark), 0);
}

#[test]
fn a_host_that_ends_takes_its_programs_with_it() {
    let host = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let outside = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let _entered = outside.enter();
    let (world, mut register) = (world(1, |_| {}), Register::new());
    let gpu = world.gpu.clone();
    let sign = register.sign();
    let line = format!("{sign}; setsid sh -c '{sign}; while :; do sleep 1; done' & sleep 100");
    host.spawn(async move { gpu.run(&caller(), &grant(), job("sh", &["-c", &line])).await });
    outside.block_on(register.signed(2));
    // Its sockets close without another word, as they do when the process is killed.
    host.shutdown_background();
    outside.block_on(register.left_by_all());
}
