//! What changed in an environment between two moments: what was decided, and what was seen to run.
//!
//! ```text
//! diff prod 14:00 15:00   ->  api: decided A, then B      deployment/api api: ran A, then A and B
//! ```
//! A moment that nobody can tell about makes the answer unknown; what is known of it is told all the same.

use super::AskError;
use super::coverage::Covered;
use super::observed::{ContainerRow, Seen, seen_at};
use super::ran::{RanRow, intended_at};
use crate::app::App;
use ::record::claim::Reported;
use ::record::{Answer, Basis, Gap, Precision};
use domain::{Digest, EnvironmentName, ImageName, Timestamp};
use std::collections::{BTreeMap, BTreeSet};

/// One thing that is not the same at both moments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Changed {
    /// Another build was decided.
    Decided {
        /// The image.
        image: ImageName,
        /// At the first moment; none: nothing is recorded until then.
        before: Option<Box<RanRow>>,
        /// At the second one.
        after: Option<Box<RanRow>>,
    },
    /// Other builds ran in a container of a workload.
    Ran(Box<RanOther>),
}

/// What ran in a container of a workload at both moments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RanOther {
    /// What whoever watches calls the cluster.
    pub cluster: Reported,
    /// The namespace.
    pub namespace: Reported,
    /// The workload.
    pub workload: Reported,
    /// The container's name.
    pub container: Reported,
    /// The builds at the first moment, and how many containers each; none: not reported.
    pub before: BTreeMap<Option<Digest>, usize>,
    /// At the second one.
    pub after: BTreeMap<Option<Digest>, usize>,
    /// The weakest of both.
    pub precision: Precision,
}

/// The answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diff {
    /// What changed, what was decided first.
    pub answer: Answer<Changed>,
    /// Whether both moments are known.
    pub is_known: bool,
    /// What was watched around each of the moments.
    pub known: Vec<Covered>,
}

/// One moment of the environment.
struct Moment {
    at: Timestamp,
    decided: Answer<RanRow>,
    /// None: nobody ever watched it.
    seen: Option<Seen>,
}

/// Compares two moments of an environment.
///
/// # Errors
/// Nobody knows the environment, or the record cannot be read.
pub async fn diff(
    app: &App,
    environment: &EnvironmentName,
    (first, second): (Timestamp, Timestamp),
) -> Result<Diff, AskError> {
    let (before, after) =
        (moment(app, environment, first).await?, moment(app, environment, second).await?);
    let mut items = decided(&before, &after);
    items.extend(ran(&before, &after));
    let is_observed = before.is_observed() && after.is_observed();
    let basis = if is_observed { Basis::Observed } else { before.basis().max(after.basis()) };
    let sharp = [&before, &after].into_iter().flat_map(|one| &one.seen);
    let sharp = sharp.flat_map(|seen| &seen.containers).map(|row| row.precision).max();
    let precision = match is_observed {
        true => sharp.unwrap_or(Precision::Exact),
        false => Precision::Unconfirmed,
    };
    let is_known = before.is_known() && after.is_known();
    let mut gaps = before.gaps();
    for gap in after.gaps() {
        if !gaps.contains(&gap) {
            gaps.push(gap);
        }
    }
    let mut known: Vec<Covered> = Vec::new();
    for one in [&before, &after].into_iter().flat_map(|moment| &moment.seen) {
        for covered in &one.known {
            if !known.contains(covered) {
                known.push(covered.clone());
            }
        }
    }
    Ok(Diff { answer: Answer { basis, precision, gaps, items }, is_known, known })
}

async fn moment(
    app: &App,
    environment: &EnvironmentName,
    at: Timestamp,
) -> Result<Moment, AskError> {
    let decided = intended_at(app, environment, at).await?;
    let record = app.record_to_read().await?;
    let seen = match at > app.surroundings().now() {
        true => None,
        false => seen_at(app, record, environment, at).await?,
    };
    Ok(Moment { at, decided, seen })
}

