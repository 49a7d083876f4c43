//! Which edits a pin, a set or an unpin needs; nothing is changed here.
//!
//! ```text
//! plan_pin(scan, {shop/api:1.4 -> sha256:9f…})  ->  one edit: shop/api:1.4@sha256:9f…
//! ```
//! A place that cannot be edited is listed with the reason, never passed over in silence.

use crate::edit::{Edit, Promise};
use crate::fields::{self, TagChange, Target};
use crate::scan::Scan;
use crate::site::{
    FieldsKind, Found, Inside, Marker, NoRoom, Opaque, Quote, Shape, Site, Takes, Token,
};
use crate::variable::with_defaults;
use domain::{Digest, ImageRef, PinnedRef, RefParts, Repository};
use std::collections::BTreeMap;

/// How a pin is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Style {
    /// `name:tag@digest`: the tag for people, the digest for machines.
    #[default]
    TagDigest,
    /// `name@digest`. Split fields keep their tag all the same.
    Digest,
}

/// What is to be done to a file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// For [`crate::apply`].
    pub edits: Vec<Edit>,
    /// The sites that say already what they should.
    pub same: Vec<usize>,
    /// The sites that were left alone, and why.
    pub skipped: Vec<Skipped>,
    /// The sites of which nobody can tell whether they were meant: another program writes the name.
    pub unsure: Vec<usize>,
}

/// A site that was left alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Skipped {
    /// As an index into the scan's sites.
    pub site: usize,
    /// Why.
    pub why: Skip,
}

/// Why a site is left alone.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Skip {
    /// A comment asks for it.
    #[error("a comment asks to leave it alone")]
    Ignored(Marker),
    /// Another program writes it.
    #[error("{}", written_by(*.0))]
    Opaque(Opaque),
    /// A variable writes it, and the file has what it says where nobody sets it.
    #[error("a variable writes it, and only its default stands in the file")]
    Default,
    /// It is no reference.
    #[error("it is no image reference")]
    Malformed,
    /// It names what a build makes.
    #[error("the service builds this image itself")]
    BuildTarget,
    /// The digest of this reference is not known.
    #[error("its digest is not known")]
    NoAnswer,
    /// Without the digest nothing would be left but the bare name.
    #[error("it has no tag to go back to")]
    NoTag,
    /// A part of it is an alias, a block of text or spread over lines.
    #[error("its `{key}` is written elsewhere or over several lines")]
    Elsewhere {
        /// The key.
        key: &'static str,
    },
    /// Split fields whose program we do not know cannot take another repository.
    #[error("its repository is in keys of their own, which only a person should change")]
    OtherRepository,
    /// Who reads its keys has no room for a digest.
    #[error(transparent)]
    NoRoom(#[from] NoRoom),
    /// It stands in a program, or in a key: only a person should write there.
    #[error("it is seen and not edited; the line to use instead: `{line}`")]
    Seen {
        /// The line as it should be.
        line: String,
    },
    /// No key could take the digest.
    #[error("it has neither `tag` nor `digest` to hold a digest")]
    NoPlace,
}

fn written_by(opaque: Opaque) -> &'static str {
    match opaque {
        Opaque::Variable => "a variable writes it",
        Opaque::Template => "a template writes it",
        Opaque::Broken => "it is written over several lines or with escapes",
        Opaque::AppVersion => "its tag is the appVersion of its chart",
        Opaque::Part => "it is a part of a name that another program joins",
        Opaque::Embedded => "it stands in a text that another program reads",
    }
}

/// Plans to put a digest beside every reference that has none.
///
/// `answers` holds what each reference resolves to now; a reference without an answer is skipped.
#[must_use]
pub fn plan_pin(scan: &Scan, answers: &BTreeMap<ImageRef, Digest>, style: Style) -> Plan {
    plan_update(scan, answers, &BTreeMap::new(), style)
}

