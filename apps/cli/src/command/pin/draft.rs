//! How `pin`, `set` and `unpin` show what they did, or would do.
//!
//! ```text
//! deploy/api.yaml:12:16: shop/api:1.4 -> sha256:9f86d081884c
//! 1 file, 1 reference pinned, 2 were before
//! next: git diff    # a merge would restart deployment/api
//! ```

use super::next::{command, count};
use super::wire;
use crate::exit::{Exit, Failure};
use crate::output::{self, Format, Output, plain};
use flows::files::{Basis, Left, NotMoved, Why};
use pin::Skip;
use similar::TextDiff;
use std::fmt::Write as _;
use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};

/// The most workloads that are named in the last line.
const RESTARTS_NAMED_MAX: usize = 8;

/// Which command it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verb {
    Pin,
    Set,
    Unpin,
}

/// What became of the draft.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// The files were written.
    Written,
    /// It is shown as a patch.
    Shown,
    /// It was only asked whether there is anything to do.
    Locked,
    /// It goes to standard output.
    Streamed,
}

/// A draft and what is to be said of it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Draft<'a> {
    pub(crate) verb: Verb,
    pub(crate) outcome: Outcome,
    /// The command that did it, without its paths.
    pub(crate) again: &'a str,
    /// As they were typed.
    pub(crate) paths: &'a [PathBuf],
    pub(crate) draft: &'a flows::files::Draft,
}

