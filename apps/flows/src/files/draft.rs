//! A draft: what an edit of files comes to, every file proved, nothing written.
//!
//! ```text
//! deploy/api.yaml:12:16  shop/api:1.4 -> sha256:9f…      left alone: deploy/web.yaml:3:12, a variable writes it
//! ```
//! `pin`, `set` and `unpin` make drafts; [`super::write_all`] carries one out.

use super::held::Held;
use super::look_up::Basis;
use super::moves::NotMoved;
use super::restart;
use super::walk::{FileText, Unread, Unreadable};
use super::write::Rewrite;
use domain::{Digest, Repository, TaggedRef};
use pin::{Plan, ProofError, Scan, Site, Skip};
use std::collections::BTreeSet;
use std::path::PathBuf;

/// What an edit comes to.
#[derive(Debug, Default)]
pub struct Draft {
    /// Files with their old and new text.
    pub rewrites: Vec<Rewrite>,
    /// Places that change.
    pub changed: Vec<Changed>,
    /// Places that were asked for and left alone.
    pub left: Vec<Left>,
    /// How many places say already what they should.
    pub same: usize,
    /// What a merge would restart.
    pub restarts: BTreeSet<String>,
    /// What could not be read.
    pub unread: Vec<Unread>,
    /// Named files that are no workload files.
    pub passed_over: Vec<String>,
    /// How many files were read.
    pub looked_at: usize,
}

/// A place that changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Changed {
    /// The path for people.
    pub path: String,
    /// From 1, in the old text.
    pub line: usize,
    /// From 1, in the old text.
    pub column: usize,
    /// As the file wrote it.
    pub reference: String,
    /// The digest that is written; none where one is taken away.
    pub digest: Option<Digest>,
    /// The repository that is written, where the file named another.
    pub repository: Option<Repository>,
    /// Why its old name could move, so that what runs may be something else.
    pub floating: Option<String>,
    /// The reason, of a pin that follows its tag.
    pub moved: Option<String>,
    /// Where the digest comes from, where no registry said it just now.
    pub basis: Option<Basis>,
}

/// A place that was left alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Left {
    /// The path for people.
    pub path: String,
    /// From 1.
    pub line: usize,
    /// From 1.
    pub column: usize,
    /// As the file writes it.
    pub reference: String,
    /// Why.
    pub why: Why,
}

/// Why a place was left alone.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Why {
    /// What stands there, or how.
    #[error(transparent)]
    Skip(#[from] Skip),
    /// The registry answers that there is no such tag.
    #[error("{host} has no tag `{tag}` of {repository}", host = .0.repository.host(), tag = .0.tag, repository = .0.repository.familiar())]
    NotThere(TaggedRef),
    /// The registry could not be asked, or gave no answer.
    #[error("could not find out its digest: {0}")]
    Unknown(String),
    /// Its digest is known, and must not be written.
    #[error(transparent)]
    Held(#[from] Held),
    /// It is pinned, and does not follow its tag.
    #[error(transparent)]
    NotMoved(#[from] NotMoved),
    /// It is pinned to another digest than the lock names.
    #[error("images.lock names {}", .0.short())]
    OtherInLock(Digest),
    /// It is pinned, and the lock does not know it.
    #[error("images.lock does not name it")]
    NotInLock,
    /// The edit could not be proved to change nothing else.
    #[error("its file cannot be edited safely: {0}")]
    Proof(ProofError),
}

/// A file whose places are to be edited.
#[derive(Clone, Debug)]
pub(super) struct Source {
    pub(super) path: PathBuf,
    pub(super) shown: String,
    pub(super) text: String,
    pub(super) scan: Scan,
}

impl Source {
    /// Keeps a file and the places in it.
    pub(super) fn of(file: &FileText<'_>) -> Result<Self, Unreadable> {
        Ok(Self {
            path: file.path.to_owned(),
            shown: file.shown.to_owned(),
            text: file.text.to_owned(),
            scan: file.scan()?,
        })
    }
}

impl Draft {
    /// Carries a plan out on one file's text, with the proof, and notes what came of it.
    ///
    /// `note` says more of a place that changes; `because` why a place that was skipped was.
    pub(super) fn add(
        &mut self,
        source: &Source,
        plan: &Plan,
        note: impl Fn(&Site, Changed) -> Changed,
        because: impl Fn(&Site, &Skip) -> Why,
    ) {
        self.same += plan.same.len();
        for skipped in &plan.skipped {
            if let Some(site) = source.scan.sites.get(skipped.site) {
                self.left.push(left(source, site, because(site, &skipped.why)));
            }
        }
        if plan.edits.is_empty() {
            return;
        }
        let edited: BTreeSet<usize> = plan.edits.iter().map(|edit| edit.site).collect();
        let sites = edited.into_iter().filter_map(|site| source.scan.sites.get(site));
        let new = match pin::apply(source.scan.format, &source.text, &plan.edits) {
            Ok(new) => new,
            Err(error) => {
                self.left.extend(sites.map(|site| left(source, site, Why::Proof(error.clone()))));
                return;
            }
        };
        for site in sites {
            restart::add(&mut self.restarts, &source.shown, source.scan.format, site);
            self.changed.push(note(site, changed(source, site)));
        }
        self.rewrites.push(Rewrite {
            path: source.path.clone(),
            shown: source.shown.clone(),
            old: source.text.clone(),
            new,
        });
    }
}

fn changed(source: &Source, site: &Site) -> Changed {
    Changed {
        path: source.shown.clone(),
        line: site.line,
        column: site.column,
        reference: site.text.clone(),
        digest: None,
        repository: None,
        floating: None,
        moved: None,
        basis: None,
    }
}

pub(super) fn left(source: &Source, site: &Site, why: Why) -> Left {
    Left {
        path: source.shown.clone(),
        line: site.line,
        column: site.column,
        reference: site.text.clone(),
        why,
    }
}
