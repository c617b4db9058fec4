//! The whole system: a real host on a fresh folder, as its users meet it. See the crate's documentation.

mod bad_guests;
mod bad_input;
mod bad_store;
mod compiling;
mod cut_off;
mod db;
mod dead_letters;
mod drain;
mod families;
mod frozen;
mod hostile;
mod hosts;
mod hot_reload;
mod kills;
mod languages;
mod many_hosts;
mod metrics;
mod newcomer;
mod pooled;
mod postgres;
mod render;
mod response;
mod schedules;
mod telling;
mod thousand_tasks;
mod workers;