impl Draft<'_> {
    /// Prints it: data to stdout, and where that is a patch, the talk to stderr.
    pub(crate) fn print(&self, output: Output, cwd: &Path) -> Result<Exit, Failure> {
        let draft = self.draft;
        for path in &draft.passed_over {
            output.talk(format_args!(
                "{path}: no workload file that this version reads; passed over"
            ));
        }
        if !draft.passed_over.is_empty() && draft.passed_over.len() == draft.looked_at {
            return Err(Failure::usage("none of the named files is a workload file"));
        }
        let next = self.next(cwd);
        if output.format == Format::Json {
            output.data(self.word(), &wire::document(self, next.as_deref()), String::new);
            return Ok(self.exit());
        }
        let mut report = self.lines();
        if !output.quiet {
            report.push_str(&self.ending(next.as_deref()));
        }
        match self.outcome {
            Outcome::Written | Outcome::Locked => output.text(&report),
            Outcome::Shown | Outcome::Streamed => {
                output.text(&self.diff());
                output::say(&report);
            }
        }
        Ok(self.exit())
    }

    /// The command's word.
    pub(super) fn word(&self) -> &'static str {
        match self.verb {
            Verb::Pin => "pin",
            Verb::Set => "set",
            Verb::Unpin => "unpin",
        }
    }

    /// A line for each place that changes, and for each that should have and does not.
    pub(crate) fn lines(&self) -> String {
        let mut text = String::new();
        for one in &self.draft.changed {
            let place = format!("{}:{}:{}", plain(&one.path), one.line, one.column);
            let reference = plain(&one.reference);
            let to = one
                .repository
                .as_ref()
                .map(|to| format!("repository {}, ", to.familiar()))
                .unwrap_or_default();
            let _ = match (self.outcome, &one.digest) {
                (Outcome::Locked, _) => writeln!(text, "{place}: `{reference}` is not pinned"),
                (_, Some(digest)) => {
                    let basis = one.basis.map(basis).unwrap_or_default();
                    writeln!(text, "{place}: {reference} -> {to}{}{basis}", digest.short())
                }
                (_, None) => writeln!(text, "{place}: {reference} -> no digest"),
            };
            if let Some(moved) = &one.moved {
                let _ = writeln!(text, "  moved: {}", plain(moved));
            }
            if let Some(floating) = &one.floating {
                let floating = plain(floating);
                let _ = writeln!(
                    text,
                    "  note: {floating}; what runs may be an older build, so that a merge may deploy a change"
                );
            }
        }
        for left in self.draft.left.iter().filter(|left| self.is_said(left)) {
            let (path, reference) = (plain(&left.path), plain(&left.reference));
            let why = plain(&left.why.to_string());
            let _ = writeln!(
                text,
                "{path}:{}:{}: {reference} is left as it is: {why}",
                left.line, left.column
            );
        }
        for unread in &self.draft.unread {
            let (path, why) = (plain(&unread.shown), plain(&unread.why.to_string()));
            let _ = writeln!(text, "{path}: could not be read: {why}");
        }
        text
    }

    /// Whether a place that is left alone is worth a line; `pin` counts what it never could have pinned.
    fn is_said(&self, left: &Left) -> bool {
        let is_expected =
            matches!(left.why, Why::Skip(Skip::Opaque(_) | Skip::Ignored(_) | Skip::BuildTarget));
        !(self.verb == Verb::Pin && is_expected)
    }

    /// The numbers and the next command.
    fn ending(&self, next: Option<&str>) -> String {
        let draft = self.draft;
        let changed = count(draft.changed.len(), "reference");
        let files = count(draft.rewrites.len(), "file");
        let done = match (self.outcome, self.verb) {
            (Outcome::Locked, Verb::Pin | Verb::Set | Verb::Unpin) => "not pinned",
            (Outcome::Written | Outcome::Streamed, Verb::Pin) => "pinned",
            (Outcome::Written | Outcome::Streamed, Verb::Set) => "set",
            (Outcome::Written | Outcome::Streamed, Verb::Unpin) => "unpinned",
            (Outcome::Shown, Verb::Pin) => "would be pinned",
            (Outcome::Shown, Verb::Set) => "would be set",
            (Outcome::Shown, Verb::Unpin) => "would be unpinned",
        };
        let before = match self.outcome {
            Outcome::Locked => "pinned",
            Outcome::Written | Outcome::Shown | Outcome::Streamed => "already",
        };
        let mut text = format!("{files}, {changed} {done}");
        let quiet = draft.left.iter().filter(|left| !self.is_said(left)).count();
        let others =
            [(draft.same, before), (quiet, "not for a pin"), (draft.unread.len(), "unread")];
        for (number, what) in others {
            if number > 0 {
                let _ = write!(text, ", {number} {what}");
            }
        }
        text.push('\n');
        if let Some(next) = next {
            let restarts = self.restarts().map(|all| format!("    # a merge would restart {all}"));
            let _ = writeln!(text, "next: {next}{}", restarts.unwrap_or_default());
        }
        text
    }

    /// The next command.
    fn next(&self, cwd: &Path) -> Option<String> {
        if self.draft.changed.is_empty() {
            return None;
        }
        match self.outcome {
            Outcome::Written if is_in_git(cwd) => Some("git diff".to_owned()),
            Outcome::Written => Some(command("indelible check", self.paths)),
            Outcome::Locked | Outcome::Shown => Some(command(self.again, self.paths)),
            Outcome::Streamed => None,
        }
    }

    /// What a merge would restart.
    fn restarts(&self) -> Option<String> {
        let all = &self.draft.restarts;
        let named: Vec<String> =
            all.iter().take(RESTARTS_NAMED_MAX).map(|name| plain(name)).collect();
        match (named.is_empty(), all.len().checked_sub(RESTARTS_NAMED_MAX)) {
            (true, _) => None,
            (false, None | Some(0)) => Some(named.join(", ")),
            (false, Some(more)) => Some(format!("{} and {more} more", named.join(", "))),
        }
    }

    /// The change as a patch for `git apply` and `patch -p1`.
    pub(crate) fn diff(&self) -> String {
        let mut text = String::new();
        for rewrite in &self.draft.rewrites {
            let name = rewrite.shown.trim_start_matches('/');
            let diff = TextDiff::from_lines(rewrite.old.as_str(), rewrite.new.as_str());
            let (old, new) = (format!("a/{name}"), format!("b/{name}"));
            let _ = write!(text, "{}", diff.unified_diff().context_radius(3).header(&old, &new));
        }
        if !std::io::stdout().is_terminal() {
            return text;
        }
        // A terminal obeys what a file holds; a patch must not change a byte of it.
        text.split_inclusive('\n')
            .map(|line| format!("{}\n", plain(line.trim_end_matches('\n'))))
            .collect()
    }

    /// How the command ends: "no" where something is wrong, "could not" where something stays unknown.
    pub(crate) fn exit(&self) -> Exit {
        let draft = self.draft;
        let is_refused = draft.left.iter().any(|left| is_refused(&left.why));
        if is_refused || self.outcome == Outcome::Locked && !draft.changed.is_empty() {
            return Exit::No;
        }
        let is_idle = draft.changed.is_empty() && draft.same == 0;
        let is_unset = self.verb == Verb::Set && is_idle;
        if is_unset || !draft.unread.is_empty() || draft.left.iter().any(|left| self.is_open(left))
        {
            Exit::Unknown
        } else {
            Exit::Done
        }
    }

    /// Whether a place that is left alone leaves the question open.
    fn is_open(&self, left: &Left) -> bool {
        match &left.why {
            // A name that leads nowhere is bad input: what was meant is open.
            Why::NotThere(_) | Why::Unknown(_) | Why::Proof(_) => true,
            Why::Held(_) | Why::OtherInLock(_) | Why::NotInLock => false,
            Why::NotMoved(why) => match why {
                NotMoved::Gone(_) | NotMoved::Unknown(_) => true,
                NotMoved::Waits(_) | NotMoved::Refused(_) => false,
            },
            Why::Skip(skip) => match skip {
                Skip::Ignored(_) | Skip::BuildTarget | Skip::NoTag => false,
                // `set` was told to reach every place; `pin` says what it can.
                Skip::Opaque(_) | Skip::Default | Skip::Seen { .. } => self.verb == Verb::Set,
                Skip::Malformed
                | Skip::NoAnswer
                | Skip::Elsewhere { .. }
                | Skip::OtherRepository
                | Skip::NoRoom(_)
                | Skip::NoPlace => true,
            },
        }
    }
}

/// Whether a place is left because something speaks against it.
fn is_refused(why: &Why) -> bool {
    match why {
        Why::Held(_) | Why::OtherInLock(_) | Why::NotInLock => true,
        // A pin that waits for its tag to be old enough is as good as it was.
        Why::NotMoved(why) => match why {
            NotMoved::Refused(_) => true,
            NotMoved::Waits(_) | NotMoved::Gone(_) | NotMoved::Unknown(_) => false,
        },
        Why::Skip(_) | Why::NotThere(_) | Why::Unknown(_) | Why::Proof(_) => false,
    }
}

/// Since when an answer is that no registry gave just now.
fn basis(basis: Basis) -> String {
    match basis {
        Basis::Kept { age_ms, .. } => format!(" (asked {} ago)", record::when::length(age_ms)),
        Basis::Lock { at } => format!(" (images.lock, asked {at})"),
    }
}

fn is_in_git(cwd: &Path) -> bool {
    cwd.ancestors().any(|folder| folder.join(".git").exists())
}
