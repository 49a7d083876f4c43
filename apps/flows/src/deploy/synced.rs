//! Mode `git` where Argo CD or Flux brings the commit: waited for until their own object shows it, then for the pods.
//!
//! ```text
//! who brings it? -> record "begun" -> push -> application/argocd/shop shows our commit -> pods -> record how it ended
//! ```
//! A runner without a kubeconfig cannot wait: then the deploy is "applied" when it is pushed, and that is said.

use super::apply::{Decision, Say, Step};
use super::attempt::{Attempt, Stopped};
use super::carry::{Carry, News};
use super::error::{DeployError, InClusterError, line as error_line};
use super::in_git::{Follows, in_git};
use super::patience::Patience;
use super::rolling::{Rolling, again};
use super::step_end::{Ended, Ends};
use super::targets::{Place, gather};
use super::{Report, Run};
use crate::app::App;
use crate::look::connect_to;
use crate::settings::EnvironmentSettings;
use crate::verdict::Explain as _;
use ::record::claim::Mode;
use cluster::Cluster;
use domain::CommitId;
use git::WriteBack;
use release::gitops::{SyncObject, Synced, judge_sync};
use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// Between two looks at an object.
const LOOK_EVERY: Duration = Duration::from_secs(2);
/// Without any change. Source: Argo CD asks git every 3 minutes, Flux' `Kustomization` every 10 as it is set up.
const UNCHANGED_MAX: Duration = Duration::from_secs(20 * 60);
/// Looks in a row that a cluster may fail to answer.
const SILENT_LOOKS_MAX: u32 = 30;

/// The objects that bring an environment's commits, each with the cluster that it is in.
pub(super) struct Watched {
    objects: Vec<(Cluster, SyncObject)>,
}

/// Finds who brings the steps' commits. The inner error says why nobody can be waited for.
pub(super) async fn look(
    app: &App,
    environment: &EnvironmentSettings,
    steps: &[&Step],
) -> Result<Watched, String> {
    if let Some(key) = environment.missing() {
        return Err(format!("the settings do not say `{key}` of {}", environment.name));
    }
    let namespace = environment.namespace.as_deref().unwrap_or_default();
    let mut objects: Vec<(Cluster, SyncObject)> = Vec::new();
    for context in &environment.clusters {
        let cluster = connect(app, context).await?;
        for told in &environment.git.synced_by {
            let elsewhere = match &told.context {
                Some(context) => connect(app, context).await?,
                None => cluster.clone(),
            };
            push(&mut objects, elsewhere, told.object.clone());
        }
        if !environment.git.synced_by.is_empty() {
            continue;
        }
        let workloads = steps.iter().filter_map(|step| environment.workloads.get(&step.image));
        for workload in workloads.flatten() {
            let place = format!("{context} {namespace}/{workload}");
            let facts = cluster.workload(namespace, workload).await;
            let facts = facts.map_err(|error| error.to_string())?;
            let facts = facts.ok_or_else(|| format!("{place} is not there yet"))?;
            let found = cluster.synced_by((namespace, workload), &facts).await;
            let found = found.map_err(|error| error.to_string())?;
            if found.is_empty() {
                return Err(format!("nothing on {place} says what brings the commit there"));
            }
            for object in found {
                push(&mut objects, cluster.clone(), object);
            }
        }
    }
    Ok(Watched { objects })
}

async fn connect(app: &App, context: &str) -> Result<Cluster, String> {
    let cluster = Cluster::connect(&connect_to(app.surroundings(), context)).await;
    cluster.map_err(|error| error.to_string())
}

fn push(objects: &mut Vec<(Cluster, SyncObject)>, cluster: Cluster, object: SyncObject) {
    let is_known = |(known, one): &(Cluster, SyncObject)| {
        known.context() == cluster.context() && *one == object
    };
    if !objects.iter().any(is_known) {
        objects.push((cluster, object));
    }
}

/// Pushes the commit of all decisions, and waits until it runs.
pub(super) async fn carry_out(
    app: &App,
    environment: &EnvironmentSettings,
    decisions: Vec<Decision>,
    (carry, watched): (&Carry, &Watched),
) -> Result<Report, Stopped> {
    let mut attempt = Attempt::of((app, environment, carry), Mode::Git, &decisions);
    // From here on the record hears of it, so whoever stops the command is listened to.
    carry.listener.tell(&News::Begins);
    attempt.begin().await?;
    if let Err(error) = bring(&mut attempt, watched).await {
        return Err(attempt.stopped(error).await);
    }
    attempt.end().await?;
    Ok(attempt.report(decisions).await)
}

/// Pushes and waits; the attempt knows how each image ended.
async fn bring(attempt: &mut Attempt<'_>, watched: &Watched) -> Result<(), DeployError> {
    let (app, environment, carry) = (attempt.app, attempt.environment, attempt.carry);
    attempt.may_go_on()?;
    let (steps, begun) = (attempt.steps(), attempt.begun());
    match in_git(app, environment, &steps, (Run::Real, Follows::Begun(&begun))).await {
        Ok(applied) => attempt.git = applied,
        Err(error) => {
            attempt.told_nothing(&Ended::Badly(error.to_string()));
            return Err(error);
        }
    }
    let patience = Patience::begins(carry.timeout);
    let steps = attempt.steps();
    let waiting = Waiting { app, environment, steps: &steps, carry, said: Mutex::default() };
    match waiting.places(watched, attempt.git.commit.as_ref(), patience).await {
        Ok(places) => attempt.places = places,
        Err(error) => {
            let why = error_line(&error);
            let is_no = error.verdict() == crate::verdict::Verdict::Refused;
            let ended = if is_no { Ended::Badly(why) } else { Ended::Unknown(why) };
            attempt.told_nothing(&ended);
            return Err(error);
        }
    }
    let came = {
        let steps = attempt.steps();
        let (places, ends) = (attempt.places.as_slice(), Ends::of(attempt.places.len()));
        let steps = steps.as_slice();
        Rolling { app, environment, steps, places, carry, patience, ends }.run().await
    };
    attempt.came(came)
}