/// As [`plan_pin`], and every pin that is in `moves` names that digest from now on, written as it is written now.
#[must_use]
pub fn plan_update(
    scan: &Scan,
    answers: &BTreeMap<ImageRef, Digest>,
    moves: &BTreeMap<PinnedRef, Digest>,
    style: Style,
) -> Plan {
    plan(scan, |site| match &site.found {
        Found::Stage | Found::Scratch | Found::Inherits(_) => Step::Nothing,
        Found::BuildTarget => Step::Skip(Skip::BuildTarget),
        Found::Opaque(why) => Step::Skip(Skip::Opaque(*why)),
        Found::Malformed(_) => Step::Skip(Skip::Malformed),
        Found::Image(ImageRef::Pinned(pinned)) => match moves.get(pinned) {
            Some(digest) if *digest != pinned.digest => {
                Step::Write(Target { name: None, tag: TagChange::Keep, digest: Some(*digest) })
            }
            Some(_) | None => Step::Same,
        },
        Found::Image(reference @ (ImageRef::Bare(_) | ImageRef::Tagged(_))) => {
            match answers.get(reference) {
                None => Step::Skip(Skip::NoAnswer),
                Some(digest) => Step::Write(Target {
                    name: None,
                    tag: match style {
                        Style::TagDigest => TagChange::Keep,
                        Style::Digest => TagChange::Drop,
                    },
                    digest: Some(*digest),
                }),
            }
        }
    })
}

/// Plans to make every place that names `repository` name `to`; no place that does is for the caller to report.
///
/// The name stays as the file writes it, unless `to` lives elsewhere. A place that has the digest already is
/// not touched, even where its tag differs: nothing would restart, nothing should change.
#[must_use]
pub fn plan_set(scan: &Scan, repository: &Repository, to: &PinnedRef) -> Plan {
    plan(scan, |site| {
        let names = named(site);
        if names.is_empty() && matches!(site.found, Found::Opaque(_)) {
            return Step::Unsure;
        }
        let Some(name) = names.into_iter().find(|name| name == repository) else {
            return Step::Nothing;
        };
        match &site.found {
            Found::Stage | Found::Scratch => Step::Nothing,
            Found::BuildTarget => Step::Skip(Skip::BuildTarget),
            Found::Opaque(why) if default_of(site).is_none() => Step::Skip(Skip::Opaque(*why)),
            Found::Opaque(_) => Step::Skip(Skip::Default),
            Found::Image(ImageRef::Pinned(pinned))
                if pinned.digest == to.digest && pinned.repository == to.repository =>
            {
                Step::Same
            }
            Found::Image(_) | Found::Malformed(_) | Found::Inherits(_) => Step::Write(Target {
                name: (effective(site).unwrap_or(name) != to.repository)
                    .then(|| to.repository.familiar()),
                // A new digest without a tag: the old tag beside it would be a lie.
                tag: to.tag.as_ref().map_or(TagChange::Drop, |tag| TagChange::To(tag.to_string())),
                digest: Some(to.digest),
            }),
        }
    })
}

/// Plans to take every digest away that stands beside a tag.
#[must_use]
pub fn plan_unpin(scan: &Scan) -> Plan {
    plan(scan, |site| match &site.found {
        Found::Image(ImageRef::Pinned(pinned)) if pinned.tag.is_none() => Step::Skip(Skip::NoTag),
        Found::Image(ImageRef::Pinned(_)) => {
            Step::Write(Target { name: None, tag: TagChange::Keep, digest: None })
        }
        Found::Image(ImageRef::Bare(_) | ImageRef::Tagged(_))
        | Found::Opaque(_)
        | Found::Malformed(_)
        | Found::BuildTarget
        | Found::Stage
        | Found::Scratch
        | Found::Inherits(_) => Step::Nothing,
    })
}

/// What is to be done at one site.
enum Step {
    Nothing,
    Same,
    Unsure,
    Skip(Skip),
    Write(Target),
}

