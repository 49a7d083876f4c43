//! What a watcher does, in numbers, as Prometheus reads them.
//!
//! ```text
//! indelible_watch_findings_open{context="prod-eu",environment="prod",kind="two-builds"} 1
//! ```
//! Labels are names of the settings and of the kubeconfig, never a stranger's words.

use domain::Timestamp;
use record::claim::FindingKind;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Upper ends of the buckets of the delay, in milliseconds; the target is two seconds (DESIGN §10).
const BUCKETS_MS: [i64; 9] = [100, 250, 500, 1_000, 2_000, 5_000, 15_000, 60_000, 300_000];

/// Counters and gauges of the watchers of one process.
#[derive(Debug, Default)]
pub struct Meters {
    contexts: Mutex<BTreeMap<String, Meter>>,
}

/// One cluster's.
#[derive(Debug, Default)]
pub(super) struct Meter {
    pub(super) containers: usize,
    pub(super) recorded: u64,
    pub(super) lists: u64,
    pub(super) gaps: u64,
    pub(super) record_away: u64,
    /// Claims that the record will never take.
    pub(super) set_aside: u64,
    /// Times that the watch was given up, and began again.
    pub(super) failures: u64,
    /// Whether its list was complete, and it was not given up since.
    pub(super) is_watching: bool,
    pub(super) undecided: usize,
    /// How long the last judgement of all that runs took.
    pub(super) judged_ms: Option<i64>,
    pub(super) alive: Option<Timestamp>,
    /// By kind and environment; an empty name: of none.
    pub(super) open: BTreeMap<(FindingKind, String), u64>,
    pub(super) webhooks_sent: u64,
    pub(super) webhooks_lost: u64,
    delay: Delay,
}

#[derive(Debug, Default)]
struct Delay {
    buckets: [u64; BUCKETS_MS.len()],
    count: u64,
    sum_ms: u64,
}

impl Meter {
    /// A container's begin or end was recorded so long after it was seen.
    pub(super) fn recorded(&mut self, delay_ms: i64) {
        self.recorded += 1;
        self.delay.count += 1;
        self.delay.sum_ms += u64::try_from(delay_ms).unwrap_or_default();
        for (bucket, upper) in self.delay.buckets.iter_mut().zip(BUCKETS_MS) {
            *bucket += u64::from(delay_ms <= upper);
        }
    }
}

/// A number of each cluster.
struct Metric {
    name: &'static str,
    kind: &'static str,
    help: &'static str,
    /// Empty: there is none yet.
    value: fn(&Meter) -> String,
}

const METRICS: [Metric; 13] = [
    Metric {
        name: "indelible_watch_containers",
        kind: "gauge",
        help: "Containers that run.",
        value: |meter| meter.containers.to_string(),
    },
    Metric {
        name: "indelible_watch_runs_recorded_total",
        kind: "counter",
        help: "Begins and ends of containers that this watcher recorded.",
        value: |meter| meter.recorded.to_string(),
    },
    Metric {
        name: "indelible_watch_lists_total",
        kind: "counter",
        help: "Complete lists of pods.",
        value: |meter| meter.lists.to_string(),
    },
    Metric {
        name: "indelible_watch_gaps_total",
        kind: "counter",
        help: "Stretches in which not everything was seen.",
        value: |meter| meter.gaps.to_string(),
    },
    Metric {
        name: "indelible_watch_record_away_total",
        kind: "counter",
        help: "Tries that the record did not answer.",
        value: |meter| meter.record_away.to_string(),
    },
    Metric {
        name: "indelible_watch_set_aside_total",
        kind: "counter",
        help: "Claims that the record refused: what they say is missing there.",
        value: |meter| meter.set_aside.to_string(),
    },
    Metric {
        name: "indelible_watch_up",
        kind: "gauge",
        help: "Whether the cluster is watched: 1 from its first complete list on, 0 while it cannot be.",
        value: |meter| u8::from(meter.is_watching).to_string(),
    },
    Metric {
        name: "indelible_watch_failures_total",
        kind: "counter",
        help: "Times that the cluster could not be watched any more, or at all.",
        value: |meter| meter.failures.to_string(),
    },
    Metric {
        name: "indelible_watch_undecided",
        kind: "gauge",
        help: "Questions about what runs that nobody could answer: neither a finding nor none.",
        value: |meter| meter.undecided.to_string(),
    },
    Metric {
        name: "indelible_watch_judged_seconds",
        kind: "gauge",
        help: "How long the last judgement of all that runs took.",
        value: |meter| meter.judged_ms.map(seconds).unwrap_or_default(),
    },
    Metric {
        name: "indelible_watch_alive_timestamp_seconds",
        kind: "gauge",
        help: "Until when everything was seen.",
        value: |meter| meter.alive.map(|at| seconds(at.as_millis())).unwrap_or_default(),
    },
    Metric {
        name: "indelible_watch_webhooks_sent_total",
        kind: "counter",
        help: "Calls that were taken.",
        value: |meter| meter.webhooks_sent.to_string(),
    },
    Metric {
        name: "indelible_watch_webhooks_lost_total",
        kind: "counter",
        help: "Calls that nobody took, or that found no place in the queue.",
        value: |meter| meter.webhooks_lost.to_string(),
    },
];

