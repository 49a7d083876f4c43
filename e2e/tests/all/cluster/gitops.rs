//! Git before the cluster: `git+cluster` that goes on after a failure, and `git` that waits for Argo CD and Flux.
//!
//! Their objects are real ones of the API server, of the definitions that Argo CD and Flux publish; their controllers are
//! played by the test, which writes the status.

use super::lab::Lab;
use super::{PODS_WITHIN, apply, kubectl, wait_for_pods};
use crate::situations::runner::text;
use serde_json::{Value, json};
use testbed::wait_until_within;

/// A configuration repository beside the lab's registry and cluster, with the settings of `uat`.
struct Config<'a> {
    lab: &'a Lab,
}

impl<'a> Config<'a> {
    fn make(lab: &'a Lab, how: &str) -> Self {
        let (ada, host) = (&lab.ada, lab.cluster.registry());
        ada.git(&["init", "--quiet", "--bare", "--initial-branch=main", "config.git"]);
        ada.git(&["clone", "--quiet", "config.git", "config"]);
        let file = ada.cwd.join("config/apps/uat/api.yaml");
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        let deployment = format!(
            "apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: api}}\nspec:\n  template:\n    spec:\n      containers:\n      \
             - name: api\n        image: {host}/shop/api:first\n"
        );
        std::fs::write(file, deployment).unwrap();
        ada.git(&["-C", "config", "add", "."]);
        ada.git(&["-C", "config", "commit", "--quiet", "-m", "Begin"]);
        ada.git(&["-C", "config", "push", "--quiet", "origin", "HEAD:main"]);
        let repository = ada.cwd.join("config.git").display().to_string();
        let settings = format!(
            "version: 1
record: local
images: {{api: {{repository: {host}/shop/api, tags: [timestamp]}}}}
environments:
  uat:
    deploy: {how}
    git: {{repository: {repository}, path: apps/uat}}
    clusters: [testbed]
    namespace: uat
    workloads: {{api: [deployment/api]}}
"
        );
        std::fs::write(ada.cwd.join("indelible.yaml"), settings).unwrap();
        Self { lab }
    }

    fn tip(&self) -> String {
        self.lab.ada.git(&["-C", "config.git", "rev-parse", "main"])
    }

    fn commits(&self) -> String {
        self.lab.ada.git(&["-C", "config.git", "rev-list", "--count", "main"])
    }

    fn says(&self, digest: &str) -> bool {
        let text = self.lab.ada.git(&["-C", "config.git", "show", "main:apps/uat/api.yaml"]);
        text.contains(digest)
    }

    /// Waits until the deploy under way has pushed this build; gives its commit.
    fn pushed(&self, digest: &str) -> String {
        let reason = "the deploy pushes its commit";
        wait_until_within(PODS_WITHIN, reason, || self.says(digest)).unwrap();
        self.tip()
    }

    /// Somebody else's commit, after ours.
    fn another_commit(&self) -> String {
        let ada = &self.lab.ada;
        ada.git(&["-C", "config", "pull", "--quiet", "origin", "main"]);
        ada.git(&["-C", "config", "commit", "--quiet", "--allow-empty", "-m", "another"]);
        ada.git(&["-C", "config", "push", "--quiet", "origin", "HEAD:main"]);
        self.tip()
    }

    fn image(&self, digest: &str) -> String {
        format!("{}/shop/api@{digest}", self.lab.cluster.registry())
    }
}

#[test]
fn a_deploy_to_git_and_a_cluster_that_landed_by_half_goes_on_without_a_second_commit() {
    let test = "a_deploy_to_git_and_a_cluster_that_landed_by_half_goes_on_without_a_second_commit";
    let Some(lab) = Lab::start(test, "Deployment") else { return };
    let config = Config::make(&lab, "git+cluster");
    wait_for_pods(&lab.cluster, "uat", "app=api", 2);
    let a = lab.build("a", "uat");
    let done = lab.deploy("uat", &a, &["--take-over"]).exits(0).json();
    assert_eq!((text(&done, "mode"), text(&done, "grade")), ("git+cluster", "observed"));
    assert_eq!(text(&done, "commit"), config.tip());
    assert!(config.says(&a) && lab.image("uat", "deployment/api").ends_with(&a));

    // No third pod may come: git lands, the rollout does not.
    lab.kubectl("uat", &["create", "quota", "tight", "--hard=pods=2"]);
    let b = lab.build("b", "uat");
    lab.deploy("uat", &b, &[]).exits(1).says(&["exceeded quota"]);
    let half = config.tip();
    assert!(config.says(&b));
    let newest = &lab.history("uat")[0];
    let outcome = text(newest, "outcome");
    let expected = format!("half-applied: commit {} landed", &half[..12]);
    assert!(outcome.starts_with("failed: ") && outcome.contains(&expected), "{newest}");

    lab.kubectl("uat", &["delete", "quota", "tight"]);
    let commits = config.commits();
    let done = lab.deploy("uat", &b, &[]).exits(0).json();
    assert_eq!((text(&done, "grade"), text(&done, "commit")), ("observed", half.as_str()));
    assert_eq!((config.commits(), config.tip()), (commits, half), "no second commit");
    let running = lab.pods("uat");
    assert!(running.len() == 2 && running.iter().all(|pod| pod.ends_with(&b)), "{running:?}");
}

