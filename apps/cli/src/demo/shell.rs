//! The teller: prints each command as a person would type it, runs it, and prints what it answered.
//!
//! ```text
//! $ cd /tmp/indelible-demo-x/ada/shop
//! $ git commit --quiet -m 'Sell tea'
//! ```
//! Commands are run from argument arrays, by no shell; only what is printed is quoted for one.

use super::DemoError;
use crate::output::Output;
use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;
use tokio::process::Command;

/// How long one command may take on this machine.
const COMMAND_SECONDS_MAX: u64 = 60;
/// How long one may take that waits for a cluster, which gives a rollout up by itself before that.
const ROLLOUT_SECONDS_MAX: u64 = 900;
/// How often a question is asked again whose answer is waited for.
const ASK_EVERY: Duration = Duration::from_millis(500);
/// How much of a command's output is shown.
const SHOWN_BYTES_MAX: u64 = 1 << 20;
/// The word that stands for this program.
const INDELIBLE: &str = "indelible";

/// Somebody's shell: a folder and the only variables that its commands see.
#[derive(Clone, Debug)]
pub(super) struct Shell {
    /// Where commands run.
    pub(super) folder: PathBuf,
    /// All of their variables.
    pub(super) variables: BTreeMap<String, String>,
}

impl Shell {
    /// The same shell in another folder.
    pub(super) fn at(&self, folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into(), variables: self.variables.clone() }
    }

    /// The variables as lines that a shell reads, but for `PATH`.
    pub(super) fn exports(&self) -> String {
        let own = self.variables.iter().filter(|(name, _)| *name != "PATH");
        own.map(|(name, value)| format!("export {name}={}\n", quoted(value))).collect()
    }
}

/// Prints and runs.
#[derive(Debug)]
pub(super) struct Teller {
    output: Output,
    program: PathBuf,
    /// Takes what the command prints, so that both of its streams stay in order.
    capture: PathBuf,
    folder: Option<PathBuf>,
    command_seconds_max: u64,
}

impl Teller {
    pub(super) fn new(output: Output, folder: &Path) -> Result<Self, DemoError> {
        let program = std::env::current_exe()
            .map_err(|source| DemoError::Start { program: INDELIBLE.to_owned(), source })?;
        let (capture, command_seconds_max) = (folder.join("output"), COMMAND_SECONDS_MAX);
        Ok(Self { output, program, capture, folder: None, command_seconds_max })
    }

    /// The same for commands that wait for a cluster.
    pub(super) fn for_rollouts(self) -> Self {
        Self { command_seconds_max: ROLLOUT_SECONDS_MAX, ..self }
    }

    /// This program's file.
    pub(super) fn program(&self) -> &Path {
        &self.program
    }

    /// Begins a chapter.
    pub(super) fn chapter(&self, title: &str) {
        self.output.text(&format!("\n## {title}\n"));
    }

    /// Says something between the commands.
    pub(super) fn say(&self, text: &str) {
        self.output.text(&format!("\n# {}\n", text.replace('\n', "\n# ")));
    }

    /// Runs a command that has to end well, and gives what it printed.
    pub(super) async fn run(&mut self, shell: &Shell, words: &[&str]) -> Result<String, DemoError> {
        self.run_to(shell, words, 0).await
    }

    /// Runs a command that has to end with this exit code.
    pub(super) async fn run_to(
        &mut self,
        shell: &Shell,
        words: &[&str],
        expected: i32,
    ) -> Result<String, DemoError> {
        let typed = typed(words);
        self.enter(&shell.folder);
        self.output.text(&format!("$ {typed}\n"));
        let (status, printed) = self.answer(shell, words, &typed).await?;
        self.output.text(&printed);
        if !printed.is_empty() && !printed.ends_with('\n') {
            self.output.text("\n");
        }
        match status.code() {
            Some(code) if code == expected => {
                if code != 0 {
                    self.output.text(&format!("[exit {code}]\n"));
                }
                Ok(printed)
            }
            Some(_) | None => {
                Err(DemoError::Exit { command: typed, ended: status.to_string(), expected })
            }
        }
    }

