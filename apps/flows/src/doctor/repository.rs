//! The git side: enough history to name a build, and branches that take pushes.

use super::{Checked, Outcome};
use crate::app::App;
use crate::record_git::RECORD_BRANCH;
use crate::settings::{DeployMode, GitTarget, RecordPlace};
use git::{Checkout, MayPush};

/// What a build's name is made of.
pub(super) async fn history(app: &App) -> Vec<Checked> {
    let what = "history";
    match app.checkout().await {
        Ok(Some(checkout)) => vec![depth(checkout).await, author(checkout).await],
        Ok(None) => vec![Checked::wrong(what, "here is no git repository", "git init")],
        Err(error) => vec![Checked::unknown(what, &error)],
    }
}

async fn depth(checkout: &Checkout) -> Checked {
    let what = "history";
    match checkout.is_shallow().await {
        Ok(false) => Checked::good(what, "all of it is here"),
        Ok(true) => Checked::wrong(
            what,
            "the clone is shallow: what a merge brought and which versions came before cannot be told",
            "git fetch --unshallow --tags",
        ),
        Err(error) => Checked::unknown(what, &error),
    }
}

async fn author(checkout: &Checkout) -> Checked {
    let what = "author of commits";
    match checkout.author().await {
        Ok(author) => match (author.name, author.email) {
            (Some(name), Some(email)) => Checked::good(what, format!("{name} <{email}>")),
            (_, _) => Checked::wrong(
                what,
                "git does not know who you are",
                "git config user.name NAME; git config user.email ADDRESS",
            ),
        },
        Err(error) => Checked::unknown(what, &error),
    }
}

/// Whether each branch that is written to takes pushes: the record's, and those of environments.
pub(super) async fn pushes(app: &App) -> Vec<Checked> {
    let mut all = Vec::new();
    for (what, target) in targets(app) {
        all.push(push(app, what, &target).await);
    }
    all
}

fn targets(app: &App) -> Vec<(String, GitTarget)> {
    let mut targets: Vec<(String, GitTarget)> = Vec::new();
    if let Ok(RecordPlace::Git(repository)) = app.record_place() {
        let branch = RECORD_BRANCH.parse().expect("a literal branch");
        targets.push(("the record".to_owned(), GitTarget::of(repository, branch)));
    }
    let environments = app.loaded().into_iter().flat_map(|loaded| &loaded.settings.environments);
    for environment in environments {
        match environment.deploy {
            DeployMode::Git | DeployMode::Pr | DeployMode::GitCluster => {
                let is_same = |one: &(String, GitTarget)| {
                    one.1.repository == environment.git.repository
                        && one.1.branch == environment.git.branch
                };
                if !targets.iter().any(is_same) {
                    targets
                        .push((format!("{}'s files", environment.name), environment.git.clone()));
                }
            }
            DeployMode::Files | DeployMode::Cluster => {}
        }
    }
    targets
}

async fn push(app: &App, whose: String, target: &GitTarget) -> Checked {
    let what = format!("git push of {whose}");
    let writer = match app.write_back(target).await {
        Ok(writer) => writer,
        Err(error) => return Checked::unknown(what, &error),
    };
    let remote = writer.remote().to_string();
    match writer.may_push().await {
        Ok(MayPush::Yes) => {
            let branch = &target.branch;
            let seen = format!(
                "{remote} takes pushes; whether it protects {branch} shows at the first one"
            );
            Checked::good(what, seen)
        }
        Ok(MayPush::No(said)) => Checked::wrong(
            what,
            format!("{remote}: {said}"),
            "let this user or key push there; `git push --dry-run` shows the same",
        ),
        Ok(MayPush::Unclear(said)) => {
            let seen = format!("{remote}: {said}");
            Checked { what, outcome: Outcome::Unknown, seen, fix: None }
        }
        Err(error) => Checked::unknown(what, &error),
    }
}
