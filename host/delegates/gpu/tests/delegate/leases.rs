//! Who has which device, and who waits.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bulkhead_core::{DelegateError, Job};
use bulkhead_gpu::{DevicesError, FoundDevice};
use futures::FutureExt;
use futures::future::join_all;

use crate::world::{GIB, caller, caller_until, grant, sh, text, world};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_runs_never_share_a_device_unless_the_operator_says_so() {
    let folder = tempfile::tempdir().unwrap();
    // A device is marked by a folder while it is in use: the second to make it would fail.
    let script = format!("d={}/$CUDA_VISIBLE_DEVICES; mkdir $d && sleep 0.02 && rmdir $d", folder.path().display());
    let alone = world(2, |_| {});
    for exit in join_all((0..20).map(|_| alone.sh(&script))).await {
        assert_eq!((exit.code, text(&exit.stderr)), (0, ""));
    }
    let shared = world(1, |settings| (settings.shared, settings.per_device) = (true, 2));
    let first = shared.gpu.lease(&caller(), 1, Some(4 * GIB)).await;
    let second = shared.gpu.lease(&caller(), 1, Some(4 * GIB)).await;
    assert_eq!((first.unwrap().indices(), second.unwrap().indices()), (vec![0], vec![0]));
}

#[tokio::test]
async fn devices_are_given_in_the_order_in_which_callers_asked() {
    let world = world(4, |_| {});
    let all = world.gpu.lease(&caller(), 4, None).await.unwrap();
    let place = AtomicUsize::new(0);
    let ask = |count: u32| {
        let (gpu, place) = (&world.gpu, &place);
        async move {
            let lease = gpu.lease(&caller(), count, None).await.unwrap();
            let mine = place.fetch_add(1, Ordering::SeqCst);
            drop(lease);
            mine
        }
    };
    let asked = join_all([1, 4, 1, 3, 1, 4, 2].map(ask));
    let (places, ()) = tokio::join!(asked, async { drop(all) });
    assert_eq!(places, [0, 1, 2, 3, 4, 5, 6]);
}

/// Returns when everybody else waits for somebody: only then a clock that stands still moves on by itself.
async fn nothing_else_to_do() {
    tokio::time::sleep(Duration::from_millis(1)).await;
}

#[tokio::test(start_paused = true)]
async fn a_large_request_is_not_starved_by_small_ones_behind_it() {
    let world = world(2, |_| {});
    let held = world.gpu.lease(&caller(), 1, None).await.unwrap();
    let (gpu, caller_of_large, caller_of_small) = (&world.gpu, caller(), caller());
    let mut large = Box::pin(gpu.lease(&caller_of_large, 2, None));
    assert!((&mut large).now_or_never().is_none());
    let mut small = Box::pin(gpu.lease(&caller_of_small, 1, None));
    tokio::select! {
        _ = &mut large => panic!("one device is held"),
        _ = &mut small => panic!("the large request is before it, though a device is free"),
        () = nothing_else_to_do() => {}
    }
    drop(held);
    let both = large.await.unwrap();
    assert_eq!(both.indices(), [0, 1]);
    drop(both);
    assert_eq!(small.await.unwrap().indices(), [0]);
}

