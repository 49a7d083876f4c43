//! `indelible tag [IMAGE]…`: one tag a line.

use crate::arguments::Global;
use crate::exit::{Exit, Failure};
use crate::process;
use domain::{EnvironmentName, ImageName, Repository, Timestamp};
use flows::App;
use flows::publish::{Keep, Naming, TagRequest, compute_tags};
use serde::Serialize;
use tagging::{Facts, Scheme, Taken};

/// What can be typed.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Images of the settings by short name; none: all of them
    images: Vec<String>,
    /// A scheme instead of the settings': timestamp-env, timestamp, sha, semver, semver-sha, date-build, date-sha or a template
    #[arg(long, value_name = "NAME")]
    scheme: Vec<Scheme>,
    /// The environment that is built for
    #[arg(long, value_name = "ENV")]
    env: Option<EnvironmentName>,
    /// The release's time instead of now or INDELIBLE_RELEASE_TIME
    #[arg(long, value_name = "RFC3339")]
    at: Option<Timestamp>,
    /// Keep the tags for this release in the record
    #[arg(long)]
    reserve: bool,
}

#[derive(Serialize)]
struct Wire {
    items: Vec<WireItem>,
}

#[derive(Serialize)]
struct WireItem {
    image: Option<String>,
    tags: Vec<String>,
    environment: Option<String>,
    why_environment: String,
    release_time: String,
    reserved: bool,
}

pub(crate) async fn run(global: &Global, arguments: Arguments) -> Result<Exit, Failure> {
    let app = process::app(global)?;
    let items = match (&app.loaded(), arguments.images.is_empty()) {
        (None, true) => vec![without_settings(&app, &arguments)?],
        (_, _) => with_settings(global, &app, &arguments).await?,
    };
    for item in &items {
        if let Some(environment) = &item.environment {
            global.output().talk(format_args!("for {environment}: {}", item.why_environment));
        }
    }
    let wire = Wire { items };
    global.output().data("tag", &wire, || {
        wire.items.iter().flat_map(|item| &item.tags).map(|tag| format!("{tag}\n")).collect()
    });
    Ok(Exit::Done)
}

/// Without settings there is no repository to ask: a tag that follows from what was typed.
fn without_settings(app: &App, arguments: &Arguments) -> Result<WireItem, Failure> {
    if arguments.scheme.is_empty() {
        return Err(Failure::usage(
            "no indelible.yaml here or above: name a scheme, as in `--scheme timestamp-env`",
        ));
    }
    // The next number is told by the repository: one that nobody was asked for is somebody else's.
    if let Some(scheme) =
        arguments.scheme.iter().find(|scheme| matches!(scheme, Scheme::DateBuild(_)))
    {
        return Err(Failure::usage(format!(
            "scheme `{scheme}` counts the builds of a repository, and without indelible.yaml there is none to ask"
        )));
    }
    let handed_on = app.surroundings().variable(tagging::RELEASE_TIME_VARIABLE);
    let at = match arguments.at {
        Some(at) => at.to_second(),
        None => {
            tagging::release_time(handed_on, app.surroundings().now()).map_err(Failure::usage)?.at
        }
    };
    let mut facts = Facts::at(at);
    let said = tagging::detect(&app.surroundings().variables, None).map_err(Failure::usage)?;
    if let Some(ci) = &said {
        facts = facts.with_ci(ci);
    }
    facts.environment.clone_from(&arguments.env);
    let tags = arguments.scheme.iter().map(|scheme| scheme.compute(&facts, &Taken::nothing()));
    let tags: Vec<_> = tags.collect::<Result<_, _>>().map_err(Failure::usage)?;
    Ok(WireItem {
        image: None,
        tags: tags.iter().map(ToString::to_string).collect(),
        environment: arguments.env.as_ref().map(ToString::to_string),
        why_environment: match &arguments.env {
            Some(_) => "--env said so",
            None => "there are no settings",
        }
        .to_owned(),
        release_time: at.to_string(),
        reserved: false,
    })
}

async fn with_settings(
    global: &Global,
    app: &App,
    arguments: &Arguments,
) -> Result<Vec<WireItem>, Failure> {
    let settings = app.settings()?;
    let named = |text: &String| -> Result<(ImageName, Repository), Failure> {
        let name: ImageName = text.parse().map_err(Failure::usage)?;
        let image = settings.images.get(&name);
        let known: Vec<_> = settings.images.keys().map(ImageName::as_str).collect();
        let missing = || {
            Failure::usage(format!(
                "the settings have no image `{name}`; they have {}",
                known.join(", ")
            ))
        };
        let repository = image.ok_or_else(missing)?.repository.clone();
        Ok((name, repository))
    };
    let images: Vec<(ImageName, Repository)> = if arguments.images.is_empty() {
        settings
            .images
            .iter()
            .map(|(name, image)| (name.clone(), image.repository.clone()))
            .collect()
    } else {
        arguments.images.iter().map(named).collect::<Result<_, _>>()?
    };
    let keep = match (arguments.reserve, global.dry_run) {
        (true, false) => Keep::Reserve,
        (true, true) => Keep::Ask,
        (false, _) => Keep::No,
    };
    let mut items = Vec::new();
    for (name, repository) in images {
        let request = TagRequest {
            repository,
            image: Some(name.clone()),
            tags: Vec::new(),
            schemes: arguments.scheme.clone(),
            environment: arguments.env.clone(),
            at: arguments.at,
            digest: None,
        };
        let naming = compute_tags(app, &request, keep).await?;
        items.push(item(name, &naming, keep));
    }
    Ok(items)
}

fn item(image: ImageName, naming: &Naming, keep: Keep) -> WireItem {
    WireItem {
        image: Some(image.to_string()),
        tags: naming.tags.iter().map(ToString::to_string).collect(),
        environment: naming.environment.as_ref().map(ToString::to_string),
        why_environment: naming.why_environment.clone(),
        release_time: naming.at.to_string(),
        reserved: keep == Keep::Reserve,
    }
}
