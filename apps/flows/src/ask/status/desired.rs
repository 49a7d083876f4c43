//! What the files of an environment ask for: every place that names an image's repository.
//!
//! ```text
//! apps/prod/api.yaml:12  registry.example.com/shop/api:v2@sha256:9f…
//! ```
//! A file that cannot be read, or a place that a variable fills in, may hold another: then it is unknown.

use crate::app::App;
use crate::deploy::workload_files;
use crate::edit::{TextFile, mentions};
use crate::files::{Guess, text_files};
use crate::settings::{DeployMode, EnvironmentSettings};
use crate::verdict::Explain;
use domain::{ImageRef, Repository};
use pin::{Found, Purpose, Scan, Site};
use release::standing::Desired;

/// The files of an environment as they are now, or why they could not be read.
pub(super) enum Files {
    Read {
        files: Vec<TextFile>,
        unread: Vec<(String, String, Guess)>,
    },
    Unreadable(String),
    /// The clusters are told directly.
    None,
}

/// Reads the files of an environment: of this work tree, or of the newest commit of its branch.
pub(super) async fn files(app: &App, environment: &EnvironmentSettings) -> Files {
    let read = match environment.deploy {
        DeployMode::Cluster => return Files::None,
        DeployMode::Files => text_files(app.root(), &environment.git.path)
            .map_err(|error| chain(&error))
            .map(|(files, unread)| {
                let unread = unread.into_iter();
                (files, unread.map(|one| (one.shown, one.why.to_string(), one.guess)).collect())
            }),
        DeployMode::Git | DeployMode::Pr | DeployMode::GitCluster => workload_files(
            app,
            environment,
        )
        .await
        .map_err(|error| chain(&error))
        .map(|(files, unread)| {
            let unread = unread.into_iter();
            (files, unread.map(|(path, why, guess)| (path, why.to_string(), guess)).collect())
        }),
    };
    match read {
        Ok((files, unread)) => Files::Read { files, unread },
        Err(why) => Files::Unreadable(why),
    }
}

fn chain(error: &(impl Explain + 'static)) -> String {
    let error: &dyn std::error::Error = error;
    let causes = std::iter::successors(Some(error), |cause| cause.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

/// What the files ask for of one repository.
pub(super) fn desired(files: &Files, repository: &Repository) -> Desired {
    let (files, unread) = match files {
        Files::None => return Desired::NotKept,
        Files::Unreadable(why) => return Desired::Unknown(why.clone()),
        Files::Read { files, unread } => (files, unread),
    };
    if let Some((path, why, _)) = unread.iter().find(|(_, _, guess)| guess.may_name(repository)) {
        return Desired::Unknown(format!("{path} could not be looked through: {why}"));
    }
    let mut places = Vec::new();
    for file in files.iter().filter(|file| pin::prefilter(file.text.as_bytes())) {
        let Some(format) = pin::classify(&file.path, &file.text) else { continue };
        match pin::scan(format, &file.text) {
            Ok(scan) => {
                let scan = scan.only(Purpose::Workload);
                if let Err(unknown) = of_file(file, &scan, repository, &mut places) {
                    return Desired::Unknown(unknown);
                }
            }
            Err(why) if mentions(&file.text, repository) => {
                return Desired::Unknown(format!("{} cannot be read: {why}", file.path));
            }
            Err(_) => {}
        }
    }
    Desired::Says(places)
}

/// Adds the places of one file; says where another program fills one in that names the repository.
fn of_file(
    file: &TextFile,
    scan: &Scan,
    repository: &Repository,
    places: &mut Vec<(String, ImageRef)>,
) -> Result<(), String> {
    let is_ours = |site: &&Site| site.marker.is_none();
    for site in scan.sites.iter().filter(is_ours) {
        let place = format!("{}:{}", file.path, site.line);
        match &site.found {
            Found::Image(image) if image.repository() == repository => {
                places.push((place, image.clone()));
            }
            Found::Opaque(_) if mentions(&site.text, repository) => {
                let text: String = site.text.chars().take(120).collect();
                return Err(format!("{place} `{text}` is filled in by another program"));
            }
            Found::Image(_)
            | Found::Opaque(_)
            | Found::Malformed(_)
            | Found::BuildTarget
            | Found::Stage
            | Found::Scratch
            | Found::Inherits(_) => {}
        }
    }
    Ok(())
}
