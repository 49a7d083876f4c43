//! `indelible copy SOURCE TARGET`

use crate::arguments::Global;
use crate::exit::{Exit, Failure};
use crate::process;
use domain::ImageRef;
use flows::copy::{CopyRequest, copy};
use remote::Source;
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
    sent: usize,
    sent_bytes: u64,
    mounted: usize,
    present: usize,
    referrers: usize,
}

pub(crate) async fn run(global: &Global, arguments: Arguments) -> Result<Exit, Failure> {
    let source: Source = arguments.source.parse().map_err(Failure::usage)?;
    let target: Source = arguments.target.parse().map_err(Failure::usage)?;
    if global.dry_run {
        return Err(Failure::usage(
            "`copy` has no dry run: it writes by digest, and a tag only where there is none",
        ));
    }
    let hosts = match &target {
        Source::Registry(ImageRef::Bare(repository)) => vec![repository.host().clone()],
        Source::Registry(reference) => vec![reference.repository().host().clone()],
        Source::Layout { .. }
        | Source::OciArchive { .. }
        | Source::DockerArchive { .. }
        | Source::Daemon { .. } => Vec::new(),
    };
    let app = process::app_at(global, hosts)?;
    let request = CopyRequest { source, target, referrers: arguments.referrers };
    let done = copy(&app, &request).await?;
    let wire = Wire {
        digest: done.digest.to_string(),
        target: arguments.target.clone(),
        sent: done.sent,
        sent_bytes: done.sent_bytes,
        mounted: done.mounted,
        present: done.present,
        referrers: done.referrers,
    };
    global.output().data("copy", &wire, || {
        format!(
            "{} -> {}\n{} blobs sent ({} bytes), {} mounted, {} there already\n",
            wire.digest,
            crate::output::plain(&wire.target),
            wire.sent,
            wire.sent_bytes,
            wire.mounted,
            wire.present
        )
    });
    Ok(Exit::Done)
}
