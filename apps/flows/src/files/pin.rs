//! `pin`: a digest beside every tag, in three steps of which only the second reaches the network.
//!
//! ```text
//! read(paths) -> sources ; sources.wanted() -> resolve -> answers ; plan(sources, answers) -> draft
//! ```
//! The filter (`pin -`) is all or nothing: what reads its output would run whatever is missing from it.

use super::draft::{Changed, Draft, Source, Why, left};
use super::error::FilesError;
use super::lock::Lock;
use super::look_up::Found;
use super::moves::{Moves, tag_of};
use super::relock::Named;
use super::resolve::{AskedFor, asks_for};
use super::walk::{Unread, each_file};
use domain::{Digest, ImageRef, PinnedRef, RuleSet, TaggedRef};
use pin::scan::FILE_BYTES_MAX;
use pin::{
    Found as At, Level, Plan, Scan, Site, Skip, Style, Verdict, judge, plan_pin, plan_update,
};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// Files that were read, with their places.
#[derive(Debug)]
pub struct Sources {
    pub(super) files: Vec<Source>,
    unread: Vec<Unread>,
    passed_over: Vec<String>,
    looked_at: usize,
}

/// Reads the files below the paths.
///
/// # Errors
/// A path that is not there.
pub fn read(cwd: &Path, paths: &[PathBuf]) -> Result<Sources, FilesError> {
    let walked = each_file(cwd, paths, |file| {
        let source = Source::of(file)?;
        Ok((!source.scan.sites.is_empty()).then_some(source))
    })?;
    Ok(Sources {
        files: walked.found,
        unread: walked.unread,
        passed_over: walked.passed_over,
        looked_at: walked.looked_at,
    })
}

/// Reads the text of standard input.
///
/// # Errors
/// It is empty, too long, no text, or none of the formats.
pub fn filter(bytes: Vec<u8>) -> Result<Sources, FilesError> {
    if bytes.is_empty() {
        return Err(FilesError::EmptyInput);
    }
    if bytes.len() > FILE_BYTES_MAX {
        return Err(FilesError::InputSize);
    }
    let text = String::from_utf8(bytes).map_err(|_| FilesError::InputEncoding)?;
    let format = pin::classify("-", &text).ok_or(FilesError::InputFormat)?;
    // What is built often has the definitions of its kinds with it.
    let mut knowledge = pin::Knowledge::default();
    if pin::crd::is_defined_in(&text) {
        knowledge.learn(pin::crd::images(&text).unwrap_or_default());
    }
    let scan = pin::scan_with(format, &text, &knowledge).map_err(FilesError::Input)?;
    let source = Source { path: "-".into(), shown: "-".to_owned(), text, scan };
    Ok(Sources { files: vec![source], unread: Vec::new(), passed_over: Vec::new(), looked_at: 1 })
}

impl Sources {
    /// What must be asked of registries, each once.
    #[must_use]
    pub fn wanted(&self) -> BTreeSet<TaggedRef> {
        self.references().filter_map(asks_for).collect()
    }

    /// The pins that have a tag, each once; what a comment takes out is not among them.
    #[must_use]
    pub fn pins(&self) -> BTreeSet<PinnedRef> {
        let pins = self.references().filter_map(|reference| match reference {
            ImageRef::Pinned(pinned) => Some(pinned.clone()),
            ImageRef::Bare(_) | ImageRef::Tagged(_) => None,
        });
        pins.filter(|pinned| pinned.tag.is_some()).collect()
    }

    /// What each tag will be pinned to, after the pin that [`plan`] drafts.
    #[must_use]
    pub fn named(&self, found: &Found, moves: &Moves) -> Named {
        let mut named = Named::new();
        for reference in self.references() {
            let after = match reference {
                ImageRef::Pinned(pinned) => {
                    let digest = *moves.to.get(pinned).unwrap_or(&pinned.digest);
                    tag_of(pinned).map(|tagged| (tagged, digest))
                }
                ImageRef::Bare(_) | ImageRef::Tagged(_) => asks_for(reference)
                    .and_then(|asked| Some((asked.clone(), found.writable(&asked)?))),
            };
            if let Some((tagged, digest)) = after {
                named.entry(tagged).or_default().insert(digest);
            }
        }
        named
    }

