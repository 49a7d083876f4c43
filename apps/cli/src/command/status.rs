//! `indelible status [ENV]` and `indelible status --context NAME`

mod environments;
mod wire;

use crate::arguments::Global;
use crate::exit::{Exit, Failure};
use crate::output::{plain, table};
use crate::process;
use domain::EnvironmentName;
use flows::look::{Look, LookAt};
use release::observed::{Bytes, Finding, Place, Role, Row, Told};
use std::collections::BTreeSet;
use std::fmt::Write as _;

/// Names of one kind that are shown in a line; JSON has all.
const NAMES_SHOWN_MAX: usize = 5;

/// What can be typed.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// An environment of the settings; none: all of them, short
    #[arg(value_name = "ENV", conflicts_with = "context")]
    environment: Option<EnvironmentName>,
    /// A context of the kubeconfig: what runs there; nothing is changed, and no settings are needed
    #[arg(long, value_name = "NAME")]
    context: Option<String>,
    /// One namespace only
    #[arg(short, long, value_name = "NAMESPACE", requires = "context")]
    namespace: Option<String>,
}

pub(crate) async fn run(global: &Global, arguments: Arguments) -> Result<Exit, Failure> {
    let Some(context) = arguments.context else {
        return environments::run(global, arguments.environment.as_ref()).await;
    };
    let app = process::app(global)?;
    let at = LookAt { context, namespace: arguments.namespace };
    let look = flows::look::look(&app, &at).await?;
    narrowed(global, look.denied.as_deref(), look.only_in.as_deref());
    global.output().data("status", &wire::of(&look), || text(&look));
    Ok(match (look.findings.found.is_empty(), look.findings.unknown.is_empty()) {
        (false, _) => Exit::No,
        (true, false) => Exit::Unknown,
        (true, true) => Exit::Done,
    })
}

/// Says that less was looked at than was asked for.
pub(super) fn narrowed(global: &Global, denied: Option<&str>, only_in: Option<&str>) {
    if let (Some(denied), Some(only)) = (denied, only_in) {
        global.output().talk(format!("{denied}: only namespace {only} was looked at"));
    }
}

fn text(look: &Look) -> String {
    let mut text = match look.rows.is_empty() {
        true => "nothing runs there\n".to_owned(),
        false => table(
            &["NAMESPACE", "WORKLOAD", "CONTAINER", "REFERENCE", "RUNNING", "SINCE"],
            &look.rows.iter().map(cells).collect::<Vec<_>>(),
        ),
    };
    let found = &look.findings.found;
    if !found.is_empty() {
        text.push('\n');
    }
    let (unpinned, others): (Vec<_>, Vec<_>) =
        found.iter().partition(|one| matches!(one, Finding::Unpinned { .. }));
    for finding in others {
        text.push_str(&finding_text(finding));
    }
    if !unpinned.is_empty() {
        let places: Vec<_> = unpinned.iter().filter_map(|one| unpinned_name(one)).collect();
        let _ = writeln!(text, "not pinned, can move: {}", some(&places));
    }
    for (why, what) in &look.findings.unknown {
        let names: Vec<_> = what.iter().cloned().collect();
        let _ = writeln!(text, "unknown: {}: {}", plain(why), some(&names));
    }
    let _ = write!(text, "\n{}", closing(look));
    text
}

fn cells(row: &Row) -> Vec<String> {
    let running: Vec<_> = row
        .bytes
        .iter()
        .map(|(bytes, pods)| format!("{} ×{}", bytes_name(bytes), pods.len()))
        .collect();
    let container = match row.role {
        Role::Main => row.container.clone(),
        Role::Init => format!("{} (init)", row.container),
        Role::Ephemeral => format!("{} (ephemeral)", row.container),
    };
    vec![
        row.namespace.clone(),
        row.owner.to_string(),
        container,
        row.reference.clone(),
        running.join(", "),
        row.since.map_or_else(|| "-".to_owned(), |since| since.to_string()),
    ]
}

fn bytes_name(bytes: &Bytes) -> String {
    match bytes {
        Bytes::Pulled(digest) => digest.short().to_string(),
        Bytes::Configured(digest) => format!("config {}", digest.short()),
        Bytes::Waiting(reason) if reason.is_empty() => "waiting".to_owned(),
        Bytes::Waiting(reason) => reason.clone(),
        Bytes::NotReported => "not reported".to_owned(),
        Bytes::Unreadable(text) => format!("unreadable `{text}`"),
    }
}

