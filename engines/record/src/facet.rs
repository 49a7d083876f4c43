//! What an event is about: the values by which a store must be able to find it.
//!
//! ```text
//! a deploy of api to prod  ->  environment=prod  image=api  digest=sha256:…  repository=…  commit=…
//! ```
//! A store keeps these beside the event and rebuilds them by asking here again.

use crate::claim::{Claim, DeployKind, TagChange};
use crate::event::Event;
use domain::{Digest, Tag};

/// One kind of value by which events are found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Facet {
    /// An environment's name.
    Environment,
    /// An image's short name.
    Image,
    /// Any digest that the event names.
    Digest,
    /// A repository: its path, and where the event tells the host, also the canonical name.
    Repository,
    /// A tag.
    Tag,
    /// A commit of the source or of the write-back.
    Commit,
    /// A cluster, by its identity.
    Cluster,
    /// A namespace of a cluster: `IDENTITY/NAMESPACE`.
    Namespace,
}

impl Facet {
    /// The word in a store.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Environment => "environment",
            Self::Image => "image",
            Self::Digest => "digest",
            Self::Repository => "repository",
            Self::Tag => "tag",
            Self::Commit => "commit",
            Self::Cluster => "cluster",
            Self::Namespace => "namespace",
        }
    }
}

/// What one event is about; sorted, each pair once.
#[must_use]
pub fn facets(event: &Event) -> Vec<(Facet, String)> {
    let mut found = Found::default();
    found.claim(&event.claim);
    found.0.sort();
    found.0.dedup();
    found.0
}

#[derive(Default)]
struct Found(Vec<(Facet, String)>);

impl Found {
    fn add(&mut self, facet: Facet, value: impl ToString) {
        self.0.push((facet, value.to_string()));
    }

    fn digest(&mut self, digest: &Digest) {
        self.add(Facet::Digest, digest);
    }

    fn repository(&mut self, repository: &domain::Repository) {
        self.add(Facet::Repository, repository);
        self.add(Facet::Repository, repository.path());
    }

    fn tags<'a>(&mut self, tags: impl IntoIterator<Item = &'a Tag>) {
        for tag in tags {
            self.add(Facet::Tag, tag);
        }
    }

    fn claim(&mut self, claim: &Claim) {
        match claim {
            Claim::TagChange(claim) => {
                self.add(Facet::Repository, &claim.repository);
                if let Some(host) = &claim.registry {
                    self.add(Facet::Repository, format!("{host}/{}", claim.repository));
                }
                self.tags([&claim.tag]);
                self.change(&claim.change);
            }
            Claim::Image(claim) => {
                self.digest(&claim.digest);
                for platform in &claim.platforms {
                    self.digest(&platform.manifest);
                    platform.config.iter().for_each(|config| self.digest(config));
                }
            }
            Claim::Build(claim) => self.build(claim),
            Claim::Deploy(claim) => self.deploy(claim),
            Claim::Allow(claim) => {
                self.digest(&claim.digest);
                self.add(Facet::Environment, &claim.environment);
            }
            Claim::Block(claim) => self.digest(&claim.digest),
            Claim::Hold(claim) => {
                self.add(Facet::Environment, &claim.environment);
                claim.image.iter().for_each(|image| self.add(Facet::Image, image));
            }
            Claim::Reservation(claim) => {
                self.repository(&claim.repository);
                self.tags([&claim.tag]);
            }
            Claim::Unlock(claim) => {
                self.add(Facet::Repository, &claim.repository);
                self.tags([&claim.tag]);
            }
            Claim::Note(claim) => {
                claim.environment.iter().for_each(|name| self.add(Facet::Environment, name));
            }
            Claim::ContainerRun(claim) => {
                self.add(Facet::Cluster, &claim.cluster);
                self.add(Facet::Namespace, format!("{}/{}", claim.cluster, claim.namespace));
                claim.digest.iter().for_each(|digest| self.digest(digest));
            }
            Claim::Watched(claim) => self.add(Facet::Cluster, &claim.cluster),
            Claim::Finding(claim) => self.finding(claim),
            Claim::Imported(claim) => self.imported(claim),
            Claim::Rule(_) | Claim::Token(_) => {}
        }
    }

    fn imported(&mut self, claim: &crate::claim::ImportedClaim) {
        self.add(Facet::Environment, &claim.environment);
        self.add(Facet::Image, &claim.image);
        self.repository(&claim.repository);
        self.tags(&claim.tag);
        claim.digest.iter().for_each(|digest| self.digest(digest));
        claim.commit.iter().for_each(|commit| self.add(Facet::Commit, commit));
    }

    fn finding(&mut self, claim: &crate::claim::FindingClaim) {
        self.add(Facet::Cluster, &claim.cluster);
        if let Some(namespace) = &claim.namespace {
            self.add(Facet::Namespace, format!("{}/{namespace}", claim.cluster));
        }
        claim.environment.iter().for_each(|name| self.add(Facet::Environment, name));
        claim.digests.iter().for_each(|digest| self.digest(digest));
    }

    fn change(&mut self, change: &TagChange) {
        for digest in change.names().into_iter().chain(change.named()) {
            self.digest(digest);
        }
    }

    fn build(&mut self, claim: &crate::claim::BuildClaim) {
        self.digest(&claim.digest);
        self.repository(&claim.repository);
        self.tags(claim.tags.iter().chain(&claim.aliases));
        claim.image.iter().for_each(|image| self.add(Facet::Image, image));
        claim.environment.iter().for_each(|name| self.add(Facet::Environment, name));
        if let Some(source) = &claim.source {
            self.add(Facet::Commit, &source.commit);
            source.merge_commit.iter().for_each(|commit| self.add(Facet::Commit, commit));
        }
    }

    fn deploy(&mut self, claim: &crate::claim::DeployClaim) {
        self.add(Facet::Environment, &claim.environment);
        self.add(Facet::Image, &claim.image);
        self.repository(&claim.repository);
        self.digest(&claim.to);
        claim.from.iter().for_each(|from| self.digest(from));
        self.tags(&claim.tag);
        claim.commit.iter().for_each(|commit| self.add(Facet::Commit, commit));
        // The environment that a build came from is no facet: the deploy is about the one it went to.
        if let DeployKind::PromotedByMerge { verified, commit, .. } = &claim.how {
            verified.iter().for_each(|digest| self.digest(digest));
            commit.iter().for_each(|commit| self.add(Facet::Commit, commit));
        }
    }
}