    /// The text of standard input, for one that stays as it is.
    #[must_use]
    pub fn text(&self) -> &str {
        self.files.first().map_or("", |source| &source.text)
    }

    /// References that a pin would look up; what a comment takes out is not asked for.
    pub(super) fn references(&self) -> impl Iterator<Item = &ImageRef> {
        let sites = self.files.iter().flat_map(|source| &source.scan.sites);
        sites.filter(|site| site.marker.is_none()).filter_map(reference)
    }
}

/// Drafts a pin of every place that has an answer, and of every pin that moves.
#[must_use]
pub fn plan(
    sources: Sources,
    found: &Found,
    moves: &Moves,
    style: Style,
    rules: &RuleSet,
) -> Draft {
    let digests: BTreeMap<ImageRef, Digest> = sources
        .references()
        .filter_map(|reference| Some((reference.clone(), found.writable(&asks_for(reference)?)?)))
        .collect();
    let note = |site: &Site, changed| {
        let pin = pin_of(site);
        let moved = pin.and_then(|pin| moves.to.get(pin));
        let digest = reference(site).and_then(|reference| digests.get(reference)).or(moved);
        let asked = reference(site).and_then(asks_for).or_else(|| pin.and_then(tag_of));
        Changed {
            digest: digest.copied(),
            floating: floating(site, rules),
            moved: pin.and_then(|pin| moves.reasons.get(pin)).cloned(),
            basis: asked.and_then(|asked| found.basis.get(&asked).copied()),
            ..changed
        }
    };
    let plan = |scan: &Scan| plan_update(scan, &digests, &moves.to, style);
    let stays = |pin: &PinnedRef| moves.left.get(pin).cloned().map(Why::NotMoved);
    draft(sources, plan, note, |site, skip| because(site, skip, found), stays)
}

/// Drafts what a pin would change, without asking anybody; the digests are not the real ones.
///
/// Where there is a lock, a pin that it does not name, or names otherwise, is left with that reason.
#[must_use]
pub fn locked(sources: Sources, style: Style, lock: Option<&Lock>) -> Draft {
    let none = Digest::sha256(b"");
    let digests: BTreeMap<ImageRef, Digest> =
        sources.references().map(|reference| (reference.clone(), none)).collect();
    let plan = |scan: &Scan| plan_pin(scan, &digests, style);
    let stays = |pin: &PinnedRef| match lock?.images.get(&tag_of(pin)?) {
        Some(entry) if entry.digest == pin.digest => None,
        Some(entry) => Some(Why::OtherInLock(entry.digest)),
        None => Some(Why::NotInLock),
    };
    draft(sources, plan, |_, changed| changed, |_, skip| Why::Skip(skip.clone()), stays)
}

fn draft(
    sources: Sources,
    plan: impl Fn(&Scan) -> Plan,
    note: impl Fn(&Site, Changed) -> Changed,
    because: impl Fn(&Site, &Skip) -> Why,
    stays: impl Fn(&PinnedRef) -> Option<Why>,
) -> Draft {
    let mut draft = Draft {
        unread: sources.unread,
        passed_over: sources.passed_over,
        looked_at: sources.looked_at,
        ..Draft::default()
    };
    for source in &sources.files {
        draft.add(source, &plan(&source.scan), &note, &because);
        let pins = source.scan.sites.iter().filter(|site| site.marker.is_none());
        draft.left.extend(pins.filter_map(|site| {
            let why = stays(pin_of(site)?)?;
            Some(left(source, site, why))
        }));
    }
    draft
}

/// The pin that stands at a place.
fn pin_of(site: &Site) -> Option<&PinnedRef> {
    match reference(site)? {
        ImageRef::Pinned(pinned) => Some(pinned),
        ImageRef::Bare(_) | ImageRef::Tagged(_) => None,
    }
}

fn reference(site: &Site) -> Option<&ImageRef> {
    match &site.found {
        At::Image(reference) => Some(reference),
        At::Opaque(_)
        | At::Malformed(_)
        | At::BuildTarget
        | At::Stage
        | At::Scratch
        | At::Inherits(_) => None,
    }
}

