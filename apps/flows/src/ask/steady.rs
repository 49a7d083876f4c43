//! Which builds a watcher saw to run in an environment steadily: what a deploy could not wait for, the record may know.
//!
//! ```text
//! applied at 14:00 by a runner without a kubeconfig, pods ran it 14:02 … 15:00   ->  it was observed
//! ```

use super::observed::{is_own, parts_of, places, question_of, runs_up_to};
use super::wherever::RUNS_OF_DIGEST_MAX;
use crate::seam::{Record, RecordError};
use crate::settings::EnvironmentSettings;
use crate::watch::stretches;
use ::record::claim::RunRole;
use ::record::{RunQuestion, Span};
use domain::Digest;
use std::collections::BTreeSet;

/// How long one container must have run without a restart. Source: Kubernetes, "Container restart policy": after ten
/// minutes without a problem the kubelet forgets the restarts before.
pub const STEADY_MS: i64 = 600_000;

/// Those of some builds that a main container of the environment's workloads ran without a restart for long enough.
///
/// # Errors
/// The record cannot be read.
pub(crate) async fn steadily_ran(
    record: &dyn Record,
    settings: &EnvironmentSettings,
    digests: BTreeSet<Digest>,
) -> Result<BTreeSet<Digest>, RecordError> {
    let mut steady = BTreeSet::new();
    if digests.is_empty() {
        return Ok(steady);
    }
    let all = stretches(record, None).await?;
    let Some((places, _)) = places(settings, &all) else { return Ok(steady) };
    for digest in digests {
        let parts = parts_of(record, &digest).await?;
        for place in &places {
            let watched_until = place.stretches.iter().map(|one| one.last).max();
            let of_place = question_of(place, Span::ALL);
            let question = RunQuestion { digests: parts.clone(), ..of_place };
            let (runs, _) = runs_up_to(record, &question, RUNS_OF_DIGEST_MAX).await?;
            let is_steady = |run: &::record::Run| {
                run.began.role == RunRole::Main
                    && is_own(settings, run)
                    && watched_until.is_some_and(|at| run.surely_ran_ms(at) >= STEADY_MS)
            };
            if runs.iter().any(is_steady) {
                steady.insert(digest);
                break;
            }
        }
    }
    Ok(steady)
}
