//! What helps when nothing was deployed: how the command ends, and the command that comes next.

use super::error::{DeployError, InterruptedStep, rights_hint};
use crate::verdict::{Explain, Verdict};
use domain::{EnvironmentName, ImageName, Repository};
use git::GitError;
use pin::Skip;
use release::{DeployRefused, PromoteRefused, RollbackRefused};
use vendors::pull_request::PullRequestError;

impl Explain for DeployError {
    fn verdict(&self) -> Verdict {
        match self {
            Self::Open(error) => error.verdict(),
            Self::Source(error) => error.verdict(),
            Self::Record(error) => error.verdict(),
            Self::Registry(error) => error.verdict(),
            Self::Names(error) => error.verdict(),
            Self::Hold { source, .. } => source.verdict(),
            Self::InCluster(error) => error.verdict(),
            Self::Files(error) => error.verdict(),
            Self::Write(error) => error.verdict(),
            Self::NotRecorded { source, .. }
            | Self::StaysSuspended { source, .. }
            | Self::NotRolledBack { source, .. } => source.verdict(),
            Self::Overtaken { .. }
            | Self::RolledBack { .. }
            | Self::Moved { .. }
            | Self::PullRequest(
                PullRequestError::Refused { .. } | PullRequestError::LogIn { .. },
            )
            | Self::Git { source: GitError::NotOurs { .. }, .. }
            | Self::Rollout { .. }
            | Self::Deploy { .. }
            | Self::Promote { .. }
            | Self::NothingDeployed { .. }
            | Self::Gone { .. } => Verdict::Refused,
            Self::Rollback { source: RollbackRefused::CannotTell { .. }, .. } => Verdict::Unknown,
            Self::Rollback { .. } => Verdict::Refused,
            Self::Git { .. }
            | Self::Branch { .. }
            | Self::PullRequest(_)
            | Self::PullRequestPlace(_)
            | Self::Cluster(_)
            | Self::Interrupted { .. }
            | Self::StillWaiting { .. }
            | Self::Unseen { .. }
            | Self::Edit(_)
            | Self::File { .. }
            | Self::NoImage { .. }
            | Self::NoBuild { .. }
            | Self::NoCommit
            | Self::NoTag { .. }
            | Self::NoPlace { .. }
            | Self::LeftAlone { .. }
            | Self::NoTarget { .. }
            | Self::WhichImage { .. }
            | Self::WrongChain { .. }
            | Self::Message(_)
            | Self::Signature(_)
            | Self::Text(_) => Verdict::Unknown,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Open(error) => error.hint(),
            Self::Source(error) => error.hint(),
            Self::Record(error) => error.hint(),
            Self::Registry(error) => error.hint(),
            Self::Names(error) => error.hint(),
            Self::Hold { source, .. } => source.hint(),
            Self::InCluster(error) => error.hint(),
            Self::Deploy { image, environment, promotes_from, source } => {
                refusal_hint(image, (environment, promotes_from.as_ref()), source)
            }
            Self::Promote { image, environment, source } => {
                promote_hint(image, environment, source)
            }
            Self::NoBuild { environment, image, .. } => {
                Some(format!("name it: indelible deploy {environment} {image}=TAG"))
            }
            Self::NoTag { repository, .. } => Some(format!("indelible history {repository}")),
            Self::WhichImage { environment, images } => {
                Some(format!("indelible rollback {environment} {}", images.first()?))
            }
            Self::WrongChain { from, to, expected } => {
                Some(chain_hint(from, to, expected.as_ref()))
            }
            Self::Files(error) => error.hint(),
            Self::Write(error) => error.hint(),
            Self::Rollback { image, environment, source } => {
                rollback_hint(image, environment, source)
            }
            Self::NothingDeployed { environment } => Some(noted_hint(environment)),
            Self::NoCommit => Some("name the builds: indelible deploy ENV IMAGE=TAG".to_owned()),
            Self::NoTarget { environment, .. } => Some(format!("indelible history {environment}")),
            Self::Gone { repository, .. } => Some(format!("indelible history {repository}")),
            Self::Moved { .. } => Some(MOVED.to_owned()),
            Self::Overtaken { .. } => Some("run the command again".to_owned()),
            Self::NoPlace { repository, .. } => Some(no_place_hint(repository)),
            Self::LeftAlone { why, .. } => Some(left_alone_hint(why).to_owned()),
            Self::Cluster(error) => rights_hint(error),
            Self::Rollout { image, environment, .. } => Some(rollout_hint(environment, image)),
            Self::Interrupted { steps, .. } | Self::StillWaiting { steps, .. } => {
                Some(go_on_hint(steps))
            }
            Self::Unseen { steps, source, .. } => {
                rights_hint(source).or_else(|| Some(go_on_hint(steps)))
            }
            Self::StaysSuspended { environment, .. } => {
                Some(format!("indelible resume {environment} restores it"))
            }
            Self::Git { source: GitError::NotOurs { branch, .. }, .. } => {
                Some(not_ours_hint(branch))
            }
            Self::PullRequest(_) => Some("the same command asks again".to_owned()),
            Self::PullRequestPlace(_) => Some(REQUESTS_PLACE.to_owned()),
            Self::NotRecorded { steps, failed, .. } => Some(record_hint(steps, failed.is_some())),
            Self::RolledBack { environment, .. } => Some(format!(
                "indelible history {environment}; it is held until: indelible resume {environment}"
            )),
            Self::NotRolledBack { source, .. } => source.hint(),
            Self::Git { .. }
            | Self::Branch { .. }
            | Self::Edit(_)
            | Self::File { .. }
            | Self::NoImage { .. }
            | Self::Message(_)
            | Self::Signature(_)
            | Self::Text(_) => None,
        }
    }
}

