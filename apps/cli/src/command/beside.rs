//! The watcher beside a server: the same one as `indelible watch`, writing into the server's own record.

use super::serve::stopped;
use super::watch::{contexts_of_settings, told_text};
use crate::arguments::Global;
use crate::exit::{Exit, Failure};
use crate::process;
use domain::{Actor, Proof};
use flows::App;
use flows::record_local::LocalRecord;
use flows::watch::{Meters, Patience, Told, WatchAt};
use server::{Numbers, Running};
use std::sync::Arc;

/// Who says what it saw: the process that holds the record's folder itself.
const ACTOR: &str = "watch";

/// A watcher that has not begun.
pub(super) struct Beside {
    app: App,
    places: Vec<WatchAt>,
    meters: Arc<Meters>,
}

impl Beside {
    /// Reads which clusters, before anything is served.
    pub(super) fn open(global: &Global, contexts: &[String]) -> Result<Self, Failure> {
        let app = process::app(global)?;
        let mut places = contexts.iter().map(|text| place(text)).collect::<Result<Vec<_>, _>>()?;
        if places.is_empty() {
            let of = |context| WatchAt { context, namespace: None };
            places.extend(contexts_of_settings(&app).into_iter().map(of));
        }
        if places.is_empty() {
            let message =
                "name a cluster to watch: --watch-context NAME, or `clusters` in indelible.yaml";
            return Err(Failure::usage(message));
        }
        Ok(Self { app, places, meters: Arc::new(Meters::default()) })
    }

    /// Its numbers, for the server's `/metrics`.
    pub(super) fn numbers(&self) -> Numbers {
        let meters = Arc::clone(&self.meters);
        Numbers::of(move || meters.text())
    }

    /// Watches as long as the server serves; what was seen last is recorded before the server's folder is let go.
    pub(super) async fn run(self, global: &Global, running: Running) -> Result<Exit, Failure> {
        let output = global.output();
        let actor = Actor::new(ACTOR, Proof::None).map_err(anyhow::Error::new);
        let actor = actor.map_err(|error| Failure { exit: Exit::Unknown, error, hint: None })?;
        let surroundings = self.app.surroundings().clone();
        let place = format!("http://{}", running.address());
        let app =
            self.app.with_record(LocalRecord::of(running.ledger(), place, actor, surroundings));
        let (stop, _) = tokio::sync::watch::channel(false);
        let tell = |told: &Told| output.talk(told_text(told));
        let watching = flows::watch::watch(
            &app,
            (&self.places, Patience::WithEverything),
            &self.meters,
            &stop,
            &tell,
        );
        let stopping = async {
            stopped().await;
            stop.send_replace(true);
            std::future::pending::<()>().await;
        };
        let ended = tokio::select! {
            ended = watching => ended,
            () = stopping => return Ok(Exit::Interrupted),
        };
        // A server serves, whatever becomes of its watcher.
        if let Err(error) = ended {
            tracing::error!(%error, "nothing is watched any more");
            output
                .talk(format_args!("nothing is watched any more: {:#}", anyhow::Error::new(error)));
        }
        running.wait().await;
        Ok(Exit::Done)
    }
}

/// `NAME` or `NAME:NAMESPACE`; names of contexts may hold colons themselves, as those of cloud providers do.
fn place(text: &str) -> Result<WatchAt, Failure> {
    let is_namespace = |name: &str| {
        let fits = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        (1..=63).contains(&name.len()) && name.bytes().all(fits)
    };
    match text.rsplit_once(':') {
        _ if text.trim().is_empty() => Err(Failure::usage("an empty name is no context")),
        Some((context, namespace)) if !context.is_empty() && is_namespace(namespace) => {
            Ok(WatchAt { context: context.to_owned(), namespace: Some(namespace.to_owned()) })
        }
        // A last part that is no namespace belongs to the name; an empty one ends it.
        Some((context, "")) => Ok(WatchAt { context: context.to_owned(), namespace: None }),
        Some(_) | None => Ok(WatchAt { context: text.to_owned(), namespace: None }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_context_is_read_with_the_namespace_behind_its_last_colon() {
        let read = |text: &str| {
            let at = place(text).ok()?;
            Some((at.context, at.namespace))
        };
        let some = |context: &str, namespace: Option<&str>| {
            Some((context.to_owned(), namespace.map(ToOwned::to_owned)))
        };
        assert_eq!(read("prod-eu"), some("prod-eu", None));
        assert_eq!(read("prod-eu:shop"), some("prod-eu", Some("shop")));
        let arn = "arn:aws:eks:eu-west-1:1234:cluster/prod";
        assert_eq!(read(arn), some(arn, None));
        assert_eq!(read(&format!("{arn}:shop")), some(arn, Some("shop")));
        assert_eq!(read("a:b:"), some("a:b", None));
        assert_eq!(read(" "), None);
    }
}
