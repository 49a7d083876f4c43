//! What deploy, promote, rollback and note show: one line an image, then what landed.

use crate::arguments::Global;
use crate::exit::Exit;
use flows::deploy::{Done, ImageDone, NameDone, Report};
use record::claim::{Grade, Mode};
use serde::Serialize;
use std::fmt::Write as _;

#[derive(Serialize)]
struct Wire<'a> {
    environment: &'a str,
    mode: String,
    grade: String,
    dry_run: bool,
    commit: Option<&'a str>,
    outcome: &'static str,
    images: Vec<WireImage<'a>>,
    /// Images that automation leaves as they are from now on.
    holds: Vec<&'a str>,
    warnings: &'a [String],
}

#[derive(Serialize)]
struct WireImage<'a> {
    image: &'a str,
    outcome: &'static str,
    how: Option<&'static str>,
    from: Option<String>,
    to: Option<String>,
    tag: Option<&'a str>,
    condemns: Option<String>,
    places: &'a [String],
    event: Option<String>,
    held: Option<WireHold<'a>>,
    names: Vec<WireName<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pull_request: Option<&'a str>,
    warnings: &'a [String],
}

#[derive(Serialize)]
struct WireName<'a> {
    name: &'a str,
    class: &'static str,
    /// `created`, `kept`, `moved`.
    change: &'static str,
    from: Option<String>,
}

impl<'a> WireName<'a> {
    fn of(name: &'a NameDone) -> Self {
        match name {
            NameDone::Created(tag) => {
                Self { name: tag.as_str(), class: "immutable", change: "created", from: None }
            }
            NameDone::Kept(tag) => {
                Self { name: tag.as_str(), class: "immutable", change: "kept", from: None }
            }
            NameDone::Moved { alias, from } => Self {
                name: alias.as_str(),
                class: "alias",
                change: if from.is_some() { "moved" } else { "created" },
                from: from.map(|from| from.to_string()),
            },
        }
    }
}

#[derive(Serialize)]
struct WireHold<'a> {
    since: String,
    by: &'a str,
    reason: Option<&'a str>,
}

/// Who asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Asker {
    /// A run of a CI.
    Pipeline,
    /// Somebody at a terminal.
    Person,
}

/// Shows a report, and says how the command ends: a hold is 0 for a pipeline and 1 for a person.
pub(crate) fn show(global: &Global, command: &str, report: &Report, asker: Asker) -> Exit {
    global.output().data(command, &wire(report), || text(report));
    for warning in &report.warnings {
        global.output().talk(format_args!("warning: {warning}"));
    }
    for done in &report.images {
        for warning in &done.warnings {
            global.output().talk(format_args!("warning: {}: {warning}", done.image));
        }
    }
    if report.is_held() && asker == Asker::Person { Exit::No } else { Exit::Done }
}

fn text(report: &Report) -> String {
    let mut text = String::new();
    let would = if report.is_dry_run { "would be " } else { "" };
    for done in &report.images {
        let line = line(done, &report.environment.to_string(), would);
        let _ = writeln!(text, "{}", crate::output::plain(&line));
        for name in &done.names {
            let _ = writeln!(text, "  {}", crate::output::plain(&name_line(name, would)));
        }
    }
    for image in &report.holds {
        let _ = writeln!(
            text,
            "  {would}held: deploy and promote leave {image} of {0} as it is until `indelible resume {0} {image}`",
            report.environment
        );
    }
    let has_changed = report.images.iter().any(|done| matches!(done.what, Done::Changed { .. }));
    if has_changed {
        let places = report.images.iter().filter_map(|done| match &done.what {
            Done::Changed { places, .. } => Some(places.as_slice()),
            Done::Same { .. } | Done::Held(_) | Done::Asked { .. } => None,
        });
        let places = places.collect::<Vec<_>>().concat().join(", ");
        let commit = report.commit.as_ref().map(|commit| format!(" commit {}", commit.short(12)));
        let commit = commit.unwrap_or_default();
        let places = if places.is_empty() { "nothing had to change" } else { places.as_str() };
        let how = match report.mode {
            Mode::Other => "another tool did it: no file was touched".to_owned(),
            Mode::Files | Mode::Git | Mode::Cluster | Mode::GitCluster | Mode::Pr => {
                format!("{}{commit}: {}", report.mode, crate::output::plain(places))
            }
        };
        let _ = writeln!(text, "  {how}");
        if !report.is_dry_run {
            let known = match report.grade {
                Grade::Observed => "every ready pod reports this build",
                Grade::Applied | Grade::Imported => "nothing observes yet what runs",
            };
            let _ = writeln!(text, "  grade {}: {known}", report.grade);
        }
    }
    let asked = report.images.iter().filter(|done| matches!(done.what, Done::Asked { .. }));
    for done in asked.clone() {
        let Done::Asked { places, asks, .. } = &done.what else { continue };
        let places = crate::output::plain(&places.join(", "));
        let _ = writeln!(text, "  pr: {places}");
        if let Some(address) = asks {
            let _ = writeln!(text, "  {}", crate::output::plain(address));
        }
    }
    if asked.count() > 0 && !report.is_dry_run {
        let _ = writeln!(text, "  grade open: nothing has landed until it is merged");
    }
    text
}

