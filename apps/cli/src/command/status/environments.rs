//! Environments of the settings: what is desired, decided, running and verified.

mod wire;

use crate::arguments::Global;
use crate::command::asking::{gaps_text, names_text, time_of};
use crate::exit::{Exit, Failure};
use crate::output::{plain, table};
use crate::process;
use domain::{EnvironmentName, ImageRef};
use flows::ask::{BuiltFrom, EnvironmentStatus, ImageStatus, SeenBy};
use release::standing::{Desired, Running, Seen};
use std::fmt::Write as _;

pub(super) async fn run(
    global: &Global,
    environment: Option<&EnvironmentName>,
) -> Result<Exit, Failure> {
    let app = process::app(global)?;
    let all = flows::ask::status(&app, environment).await?;
    global.output().data("status", &wire::of(&all), || match (environment, all.as_slice()) {
        (Some(_), [one]) => long(one),
        (_, all) => short(all),
    });
    let (differs, is_unknown) = (
        all.iter().any(EnvironmentStatus::differs),
        all.is_empty() || all.iter().any(EnvironmentStatus::is_unknown),
    );
    Ok(match (differs, is_unknown) {
        (true, _) => Exit::No,
        (false, true) => Exit::Unknown,
        (false, false) => Exit::Done,
    })
}

/// One environment on one screen.
fn long(one: &EnvironmentStatus) -> String {
    let mut text = match one.images.is_empty() {
        true => format!("{}: no image of the settings has to do with it\n", one.environment),
        false => table(
            &["IMAGE", "DESIRED", "DECIDED", "TAG", "COMMIT", "RUNNING", "VERIFIED", "SINCE", "BY"],
            &one.images.iter().map(cells).collect::<Vec<_>>(),
        ),
    };
    text.push_str(&remarks(one));
    let proofs = one.images.iter().filter_map(|one| one.standing.decided.as_ref());
    let proofs = names_text(proofs.map(|fact| fact.stamp.proof()));
    let by = match one.seen_by {
        SeenBy::Watcher => ", by a watcher",
        SeenBy::Clusters => ", by asking the clusters now",
        SeenBy::Nobody => "",
    };
    let _ = writeln!(
        text,
        "{}, mode {}: basis {}{by}, precision {}{proofs}",
        one.environment, one.mode, one.basis, one.precision
    );
    text.push_str(&gaps_text(&one.gaps));
    text
}

/// All environments, a line for each image; what is behind a word is one `status ENV` away.
fn short(all: &[EnvironmentStatus]) -> String {
    if all.is_empty() {
        return "the settings have no environment\n".to_owned();
    }
    let mut rows = Vec::new();
    for one in all {
        if one.images.is_empty() {
            let dash = || "-".to_owned();
            rows.push(vec![one.environment.to_string(), dash(), dash(), dash(), "ok".to_owned()]);
        }
        rows.extend(one.images.iter().map(|image| {
            vec![
                one.environment.to_string(),
                image.standing.image.to_string(),
                decided(image),
                running(&image.standing.running),
                state(one, image),
            ]
        }));
    }
    let mut text = table(&["ENV", "IMAGE", "DECIDED", "RUNNING", "STATE"], &rows);
    let is_telling = |one: &&EnvironmentStatus| one.differs() || one.is_unknown();
    if let Some(one) = all.iter().find(is_telling) {
        let _ = writeln!(text, "next: indelible status {}", one.environment);
    }
    text
}

fn state(one: &EnvironmentStatus, image: &ImageStatus) -> String {
    let standing = &image.standing;
    let mut words = Vec::new();
    if !standing.differences.is_empty() {
        words.push("differs");
    }
    if !standing.unknown.is_empty() || standing.decided.is_none() {
        words.push("unknown");
    }
    if !one.findings.is_empty() {
        words.push("findings");
    }
    let is_held =
        |held: &Option<domain::ImageName>| held.as_ref().is_none_or(|held| *held == standing.image);
    if one.holds.keys().any(is_held) {
        words.push("held");
    }
    if words.is_empty() { "ok".to_owned() } else { words.join(", ") }
}