#[test]
fn a_push_is_done_when_argo_cd_and_flux_show_it_and_the_pods_run_it() {
    let test = "a_push_is_done_when_argo_cd_and_flux_show_it_and_the_pods_run_it";
    let mut files = Vec::new();
    for name in ["applications.argoproj.io", "kustomizations.kustomize.toolkit.fluxcd.io"] {
        match testbed::definition(name) {
            Ok(file) => files.push(file),
            Err(missing) => return testbed::skip(test, missing),
        }
    }
    let Some(lab) = Lab::start(test, "Deployment") else { return };
    let config = Config::make(&lab, "git");
    wait_for_pods(&lab.cluster, "uat", "app=api", 2);
    let host = lab.cluster.registry();
    for file in files {
        let file = file.to_str().unwrap();
        // The annotation of a client-side apply has no place for so long a schema.
        kubectl(&lab.cluster, &["create", "--filename", file]);
        kubectl(
            &lab.cluster,
            &["wait", "--for=condition=Established", "--timeout=30s", "--filename", file],
        );
    }
    nobody_brings_it(&lab, &config);
    argo_brings_it(&lab, &config, &host);
    argo_fails(&lab, &config);
    glass_is_broken(&lab, &config);
    flux_brings_it(&lab, &config, &host);
}

