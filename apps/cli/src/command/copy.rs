//! `indelible copy SOURCE TARGET`

use crate::arguments::Global;
use crate::exit::{Exit, Failure};
use crate::process;
use flows::copy::{CopyRequest, TagPlan, copy, plan_copy};
use flows::registries::{Copied, WritablePlace};
use remote::{ReferrersToo, Source};
use serde::Serialize;

/// What can be typed.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// oci:DIR, oci:DIR:REF, oci-archive:FILE, docker-archive:FILE, docker-daemon:IMAGE or docker://REF
    source: String,
    /// oci:DIR, oci:DIR:REF, docker://REPOSITORY or docker://REPOSITORY:TAG
    target: String,
    /// Copy what is attached too: signatures, SBOMs, provenance
    #[arg(long)]
    referrers: bool,
}

#[derive(Serialize)]
struct Wire {
    digest: String,
    target: String,
    tag: Option<WireTag>,
    /// What was sent: not known before.
    #[serde(flatten)]
    sent: WireSent,
    dry_run: bool,
}

#[derive(Serialize)]
struct WireTag {
    tag: String,
    new: bool,
}

#[derive(Default, Serialize)]
struct WireSent {
    sent: Option<usize>,
    sent_bytes: Option<u64>,
    mounted: Option<usize>,
    present: Option<usize>,
    referrers: Option<usize>,
}

pub(crate) async fn run(global: &Global, arguments: Arguments) -> Result<Exit, Failure> {
    let source: Source = arguments.source.parse().map_err(Failure::usage)?;
    let target: Source = arguments.target.parse().map_err(Failure::usage)?;
    let target = WritablePlace::try_from(target)?;
    let host = match &target {
        WritablePlace::Registry(reference) => Some(reference.repository().host().clone()),
        WritablePlace::Layout { .. } => None,
    };
    let app = process::app_at(global, host)?;
    let referrers = if arguments.referrers { ReferrersToo::Yes } else { ReferrersToo::No };
    let request = CopyRequest { source, target, referrers };
    let plan = plan_copy(&app, &request).await?;
    let done = match global.dry_run {
        true => None,
        false => Some(copy(&app, &request, &plan).await?),
    };
    let tag = plan.tag.as_ref().map(|tag| match tag {
        TagPlan::Create(tag) => WireTag { tag: tag.to_string(), new: true },
        TagPlan::Same(tag) => WireTag { tag: tag.to_string(), new: false },
    });
    let wire = Wire {
        digest: plan.digest.to_string(),
        target: arguments.target,
        tag,
        sent: done.as_ref().map(sent).unwrap_or_default(),
        dry_run: global.dry_run,
    };
    global.output().data("copy", &wire, || text(&wire, done.as_ref()));
    Ok(Exit::Done)
}

fn sent(done: &Copied) -> WireSent {
    WireSent {
        sent: Some(done.sent),
        sent_bytes: Some(done.sent_bytes),
        mounted: Some(done.mounted),
        present: Some(done.present),
        referrers: Some(done.referrers),
    }
}

fn text(wire: &Wire, done: Option<&Copied>) -> String {
    let (digest, target) = (&wire.digest, crate::output::plain(&wire.target));
    match (done, &wire.tag) {
        (Some(done), _) => format!(
            "{digest} -> {target}\n{} blobs sent ({} bytes), {} mounted, {} there already\n",
            done.sent, done.sent_bytes, done.mounted, done.present
        ),
        (None, Some(WireTag { tag, new: false })) => {
            format!("{digest} -> {target}\nwould be copied; tag {tag} names it already\n")
        }
        (None, Some(WireTag { tag, new: true })) => {
            format!("{digest} -> {target}\nwould be copied, and tag {tag} made\n")
        }
        (None, None) => format!("{digest} -> {target}\nwould be copied\n"),
    }
}
