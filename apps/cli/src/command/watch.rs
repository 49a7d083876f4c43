//! `indelible watch [--context NAME]...`

use super::serve::stopped;
use crate::arguments::Global;
use crate::exit::{Exit, Failure};
use crate::process;
use flows::App;
use flows::watch::{Ended, Meters, Patience, Told, WatchAt};
use record::claim::{FindingChange, FindingClaim, Reported};
use serde::Serialize;
use server::Numbers;
use std::convert::Infallible;
use std::fmt::Write as _;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;

/// What can be typed.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// A context of the kubeconfig, several times for several clusters; left out: the `clusters` of the settings
    #[arg(long, value_name = "NAME")]
    context: Vec<String>,
    /// One namespace only
    #[arg(short, long, value_name = "NAMESPACE")]
    namespace: Option<String>,
    /// Where Prometheus may ask: http://ADDRESS:PORT/metrics
    #[arg(long, value_name = "ADDRESS:PORT")]
    metrics: Option<SocketAddr>,
}

#[derive(Serialize)]
struct Wire {
    clusters: Vec<WireEnded>,
}

#[derive(Serialize)]
struct WireEnded {
    context: String,
    recorded: usize,
    until: Option<String>,
}

pub(crate) async fn run(global: &Global, arguments: Arguments) -> Result<Exit, Failure> {
    let app = process::app(global)?;
    let places = places(&app, &arguments)?;
    // From here on an interrupt ends the stretch that is watched, and then the program.
    process::handles_interrupts();
    let output = global.output();
    let (stop, _) = tokio::sync::watch::channel(false);
    let tell = |told: &Told| output.talk(told_text(told));
    let meters = Arc::new(Meters::default());
    let scraped = scraped(global, arguments.metrics, &meters).await?;
    let watching =
        flows::watch::watch(&app, (&places, Patience::WithWhatPasses), &meters, &stop, &tell);
    let stopping = async {
        stopped().await;
        stop.send_replace(true);
        std::future::pending::<()>().await;
    };
    let ended = tokio::select! {
        ended = watching => ended?,
        () = stopping => return Ok(Exit::Interrupted),
        never = scraped => match never {},
    };
    let wire = Wire { clusters: ended.iter().map(wire).collect() };
    output.data("watch", &wire, || ended.iter().fold(String::new(), text));
    Ok(Exit::Done)
}

/// Opens the door for Prometheus, where there is to be one; it serves for ever.
async fn scraped(
    global: &Global,
    listen: Option<SocketAddr>,
    meters: &Arc<Meters>,
) -> Result<Pin<Box<dyn Future<Output = Infallible>>>, Failure> {
    let Some(listen) = listen else { return Ok(Box::pin(std::future::pending())) };
    let meters = Arc::clone(meters);
    let opened = server::scrape(listen, Numbers::of(move || meters.text())).await;
    let (address, serving) = opened.map_err(|error| {
        let error = anyhow::Error::new(error).context(format!("{listen} cannot be listened on"));
        Failure { exit: Exit::Unknown, error, hint: None }
    })?;
    global.output().talk(format_args!("metrics at http://{address}/metrics"));
    Ok(Box::pin(serving))
}

/// What was named, else every cluster of the settings, once.
fn places(app: &App, arguments: &Arguments) -> Result<Vec<WatchAt>, Failure> {
    let mut contexts = arguments.context.clone();
    if contexts.is_empty() {
        contexts = contexts_of_settings(app);
    }
    contexts.sort_unstable();
    contexts.dedup();
    if contexts.is_empty() {
        let message = "name a cluster: --context NAME, or `clusters` in indelible.yaml";
        return Err(Failure::usage(message));
    }
    let place = |context| WatchAt { context, namespace: arguments.namespace.clone() };
    Ok(contexts.into_iter().map(place).collect())
}

/// The clusters of all environments, once.
pub(super) fn contexts_of_settings(app: &App) -> Vec<String> {
    let settings = app.loaded().map(|loaded| &loaded.settings);
    let clusters = settings.iter().flat_map(|all| &all.environments).flat_map(|one| &one.clusters);
    let clusters: std::collections::BTreeSet<String> = clusters.cloned().collect();
    clusters.into_iter().collect()
}

pub(super) fn told_text(told: &Told) -> String {
    match told {
        Told::Watching { context, containers: 1 } => {
            format!("watching {context}: 1 container runs")
        }
        Told::Watching { context, containers } => {
            format!("watching {context}: {containers} containers run")
        }
        Told::ListedAgain { context } => {
            format!("watching {context} again: the watch was lost, and the gap is recorded")
        }
        Told::NoNodes { context, why } => {
            format!("{context}: {why}: an end that no kubelet reports stays unconfirmed")
        }
        Told::Finding { context, claim } => finding_text(context, claim),
        Told::NoEvents { context, why } => {
            format!("{context}: {why}: findings are in the record, and no Events are made of them")
        }
        Told::SetAside { context, why } => {
            format!("{context}: {why}; it is left out, and the gap is recorded")
        }
        Told::CannotWatch { context, why, hint, again_within } => {
            let hint = hint.as_ref().map(|hint| format!("\nhint: {hint}")).unwrap_or_default();
            let seconds = again_within.as_secs();
            format!("{context} is not watched: {why}; tried again within {seconds} s{hint}")
        }
        Told::RecordAway { why } => format!("{why}; what is seen waits, and is tried again"),
    }
}

fn finding_text(context: &str, claim: &FindingClaim) -> String {
    let what = claim.what;
    match &claim.change {
        FindingChange::Opened(opened) => format!("{context}: {what}: {}", opened.says),
        FindingChange::Closed { why } => {
            let place = [&claim.namespace, &claim.workload, &claim.container];
            let place: Vec<_> = place.into_iter().flatten().map(Reported::as_str).collect();
            format!("{context}: {what} of {} is over: {why}", place.join(" "))
        }
    }
}

fn wire(ended: &Ended) -> WireEnded {
    WireEnded {
        context: ended.context.clone(),
        recorded: ended.recorded,
        until: ended.until.map(|until| until.to_string()),
    }
}

fn text(mut text: String, ended: &Ended) -> String {
    let Ended { context, recorded, until } = ended;
    let until =
        until.map_or_else(|| "nothing was listed".to_owned(), |at| format!("watched until {at}"));
    let changes = if *recorded == 1 { "change" } else { "changes" };
    let _ = writeln!(text, "{context}: {until}, {recorded} {changes} of containers recorded");
    text
}