/// Argo CD heals the image by itself: its sync is suspended, and restored by `resume`.
fn glass_is_broken(lab: &Lab, config: &Config<'_>) {
    let digest = lab.build("glass", "uat");
    let commits = config.commits();
    lab.deploy("uat", &digest, &["--deploy", "cluster"]).exits(1).says(&["Argo CD"]);
    lab.deploy("uat", &digest, &["--deploy", "cluster", "--break-glass"])
        .exits(2)
        .says(&["--reason"]);
    let told = ["--deploy", "cluster", "--break-glass", "--reason", "orders fail"];
    let ran = lab.deploy("uat", &digest, &told).exits(0);
    let done = ran.says(&["application/argocd/shop: automatic sync is suspended"]).json();
    assert_eq!(text(&done, "grade"), "observed");
    let policy = ["get", "application", "shop", "--output", "jsonpath={.spec.syncPolicy}"];
    assert_eq!(lab.kubectl("argocd", &policy), "{}");
    assert_eq!(config.commits(), commits, "git is not touched");

    let command = format!("indelible deploy uat api={digest} --deploy git");
    let looked = lab.ada.run(&["resume", "uat", "--dry-run"]).exits(0);
    let _ = looked.says(&["application/argocd/shop suspended: orders fail", &command]);
    assert_eq!(lab.kubectl("argocd", &policy), "{}", "a dry run restores nothing");
    let resumed = lab.ada.run(&["resume", "uat"]).exits(0);
    let _ = resumed.says(&["application/argocd/shop: it syncs by itself again", &command]);
    assert_eq!(lab.kubectl("argocd", &policy), r#"{"automated":{"selfHeal":true}}"#);
    let kept = ["get", "application", "shop", "--output", "jsonpath={.metadata.annotations}"];
    assert!(!lab.kubectl("argocd", &kept).contains("suspended-sync"));
    let again = lab.ada.run(&["resume", "uat"]).exits(0);
    assert!(!again.stderr.contains("shop"), "it is restored once");
}

/// Nothing on the workload says who brings it: the push is what counts.
fn nobody_brings_it(lab: &Lab, config: &Config<'_>) {
    let digest = lab.build("nobody", "uat");
    let ran = lab
        .deploy("uat", &digest, &[])
        .exits(0)
        .says(&["nothing on testbed uat/deployment/api says"]);
    let done = ran.json();
    assert_eq!((text(&done, "mode"), text(&done, "grade")), ("git", "applied"));
    assert!(config.says(&digest));
}

fn argo_brings_it(lab: &Lab, config: &Config<'_>, host: &str) {
    apply(
        &lab.cluster,
        "apiVersion: v1\nkind: Namespace\nmetadata: {name: argocd}\n---\napiVersion: argoproj.io/v1alpha1\nkind: Application\n\
         metadata: {name: shop, namespace: argocd}\nspec: {project: default, destination: {namespace: uat}, source: {repoURL: \"https://git.example.com/config\", path: apps/uat}, syncPolicy: {automated: {selfHeal: true}}}\n",
    );
    let mark = "argocd.argoproj.io/tracking-id=shop:apps/Deployment:uat/api";
    lab.kubectl("uat", &["annotate", "deployment/api", mark]);
    let (before, digest) = (config.tip(), lab.build("argo", "uat"));
    let done = std::thread::scope(|scope| {
        let deploy = scope.spawn(|| lab.deploy("uat", &digest, &[]));
        let commit = config.pushed(&digest);
        argo_says(lab, &sync("OutOfSync", "Succeeded", &before));
        lab.apply_as("argocd-controller", "uat", &config.image(&digest));
        argo_says(lab, &sync("Synced", "Succeeded", &commit));
        deploy.join().unwrap()
    });
    let done = done.exits(0).says(&["application/argocd/shop: shows our commit"]).json();
    assert_eq!((text(&done, "mode"), text(&done, "grade")), ("git", "observed"));
    assert!(lab.image("uat", "deployment/api").starts_with(host));
}

/// A sync of our commit that failed is told in Argo CD's own words.
fn argo_fails(lab: &Lab, config: &Config<'_>) {
    let digest = lab.build("argo-fails", "uat");
    let failed = std::thread::scope(|scope| {
        let deploy = scope.spawn(|| lab.deploy("uat", &digest, &[]));
        let commit = config.pushed(&digest);
        argo_says(lab, &sync("OutOfSync", "Failed", &commit));
        deploy.join().unwrap()
    });
    failed
        .exits(1)
        .says(&["application/argocd/shop does not bring the commit", "one or more objects failed"]);
    let newest = &lab.history("uat")[0];
    assert!(text(newest, "outcome").contains("one or more objects failed"), "{newest}");
}

/// Flux applies a later commit, which holds ours.
fn flux_brings_it(lab: &Lab, config: &Config<'_>, host: &str) {
    apply(
        &lab.cluster,
        "apiVersion: v1\nkind: Namespace\nmetadata: {name: flux-system}\n---\napiVersion: kustomize.toolkit.fluxcd.io/v1\n\
         kind: Kustomization\nmetadata: {name: shop, namespace: flux-system}\nspec: {interval: 10m, path: ./apps/uat, prune: true, sourceRef: {kind: GitRepository, name: config}}\n",
    );
    lab.kubectl("uat", &["annotate", "deployment/api", "argocd.argoproj.io/tracking-id-"]);
    let labels = [
        "kustomize.toolkit.fluxcd.io/name=shop",
        "kustomize.toolkit.fluxcd.io/namespace=flux-system",
    ];
    lab.kubectl("uat", &["label", "deployment/api", labels[0], labels[1]]);
    let digest = lab.build("flux", "uat");
    let done = std::thread::scope(|scope| {
        let deploy = scope.spawn(|| lab.deploy("uat", &digest, &[]));
        config.pushed(&digest);
        let later = config.another_commit();
        lab.apply_as("kustomize-controller", "uat", &config.image(&digest));
        let revision = format!("main@sha1:{later}");
        let status = json!({"status": {
            "observedGeneration": 1, "lastAppliedRevision": revision, "lastAttemptedRevision": revision,
            "conditions": [{"type": "Ready", "status": "True", "reason": "ReconciliationSucceeded", "observedGeneration": 1,
                "message": format!("Applied revision: {revision}"), "lastTransitionTime": "2026-03-17T14:39:58Z"}],
        }})
        .to_string();
        let patch = [
            "patch",
            "kustomization",
            "shop",
            "--subresource=status",
            "--type=merge",
            "--patch",
            &status,
        ];
        lab.kubectl("flux-system", &patch);
        deploy.join().unwrap()
    });
    let done = done.exits(0).says(&["kustomization/flux-system/shop: shows our commit"]).json();
    assert_eq!(text(&done, "grade"), "observed");
    assert!(lab.image("uat", "deployment/api").starts_with(host));
}

/// As Argo CD 3 writes it.
fn sync(status: &str, phase: &str, revision: &str) -> Value {
    let message = match phase {
        "Failed" => "one or more objects failed to apply, reason: admission webhook denied",
        _ => "successfully synced (all tasks run)",
    };
    json!({"status": {
        "sync": {"status": status, "revision": revision},
        "health": {"status": "Healthy"},
        "operationState": {
            "phase": phase, "message": message, "startedAt": "2026-03-17T14:39:58Z",
            "operation": {"sync": {"revision": revision}}, "syncResult": {"revision": revision},
        },
    }})
}

fn argo_says(lab: &Lab, status: &Value) {
    let patch = status.to_string();
    lab.kubectl("argocd", &["patch", "application", "shop", "--type=merge", "--patch", &patch]);
}
