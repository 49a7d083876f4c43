//! `check --online`: what registries, and a cluster where one is named, say of the places of the files.
//!
//! ```text
//! nginx:1.27@sha256:old   its tag names sha256:new   -> moved       sha256:old is not there  -> digest-gone
//! shop/api:1.4            no such tag                -> tag-gone    nobody answers           -> unknown, no finding
//! ```
//! Each tag and each digest is asked for once; manifests are read only where a tag left its pin.

use super::check::{Answer, Checked};
use super::level::Requirements;
use super::look_up::{Ask, Found, look_up};
use super::moves::{reason, tag_of};
use super::pin::Sources;
use super::resolve::{Answers, AskedFor, IN_FLIGHT_HUB_MAX, Progress, asks_for, chain};
use crate::app::App;
use crate::registries::{Depth, Registries, RegistryError};
use domain::{Digest, ImageRef, PinnedRef, Repository, TaggedRef};
use futures_util::stream::{self, StreamExt as _};
use pin::{Drift, Finding, FindingKind, Found as At, ImageShape, Purpose, drift};
use std::collections::{BTreeMap, BTreeSet};
use tokio::sync::Semaphore;

/// Digests and manifests that are asked for at once.
const IN_FLIGHT_MAX: usize = 48;

/// What was found out.
#[derive(Debug, Default)]
pub struct Online {
    /// A row for each finding.
    pub rows: Vec<Checked>,
    /// Places of which something could not be found out.
    pub silent: Vec<Silent>,
    /// What went wrong on the way, and changes nothing of the answers.
    pub notes: Vec<String>,
}

/// A place of which something could not be found out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Silent {
    /// The path for people.
    pub path: String,
    /// From 1.
    pub line: usize,
    /// From 1, in characters.
    pub column: usize,
    /// As the file writes it.
    pub reference: String,
    /// Why.
    pub why: String,
}

/// What a cluster runs under each tag.
#[derive(Clone, Debug)]
pub struct RunsIn {
    /// The context.
    pub context: String,
    /// What runs, as `pin --running` would write it; a tag that no pod runs is unknown there.
    pub answers: Answers,
}

/// What was said of one reference.
#[derive(Debug, Default)]
struct Said {
    findings: Vec<(FindingKind, String)>,
    unknown: Vec<String>,
}

/// Whether a registry has a digest.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Presence {
    There,
    Gone,
    Unknown(String),
}

impl Sources {
    /// The tags that stand in the files, pinned or not.
    #[must_use]
    pub fn tags(&self) -> BTreeSet<TaggedRef> {
        self.references()
            .filter_map(|reference| match reference {
                ImageRef::Pinned(pinned) => tag_of(pinned),
                ImageRef::Bare(_) | ImageRef::Tagged(_) => asks_for(reference),
            })
            .collect()
    }
}

/// Asks for everything that the files name.
///
/// # Errors
/// The docker config or the like; a registry that does not answer is in the answer.
pub async fn online(
    app: &App,
    sources: &Sources,
    requirements: &Requirements,
    max_age_ms: i64,
    runs_in: Option<&RunsIn>,
    progress: &Progress,
) -> Result<Online, RegistryError> {
    let mut found = look_up(app, sources.tags(), &Ask::Registries { max_age_ms }, progress).await?;
    let references: BTreeSet<&ImageRef> = sources.references().collect();
    let registries = app.registries()?;
    progress.expects(references.len());
    let notes = std::mem::take(&mut found.notes);
    let (found, hub) = (&found, &Semaphore::new(IN_FLIGHT_HUB_MAX));
    let asked = references.into_iter().map(|reference| {
        let registries = registries.clone();
        async move {
            // Docker Hub counts; a closed semaphore, which this is not, would count nothing.
            let _turn = match reference.repository().host().is_docker_hub() {
                true => hub.acquire().await.ok(),
                false => None,
            };
            let said = match reference {
                ImageRef::Pinned(pinned) => pin(app, &registries, pinned, found, runs_in).await,
                ImageRef::Bare(_) | ImageRef::Tagged(_) => named(reference, found),
            };
            progress.one_more();
            (reference.clone(), said)
        }
    });
    let said: BTreeMap<ImageRef, Said> =
        stream::iter(asked).buffer_unordered(IN_FLIGHT_MAX).collect().await;
    Ok(Online { notes, ..rows(sources, requirements, &said) })
}

