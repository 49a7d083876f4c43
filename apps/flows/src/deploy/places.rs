//! Where an environment's files name the images that are deployed: every place is set, or somebody hears of it.
//!
//! ```text
//! files + steps  ->  files with a new text, the places of each step, what was passed over and why
//! ```

use super::apply::{Applied, Step};
use super::error::DeployError;
use crate::edit::{Edited, Places, Setting, TextFile, edit_files};
use crate::files::{FilesError, Guess, Unreadable};
use domain::EnvironmentName;
use pin::Skip;
use std::collections::BTreeSet;

/// Edits files for all steps, and checks that each has a place and none was passed over in silence.
///
/// `place` says for people where the files are.
pub(super) fn edit(
    files: &[TextFile],
    mut warnings: Vec<String>,
    place: &str,
    steps: &[&Step],
) -> Result<(Vec<TextFile>, Applied), DeployError> {
    let setting =
        |step: &&Step| Setting { repository: step.repository.clone(), to: step.to.clone() };
    let settings: Vec<Setting> = steps.iter().map(setting).collect();
    let edited = edit_files(files, &settings)?;
    for (places, setting) in edited.images.iter().zip(&settings) {
        check(&edited, places, setting, place)?;
    }
    let unread = edited.unread.iter();
    warnings.extend(unread.map(|(path, why)| format!("{path} could not be looked through: {why}")));
    for setting in &settings {
        let path = setting.repository.path().as_str();
        let may_be = edited.unsure.iter().filter(|seen| seen.text.contains(path));
        warnings
            .extend(may_be.map(|seen| format!("{seen} may be {}: it stays", setting.repository)));
    }
    Ok((edited.files, Applied { commit: None, images: edited.images, warnings }))
}

/// What the places of each step held when the plan was made: on the first tip that its edit was asked about.
#[derive(Debug, Default)]
pub(super) struct Read(Option<Vec<BTreeSet<String>>>);

impl Read {
    /// Refuses to write over what somebody else wrote after the plan was made.
    ///
    /// Lines and files may move meanwhile: what counts is what a place of the image says.
    pub(super) fn check(
        &mut self,
        environment: &EnvironmentName,
        steps: &[&Step],
        places: &[Places],
    ) -> Result<(), DeployError> {
        let held = |one: &Places| one.before.iter().cloned().collect();
        let Some(read) = &self.0 else {
            self.0 = Some(places.iter().map(held).collect());
            return Ok(());
        };
        for ((step, places), read) in steps.iter().zip(places).zip(read) {
            let mut now = places.changed.iter().zip(&places.before);
            if let Some((place, found)) = now.find(|(_, found)| !read.contains(*found)) {
                let read: Vec<&str> = read.iter().map(String::as_str).collect();
                let nothing = read.is_empty();
                return Err(DeployError::Moved {
                    image: step.image.clone(),
                    environment: environment.clone(),
                    place: place.clone(),
                    planned: if nothing { step.to.to_string() } else { read.join(" or ") },
                    found: found.clone(),
                });
            }
        }
        Ok(())
    }
}

/// Every image must have a place, and only a comment that asks for it, or a program, keeps one from being set.
fn check(
    edited: &Edited,
    places: &Places,
    setting: &Setting,
    place: &str,
) -> Result<(), DeployError> {
    let is_found = !places.changed.is_empty() || !places.same.is_empty();
    let stops = |skip: &Skip| !(is_found && matches!(skip, Skip::Ignored(_) | Skip::Seen { .. }));
    if let Some((seen, why)) = places.skipped.iter().find(|(_, why)| stops(why)) {
        return Err(DeployError::LeftAlone { seen: seen.clone(), why: why.clone() });
    }
    if is_found {
        return Ok(());
    }
    Err(DeployError::NoPlace {
        place: place.to_owned(),
        repository: setting.repository.clone(),
        unsure: edited.unsure.clone(),
    })
}

/// What cannot be read may hold a place: an error where it mentions an image of the steps, else said.
pub(super) fn pass_over(
    unread: impl IntoIterator<Item = (String, Unreadable, Guess)>,
    steps: &[&Step],
) -> Result<Vec<String>, DeployError> {
    let mut warnings = Vec::new();
    for (path, source, guess) in unread {
        if steps.iter().any(|step| guess.may_name(&step.repository)) {
            return Err(FilesError::Unread { path, source }.into());
        }
        warnings.push(format!("{path} could not be looked through: {source}"));
    }
    Ok(warnings)
}

/// A folder, for people.
pub(super) fn below(path: &str) -> String {
    if path.is_empty() { "anywhere".to_owned() } else { format!("below {path}") }
}
