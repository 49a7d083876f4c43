//! How far rollouts are: one line a workload on a terminal, plain lines otherwise; and who stops the command.
//!
//! ```text
//! Ctrl-C, or SIGTERM as a CI sends it  ->  nothing more is told, the record says how far it came, exit 130
//! once more                            ->  the command ends at once
//! ```

use super::deploy::run_of;
use crate::arguments::Global;
use crate::exit::{Exit, Failure};
use crate::output::{plain, say};
use crate::process;
use flows::deploy::{Carry, DeployError, Listener, News, TakeOver};
use std::fmt::Write as _;
use std::io::IsTerminal as _;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::watch;

/// What can be typed for every way to bring a build to clusters.
#[derive(Clone, Copy, Debug, clap::Args)]
pub(crate) struct ClusterArguments {
    /// In mode cluster: take images over that kubectl or another tool set, never those of Argo CD, Flux or Helm
    #[arg(long)]
    take_over: bool,
    /// In mode cluster, in an emergency: also from Argo CD, whose automatic sync is suspended until `resume`
    #[arg(long, requires = "reason")]
    break_glass: bool,
    /// How long rollouts are waited for; 0: without end. Over it is no failure, but unknown (exit 2)
    #[arg(long, value_name = "DURATION", default_value = "1h", value_parser = timeout)]
    timeout: Timeout,
}

/// How long rollouts are waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Timeout {
    Endless,
    After(Duration),
}

/// Reads `30s`, `10m`, `2h`, and `0`. Source: `kubectl rollout status --timeout`.
fn timeout(text: &str) -> Result<Timeout, String> {
    let wrong = || "it is no length of time: write 90s, 10m or 2h, or 0 for no end".to_owned();
    let ms = if text == "0" { 0 } else { record::when::parse_length(text).ok_or_else(wrong)? };
    match u64::try_from(ms).map_err(|_| wrong())? {
        0 => Ok(Timeout::Endless),
        ms => Ok(Timeout::After(Duration::from_millis(ms))),
    }
}

/// How a plan is carried out, by what was typed.
pub(crate) fn carry(global: &Global, arguments: ClusterArguments) -> Carry {
    let (stop, stopped) = watch::channel(false);
    let stop = Mutex::new(Some(stop));
    let lines = Mutex::new(Lines::new(global.output().quiet));
    let hears = move |news: &News| match news {
        News::Begins => {
            // A rollback that follows begins too: whoever listens already goes on listening.
            if let Some(stop) = stop.lock().unwrap_or_else(PoisonError::into_inner).take() {
                listen(stop);
            }
        }
        News::NotRolledBack { environment, why } => {
            say(&format!("{environment}: not rolled back: {why}\n"));
        }
        News::StaysHeld { environment, image } => say(&format!(
            "{environment} {image}: held, also now that the rollback did not end well (indelible resume {environment} {image})\n"
        )),
        News::Line { place, what } => {
            lines.lock().unwrap_or_else(PoisonError::into_inner).show(place, what);
        }
    };
    Carry {
        run: run_of(global),
        take_over: match (arguments.break_glass, arguments.take_over) {
            (true, _) => TakeOver::BreakGlass,
            (false, true) => TakeOver::Told,
            (false, false) => TakeOver::Never,
        },
        timeout: match arguments.timeout {
            Timeout::Endless => None,
            Timeout::After(timeout) => Some(timeout),
        },
        listener: Listener::new(hears, stopped),
    }
}

/// From now on who stops the command is listened to: the first time it is wound up, the second time it ends at once.
fn listen(stop: watch::Sender<bool>) {
    // Where signals cannot be had, they end the command as always.
    let Ok(mut stops) = process::Stops::listen() else { return };
    process::handles_interrupts();
    tokio::spawn(async move {
        stops.next().await;
        let _ = stop.send(true);
        say(
            "stopping: nothing more is told, and the record hears how far it came; once more ends at once\n",
        );
        stops.next().await;
        process::give_up();
    });
}

/// An error of a deploy; one that was stopped ends as every interrupted command.
pub(crate) fn failure(error: DeployError) -> Failure {
    let is_interrupted = is_interrupted(&error);
    let failure = Failure::from(error);
    if is_interrupted { failure.with_exit(Exit::Interrupted) } else { failure }
}

/// Whether somebody stopped it, or the rollback behind it, or what could not be recorded.
fn is_interrupted(error: &DeployError) -> bool {
    if let DeployError::NotRolledBack { source, .. }
    | DeployError::StaysSuspended { source, .. }
    | DeployError::NotRecorded { failed: Some(source), .. } = error
    {
        return is_interrupted(source);
    }
    matches!(error, DeployError::Interrupted { .. })
}

