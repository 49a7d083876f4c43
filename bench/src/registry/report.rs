//! The table: a row for each side of each workload, and how they compare.

use super::Row;
use super::load::Measured;
use super::workload::Workload;

pub(super) fn heading() {
    println!(
        "{:<38}{:<14}{:>9}{:>9}{:>9}{:>12}{:>9}",
        "", "", "ops/s", "p50 ms", "p99 ms", "CPU ms/op", "target"
    );
}

pub(super) fn row(workload: &Workload, (ours, peer): &Row) {
    let target = format!("{:>9}", workload.target_ms);
    line(workload.name, "ours", ours, &target);
    let Some(peer) = peer else {
        return;
    };
    line("", "distribution", peer, "");
    println!("{:<38}{:<14}{:>39.1} times less CPU", "", "ratio", peer.cpu_ms() / ours.cpu_ms());
}

fn line(what: &str, who: &str, measured: &Measured, target: &str) {
    println!(
        "{what:<38}{who:<14}{:>9.0}{:>9.2}{:>9.2}{:>12.3}{target}",
        measured.per_second(),
        measured.percentile_ms(50),
        measured.percentile_ms(99),
        measured.cpu_ms()
    );
}