fn plan(scan: &Scan, decide: impl Fn(&Site) -> Step) -> Plan {
    let mut plan = Plan::default();
    for (at, site) in scan.sites.iter().enumerate() {
        let skip = |why| Skipped { site: at, why };
        match (decide(site), site.marker) {
            (Step::Nothing, _) | (Step::Unsure, Some(_)) => {}
            (Step::Unsure, None) => plan.unsure.push(at),
            (Step::Same, _) => plan.same.push(at),
            (Step::Write(_) | Step::Skip(_), Some(marker)) => {
                plan.skipped.push(skip(Skip::Ignored(marker)));
            }
            (Step::Skip(why), None) => plan.skipped.push(skip(why)),
            (Step::Write(target), None) => {
                let edits = match &site.shape {
                    Shape::Whole(token) => Ok(vec![whole(at, site, token, &target)]),
                    Shape::Fields(fields) => fields::edits(at, fields, &target),
                    Shape::Inside(inside) => Ok(vec![within(at, site, inside, &target)]),
                    Shape::Seen(quote) => Err(Skip::Seen { line: instead(site, quote, target) }),
                };
                match edits {
                    Ok(edits) if edits.is_empty() => plan.same.push(at),
                    Ok(edits) => plan.edits.extend(edits),
                    Err(why) => plan.skipped.push(skip(why)),
                }
            }
        }
    }
    plan
}

/// The repositories under which a site may be asked for.
fn named(site: &Site) -> Vec<Repository> {
    let read = |text: &str| text.parse::<Repository>().ok();
    let mut all: Vec<Repository> = effective(site).into_iter().collect();
    if let Shape::Fields(fields) = &site.shape
        && fields.kind == FieldsKind::Kustomize
    {
        all.extend(read(&fields.name.value));
    }
    all
}

/// The repository that a site pulls from, also where the rest of it cannot be read.
fn effective(site: &Site) -> Option<Repository> {
    let filled = default_of(site);
    let text = filled.as_deref().unwrap_or(&site.text);
    text.get(RefParts::split(text).name)?.parse().ok()
}

/// What a site says where nobody sets its variables; nothing where they have no defaults.
fn default_of(site: &Site) -> Option<String> {
    match &site.found {
        Found::Opaque(Opaque::Variable) => with_defaults(&site.text),
        Found::Opaque(
            Opaque::Template
            | Opaque::Broken
            | Opaque::AppVersion
            | Opaque::Part
            | Opaque::Embedded,
        )
        | Found::Image(_)
        | Found::Malformed(_)
        | Found::BuildTarget
        | Found::Stage
        | Found::Scratch
        | Found::Inherits(_) => None,
    }
}

/// One reference in a text in a block: the same edit, told in both texts.
fn within(at: usize, site: &Site, inside: &Inside, target: &Target) -> Edit {
    let edit = whole(at, site, &inside.token, target);
    let (span, text) = (edit.span.clone(), edit.text.clone());
    let inner = Box::new(Edit { span: inside.span.clone(), ..edit });
    Edit {
        span,
        text,
        site: at,
        promise: Promise::Inside { block: inside.block.clone(), edit: inner },
    }
}

/// One reference in one piece.
fn whole(at: usize, site: &Site, token: &Token, target: &Target) -> Edit {
    let text = rewritten(&site.text, target);
    Edit {
        span: site.span.clone(),
        site: at,
        promise: Promise::Becomes {
            token: token.span.clone(),
            value: format!("{}{text}{}", token.before, token.after),
        },
        text,
    }
}

/// The line to use instead of one that is only seen.
fn instead(site: &Site, quote: &Quote, target: Target) -> String {
    let tag = match (quote.takes, &target.digest) {
        (Takes::Argument, Some(digest)) => return format!("digest = \"{digest}\""),
        (Takes::Either, Some(_)) => TagChange::Drop,
        (Takes::Argument | Takes::Either | Takes::Both, _) => target.tag,
    };
    let text = rewritten(&site.text, &Target { tag, ..target });
    format!("{}{text}{}", quote.before, quote.after)
}

/// A reference with only the parts written anew that change.
fn rewritten(old: &str, target: &Target) -> String {
    let parts = RefParts::split(old);
    let part = |span: Option<std::ops::Range<usize>>| span.and_then(|span| old.get(span));
    let written = part(Some(parts.name)).unwrap_or_default();
    let mut text = target.name.clone().unwrap_or_else(|| written.to_owned());
    let tag = match &target.tag {
        TagChange::To(tag) => Some(tag.as_str()),
        TagChange::Keep => part(parts.tag),
        TagChange::Drop => None,
    };
    if let Some(tag) = tag {
        text.push(':');
        text.push_str(tag);
    }
    if let Some(digest) = &target.digest {
        text.push('@');
        text.push_str(&digest.to_string());
    }
    text
}
