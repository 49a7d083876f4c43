//! Whether the record holds what the API server says: every run of every container, and nothing else as running.
//!
//! ```text
//! uid-1 2 containerd://c3   ->  three runs of uid-1: restarts 0 and 1 ended, 2 open and containerd://c3
//! ```

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use anyhow::{Context, Result, ensure};
use record::{Run, RunQuestion};
use store::{Database, Ledger};

/// How many differences an error names.
const NAMED_MAX: usize = 5;

/// What the record holds.
pub(super) struct Found {
    pub(super) runs: u32,
    pub(super) open: u32,
}

/// A run, as far as it is compared.
#[derive(Clone, Debug)]
struct Row {
    pod: String,
    restarts: u32,
    container: String,
    is_open: bool,
}

/// Compares the record with `listed`: a pod's uid, its container's restarts and id, one pod on a line.
///
/// # Errors
/// They differ, or the record cannot be read.
pub(super) fn check(path: &Path, listed: &str) -> Result<Found> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let rows = runtime.block_on(rows(path))?;
    let differences = differences(listed, &rows)?;
    ensure!(
        differences.is_empty(),
        "the record is not what ran: {} differences, such as {}",
        differences.len(),
        differences[..differences.len().min(NAMED_MAX)].join("; ")
    );
    let open = rows.iter().filter(|row| row.is_open).count();
    Ok(Found { runs: u32::try_from(rows.len())?, open: u32::try_from(open)? })
}

/// All runs, by the question that every answer is made from.
async fn rows(path: &Path) -> Result<Vec<Row>> {
    let ledger = Ledger::new(Database::open(path)?);
    let (mut rows, mut after) = (Vec::new(), None);
    loop {
        let page = ledger.runs(RunQuestion::default(), after).await?;
        rows.extend(page.runs.iter().map(Row::of));
        after = page.next;
        if after.is_none() {
            return Ok(rows);
        }
    }
}

impl Row {
    fn of(run: &Run) -> Self {
        Self {
            pod: run.began.pod_uid.as_str().to_owned(),
            restarts: run.began.restarts,
            container: run.began.container_id.as_str().to_owned(),
            is_open: run.ended.is_none(),
        }
    }
}

fn differences(listed: &str, rows: &[Row]) -> Result<Vec<String>> {
    let mut of_pod: HashMap<&str, BTreeMap<u32, Vec<&Row>>> = HashMap::new();
    for row in rows {
        let runs = of_pod.entry(&row.pod).or_default();
        runs.entry(row.restarts).or_default().push(row);
    }
    let mut differences = Vec::new();
    for line in listed.lines() {
        let words: Vec<&str> = line.split(' ').collect();
        let [pod, restarts, container] = words[..] else { anyhow::bail!("`{line}`") };
        let last: u32 = restarts.parse().with_context(|| format!("`{line}`"))?;
        let mut runs = of_pod.remove(pod).unwrap_or_default();
        for restarts in 0..=last {
            let found = runs.remove(&restarts).unwrap_or_default();
            differences.extend(match found[..] {
                [run] if restarts == last && !run.is_open => {
                    Some(format!("{pod} runs and its run {restarts} has ended"))
                }
                [run] if restarts == last && run.container != container => {
                    Some(format!("{pod} runs {container}, not {}", run.container))
                }
                [run] if restarts < last && run.is_open => {
                    Some(format!("run {restarts} of {pod} has ended and is open"))
                }
                [_] => None,
                [] => Some(format!("run {restarts} of {pod} is missing")),
                [_, _, ..] => Some(format!("run {restarts} of {pod} is there twice")),
            });
        }
        differences.extend(runs.keys().map(|more| format!("nobody saw run {more} of {pod}")));
    }
    let open = of_pod.iter().filter(|(_, runs)| runs.values().flatten().any(|run| run.is_open));
    differences.extend(open.map(|(pod, _)| format!("{pod} is not there and is open")));
    Ok(differences)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(pod: &str, restarts: u32, container: &str, is_open: bool) -> Row {
        Row { pod: pod.to_owned(), restarts, container: container.to_owned(), is_open }
    }

    #[test]
    fn a_record_of_all_that_ran_has_no_difference() {
        let rows = [
            row("u1", 0, "c0", false),
            row("u1", 1, "c1", true),
            row("u2", 0, "d0", true),
            row("gone", 0, "e0", false),
        ];
        assert_eq!(differences("u1 1 c1\nu2 0 d0\n", &rows).unwrap(), [""; 0]);
    }

    #[test]
    fn each_way_to_be_wrong_is_told() {
        for (rows, expected) in [
            (vec![row("u1", 1, "c1", true)], "run 0 of u1 is missing"),
            (
                vec![row("u1", 0, "c0", true), row("u1", 1, "c1", true)],
                "run 0 of u1 has ended and is open",
            ),
            (
                vec![row("u1", 0, "c0", false), row("u1", 1, "c1", false)],
                "u1 runs and its run 1 has ended",
            ),
            (vec![row("u1", 0, "c0", false), row("u1", 1, "c9", true)], "u1 runs c1, not c9"),
            (
                vec![row("u1", 0, "c0", false), row("u1", 1, "c1", true), row("u1", 1, "c2", true)],
                "run 1 of u1 is there twice",
            ),
            (
                vec![row("u1", 0, "c0", false), row("u1", 1, "c1", true), row("u1", 2, "c2", true)],
                "nobody saw run 2 of u1",
            ),
            (
                vec![row("u1", 0, "c0", false), row("u1", 1, "c1", true), row("u9", 0, "x", true)],
                "u9 is not there and is open",
            ),
        ] {
            assert_eq!(differences("u1 1 c1\n", &rows).unwrap(), [expected]);
        }
        assert!(differences("u1 1\n", &[]).is_err());
    }
}
