//! One edit of many files: every place that names a repository gets a pinned reference.
//!
//! ```text
//! [(deploy/uat/api.yaml, text)] + shop/api -> shop/api:20260317-143958-uat@sha256:9f…
//!   -> one file changed, at deploy/uat/api.yaml:12
//! ```
//! Used on a work tree and on a commit alike; each file is read once, whatever the number of images.
//! Reads and writes nothing itself.

use domain::{PinnedRef, Repository};
use pin::{Plan, Purpose, Scan, Site, Skip};
use std::collections::BTreeSet;

/// Places that another program fills in are named up to this number.
const UNSURE_NAMED_MAX: usize = 3;

/// One file of the edit, with its path in the repository.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TextFile {
    /// The path, with `/`.
    pub path: String,
    /// The text.
    pub text: String,
}

/// What an edit comes to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Edited {
    /// Files with their new text.
    pub files: Vec<TextFile>,
    /// The places of each setting, in the order of the settings.
    pub images: Vec<Places>,
    /// Places of which nobody can tell what they name: another program fills them in.
    pub unsure: Vec<SeenAt>,
    /// Files that cannot be read, and mention none of the repositories.
    pub unread: Vec<(String, pin::ScanError)>,
}

/// The places that name one repository.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Places {
    /// Those that change, as `path:line`.
    pub changed: Vec<String>,
    /// What stands at each of those that change.
    pub before: Vec<String>,
    /// Those that say it already.
    pub same: Vec<String>,
    /// Those that are left alone, each with the reason.
    pub skipped: Vec<(SeenAt, Skip)>,
}

/// A place, and what stands there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeenAt {
    /// As `path:line`.
    pub place: String,
    /// As the file writes it.
    pub text: String,
}

impl SeenAt {
    pub(crate) fn of(path: &str, site: &Site) -> Self {
        Self { place: format!("{path}:{}", site.line), text: site.text.chars().take(120).collect() }
    }
}

impl std::fmt::Display for SeenAt {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} `{}`", self.place, self.text)
    }
}

/// What an error adds where no place names an image: the places that may.
pub(crate) fn maybe_named(unsure: &[SeenAt]) -> String {
    if unsure.is_empty() {
        return String::new();
    }
    let named: Vec<String> =
        unsure.iter().take(UNSURE_NAMED_MAX).map(ToString::to_string).collect();
    let more = match unsure.len().checked_sub(UNSURE_NAMED_MAX) {
        None | Some(0) => String::new(),
        Some(more) => format!(" and {more} more"),
    };
    let named = named.join(", ");
    format!("; it may be one that a variable or a template fills in: {named}{more}")
}

/// One repository and what its places are to say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting {
    /// The repository as files name it.
    pub repository: Repository,
    /// What they are to say.
    pub to: PinnedRef,
}

/// Why files were not edited.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EditError {
    /// A file cannot be read as what it is.
    #[error("cannot read {path} as {format}")]
    Scan {
        /// The file.
        path: String,
        /// Its format.
        format: &'static str,
        /// Why.
        source: pin::ScanError,
    },
    /// The edit would change more than it should.
    #[error("{path} cannot be edited safely")]
    Proof {
        /// The file.
        path: String,
        /// Why.
        source: pin::ProofError,
    },
}

/// Edits all files for all settings.
///
/// # Errors
/// A file names one of the repositories and cannot be read or edited safely.
pub fn edit_files(files: &[TextFile], settings: &[Setting]) -> Result<Edited, EditError> {
    let mut edited =
        Edited { images: vec![Places::default(); settings.len()], ..Edited::default() };
    for file in files {
        edit_file(file, settings, &mut edited)?;
    }
    Ok(edited)
}

fn edit_file(file: &TextFile, settings: &[Setting], edited: &mut Edited) -> Result<(), EditError> {
    if !pin::prefilter(file.text.as_bytes()) {
        return Ok(());
    }
    let Some(format) = pin::classify(&file.path, &file.text) else {
        return Ok(());
    };
    let scan = match pin::scan(format, &file.text) {
        // What is built from an image, or runs a pipeline in it, is not what is decided here.
        Ok(scan) => scan.only(Purpose::Workload),
        // A broken file that mentions no image of ours is told, and stops nobody.
        Err(why) if !settings.iter().any(|one| mentions(&file.text, &one.repository)) => {
            edited.unread.push((file.path.clone(), why));
            return Ok(());
        }
        Err(source) => {
            return Err(EditError::Scan { path: file.path.clone(), format: format.name(), source });
        }
    };
    let (mut edits, mut unsure) = (Vec::new(), BTreeSet::new());
    for (setting, places) in settings.iter().zip(&mut edited.images) {
        let mut plan = pin::plan_set(&scan, &setting.repository, &setting.to);
        add(&file.path, &scan, &plan, places);
        // Two settings that name one place: the edits do not fit each other, and that is an error.
        edits.append(&mut plan.edits);
        unsure.extend(plan.unsure);
    }
    let sites = unsure.into_iter().filter_map(|site| scan.sites.get(site));
    edited.unsure.extend(sites.map(|site| SeenAt::of(&file.path, site)));
    if !edits.is_empty() {
        let text = pin::apply(format, &file.text, &edits)
            .map_err(|source| EditError::Proof { path: file.path.clone(), source })?;
        edited.files.push(TextFile { path: file.path.clone(), text });
    }
    Ok(())
}