fn finding_text(finding: &Finding) -> String {
    let text = match finding {
        Finding::TwoBuilds { place, references, builds, told } => {
            let references: Vec<_> = references.iter().cloned().collect();
            let mut text = format!(
                "two builds in one workload{}: {} ({})\n",
                doubt(*told),
                place_name(place),
                references.join(", ")
            );
            for (digest, pods) in builds {
                let _ = writeln!(text, "  {}  {}", digest.short(), some(pods));
            }
            text
        }
        Finding::SharedTag { tag, builds, told } => {
            let mut text =
                format!("two builds under one tag{}: {}:{}\n", doubt(*told), tag.0, tag.1);
            for (digest, places) in builds {
                let names: Vec<_> = places.iter().map(place_name).collect();
                let _ = writeln!(text, "  {}  {}", digest.short(), some(&names));
            }
            text
        }
        Finding::DigestGone { place, repository, digest } => format!(
            "gone from its registry, will not start on another node: {}  {repository}@{}\n",
            place_name(place),
            digest.short()
        ),
        Finding::TagGone { place, tag } => format!(
            "no such tag any more, a new pod will not start: {}  {}:{}\n",
            place_name(place),
            tag.0,
            tag.1
        ),
        Finding::TagMoved { place, tag, running, now } => format!(
            "the tag moved since the pods started, a restart brings other bytes: {}  {}:{}\n  runs {}, the tag is {} now\n",
            place_name(place),
            tag.0,
            tag.1,
            running.short(),
            now.short()
        ),
        Finding::Unpinned { place, reference } => {
            format!("not pinned: {}  {reference}\n", place_name(place))
        }
    };
    text.lines().map(|line| format!("{}\n", plain(line))).collect()
}

fn doubt(told: Told) -> &'static str {
    match told {
        Told::Apart => "",
        Told::CannotTell => " (two digests; whether they are two builds could not be found out)",
    }
}

fn unpinned_name(finding: &Finding) -> Option<String> {
    match finding {
        Finding::Unpinned { place, .. } => Some(place_name(place)),
        Finding::TwoBuilds { .. }
        | Finding::SharedTag { .. }
        | Finding::DigestGone { .. }
        | Finding::TagGone { .. }
        | Finding::TagMoved { .. } => None,
    }
}

fn place_name(place: &Place) -> String {
    format!("{} {} {}", place.namespace, place.owner, place.container)
}

/// The first few names, and how many more there are.
fn some(names: &[String]) -> String {
    let shown: Vec<_> = names.iter().take(NAMES_SHOWN_MAX).map(|name| plain(name)).collect();
    match names.len().saturating_sub(NAMES_SHOWN_MAX) {
        0 => shown.join(", "),
        more => format!("{}, and {more} more", shown.join(", ")),
    }
}

fn closing(look: &Look) -> String {
    let count = |count: usize, what: &str| match count {
        1 => format!("1 {what}"),
        count => format!("{count} {what}s"),
    };
    let found = &look.findings.found;
    let unknown: usize = look.findings.unknown.values().map(BTreeSet::len).sum();
    let mut text = format!(
        "{}, {}, {} unknown\n",
        count(look.pods, "pod"),
        count(found.len(), "finding"),
        unknown
    );
    let next = match found.first() {
        Some(Finding::TwoBuilds { builds, .. }) => {
            builds.first().map(|(digest, _)| format!("indelible trace {digest}"))
        }
        Some(Finding::SharedTag { builds, .. }) => {
            builds.first().map(|(digest, _)| format!("indelible trace {digest}"))
        }
        Some(Finding::TagMoved { running, .. }) => Some(format!("indelible trace {running}")),
        Some(Finding::DigestGone { digest, .. }) => Some(format!("indelible trace {digest}")),
        Some(Finding::TagGone { .. } | Finding::Unpinned { .. }) => {
            Some("indelible check .    where the workload files are".to_owned())
        }
        None => None,
    };
    if let Some(next) = next {
        let _ = writeln!(text, "next: {next}");
    }
    text
}