/// One line for each workload, in the order in which they were first heard of.
struct Lines {
    style: Style,
    shown: Vec<(String, String)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Style {
    /// Each line is written over.
    Terminal,
    /// Each change is a line of its own.
    Plain,
    /// Nothing.
    Quiet,
}

impl Lines {
    fn new(quiet: bool) -> Self {
        let style = match (quiet, std::io::stderr().is_terminal()) {
            (true, _) => Style::Quiet,
            (false, true) => Style::Terminal,
            (false, false) => Style::Plain,
        };
        Self { style, shown: Vec::new() }
    }

    fn show(&mut self, place: &str, what: &str) {
        let text = self.changed(place, what);
        say(&text);
    }

    /// What has to be written for a change.
    fn changed(&mut self, place: &str, what: &str) -> String {
        match self.style {
            Style::Quiet => String::new(),
            Style::Plain => format!("{}: {}\n", plain(place), plain(what)),
            Style::Terminal => {
                let mut text = match self.shown.len() {
                    0 => String::new(),
                    up => format!("\u{1b}[{up}A"),
                };
                match self.shown.iter_mut().find(|(known, _)| known == place) {
                    Some((_, line)) => what.clone_into(line),
                    None => self.shown.push((place.to_owned(), what.to_owned())),
                }
                for (place, what) in &self.shown {
                    let _ = writeln!(text, "\r\u{1b}[K{}: {}", plain(place), plain(what));
                }
                text
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flows::Verdict;

    fn interrupted() -> Box<DeployError> {
        let environment = "prod".parse().unwrap();
        let how_far = "the clusters of prod were told nothing".to_owned();
        Box::new(DeployError::Interrupted { environment, how_far, steps: Vec::new() })
    }

    fn not_rolled_back(source: Box<DeployError>) -> DeployError {
        let (environment, failed) = ("prod".parse().unwrap(), "a pod failed".to_owned());
        DeployError::NotRolledBack { environment, failed, source }
    }

    #[test]
    fn a_rollback_that_was_stopped_ends_as_stopped_and_one_that_cannot_tell_as_unknown() {
        assert_eq!(failure(*interrupted()).exit, Exit::Interrupted);
        assert_eq!(failure(not_rolled_back(interrupted())).exit, Exit::Interrupted);
        let unknown = failure(not_rolled_back(Box::new(DeployError::NoCommit)));
        assert_eq!(unknown.exit, Exit::from(Verdict::Unknown));
        let (environment, image) = ("prod".parse().unwrap(), "api".parse().unwrap());
        let refused = DeployError::Overtaken { environment, image };
        assert_eq!(failure(not_rolled_back(Box::new(refused))).exit, Exit::No);
        let suspended = DeployError::StaysSuspended {
            environment: "prod".parse().unwrap(),
            suspended: vec!["application/argocd/shop".to_owned()],
            source: interrupted(),
        };
        assert_eq!(failure(suspended).exit, Exit::Interrupted);
    }

    #[test]
    fn a_timeout_is_a_length_of_time_and_0_is_none() {
        assert_eq!(timeout("0"), Ok(Timeout::Endless));
        assert_eq!(timeout("0s"), Ok(Timeout::Endless));
        assert_eq!(timeout("90s"), Ok(Timeout::After(Duration::from_secs(90))));
        assert_eq!(timeout("1h30m"), Ok(Timeout::After(Duration::from_secs(5_400))));
        for wrong in ["", "10", "-1s", "soon", "1h 2"] {
            assert!(timeout(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_terminal_has_one_line_a_workload_and_a_log_one_a_change() {
        let mut lines = Lines { style: Style::Terminal, shown: Vec::new() };
        assert_eq!(lines.changed("a", "1 of 2"), "\r\u{1b}[Ka: 1 of 2\n");
        let both = "\u{1b}[1A\r\u{1b}[Ka: 1 of 2\n\r\u{1b}[Kb: 0 of 2\n";
        assert_eq!(lines.changed("b", "0 of 2"), both);
        let over = "\u{1b}[2A\r\u{1b}[Ka: 2 of 2\n\r\u{1b}[Kb: 0 of 2\n";
        assert_eq!(lines.changed("a", "2 of 2"), over);
        let mut lines = Lines { style: Style::Plain, shown: Vec::new() };
        assert_eq!(lines.changed("a", "1\u{1b}"), "a: 1\\u{1b}\n");
    }
}
