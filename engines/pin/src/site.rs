//! One place in a file that names an image, and what it says there.
//!
//! ```text
//! deploy/api.yaml:12:16  spec.template.spec.containers[0].image  `shop/api:1.4`  -> Found::Image
//! ```
//! Holds spans and values, no text of the file but the reference itself.

use domain::{ImageRef, ReferenceError, Repository};
use std::ops::Range;

/// A place that names an image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Site {
    /// The bytes of the reference; for split fields those of the field that a reader looks at first.
    pub span: Range<usize>,
    /// From 1.
    pub line: usize,
    /// From 1, in characters.
    pub column: usize,
    /// Which document of the file, from 0.
    pub document: usize,
    /// The way to it: `spec.template.spec.containers[0].image`, or a Dockerfile's instruction.
    pub path: String,
    /// Whose image it is.
    pub context: Context,
    /// The reference as the file writes it; split fields are joined.
    pub text: String,
    /// What that is.
    pub found: Found,
    /// Whether it is written in one piece.
    pub shape: Shape,
    /// Other places that take this value from here: YAML aliases, uses of a Dockerfile's `ARG` or of a matrix.
    pub aliases: Vec<AliasPlace>,
    /// A comment that asks to leave it alone.
    pub marker: Option<Marker>,
    /// Whether the place is known to hold an image, or only looks like it.
    pub certainty: Certainty,
    /// What the image is for.
    pub purpose: Purpose,
    /// When a node asks the registry again, where the file says so beside the image.
    pub pull: Option<PullPolicy>,
}

/// When a node asks the registry for an image that it may have already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PullPolicy {
    /// At every start.
    Always,
    /// Only where it has none of that name.
    IfNotPresent,
    /// Not at all.
    Never,
}

impl Site {
    /// The bytes from the first of its keys to the end of the last one's value; of a name in one piece, its own.
    #[must_use]
    pub fn extent(&self) -> Range<usize> {
        match &self.shape {
            Shape::Whole(token) => token.span.start..token.span.end.max(self.span.end),
            Shape::Seen(_) | Shape::Inside(_) => self.span.clone(),
            Shape::Fields(fields) => {
                let others = [&fields.other, &fields.tag, &fields.digest].into_iter().flatten();
                others.fold(fields.name.key.start..fields.name.raw.end, |all, field| {
                    all.start.min(field.key.start)..all.end.max(field.raw.end)
                })
            }
        }
    }
}

impl PullPolicy {
    /// Reads it as Kubernetes or Compose write it; nothing for what only one of them has.
    ///
    /// Source: Kubernetes, "Images", Image pull policy; compose-spec, 05-services.md, `pull_policy`.
    pub(crate) fn read(text: &str) -> Option<Self> {
        match text {
            "Always" | "always" => Some(Self::Always),
            "IfNotPresent" | "if_not_present" | "missing" => Some(Self::IfNotPresent),
            "Never" | "never" => Some(Self::Never),
            _ => None,
        }
    }

    /// As Kubernetes writes it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Always => "Always",
            Self::IfNotPresent => "IfNotPresent",
            Self::Never => "Never",
        }
    }
}

/// What an image is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Purpose {
    /// It runs in an environment.
    Workload,
    /// Another image is built from it.
    Base,
    /// A pipeline's steps run in it.
    Pipeline,
}

impl Purpose {
    /// The word for JSON.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Workload => "workload",
            Self::Base => "base",
            Self::Pipeline => "pipeline",
        }
    }
}

/// Who uses an image.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Context {
    /// The Kubernetes kind.
    pub kind: Option<String>,
    /// The workload's name.
    pub workload: Option<String>,
    /// The container, the Compose service, the Dockerfile's stage or the pipeline's job.
    pub container: Option<String>,
}

/// A place that takes its value from another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AliasPlace {
    /// From 1.
    pub line: usize,
    /// From 1, in characters.
    pub column: usize,
    /// The way to it.
    pub path: String,
}

/// What stands at a place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// An image reference.
    Image(ImageRef),
    /// Something that another program fills in: never touched.
    Opaque(Opaque),
    /// Something that no client could pull.
    Malformed(ReferenceError),
    /// The name that a Compose service gives to what it builds.
    BuildTarget,
    /// An earlier stage of the same Dockerfile.
    Stage,
    /// The empty image, which nothing can move.
    Scratch,
    /// A Kustomize entry that leaves the tag to the resources.
    Inherits(Repository),
}

/// Why a text cannot be read as it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Opaque {
    /// A variable: `$X`, `${X}`, `$(X)`, `%X%`, `#{X}#`.
    Variable,
    /// A template: `{{ … }}`, `{% … %}`, `<% … %>`, `<< … >>`.
    Template,
    /// It is written across lines or with escapes, so that no span of the file is the reference.
    Broken,
    /// The chart fills the tag in with its own `appVersion`.
    AppVersion,
    /// An operator, a module or a chart makes one or several names from this part.
    Part,
    /// It stands in a text that another program reads: JSON in a heredoc.
    Embedded,
}

/// How a reference is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Shape {
    /// In one scalar or word.
    Whole(Token),
    /// In several keys of one mapping.
    Fields(Box<Fields>),
    /// In a program or a key that nobody but a person should edit.
    Seen(Quote),
    /// In one scalar of a YAML that stands as text in a block.
    Inside(Box<Inside>),
}

