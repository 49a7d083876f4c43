//! Whole pipelines as teams have them, run by the real binary: what a CI sets, what a runner finds (an
//! empty home, a fresh clone), what another client pushed; and what is left in git, registry and record.

mod azure;
mod compose;
mod forge;
mod github;
mod gitlab;
mod images;
mod merges;
mod refusing_registry;
pub(crate) mod runner;
mod wrong_bytes;
mod wrong_words;

use std::path::Path;

use e2e::{Http, Image, Server};
use testbed::{Distribution, Missing};

/// A registry: ours, or one that nobody here wrote and that knows nothing of immutable tags.
pub(crate) enum Registry {
    Ours(Server),
    Theirs(Distribution),
}

impl Registry {
    /// Ours, with the rule that every deployment begins with.
    pub(crate) fn ours(folder: &Path) -> Self {
        let server = Server::start(&folder.join("registry")).unwrap();
        server.set_rule("**", "{uat,prod}", "alias").unwrap();
        Self::Ours(server)
    }

    /// CNCF distribution; where it is not installed the test is noted as skipped.
    pub(crate) fn theirs(test: &str) -> Option<Self> {
        match Distribution::start() {
            Ok(registry) => {
                println!("with {}", testbed::peer("registry").unwrap().version());
                Some(Self::Theirs(registry))
            }
            Err(error) if error.is::<Missing>() => {
                testbed::skip(test, error);
                None
            }
            Err(error) => panic!("{error:#}"),
        }
    }

    pub(crate) fn host(&self) -> &str {
        match self {
            Self::Ours(server) => server.host(),
            Self::Theirs(registry) => registry.host(),
        }
    }

    /// What a tag names; `None` where there is no such tag.
    pub(crate) fn digest(&self, repository: &str, tag: &str) -> Option<String> {
        let mut http = Http::connect(self.host()).unwrap();
        let target = format!("/v2/{repository}/manifests/{tag}");
        let accept = [("Accept", "application/vnd.oci.image.manifest.v1+json")];
        let answer = http.send("GET", &target, &accept, &[]).unwrap();
        match answer.status {
            200 => Some(e2e::sha256(&answer.body)),
            404 => None,
            other => panic!("{target}: {other}: {}", answer.text()),
        }
    }

    pub(crate) fn tags(&self, repository: &str) -> Vec<String> {
        let mut tags = e2e::tags(&mut Http::connect(self.host()).unwrap(), repository).unwrap();
        tags.sort();
        tags
    }

    /// Every byte of an image, under its digest.
    pub(crate) fn assert_holds(&self, repository: &str, image: &Image) {
        let mut http = Http::connect(self.host()).unwrap();
        e2e::fetch(&mut http, repository, &image.digest(), image).unwrap();
    }
}
