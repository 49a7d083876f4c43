//! Running other programs: shown before they run, in the checkout, with clear errors.

use std::io;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

const PAUSE: Duration = Duration::from_millis(50);

/// How a command with a deadline ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ended {
    Well,
    Badly,
    TooLate,
}

/// Shows the command as a person would type it, and runs it with this terminal.
///
/// # Errors
/// It cannot be started.
pub(crate) fn shown(command: &mut Command) -> Result<ExitStatus> {
    println!("$ {}", line(command));
    command
        .stdin(Stdio::null())
        .status()
        .with_context(|| format!("cannot start {}", command.get_program().display()))
}

/// Like [`shown`], where anything but success is an error.
///
/// # Errors
/// It cannot be started, or says no.
pub(crate) fn succeed(command: &mut Command) -> Result<()> {
    let status = shown(command)?;
    if !status.success() {
        bail!("`{}` ended with {status}", line(command));
    }
    Ok(())
}

/// Runs a command quietly and returns what it printed to stdout.
///
/// # Errors
/// It cannot be started, or says no; the error shows its stderr.
pub(crate) fn read(command: &mut Command) -> Result<String> {
    let output = command
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("cannot start {}", command.get_program().display()))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        bail!("`{}` ended with {}: {}", line(command), output.status, said.trim());
    }
    String::from_utf8(output.stdout).context("it printed something that is not text")
}

/// Runs a command quietly for `limit` at most; then it and all that it started is killed.
///
/// # Errors
/// It cannot be started.
pub(crate) fn within(limit: Duration, command: &mut Command) -> Result<Ended> {
    let started = Instant::now();
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .process_group(0)
        .spawn()
        .with_context(|| format!("cannot start {}", command.get_program().display()))?;
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(if status.success() { Ended::Well } else { Ended::Badly });
        }
        if started.elapsed() >= limit {
            kill_group(&mut child)?;
            return Ok(Ended::TooLate);
        }
        thread::sleep(PAUSE);
    }
}

/// The child leads a group of its own, so its id is the group's.
fn kill_group(child: &mut Child) -> io::Result<()> {
    let group = format!("-{}", child.id());
    Command::new("kill").args(["-KILL", "--", &group]).status()?;
    child.wait()?;
    Ok(())
}

/// The command as a person would type it, without its environment.
pub(crate) fn line(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words.map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ")
}

/// `83.4` seconds as `1 min 23 s`.
pub(crate) fn people_time(took: Duration) -> String {
    let seconds = took.as_secs();
    match seconds {
        0..60 => format!("{:.1} s", took.as_secs_f32()),
        _ => format!("{} min {} s", seconds / 60, seconds % 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_past_its_limit_is_killed_with_what_it_started() {
        let mut command = Command::new("sh");
        command.args(["-c", "sleep 600 & sleep 600"]);
        let ended = within(Duration::from_millis(100), &mut command).unwrap();
        assert_eq!(ended, Ended::TooLate);
    }

    #[test]
    fn success_and_refusal_are_told_apart() {
        let limit = Duration::from_secs(30);
        assert_eq!(within(limit, &mut Command::new("true")).unwrap(), Ended::Well);
        assert_eq!(within(limit, &mut Command::new("false")).unwrap(), Ended::Badly);
    }

    #[test]
    fn times_are_readable() {
        assert_eq!(people_time(Duration::from_millis(1_234)), "1.2 s");
        assert_eq!(people_time(Duration::from_secs(83)), "1 min 23 s");
    }
}
