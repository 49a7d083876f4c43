//! One file per format: how it is recognised, what its images are for, and where in it they are named.
//!
//! ```text
//! compose.yaml  ->  compose::SPEC  ->  services.api.image …
//! ```
//! A new format is one file, one line in [`ALL`], one folder of fixtures and one line in `docs/files.md`.

mod ansible;
mod azure;
mod bitbucket;
mod buildkite;
mod circleci;
mod cloudbuild;
mod compose;
mod devcontainer;
pub(crate) mod dockerfile;
mod drone;
mod ecs;
mod github;
mod gitlab;
mod helm_template;
mod helm_values;
mod jsonnet;
mod kubernetes;
mod kustomize;
mod makefile;
mod nomad;
mod pipeline;
mod quadlet;
mod shell;
mod skaffold;
mod starlark;
mod terraform;
mod woodpecker;

use crate::classify::{Format, Look, Name};
use crate::collector::Collector;
use crate::scan::ScanError;
use crate::site::{Purpose, Site};
use crate::yaml::Mark;

/// All formats. A name that two of them claim is the first one's, and so is a content.
///
/// Pipelines stand before Kubernetes: their scripts write objects, and none of theirs claims an object itself.
pub(crate) const ALL: &[Spec] = &[
    dockerfile::SPEC,
    devcontainer::SPEC,
    quadlet::SPEC,
    terraform::SPEC,
    nomad::SPEC,
    shell::SPEC,
    makefile::SPEC,
    jsonnet::JSONNET,
    jsonnet::CUE,
    starlark::SPEC,
    kustomize::SPEC,
    github::SPEC,
    circleci::SPEC,
    gitlab::SPEC,
    bitbucket::SPEC,
    drone::SPEC,
    cloudbuild::SPEC,
    azure::SPEC,
    buildkite::SPEC,
    woodpecker::SPEC,
    skaffold::SPEC,
    helm_template::SPEC,
    helm_values::SPEC,
    ansible::SPEC,
    kubernetes::SPEC,
    compose::SPEC,
    ecs::SPEC,
];

/// The keys below which pipelines have shell scripts.
const SCRIPTS: &[(Format, &[&str])] = &[
    (Format::Github, &["run"]),
    (Format::GitlabCi, &["script", "before_script", "after_script"]),
    (Format::AzurePipelines, &["script", "bash", "inlineScript"]),
    (Format::Circleci, &["run", "command"]),
    (Format::Bitbucket, &["script", "after-script"]),
    (Format::Drone, &["commands"]),
    (Format::Woodpecker, &["commands"]),
    (Format::Buildkite, &["command", "commands"]),
    (Format::CloudBuild, &["script"]),
];

/// What one format is.
pub(crate) struct Spec {
    pub(crate) format: Format,
    /// For people and JSON; its fixtures and its anchor in `docs/files.md` are called so too.
    pub(crate) name: &'static str,
    /// What its images are for, where a place does not say otherwise.
    pub(crate) purpose: Purpose,
    pub(crate) reader: Reader,
    /// Why a file of this name is of the format, whatever stands in it.
    pub(crate) by_name: fn(&Name<'_>) -> Option<&'static str>,
    /// Why a file is of the format by what stands in it.
    pub(crate) by_content: fn(&Look<'_>) -> Option<&'static str>,
}

/// How a text is read, and read again to prove an edit.
#[derive(Clone, Copy)]
pub(crate) enum Reader {
    /// As YAML, of which JSON is a part.
    Yaml(fn(&mut Collector<'_, '_>)),
    /// As the words of instructions.
    Dockerfile,
    /// By its own reader, which also says what must stay the same across an edit.
    Marked {
        sites: fn(&str) -> Result<Vec<Site>, ScanError>,
        marks: fn(&str) -> Result<Vec<Mark<'_>>, ScanError>,
    },
    /// Never edited.
    Seen(fn(&str) -> Vec<Site>),
}

/// For a format that is told by its content alone.
fn no_name(_: &Name<'_>) -> Option<&'static str> {
    None
}

impl Format {
    /// Its own entry.
    pub(crate) fn spec(self) -> &'static Spec {
        let own = ALL.iter().find(|spec| spec.format == self);
        // A test holds that each has one.
        own.unwrap_or(&ALL[0])
    }

    /// The word for people and for JSON.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.spec().name
    }

    /// The keys below which it has shell scripts.
    pub(crate) fn scripts(self) -> &'static [&'static str] {
        SCRIPTS.iter().find(|(format, _)| *format == self).map_or(&[], |(_, keys)| keys)
    }

    /// What its images are for, where a place does not say otherwise.
    #[must_use]
    pub fn purpose(self) -> Purpose {
        self.spec().purpose
    }

    /// All of them.
    pub fn all() -> impl Iterator<Item = Self> {
        ALL.iter().map(|spec| spec.format)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn each_format_has_one_entry_and_a_name_of_its_own() {
        let formats: HashSet<Format> = Format::all().collect();
        let names: HashSet<&str> = formats.iter().map(|format| format.name()).collect();
        assert_eq!((formats.len(), names.len()), (ALL.len(), ALL.len()));
        assert!(formats.iter().all(|format| format.spec().format == *format));
    }
}
