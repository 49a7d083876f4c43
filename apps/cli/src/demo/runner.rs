//! A runner of the CI: an empty home, a fresh clone, and the variables that GitHub Actions sets for a push.
//!
//! ```text
//! GITHUB_REF=refs/heads/develop GITHUB_SHA=1a2b… HOME=…/ci/1-build/home  ->  builds for uat
//! ```
//! Nothing is left of one runner when the next begins; what they share is git, the registry and the record.

use super::DemoError;
use super::shell::{Shell, Teller};
use domain::Timestamp;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The variables of this process that every shell of the demo keeps.
const KEPT: [&str; 2] = ["PATH", "TMPDIR"];
/// The file in which a step leaves its outputs.
const OUTPUTS: &str = "outputs";
/// The file that sets a shell's variables.
const SHELL: &str = "shell";

/// The job that builds and publishes.
pub(super) const BUILD: &str = "build";
/// The job that deploys.
pub(super) const DEPLOY: &str = "deploy";

/// A push, as the CI tells its jobs.
#[derive(Clone, Debug)]
pub(super) struct Push {
    /// The branch.
    pub(super) branch: &'static str,
    /// Its new tip.
    pub(super) commit: String,
    /// The number of the pipeline.
    pub(super) number: u32,
    /// The release's time: the first job takes it, the others are handed it.
    pub(super) release_time: Timestamp,
}

/// The variables of a shell with an empty home in `folder`.
pub(super) fn bare_variables(
    folder: &Path,
    process: &BTreeMap<String, String>,
) -> Result<BTreeMap<String, String>, DemoError> {
    let home = folder.join("home");
    std::fs::create_dir_all(&home).map_err(DemoError::io("make", &home))?;
    let kept = process.iter().filter(|(name, _)| KEPT.contains(&name.as_str()));
    let mut variables: BTreeMap<_, _> =
        kept.map(|(name, value)| (name.clone(), value.clone())).collect();
    let own = [
        ("HOME", home.display().to_string()),
        ("GIT_CONFIG_NOSYSTEM", "1".into()),
        ("TZ", "UTC".into()),
    ];
    variables.extend(own.map(|(name, value)| (name.to_owned(), value)));
    Ok(variables)
}

/// Makes a runner for one job of a push.
pub(super) fn make(
    parent: &Path,
    job: &str,
    push: &Push,
    process: &BTreeMap<String, String>,
) -> Result<Shell, DemoError> {
    let folder = parent.join(format!("{}-{job}", push.number));
    let mut variables = bare_variables(&folder, process)?;
    let own = [
        ("CI", "true".to_owned()),
        ("GITHUB_ACTIONS", "true".to_owned()),
        ("GITHUB_ACTOR", "ada".to_owned()),
        ("GITHUB_EVENT_NAME", "push".to_owned()),
        ("GITHUB_OUTPUT", folder.join(OUTPUTS).display().to_string()),
        ("GITHUB_REF", format!("refs/heads/{}", push.branch)),
        ("GITHUB_REF_TYPE", "branch".to_owned()),
        ("GITHUB_REPOSITORY", "shop/shop".to_owned()),
        ("GITHUB_RUN_ATTEMPT", "1".to_owned()),
        ("GITHUB_RUN_ID", push.number.to_string()),
        ("GITHUB_RUN_NUMBER", push.number.to_string()),
        ("GITHUB_SERVER_URL", "https://git.example.com".to_owned()),
        ("GITHUB_SHA", push.commit.clone()),
        ("INDELIBLE_RELEASE_TIME", push.release_time.to_string()),
    ];
    variables.extend(own.map(|(name, value)| (name.to_owned(), value)));
    let shell = Shell { folder, variables };
    write_exports(&shell)?;
    let outputs = shell.folder.join(OUTPUTS);
    std::fs::write(&outputs, "").map_err(DemoError::io("make", &outputs))?;
    Ok(shell)
}

/// Writes the file that sets a shell's variables, for the reader.
pub(super) fn write_exports(shell: &Shell) -> Result<(), DemoError> {
    let file = shell.folder.join(SHELL);
    std::fs::write(&file, shell.exports()).map_err(DemoError::io("write", &file))
}

/// Prints how the reader gets into a runner; the very first one shows its variables.
pub(super) fn enter(teller: &mut Teller, runner: &Shell, push: &Push, job: &str) {
    teller.line(r#"env -i PATH="$PATH" sh"#);
    if push.number == 1 && job == BUILD {
        teller.typed_only(runner, "cat shell");
        teller.show(&runner.exports());
    }
    teller.typed_only(runner, ". ./shell");
}

/// Clones the branch as a CI does, and gives the shell inside the clone.
pub(super) async fn clone(
    teller: &mut Teller,
    runner: &Shell,
    push: &Push,
    source: &Path,
) -> Result<Shell, DemoError> {
    let source = source.display().to_string();
    let words = ["git", "clone", "--quiet", "--branch", push.branch, &source, "shop"];
    teller.run(runner, &words).await?;
    Ok(runner.at(runner.folder.join("shop")))
}

/// What a step left for the steps after it.
pub(super) fn output(runner: &Shell, name: &'static str) -> Result<String, DemoError> {
    let path: PathBuf = runner.folder.join(OUTPUTS);
    let text = std::fs::read_to_string(&path).map_err(DemoError::io("read", &path))?;
    let mut lines = text.lines().filter_map(|line| line.split_once('='));
    let found = lines.find(|(key, _)| *key == name).map(|(_, value)| value.to_owned());
    found.ok_or(DemoError::Silent { command: "indelible publish".to_owned(), missing: name })
}