/// A reference in a text in a block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inside {
    /// The bytes of the block, its head included.
    pub(crate) block: Range<usize>,
    /// The bytes of the reference in the text.
    pub(crate) span: Range<usize>,
    /// The scalar in the text.
    pub(crate) token: Token,
}

/// The line in which a reference was seen: what the line to use instead is made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quote {
    /// What stands before the reference on its line, without the blanks at its beginning.
    pub(crate) before: String,
    /// And after it.
    pub(crate) after: String,
    pub(crate) takes: Takes,
}

/// What the program that reads a seen reference takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Takes {
    /// A tag, a digest, or both.
    Both,
    /// Either a tag or a digest.
    Either,
    /// A digest in an argument of its own.
    Argument,
}

/// The scalar or word in which a reference stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    /// Quotes included.
    pub(crate) span: Range<usize>,
    /// What its value says before the reference.
    pub(crate) before: String,
    /// And after it.
    pub(crate) after: String,
}

/// Which program reads split fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FieldsKind {
    /// `name`, `newName`, `newTag`, `digest`.
    Kustomize,
    /// `registry`, `repository`, `tag`, `digest`, as charts and operators have it.
    Pair,
}

/// A reference in several keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fields {
    /// Who reads it.
    pub kind: FieldsKind,
    /// `name` or `repository`.
    pub(crate) name: Field,
    /// `newName`, or `registry`.
    pub(crate) other: Option<Field>,
    pub(crate) tag: Option<Field>,
    pub(crate) digest: Option<Field>,
    pub(crate) layout: FieldsLayout,
    pub(crate) room: Room,
}

/// Where split fields take a digest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Room {
    /// In a key of this name, also where it is not there yet.
    Key(&'static str, Form),
    /// Behind the tag.
    Tag,
    /// Nowhere.
    Nowhere(NoRoom),
}

/// How a digest is written in a key of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// With its algorithm.
    Whole,
    /// The hex digits alone: whoever reads them writes `sha256:` before.
    Hex,
}

/// Why split fields cannot take a digest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoRoom {
    /// A label has at most 63 characters, and neither `@` nor `:` among them. Source: Kubernetes, "Labels and Selectors".
    #[error(
        "the chart reads no `digest`, and writes the tag into a label, which a digest would break"
    )]
    Label,
    /// `semverCompare` fails on it.
    #[error(
        "the chart reads no `digest`, and compares the tag as a version, which a digest would break"
    )]
    Compared,
    /// The tag goes into something that is no image.
    #[error("the chart reads no `digest`, and uses the tag outside of the image too")]
    Elsewhere,
    /// The templates that were read do not mention the tag.
    #[error("the templates of the chart do not say how the tag is used")]
    Unused,
    /// The templates are somewhere else.
    #[error(
        "the chart's templates are not here, so nobody can tell whether its tag may hold a digest"
    )]
    NoTemplates,
    /// A module joins name and tag as it likes.
    #[error("name and tag are joined by a module, which may not take a digest")]
    Module,
}

impl Form {
    /// What a key of this form says.
    pub(crate) fn write(self, digest: &domain::Digest) -> String {
        let whole = digest.to_string();
        match self {
            Self::Whole => whole,
            Self::Hex => whole.split_once(':').map_or(whole.clone(), |(_, hex)| hex.to_owned()),
        }
    }

    /// The digest that a key of this form means.
    pub(crate) fn read(self, value: &str) -> String {
        match self {
            Self::Hex if !value.contains(':') => format!("sha256:{value}"),
            Self::Whole | Self::Hex => value.to_owned(),
        }
    }
}

/// Where a new key would go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FieldsLayout {
    /// On a line of its own, at this column.
    Lines {
        column: usize,
        /// As the file writes it.
        line_break: &'static str,
    },
    /// Behind a comma.
    Braces,
}

/// One of the keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Field {
    pub(crate) key: Range<usize>,
    /// Quotes included.
    pub(crate) raw: Range<usize>,
    pub(crate) value: String,
    pub(crate) written: Written,
    /// The end of the value's line, its break not included.
    pub(crate) line_end: usize,
    /// The whole line with its break, where it holds this key alone.
    pub(crate) line: Option<Range<usize>>,
}

/// Whether a field can be rewritten in place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Written {
    Plain,
    Single,
    Double,
    /// An alias, a block or several lines: left alone.
    Elsewhere,
}

/// A comment or an annotation that asks to leave a place alone; those of other tools where they speak of its image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Marker {
    /// `# indelible: ignore`
    Ignore,
    /// `# ratchet:exclude`
    RatchetExclude,
    /// `# zizmor: ignore[unpinned-images]`
    Zizmor,
    /// `# renovate: ignore`
    Renovate,
    /// `# hadolint ignore=DL3007`
    Hadolint,
    /// `# checkov:skip=CKV_DOCKER_7`, or the annotation `checkov.io/skip1: CKV_K8S_14`
    Checkov,
    /// The annotation `ignore-check.kube-linter.io/latest-tag`
    KubeLinter,
}

/// How sure it is that an image is named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Certainty {
    /// The format says so.
    Certain,
    /// A key that is called like one, in an object that we do not know.
    Likely,
}