    /// Asks again and again, without a word, until a command ends with this exit code.
    pub(super) async fn wait_until(
        &self,
        shell: &Shell,
        words: &[&str],
        expected: i32,
    ) -> Result<(), DemoError> {
        let command = typed(words);
        let deadline = tokio::time::Instant::now() + Duration::from_secs(COMMAND_SECONDS_MAX);
        loop {
            let (status, _) = self.answer(shell, words, &command).await?;
            if status.code() == Some(expected) {
                return Ok(());
            }
            if tokio::time::Instant::now() >= deadline {
                let ended = format!("{status} for {COMMAND_SECONDS_MAX} s");
                return Err(DemoError::Exit { command, ended, expected });
            }
            tokio::time::sleep(ASK_EVERY).await;
        }
    }

    /// Prints a line that the reader types and that needs no process of ours, such as `. ./shell`.
    pub(super) fn typed_only(&mut self, shell: &Shell, line: &str) {
        self.enter(&shell.folder);
        self.output.text(&format!("$ {line}\n"));
    }

    /// Prints a line that the reader types in whatever folder.
    pub(super) fn line(&self, line: &str) {
        self.output.text(&format!("$ {line}\n"));
    }

    /// Prints that the reader leaves a shell within a shell, and is back in this folder.
    pub(super) fn leave(&mut self, back: &Path) {
        self.line("exit");
        self.folder = Some(back.to_owned());
    }

    /// Prints what the last line answered, where it was no process of ours.
    pub(super) fn show(&self, text: &str) {
        self.output.text(text);
    }

    /// The command that stands behind a word.
    pub(super) fn command(&self, shell: &Shell, words: &[&str]) -> Command {
        let (program, arguments) = words.split_first().expect("a command has a first word");
        let mut command = match *program {
            INDELIBLE => Command::new(&self.program),
            other => Command::new(other),
        };
        command
            .args(arguments)
            .env_clear()
            .envs(&shell.variables)
            .current_dir(&shell.folder)
            .stdin(Stdio::null())
            .kill_on_drop(true);
        // A group of its own: an interrupt is ours to answer, not each command's.
        #[cfg(unix)]
        command.process_group(0);
        command
    }

    fn enter(&mut self, folder: &Path) {
        if self.folder.as_deref() != Some(folder) {
            self.output.text(&format!("\n$ cd {}\n", quoted(&folder.display().to_string())));
            self.folder = Some(folder.to_owned());
        }
    }

    async fn answer(
        &self,
        shell: &Shell,
        words: &[&str],
        typed: &str,
    ) -> Result<(ExitStatus, String), DemoError> {
        let wrong = || DemoError::io("keep output in", &self.capture);
        let stdout = std::fs::File::create(&self.capture).map_err(wrong())?;
        let stderr = stdout.try_clone().map_err(wrong())?;
        let start = |source| DemoError::Start {
            program: words.first().copied().unwrap_or_default().to_owned(),
            source,
        };
        let mut command = self.command(shell, words);
        let mut child = command.stdout(stdout).stderr(stderr).spawn().map_err(start)?;
        let seconds = self.command_seconds_max;
        let waited = tokio::time::timeout(Duration::from_secs(seconds), child.wait());
        let Ok(status) = waited.await else {
            return Err(DemoError::Timeout { command: typed.to_owned(), seconds });
        };
        let status = status.map_err(wrong())?;
        let mut printed = Vec::new();
        let file = std::fs::File::open(&self.capture).map_err(wrong())?;
        file.take(SHOWN_BYTES_MAX).read_to_end(&mut printed).map_err(wrong())?;
        Ok((status, String::from_utf8_lossy(&printed).into_owned()))
    }
}

/// A command as a person types it.
pub(super) fn typed(words: &[&str]) -> String {
    let words: Vec<_> = words.iter().map(|word| quoted(word)).collect();
    words.join(" ")
}

/// A word that a POSIX shell reads as this text.
fn quoted(word: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=@,+%".contains(c);
    if !word.is_empty() && word.chars().all(is_plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_printed_can_be_typed() {
        let cases: [(&[&str], &str); 4] = [
            (&["git", "commit", "-m", "Sell tea"], "git commit -m 'Sell tea'"),
            (
                &["indelible", "rule", "set", "**", "{uat,prod}"],
                "indelible rule set '**' '{uat,prod}'",
            ),
            (&["echo", "it's", ""], r"echo 'it'\''s' ''"),
            (
                &["x", "oci:../image", "--at=2026-03-17T14:39:58Z"],
                "x oci:../image --at=2026-03-17T14:39:58Z",
            ),
        ];
        for (words, expected) in cases {
            assert_eq!(typed(words), expected);
        }
    }
}
