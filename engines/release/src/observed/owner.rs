//! What made a pod, and whether that is a workload that somebody named.
//!
//! ```text
//! ReplicaSet api-6d5f8c, the pod says 6d5f8c  ->  deployment/api        job/backup-29012345  is of  cronjob/backup
//! ```
//! Pure: names and labels come in; no object is looked up from here.

use crate::rollout::{Workload, WorkloadKind};
use std::fmt;

/// Letters of a name that an API server makes. Source: Kubernetes, apimachinery, `rand.String` and `SimpleNameGenerator`.
const MADE_LETTERS: &str = "bcdfghjklmnpqrstvwxz2456789";
const MADE_LEN: usize = 5;
/// What of the wanted name a made one begins with at most.
const MADE_FROM_MAX: usize = 58;

/// What made a pod: `deployment/api`, `job/migrate`, or the pod itself.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Owner {
    /// Lower case, as kubectl takes it: `deployment`.
    pub kind: String,
    /// Its name.
    pub name: String,
}

/// The hash of a template, as a label of the pod tells it; the name of its ReplicaSet ends in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TemplateHash<'a> {
    /// `pod-template-hash`. Source: Kubernetes, deployment controller, `getNewReplicaSet`.
    OfDeployment(&'a str),
    /// `rollouts-pod-template-hash`. Source: argo-rollouts, `DefaultRolloutUniqueLabelKey`, `createDesiredReplicaSet`.
    OfRollout(&'a str),
}

impl Owner {
    /// The owner that a pod's `ownerReferences` lead to: a ReplicaSet's name is that of who made it, a dash, and the
    /// hash that the pod carries.
    #[must_use]
    pub fn of(kind: &str, name: &str, hashes: &[TemplateHash<'_>]) -> Self {
        let made_by = |hash: &TemplateHash<'_>| {
            let (kind, hash) = match hash {
                TemplateHash::OfDeployment(hash) => ("deployment", hash),
                TemplateHash::OfRollout(hash) => ("rollout", hash),
            };
            let name = Some(*hash).filter(|hash| !hash.is_empty()).and_then(|hash| {
                name.strip_suffix(hash)?.strip_suffix('-').filter(|name| !name.is_empty())
            })?;
            Some(Self { kind: kind.to_owned(), name: name.to_owned() })
        };
        let made_by = hashes.iter().find_map(made_by).filter(|_| kind == "ReplicaSet");
        made_by.unwrap_or_else(|| Self { kind: kind.to_lowercase(), name: name.to_owned() })
    }

    /// Reads what [`Owner`] prints; a text without a kind has an empty one.
    #[must_use]
    pub fn read(text: &str) -> Self {
        let (kind, name) = text.split_once('/').unwrap_or(("", text));
        Self { kind: kind.to_owned(), name: name.to_owned() }
    }

    /// Whether its pods are those of a workload: it is the workload, or a Job that was made of it.
    #[must_use]
    pub fn is_of(&self, workload: &Workload) -> bool {
        let own = workload.name();
        if self.kind == workload.kind.word() && self.name == own {
            return true;
        }
        if self.kind != "job" {
            return false;
        }
        match workload.kind {
            WorkloadKind::CronJob => is_turn_of(&self.name, own),
            WorkloadKind::Job => is_made_from(&self.name, own),
            WorkloadKind::Deployment
            | WorkloadKind::StatefulSet
            | WorkloadKind::DaemonSet
            | WorkloadKind::Rollout => false,
        }
    }

    /// The CronJob that a Job's name tells of, where it does: a Job that is gone tells nothing else.
    #[must_use]
    pub fn cron_job(&self) -> Option<Self> {
        let (name, _) = self.name.rsplit_once('-').filter(|_| self.kind == "job")?;
        let is_turn = is_turn_of(&self.name, name) && !name.is_empty();
        is_turn.then(|| Self { kind: "cronjob".to_owned(), name: name.to_owned() })
    }

    /// Whether its pods are those of one of some workloads; of any, where none is named.
    #[must_use]
    pub fn is_of_any<'a>(&self, workloads: impl IntoIterator<Item = &'a Workload>) -> bool {
        let mut workloads = workloads.into_iter().peekable();
        workloads.peek().is_none() || workloads.any(|workload| self.is_of(workload))
    }
}

