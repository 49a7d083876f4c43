//! How far rollouts are: one line a workload on a terminal, plain lines otherwise; and Ctrl-C while they are waited for.

use super::deploy::run_of;
use crate::arguments::Global;
use crate::exit::{Exit, Failure};
use crate::output::{plain, say};
use crate::process;
use flows::deploy::{Carry, DeployError, Listener, News, TakeOver};
use std::fmt::Write as _;
use std::io::IsTerminal as _;
use std::sync::{Arc, Mutex, PoisonError};
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
}

/// How a plan is carried out, by what was typed.
pub(crate) fn carry(global: &Global, arguments: ClusterArguments) -> Carry {
    let (stop, stopped) = watch::channel(false);
    let stop = Arc::new(stop);
    let lines = Mutex::new(Lines::new(global.output().quiet));
    let hears = move |news: &News| match news {
        News::Begins => {
            process::handles_interrupts();
            let stop = Arc::clone(&stop);
            tokio::spawn(async move {
                if tokio::signal::ctrl_c().await.is_ok() {
                    let _ = stop.send(true);
                }
            });
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
        listener: Listener::new(hears, stopped),
    }
}

/// An error of a deploy; one that was stopped ends as every interrupted command.
pub(crate) fn failure(error: DeployError) -> Failure {
    let is_interrupted = matches!(error, DeployError::Interrupted { .. });
    let failure = Failure::from(error);
    if is_interrupted { failure.with_exit(Exit::Interrupted) } else { failure }
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