/// What is said of each, at each of its places.
fn rows(sources: &Sources, requirements: &Requirements, said: &BTreeMap<ImageRef, Said>) -> Online {
    let mut online = Online::default();
    for source in &sources.files {
        let required = requirements.of_file(&source.path);
        for site in source.scan.sites.iter().filter(|site| site.marker.is_none()) {
            let At::Image(reference) = &site.found else { continue };
            let Some(said) = said.get(reference) else { continue };
            let row = Checked {
                environment: required.environment.cloned(),
                ..Checked::of(&source.shown, source.scan.format, site, required.level)
            };
            for (kind, message) in &said.findings {
                let finding = Finding::new(*kind, site.purpose, message.clone());
                online.rows.push(Checked { answer: Answer::Finding(finding), ..row.clone() });
            }
            // A base or a step of a pipeline fails nothing, found out or not.
            for why in said.unknown.iter().filter(|_| site.purpose == Purpose::Workload) {
                online.silent.push(Silent {
                    path: row.path.clone(),
                    line: row.line,
                    column: row.column,
                    reference: row.reference.clone(),
                    why: why.clone(),
                });
            }
        }
    }
    online
}

/// A name without a digest: is there such a tag?
fn named(reference: &ImageRef, found: &Found) -> Said {
    let mut said = Said::default();
    let asked = asks_for(reference);
    match asked.as_ref().and_then(|asked| found.answers.get(asked)) {
        Some(AskedFor::NotThere) => said.tag_gone(asked.as_ref()),
        Some(AskedFor::Unknown(why)) => said.unknown.push(why.clone()),
        Some(AskedFor::Digest(_)) | None => {}
    }
    said
}

/// A pin: is its digest there, and does its tag still mean it?
async fn pin(
    app: &App,
    registries: &Registries,
    pinned: &PinnedRef,
    found: &Found,
    runs_in: Option<&RunsIn>,
) -> Said {
    let mut said = Said::default();
    let tagged = tag_of(pinned);
    let tag = tagged.as_ref().and_then(|tagged| found.answers.get(tagged));
    let by = tagged.as_ref().and_then(|tagged| found.by.get(tagged));
    let presence = match tag {
        // What a tag names was there when that was asked; a mirror's word is none for its registry.
        Some(AskedFor::Digest(now)) if *now == pinned.digest && by == Some(&pinned.repository) => {
            Presence::There
        }
        // A registry that did not answer is not asked once more.
        Some(AskedFor::Unknown(why)) => Presence::Unknown(why.clone()),
        Some(AskedFor::Digest(_) | AskedFor::NotThere) | None => {
            presence(registries, &pinned.repository, pinned.digest).await
        }
    };
    match &presence {
        Presence::There => {}
        Presence::Gone => said.add(
            FindingKind::DigestGone,
            format!(
                "{} has lost {}: what runs goes on, and will not start anew",
                pinned.repository.host(),
                pinned.digest.short()
            ),
        ),
        Presence::Unknown(why) => said.unknown.push(why.clone()),
    }
    match tag {
        Some(AskedFor::NotThere) => said.tag_gone(tagged.as_ref()),
        Some(AskedFor::Digest(now)) if *now != pinned.digest => {
            if let Some(tagged) = &tagged {
                let by = found.by.get(tagged).unwrap_or(&pinned.repository);
                said.left(app, registries, pinned, (tagged, by, *now), &presence).await;
            }
        }
        Some(AskedFor::Digest(_) | AskedFor::Unknown(_)) | None => {}
    }
    if let (Some(runs_in), Some(tagged)) = (runs_in, &tagged) {
        said.runs(registries, pinned, tagged, runs_in).await;
    }
    said
}

