//! One process from its start to its end: input, output, time limit, and how it is stopped.
//!
//! ```text
//! stdin ->  git  -> stdout (too much: an error)  stderr (too much: the beginning)  exit code
//! ```
//! Input is written while output is read, so neither side can block the other. Output is kept whole up to a
//! limit, or handed on as it comes, so that what is too much is seen before it is kept. A process that takes
//! too long, prints too much, or is no longer waited for is killed with all its children.

use crate::error::GitError;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::process::Child;

/// What is kept of standard error; the rest is read and dropped.
const STDERR_BYTES_KEPT: usize = 64 * 1024;

/// How much is read at once.
const CHUNK_BYTES: usize = 64 * 1024;

/// Takes standard output as it comes; an error ends the process.
pub(crate) type Sink<'a> = &'a mut (dyn FnMut(&[u8]) -> Result<(), GitError> + Send);

/// How long a process may take and how much it may print.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    pub(crate) time: Duration,
    pub(crate) stdout_bytes: usize,
}

/// How a process ended and what it printed.
#[derive(Debug)]
pub(crate) struct Output {
    pub(crate) what: &'static str,
    /// 128 and the signal's number after a signal.
    pub(crate) code: Option<i32>,
    pub(crate) stdout: Vec<u8>,
    pub(crate) stderr: Vec<u8>,
}

/// Waits for a process that leads its own group, and keeps what it prints.
pub(crate) async fn finish(
    child: Child,
    input: &[u8],
    what: &'static str,
    limits: Limits,
) -> Result<Output, GitError> {
    let mut stdout = Vec::new();
    let mut keep = |bytes: &[u8]| {
        if stdout.len() + bytes.len() > limits.stdout_bytes {
            let what = format!("the output of `git {what}`");
            return Err(GitError::TooLarge { what, limit: limits.stdout_bytes });
        }
        stdout.extend_from_slice(bytes);
        Ok(())
    };
    let output = finish_into(child, input, what, limits.time, &mut keep).await?;
    Ok(Output { stdout, ..output })
}

/// The same, but what it prints is handed on as it comes, and is not in the output.
pub(crate) async fn finish_into(
    child: Child,
    input: &[u8],
    what: &'static str,
    time: Duration,
    sink: Sink<'_>,
) -> Result<Output, GitError> {
    let group = Group::of(&child);
    let work = exchange(child, input, what, sink);
    // On every early return the group is dropped, and with it each process in it is killed.
    let late = |_| GitError::Timeout { what, seconds: time.as_secs() };
    let output = tokio::time::timeout(time, work).await.map_err(late)??;
    group.ended();
    Ok(output)
}

async fn exchange(
    mut child: Child,
    input: &[u8],
    what: &'static str,
    sink: Sink<'_>,
) -> Result<Output, GitError> {
    let wrong = |source| GitError::io(format!("cannot talk to `git {what}`"), source);
    let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    let write = async {
        if let Some(mut stdin) = stdin {
            // A process that needs no more input closes its end; its exit code tells the rest.
            let _closed_early = stdin.write_all(input).await;
        }
        Ok(())
    };
    let read_out = async {
        let Some(mut stdout) = stdout else { return Ok(()) };
        let mut chunk = vec![0; CHUNK_BYTES];
        loop {
            match stdout.read(&mut chunk).await.map_err(wrong)? {
                0 => return Ok(()),
                read => sink(&chunk[..read])?,
            }
        }
    };
    let read_err = async { read_and_drop(stderr, STDERR_BYTES_KEPT).await.map_err(wrong) };
    let ((), (), stderr) = tokio::try_join!(write, read_out, read_err)?;
    let code = exit_code(child.wait().await.map_err(wrong)?);
    Ok(Output { what, code, stdout: Vec::new(), stderr })
}

impl Output {
    /// The error for an end that nobody had a better word for.
    pub(crate) fn failed(&self) -> GitError {
        GitError::Failed {
            what: self.what,
            code: self.code.map_or("a signal".to_owned(), |code| code.to_string()),
            said: self.said(&[]),
        }
    }

    pub(crate) fn said(&self, secrets: &[&str]) -> String {
        crate::said::telling_line(&self.stderr, secrets)
    }

    /// Standard output as one line, without the line's end.
    pub(crate) fn line(&self) -> Result<&str, GitError> {
        let line = self.stdout.strip_suffix(b"\n").unwrap_or(&self.stdout);
        std::str::from_utf8(line).map_err(|_| GitError::garbled(self.what, &self.stdout))
    }
}

/// As a shell tells it: 128 and the signal's number for a process that a signal ended.
fn exit_code(status: std::process::ExitStatus) -> Option<i32> {
    #[cfg(unix)]
    let signal = std::os::unix::process::ExitStatusExt::signal(&status);
    #[cfg(not(unix))]
    let signal = None;
    status.code().or(signal.map(|signal: i32| 128 + signal))
}

/// Reads to the end, so that the writer never blocks, and keeps the beginning.
async fn read_and_drop(
    from: Option<impl AsyncRead + Unpin>,
    kept_max: usize,
) -> std::io::Result<Vec<u8>> {
    let mut kept = Vec::new();
    let Some(mut from) = from else {
        return Ok(kept);
    };
    let mut chunk = [0; 8192];
    loop {
        let read = from.read(&mut chunk).await?;
        if read == 0 {
            return Ok(kept);
        }
        let room = kept_max - kept.len();
        kept.extend_from_slice(&chunk[..read.min(room)]);
    }
}

/// A process and its children, killed together unless they ended by themselves.
struct Group {
    #[cfg(unix)]
    leader: Option<rustix::process::Pid>,
}

impl Group {
    #[cfg(unix)]
    fn of(child: &Child) -> Self {
        let id = child.id().and_then(|id| i32::try_from(id).ok());
        Self { leader: id.and_then(rustix::process::Pid::from_raw) }
    }

    #[cfg(not(unix))]
    fn of(_: &Child) -> Self {
        Self {}
    }

    #[cfg_attr(not(unix), expect(unused_mut, reason = "there is no group to forget"))]
    fn ended(mut self) {
        #[cfg(unix)]
        {
            self.leader = None;
        }
    }
}

#[cfg(unix)]
impl Drop for Group {
    fn drop(&mut self) {
        if let Some(leader) = self.leader {
            // The group may be gone by now; nothing is left to do then.
            let _gone = rustix::process::kill_process_group(leader, rustix::process::Signal::KILL);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::Stdio;

    async fn shell(script: &str, stdout_bytes: usize) -> Result<Output, GitError> {
        let child = tokio::process::Command::new("sh")
            .args(["-c", script])
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let time = Duration::from_secs(30);
        finish(child, b"input", "status", Limits { time, stdout_bytes }).await
    }

    #[tokio::test]
    async fn output_at_its_limit_is_taken_and_one_byte_more_is_an_error() {
        assert_eq!(shell("cat", 5).await.unwrap().stdout, b"input");
        let refused = shell("cat; printf x", 5).await;
        assert!(matches!(refused, Err(GitError::TooLarge { limit: 5, .. })), "{refused:?}");
    }

    #[tokio::test]
    async fn endless_errors_are_read_and_their_beginning_is_kept() {
        let script = "printf begin >&2; head -c 300000 /dev/zero >&2; exit 3";
        let output = shell(script, 5).await.unwrap();
        assert_eq!((output.code, output.stderr.len()), (Some(3), STDERR_BYTES_KEPT));
        assert!(output.stderr.starts_with(b"begin"));
    }
}
