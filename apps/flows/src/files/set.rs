//! `set` and `unpin`: one image's reference into files, and digests out of them.
//!
//! ```text
//! set api=shop/api:v2@sha256:9f… deploy/api.yaml  ->  every place that names shop/api says that
//! ```

use super::draft::{Changed, Draft, Source, Why};
use super::error::FilesError;
use super::walk::each_file;
use crate::edit::SeenAt;
use domain::{PinnedRef, Repository};
use pin::{Found, Plan, Site, plan_set, plan_unpin};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// What is to be set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// The repositories by which files may name it.
    pub repositories: Vec<Repository>,
    /// What they are to say.
    pub to: PinnedRef,
}

/// Drafts the reference for every place that names the image.
///
/// # Errors
/// A path that is not there, a file that names the image and cannot be read, or no place at all.
pub fn set(cwd: &Path, paths: &[PathBuf], target: &Target) -> Result<Draft, FilesError> {
    let walked = each_file(cwd, paths, |file| {
        let source = match Source::of(file) {
            Ok(source) => source,
            // A broken file that never mentions the image is somebody else's business.
            Err(_) if !mentions(file.text, target) => return Ok(None),
            Err(why) => return Err(why),
        };
        let plan = plan_of(&source, target);
        let is_silent = !names_it(&plan) && plan.unsure.is_empty();
        Ok((!is_silent).then_some((source, plan)))
    })?;
    if let Some(unread) = walked.unread.into_iter().next() {
        return Err(FilesError::Unread { path: unread.shown, source: unread.why });
    }
    let mut draft =
        Draft { passed_over: walked.passed_over, looked_at: walked.looked_at, ..Draft::default() };
    let note = |site: &Site, changed| Changed {
        digest: Some(target.to.digest),
        repository: other_repository(site, &target.to),
        ..changed
    };
    for (source, plan) in &walked.found {
        draft.add(source, plan, note, |_, skip| Why::Skip(skip.clone()));
    }
    if !walked.found.iter().any(|(_, plan)| names_it(plan)) {
        return Err(not_named(paths, target, &walked.found));
    }
    Ok(draft)
}

/// The repository that a place gets, where it names another now: whoever reads the change must see that.
fn other_repository(site: &Site, to: &PinnedRef) -> Option<Repository> {
    let named = match &site.found {
        Found::Image(reference) => reference.repository(),
        Found::Inherits(repository) => repository,
        Found::Opaque(_)
        | Found::Malformed(_)
        | Found::BuildTarget
        | Found::Stage
        | Found::Scratch => return None,
    };
    (*named != to.repository).then(|| to.repository.clone())
}

/// Whether any place of a file is the image's.
fn names_it(plan: &Plan) -> bool {
    !(plan.edits.is_empty() && plan.same.is_empty() && plan.skipped.is_empty())
}

/// The plans for all repositories as one: a place that two of them name is planned once.
fn plan_of(source: &Source, target: &Target) -> Plan {
    let mut all = Plan::default();
    let mut known: BTreeSet<usize> = BTreeSet::new();
    for repository in &target.repositories {
        let plan = plan_set(&source.scan, repository, &target.to);
        let is_new = |site: usize| !known.contains(&site);
        all.edits.extend(plan.edits.into_iter().filter(|edit| is_new(edit.site)));
        all.same.extend(plan.same.into_iter().filter(|site| is_new(*site)));
        all.skipped.extend(plan.skipped.into_iter().filter(|skipped| is_new(skipped.site)));
        // Nobody knows whose these are, whatever is asked for.
        all.unsure = plan.unsure;
        known.extend(all.edits.iter().map(|edit| edit.site));
        known.extend(all.same.iter().chain(all.skipped.iter().map(|skipped| &skipped.site)));
    }
    all
}

fn mentions(text: &str, target: &Target) -> bool {
    target.repositories.iter().any(|repository| crate::edit::mentions(text, repository))
}

