//! The registries: who we are there, whether they take pushes, and whether they would let a tag be overwritten.

use super::{Checked, Outcome};
use crate::app::App;
use crate::registries::{Owner, Pushable, Registries};
use domain::{Repository, TagClass};
use std::collections::BTreeSet;

/// Each repository that is pushed to, once.
pub(super) async fn pushes(app: &App) -> Vec<Checked> {
    let registries = match Registries::of(app) {
        Ok(registries) => registries,
        Err(error) => return vec![Checked::unknown("credentials", &error)],
    };
    let mut all = Vec::new();
    for repository in repositories(app) {
        all.push(push(&registries, &repository).await);
        all.push(overwriting(&registries, &repository).await);
    }
    all
}

fn repositories(app: &App) -> BTreeSet<Repository> {
    let Some(loaded) = app.loaded() else { return BTreeSet::new() };
    let images = loaded.settings.images.values().map(|image| image.repository.clone());
    let own = loaded.settings.environments.iter().flat_map(|one| one.images.values().cloned());
    images.chain(own).collect()
}

async fn push(registries: &Registries, repository: &Repository) -> Checked {
    let what = format!("push to {repository}");
    let (used, passed) = match registries.explain(repository.host()).await {
        Ok(told) => (told.used, told.passed.join("; ")),
        Err(error) => return Checked::unknown(what, &error),
    };
    let who = match used {
        Some(used) if passed.is_empty() => format!("with {used}"),
        Some(used) => format!("with {used}; {passed}"),
        None => format!("without credentials: {passed}"),
    };
    match registries.may_push(repository).await {
        Ok(Pushable::Yes) => Checked::good(what, format!("it takes pushes, {who}")),
        Ok(Pushable::No(said)) => {
            let fix = format!("docker login {}", repository.host());
            Checked::wrong(what, format!("{said}; asked {who}"), &fix)
        }
        Err(error) => {
            let mut told = Checked::unknown(what, &error);
            told.seen = format!("{}; asked {who}", told.seen);
            told
        }
    }
}

/// An Indelible server keeps rules; of others it shows only when a tag is pushed twice, which would leave it there.
async fn overwriting(registries: &Registries, repository: &Repository) -> Checked {
    let what = format!("overwriting of tags in {repository}");
    match registries.owner(repository).await {
        Ok(Owner::Ours) => {
            let tag = "20260317-143958".parse().expect("a literal tag");
            match registries.class_of(repository, &tag).await {
                Ok(Some(TagClass::Immutable)) => Checked::good(what, "the server refuses it by rule"),
                Ok(Some(TagClass::Alias | TagClass::Append)) => Checked::wrong(
                    what,
                    "a rule of the server lets the tags of builds move",
                    "indelible rule --help",
                ),
                Ok(None) => Checked {
                    what,
                    outcome: Outcome::Unknown,
                    seen: "the server does not let us read its rules".to_owned(),
                    fix: None,
                },
                Err(error) => Checked::unknown(what, &error),
            }
        }
        Ok(Owner::Others) => Checked {
            what,
            outcome: Outcome::Unknown,
            seen: "this registry shows it only when a tag is pushed twice; `publish` itself never overwrites one".to_owned(),
            fix: Some("switch immutable tags on in the registry's own settings".to_owned()),
        },
        Err(error) => Checked::unknown(what, &error),
    }
}
