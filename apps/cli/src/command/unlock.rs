//! `indelible unlock REPO:TAG --reason TEXT`

use super::rule::{api, of_api};
use crate::arguments::Global;
use crate::exit::{Exit, Failure};
use crate::process;
use domain::{TagClass, TaggedRef, Timestamp};
use serde::Serialize;
use vendors::Api;

const MINUTE_MS: i64 = 60_000;

/// What can be typed.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The one tag
    #[arg(value_name = "REPO:TAG")]
    reference: TaggedRef,
    /// Why; the history keeps it
    #[arg(long, value_name = "TEXT")]
    reason: String,
    /// For how long, in minutes, at most 60
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=60))]
    minutes: u32,
}

#[derive(Serialize)]
struct Wire {
    reference: String,
    until: String,
    dry_run: bool,
}

pub(crate) async fn run(global: &Global, arguments: Arguments) -> Result<Exit, Failure> {
    let Arguments { reference, reason, minutes } = arguments;
    if reason.trim().is_empty() {
        return Err(Failure::usage("--reason is empty: the history keeps why"));
    }
    let api = api(global, reference.repository.host()).await?;
    let (path, tag) = (reference.repository.path(), &reference.tag);
    let until = match global.dry_run {
        true => would_end(&api, &reference, minutes).await?,
        false => api.unlock(path, tag, &reason, minutes).await.map_err(of_api)?.until,
    };
    let wire = Wire {
        reference: reference.to_string(),
        until: until.to_string(),
        dry_run: global.dry_run,
    };
    global.output().data("unlock", &wire, || {
        if global.dry_run {
            return format!("{reference} would be open to one that may move it until {until}\n");
        }
        format!(
            "{reference} may be moved until {until}; the history keeps both digests and the reason\n\
             move it with the client that pushes: `publish` and `copy` never overwrite a tag\n"
        )
    });
    Ok(Exit::Done)
}

/// When an unlock of now would end; refuses what the server would refuse for the tag's sake.
///
/// Whether the caller may unlock is only asked when it is done.
async fn would_end(api: &Api, reference: &TaggedRef, minutes: u32) -> Result<Timestamp, Failure> {
    let (repository, tag) = (&reference.repository, &reference.tag);
    let found = api.rule_of(repository.path(), tag).await.map_err(of_api)?;
    let host = repository.host();
    let found = found.ok_or_else(|| {
        Failure::usage(format!("{host} is no Indelible server: nothing is locked there"))
    })?;
    let refused = |why: &str| Failure::usage(format!("{reference} {why}"));
    match (found.fixed, found.class) {
        (false, _) => Err(refused("was never written: there is nothing to unlock")),
        (true, TagClass::Alias) => {
            Err(refused("is an alias: it moves without an unlock").with_exit(Exit::No))
        }
        (true, TagClass::Immutable | TagClass::Append) => {
            Ok(process::surroundings()?.now().plus_millis(i64::from(minutes) * MINUTE_MS))
        }
    }
}
