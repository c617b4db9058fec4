//! Good and hostile load side by side, for long: what the hostile ones cost the good ones, and whether memory stays where it
//! was.
//!
//! Good load is a few canaries, each of which submits a task, waits for its result and goes on; hostile load is a few
//! attackers that do the same with guests that must not win, and one that drops files that are no handlers into the folder.

use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use bulkhead_test_guests::guest_bytes;
use fastrand::Rng;

use crate::hostile::{Arena, Canary, End, Guest, Row, Sung, files, rows};

/// Canaries that sing at once.
const CANARIES: usize = 4;
/// Attackers that attack at once.
const ATTACKERS: usize = 8;
/// How many in the first of several hostile stretches: so many runs at once that every slot that is kept warm was used once.
const FIRST_ATTACKERS: usize = 96;
/// How often a file that is no handler is dropped in.
const DROP_EVERY: Duration = Duration::from_secs(5);

/// What was seen in one stretch of time.
#[derive(Debug, Clone)]
pub struct Stretch {
    /// Whether hostile guests ran.
    pub hostile: bool,
    /// Good tasks a second.
    pub good_rate: f64,
    /// How long a good task took: half of them, and all but a hundredth, at most.
    pub took: (Duration, Duration),
    /// Hostile tasks that ended, as they must.
    pub hostile_ended: u64,
    /// Resident memory of the host at the end, in KiB.
    pub resident: u64,
}

impl fmt::Display for Stretch {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { hostile, good_rate, took, hostile_ended, resident } = self;
        let (half, most) = (took.0.as_secs_f64() * 1e3, took.1.as_secs_f64() * 1e3);
        let load = if *hostile { "with hostile" } else { "good alone" };
        write!(formatter, "{load:<13} {good_rate:>9.0} {half:>9.2} {most:>9.2} {hostile_ended:>9} {resident:>10}")
    }
}

/// The heading of what stretches print.
pub fn heading() -> String {
    format!("{:<13} {:>9} {:>9} {:>9} {:>9} {:>10}", "load", "good/s", "p50 ms", "p99 ms", "hostile", "memory KiB")
}

/// One stretch of good load alone, so many with hostile load, and one alone again; `say` is told of each as it ends.
///
/// The first of several hostile stretches brings the host to its full size, and counts for nothing else.
pub fn soak(seed: u64, stretches: usize, each: Duration, say: &mut dyn FnMut(&Stretch)) -> Result<Soaked> {
    let arena = Arena::open()?;
    let attacks = attacks(&arena)?;
    let mut seen = Vec::new();
    for number in 0..stretches + 2 {
        let hostile = (1..=stretches).contains(&number);
        let attackers = match number {
            _ if !hostile => 0,
            1 if stretches > 1 => FIRST_ATTACKERS,
            _ => ATTACKERS,
        };
        let stretch = stretch(&arena, &attacks, attackers, seed + number as u64, each)?;
        say(&stretch);
        seen.push(stretch);
    }
    let client = &arena.host().client;
    ensure!(client.metric("lease_lost_total") == 0.0, "leases were lost");
    let [heartbeats, commits] = ["heartbeat_lateness_seconds", "commit_duration_seconds"].map(|name| client.p99(name));
    Ok(Soaked { stretches: seen, heartbeats, commits })
}

/// What a soak was like.
#[derive(Debug, Clone)]
pub struct Soaked {
    /// Stretch by stretch.
    pub stretches: Vec<Stretch>,
    /// Seconds within which all but a hundredth of the heartbeats were confirmed after they were due, and how many they were.
    pub heartbeats: (Option<f64>, f64),
    /// Seconds within which all but a hundredth of the commits were durable, and how many they were.
    pub commits: (Option<f64>, f64),
}

/// An attack by task: the kind, and what it does.
type Attack = (String, Row);

/// Everything that is over within a second or so, brought in.
fn attacks(arena: &Arena) -> Result<Vec<Attack>> {
    let mut attacks = Vec::new();
    for guest in Guest::ALL {
        let by_task = |row: &Row| !matches!(row.end, End::Refused(_) | End::KeptOut(_)) && row.most >= 1000;
        let rows: Vec<Row> = rows(*guest).into_iter().filter(by_task).collect();
        if !rows.is_empty() {
            let kind = arena.bring_in(guest.name(), &guest_bytes(guest.name()))?;
            attacks.extend(rows.into_iter().map(|row| (kind.clone(), row)));
        }
    }
    Ok(attacks)
}