/// A CronJob's Jobs have its name, a dash, and the minute of their turn.
/// Source: Kubernetes, cronjob controller, `getJobName`.
fn is_turn_of(job: &str, cron_job: &str) -> bool {
    let turn = job.strip_prefix(cron_job).and_then(|rest| rest.strip_prefix('-'));
    turn.is_some_and(|turn| !turn.is_empty() && turn.bytes().all(|b| b.is_ascii_digit()))
}

/// A Job that a deploy made anew has the name of the older one, a dash, and five letters.
fn is_made_from(job: &str, older: &str) -> bool {
    let base = format!("{older}-");
    let base = base.get(..MADE_FROM_MAX).unwrap_or(&base);
    job.strip_prefix(base).is_some_and(|made| {
        made.len() == MADE_LEN && made.chars().all(|letter| MADE_LETTERS.contains(letter))
    })
}

impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.kind, self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_replica_set_leads_to_who_made_it_by_the_hash_that_its_pods_carry() {
        let owner = |kind, name, hashes: &[_]| Owner::of(kind, name, hashes).to_string();
        let deployment = [TemplateHash::OfDeployment("6d5f8c")];
        assert_eq!(owner("ReplicaSet", "api-6d5f8c", &deployment), "deployment/api");
        assert_eq!(owner("ReplicaSet", "api-v2", &[]), "replicaset/api-v2");
        assert_eq!(owner("ReplicaSet", "api-v2", &deployment), "replicaset/api-v2");
        assert_eq!(owner("ReplicaSet", "-6d5f8c", &deployment), "replicaset/-6d5f8c");
        assert_eq!(
            owner("ReplicaSet", "api-", &[TemplateHash::OfDeployment("")]),
            "replicaset/api-"
        );
        assert_eq!(owner("StatefulSet", "db-6d5f8c", &deployment), "statefulset/db-6d5f8c");
        assert_eq!(owner("Job", "migrate-28", &[]), "job/migrate-28");
        // The label of the other is one that the template itself carries.
        let both = [TemplateHash::OfRollout("7c9d"), TemplateHash::OfDeployment("x")];
        assert_eq!(owner("ReplicaSet", "api-7c9d", &both), "rollout/api");
    }

    #[test]
    fn a_job_is_of_a_cron_job_by_its_turn_and_of_no_cron_job_whose_name_goes_on() {
        let is_of =
            |owner: &str, workload: &str| Owner::read(owner).is_of(&workload.parse().unwrap());
        for (owner, workload, expected) in [
            ("deployment/api", "deployment/api", true),
            ("deployment/api", "statefulset/api", false),
            ("cronjob/backup", "cronjob/backup", true),
            ("job/backup-29012345", "cronjob/backup", true),
            ("job/backup-db-29012345", "cronjob/backup", false),
            ("job/backup-db-29012345", "cronjob/backup-db", true),
            ("job/backup-now", "cronjob/backup", false),
            ("job/backup-", "cronjob/backup", false),
            ("job/backup", "cronjob/backup", false),
            ("job/migrate", "job/migrate", true),
            ("job/migrate-x7k2p", "job/migrate", true),
            ("job/migrate-stats", "job/migrate", false),
            ("job/migrate-29012345", "job/migrate", false),
        ] {
            assert_eq!(is_of(owner, workload), expected, "{owner} of {workload}");
        }
    }

    #[test]
    fn a_job_names_its_cron_job_by_its_turn() {
        let cron_job = |text| Owner::read(text).cron_job().map(|owner| owner.to_string());
        assert_eq!(cron_job("job/backup-db-29012345").as_deref(), Some("cronjob/backup-db"));
        for text in ["job/backup-now", "job/29012345", "job/-29012345", "deployment/api-2"] {
            assert_eq!(cron_job(text), None, "{text}");
        }
    }

    #[test]
    fn where_no_workload_is_named_every_owner_is_of_the_place() {
        let workload: Workload = "deployment/api".parse().unwrap();
        assert!(Owner::read("job/x").is_of_any([]));
        assert!(Owner::read("deployment/api").is_of_any([&workload]));
        assert!(!Owner::read("deployment/web").is_of_any([&workload]));
        assert_eq!(Owner::read("api").to_string(), "/api");
    }
}
