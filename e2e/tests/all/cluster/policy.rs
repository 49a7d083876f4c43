//! `policy generate`, applied to a real API server: what it refuses, what it lets pass, and in which words.

use super::{apply, cluster, kubectl, push_image, text, wait_for_pods};
use crate::situations::runner::Runner;
use release::policy::{About, Effect, Guarded, Listed, generate};
use std::collections::BTreeSet;
use std::process::Output;
use std::time::{Duration, Instant};
use tempfile::TempDir;
use testbed::{Cluster, wait_until, wait_until_within};

/// How long an API server may take until it knows a policy, and has checked its types.
const KNOWN_WITHIN: Duration = Duration::from_secs(60);

/// What is new in prod, so that nothing else is meant when it is refused.
const PROBE: &str = "apiVersion: v1\nkind: Pod\nmetadata: {name: probe, namespace: prod}\n";

/// One cluster with two namespaces, a record, and a build for each environment.
struct Lab {
    cluster: Cluster,
    folder: TempDir,
    ada: Runner,
    /// The registry and its path.
    repository: String,
    /// Built for prod.
    prod: String,
    /// Built for uat.
    uat: String,
}

impl Lab {
    fn start(test: &str) -> Option<Self> {
        let cluster = cluster(test)?;
        let folder = tempfile::tempdir().unwrap();
        let repository = format!("{}/shop/api", cluster.registry());
        let settings = format!(
            "version: 1
record: local
images: {{api: {{repository: {repository}, tags: [timestamp-env]}}}}
environments:
  prod: {{branches: [prod], alias: prod, clusters: [testbed], namespace: prod}}
  uat: {{branches: [\"**\"], alias: uat, clusters: [testbed], namespace: uat}}
"
        );
        let work = folder.path().join("work");
        std::fs::create_dir_all(&work).unwrap();
        std::fs::write(work.join("indelible.yaml"), settings).unwrap();
        let kubeconfig = ("KUBECONFIG", cluster.kubeconfig().display().to_string());
        let ada = Runner::new(&folder.path().join("home"), &work).with([kubeconfig]);
        let (prod, uat) = (String::new(), String::new());
        let mut lab = Self { cluster, folder, ada, repository, prod, uat };
        lab.prod = lab.build("20260317-143958-prod", "prod");
        lab.uat = lab.build("20260317-143958-uat", "uat");
        for namespace in ["prod", "uat"] {
            kubectl(&lab.cluster, &["create", "namespace", namespace]);
        }
        Some(lab)
    }

    /// A build for an environment; gives its digest.
    fn build(&self, tag: &str, environment: &str) -> String {
        let digest = push_image(&self.cluster, &format!("shop/api:{tag}"), tag);
        let pushed = format!("{}@{digest}", self.repository);
        let arguments = ["publish", "--pushed", &pushed, "--to", &self.repository, "--tag", tag];
        self.ada.run(&[&arguments[..], &["--env", environment]].concat()).exits(0);
        digest
    }

    /// Generates, applies, and waits until the API server knows what it is to judge.
    fn guard(&self, more: &[&str]) {
        let file = self.folder.path().join("policy.yaml");
        let generate = ["policy", "generate", "prod", "--output", file.to_str().unwrap()];
        let ran = self.ada.run(&[&generate[..], more].concat()).exits(0);
        println!("{}", ran.stderr);
        kubectl(&self.cluster, &["apply", "--filename", file.to_str().unwrap()]);
    }

    /// Asks the API server for an object, and changes nothing.
    fn ask(&self, yaml: &str) -> Output {
        let file = self.folder.path().join("asked.yaml");
        std::fs::write(&file, yaml).unwrap();
        let mut asked = self.cluster.kubectl();
        asked.args(["apply", "--dry-run=server", "--filename"]).arg(&file).output().unwrap()
    }

    fn passes(&self, yaml: &str) {
        let output = self.ask(yaml);
        assert!(output.status.success(), "{yaml}\n{}", text(&output.stderr));
        assert!(!text(&output.stderr).contains("Warning"), "{}", text(&output.stderr));
    }

    /// Refused, in these words.
    fn refused(&self, yaml: &str, words: &[&str]) {
        let output = self.ask(yaml);
        let said = text(&output.stderr);
        assert!(!output.status.success(), "{yaml} was let in");
        for word in words {
            assert!(said.contains(word), "`{word}` is not said of\n{yaml}\n{said}");
        }
    }

    fn named(&self, tag: &str, digest: &str) -> String {
        format!("{}:{tag}@{digest}", self.repository)
    }

    fn good(&self) -> String {
        self.named("20260317-143958-prod", &self.prod)
    }
}

/// Each kind that makes pods, with this pod in it.
fn workloads(pod: &str) -> Vec<String> {
    let meta = "metadata: {name: probe, namespace: prod}";
    let template = format!("template: {{metadata: {{labels: {{app: probe}}}}, spec: {pod}}}");
    let selected = format!("selector: {{matchLabels: {{app: probe}}}}, {template}");
    let job = pod.replacen('{', "{restartPolicy: Never, ", 1);
    let job = format!("template: {{metadata: {{labels: {{app: probe}}}}, spec: {job}}}");
    vec![
        format!("apiVersion: v1\nkind: Pod\n{meta}\nspec: {pod}\n"),
        format!(
            "apiVersion: v1\nkind: ReplicationController\n{meta}\nspec: {{selector: {{app: probe}}, {template}}}\n"
        ),
        format!("apiVersion: apps/v1\nkind: Deployment\n{meta}\nspec: {{{selected}}}\n"),
        format!(
            "apiVersion: apps/v1\nkind: StatefulSet\n{meta}\nspec: {{serviceName: probe, {selected}}}\n"
        ),
        format!("apiVersion: apps/v1\nkind: DaemonSet\n{meta}\nspec: {{{selected}}}\n"),
        format!("apiVersion: apps/v1\nkind: ReplicaSet\n{meta}\nspec: {{{selected}}}\n"),
        format!("apiVersion: batch/v1\nkind: Job\n{meta}\nspec: {{{job}}}\n"),
        format!(
            "apiVersion: batch/v1\nkind: CronJob\n{meta}\nspec: {{schedule: \"0 0 * * *\", jobTemplate: {{spec: {{{job}}}}}}}\n"
        ),
    ]
}

fn pod_of(image: &str) -> String {
    format!("{{containers: [{{name: api, image: \"{image}\"}}]}}")
}

fn probe(image: &str) -> String {
    format!("{PROBE}spec: {}\n", pod_of(image))
}

/// A Deployment of two pods that stands in prod before any rule does.
fn standing(name: &str, image: &str) -> String {
    format!(
        "\
apiVersion: apps/v1
kind: Deployment
metadata: {{name: {name}, namespace: prod}}
spec:
  replicas: 1
  selector: {{matchLabels: {{app: {name}}}}}
  template:
    metadata: {{labels: {{app: {name}}}}}
    spec:
      terminationGracePeriodSeconds: 0
      containers: [{{name: api, image: \"{image}\"}}]
"
    )
}

#[test]
fn an_api_server_keeps_the_rules_of_prod_by_itself() {
    let Some(lab) = Lab::start("an_api_server_keeps_the_rules_of_prod_by_itself") else { return };
    // Before there is a rule: one that is pinned, and one that is not.
    apply(&lab.cluster, &standing("good", &lab.good()));
    let floating = format!("{}:20260317-143958-prod", lab.repository);
    apply(&lab.cluster, &standing("old", &floating));
    wait_for_pods(&lab.cluster, "prod", "app=good", 1);
    wait_for_pods(&lab.cluster, "prod", "app=old", 1);

    warned(&lab, &floating);
    lab.guard(&["--deny"]);
    // Each binding is known by itself.
    wait_until_within(KNOWN_WITHIN, "the policies refuse", || {
        workloads(&pod_of(&floating)).iter().all(|yaml| !lab.ask(yaml).status.success())
    })
    .unwrap();
    types_are_right(&lab.cluster);
    every_place_and_kind(&lab, &floating);
    wrong_bytes(&lab);
    what_is_there_goes_on(&lab, &floating);
    a_persons_word(&lab);
    several_lists(&lab);
    a_lost_list(&lab);
}

/// First adoption: everything passes, and whoever breaks a rule is told.
fn warned(lab: &Lab, floating: &str) {
    lab.guard(&[]);
    wait_until_within(KNOWN_WITHIN, "the policy warns", || {
        let output = lab.ask(&probe(floating));
        assert!(output.status.success(), "{}", text(&output.stderr));
        text(&output.stderr).contains("names no digest")
    })
    .unwrap();
    lab.passes(&probe(&lab.good()));
    // Without its list it must not refuse either.
    kubectl(&lab.cluster, &["--namespace=indelible-policy", "delete", "configmap", "prod-0"]);
    wait_until("nothing is judged without a list", || {
        let output = lab.ask(&probe(floating));
        assert!(output.status.success(), "{}", text(&output.stderr));
        !text(&output.stderr).contains("names no digest")
    })
    .unwrap();
}

/// The API server checks every expression against every kind: it finds nothing.
fn types_are_right(cluster: &Cluster) {
    for policy in ["pods", "templates", "cronjobs"] {
        let name = format!("indelible-v1-{policy}");
        let asked = ["get", "validatingadmissionpolicy", &name, "--output", "json"];
        wait_until_within(KNOWN_WITHIN, "the types are checked", || {
            let object: serde_json::Value =
                serde_json::from_str(&kubectl(cluster, &asked)).unwrap();
            let status = &object["status"];
            let warnings = &status["typeChecking"]["expressionWarnings"];
            assert!(warnings.is_null(), "{warnings:#}");
            status["observedGeneration"] == object["metadata"]["generation"]
                && status["typeChecking"].is_object()
        })
        .unwrap();
    }
}

/// An image without a digest is refused wherever an image can stand, and a pinned one passes there.
fn every_place_and_kind(lab: &Lab, floating: &str) {
    let good = lab.good();
    let places = [
        "{containers: [{name: api, image: \"IMAGE\"}]}",
        "{containers: [{name: api, image: \"GOOD\"}], initContainers: [{name: first, image: \"IMAGE\"}]}",
        "{containers: [{name: api, image: \"GOOD\"}], volumes: [{name: files, image: {reference: \"IMAGE\"}}]}",
    ];
    for place in places {
        let place = place.replace("GOOD", &good);
        for yaml in workloads(&place.replace("IMAGE", floating)) {
            lab.refused(
                &yaml,
                &[floating, "names no digest", "prod takes only", "indelible pin FILE"],
            );
        }
        for yaml in workloads(&place.replace("IMAGE", &good)) {
            lab.passes(&yaml);
        }
    }
    for unpinned in [
        lab.repository.clone(),
        format!("{}@sha256:{}", lab.repository, "9".repeat(63)),
        format!("{}@sha256:{}", lab.repository, "F".repeat(64)),
        format!("{good}@{}", lab.prod),
    ] {
        lab.refused(&probe(&unpinned), &[]);
    }
    ephemeral(lab, floating, &good);
    // Another namespace is nobody's business here.
    lab.passes(&probe(floating).replace("namespace: prod", "namespace: uat"));
}

/// A shell for a person who looks for an error is an image too.
fn ephemeral(lab: &Lab, floating: &str, good: &str) {
    let pods = ["--namespace=prod", "get", "pods", "--selector=app=good", "--output=name"];
    let pod = kubectl(&lab.cluster, &pods).trim().to_owned();
    let debug = |name: &str, image: &str| {
        let (image, name) = (format!("--image={image}"), format!("--container={name}"));
        let mut command = lab.cluster.kubectl();
        command.args(["--namespace=prod", "debug", &pod, &image, &name, "--profile=general"]);
        command.output().unwrap()
    };
    let refused = debug("shell", floating);
    let said = text(&refused.stderr);
    assert!(!refused.status.success() && said.contains("names no digest"), "{said}");
    let passed = debug("other", good);
    assert!(passed.status.success(), "{}", text(&passed.stderr));
}

/// Another environment's tag, another environment's bytes, and nobody's bytes.
fn wrong_bytes(lab: &Lab) {
    let tag_of_uat = lab.named("20260317-143958-uat", &lab.prod);
    lab.refused(
        &probe(&tag_of_uat),
        &[
            &tag_of_uat,
            "has a tag of uat, and this is prod",
            "indelible promote uat prod IMAGE",
            &format!("indelible allow {} prod --reason TEXT", lab.prod),
        ],
    );
    lab.refused(&probe(&lab.named("uat", &lab.prod)), &["has a tag of uat"]);
    let bytes_of_uat = format!("{}@{}", lab.repository, lab.uat);
    let allow = format!("indelible allow {} prod --reason TEXT", lab.uat);
    let words = [&bytes_of_uat, "may not come to prod", &allow, "`indelible policy generate prod`"];
    lab.refused(&probe(&bytes_of_uat), &words);
    let nobodys = format!("{}/testbed/busybox@sha256:{}", lab.cluster.registry(), "9".repeat(64));
    lab.refused(&probe(&nobodys), &[&nobodys, "may not come to prod"]);
    let long = format!("{}@sha512:{}", lab.repository, "a".repeat(128));
    lab.refused(
        &probe(&long),
        &["may not come to prod", &format!("allow sha512:{}", "a".repeat(128))],
    );
    for yaml in workloads(&pod_of(&bytes_of_uat)) {
        lab.refused(&yaml, &["may not come to prod"]);
    }
}

/// What was there before the rules can be labelled and scaled; what is pinned starts again on another node.
fn what_is_there_goes_on(lab: &Lab, floating: &str) {
    let pods = |label: &str| {
        let asked = ["--namespace=prod", "get", "pods", "--selector", label, "--output=name"];
        kubectl(&lab.cluster, &asked).trim().to_owned()
    };
    let old = pods("app=old");
    kubectl(&lab.cluster, &["--namespace=prod", "label", &old, "team=shop"]);
    kubectl(&lab.cluster, &["--namespace=prod", "annotate", "deployment/old", "note=seen"]);
    kubectl(&lab.cluster, &["--namespace=prod", "scale", "deployment/old", "--replicas=0"]);
    wait_for_pods(&lab.cluster, "prod", "app=old", 0);
    // An image that was not there is new, beside whichever stays.
    let image = format!("api={floating}x");
    let mut set = lab.cluster.kubectl();
    set.args(["--namespace=prod", "set", "image", "deployment/old", &image]);
    assert!(!set.output().unwrap().status.success());

    // As a drained node leaves it: the pod is gone, and another takes its place.
    let before = pods("app=good");
    kubectl(&lab.cluster, &["--namespace=prod", "delete", &before, "--grace-period=0", "--force"]);
    wait_until_within(KNOWN_WITHIN, "another pod takes its place", || {
        let now = pods("app=good");
        !now.is_empty() && now != before
    })
    .unwrap();
    wait_for_pods(&lab.cluster, "prod", "app=good", 1);
}

/// What the refusal tells to do is enough.
fn a_persons_word(lab: &Lab) {
    let image = lab.named("20260317-143958-uat", &lab.uat);
    lab.ada.run(&["allow", &lab.uat, "prod", "--reason", "incident 17"]).exits(0);
    lab.guard(&["--deny"]);
    wait_until("the allowed digest is let in", || lab.ask(&probe(&image)).status.success())
        .unwrap();
}

/// A list that needs several objects: each digest is judged by the one that is about it.
fn several_lists(lab: &Lab) {
    kubectl(&lab.cluster, &["create", "namespace", "wide"]);
    let named = |at: u32| format!("sha256:{:08x}{:056x}", at.wrapping_mul(0x9e37_79b9), at);
    let why = BTreeSet::from([Listed::Built]);
    let wide = Guarded {
        environment: "wide".parse().unwrap(),
        namespace: "wide".to_owned(),
        digests: (0..6_000).map(|at| (named(at).parse().unwrap(), why.clone())).collect(),
        about: About::Every,
        own_tags: BTreeSet::new(),
        other_tags: BTreeSet::new(),
    };
    let objects = generate(&[wide], Effect::Deny).unwrap();
    assert!(objects.parts.values().all(|parts| *parts == 4), "{:?}", objects.parts);
    apply(&lab.cluster, &objects.yaml());
    let probe = |digest: &str| {
        probe(&format!("{}@{digest}", lab.repository)).replace("namespace: prod", "namespace: wide")
    };
    wait_until("all parts are known", || {
        (0..16).all(|at| {
            !lab.ask(&probe(&format!("sha256:{at:x}{}", "f".repeat(63)))).status.success()
        })
    })
    .unwrap();
    let started = Instant::now();
    for at in 0..16 {
        lab.passes(&probe(&named(at)));
    }
    println!(
        "16 pods judged by 4 lists of 1 500 digests each in {:?}, kubectl's start included",
        started.elapsed()
    );
    lab.refused(&probe("latest"), &["names no digest"]);
}

/// A list that is gone refuses everything new: what cannot be judged is not let in.
fn a_lost_list(lab: &Lab) {
    kubectl(&lab.cluster, &["--namespace=indelible-policy", "delete", "configmap", "prod-0"]);
    wait_until("a lost list refuses", || {
        let output = lab.ask(&probe(&lab.good()));
        !output.status.success() && text(&output.stderr).contains("no params found")
    })
    .unwrap();
}
