//! What must hold for a digest before it is written.
//!
//! ```text
//! --platform linux/amd64,linux/arm64      the index must have both
//! --min-age 3d                            made, or first seen, three days ago
//! ```

use super::lookup::age;
use crate::exit::Failure;
use crate::output::Output;
use clap::Args;
use domain::Platform;
use flows::App;
use flows::files::{self, Found, Progress, UnknownAge};

/// What must hold.
#[derive(Clone, Debug, Args)]
pub(super) struct Conditions {
    /// What each image must be for, such as linux/amd64,linux/arm64; else it is left, and said what is there
    #[arg(long, value_name = "OS/ARCH", value_delimiter = ',', conflicts_with_all = ["locked", "offline"])]
    platform: Vec<Platform>,
    /// How old an image must be, such as 3d, by its own word or the record's; else it is left
    #[arg(long, value_name = "DURATION", value_parser = age, conflicts_with_all = ["locked", "offline", "running"])]
    min_age: Option<i64>,
    /// What becomes of an image whose age nobody knows
    #[arg(long, value_name = "WHAT", default_value = "left", requires = "min_age")]
    unknown_age: Unknown,
}

/// What becomes of an image whose age nobody knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Unknown {
    /// It is left as it is
    Left,
    /// It is old enough
    Allowed,
}

impl Conditions {
    /// The platforms that were typed, else those of the settings.
    fn wanted(&self, app: &App) -> Vec<Platform> {
        match app.loaded() {
            Some(loaded) if self.platform.is_empty() => loaded.settings.platforms.clone(),
            Some(_) | None => self.platform.clone(),
        }
    }

    /// Finds what they keep from being written.
    pub(super) async fn hold_back(
        &self,
        app: &App,
        output: Output,
        found: &mut Found,
    ) -> Result<(), Failure> {
        let conditions = files::Conditions {
            platforms: self.wanted(app),
            min_age_ms: self.min_age,
            unknown_age: match self.unknown_age {
                Unknown::Left => UnknownAge::Left,
                Unknown::Allowed => UnknownAge::Allowed,
            },
        };
        let progress = Progress::default();
        let held = files::hold_back(app, found, &conditions, &progress);
        Ok(crate::progress::shown(output, &progress, held).await?)
    }
}