/// Notes the places of one file.
fn add(path: &str, scan: &Scan, plan: &Plan, places: &mut Places) {
    let seen = |site: usize| scan.sites.get(site).map(|site| SeenAt::of(path, site));
    let place = |site: usize| seen(site).map(|seen| seen.place);
    // Split fields have several edits each.
    let mut changed: Vec<usize> = plan.edits.iter().map(|edit| edit.site).collect();
    changed.dedup();
    for site in changed.iter().filter_map(|site| scan.sites.get(*site)) {
        places.changed.push(SeenAt::of(path, site).place);
        places.before.push(site.text.clone());
    }
    places.same.extend(plan.same.iter().filter_map(|site| place(*site)));
    let skipped = plan.skipped.iter();
    places.skipped.extend(skipped.filter_map(|skip| Some((seen(skip.site)?, skip.why.clone()))));
}

/// Whether a text that cannot be read could still name a repository.
pub(crate) fn mentions(text: &str, repository: &Repository) -> bool {
    text.contains(&repository.familiar()) || text.contains(repository.path().as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEX: &str = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";

    fn setting(image: &str) -> Setting {
        let to: PinnedRef =
            format!("registry.example.com/shop/{image}:v2@sha256:{HEX}").parse().unwrap();
        Setting { repository: to.repository.clone(), to }
    }

    fn file(path: &str, text: &str) -> TextFile {
        TextFile { path: path.to_owned(), text: text.to_owned() }
    }

    #[test]
    fn every_place_of_the_repository_is_set_and_nothing_else() {
        let api = setting("api");
        let text = "apiVersion: v1\nkind: Pod\nspec:\n  containers:\n  - image: registry.example.com/shop/api:v1 # api\n  - image: registry.example.com/shop/web:v1\n";
        let edited = edit_files(&[file("pod.yaml", text)], std::slice::from_ref(&api)).unwrap();
        assert_eq!(edited.images[0].changed, ["pod.yaml:5"]);
        let expected = text.replace("registry.example.com/shop/api:v1", &api.to.to_string());
        assert_eq!(edited.files[0].text, expected);
        let again = edit_files(&edited.files, &[api]).unwrap();
        assert_eq!((again.files.len(), again.images[0].same.len()), (0, 1));
    }

    #[test]
    fn the_places_of_several_images_are_told_apart_in_one_pass() {
        let text = "services:\n  a:\n    image: registry.example.com/shop/api:v1\n  w:\n    image: registry.example.com/shop/web:v1\n  b:\n    image: registry.example.com/shop/api:v1\n";
        let files = [file("compose.yaml", text)];
        let edited = edit_files(&files, &[setting("api"), setting("web")]).unwrap();
        assert_eq!(edited.images[0].changed, ["compose.yaml:3", "compose.yaml:7"]);
        assert_eq!(edited.images[1].changed, ["compose.yaml:5"]);
        assert_eq!(edited.files.len(), 1);
        assert_eq!(edited.files[0].text.matches(HEX).count(), 3);
    }

    #[test]
    fn what_a_variable_fills_in_is_told_with_its_default_or_as_unsure() {
        let text = "services:\n  a:\n    image: ${API:-registry.example.com/shop/api:v1}\n  b:\n    image: ${WEB}\n";
        let edited = edit_files(&[file("compose.yaml", text)], &[setting("api")]).unwrap();
        assert!(edited.files.is_empty());
        let (seen, why) = &edited.images[0].skipped[0];
        let shown = "compose.yaml:3 `${API:-registry.example.com/shop/api:v1}`";
        assert_eq!((seen.to_string().as_str(), why), (shown, &Skip::Default));
        let unsure: Vec<String> = edited.unsure.iter().map(ToString::to_string).collect();
        assert_eq!(unsure, ["compose.yaml:5 `${WEB}`"]);
        assert_eq!(
            maybe_named(&edited.unsure),
            "; it may be one that a variable or a template fills in: compose.yaml:5 `${WEB}`"
        );
        let many = vec![edited.unsure[0].clone(); UNSURE_NAMED_MAX + 1];
        assert!(maybe_named(&many).ends_with(" and 1 more"));
    }

    #[test]
    fn a_broken_file_stops_the_edit_only_where_it_mentions_the_image() {
        let broken =
            file("compose.yaml", "services: {a: {image: registry.example.com/shop/api, [}\n");
        let found = edit_files(std::slice::from_ref(&broken), &[setting("api")]);
        assert!(matches!(found, Err(EditError::Scan { .. })));
        let edited = edit_files(&[broken], &[setting("web")]).unwrap();
        assert_eq!(edited.unread[0].0, "compose.yaml");
    }
}
