//! The durable queue in SQL, on whichever database.
//!
//! One thread writes (`thread`). Each of its cycles is one transaction: it does all that is waiting (`commit`, `submit`,
//! `change`, `loss`), makes due what falls due (`placing`, `ticks`), claims for every worker that has room (`claim`),
//! commits, and only then tells (`publish`). What it needs at hand is in `memory`: the heads of the queue (`ready_index`)
//! and the leases that are out (`leases`). Reads go through connections of their own (`readers`, `view`, `list`).
//!
//! A SQLite file has one host, so its memory is the truth of what the file holds. A PostgreSQL database has many: there
//! memory is what this host last saw (`many_hosts`), and a row that another host took first means that the cycle is done
//! again. The schema and its reasons are in docs/adr/0002-sqlite-schema.md and docs/adr/0009-one-queue-two-databases.md.

mod agenda;
mod asked_ahead;
mod attached;
mod attachments;
mod before_wait;
mod bell;
mod binding;
mod body_hash;
mod carrying_out;
mod change;
mod children;
mod claim;
mod clock;
mod commit;
mod crash_point;
mod cursor;
mod cycle;
mod dice;
mod ending;
mod events;
mod expiry;
mod failure;
mod hearing;
mod history_row;
mod homes;
mod ids;
mod inbox;
mod interned;
mod joining;
mod kept_told;
mod kind_limits;
mod lease_rows;
mod leases;
mod line;
mod list;
mod load;
mod loss;
mod many_hosts;
mod memory;
mod names;
mod offering;
mod outcome;
mod pausing;
mod place;
mod placing;
mod publish;
mod question;
mod readers;
mod ready_index;
mod request;
mod retention;
mod route_depths;
mod schedule_row;
mod schedule_view;
mod schedules;
mod settings;
mod shared;
mod shared_limits;
mod slot;
mod source;
mod store;
mod submit;
mod tables;
mod taking;
mod thread;
mod ticks;
mod timing;
mod todo;
mod told;
mod upstream;
mod view;
mod waited;
mod waiters;
mod waiting;
mod workflow;

pub(crate) use bell::{Bell, Listen};
pub use clock::{Clock, SystemClock};
pub(crate) use failure::reading;
pub(crate) use kept_told::KeptTold;
pub(crate) use many_hosts::ManyHosts;
pub(crate) use place::PLACE_TABLES;
pub use settings::QueueSettings;
pub(crate) use source::Source;
pub use store::DatabaseStore;
pub(crate) use store::Opened;
