//! Where workspaces are, as several hosts on one database know it.

use std::collections::BTreeSet;

use bulkhead_core::{Home, TaskId};
use bulkhead_store::{HOME_GONE_AFTER, Homes, ReleaseFate};

use crate::binding::home;
use crate::harness::Engine;
use crate::postgres_engine::{Postgres, sql};

fn homes(engine: &Postgres) -> &dyn Homes {
    engine.store().homes().expect("several hosts may have it")
}

fn workspace(id: &str) -> TaskId {
    TaskId::parse(id).unwrap()
}

/// What a workspace is bound to, asked for beside others.
async fn bound(homes: &dyn Homes, id: &TaskId) -> Option<Home> {
    let found = homes.homes_of(vec![workspace("other"), id.clone()]).await.unwrap();
    assert!(!found.contains_key(&workspace("other")));
    found.get(id).map(|view| view.home.clone())
}

/// Makes every host one that was not heard of for longer than it takes to count as gone.
fn silence(engine: &Postgres) {
    let gone = HOME_GONE_AFTER.as_millis() + 1_000;
    sql(&engine.settings().url, &format!("UPDATE homes SET seen_at = seen_at - {gone}"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_hosts_that_bind_a_workspace_at_once_one_has_it() {
    let engine = Postgres::start().await;
    let homes = homes(&engine);
    let id = workspace("w");
    assert_eq!(bound(homes, &id).await, None);
    let (a, b) = (home("a"), home("b"));
    let (first, second) = tokio::join!(homes.bind(&id, &a, "one"), homes.bind(&id, &b, "two"));
    let (first, second) = (first.unwrap().unwrap(), second.unwrap().unwrap());
    assert_eq!(first, second);
    assert_eq!(homes.bind(&id, &b, "two").await.unwrap(), Some(first.clone()));
    assert_eq!(bound(homes, &id).await, Some(first.clone()));
    let counts: Vec<u64> = homes.homes().await.unwrap().iter().map(|home| home.workspaces).collect();
    assert_eq!(counts.iter().sum::<u64>(), 1, "{counts:?}");
    // Only who has it can say that there is nothing in it any more.
    homes.unbind(&id, if first == a { &b } else { &a }).await.unwrap();
    assert!(bound(homes, &id).await.is_some());
    homes.unbind(&id, &first).await.unwrap();
    assert_eq!(bound(homes, &id).await, None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_host_that_is_there_is_not_released_and_one_that_is_gone_binds_nothing_any_more() {
    let engine = Postgres::start().await;
    let homes = homes(&engine);
    let (a, b) = (home("a"), home("b"));
    for (id, at, host) in [("v", &a, "one"), ("w", &a, "one"), ("x", &b, "two")] {
        homes.bind(&workspace(id), at, host).await.unwrap();
    }
    assert_eq!(homes.release("one").await.unwrap(), ReleaseFate::StillThere);
    assert_eq!(homes.release("three").await.unwrap(), ReleaseFate::Unknown);
    silence(&engine);
    // Heard of again, under another name.
    assert_eq!(homes.tell(Some(&b), "three").await.unwrap(), BTreeSet::new());
    assert_eq!(homes.release("three").await.unwrap(), ReleaseFate::StillThere);
    assert_eq!(homes.release("one").await.unwrap(), ReleaseFate::Released { workspaces: 2 });
    assert_eq!(homes.release("one").await.unwrap(), ReleaseFate::Unknown);
    assert_eq!(homes.tell(Some(&a), "one").await.unwrap(), BTreeSet::from([a.clone()]));
    assert_eq!(homes.bind(&workspace("v"), &a, "one").await.unwrap(), None);
    assert_eq!(homes.bind(&workspace("v"), &b, "three").await.unwrap(), Some(b));
    assert!(bound(homes, &workspace("x")).await.is_some());
}
