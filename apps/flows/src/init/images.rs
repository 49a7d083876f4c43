//! Which of the images that a tree names are the team's own.
//!
//! ```text
//! pushed by CI, built by Compose, or run from a registry that is not a public one   ->   `images:`
//! ```

use super::gather::{Gathered, NamedAt};
use domain::{ImageName, Repository};
use std::collections::BTreeMap;

/// Images that are written; of more, the rest is left to a person.
const IMAGES_MAX: usize = 50;
/// Registries whose images are other people's, unless a pipeline pushes there or the path says otherwise.
const PUBLIC: [&str; 14] = [
    "docker.io",
    "quay.io",
    "ghcr.io",
    "gcr.io",
    "k8s.gcr.io",
    "registry.k8s.io",
    "mcr.microsoft.com",
    "public.ecr.aws",
    "nvcr.io",
    "docker.elastic.co",
    "cgr.dev",
    "registry.access.redhat.com",
    "registry.redhat.io",
    "registry.gitlab.com",
];
/// Parts of a path below which a private registry keeps copies of public images.
const COPIES: [&str; 6] = ["mirror", "mirrors", "proxy", "cache", "dockerhub", "library"];

/// An image of the team.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct DraftImage {
    pub(super) name: ImageName,
    pub(super) repository: Repository,
    /// Where it was found.
    pub(super) from: String,
}

/// The images, the surest first.
pub(super) fn guess(gathered: &Gathered) -> Vec<DraftImage> {
    let mut found: Vec<(&Repository, String)> = Vec::new();
    let mut add = |repository, from: String| {
        if !found.iter().any(|(known, _)| *known == repository) {
            found.push((repository, from));
        }
    };
    for push in &gathered.pushed {
        add(&push.repository, format!("{}:{} pushes it", push.path, push.line));
    }
    for built in gathered.built.iter().filter(|one| has_registry(one)) {
        add(&built.repository, format!("{} builds it", built.place()));
    }
    for run in gathered.runs.iter().filter(|one| is_own(one, gathered)) {
        add(&run.repository, format!("{} runs it", run.place()));
    }
    found.truncate(IMAGES_MAX);
    named(found)
}

/// `shop/web` alone, or at `localhost`, is a name on this machine, not a place in a registry.
fn has_registry(one: &NamedAt) -> bool {
    let host = one.repository.host().as_str();
    host != "docker.io" && !is_this_machine(host)
}

fn is_this_machine(host: &str) -> bool {
    host.split(':').next() == Some("localhost")
}

fn is_own(one: &NamedAt, gathered: &Gathered) -> bool {
    let (host, path) = (one.repository.host(), one.repository.path());
    let mut parts = path.as_str().split('/');
    let is_owners = gathered
        .origin
        .as_ref()
        .is_some_and(|origin| parts.clone().any(|part| part == origin.owner()));
    let is_public = PUBLIC.contains(&host.as_str());
    !is_this_machine(host.as_str())
        && (is_owners || (!is_public && !parts.any(|part| COPIES.contains(&part))))
}

/// Short names: the last part of the path, with the part before it where two would be called the same.
fn named(found: Vec<(&Repository, String)>) -> Vec<DraftImage> {
    let mut taken = BTreeMap::<String, usize>::new();
    for (repository, _) in &found {
        *taken.entry(short(repository, 1)).or_default() += 1;
    }
    let mut images: Vec<DraftImage> = Vec::new();
    for (repository, from) in found {
        let last = short(repository, 1);
        let text = if taken.get(&last).copied() == Some(1) { last } else { short(repository, 2) };
        let is_new = !images.iter().any(|one| one.name.to_string() == text);
        if let (true, Ok(name)) = (is_new, text.parse()) {
            images.push(DraftImage { name, repository: repository.clone(), from });
        }
    }
    images
}

fn short(repository: &Repository, parts: usize) -> String {
    let all: Vec<&str> = repository.path().as_str().split('/').collect();
    all[all.len().saturating_sub(parts)..].join("-")
}