impl Moment {
    fn is_observed(&self) -> bool {
        self.seen.as_ref().is_some_and(|seen| seen.is_complete)
    }

    /// Where somebody watched once, what was decided is no answer to what ran.
    fn is_known(&self) -> bool {
        match &self.seen {
            Some(seen) => seen.is_complete,
            None => !self.decided.items.is_empty(),
        }
    }

    fn basis(&self) -> Basis {
        self.decided.basis.max(Basis::Intended)
    }

    /// What is not covered, with the moment where the gap tells none.
    fn gaps(&self) -> Vec<Gap> {
        let Some(seen) = &self.seen else { return self.decided.gaps.clone() };
        // The first gap of what was decided is that nothing observes, which is not so here.
        let of_decided = self.decided.gaps.iter().skip(1);
        let all = seen.gaps.iter().chain(of_decided);
        let at = |gap: &Gap| Gap { why: format!("at {}: {}", self.at, gap.why), ..gap.clone() };
        all.map(at).collect()
    }
}

fn decided(before: &Moment, after: &Moment) -> Vec<Changed> {
    let of = |moment: &Moment| {
        let rows = moment.decided.items.iter();
        rows.map(|row| (row.interval.image.clone(), row.clone())).collect::<BTreeMap<_, _>>()
    };
    let (before, after) = (of(before), of(after));
    let images: BTreeSet<&ImageName> = before.keys().chain(after.keys()).collect();
    let changed = images.into_iter().filter_map(|image| {
        let (before, after) = (before.get(image), after.get(image));
        let digest = |row: Option<&RanRow>| row.map(|row| row.interval.digest);
        (digest(before) != digest(after)).then(|| Changed::Decided {
            image: image.clone(),
            before: before.cloned().map(Box::new),
            after: after.cloned().map(Box::new),
        })
    });
    changed.collect()
}

type Spot = (Reported, Reported, Reported, Reported);

/// Only between two moments that were watched everywhere: a container that nobody saw is not one that did not run.
fn ran(before: &Moment, after: &Moment) -> Vec<Changed> {
    if !(before.is_observed() && after.is_observed()) {
        return Vec::new();
    }
    let of = |moment: &Moment| {
        let mut spots = BTreeMap::<Spot, Vec<ContainerRow>>::new();
        for row in moment.seen.iter().flat_map(|seen| &seen.containers) {
            let began = &row.run.began;
            let spot = (
                row.cluster.clone(),
                row.run.namespace.clone(),
                began.workload.clone(),
                began.container.clone(),
            );
            spots.entry(spot).or_default().push(row.clone());
        }
        spots
    };
    let (before, after) = (of(before), of(after));
    let spots: BTreeSet<&Spot> = before.keys().chain(after.keys()).collect();
    let changed = spots.into_iter().filter_map(|spot| {
        let rows =
            |all: &BTreeMap<Spot, Vec<ContainerRow>>| all.get(spot).cloned().unwrap_or_default();
        let (then, later) = (rows(&before), rows(&after));
        let count = |rows: &[ContainerRow]| {
            rows.iter().fold(BTreeMap::new(), |mut counts, row| {
                *counts.entry(row.digest).or_insert(0) += 1;
                counts
            })
        };
        let (counted, counted_later) = (count(&then), count(&later));
        // More or fewer replicas of the same bytes are no other build.
        if counted.keys().eq(counted_later.keys()) {
            return None;
        }
        let sharp = then.iter().chain(&later).map(|row| row.precision).max();
        let (cluster, namespace, workload, container) = spot.clone();
        Some(Changed::Ran(Box::new(RanOther {
            cluster,
            namespace,
            workload,
            container,
            before: counted,
            after: counted_later,
            precision: sharp.unwrap_or(Precision::Exact),
        })))
    });
    changed.collect()
}