/// Why a place has no digest: the registry's answer, where it was asked.
fn because(site: &Site, skip: &Skip, found: &Found) -> Why {
    let asked = reference(site).and_then(asks_for);
    let (Skip::NoAnswer, Some(asked)) = (skip, asked) else {
        return Why::Skip(skip.clone());
    };
    match (found.held.get(&asked), found.answers.get(&asked)) {
        (Some(held), _) => Why::Held(held.clone()),
        (None, Some(AskedFor::NotThere)) => Why::NotThere(asked),
        (None, Some(AskedFor::Unknown(why))) => Why::Unknown(why.clone()),
        (None, Some(AskedFor::Digest(_)) | None) => Why::Skip(skip.clone()),
    }
}

/// Why a name can move, where it can: then what runs today may not be what is pinned today.
fn floating(site: &Site, rules: &RuleSet) -> Option<String> {
    match judge(site, Level::Tag, rules) {
        Verdict::Finding(finding) => Some(finding.message),
        Verdict::Pinned
        | Verdict::Accepted
        | Verdict::Locked(_)
        | Verdict::NotRequired
        | Verdict::Ignored(_)
        | Verdict::Unknown(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::resolve::Answers;
    use super::*;

    const NINES: &str = "sha256:9999999999999999999999999999999999999999999999999999999999999999";

    fn compose(images: &[&str]) -> Sources {
        let services: String = images
            .iter()
            .enumerate()
            .map(|(n, image)| format!("  s{n}:\n    image: {image}\n"))
            .collect();
        filter(format!("services:\n{services}").into_bytes()).unwrap()
    }

    fn answered(sources: &Sources, answer: impl Fn(&TaggedRef) -> AskedFor) -> Answers {
        sources.wanted().into_iter().map(|one| (one.clone(), answer(&one))).collect()
    }

    #[test]
    fn what_resolves_is_pinned_and_the_rest_says_why() {
        let sources = compose(&["a/b:1.4.2", "a/c", "a/gone:1.4", "a/silent:1.4"]);
        let answers = answered(&sources, |one| match one.repository.path().as_str() {
            "a/gone" => AskedFor::NotThere,
            "a/silent" => AskedFor::Unknown("no answer".to_owned()),
            _ => AskedFor::Digest(NINES.parse().unwrap()),
        });
        let draft = plan(
            sources,
            &answers.into(),
            &Moves::default(),
            Style::TagDigest,
            &RuleSet::default(),
        );
        let new = &draft.rewrites[0].new;
        assert!(
            new.contains(&format!("a/b:1.4.2@{NINES}\n"))
                && new.contains(&format!("a/c@{NINES}\n"))
        );
        assert_eq!(draft.changed[0].floating, None);
        assert_eq!(draft.changed[1].floating.as_deref(), Some("`a/c` has no tag: it can move"));
        let why: Vec<String> = draft.left.iter().map(|left| left.why.to_string()).collect();
        assert_eq!(why[0], "docker.io has no tag `1.4` of a/gone");
        assert_eq!(why[1], "could not find out its digest: no answer");
        assert_eq!(draft.restarts.into_iter().collect::<Vec<_>>(), ["service/s0", "service/s1"]);
    }

    #[test]
    fn a_lock_needs_no_registry() {
        let pinned = format!("a/b:1.4@{NINES}");
        assert!(locked(compose(&[&pinned]), Style::TagDigest, None).changed.is_empty());
        assert_eq!(locked(compose(&[&pinned, "a/c:1"]), Style::TagDigest, None).changed.len(), 1);
    }

    #[test]
    fn a_filter_says_what_is_wrong_with_its_input() {
        assert!(matches!(filter(Vec::new()), Err(FilesError::EmptyInput)));
        assert!(matches!(filter(vec![b'a', 0xff]), Err(FilesError::InputEncoding)));
        assert!(matches!(filter(b"a: b\n".to_vec()), Err(FilesError::InputFormat)));
        let at = |bytes: usize| {
            let mut text = b"FROM a\n#".to_vec();
            text.resize(bytes, b'x');
            filter(text)
        };
        assert!(at(FILE_BYTES_MAX).is_ok());
        assert!(matches!(at(FILE_BYTES_MAX + 1), Err(FilesError::InputSize)));
    }
}
