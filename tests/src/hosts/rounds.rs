//! One fault after the other, while work comes in.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use fastrand::Rng;
use jiff::Timestamp;

use super::member::Member;
use super::plan::{Fault, Plan};
use crate::kills::submit_chunk;
use crate::{Client, Cluster};

/// How often is looked, and tried again.
const LOOK: Duration = Duration::from_millis(10);
/// Everything that is away is back by then, and takes work in.
const BACK: Duration = Duration::from_secs(120);
/// Enough for any run, but for what fills it.
const DISK_MIB: u32 = 2048;

/// A fault that was, and when.
#[derive(Debug, Clone, Copy)]
pub(super) struct Was {
    pub(super) fault: Fault,
    /// The number of the host; none where it was the server.
    pub(super) host: Option<usize>,
    pub(super) at: Timestamp,
}

/// The hosts and their database.
#[derive(Debug)]
pub(super) struct Scene {
    pub(super) members: Vec<Member>,
    cluster: Cluster,
    /// Until when its disk is full.
    full_until: Option<Instant>,
    rng: Rng,
}

impl Scene {
    /// Starts so many hosts on a server of their own.
    pub(super) fn start(seed: u64, hosts: usize) -> Result<Self> {
        let cluster = Cluster::start_on_small_disk(DISK_MIB)
            .context("there is no PostgreSQL; next: apt-get install postgresql")?;
        let members = (0..hosts).map(|number| Member::start(&cluster.url(), &format!("host-{number}")));
        let members = members.collect::<Result<_>>()?;
        Ok(Self { members, cluster, full_until: None, rng: Rng::with_seed(seed) })
    }

    /// Does all that is planned; all are back when it ends.
    pub(super) fn run(&mut self, plan: &Plan, say: &mut dyn FnMut(String)) -> Result<Vec<Was>> {
        let mut left: VecDeque<usize> = (0..plan.tasks).collect();
        let each = plan.tasks / (plan.faults.len() + 1);
        let mut were = Vec::new();
        for (number, fault) in plan.faults.iter().enumerate() {
            let goal = left.len().saturating_sub(each);
            // Somewhere within its share of the work.
            let strikes_at = goal + self.rng.usize(0..=each.saturating_sub(1));
            self.feed(&mut left, strikes_at)?;
            let (who, was) = self.strike(*fault)?;
            were.push(was);
            say(format!("{:>3}. {who}{fault}, {} tasks submitted", number + 1, plan.tasks - left.len()));
            self.feed(&mut left, goal)?;
        }
        self.feed(&mut left, 0)?;
        let began = Instant::now();
        while !self.all_back()? {
            ensure!(began.elapsed() < BACK, "not all are back");
            std::thread::sleep(LOOK);
        }
        Ok(were)
    }

    /// Submits until only so many are left, to whoever takes them.
    fn feed(&mut self, left: &mut VecDeque<usize>, until: usize) -> Result<()> {
        let mut refused_since = None;
        while left.len() > until {
            self.all_back()?;
            let fed = self.anybody().map(|client| submit_chunk(client, left));
            match fed {
                Some(Ok(())) => refused_since = None,
                refused => {
                    let since = *refused_since.get_or_insert_with(Instant::now);
                    ensure!(since.elapsed() < BACK, "nobody takes tasks: {refused:?}");
                    std::thread::sleep(LOOK);
                }
            }
        }
        Ok(())
    }

    /// Does it to the server, or to the busiest of those who are there; says to whom, and when it began.
    fn strike(&mut self, fault: Fault) -> Result<(String, Was)> {
        // One is always left, and what is begun meanwhile can be.
        let began = Instant::now();
        while self.full_until.is_some() || self.members.iter().filter(|member| member.client().is_some()).count() < 2 {
            self.all_back()?;
            ensure!(began.elapsed() < BACK, "not all are back");
            std::thread::sleep(LOOK);
        }
        match fault {
            Fault::Database(time) => {
                let at = Timestamp::now();
                self.cluster.kill();
                std::thread::sleep(time);
                self.cluster.restart();
                Ok((String::new(), Was { fault, host: None, at }))
            }
            Fault::Full(time) => {
                let at = Timestamp::now();
                let note = if self.cluster.fill() {
                    self.full_until = Some(Instant::now() + time);
                    String::new()
                } else {
                    "not done, since this user may not mount a small disk: ".to_owned()
                };
                Ok((note, Was { fault, host: None, at }))
            }
            Fault::Kill => self.strike_busiest(fault, Member::kill),
            Fault::Drain => self.strike_busiest(fault, Member::drain),
            Fault::Cut(time) => self.strike_busiest(fault, |member| member.take_away(time, false)),
            Fault::Freeze(time) => self.strike_busiest(fault, |member| member.take_away(time, true)),
        }
    }

    fn strike_busiest(
        &mut self,
        fault: Fault,
        strike: impl FnOnce(&mut Member) -> Result<()>,
    ) -> Result<(String, Was)> {
        let there = self.members.iter().enumerate().filter(|(_, member)| member.client().is_some());
        let busiest = there.max_by_key(|(_, member)| member.in_flight()).map(|(number, _)| number);
        let number = busiest.context("nobody is there")?;
        let member = &mut self.members[number];
        let name = format!("host-{number} with {} runs: ", member.in_flight());
        let at = Timestamp::now();
        strike(member)?;
        Ok((name, Was { fault, host: Some(number), at }))
    }

    /// Brings back whose time is over; whether all are there.
    fn all_back(&mut self) -> Result<bool> {
        let mut all = true;
        if let Some(until) = self.full_until {
            all = Instant::now() >= until;
            if all {
                self.cluster.make_room();
                self.full_until = None;
            }
        }
        for member in &mut self.members {
            all &= member.bring_back()?;
        }
        Ok(all)
    }

    /// One of those who are there.
    pub(super) fn anybody(&mut self) -> Option<&Client> {
        let there: Vec<&Client> = self.members.iter().filter_map(Member::client).collect();
        self.rng.choice(there)
    }
}