impl Meters {
    /// Changes one cluster's numbers.
    pub(super) fn of<T>(&self, context: &str, change: impl FnOnce(&mut Meter) -> T) -> T {
        change(self.lock().entry(context.to_owned()).or_default())
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Meter>> {
        self.contexts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// All of them in the text form of Prometheus.
    #[must_use]
    pub fn text(&self) -> String {
        let contexts = self.lock();
        let mut text = String::new();
        for Metric { name, kind, help, value } in &METRICS {
            // Writing to a String cannot fail.
            let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} {kind}");
            for (context, meter) in contexts.iter() {
                let value = value(meter);
                if !value.is_empty() {
                    let _ = writeln!(text, "{name}{{context=\"{}\"}} {value}", label(context));
                }
            }
        }
        findings(&mut text, &contexts);
        delays(&mut text, &contexts);
        text
    }
}

fn findings(text: &mut String, contexts: &BTreeMap<String, Meter>) {
    let name = "indelible_watch_findings_open";
    let _ = writeln!(text, "# HELP {name} Findings that are open.\n# TYPE {name} gauge");
    for (context, meter) in contexts {
        for ((kind, environment), count) in &meter.open {
            let (context, environment) = (label(context), label(environment));
            let _ = writeln!(
                text,
                "{name}{{context=\"{context}\",environment=\"{environment}\",kind=\"{kind}\"}} {count}"
            );
        }
    }
}

fn delays(text: &mut String, contexts: &BTreeMap<String, Meter>) {
    let name = "indelible_watch_delay_seconds";
    let help = "From when a container's begin or end was seen until it was in the record.";
    let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} histogram");
    for (context, meter) in contexts {
        let (context, delay) = (label(context), &meter.delay);
        for (upper, count) in BUCKETS_MS.into_iter().zip(delay.buckets) {
            let upper = seconds(upper);
            let _ = writeln!(text, "{name}_bucket{{context=\"{context}\",le=\"{upper}\"}} {count}");
        }
        let (count, sum) = (delay.count, seconds(i64::try_from(delay.sum_ms).unwrap_or(i64::MAX)));
        let _ = writeln!(text, "{name}_bucket{{context=\"{context}\",le=\"+Inf\"}} {count}");
        let _ = writeln!(text, "{name}_sum{{context=\"{context}\"}} {sum}");
        let _ = writeln!(text, "{name}_count{{context=\"{context}\"}} {count}");
    }
}

fn seconds(ms: i64) -> String {
    format!("{}.{:03}", ms.div_euclid(1_000), ms.rem_euclid(1_000))
}

/// Source: Prometheus text format: backslash, quote and line end are escaped.
fn label(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_told_by_context_kind_and_environment() {
        let meters = Meters::default();
        meters.of("prod \"eu\"", |meter| {
            meter.recorded(1_500);
            meter.recorded(100);
            meter.open.insert((FindingKind::TwoBuilds, "prod".to_owned()), 2);
            meter.judged_ms = Some(42);
            meter.alive = Some("2026-03-17T14:40:00.250Z".parse().unwrap());
        });
        let text = meters.text();
        for line in [
            r#"indelible_watch_runs_recorded_total{context="prod \"eu\""} 2"#,
            r#"indelible_watch_findings_open{context="prod \"eu\"",environment="prod",kind="two-builds"} 2"#,
            r#"indelible_watch_delay_seconds_bucket{context="prod \"eu\"",le="0.100"} 1"#,
            r#"indelible_watch_delay_seconds_bucket{context="prod \"eu\"",le="1.000"} 1"#,
            r#"indelible_watch_delay_seconds_bucket{context="prod \"eu\"",le="2.000"} 2"#,
            r#"indelible_watch_delay_seconds_sum{context="prod \"eu\""} 1.600"#,
            r#"indelible_watch_judged_seconds{context="prod \"eu\""} 0.042"#,
            r#"indelible_watch_alive_timestamp_seconds{context="prod \"eu\""} 1773758400.250"#,
        ] {
            assert!(text.lines().any(|one| one == line), "{line}\nin\n{text}");
        }
    }

    #[test]
    fn nothing_is_told_of_a_watch_that_has_not_begun() {
        assert!(Meters::default().text().lines().all(|line| line.starts_with('#')));
    }
}
