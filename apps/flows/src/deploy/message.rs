//! The commit of a write-back: a subject for people, trailers for programs, the word that skips CI.
//!
//! ```text
//! deploy(prod): api 20260317-143958-prod [skip ci]
//!
//! Deploy-Id: deploy/5f…/after/01JQ…
//! Environment: prod
//! Image: registry.example.com/shop/api:20260317-143958-prod
//! Digest: sha256:9f…
//! Previous-Digest: sha256:77…
//! ```
//! Source: `research/deploy.md` §3.2.

use super::apply::Step;
use domain::{Actor, EnvironmentName};
use git::{Message, MessageError, RemoteUrl};

/// The word by which a provider skips CI for a commit.
///
/// Source: GitHub and GitLab document `[skip ci]`, Azure Pipelines `***NO_CI***`; elsewhere the first is the custom.
fn skip_ci(remote: &RemoteUrl) -> &'static str {
    let host = remote.host().unwrap_or_default();
    if host.ends_with("dev.azure.com") || host.ends_with("visualstudio.com") {
        "***NO_CI***"
    } else {
        "[skip ci]"
    }
}

/// Writes the message of one commit for all steps of an environment.
pub(super) fn message(
    environment: &EnvironmentName,
    steps: &[&Step],
    actor: &Actor,
    remote: &RemoteUrl,
) -> Result<Message, MessageError> {
    message_for_review(environment, steps, actor)?.with_skip_ci(skip_ci(remote))
}

/// The same for a commit whose checks are to run: a pull request asks for it.
pub(super) fn message_for_review(
    environment: &EnvironmentName,
    steps: &[&Step],
    actor: &Actor,
) -> Result<Message, MessageError> {
    let names: Vec<String> = steps.iter().map(|step| step.named()).collect();
    let verb = steps.first().map_or("deploy", |step| step.verb());
    let subject = Message::in_one_line(&format!("{verb}({environment}): {}", names.join(", ")));
    let subject: String = subject.chars().take(150).collect();
    let mut message = Message::new(&subject)?.with_trailer("Environment", environment.as_str())?;
    for step in steps {
        message = message
            .with_trailer("Deploy-Id", step.key.as_str())?
            .with_trailer("Image", &step.to.to_string())?
            .with_trailer("Digest", &step.to.digest.to_string())?;
        if let Some(from) = &step.from {
            message = message.with_trailer("Previous-Digest", &from.to_string())?;
        }
        if let Some(condemns) = step.condemns() {
            message = message.with_trailer("Rollback-Of", &condemns.to_string())?;
        }
        if let Some(reason) = &step.reason {
            message = message.with_trailer("Reason", &Message::in_one_line(reason.as_str()))?;
        }
    }
    message.with_trailer("Actor", actor.name())
}
