//! The demo's settings for a cluster, and the variables that its commands see.
//!
//! ```text
//! KUBECONFIG, HOME, DOCKER_CONFIG, INDELIBLE_TOKEN …   stay: they prove who plays
//! GITHUB_REF, CI, INDELIBLE_RELEASE_TIME, GIT_DIR …    go: they would tell another story
//! ```

use crate::demo::DemoError;
use crate::demo::shell::Shell;
use flows::Surroundings;
use flows::demo::{SCENES, Stage, WORKLOAD};
use std::fmt::Write as _;
use std::path::Path;

/// What a pipeline, git and this program itself are told by.
const DROPPED: [&str; 6] = ["CI_", "GITHUB_", "GITLAB_", "GIT_", "INDELIBLE_", "BUILD_"];
/// The same, whole names.
const DROPPED_WHOLE: [&str; 2] = ["CI", "TF_BUILD"];
/// What proves to a registry of ours who pushes.
const KEPT: [&str; 2] = ["INDELIBLE_TOKEN", "INDELIBLE_TOKEN_HOST"];

/// The settings: two environments in one cluster, the second fed from the first.
pub(super) fn text(stage: &Stage, context: &str, repository: &str) -> String {
    let mut text = format!(
        "version: 1\nrecord: file:record.db\nimages:\n  {WORKLOAD}: {{repository: {}, tags: [timestamp]}}\nenvironments:\n",
        quoted(repository)
    );
    for scene in SCENES {
        let (name, namespace) = (scene.environment, stage.namespace(scene));
        let from = scene.promotes_from.map(|from| format!("promotes-from: {from}, "));
        let from = from.unwrap_or_default();
        let _ = writeln!(
            text,
            "  {name}: {{{from}deploy: cluster, clusters: [{}], namespace: {namespace}, workloads: {{{WORKLOAD}: [deployment/{WORKLOAD}]}}}}",
            quoted(context)
        );
    }
    text
}

/// A text in YAML's double quotes, which are JSON's.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// The player's own variables, without those of a pipeline around it; temporary files go below the folder, so that
/// they go with it, whenever a command is stopped.
pub(super) fn shell(folder: &Path, surroundings: &Surroundings) -> Result<Shell, DemoError> {
    let temporary = folder.join("tmp");
    std::fs::create_dir(&temporary).map_err(DemoError::io("make", &temporary))?;
    let is_kept = |name: &str| {
        KEPT.contains(&name)
            || !(DROPPED_WHOLE.contains(&name)
                || DROPPED.iter().any(|prefix| name.starts_with(prefix)))
    };
    let all = surroundings.variables.iter().filter(|(name, _)| is_kept(name));
    let mut variables: std::collections::BTreeMap<_, _> =
        all.map(|(name, value)| (name.clone(), value.clone())).collect();
    // Paths of a kubeconfig are read from where the demo was started.
    if let Some(list) = surroundings.variable("KUBECONFIG") {
        let whole = std::env::split_paths(list).map(|path| surroundings.cwd.join(path));
        if let Some(whole) =
            std::env::join_paths(whole).ok().and_then(|list| list.into_string().ok())
        {
            variables.insert("KUBECONFIG".to_owned(), whole);
        }
    }
    variables.insert("TZ".to_owned(), "UTC".to_owned());
    variables.insert("INDELIBLE_ACTOR".to_owned(), "ada".to_owned());
    variables.insert("TMPDIR".to_owned(), temporary.display().to_string());
    Ok(Shell { folder: folder.to_owned(), variables })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    #[test]
    fn what_proves_the_player_stays_and_what_a_pipeline_says_goes() {
        let given = [
            ("KUBECONFIG", "here/config:/there/config"),
            ("AWS_PROFILE", "shop"),
            ("INDELIBLE_TOKEN", "secret"),
            ("INDELIBLE_RELEASE_TIME", "2026-03-17T14:39:58Z"),
            ("GITHUB_REF", "refs/heads/prod"),
            ("CI", "true"),
            ("CILIUM_HOME", "/opt"),
        ];
        let given = given.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let surroundings = Surroundings {
            cwd: "/home/ada".into(),
            variables: given.into(),
            clock: Arc::new(|| domain::Timestamp::from_millis(0)),
            entropy: Arc::new(|| 0),
        };
        let folder = tempfile::tempdir().unwrap();
        let shell = shell(folder.path(), &surroundings).unwrap();
        let names: Vec<_> = shell.variables.keys().map(String::as_str).collect();
        let expected = [
            "AWS_PROFILE",
            "CILIUM_HOME",
            "INDELIBLE_ACTOR",
            "INDELIBLE_TOKEN",
            "KUBECONFIG",
            "TMPDIR",
            "TZ",
        ];
        assert_eq!(names, expected);
        assert_eq!(shell.variables["KUBECONFIG"], "/home/ada/here/config:/there/config");
    }
}
