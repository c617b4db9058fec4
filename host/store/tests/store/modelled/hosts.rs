//! The stores under test: one, or two on the same database.

use std::num::NonZeroU32;
use std::time::Duration;

use bulkhead_core::KindLimit;
use bulkhead_store::{DatabaseStore, Store, postgres};

use crate::harness::{Engine, kind};
use crate::postgres_engine::Postgres;

/// How often two hosts look at what the other has done, until both have seen all of it.
const ROUNDS: usize = 3;

#[allow(async_fn_in_trait, reason = "used by these tests alone")]
pub(super) trait Hosts {
    /// Where there is a limit, at most so many tasks of kind `A` run at once.
    async fn start(limit: Option<u32>) -> Self;
    /// How many there are.
    const COUNT: usize;
    /// Whether nothing of workers outlives a crash but what they had claimed.
    fn forgets_workers() -> bool;
    fn store(&self, host: usize) -> &dyn Store;
    async fn advance(&self, time: Duration);
    /// Lets every store do all that was asked before.
    async fn settle(&self);
    /// Ends a host as a crash would, and begins it again. Where another is at work, nobody knows of that at first.
    async fn crash(&mut self, host: usize);
    /// Closes a host and begins it again.
    async fn reopen(&mut self, host: usize);
}

async fn engine<E: Engine>(limit: Option<u32>) -> E {
    match limit.and_then(NonZeroU32::new) {
        Some(limit) => E::start_with_limit(kind("A"), KindLimit { concurrent: Some(limit), rate: None }).await,
        None => E::start().await,
    }
}

/// One host, alone.
pub(super) struct One<E>(Option<E>);

impl<E: Engine> Hosts for One<E> {
    const COUNT: usize = 1;

    async fn start(limit: Option<u32>) -> Self {
        Self(Some(engine(limit).await))
    }

    fn forgets_workers() -> bool {
        E::forgets_workers()
    }

    fn store(&self, _: usize) -> &dyn Store {
        self.0.as_ref().unwrap().store()
    }

    async fn advance(&self, time: Duration) {
        self.0.as_ref().unwrap().advance(time).await;
    }

    async fn settle(&self) {
        self.0.as_ref().unwrap().settle().await;
    }

    async fn crash(&mut self, _: usize) {
        self.0 = Some(self.0.take().unwrap().crash().await);
    }

    async fn reopen(&mut self, _: usize) {
        self.0 = Some(self.0.take().unwrap().reopen().await);
    }
}

/// Two hosts on one PostgreSQL schema.
pub(super) struct Two {
    first: Postgres,
    second: Option<DatabaseStore>,
}

impl Two {
    fn slot(&mut self, host: usize) -> &mut Option<DatabaseStore> {
        if host == 0 { &mut self.first.store } else { &mut self.second }
    }

    fn open(&mut self, host: usize) {
        let store = postgres::open(self.first.settings()).unwrap();
        *self.slot(host) = Some(store);
    }
}

impl Hosts for Two {
    const COUNT: usize = 2;

    async fn start(limit: Option<u32>) -> Self {
        let mut hosts = Self { first: engine(limit).await, second: None };
        hosts.open(1);
        hosts
    }

    fn forgets_workers() -> bool {
        false
    }

    fn store(&self, host: usize) -> &dyn Store {
        if host == 0 { self.first.store() } else { self.second.as_ref().unwrap() }
    }

    async fn advance(&self, time: Duration) {
        self.first.clock.advance(time);
        self.settle().await;
    }

    async fn settle(&self) {
        for _ in 0..ROUNDS {
            self.first.store.as_ref().unwrap().tick().await.unwrap();
            self.second.as_ref().unwrap().tick().await.unwrap();
        }
    }

    async fn crash(&mut self, host: usize) {
        drop(self.slot(host).take());
        self.open(host);
        self.settle().await;
    }

    async fn reopen(&mut self, host: usize) {
        self.store(host).close().await.unwrap();
        drop(self.slot(host).take());
        self.open(host);
        self.settle().await;
    }
}
