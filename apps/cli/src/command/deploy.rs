//! `indelible deploy ENV [IMAGE=TAG|DIGEST]…`

use super::report::{self, Asker};
use super::rolling::{self, ClusterArguments};
use crate::arguments::Global;
use crate::exit::{Exit, Failure};
use crate::process;
use clap::ValueEnum;
use domain::EnvironmentName;
use flows::deploy::{DeployRequest, OnFailure, Run, Wanted};
use flows::settings::DeployMode;

/// What can be typed.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The environment
    environment: EnvironmentName,
    /// Images with their builds; none: the builds of the checked-out commit, for every image
    #[arg(value_name = "IMAGE=TAG|DIGEST")]
    images: Vec<String>,
    /// Another way than the settings'
    #[arg(long, value_name = "MODE")]
    deploy: Option<Mode>,
    /// Why
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    /// A ticket
    #[arg(long, value_name = "TICKET")]
    ticket: Option<String>,
    /// In clusters: roll back what does not come to run; the command still ends with 1
    #[arg(long)]
    rollback_on_failure: bool,
    #[command(flatten)]
    cluster: ClusterArguments,
}

/// The ways to deploy.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Mode {
    /// Edit files of this work tree
    Files,
    /// Push a commit
    Git,
    /// Open a pull request for it
    Pr,
    /// Tell the workloads of the environment's clusters, and wait for them
    Cluster,
    /// Push a commit, then tell the workloads, and wait for them
    #[value(name = "git+cluster")]
    GitCluster,
}

/// Reads `IMAGE=TAG|DIGEST`.
pub(crate) fn pair(text: &str) -> Result<(String, Wanted), Failure> {
    let wrong = |why: &str| Failure::usage(format!("`{text}`: {why}"));
    let (image, wanted) =
        text.split_once('=').ok_or_else(|| wrong("expected IMAGE=TAG or IMAGE=DIGEST"))?;
    let wanted = wanted.parse().map_err(|error: domain::TagError| wrong(&error.to_string()))?;
    Ok((image.to_owned(), wanted))
}

pub(crate) fn run_of(global: &Global) -> Run {
    if global.dry_run { Run::Dry } else { Run::Real }
}

/// Who asks: a pipeline, for which a hold is no failure, or a person.
pub(crate) fn asker(app: &flows::App) -> Asker {
    let is_pipeline = app.surroundings().variable("CI").is_some_and(|value| value != "false")
        || ["GITHUB_ACTIONS", "GITLAB_CI", "TF_BUILD"]
            .iter()
            .any(|name| app.surroundings().variable(name).is_some());
    if is_pipeline { Asker::Pipeline } else { Asker::Person }
}

pub(crate) async fn run(global: &Global, arguments: Arguments) -> Result<Exit, Failure> {
    let app = process::app(global)?;
    let images = arguments.images.iter().map(|text| pair(text)).collect::<Result<_, _>>()?;
    let request = DeployRequest {
        environment: arguments.environment,
        images,
        mode: arguments.deploy.map(|mode| match mode {
            Mode::Files => DeployMode::Files,
            Mode::Git => DeployMode::Git,
            Mode::Pr => DeployMode::Pr,
            Mode::Cluster => DeployMode::Cluster,
            Mode::GitCluster => DeployMode::GitCluster,
        }),
        reason: arguments.reason,
        ticket: arguments.ticket,
        carry: rolling::carry(global, arguments.cluster),
        on_failure: if arguments.rollback_on_failure {
            OnFailure::RollBack
        } else {
            OnFailure::Stop
        },
    };
    let report = flows::deploy::deploy(&app, &request).await.map_err(rolling::failure)?;
    Ok(report::show(global, "deploy", &report, asker(&app)))
}
