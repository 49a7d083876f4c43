//! What the kernel knows about a process, and what a sync costs on this disk.

use std::fs;
use std::io::{Seek, SeekFrom, Write};
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

/// The unit of times in `/proc/PID/stat`; the same on every Linux that we build for.
/// Source: proc(5), `USER_HZ`.
const TICK: Duration = Duration::from_millis(10);
const PROBES: usize = 200;

/// The CPU time that a process has used so far, of all its threads, in the kernel and out of it.
///
/// # Errors
/// It has ended.
pub(crate) fn cpu(id: u32) -> Result<Duration> {
    let path = format!("/proc/{id}/stat");
    let text = fs::read_to_string(&path).with_context(|| format!("cannot read {path}"))?;
    cpu_of(&text).with_context(|| format!("{path} has another form"))
}

/// Fields 14 and 15, counted from 1; the second is a name in brackets that may hold anything.
fn cpu_of(stat: &str) -> Option<Duration> {
    let (_, fields) = stat.rsplit_once(") ")?;
    let ticks: Vec<u32> =
        fields.split(' ').skip(11).take(2).filter_map(|field| field.parse().ok()).collect();
    (ticks.len() == 2).then(|| TICK * ticks.iter().sum())
}

/// The memory that a process holds, in bytes.
///
/// # Errors
/// It has ended.
pub(crate) fn resident_bytes(id: u32) -> Result<u64> {
    memory(id, "VmRSS:")
}

/// The most memory that a process ever held, in bytes.
///
/// # Errors
/// It has ended.
pub(crate) fn peak_bytes(id: u32) -> Result<u64> {
    memory(id, "VmHWM:")
}

/// A line of `/proc/PID/status`. Source: proc(5).
fn memory(id: u32, name: &str) -> Result<u64> {
    let path = format!("/proc/{id}/status");
    let text = fs::read_to_string(&path).with_context(|| format!("cannot read {path}"))?;
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    let kibibytes = line.and_then(|line| line.split_whitespace().next());
    let kibibytes: u64 = kibibytes.with_context(|| format!("no {name}"))?.parse()?;
    Ok(kibibytes << 10)
}

/// The command line that a process was started with.
///
/// # Errors
/// It has ended.
pub(crate) fn command_line(id: u32) -> Result<String> {
    let bytes = fs::read(format!("/proc/{id}/cmdline"))?;
    let words = bytes.split(|byte| *byte == 0);
    let words: Vec<_> = words.map(String::from_utf8_lossy).collect();
    Ok(words.join(" ").trim_end().to_owned())
}

/// The median of writing 4 KiB and syncing them, in a folder.
///
/// # Errors
/// The disk refuses.
pub(crate) fn sync_probe(folder: &Path) -> Result<Duration> {
    let mut file = tempfile::tempfile_in(folder)?;
    let mut took = Vec::with_capacity(PROBES);
    for _ in 0..PROBES {
        let started = Instant::now();
        file.seek(SeekFrom::Start(0))?;
        file.write_all(&[7; 4096])?;
        file.sync_data()?;
        took.push(started.elapsed());
    }
    took.sort_unstable();
    Ok(took[PROBES / 2])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cpu_is_the_sum_of_fields_14_and_15() {
        let stat = "4711 (a) b) S 1 2 3 4 5 6 7 8 9 10 120 30 0 0 20 0";
        assert_eq!(cpu_of(stat), Some(Duration::from_millis(1_500)));
        assert_eq!(cpu_of("4711 (a)"), None);
    }

    #[test]
    fn this_process_has_memory_and_a_command_line() {
        let id = std::process::id();
        assert!(resident_bytes(id).unwrap() > 0);
        assert!(peak_bytes(id).unwrap() > 0);
        assert!(cpu(id).unwrap() < Duration::from_secs(3_600));
        assert!(!command_line(id).unwrap().is_empty());
    }
}