/// What is waited for, and for whom.
struct Waiting<'a> {
    app: &'a App,
    environment: &'a EnvironmentSettings,
    steps: &'a [&'a Step],
    carry: &'a Carry,
    /// What the last object said.
    said: Mutex<String>,
}

impl Waiting<'_> {
    /// Waits for the objects; gives the workloads that run the commit by then.
    async fn places(
        &self,
        watched: &Watched,
        commit: Option<&CommitId>,
        patience: Patience,
    ) -> Result<Vec<Place>, DeployError> {
        let environment = self.environment.name.clone();
        let steps = || self.steps.iter().map(|step| again(&environment, step)).collect();
        tokio::select! {
            biased;
            shown = self.objects(watched, commit) => shown?,
            () = self.carry.listener.stopped() => {
                let how_far = format!("the commit is pushed, and nobody waits until {environment} runs it");
                return Err(DeployError::Interrupted { how_far, steps: steps(), environment });
            }
            whole = patience.over() => {
                let (seconds, steps) = (whole.as_secs(), steps());
                let shown = self.said.lock().unwrap_or_else(PoisonError::into_inner).clone();
                return Err(DeployError::StillWaiting { environment, seconds, shown, steps });
            }
        }
        let places = gather(self.app, self.environment, self.steps).await?;
        if let Some(place) = places.iter().find(|place| !place.to_set().is_empty()) {
            return Err(InClusterError::NotBrought { place: place.to_string() }.into());
        }
        Ok(places)
    }

    /// Waits until each object shows the commit.
    async fn objects(
        &self,
        watched: &Watched,
        commit: Option<&CommitId>,
    ) -> Result<(), DeployError> {
        let Some(commit) = commit else { return Ok(()) };
        let open = crate::app::OpenError::from;
        let write_back = self.app.write_back(&self.environment.git).await.map_err(open)?;
        let mut revisions = Revisions::new(write_back, commit.clone());
        for (cluster, object) in &watched.objects {
            self.object(cluster, object, &mut revisions).await?;
        }
        Ok(())
    }

    async fn object(
        &self,
        cluster: &Cluster,
        object: &SyncObject,
        revisions: &mut Revisions,
    ) -> Result<(), DeployError> {
        let place = format!("{} {object}", cluster.context());
        let failed =
            |why: String| DeployError::from(InClusterError::Sync { object: place.clone(), why });
        let (mut said, mut changed, mut silent) = (String::new(), Instant::now(), 0);
        loop {
            match cluster.sync_facts(object).await {
                Ok(None) => return Err(failed("it is not there".to_owned())),
                Ok(Some(facts)) => {
                    silent = 0;
                    for revision in facts.applied.iter().chain(&facts.attempted) {
                        revisions.look_into(revision).await;
                    }
                    let what = match judge_sync(object, &facts, &revisions.ours) {
                        Synced::Failed(why) => return Err(failed(why)),
                        Synced::Shown => "shows our commit".to_owned(),
                        Synced::Waiting(state) => format!("does not show our commit yet: {state}"),
                    };
                    let is_over = what == "shows our commit";
                    if what != said {
                        let news = News::Line { place: place.clone(), what: what.clone() };
                        self.carry.listener.tell(&news);
                        let mut last = self.said.lock().unwrap_or_else(PoisonError::into_inner);
                        *last = format!("{place}: {what}");
                        (said, changed) = (what, Instant::now());
                    }
                    if is_over {
                        return Ok(());
                    }
                }
                Err(error) => {
                    silent += 1;
                    if silent > SILENT_LOOKS_MAX {
                        return Err(error.into());
                    }
                }
            }
            if changed.elapsed() > UNCHANGED_MAX {
                let environment = self.environment.name.clone();
                let minutes = UNCHANGED_MAX.as_secs() / 60;
                let late = InClusterError::SyncLate { environment, object: place, minutes, said };
                return Err(late.into());
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }
}

/// Which revisions hold our commit: git is asked once about each.
struct Revisions {
    write_back: WriteBack,
    commit: CommitId,
    ours: BTreeSet<CommitId>,
    others: BTreeSet<CommitId>,
}

impl Revisions {
    fn new(write_back: WriteBack, commit: CommitId) -> Self {
        let ours = [commit.clone()].into();
        Self { write_back, commit, ours, others: BTreeSet::new() }
    }

    /// What git cannot say is not ours, until it is asked again.
    async fn look_into(&mut self, revision: &CommitId) {
        if self.ours.contains(revision) || self.others.contains(revision) {
            return;
        }
        match self.write_back.holds(revision, &self.commit).await {
            Ok(true) => drop(self.ours.insert(revision.clone())),
            Ok(false) => drop(self.others.insert(revision.clone())),
            Err(_) => {}
        }
    }
}

/// Whether any step is new: what is known already is not waited for again.
pub(super) fn is_worth_waiting(decisions: &[Decision], run: Run) -> bool {
    let mut steps = decisions.iter().filter_map(Decision::step);
    run == Run::Real && steps.any(|step| step.say == Say::New)
}
