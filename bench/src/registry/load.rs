//! Clients that do one thing as often as asked, at once, and what it took.

use std::sync::Barrier;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use e2e::Http;

use super::side::Side;
use crate::process;

/// Source: DESIGN §10.
pub(super) const CLIENTS: usize = 8;

/// One operation: a connection, and the number of the operation.
pub(super) type Operation = fn(&mut Http, usize) -> Result<()>;

/// What some operations took.
#[derive(Debug)]
pub(super) struct Measured {
    wall: Duration,
    cpu: Duration,
    /// Of each operation, the shortest first.
    took: Vec<Duration>,
}

impl Measured {
    pub(super) fn per_second(&self) -> f64 {
        self.count() / self.wall.as_secs_f64()
    }

    /// The server's CPU time of one operation, in milliseconds.
    pub(super) fn cpu_ms(&self) -> f64 {
        self.cpu.as_secs_f64() * 1e3 / self.count()
    }

    /// The time that so many percent of the operations did not exceed, in milliseconds.
    pub(super) fn percentile_ms(&self, percent: usize) -> f64 {
        let at = (self.took.len() * percent / 100).min(self.took.len().saturating_sub(1));
        self.took.get(at).map_or(0.0, |took| took.as_secs_f64() * 1e3)
    }

    #[expect(clippy::cast_precision_loss, reason = "counts of operations are far below 2^52")]
    fn count(&self) -> f64 {
        self.took.len() as f64
    }
}

/// Does `count` operations, numbered from `first` on, by [`CLIENTS`] clients at once.
pub(super) fn run(
    side: &Side,
    first: usize,
    count: usize,
    operation: Operation,
) -> Result<Measured> {
    let mut connections = Vec::new();
    for _ in 0..CLIENTS {
        connections.push(side.connect()?);
    }
    let (next, start) = (AtomicUsize::new(0), Barrier::new(CLIENTS + 1));
    // Before the clients stand at the barrier: an error after that would leave them there.
    let cpu_before = process::cpu(side.id())?;
    thread::scope(|scope| {
        let clients: Vec<_> = connections
            .into_iter()
            .map(|http| {
                let (next, start) = (&next, &start);
                scope.spawn(move || {
                    start.wait();
                    client(http, next, first, count, operation)
                })
            })
            .collect();
        start.wait();
        let started = Instant::now();
        let mut took = Vec::with_capacity(count);
        for client in clients {
            let done = client.join().ok().context("a client died")?;
            took.extend(done.with_context(|| format!("with {}", side.name()))?);
        }
        let wall = started.elapsed();
        let cpu = process::cpu(side.id())?.saturating_sub(cpu_before);
        took.sort_unstable();
        Ok(Measured { wall, cpu, took })
    })
}

fn client(
    mut http: Http,
    next: &AtomicUsize,
    first: usize,
    count: usize,
    operation: Operation,
) -> Result<Vec<Duration>> {
    let mut took = Vec::new();
    loop {
        let number = next.fetch_add(1, Ordering::Relaxed);
        if number >= count {
            return Ok(took);
        }
        let started = Instant::now();
        operation(&mut http, first + number)?;
        took.push(started.elapsed());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_of_the_sorted_times() {
        let measured = Measured {
            wall: Duration::from_secs(2),
            cpu: Duration::from_millis(300),
            took: (1..=100).map(Duration::from_millis).collect(),
        };
        assert!((measured.per_second() - 50.0).abs() < 1e-9);
        assert!((measured.cpu_ms() - 3.0).abs() < 1e-9);
        assert!((measured.percentile_ms(50) - 51.0).abs() < 1e-9);
        assert!((measured.percentile_ms(99) - 100.0).abs() < 1e-9);
    }
}
