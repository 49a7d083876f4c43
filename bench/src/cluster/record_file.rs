//! The record's file, read by somebody else than its writer: when a run that began by a restart can be seen there.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, anyhow, ensure};
use rusqlite::{Connection, OpenFlags};
use testbed::wait_until_within;

const SEEN_WITHIN: Duration = Duration::from_secs(300);
/// How exactly a delay is known: the file is looked at so often.
const LOOKS_EVERY: Duration = Duration::from_millis(10);

/// A pod and how often it had restarted, as one word each: `uid 3`.
type Restart = String;
/// When something was seen of each restart, in milliseconds since 1970.
pub(super) type Moments = HashMap<Restart, i64>;

pub(super) struct RecordFile {
    path: PathBuf,
    reader: Connection,
}

/// Looks for runs that began by a restart.
pub(super) struct Seen {
    ends: Arc<AtomicBool>,
    count: Arc<AtomicUsize>,
    looking: JoinHandle<Result<Moments>>,
}

impl RecordFile {
    pub(super) fn open(path: &Path) -> Result<Self> {
        Ok(Self { path: path.to_owned(), reader: reader(path)? })
    }

    /// Waits until every pod's run is recorded.
    pub(super) fn wait_for_begins(&self, pods: u32) -> Result<Duration> {
        let begun = Instant::now();
        let count = "SELECT count(*) FROM container_run";
        wait_until_within(SEEN_WITHIN, "not every run is recorded", || {
            let count = self.reader.query_row(count, [], |row| row.get::<_, u32>(0));
            count.is_ok_and(|count| count >= pods)
        })?;
        Ok(begun.elapsed())
    }

    /// Begins to look; what began by a restart so far is none of it.
    pub(super) fn follow(&self) -> Result<Seen> {
        let (ends, count) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
        let file = reader(&self.path)?;
        let last = file.query_row("SELECT max(seq) FROM event", [], |row| row.get(0))?;
        let (told, counted) = (Arc::clone(&ends), Arc::clone(&count));
        let looking = thread::spawn(move || look(&file, last, &told, &counted));
        Ok(Seen { ends, count, looking })
    }

    /// All of its pages, those that wait beside the file to be written into it among them.
    pub(super) fn bytes(&self) -> Result<f64> {
        let number = |name| self.reader.pragma_query_value(None, name, |row| row.get::<_, u32>(0));
        Ok(f64::from(number("page_count")?) * f64::from(number("page_size")?))
    }
}

impl Seen {
    /// Waits for so many restarts; gives when each could be seen.
    pub(super) fn finish(self, count: u32) -> Result<Moments> {
        let wanted = usize::try_from(count)?;
        let waited = wait_until_within(SEEN_WITHIN, "not every restart is recorded", || {
            self.count.load(Ordering::Relaxed) >= wanted || self.looking.is_finished()
        });
        self.ends.store(true, Ordering::Relaxed);
        let seen = self.looking.join().map_err(|_| anyhow!("the reader of the record ended"))??;
        waited.with_context(|| format!("{} of {count} are there", seen.len()))?;
        Ok(seen)
    }
}

fn reader(path: &Path) -> Result<Connection> {
    let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    connection.busy_timeout(Duration::from_secs(10))?;
    Ok(connection)
}

/// Reads what is new, again and again, until it is told to end.
fn look(
    reader: &Connection,
    mut last: i64,
    ends: &AtomicBool,
    count: &AtomicUsize,
) -> Result<Moments> {
    let mut seen = Moments::new();
    let sql = "SELECT seq, CAST(body AS TEXT) ->> '$.claim.change.pod_uid', \
               CAST(body AS TEXT) ->> '$.claim.change.restarts' \
               FROM event WHERE kind = 'container-run' AND seq > ?1 ORDER BY seq";
    let mut new = reader.prepare(sql)?;
    while !ends.load(Ordering::Relaxed) {
        let mut begun = Vec::new();
        let mut rows = new.query([last])?;
        while let Some(row) = rows.next()? {
            last = row.get(0)?;
            let (pod, restarts): (Option<String>, Option<i64>) = (row.get(1)?, row.get(2)?);
            begun.extend(pod.zip(restarts).map(|(pod, restarts)| format!("{pod} {restarts}")));
        }
        drop(rows);
        // After they were read: what is told is not too short.
        let now = now_ms()?;
        for restart in begun {
            seen.entry(restart).or_insert(now);
        }
        count.store(seen.len(), Ordering::Relaxed);
        thread::sleep(LOOKS_EVERY);
    }
    Ok(seen)
}

#[expect(clippy::disallowed_methods, reason = "the bench compares clocks of one machine")]
fn now_ms() -> Result<i64> {
    Ok(i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis())?)
}

/// Reads lines of a restart and a moment; one that begins with `#` says something else.
pub(super) fn moments(text: &str) -> Result<Moments> {
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines
        .map(|line| {
            let (restart, at) = line.rsplit_once(' ').with_context(|| format!("`{line}`"))?;
            Ok((restart.to_owned(), at.parse().with_context(|| format!("`{line}`"))?))
        })
        .collect()
}

/// How long after what the text says each restart could be seen, in milliseconds, shortest first.
pub(super) fn delays(since: &str, visible: &Moments) -> Result<Vec<i64>> {
    let mut delays = Vec::new();
    for (restart, at) in moments(since)? {
        let seen = visible.get(&restart).with_context(|| format!("{restart} was not seen"))?;
        // Ours may be told first.
        delays.push((seen - at).max(0));
    }
    ensure!(!delays.is_empty(), "nothing restarted");
    delays.sort_unstable();
    Ok(delays)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_delay_is_from_one_word_to_the_sight_of_the_run() {
        let handed = "# held 2\nu1 1 1000\nu2 1 1010\n";
        let mut visible = HashMap::from([("u1 1".to_owned(), 1_300), ("u2 1".to_owned(), 1_005)]);
        assert_eq!(delays(handed, &visible).unwrap(), [0, 300]);
        visible.remove("u2 1");
        assert_eq!(delays(handed, &visible).unwrap_err().to_string(), "u2 1 was not seen");
    }
}
