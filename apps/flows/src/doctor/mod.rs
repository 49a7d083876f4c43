//! `doctor`: what deploy and publish will need, each tried now and none of it changed.
//!
//! ```text
//! good     push to registry.example.com/shop/api: it takes pushes (name and password of `ci`, from the docker config)
//! wrong    history: the clone is shallow                           fix: git fetch --unshallow
//! unknown  cluster prod-eu: no answer in time
//! ```
//! It tests the right, not the presence: an upload is opened and ended, a push is offered and taken back, the API server
//! is asked what this user may do.

mod clusters;
mod registry;
mod repository;

use crate::app::App;

/// How one check came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It will work, as far as that can be tried.
    Good,
    /// It will not.
    Wrong,
    /// It could not be found out.
    Unknown,
}

impl Outcome {
    /// The word for people and for JSON.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Wrong => "wrong",
            Self::Unknown => "unknown",
        }
    }
}

/// One thing that was tried.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checked {
    /// What: `push to registry.example.com/shop/api`.
    pub what: String,
    /// How it came out.
    pub outcome: Outcome,
    /// What was seen.
    pub seen: String,
    /// The line that mends it, where there is one.
    pub fix: Option<String>,
}

impl Checked {
    fn good(what: impl Into<String>, seen: impl Into<String>) -> Self {
        Self { what: what.into(), outcome: Outcome::Good, seen: seen.into(), fix: None }
    }

    fn wrong(what: impl Into<String>, seen: impl Into<String>, fix: &str) -> Self {
        let fix = (!fix.is_empty()).then(|| fix.to_owned());
        Self { what: what.into(), outcome: Outcome::Wrong, seen: seen.into(), fix }
    }

    fn unknown(what: impl Into<String>, why: &dyn std::error::Error) -> Self {
        let (what, seen) = (what.into(), crate::verdict::chain(why));
        Self { what, outcome: Outcome::Unknown, seen, fix: None }
    }
}

/// Tries all that the settings need, in the order in which a release goes.
pub async fn checkup(app: &App) -> Vec<Checked> {
    let mut all = vec![settings(app)];
    all.extend(repository::history(app).await);
    all.extend(repository::pushes(app).await);
    all.push(record(app).await);
    all.extend(registry::pushes(app).await);
    all.extend(clusters::rights(app).await);
    all
}

fn settings(app: &App) -> Checked {
    match app.loaded() {
        Some(loaded) => {
            let settings = &loaded.settings;
            let (images, environments) = (settings.images.len(), settings.environments.len());
            let seen =
                format!("{}: images {images}, environments {environments}", loaded.path.display());
            Checked::good("settings", seen)
        }
        None => Checked::wrong("settings", "there is no indelible.yaml", "indelible init"),
    }
}

/// Whether the record is there, and who writes to it.
async fn record(app: &App) -> Checked {
    match app.record().await {
        Ok(record) => {
            let place = record.place();
            let what = format!("record {}", place.place);
            let actor = record.actor().name();
            match record.exists().await {
                Ok(true) => Checked::good(what, format!("it can be read; you are {actor} there")),
                Ok(false) => Checked::good(what, format!("the first event begins it, by {actor}")),
                Err(error) => Checked::unknown(what, &error),
            }
        }
        Err(error) => Checked::unknown("record", &error),
    }
}