#[tokio::test(start_paused = true)]
async fn one_that_goes_away_while_it_waits_loses_its_place_and_nothing_else() {
    let world = world(1, |_| {});
    let held = world.gpu.lease(&caller(), 1, None).await.unwrap();
    let gone = tokio::time::timeout(Duration::from_millis(20), world.gpu.lease(&caller(), 1, None)).await;
    assert!(gone.is_err());
    let late = world.gpu.lease(&caller_until(Duration::from_millis(20)), 1, None).await;
    assert_eq!(late.map(|_| ()), Err(DelegateError::TimedOut));
    drop(held);
    world.gpu.lease(&caller(), 1, None).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_floor_of_memory_waits_until_a_device_has_it_free() {
    let world = world(2, |_| {});
    let busy = |index, free| FoundDevice { free_memory_bytes: free, ..FoundDevice::given(index, 8 * GIB) };
    world.devices.set(Ok(vec![busy(0, GIB), busy(1, 6 * GIB)]));
    let fits = world.gpu.lease(&caller(), 1, Some(6 * GIB)).await.unwrap();
    assert_eq!(fits.indices(), [1]);
    let waits = world.gpu.lease(&caller_until(Duration::from_millis(50)), 1, Some(2 * GIB)).await;
    assert_eq!(waits.map(|_| ()), Err(DelegateError::TimedOut));
    // Nobody of this host tells that another program ended; it is looked at again.
    let become_free = async { world.devices.set(Ok(vec![busy(0, 8 * GIB), busy(1, 0)])) };
    let caller = caller();
    let (lease, ()) = tokio::join!(world.gpu.lease(&caller, 1, Some(2 * GIB)), become_free);
    assert_eq!(lease.unwrap().indices(), [0]);
}

#[tokio::test]
async fn what_can_never_be_is_said_at_once_even_behind_a_queue() {
    let world = world(2, |_| {});
    let _held = world.gpu.lease(&caller(), 2, None).await.unwrap();
    let (caller_first, caller_second) = (caller(), caller());
    let mut first = Box::pin(world.gpu.lease(&caller_first, 1, None));
    assert!((&mut first).now_or_never().is_none());
    let many = Job { gpus: 3, ..sh("true") };
    let expected = DelegateError::Invalid("`gpus`: this host leases 2: `3`".into());
    assert_eq!(world.gpu.run(&caller_second, &grant(), many).await, Err(expected));
    let large = world.gpu.lease(&caller_second, 1, Some(9 * GIB)).await;
    assert!(matches!(large, Err(DelegateError::Invalid(_))), "{large:?}");
    world.devices.set(Ok(Vec::new()));
    let none = world.gpu.lease(&caller_second, 1, None).await;
    assert!(matches!(none, Err(DelegateError::Unavailable(_))), "{none:?}");
}

#[tokio::test(start_paused = true)]
async fn a_driver_that_keeps_failing_is_left_alone_for_a_while() {
    let world = world(1, |settings| {
        settings.failures = 2;
        settings.rest = bulkhead_core::Span::from_secs(1);
    });
    world.devices.set(Err(DevicesError::Broken("GPU is lost".into())));
    let ask = || async { world.gpu.lease(&caller(), 1, None).await.map(|lease| lease.indices()) };
    let unavailable = |text: &str| Err(DelegateError::Unavailable(format!("NVML answers with an error: {text}")));
    assert_eq!(ask().await, unavailable("GPU is lost"));
    assert_eq!(ask().await, unavailable("GPU is lost"));
    world.devices.set(Ok(vec![FoundDevice::given(0, GIB)]));
    assert_eq!(ask().await, unavailable("it did so 2 times, and is asked again in 1 s"));
    tokio::time::advance(Duration::from_millis(999)).await;
    assert!(ask().await.is_err());
    tokio::time::advance(Duration::from_millis(1)).await;
    assert_eq!(ask().await, Ok(vec![0]));
}

#[tokio::test(start_paused = true)]
async fn two_hosts_of_one_machine_never_share_a_device_unless_both_share_theirs() {
    let folder = tempfile::tempdir().unwrap();
    let host =
        |shared| world(2, |settings| (settings.locks, settings.shared) = (Some(folder.path().to_owned()), shared));
    let (one, other) = (host(false), host(false));
    let held = one.gpu.lease(&caller(), 1, None).await.unwrap();
    let beside = other.gpu.lease(&caller(), 1, None).await.unwrap();
    assert_eq!((held.indices(), beside.indices()), (vec![0], vec![1]), "the one that is free is given");
    let late = other.gpu.lease(&caller_until(Duration::from_millis(20)), 1, None).await;
    assert_eq!(late.map(|_| ()), Err(DelegateError::TimedOut));
    drop((held, beside));
    let both = other.gpu.lease(&caller(), 2, None).await.unwrap();
    let (sharing, sharing_too) = (host(true), host(true));
    let (caller, waiting) = (caller(), caller_until(Duration::from_millis(20)));
    assert_eq!(sharing.gpu.lease(&waiting, 1, None).await.map(|_| ()), Err(DelegateError::TimedOut));
    let (first, ()) = tokio::join!(sharing.gpu.lease(&caller, 1, None), async { drop(both) });
    let second = sharing_too.gpu.lease(&caller, 1, None).await;
    assert_eq!((first.unwrap().indices(), second.unwrap().indices()), (vec![0], vec![0]));
}

#[tokio::test]
async fn a_folder_that_takes_no_locks_is_named_and_nothing_stays_leased() {
    let folder = tempfile::tempdir().unwrap();
    let locks = folder.path().join("missing");
    let world = world(1, |settings| settings.locks = Some(locks.clone()));
    match world.gpu.lease(&caller(), 1, None).await {
        Err(DelegateError::Unavailable(text)) => {
            assert!(text.contains("`gpu.locks`") && !text.contains("missing"), "{text}");
        }
        other => panic!("{other:?}"),
    }
    std::fs::create_dir(&locks).unwrap();
    world.gpu.lease(&caller(), 1, None).await.unwrap();
}
