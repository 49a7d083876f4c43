//! `indelible hold ENV [IMAGE]…` and `indelible resume ENV [IMAGE]…`

use crate::arguments::Global;
use crate::exit::{Exit, Failure};
use crate::process;
use domain::{EnvironmentName, ImageName};
use flows::decide::{DecideError, Decided};
use record::claim::HoldState;
use serde::Serialize;

/// What can be typed after `hold`.
#[derive(Debug, clap::Args)]
pub(crate) struct HoldArguments {
    /// The environment
    environment: EnvironmentName,
    /// Images by short name; where the environment has several, `--all` or names
    images: Vec<ImageName>,
    /// All images of the environment, also those to come
    #[arg(long, conflicts_with = "images")]
    all: bool,
    /// Why
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
}

/// What can be typed after `resume`.
#[derive(Debug, clap::Args)]
pub(crate) struct ResumeArguments {
    /// The environment
    environment: EnvironmentName,
    /// Images by short name; none: the whole environment
    images: Vec<ImageName>,
    /// Why
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
}

#[derive(Serialize)]
struct Wire {
    environment: String,
    state: &'static str,
    holds: Vec<WireHold>,
}

#[derive(Serialize)]
struct WireHold {
    image: Option<String>,
    event: String,
    new: bool,
}

pub(crate) async fn hold(global: &Global, arguments: HoldArguments) -> Result<Exit, Failure> {
    let app = process::app(global)?;
    let known: Vec<String> = app.settings()?.images.keys().map(ToString::to_string).collect();
    if arguments.images.is_empty() && !arguments.all && known.len() > 1 {
        let (environment, images) = (arguments.environment, known);
        return Err(DecideError::WhichImage { environment, images }.into());
    }
    let HoldArguments { environment, images, reason, .. } = arguments;
    say(global, &app, &environment, &images, HoldState::Held, reason.as_deref()).await
}

pub(crate) async fn resume(global: &Global, arguments: ResumeArguments) -> Result<Exit, Failure> {
    let app = process::app(global)?;
    let ResumeArguments { environment, images, reason } = arguments;
    say(global, &app, &environment, &images, HoldState::Resumed, reason.as_deref()).await
}

async fn say(
    global: &Global,
    app: &flows::App,
    environment: &EnvironmentName,
    images: &[ImageName],
    state: HoldState,
    reason: Option<&str>,
) -> Result<Exit, Failure> {
    let mut decided: Vec<(Option<&ImageName>, Option<Decided>)> = Vec::new();
    let targets: Vec<Option<&ImageName>> =
        if images.is_empty() { vec![None] } else { images.iter().map(Some).collect() };
    for image in targets {
        let done = if global.dry_run {
            app.environment(environment)?;
            None
        } else {
            Some(flows::decide::hold(app, environment, image, state, reason).await?)
        };
        decided.push((image, done));
    }
    let word = match state {
        HoldState::Held => "held",
        HoldState::Resumed => "resumed",
    };
    let wire = Wire {
        environment: environment.to_string(),
        state: word,
        holds: decided
            .iter()
            .map(|(image, done)| WireHold {
                image: image.map(ToString::to_string),
                event: done.as_ref().map(|done| done.event.to_string()).unwrap_or_default(),
                new: done.as_ref().is_some_and(|done| done.is_new),
            })
            .collect(),
    };
    global.output().data(word, &wire, || {
        let line = |(image, done): &(Option<&ImageName>, Option<Decided>)| {
            let image = image.map_or_else(|| "all images".to_owned(), ToString::to_string);
            let already =
                if done.as_ref().is_some_and(|done| !done.is_new) { " already" } else { "" };
            let would = if done.is_none() { "would be " } else { "" };
            format!("{environment} {image}: {would}{word}{already}\n")
        };
        decided.iter().map(line).collect()
    });
    Ok(Exit::Done)
}
