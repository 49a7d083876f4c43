//! Mode `cluster` where something goes wrong half way: what is said, what is recorded, and what is left alone.

use crate::deploy::{allowed, git};
use crate::sandbox::{NINES, ONES, Sandbox, sandbox};
use crate::scripted::Scripted;
use crate::scripted_cluster::{ScriptedCluster, kubeconfig};

/// Two images, each with a Deployment in one namespace of these clusters.
pub(crate) struct Project {
    pub(crate) sandbox: Sandbox,
    _registry: Scripted,
    pub(crate) eu: ScriptedCluster,
    pub(crate) us: ScriptedCluster,
}

/// The settings of `prod`, beside its namespace and workloads.
pub(crate) fn project(how: &str) -> Project {
    project_of(how, "file:record.db")
}

fn project_of(how: &str, record: &str) -> Project {
    let tags = ["api", "worker"]
        .map(|image| [(format!("shop/{image}:v1"), ONES), (format!("shop/{image}:v2"), NINES)]);
    let tags: Vec<(&str, &str)> =
        tags.iter().flatten().map(|(tag, digest)| (tag.as_str(), *digest)).collect();
    let registry = Scripted::with_digests(&tags);
    let host = registry.host().to_owned();
    let (api, worker) = (format!("{host}/shop/api:old"), format!("{host}/shop/worker:old"));
    let start = || ScriptedCluster::start(&[("api", &api), ("worker", &worker)]);
    let (eu, us) = (start(), start());
    let settings = format!(
        "version: 1\nrecord: {record}\nimages:\n  api: {{repository: {host}/shop/api}}\n  worker: {{repository: {host}/shop/worker}}\n\
         environments:\n  prod:\n    branches: [main]\n    namespace: shop\n    \
         workloads: {{api: [deployment/api], worker: [deployment/worker]}}\n    {how}\n"
    );
    let sandbox = sandbox().replacing(&host, "[registry]").file("indelible.yaml", settings);
    sandbox.write("kube", kubeconfig(&[("eu", &eu), ("us", &us)]));
    let file = sandbox.path("kube").display().to_string();
    let sandbox = sandbox.variable("KUBECONFIG", file);
    Project { sandbox, _registry: registry, eu, us }
}

impl Project {
    pub(crate) fn allowed(self) -> Self {
        for digest in [ONES, NINES] {
            allowed(&self.sandbox, digest);
        }
        self
    }

    #[track_caller]
    pub(crate) fn runs(&self, arguments: &[&str], code: i32) -> String {
        let run = self.sandbox.run(arguments);
        assert!(run.ends_with(&format!("[exit {code}]\n")), "{run}");
        run
    }

    /// What is recorded of the newest deploy of an image.
    #[track_caller]
    pub(crate) fn outcome(&self, image: &str) -> String {
        let history = self.sandbox.output(["history", "prod", "--json"], b"");
        let history: serde_json::Value = serde_json::from_slice(&history.stdout).unwrap();
        let rows = history["items"].as_array().unwrap();
        let row = rows.iter().find(|row| row["image"] == image).unwrap();
        row["outcome"].as_str().unwrap().to_owned()
    }
}

#[test]
fn what_takes_longer_than_somebody_waits_has_not_failed() {
    let project = project("deploy: cluster\n    clusters: [eu]").allowed();
    project.eu.is_stuck_at(NINES);
    let late = project.runs(&["deploy", "prod", "api=v2", "--timeout", "1s"], 2);
    let said = "error: the rollout in prod was not over within 1 s, and goes on: eu shop/deployment/api: 0 of 1 pods are new\n";
    assert!(late.contains(said), "{late}");
    assert!(late.contains("hint: to go on waiting: indelible deploy prod api=[nines]\n"), "{late}");
    let outcome = project.outcome("api");
    assert!(outcome.starts_with("open: it was not over within 1 s and goes on"), "{outcome}");
    let more = ["--timeout", "1s", "--rollback-on-failure"];
    let late = project.runs(&[&["deploy", "prod", "worker=v2"], &more[..]].concat(), 2);
    let said = "prod: not rolled back: nobody knows that the deploy failed\n";
    assert!(late.contains(said), "{late}");
    assert!(project.eu.image("worker").ends_with(NINES));
}

