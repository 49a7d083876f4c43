//! Which container runs are asked for, and what answers: some runs, and always what was watched.
//!
//! ```text
//! cluster c, namespace shop, at 14:05   ->  { runs: [api-1, api-2], watched: [prod-eu since 09:00], next: none }
//! ```
//! A store answers it without folding events; [`RunQuestion::holds`] says what it has to find.

use crate::claim::{ClusterId, Reported, RunId};
use crate::runs::Run;
use crate::span::Span;
use crate::watched::Watched;
use domain::Digest;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// The most runs of one page. Source: DESIGN §12, limits.
pub const RUNS_IN_PAGE_MAX: usize = 1_000;
/// The most digests, or runs, that one question names.
pub const NAMED_MAX: usize = 256;

/// Which runs: of all that is named here, and of anything where nothing is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunQuestion {
    /// Of this cluster.
    pub cluster: Option<ClusterId>,
    /// Of a namespace of this name.
    pub namespace: Option<Reported>,
    /// Of what made the pod: `deployment/api`.
    pub workload: Option<Reported>,
    /// Whose imageID names one of these; empty: any.
    pub digests: BTreeSet<Digest>,
    /// One of these runs; empty: any.
    pub ids: BTreeSet<RunId>,
    /// Of which a moment may lie in there.
    pub when: Span,
    /// Whether they were seen to end.
    pub state: RunState,
    /// So many at most; 0: only what was watched.
    pub limit: usize,
}

/// Whether a run was seen to end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RunState {
    /// Either.
    #[default]
    Any,
    /// It was not seen to end.
    Open,
}

/// One page of runs, the earliest first, and what was watched of the cluster that was asked about, or of all.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunPage {
    /// The runs, by their earliest moment.
    pub runs: Vec<Run>,
    /// Every stretch in which it was watched, the earliest first: nobody gets runs without it.
    pub watched: Vec<Watched>,
    /// What asks for the next page; none: this is the last.
    pub next: Option<RunId>,
}

impl Default for RunQuestion {
    fn default() -> Self {
        Self {
            cluster: None,
            namespace: None,
            workload: None,
            digests: BTreeSet::new(),
            ids: BTreeSet::new(),
            when: Span::ALL,
            state: RunState::Any,
            limit: RUNS_IN_PAGE_MAX,
        }
    }
}

impl RunQuestion {
    /// Whether a run is one of those that are asked for.
    #[must_use]
    pub fn holds(&self, run: &Run) -> bool {
        self.cluster.as_ref().is_none_or(|cluster| *cluster == run.cluster)
            && self.namespace.as_ref().is_none_or(|name| *name == run.namespace)
            && self.workload.as_ref().is_none_or(|name| *name == run.began.workload)
            && (self.digests.is_empty()
                || run.digest.is_some_and(|one| self.digests.contains(&one)))
            && (self.ids.is_empty() || self.ids.contains(&run.id))
            && (self.state == RunState::Any || run.ended.is_none())
            && self.when.touches(run.earliest(), run.until())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::claim::{Moment, RunChange};
    use crate::fuzz::story::Story;
    use crate::runs::runs;
    use domain::Timestamp;

    fn at(text: &str) -> Timestamp {
        format!("2026-03-17T{text}:00Z").parse().unwrap()
    }

    #[test]
    fn a_question_asks_for_what_fits_all_that_it_names() {
        let mut story = Story::new();
        let run = story.run_began("api", at("14:40"));
        let ended = RunChange::Ended {
            ended: Moment::Bounded { after: Some(at("15:00")), until: at("15:10") },
            exit_code: None,
            deleted: None,
        };
        story.run_says(run, ended, at("15:10"));
        let run = runs(story.events()).remove(0);
        let of = |change: fn(&mut RunQuestion)| {
            let mut question = RunQuestion::default();
            change(&mut question);
            question.holds(&run)
        };
        assert!(of(|_| ()));
        assert!(of(|q| q.workload = Some(Reported::of("deployment/api"))));
        assert!(!of(|q| q.workload = Some(Reported::of("deployment/web"))));
        assert!(!of(|q| q.namespace = Some(Reported::of("shop-uat"))));
        assert!(!of(|q| q.cluster = "cluster-2".parse().ok()));
        assert!(of(|q| q.digests = [Digest::sha256(b"api")].into()));
        assert!(!of(|q| q.digests = [Digest::sha256(b"web")].into()));
        assert!(!of(|q| q.state = RunState::Open));
        assert!(of(|q| q.when = Span::moment(at("15:09"))), "it may have run until then");
        assert!(!of(|q| q.when = Span::moment(at("15:10"))));
        assert!(!of(|q| q.when = Span::moment(at("14:39"))));
    }
}
