//! What processes cost, read from /proc.

use std::collections::BTreeMap;
use std::time::Duration;

/// Clock ticks a second: 100 on every Linux of today.
const TICKS: u32 = 100;

struct Process {
    parent: u32,
    ticks: u64,
}

/// Processor time of each process of a family.
#[derive(Default, Clone)]
pub struct Cpu(BTreeMap<u32, u64>);

/// Memory of a family.
#[derive(Debug, Default, Clone, Copy)]
pub struct Memory {
    /// Resident, MiB; what several share counts for each.
    pub rss_mb: f64,
    /// Resident, MiB; what several share counts once.
    pub pss_mb: f64,
}

/// The processes `roots` and all their descendants.
pub fn family(roots: &[u32]) -> Vec<u32> {
    members(roots, &processes())
}

fn members(roots: &[u32], all: &BTreeMap<u32, Process>) -> Vec<u32> {
    let mut family: Vec<u32> = roots.iter().copied().filter(|pid| all.contains_key(pid)).collect();
    let mut known = 0;
    while known < family.len() {
        known = family.len();
        let children = all.iter().filter(|(pid, process)| family.contains(&process.parent) && !family.contains(pid));
        let children: Vec<u32> = children.map(|(pid, _)| *pid).collect();
        family.extend(children);
    }
    family
}

/// Processor time of `roots` and their descendants until now.
pub fn cpu(roots: &[u32]) -> Cpu {
    let all = processes();
    let ticks = |pid: &u32| all.get(pid).map_or(0, |process| process.ticks);
    Cpu(members(roots, &all).into_iter().map(|pid| (pid, ticks(&pid))).collect())
}

impl Cpu {
    /// What was used since `before`.
    pub fn since(&self, before: &Cpu) -> Duration {
        let used = self.0.iter().map(|(pid, ticks)| ticks.saturating_sub(before.0.get(pid).copied().unwrap_or(0)));
        Duration::from_secs(used.sum()) / TICKS
    }
}

/// Processor time of this process until now.
pub fn own() -> Duration {
    Duration::from_secs(process(std::process::id()).map_or(0, |process| process.ticks)) / TICKS
}

/// Memory of `roots` and their descendants.
pub fn memory(roots: &[u32]) -> Memory {
    let mut sum = Memory::default();
    for pid in family(roots) {
        let Ok(text) = std::fs::read_to_string(format!("/proc/{pid}/smaps_rollup")) else { continue };
        sum.rss_mb += kilobytes(&text, "Rss:") / 1024.0;
        sum.pss_mb += kilobytes(&text, "Pss:") / 1024.0;
    }
    sum
}

/// Processor time that the whole machine has spent working.
pub fn busy() -> Duration {
    let text = std::fs::read_to_string("/proc/stat").unwrap_or_default();
    let fields: Vec<u64> =
        text.lines().next().unwrap_or_default().split_whitespace().skip(1).filter_map(|f| f.parse().ok()).collect();
    // user, nice, system, irq, softirq; not idle, iowait, steal.
    let working = [0, 1, 2, 5, 6].iter().filter_map(|place| fields.get(*place)).sum();
    Duration::from_secs(working) / TICKS
}

/// Cores, model and kernel in a line.
pub fn describe() -> String {
    let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
    let info = read("/proc/cpuinfo");
    let model = info.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": ")).map_or("", |(_, m)| m);
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    format!("{cores} x {model}, Linux {}", read("/proc/sys/kernel/osrelease").trim())
}

fn kilobytes(text: &str, name: &str) -> f64 {
    let value = text.lines().find_map(|line| line.strip_prefix(name)?.split_whitespace().next()?.parse().ok());
    value.unwrap_or(0.0)
}

fn processes() -> BTreeMap<u32, Process> {
    let Ok(entries) = std::fs::read_dir("/proc") else { return BTreeMap::new() };
    let pids = entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    pids.filter_map(|pid| Some((pid, process(pid)?))).collect()
}

fn process(pid: u32) -> Option<Process> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name stands in brackets and may hold anything: fields are counted from behind it (proc(5): state is the third).
    let fields: Vec<&str> = text.rsplit_once(") ")?.1.split(' ').collect();
    let number = |place: usize| fields.get(place).and_then(|field| field.parse::<u64>().ok());
    Some(Process { parent: u32::try_from(number(1)?).ok()?, ticks: number(11)? + number(12)? })
}
