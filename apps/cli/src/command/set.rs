//! `indelible set`: writes one image's reference into files.
//!
//! ```text
//! indelible set api=registry.example.com/shop/api:v2@sha256:9f… deploy/api.yaml
//! ```

use crate::arguments::Global;
use crate::command::pin::draft::{Draft, Outcome, Verb};
use crate::command::pin::next;
use crate::exit::{Exit, Failure};
use crate::process;
use clap::Args;
use domain::{ImageName, PinnedRef, ReferenceError, Repository};
use flows::App;
use flows::files::{self, FilesError, Target};
use std::path::PathBuf;
use std::str::FromStr;

/// What `set` can be told.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// An image of the settings or a repository as files name it, and what files are to say
    #[arg(value_name = "IMAGE=REPO:TAG@DIGEST")]
    setting: Setting,
    /// Files and folders
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
}

/// `IMAGE=REPO:TAG@DIGEST`.
#[derive(Clone, Debug)]
struct Setting {
    typed: String,
    image: String,
    to: PinnedRef,
}

/// The text is no setting.
#[derive(Debug, thiserror::Error)]
enum SettingError {
    #[error("`{0}` has no `=`: it is written IMAGE=REPO:TAG@DIGEST")]
    NoEquals(String),
    #[error(transparent)]
    Reference(#[from] ReferenceError),
}

impl FromStr for Setting {
    type Err = SettingError;

    fn from_str(text: &str) -> Result<Self, SettingError> {
        let missing = || SettingError::NoEquals(text.chars().take(120).collect());
        let (image, to) = text.split_once('=').ok_or_else(missing)?;
        Ok(Self { typed: text.to_owned(), image: image.to_owned(), to: to.parse()? })
    }
}

/// Runs it.
pub(crate) async fn run(global: &Global, arguments: Arguments) -> Result<Exit, Failure> {
    let app = process::app(global)?;
    let cwd = &app.surroundings().cwd;
    let Setting { typed, image, to } = arguments.setting;
    let again = next::command("indelible set", &[typed.into()]);
    let target = Target { repositories: repositories(&app, &image)?, to };
    let draft = files::set(cwd, &arguments.files, &target)?;
    let outcome = if global.dry_run {
        Outcome::Shown
    } else {
        files::write_all(&draft.rewrites).map_err(FilesError::from)?;
        Outcome::Written
    };
    let (verb, again) = (Verb::Set, &again);
    let told = Draft { verb, outcome, again, paths: &arguments.files, draft: &draft };
    told.print(global.output(), cwd)
}

/// Every repository by which files may name the image.
fn repositories(app: &App, image: &str) -> Result<Vec<Repository>, Failure> {
    let settings = app.loaded().map(|loaded| &loaded.settings);
    let name = image.parse::<ImageName>().ok();
    if let (Some(settings), Some(name)) = (settings, &name)
        && let Some(own) = settings.images.get(name)
    {
        let mut all = vec![own.repository.clone()];
        let others = settings.environments.iter().filter_map(|one| one.images.get(name));
        all.extend(others.cloned());
        all.sort();
        all.dedup();
        return Ok(all);
    }
    let repository: Repository = image.parse().map_err(|error| {
        Failure::usage(format_args!(
            "`{image}` is neither an image of the settings nor a repository: {error}"
        ))
    })?;
    Ok(vec![repository])
}
