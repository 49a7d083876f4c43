//! `v1.4.2` and `v1.4.2-g1a2b3c4d5e6f`, from the git tag that is built.
//!
//! A `+` is refused, not mapped: as `-` it would make a release a pre-release below itself, as `_` no version
//! at all, and left out it would merge two builds. Source: research/tagging.md §3.4.

use super::commit::g_sha;
use super::{Facts, MissingFact, SchemeError, Taken};
use crate::version::Version;
use domain::CommitId;

pub(crate) fn version(scheme: &str, facts: &Facts) -> Result<Version, SchemeError> {
    let git_tag = facts.git_tag.as_ref().ok_or_else(|| SchemeError::Missing {
        scheme: scheme.to_owned(),
        fact: MissingFact::GitTag,
    })?;
    git_tag.parse().map_err(|source| SchemeError::NotAVersion { scheme: scheme.to_owned(), source })
}

/// The version without metadata, refused when it has some.
pub(crate) fn semver(scheme: &str, facts: &Facts) -> Result<String, SchemeError> {
    let version = version(scheme, facts)?;
    if version.build().is_some() {
        return Err(SchemeError::BuildMetadata { version: version.to_string() });
    }
    Ok(version.to_string())
}

/// The version and the commit; the commit tells apart what metadata told.
///
/// Behind a pre-release the id is an identifier of its own: `rc.1.g…` sorts between `rc.1` and `rc.2`,
/// where `rc.1-g…` would turn the number 1 into the word `1-g…`.
pub(crate) fn semver_sha(
    scheme: &str,
    facts: &Facts,
    commit: &CommitId,
    taken: &Taken<'_>,
) -> Result<String, SchemeError> {
    let version = version(scheme, facts)?;
    let (release, sha) = (version.release(), g_sha(commit, taken));
    Ok(match version.prerelease() {
        Some(prerelease) => format!("{release}-{prerelease}.{sha}"),
        None => format!("{release}-{sha}"),
    })
}
