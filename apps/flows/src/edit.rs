//! One edit of many files: every place that names a repository gets a pinned reference.
//!
//! ```text
//! [(deploy/uat/api.yaml, text)] + shop/api -> shop/api:20260317-143958-uat@sha256:9f…
//!   -> one file changed, at deploy/uat/api.yaml:12
//! ```
//! Used on a work tree and on a commit alike; reads and writes nothing itself.

use domain::{PinnedRef, Repository};

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
    /// Places that change, as `path:line`.
    pub changed: Vec<String>,
    /// Places that say it already.
    pub same: Vec<String>,
    /// Places that name the repository and are left alone, each with the reason.
    pub skipped: Vec<(String, String)>,
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

/// Edits one file; `None` where it holds no place of the repository.
///
/// # Errors
/// The file names the repository and cannot be read or edited safely.
pub fn edit_file(
    file: &TextFile,
    settings: &[Setting],
    edited: &mut Edited,
) -> Result<(), EditError> {
    if !pin::prefilter(file.text.as_bytes()) {
        return Ok(());
    }
    let Some(format) = pin::classify(&file.path, &file.text) else {
        return Ok(());
    };
    let mut text = file.text.clone();
    for setting in settings {
        let scan = match pin::scan(format, &text) {
            Ok(scan) => scan,
            // A broken file that never mentions the image is somebody else's business.
            Err(_) if !mentions(&text, &setting.repository) => continue,
            Err(source) => {
                return Err(EditError::Scan {
                    path: file.path.clone(),
                    format: format.name(),
                    source,
                });
            }
        };
        let plan = pin::plan_set(&scan, &setting.repository, &setting.to);
        let place = |site: usize| match scan.sites.get(site) {
            Some(site) => format!("{}:{}", file.path, site.line),
            None => file.path.clone(),
        };
        edited.same.extend(plan.same.iter().map(|site| place(*site)));
        let skipped = plan.skipped.iter().map(|skip| (place(skip.site), skip.why.to_string()));
        edited.skipped.extend(skipped);
        if plan.edits.is_empty() {
            continue;
        }
        let mut changed: Vec<_> = plan.edits.iter().map(|edit| place(edit.site)).collect();
        changed.dedup();
        edited.changed.extend(changed);
        text = pin::apply(format, &text, &plan.edits)
            .map_err(|source| EditError::Proof { path: file.path.clone(), source })?;
    }
    if text != file.text {
        edited.files.push(TextFile { path: file.path.clone(), text });
    }
    Ok(())
}

/// Whether a text that cannot be read could still name a repository.
pub(crate) fn mentions(text: &str, repository: &Repository) -> bool {
    text.contains(&repository.familiar()) || text.contains(repository.path().as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_place_of_the_repository_is_set_and_nothing_else() {
        let hex = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";
        let to: PinnedRef =
            format!("registry.example.com/shop/api:v2@sha256:{hex}").parse().unwrap();
        let text = "apiVersion: v1\nkind: Pod\nspec:\n  containers:\n  - image: registry.example.com/shop/api:v1 # api\n  - image: registry.example.com/shop/web:v1\n";
        let file = TextFile { path: "pod.yaml".into(), text: text.into() };
        let setting = Setting { repository: to.repository.clone(), to: to.clone() };
        let mut edited = Edited::default();
        edit_file(&file, std::slice::from_ref(&setting), &mut edited).unwrap();
        assert_eq!(edited.changed, ["pod.yaml:5"]);
        let expected = text.replace("registry.example.com/shop/api:v1", &to.to_string());
        assert_eq!(edited.files[0].text, expected);
        let mut again = Edited::default();
        edit_file(&edited.files[0], &[setting], &mut again).unwrap();
        assert_eq!((again.files.len(), again.same.len()), (0, 1));
    }
}