fn stretch(arena: &Arena, attacks: &[Attack], attackers: usize, seed: u64, each: Duration) -> Result<Stretch> {
    let hostile = attackers > 0;
    let (over, ended) = (AtomicBool::new(false), AtomicU64::new(0));
    let files = arena.bad_files()?;
    let client = &arena.host().client;
    let canaries: Vec<Canary> = (0..CANARIES).map(|_| Canary::beside(client)).collect();
    let attacked = std::thread::scope(|scope| {
        let attackers: Vec<_> = (0..attackers)
            .map(|number| {
                let rng = Rng::with_seed(seed ^ (number as u64) << 32);
                let (over, ended) = (&over, &ended);
                scope.spawn(move || attack(arena, attacks, rng, over, ended))
            })
            .collect();
        let dropper = hostile.then(|| scope.spawn(|| drop_files(arena, &files, &over)));
        std::thread::sleep(each);
        over.store(true, Ordering::Relaxed);
        let mut joined = attackers.into_iter().chain(dropper).map(|thread| thread.join());
        joined.try_for_each(|done| done.unwrap_or_else(|_| Err(anyhow::anyhow!("an attacker panicked"))))
    });
    let sung = canaries.into_iter().map(Canary::ask).collect::<Result<Vec<Sung>>>()?;
    attacked?;
    let good_rate = sung.iter().map(|sung| sung.took.len() as f64 / sung.during.as_secs_f64()).sum();
    let mut took: Vec<Duration> = sung.into_iter().flat_map(|sung| sung.took).collect();
    took.sort_unstable();
    let part = |hundredths: usize| took.get(took.len() * hundredths / 100).copied().unwrap_or_default();
    Ok(Stretch {
        hostile,
        good_rate,
        took: (part(50), part(99)),
        hostile_ended: ended.into_inner(),
        resident: arena.resident()?,
    })
}

fn attack(arena: &Arena, attacks: &[Attack], mut rng: Rng, over: &AtomicBool, ended: &AtomicU64) -> Result<()> {
    while !over.load(Ordering::Relaxed) {
        if let Some((kind, row)) = rng.choice(attacks) {
            arena.attack_once(kind, row)?;
            ended.fetch_add(1, Ordering::Relaxed);
        }
    }
    Ok(())
}

fn drop_files(arena: &Arena, files: &[files::BadFile], over: &AtomicBool) -> Result<()> {
    let mut next = files.iter().cycle();
    while !over.load(Ordering::Relaxed) {
        let dropped = Instant::now();
        if let Some(file) = next.next() {
            arena.drop_bad_once(file)?;
        }
        while dropped.elapsed() < DROP_EVERY && !over.load(Ordering::Relaxed) {
            std::thread::sleep(Duration::from_millis(20));
        }
    }
    Ok(())
}

impl fmt::Display for Soaked {
    /// By how much the good ones got less with the hostile ones beside them, in rate and in p99; by how much memory moved from
    /// the second hostile stretch on; and how late heartbeats and commits were.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let full_size = usize::from(self.stretches.iter().filter(|stretch| stretch.hostile).count() > 1);
        let of = |hostile: bool| {
            let of = self.stretches.iter().filter(move |stretch| stretch.hostile == hostile);
            of.skip(if hostile { full_size } else { 0 })
        };
        let mean = |hostile: bool, what: fn(&Stretch) -> f64| {
            of(hostile).map(what).sum::<f64>() / of(hostile).count().max(1) as f64
        };
        let against_alone = |what: fn(&Stretch) -> f64| mean(true, what) / mean(false, what);
        let rate = against_alone(|stretch| stretch.good_rate);
        let tail = against_alone(|stretch| stretch.took.1.as_secs_f64());
        writeln!(formatter, "good tasks beside hostile ones: rate × {rate:.3}, p99 × {tail:.2}")?;
        let held: Vec<u64> = of(true).map(|stretch| stretch.resident).collect();
        if let (Some(least), Some(most)) = (held.iter().min(), held.iter().max()) {
            let spread = (most - least) as f64 / *least as f64 * 100.0;
            writeln!(formatter, "memory from the second hostile stretch on: within {spread:.1} %")?;
        }
        for (what, (within, all)) in [("heartbeats", self.heartbeats), ("commits", self.commits)] {
            let within = within.map_or("later than measured".to_owned(), |within| format!("within {within} s"));
            writeln!(formatter, "{what}: {all}, 99 % of them {within}")?;
        }
        Ok(())
    }
}