#[test]
fn a_rollback_on_failure_is_of_this_deploy_and_of_no_other() {
    let project = project("deploy: cluster\n    clusters: [eu]").allowed();
    project.runs(&["deploy", "prod", "api=v1", "worker=v1"], 0);
    // What somebody else left open is theirs.
    project.eu.is_stuck_at(&format!("worker:v2@{NINES}"));
    project.runs(&["deploy", "prod", "worker=v2", "--timeout", "1s"], 2);
    project.eu.fails(&format!("api:v2@{NINES}"));
    let failed = project.runs(&["deploy", "prod", "api=v2", "--rollback-on-failure"], 1);
    assert!(
        failed.contains("failed and was rolled back: api to v1 (sha256:111111111111)"),
        "{failed}"
    );
    assert!(!failed.contains("worker"), "{failed}");
    assert!(project.eu.image("api").ends_with(ONES));
    assert!(project.eu.image("worker").ends_with(NINES), "it is not this deploy's");
    assert!(project.outcome("worker").starts_with("open: "));
    // Nothing holds it either: another build of it may come.
    project.runs(&["deploy", "prod", "worker=v1"], 0);
}

#[test]
fn workloads_told_before_the_one_that_refuses_are_named_and_recorded() {
    let project = project("deploy: cluster\n    clusters: [eu, us]").allowed();
    project.eu.refuses("worker");
    let failed = project.runs(&["deploy", "prod", "api=v2", "worker=v2"], 1);
    let said = "eu shop/deployment/worker was not changed; told and not waited for: eu shop/deployment/api; left as they were: us\n";
    assert!(failed.contains(said), "{failed}");
    assert!(project.outcome("worker").starts_with("failed: "));
    let api = project.outcome("api");
    assert!(api.starts_with("open: ") && api.contains("told and not waited for"), "{api}");
    assert!(
        !project.us.asked().iter().any(|one| one.starts_with("PATCH") && !one.contains("dryRun"))
    );
}

#[test]
fn of_clusters_told_at_once_the_first_that_fails_ends_the_waiting_for_the_other() {
    let project =
        project("deploy: cluster\n    clusters: [eu, us]\n    rollout: at-once").allowed();
    project.eu.is_stuck_at(NINES);
    project.us.fails(NINES);
    let failed = project.runs(&["deploy", "prod", "api=v2"], 1);
    let said = "`api` does not run in prod as it was told; told and not waited for: eu shop/deployment/api\n";
    assert!(failed.contains(said), "{failed}");
    assert!(failed.contains("us shop/deployment/api: ProgressDeadlineExceeded"), "{failed}");
    let outcome = project.outcome("api");
    assert!(outcome.contains("told and not waited for: eu shop/deployment/api"), "{outcome}");
    // One that refuses leaves the other one told.
    project.us.refuses("worker");
    let failed = project.runs(&["deploy", "prod", "worker=v1"], 1);
    let said = "us shop/deployment/worker was not changed; told and not waited for: eu shop/deployment/worker\n";
    assert!(failed.contains(said), "{failed}");
}

const IN_GIT: &str = "git: {repository: config.git, path: apps/prod}\n    clusters: [eu]";

/// A configuration repository, and the settings that name it.
pub(crate) fn with_config(project: &Project) {
    let settings = std::fs::read_to_string(project.sandbox.path("indelible.yaml")).unwrap();
    let config = project.sandbox.path("config.git").display().to_string();
    project.sandbox.write("indelible.yaml", settings.replace("config.git", &config));
    let image = project.eu.image("api");
    let file = format!(
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: api}}\nspec:\n  template:\n    spec:\n      containers:\n      - name: api\n        image: {image}\n"
    );
    crate::deploy::configuration(&project.sandbox, &[("api.yaml", file.as_bytes())]);
}

#[test]
fn a_sync_that_fails_is_rolled_back_where_that_was_asked_for() {
    let project = project(&format!("deploy: git\n    {IN_GIT}"));
    with_config(&project);
    let project = project.allowed();
    project.eu.brought_by("api", "shop");
    project.eu.brings(project.sandbox.path("config.git"));
    project.runs(&["deploy", "prod", "api=v1"], 0);
    assert_eq!(project.outcome("api"), "done");
    project.eu.fails(NINES);
    let failed = project.runs(&["deploy", "prod", "api=v2", "--rollback-on-failure"], 1);
    assert!(failed.contains("failed and was rolled back: api to v1"), "{failed}");
    assert!(failed.contains("eu application/argocd/shop does not bring the commit"), "{failed}");
    let tip = git(&project.sandbox, &["-C", "config.git", "show", "main:apps/prod/api.yaml"]);
    assert!(tip.contains(ONES), "{tip}");
}

