//! CronJobs, whose next jobs run what they are told, and Jobs, of which a new one is made.

use super::{Edits, Newest, WorkloadFacts, facts, number};
use crate::connect::Cluster;
use crate::error::ClusterError;
use k8s_openapi::api::batch::v1::{CronJob, Job};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;
use kube::api::{Api, ListParams};
use release::rollout::{Counts, Workload};

/// What a Job that we made carries: the name in the settings.
pub(crate) const JOB_OF: &str = "indelible/job-of";
/// Jobs of one name that are looked at: their TTL or a person removes the older ones.
const JOBS_MAX: u32 = 500;

pub(super) fn of_cron_job(object: CronJob) -> WorkloadFacts {
    let spec = object.spec.unwrap_or_default();
    let counts = Counts::CronJob { is_suspended: spec.suspend == Some(true) };
    let job = spec.job_template.spec.unwrap_or_default();
    let mut facts = facts(object.metadata, &job.template, &LabelSelector::default(), counts);
    // It reports no generation: what is stored is what its next job takes.
    facts.observed_generation = facts.generation;
    facts.newest = Newest::Every;
    facts
}

fn of_job(object: Job) -> WorkloadFacts {
    let whole = serde_json::to_value(&object).unwrap_or_default();
    let (spec, status) = (object.spec.unwrap_or_default(), object.status.unwrap_or_default());
    let conditions = status.conditions.unwrap_or_default();
    let is = |kind: &str| conditions.iter().find(|one| one.type_ == kind && one.status == "True");
    let failed = is("Failed").map(|one| {
        (one.reason.clone().unwrap_or_default(), one.message.clone().unwrap_or_default())
    });
    let counts = Counts::Job {
        wanted: number(spec.completions.or(Some(1))),
        succeeded: number(status.succeeded),
        is_complete: is("Complete").is_some(),
        failed,
    };
    let is_owned =
        object.metadata.owner_references.iter().flatten().any(|one| one.kind == "CronJob");
    let is_failed = is("Failed").is_some();
    let selector = spec.selector.unwrap_or_default();
    let mut facts = facts(object.metadata, &spec.template, &selector, counts);
    facts.observed_generation = facts.generation;
    facts.newest = Newest::Every;
    facts.is_to_be_made_again = is_failed;
    facts.refuses = is_owned.then_some("a CronJob makes it: deploy to the CronJob");
    facts.edits = Edits::New(Box::new(whole));
    facts
}

impl Cluster {
    /// The newest Job of a name: one that we made, else the one that is called so.
    pub(super) async fn newest_job(
        &self,
        namespace: &str,
        workload: &Workload,
    ) -> Result<Option<WorkloadFacts>, ClusterError> {
        let api: Api<Job> = Api::namespaced(self.client.clone(), namespace);
        let what = || format!("jobs of {workload} in namespace {namespace}");
        let of = format!("{JOB_OF}={}", workload.name());
        let asked = ListParams::default().labels(&of).limit(JOBS_MAX);
        let mut jobs = self.within("list", what, api.list(&asked)).await?.items;
        jobs.extend(self.read::<Job>(namespace, workload).await?);
        let made = |job: &Job| {
            let name = job.metadata.name.clone();
            (job.metadata.creation_timestamp.as_ref().map(|at| at.0), name)
        };
        Ok(jobs.into_iter().max_by_key(made).map(of_job))
    }
}