fn line(done: &ImageDone, environment: &str, would: &str) -> String {
    match &done.what {
        Done::Same { digest } => {
            format!("{} {environment}: {} already, nothing restarts", done.image, digest.short())
        }
        Done::Held(hold) => {
            let reason =
                hold.reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default();
            format!(
                "{image} {environment}: held since {} by {}{reason}; nothing was changed (to go on: indelible resume {environment} {image}, or indelible resume {environment} where all of it waits)",
                hold.stamp.happened(),
                hold.stamp.who(),
                image = done.image,
            )
        }
        Done::Asked { from, to, tag, how, condemns, .. } => {
            let from = from.map_or_else(|| "nothing".to_owned(), |from| from.short());
            let tag = tag.as_ref().map(|tag| format!(" {tag}")).unwrap_or_default();
            let condemns = match condemns {
                Some(condemned) => format!("; {would}condemned: {}", condemned.short()),
                None => String::new(),
            };
            format!(
                "{} {environment}: {how} {would}asked for: {from} -> {}{tag}{condemns}",
                done.image,
                to.short()
            )
        }
        Done::Changed { from, to, tag, how, condemns, .. } => {
            let from = from.map_or_else(|| "nothing".to_owned(), |from| from.short());
            let tag = tag.as_ref().map(|tag| format!(" {tag}")).unwrap_or_default();
            let condemns = match condemns {
                Some(condemned) => format!("; {would}condemned: {}", condemned.short()),
                None => String::new(),
            };
            format!(
                "{} {environment}: {}: {from} -> {}{tag}{condemns}",
                done.image,
                if would.is_empty() { (*how).to_owned() } else { planned(how) },
                to.short()
            )
        }
    }
}

/// A name in a registry, as it was given or would be.
fn name_line(name: &NameDone, would: &str) -> String {
    match name {
        NameDone::Created(tag) => format!("tag {tag}: {would}created"),
        NameDone::Kept(tag) => format!("tag {tag}: is its own already"),
        NameDone::Moved { alias, from: Some(from) } => {
            format!("alias {alias}: {would}moved from {}", from.short())
        }
        NameDone::Moved { alias, from: None } => format!("alias {alias}: {would}created"),
    }
}

/// The kind of a deploy that is only shown.
fn planned(how: &str) -> String {
    match how {
        "rollback" => "would be rolled back".to_owned(),
        "deploy" => "would be deployed".to_owned(),
        "promote" => "would be promoted".to_owned(),
        // "promoted by merge", "noted"
        other => format!("would be {other}"),
    }
}

fn wire(report: &Report) -> Wire<'_> {
    let is_changed = report.images.iter().any(|done| matches!(done.what, Done::Changed { .. }));
    let is_open = report.images.iter().any(|done| matches!(done.what, Done::Asked { .. }));
    let outcome = match (report.is_held(), is_open, is_changed) {
        (true, _, _) => "held",
        (false, true, _) => "open",
        (false, false, true) => "changed",
        (false, false, false) => "same",
    };
    Wire {
        environment: report.environment.as_str(),
        mode: report.mode.to_string(),
        grade: if is_open { "open".to_owned() } else { report.grade.to_string() },
        dry_run: report.is_dry_run,
        commit: report.commit.as_ref().map(domain::CommitId::as_str),
        outcome,
        images: report.images.iter().map(image).collect(),
        holds: report.holds.iter().map(domain::ImageName::as_str).collect(),
        warnings: &report.warnings,
    }
}

fn image(done: &ImageDone) -> WireImage<'_> {
    let mut wire = WireImage {
        image: done.image.as_str(),
        outcome: "same",
        how: None,
        from: None,
        to: None,
        tag: None,
        condemns: None,
        places: &[],
        event: None,
        held: None,
        names: done.names.iter().map(WireName::of).collect(),
        pull_request: None,
        warnings: &done.warnings,
    };
    match &done.what {
        Done::Same { digest } => wire.to = Some(digest.to_string()),
        Done::Held(hold) => {
            wire.outcome = "held";
            wire.held = Some(WireHold {
                since: hold.stamp.happened().to_string(),
                by: hold.stamp.who().name(),
                reason: hold.reason.as_ref().map(record::claim::Text::as_str),
            });
        }
        Done::Asked { from, to, tag, how, condemns, places, event, asks, .. } => {
            wire.outcome = "open";
            wire.how = Some(how);
            wire.from = from.map(|digest| digest.to_string());
            wire.to = Some(to.to_string());
            wire.tag = tag.as_ref().map(domain::Tag::as_str);
            wire.condemns = condemns.map(|digest| digest.to_string());
            wire.places = places;
            wire.event = event.map(|id| id.to_string());
            wire.pull_request = asks.as_deref();
        }
        Done::Changed { from, to, tag, how, condemns, places, event } => {
            wire.outcome = "changed";
            wire.how = Some(how);
            wire.from = from.map(|digest| digest.to_string());
            wire.to = Some(to.to_string());
            wire.tag = tag.as_ref().map(domain::Tag::as_str);
            wire.condemns = condemns.map(|digest| digest.to_string());
            wire.places = places;
            wire.event = event.map(|id| id.to_string());
        }
    }
    wire
}
