//! What is told outside of the record: webhooks, and a Kubernetes Event on each workload that a finding is about.

use super::hooks::Hooks;
use super::meters::Meters;
use super::{Told, WatchAt};
use ::record::Event;
use ::record::claim::{FindingChange, FindingClaim, FindingOpened, Reported};
use cluster::{Cluster, ClusterError, Remark, Weight};
use release::observed::Owner;
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};

/// Tells the cluster, and whoever the settings name.
pub(super) struct Outward<'a> {
    pub(super) cluster: &'a Cluster,
    pub(super) at: &'a WatchAt,
    pub(super) hooks: &'a Hooks,
    pub(super) meters: &'a Meters,
    pub(super) tell: &'a (dyn Fn(&Told) + Sync),
    /// Making Events is a right that not everybody gives: said once.
    pub(super) is_denied: AtomicBool,
}

impl Outward<'_> {
    /// A deploy has landed.
    pub(super) fn deployed(&self, deploy: &Event) {
        self.hooks.tell(&self.at.context, deploy, self.meters);
    }

    /// A finding opened or closed; `opened` is what was seen when it opened.
    pub(super) async fn finding(
        &self,
        event: &Event,
        claim: &FindingClaim,
        opened: Option<&FindingOpened>,
    ) {
        self.hooks.tell(&self.at.context, event, self.meters);
        if self.is_denied.load(Ordering::Relaxed) {
            return;
        }
        for (nth, (namespace, workload)) in workloads(claim, opened).into_iter().enumerate() {
            // Of one finding on several workloads each has an Event of its own.
            let name = format!("indelible-{}-{nth}", event.stamp.id.to_string().to_lowercase());
            match self.remark(name, claim, &namespace, &workload).await {
                Ok(()) => {}
                Err(error @ ClusterError::Denied { .. }) => {
                    self.is_denied.store(true, Ordering::Relaxed);
                    let (context, why) = (self.at.context.clone(), error.to_string());
                    (self.tell)(&Told::NoEvents { context, why });
                    return;
                }
                Err(error) => tracing::warn!(%error, "watch: no Event was made of a finding"),
            }
        }
    }

    async fn remark(
        &self,
        name: String,
        claim: &FindingClaim,
        namespace: &str,
        workload: &str,
    ) -> Result<(), ClusterError> {
        let owner = Owner::read(workload);
        // Without its identity `kubectl describe` would not show the Event.
        let looked = self.cluster.look_at_maker(namespace, &owner).await?;
        let Some((owner, looked)) = looked else { return Ok(()) };
        let (note, weight) = match &claim.change {
            FindingChange::Opened(opened) => (opened.says.to_string(), Weight::Warning),
            FindingChange::Closed { why } => {
                (format!("{} is over: {why}", claim.what), Weight::Normal)
            }
        };
        let remark = Remark { name, reason: reason(claim), note, weight, at: claim.at };
        self.cluster.remark(namespace, &owner, &looked, &remark).await
    }
}

/// The workloads that a finding is about: its own, else those that it names.
fn workloads(claim: &FindingClaim, opened: Option<&FindingOpened>) -> BTreeSet<(String, String)> {
    if let (Some(namespace), Some(workload)) = (&claim.namespace, &claim.workload) {
        return BTreeSet::from([(namespace.to_string(), workload.to_string())]);
    }
    let places = opened.into_iter().flat_map(|opened| &opened.found).flat_map(|one| &one.places);
    let split = |place: &Reported| {
        let (namespace, workload) = place.as_str().split_once('/')?;
        Some((namespace.to_owned(), workload.to_owned()))
    };
    places.filter_map(split).collect()
}

/// `TwoBuilds`, and `TwoBuildsOver` at its end.
fn reason(claim: &FindingClaim) -> String {
    let mut reason = String::new();
    for word in claim.what.name().split('-') {
        let mut letters = word.chars();
        reason.extend(letters.next().map(|letter| letter.to_ascii_uppercase()));
        reason.extend(letters);
    }
    match &claim.change {
        FindingChange::Opened(_) => reason,
        FindingChange::Closed { .. } => reason + "Over",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ::record::Claim;
    use ::record::fuzz::story::Story;

    fn claims() -> Vec<FindingClaim> {
        let mut story = Story::new();
        let at = story.next_time();
        story.finding_opens("api", 1, at);
        story.finding_closes("api", 1, at);
        let claim = |event: &::record::Sequenced| {
            if let Claim::Finding(claim) = &event.event.claim { Some(claim.clone()) } else { None }
        };
        story.events().iter().filter_map(claim).collect()
    }

    #[test]
    fn the_reason_of_an_event_is_one_word() {
        let reasons: Vec<_> = claims().iter().map(reason).collect();
        assert_eq!(reasons, ["TwoBuilds", "TwoBuildsOver"]);
    }

    #[test]
    fn a_finding_between_workloads_is_said_on_each_of_them_also_at_its_end() {
        let claims = claims();
        let own = BTreeSet::from([("shop".to_owned(), "deployment/api".to_owned())]);
        assert_eq!(workloads(&claims[0], None), own);
        let FindingChange::Opened(opened) = &claims[0].change else { panic!("it opens") };
        let mut opened = opened.clone();
        opened.found[0].places = vec![Reported::of("shop/deployment/api")];
        opened.found[1].places = vec![Reported::of("prod/statefulset/db")];
        let mut shared = claims[1].clone();
        (shared.namespace, shared.workload) = (None, None);
        let expected = [("prod", "statefulset/db"), ("shop", "deployment/api")];
        let expected = expected.map(|(space, name)| (space.to_owned(), name.to_owned()));
        assert_eq!(workloads(&shared, Some(&opened)), BTreeSet::from(expected));
    }
}
