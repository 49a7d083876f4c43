//! The clusters: what this user may do in the namespaces of the settings, and whether the clocks agree.

use super::Checked;
use crate::app::App;
use crate::look::connect_to;
use crate::settings::{DeployMode, EnvironmentSettings};
use cluster::{AskedRight, Cluster};

/// Clocks that are further apart than this make "when" wrong in every answer.
const APART_MAX_MS: i64 = 5_000;

const fn right(verb: &'static str, group: &'static str, resource: &'static str) -> AskedRight {
    AskedRight { verb, group, resource }
}

/// What `watch` and `status` need. Source: docs/watch.md.
const LOOK: [AskedRight; 2] = [right("list", "", "pods"), right("watch", "", "pods")];
/// What `deploy` needs besides. Source: docs/deploy.md.
const DEPLOY: [AskedRight; 6] = [
    right("get", "apps", "deployments"),
    right("patch", "apps", "deployments"),
    right("patch", "apps", "statefulsets"),
    right("patch", "apps", "daemonsets"),
    right("list", "apps", "replicasets"),
    right("list", "", "events"),
];

/// Each cluster of each environment.
pub(super) async fn rights(app: &App) -> Vec<Checked> {
    let mut all = Vec::new();
    let environments = app.loaded().into_iter().flat_map(|loaded| &loaded.settings.environments);
    for environment in environments {
        for context in &environment.clusters {
            all.extend(of_cluster(app, environment, context).await);
        }
    }
    all
}

async fn of_cluster(app: &App, environment: &EnvironmentSettings, context: &str) -> Vec<Checked> {
    let what = format!("cluster {context} for {}", environment.name);
    let cluster = match Cluster::connect(&connect_to(app.surroundings(), context)).await {
        Ok(cluster) => cluster,
        Err(error) => return vec![Checked::unknown(what, &error)],
    };
    let needed = match environment.deploy {
        DeployMode::Cluster | DeployMode::GitCluster => LOOK.iter().chain(&DEPLOY),
        DeployMode::Files | DeployMode::Git | DeployMode::Pr => LOOK.iter().chain(&[]),
    };
    let namespace = environment.namespace.as_deref();
    let mut missing = Vec::new();
    for right in needed {
        match cluster.has_right(right, namespace).await {
            Ok(true) => {}
            Ok(false) => missing.push(right.to_string()),
            Err(error) => return vec![Checked::unknown(what, &error)],
        }
    }
    let place =
        namespace.map_or_else(|| "all namespaces".to_owned(), |name| format!("namespace {name}"));
    let rights = if missing.is_empty() {
        Checked::good(what, format!("it lets us do what is needed in {place}"))
    } else {
        let first = missing[0].split(' ').collect::<Vec<_>>();
        let scope =
            namespace.map_or("--all-namespaces".to_owned(), |name| format!("--namespace {name}"));
        let fix = format!(
            "a Role with these verbs; `kubectl --context {context} auth can-i {} {} {scope}` asks the same",
            first[0], first[1]
        );
        Checked::wrong(what, format!("not allowed in {place}: {}", missing.join(", ")), &fix)
    };
    vec![rights, clock(app, &cluster, context).await]
}

async fn clock(app: &App, cluster: &Cluster, context: &str) -> Checked {
    let what = format!("clock of {context}");
    let before = app.surroundings().now().as_millis();
    let Some(server) = cluster.server_time().await else {
        return Checked::unknown(
            what,
            &std::io::Error::other("its API server does not say what time it is"),
        );
    };
    let after = app.surroundings().now().as_millis();
    // The header has whole seconds, and came somewhere between the two.
    let (earliest, latest) = (server.as_millis() - after, server.as_millis() + 999 - before);
    let apart = if earliest > 0 { earliest } else { latest.min(0).abs() };
    if apart <= APART_MAX_MS {
        Checked::good(what, "it agrees with this machine's")
    } else {
        let seen = format!(
            "it is {} s apart from this machine's: times in the record will be wrong",
            apart / 1000
        );
        Checked::wrong(what, seen, "timedatectl set-ntp true")
    }
}