fn cells(one: &ImageStatus) -> Vec<String> {
    let dash = || "-".to_owned();
    let standing = &one.standing;
    let fact = standing.decided.as_ref();
    let verified = match (standing.is_verified(), fact) {
        (true, _) => "now".to_owned(),
        (false, Some(fact)) => fact.claim.grade.to_string(),
        (false, None) => dash(),
    };
    vec![
        standing.image.to_string(),
        desired(&standing.desired),
        decided(one),
        fact.and_then(|fact| fact.claim.tag.as_ref()).map_or_else(dash, ToString::to_string),
        one.commit.as_ref().map_or_else(dash, BuiltFrom::short),
        running(&standing.running),
        verified,
        fact.map_or_else(dash, |fact| time_of(fact.stamp.happened())),
        fact.map_or_else(dash, |fact| format!("{} ({})", fact.stamp.who(), fact.claim.how.word())),
    ]
}

fn desired(desired: &Desired) -> String {
    let name = |image: &ImageRef| match (image.digest(), image.tag()) {
        (Some(digest), _) => digest.short(),
        (None, Some(tag)) => format!(":{tag}"),
        (None, None) => "any".to_owned(),
    };
    match desired {
        Desired::NotKept => "-".to_owned(),
        Desired::Unknown(_) => "unknown".to_owned(),
        Desired::Says(places) if places.is_empty() => "no place".to_owned(),
        Desired::Says(places) => {
            let mut names: Vec<String> = places.iter().map(|(_, image)| name(image)).collect();
            names.sort();
            names.dedup();
            names.join(", ")
        }
    }
}

fn decided(one: &ImageStatus) -> String {
    let fact = one.standing.decided.as_ref();
    fact.map_or_else(|| "nothing recorded".to_owned(), |fact| fact.claim.to.short())
}

fn running(running: &Running) -> String {
    match running {
        Running::Seen(seen) if *seen == Seen::default() => "none".to_owned(),
        Running::Seen(seen) => seen_text(seen),
        Running::Unknown { known, .. } if *known == Seen::default() => "unknown".to_owned(),
        Running::Unknown { known, .. } => format!("{}, rest unknown", seen_text(known)),
        Running::NotObserved => "not observed".to_owned(),
    }
}

fn seen_text(seen: &Seen) -> String {
    let builds = seen.builds.iter();
    let mut parts: Vec<String> =
        builds.map(|(digest, build)| format!("{} ×{}", digest.short(), build.containers)).collect();
    parts.extend(seen.waiting.iter().map(|(reason, count)| format!("{reason} ×{count}")));
    if seen.untold > 0 {
        parts.push(format!("not reported ×{}", seen.untold));
    }
    parts.join(", ")
}

/// Differences, findings, what is unknown and what is held: a line each.
fn remarks(one: &EnvironmentStatus) -> String {
    let mut lines = Vec::new();
    for image in &one.images {
        let (name, standing) = (&image.standing.image, &image.standing);
        lines.extend(standing.differences.iter().map(|what| format!("differs: {name}: {what}")));
    }
    for image in &one.images {
        let (name, asked) = (&image.standing.image, image.standing.asked.as_ref());
        lines.extend(asked.map(|fact| {
            let (to, at) = (fact.claim.to.short(), time_of(fact.stamp.happened()));
            format!("asked: {name}: a pull request of {at} asks for {to}")
        }));
    }
    for finding in &one.findings {
        let (what, says, from) = (finding.what, &finding.opened.says, time_of(finding.from));
        lines.push(format!("finding: {what} since {from}: {says}"));
    }
    for image in &one.images {
        let (name, standing) = (&image.standing.image, &image.standing);
        lines.extend(standing.unknown.iter().map(|what| format!("unknown: {name}: {what}")));
        if standing.decided.is_none() {
            lines.push(format!("unknown: {name}: no deploy of it is recorded"));
        }
    }
    for (image, hold) in &one.holds {
        let what = image.as_ref().map_or_else(|| "all images".to_owned(), ToString::to_string);
        let reason = hold.reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default();
        let image = image.as_ref().map(|image| format!(" {image}")).unwrap_or_default();
        lines.push(format!(
            "held: {what} since {} by {}{reason} (indelible resume {}{image})",
            time_of(hold.stamp.happened()),
            hold.stamp.who(),
            one.environment
        ));
    }
    lines.iter().map(|line| format!("{}\n", plain(line))).collect()
}