const MOVED: &str =
    "look at who changed it; the command run again decides about what stands there now";

const REQUESTS_PLACE: &str = "name them: git: {pull-requests: {host: gitlab, api: https://HOST/api/v4, project: GROUP/NAME}}";

fn no_place_hint(repository: &Repository) -> String {
    format!(
        "write `image: {repository}` where it shall run; `git.path` of the environment says where is looked"
    )
}

fn rollout_hint(environment: &EnvironmentName, image: &ImageName) -> String {
    format!(
        "indelible rollback {environment} {image} returns to the newest build that was observed there"
    )
}

fn not_ours_hint(branch: &str) -> String {
    format!("merge or move that commit, then delete the branch: git push --delete origin {branch}")
}

fn promote_hint(
    image: &ImageName,
    environment: &EnvironmentName,
    refused: &PromoteRefused,
) -> Option<String> {
    match refused {
        PromoteRefused::Against(source) => refusal_hint(image, (environment, None), source),
        PromoteRefused::NothingThere { environment, .. } => {
            Some(format!("indelible deploy {environment} {image}=TAG"))
        }
    }
}

fn noted_hint(environment: &EnvironmentName) -> String {
    format!(
        "indelible history {environment}; what another tool deployed is recorded by `indelible note deploy {environment} IMAGE=TAG`"
    )
}

fn rollback_hint(
    image: &ImageName,
    environment: &EnvironmentName,
    refused: &RollbackRefused,
) -> Option<String> {
    match refused {
        RollbackRefused::NothingDeployed { .. } => Some(format!("indelible history {environment}")),
        RollbackRefused::NeverHere { digest, .. } => {
            Some(format!("indelible deploy {environment} {image}={digest}"))
        }
        RollbackRefused::NothingKnownGood { looked_at, .. } if looked_at.is_empty() => {
            Some(format!("another build comes by indelible deploy {environment} {image}=TAG"))
        }
        RollbackRefused::NothingKnownGood { .. } => Some(format!(
            "`indelible history {environment}` lists what ran; `--to TAG` returns to one that was left or was there too short"
        )),
        RollbackRefused::CannotTell { digest } => {
            Some(format!("indelible rollback {environment} {image} --to {digest}"))
        }
        RollbackRefused::Same { .. } | RollbackRefused::Against { .. } => None,
    }
}

fn left_alone_hint(why: &Skip) -> &'static str {
    match why {
        Skip::Ignored(_) => "take the comment away, or add a place that may be edited",
        Skip::Opaque(_) | Skip::Default => {
            "write the name itself there; where another program sets it, `# indelible: ignore` behind it passes it over"
        }
        Skip::Seen { .. } => "write the line there by hand, or add a place that may be edited",
        Skip::BuildTarget => {
            "let `git.path` name the folder of what is deployed, or put `# indelible: ignore` behind it"
        }
        Skip::Malformed
        | Skip::NoAnswer
        | Skip::NoTag
        | Skip::NoRoom(_)
        | Skip::Elsewhere { .. }
        | Skip::OtherRepository
        | Skip::NoPlace => {
            "write it as one name with a tag, or put `# indelible: ignore` behind it"
        }
    }
}

fn refusal_hint(
    image: &ImageName,
    (environment, promotes_from): (&EnvironmentName, Option<&EnvironmentName>),
    refused: &DeployRefused,
) -> Option<String> {
    match refused {
        DeployRefused::NotEligible { digest, .. } => {
            let allow = format!("indelible allow {digest} {environment} --reason TEXT");
            Some(match promotes_from {
                Some(from) => format!("indelible promote {from} {environment} {image}; or {allow}"),
                None => allow,
            })
        }
        DeployRefused::Condemned { digest, .. } => Some(format!(
            "to bring it back by name: indelible deploy {environment} {image}={digest}"
        )),
        DeployRefused::Blocked { digest, .. } => {
            Some(format!("to lift the block: indelible block {digest} --lift --reason TEXT"))
        }
        DeployRefused::NotVerified { from, .. } => {
            Some(format!("deploy the merged commit's build to {from} first"))
        }
    }
}

fn chain_hint(
    from: &EnvironmentName,
    to: &EnvironmentName,
    expected: Option<&EnvironmentName>,
) -> String {
    match expected {
        Some(expected) => format!("indelible promote {expected} {to}"),
        None => format!("add `promotes-from: {from}` to environments.{to} in indelible.yaml"),
    }
}

fn record_hint(steps: &[InterruptedStep], has_failed: bool) -> String {
    let again: Vec<_> = steps.iter().map(|step| step.again.as_str()).collect();
    let nothing = if has_failed { "" } else { "; nothing restarts" };
    format!("when the record can be reached again: {}{nothing}", again.join("; "))
}

fn go_on_hint(steps: &[InterruptedStep]) -> String {
    let again: Vec<_> = steps.iter().map(|step| step.again.as_str()).collect();
    format!("to go on waiting: {}", again.join("; "))
}
