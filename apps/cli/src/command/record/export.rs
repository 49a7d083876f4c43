//! `indelible record export [--to FILE|-|RECORD]`

use super::import::{move_between, place_of};
use crate::arguments::Global;
use crate::exit::{Exit, Failure};
use crate::process;
use flows::App;
use flows::import::{LineError, MoveError, export_lines};
use serde::Serialize;
use std::io::Write;
use std::path::Path;

/// What can be typed.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// A new file of JSON lines, `-`, or a record: local, git, git:URL, file:PATH, https://HOST
    #[arg(long, value_name = "FILE|-|RECORD", default_value = "-")]
    to: String,
}

#[derive(Serialize)]
struct Wire {
    file: String,
    events: u64,
}

pub(super) async fn run(global: &Global, arguments: &Arguments) -> Result<Exit, Failure> {
    let to = arguments.to.as_str();
    match place_of(to) {
        Some(place) => {
            let app = process::app_at(global, place.host)?;
            let into = app.record_at(place.place).await?;
            move_between(global, app.record_to_read().await?, into.as_ref()).await
        }
        None if to == "-" => {
            let app = process::app(global)?;
            let mut stdout = std::io::stdout();
            export(global, &app, &mut stdout).await?;
            Ok(Exit::Done)
        }
        None => to_file(global, &process::app(global)?, Path::new(to)).await,
    }
}

async fn export(global: &Global, app: &App, to: &mut (dyn Write + Send)) -> Result<u64, Failure> {
    let record = app.record_to_read().await?;
    let place = record.place();
    if record.left_out().is_some() {
        return Err(MoveError::Partial { place: place.place }.into());
    }
    if place.kind == "server" {
        global
            .output()
            .talk("rules and tokens of the server are among them for administrators only");
    }
    let written = export_lines(record, to).await;
    // Whoever reads may stop: a pipe that is closed is no failure of the record.
    match written {
        Err(LineError::Io(error)) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(0),
        written => Ok(written.map_err(MoveError::Lines)?),
    }
}

/// A file appears when it is complete, and never takes another one's place.
async fn to_file(global: &Global, app: &App, path: &Path) -> Result<Exit, Failure> {
    if path.symlink_metadata().is_ok() {
        let mut failure = Failure::usage(format!("{} is there already", path.display()));
        failure.hint = Some("name a new file, or `-` for stdout".to_owned());
        return Err(failure);
    }
    if global.dry_run {
        let events = export(global, app, &mut std::io::sink()).await?;
        return Ok(show(global, path, events));
    }
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".part");
    let part = path.with_file_name(name);
    let cannot = |error: std::io::Error| Failure::usage(format!("{}: {error}", part.display()));
    let file = std::fs::File::create(&part).map_err(cannot)?;
    let mut file = std::io::BufWriter::new(file);
    let events = export(global, app, &mut file).await;
    let done = match events {
        Ok(events) => {
            let synced = file.into_inner().map_err(|error| cannot(error.into_error()))?.sync_all();
            synced.and_then(|()| std::fs::rename(&part, path)).map_err(cannot).map(|()| events)
        }
        Err(failure) => Err(failure),
    };
    if done.is_err() {
        let _gone = std::fs::remove_file(&part);
    }
    Ok(show(global, path, done?))
}

fn show(global: &Global, path: &Path, events: u64) -> Exit {
    let wire = Wire { file: path.display().to_string(), events };
    let verb = if global.dry_run { "would be written" } else { "written" };
    global
        .output()
        .data("record export", &wire, || format!("{events} events {verb} to {}\n", path.display()));
    Exit::Done
}