#[test]
fn a_commit_that_landed_is_named_where_neither_the_sync_nor_the_record_went_well() {
    let project = project_of(&format!("deploy: git\n    {IN_GIT}"), "git:team.git");
    with_config(&project);
    let team = project.sandbox.path("team.git").display().to_string();
    let settings = std::fs::read_to_string(project.sandbox.path("indelible.yaml")).unwrap();
    project.sandbox.write("indelible.yaml", settings.replace("team.git", &team));
    git(&project.sandbox, &["init", "--quiet", "--bare", "team.git"]);
    let project = project.allowed();
    project.eu.brought_by("api", "shop");
    project.eu.brings(project.sandbox.path("config.git"));
    project.eu.fails(NINES);
    // From the push on the record is out of reach.
    let hook = "config.git/hooks/post-receive";
    project.sandbox.write(hook, format!("#!/bin/sh\nmv {team} {team}.gone\n"));
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(project.sandbox.path(hook), mode).unwrap();
    let failed = project.runs(&["deploy", "prod", "api=v2"], 2);
    let tip = git(&project.sandbox, &["-C", "config.git", "rev-parse", "--short=12", "main"]);
    let said = format!(
        "error: commit {} was changed in prod, the deploy did not end well (eu application/argocd/shop does not bring the commit: Failed: one or more objects failed to apply), and the record could not be told\n",
        tip.trim()
    );
    assert!(failed.contains(&said), "{failed}");
    assert!(failed.contains("hint: when the record can be reached again: "), "{failed}");
}

const BROKEN_GLASS: [&str; 3] = ["--break-glass", "--reason", "an incident"];

#[test]
fn a_sync_that_cannot_be_suspended_names_those_that_stay_suspended() {
    let project = project("deploy: cluster\n    clusters: [eu]").allowed();
    project.eu.brought_by("api", "shop-api");
    project.eu.brought_by("worker", "shop-worker");
    project.eu.refuses("shop-worker");
    let deploy = [&["deploy", "prod", "api=v2", "worker=v2"], &BROKEN_GLASS[..]].concat();
    let failed = project.runs(&deploy, 2);
    let said = "error: the automatic sync of eu application/argocd/shop-api stays suspended, and the clusters of prod were told nothing\n";
    assert!(failed.contains(said), "{failed}");
    assert!(failed.contains("hint: indelible resume prod restores it\n"), "{failed}");
    let outcome = project.outcome("api");
    assert!(
        outcome.contains("sync of eu application/argocd/shop-api stays suspended"),
        "{outcome}"
    );
    assert!(!project.eu.is_automated("shop-api") && project.eu.is_automated("shop-worker"));
    assert!(!project.eu.image("api").ends_with(NINES));
}

#[test]
fn one_image_that_goes_on_leaves_the_suspended_sync_of_another_alone() {
    let project = project("deploy: cluster\n    clusters: [eu]").allowed();
    project.eu.brought_by("api", "shop-api");
    project.eu.brought_by("worker", "shop-worker");
    project.runs(&[&["deploy", "prod", "api=v2", "worker=v2"], &BROKEN_GLASS[..]].concat(), 0);
    let planned = project.runs(&["resume", "prod", "api", "--dry-run"], 0);
    assert!(
        planned.contains("would be restored: automatic sync of eu application/argocd/shop-api")
    );
    assert!(!project.eu.is_automated("shop-api"), "a dry run changes nothing");
    let resumed = project.runs(&["resume", "prod", "api"], 0);
    assert!(resumed.contains("shop-api: it syncs by itself again"), "{resumed}");
    let stays = "stays as it is: automatic sync of eu application/argocd/shop-worker suspended";
    assert!(resumed.contains(stays) && !resumed.contains("git says something else of worker"));
    assert!(project.eu.is_automated("shop-api") && !project.eu.is_automated("shop-worker"));
    project.runs(&["resume", "prod"], 0);
    assert!(project.eu.is_automated("shop-worker"));
}
