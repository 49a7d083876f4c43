//! `indelible hold ENV [IMAGE]…` and `indelible resume ENV [IMAGE]…`, which also ends what `--break-glass` began

use super::deploy::run_of;
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
    /// Images by short name, with the suspended syncs that bring them; none: the whole environment
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
    dry_run: bool,
}

#[derive(Serialize)]
struct WireHold {
    image: Option<String>,
    event: Option<String>,
    new: bool,
}

pub(crate) async fn hold(global: &Global, arguments: HoldArguments) -> Result<Exit, Failure> {
    let app = process::app(global)?;
    let known: Vec<String> = app.settings()?.images.keys().map(ToString::to_string).collect();
    if arguments.images.is_empty() && !arguments.all && known.len() > 1 {
        let (environment, images) = (arguments.environment, known);
        let all = format!("indelible hold {environment} --all");
        let one = images.first().map(|image| format!("indelible hold {environment} {image}"));
        let mut failure = Failure::from(DecideError::WhichImage { environment, images });
        failure.hint = one.map(|one| format!("{all} for every image, or {one} for one"));
        return Err(failure);
    }
    let HoldArguments { environment, images, reason, .. } = arguments;
    say(global, &app, &environment, &images, HoldState::Held, reason.as_deref()).await
}

pub(crate) async fn resume(global: &Global, arguments: ResumeArguments) -> Result<Exit, Failure> {
    let app = process::app(global)?;
    let ResumeArguments { environment, images, reason } = arguments;
    let exit =
        say(global, &app, &environment, &images, HoldState::Resumed, reason.as_deref()).await?;
    for line in flows::deploy::restore_sync(&app, &environment, &images, run_of(global)).await? {
        global.output().talk(format_args!("{line}"));
    }
    Ok(exit)
}

async fn say(
    global: &Global,
    app: &flows::App,
    environment: &EnvironmentName,
    images: &[ImageName],
    state: HoldState,
    reason: Option<&str>,
) -> Result<Exit, Failure> {
    let targets: Vec<Option<&ImageName>> =
        if images.is_empty() { vec![None] } else { images.iter().map(Some).collect() };
    let mut decided: Vec<(Option<&ImageName>, Decided)> = Vec::new();
    for image in targets {
        let run = run_of(global);
        let done = flows::decide::hold(app, environment, image, state, reason, run).await?;
        decided.push((image, done));
    }
    let (command, word) = match state {
        HoldState::Held => ("hold", "held"),
        HoldState::Resumed => ("resume", "resumed"),
    };
    let wire = Wire {
        environment: environment.to_string(),
        state: word,
        holds: decided
            .iter()
            .map(|(image, done)| WireHold {
                image: image.map(ToString::to_string),
                event: done.event().map(|event| event.to_string()),
                new: matches!(done, Decided::New(_)),
            })
            .collect(),
        dry_run: global.dry_run,
    };
    global.output().data(command, &wire, || {
        let line = |(image, done): &(Option<&ImageName>, Decided)| {
            let image = image.map_or_else(|| "all images".to_owned(), ToString::to_string);
            match done {
                Decided::New(_) => format!("{environment} {image}: {word}\n"),
                Decided::Already(_) => format!("{environment} {image}: {word} already\n"),
                Decided::Never => format!("{environment} {image}: was not held\n"),
                Decided::Would => format!("{environment} {image}: would be {word}\n"),
            }
        };
        decided.iter().map(line).collect()
    });
    Ok(Exit::Done)
}