impl Said {
    fn add(&mut self, kind: FindingKind, message: String) {
        self.findings.push((kind, message));
    }

    fn tag_gone(&mut self, tagged: Option<&TaggedRef>) {
        if let Some(tagged) = tagged {
            let (host, tag) = (tagged.repository.host(), &tagged.tag);
            let name = tagged.repository.familiar();
            self.add(FindingKind::TagGone, format!("{host} has no tag `{tag}` of {name}"));
        }
    }

    /// The tag names another digest: which difference is it?
    async fn left(
        &mut self,
        app: &App,
        registries: &Registries,
        pinned: &PinnedRef,
        (tagged, by, now): (&TaggedRef, &Repository, Digest),
        presence: &Presence,
    ) {
        let old = match presence {
            Presence::There => shape(registries, &pinned.repository, pinned.digest).await,
            Presence::Gone | Presence::Unknown(_) => Ok(None),
        };
        let (old, new) = match (old, shape(registries, by, now).await) {
            (Ok(old), Ok(new)) => (old, new),
            (Err(why), _) | (_, Err(why)) => return self.unknown.push(why),
        };
        let text = format!("`{tagged}@{}`", pinned.digest.short());
        match drift(&pinned.digest, &now, old.as_ref(), new.as_ref()) {
            Drift::Same => {}
            Drift::OfPlatform(platform) => {
                let what = platform.map_or_else(
                    || "one image".to_owned(),
                    |of| format!("only the image for {of}"),
                );
                self.add(
                    FindingKind::PlatformDigest,
                    format!("{text} is {what} of the index {} that its tag names", now.short()),
                );
            }
            Drift::Republished => self.add(
                FindingKind::Republished,
                format!(
                    "{text}: its tag names {} now, another index of the same images",
                    now.short()
                ),
            ),
            Drift::Moved => {
                let reason = reason(app, tagged, now).await;
                self.add(FindingKind::Moved, format!("{text}: {reason}"));
            }
        }
    }

    /// Whether a cluster runs what is pinned.
    async fn runs(
        &mut self,
        registries: &Registries,
        pinned: &PinnedRef,
        tagged: &TaggedRef,
        runs_in: &RunsIn,
    ) {
        let Some(AskedFor::Digest(running)) = runs_in.answers.get(tagged) else {
            return;
        };
        if *running == pinned.digest {
            return;
        }
        // Pods report one platform's image of an index that the file names.
        let is_part = match shape(registries, &pinned.repository, pinned.digest).await {
            Ok(Some(ImageShape::Index(parts))) => parts.iter().any(|part| part.digest == *running),
            Ok(Some(ImageShape::Single(_)) | None) => false,
            Err(why) => return self.unknown.push(why),
        };
        if !is_part {
            self.add(
                FindingKind::NotWhatRuns,
                format!(
                    "`{tagged}@{}`: {} runs {}",
                    pinned.digest.short(),
                    runs_in.context,
                    running.short()
                ),
            );
        }
    }
}

async fn presence(registries: &Registries, repository: &Repository, digest: Digest) -> Presence {
    match registries.has(repository, digest).await {
        Ok(true) => Presence::There,
        Ok(false) => Presence::Gone,
        Err(error) => Presence::Unknown(chain(&error)),
    }
}

async fn shape(
    registries: &Registries,
    repository: &Repository,
    digest: Digest,
) -> Result<Option<ImageShape>, String> {
    let image = registries.inspect(repository, digest, Depth::Platforms).await;
    image.map(|image| image.map(|image| image.shape)).map_err(|error| chain(&error))
}
