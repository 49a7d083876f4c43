//! CronJobs and Jobs: what is told is not what runs yet, and a Job is made anew.

use super::lab::Lab;
use super::{apply, wait_for_pods};
use crate::situations::runner::{text, warnings};

const CRON: &str = "\
apiVersion: batch/v1
kind: CronJob
metadata: {name: nightly, namespace: uat}
spec:
  schedule: \"0 0 1 1 *\"
  jobTemplate:
    spec:
      template:
        spec:
          restartPolicy: Never
          containers:
          - {name: api, image: \"REGISTRY/shop/api:first\"}
          - {name: log, image: \"REGISTRY/shop/log:1\"}
          volumes:
          - {name: files, image: {reference: \"REGISTRY/shop/api:first\"}}
";

fn job(name: &str, script: &str) -> String {
    format!(
        "\
apiVersion: batch/v1
kind: Job
metadata: {{name: {name}, namespace: uat}}
spec:
  backoffLimit: 0
  template:
    spec:
      restartPolicy: Never
      containers: [{{name: api, image: \"REGISTRY/shop/api:first\", command: [/bin/sh, -c, \"{script}\"]}}]
"
    )
}

#[test]
fn a_cron_job_is_told_and_a_job_is_made_anew() {
    let test = "a_cron_job_is_told_and_a_job_is_made_anew";
    let Some(lab) = Lab::start(test, "Deployment") else { return };
    wait_for_pods(&lab.cluster, "uat", "app=api", 2);
    let host = lab.cluster.registry();
    let objects = |yaml: &str| apply(&lab.cluster, &yaml.replace("REGISTRY", &host));
    let (a, b) = (lab.build("a", "uat"), lab.build("b", "uat"));

    objects(CRON);
    lab.settle(
        "namespace: uat, workloads: {api: [deployment/api]}",
        "namespace: uat, workloads: {api: [cronjob/nightly]}",
    );
    let done = lab.deploy("uat", &a, &["--take-over"]).exits(0).json();
    assert_eq!(text(&done, "grade"), "applied", "nothing has run yet");
    let said = warnings(&done);
    let later = "running jobs keep the old digest, the next schedule takes the new one";
    assert!(said.iter().any(|line| line.contains(later)), "{said:?}");
    let spec = "{.spec.jobTemplate.spec.template.spec";
    let images =
        format!("jsonpath={spec}.containers[*].image}} {spec}.volumes[*].image.reference}}");
    let told = lab.kubectl("uat", &["get", "cronjob", "nightly", "--output", &images]);
    let pinned = format!("{host}/shop/api:a@{a}");
    assert_eq!(told, format!("{pinned} {host}/shop/log:1 {pinned}"), "the other container stays");
    lab.kubectl("uat", &["create", "job", "--from=cronjob/nightly", "now", "--dry-run=server"]);

    objects(&job("migrate", "echo migrated"));
    lab.settle("cronjob/nightly", "job/migrate");
    let done = lab.deploy("uat", &b, &[]).exits(0).json();
    assert_eq!(text(&done, "grade"), "observed", "its pod ended well, and ran the build");
    let jobs = || {
        let names = ["get", "jobs", "--selector=indelible/job-of=migrate", "--output=name"];
        lab.kubectl("uat", &names).lines().count()
    };
    assert_eq!(jobs(), 1);
    let first = lab.kubectl(
        "uat",
        &["get", "job", "migrate", "--output=jsonpath={.spec.template.spec.containers[0].image}"],
    );
    assert!(first.ends_with(":first"), "the old one is never changed: {first}");
    let same = lab.deploy("uat", &b, &[]).exits(0).json();
    assert_eq!((text(&same, "outcome"), jobs()), ("same", 1), "what is done is not done again");

    objects(&job("broken", "echo no table; exit 3"));
    lab.settle("job/migrate", "job/broken");
    let c = lab.build("c", "uat");
    for _try in 0..2 {
        let failed = lab.deploy("uat", &c, &[]).exits(1);
        failed.says(&["BackoffLimitExceeded", "log no table"]);
    }
    let made = ["get", "jobs", "--selector=indelible/job-of=broken", "--output=name"];
    assert_eq!(lab.kubectl("uat", &made).lines().count(), 2, "one that failed is made again");

    lab.settle("job/broken", "replicaset/api");
    lab.deploy("uat", &c, &[]).exits(2).says(&["a bare ReplicaSet keeps the pods"]);
}