/// Drafts taking every digest away that stands beside a tag.
///
/// # Errors
/// A path that is not there.
pub fn unpin(cwd: &Path, paths: &[PathBuf]) -> Result<Draft, FilesError> {
    let walked = each_file(cwd, paths, |file| {
        let source = Source::of(file)?;
        let plan = plan_unpin(&source.scan);
        let is_silent = plan.edits.is_empty() && plan.skipped.is_empty();
        Ok((!is_silent).then_some((source, plan)))
    })?;
    let mut draft = Draft {
        unread: walked.unread,
        passed_over: walked.passed_over,
        looked_at: walked.looked_at,
        ..Draft::default()
    };
    for (source, plan) in &walked.found {
        draft.add(source, plan, |_, changed| changed, |_, skip| Why::Skip(skip.clone()));
    }
    Ok(draft)
}

fn not_named(paths: &[PathBuf], target: &Target, found: &[(Source, Plan)]) -> FilesError {
    let names: Vec<String> = target.repositories.iter().map(Repository::familiar).collect();
    let files: Vec<String> = paths.iter().map(|path| path.display().to_string()).collect();
    let seen = |(source, plan): &(Source, Plan)| {
        let sites = plan.unsure.iter().filter_map(|site| source.scan.sites.get(*site));
        sites.map(|site| SeenAt::of(&source.shown, site)).collect::<Vec<_>>()
    };
    FilesError::NotNamed {
        repositories: names.join(" or "),
        files: files.join(", "),
        unsure: found.iter().flat_map(seen).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    const NINES: &str = "sha256:9999999999999999999999999999999999999999999999999999999999999999";

    fn target(repositories: &[&str]) -> Target {
        Target {
            repositories: repositories.iter().map(|one| one.parse().unwrap()).collect(),
            to: format!("a.example.com/api:v2@{NINES}").parse().unwrap(),
        }
    }

    fn drafted(text: &str, target: &Target) -> Result<Draft, FilesError> {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("compose.yaml"), text).unwrap();
        set(folder.path(), &[".".into()], target)
    }

    #[test]
    fn a_place_is_set_once_by_whatever_repository_it_is_named() {
        let text = "services:\n  a:\n    image: a.example.com/api:v1\n  b:\n    image: b.example.com/api:v1\n";
        let both = target(&["b.example.com/api", "a.example.com/api"]);
        let draft = drafted(text, &both).unwrap();
        assert_eq!((draft.changed.len(), draft.rewrites.len()), (2, 1));
        let new = &draft.rewrites[0].new;
        assert_eq!(new.matches(&format!("a.example.com/api:v2@{NINES}\n")).count(), 2);
        let again = drafted(new, &both).unwrap();
        assert_eq!((again.changed.len(), again.rewrites.len(), again.same), (0, 0, 2));
    }

    #[test]
    fn no_place_is_an_error_that_names_what_was_looked_for() {
        let error = drafted("services:\n  a:\n    image: x/y:1\n", &target(&["a.example.com/api"]));
        assert_eq!(error.unwrap_err().to_string(), "nothing in . names a.example.com/api");
    }

    #[test]
    fn a_variable_that_may_be_the_image_is_named_where_nothing_else_is() {
        let text = "services:\n  a:\n    image: ${IMAGE}\n  b:\n    image: ${IMAGE:-a.example.com/api:v1}\n";
        let wanted = target(&["b.example.com/api"]);
        assert_eq!(
            drafted(text, &wanted).unwrap_err().to_string(),
            "nothing in . names b.example.com/api; it may be one that a variable or a template fills in: compose.yaml:3 `${IMAGE}`"
        );
        let draft = drafted(text, &target(&["a.example.com/api"])).unwrap();
        assert_eq!(draft.left[0].line, 5);
        assert!(matches!(draft.left[0].why, Why::Skip(pin::Skip::Default)));
    }

    #[test]
    fn a_broken_file_matters_only_where_it_names_the_image() {
        let wanted = target(&["a.example.com/api"]);
        let broken = drafted("services: {a: {image: a.example.com/api:v1, [}\n", &wanted);
        assert!(matches!(broken, Err(FilesError::Unread { .. })));
        let other = drafted("services: {a: {image: x/y, [}\n", &wanted);
        assert!(matches!(other, Err(FilesError::NotNamed { .. })));
    }
}
