//! YAML as a flat tree of spans: every node knows its bytes, and no byte is lost.
//!
//! ```text
//! image: "shop/api:1"   ->   Mapping[ Key `image` 0..5, Scalar(Double) 7..19 ]
//! ```
//! [`scan`] is our own one-pass reader, which also bears `{{ }}` lines; [`oracle`] is another reader, not
//! written here, that must agree with it before a file is edited. Neither expands an alias.

mod block;
mod build;
mod flow;
mod lexer;
mod marks;
mod oracle;
mod scalar;
mod tree;
mod value;

pub(crate) use marks::{Mark, Shape, marks};
pub(crate) use oracle::agree;
pub(crate) use tree::{Kind, Layout, NodeId, Style, Tree};
pub(crate) use value::{is_null, is_text};

/// Nested collections at most; workload files have about a dozen. Source: DESIGN §12, "JSON depth".
pub const DEPTH_MAX: usize = 64;
/// Anchors in one file at most.
pub const ANCHORS_MAX: usize = 1_000;
/// Aliases in one file at most.
pub const ALIASES_MAX: usize = 10_000;

/// What stops the reader, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{what}")]
pub(crate) struct Broken {
    /// The byte at which it stopped.
    pub(crate) at: usize,
    /// Why.
    pub(crate) what: What,
}

/// The ways in which a text is no YAML that we read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum What {
    /// More than [`DEPTH_MAX`].
    #[error("collections are nested more than {DEPTH_MAX} deep")]
    Depth,
    /// More than [`ANCHORS_MAX`].
    #[error("there are more than {ANCHORS_MAX} anchors")]
    Anchors,
    /// More than [`ALIASES_MAX`].
    #[error("there are more than {ALIASES_MAX} aliases")]
    Aliases,
    /// Lookups would take too long.
    #[error("mappings are so large and so many that the file is not searched")]
    Lookups,
    /// A quote or bracket that never closes.
    #[error("a quote or bracket that opens here is never closed")]
    Unclosed,
    /// A line stands deeper than its siblings.
    #[error("the indentation fits neither the line before nor its parent")]
    Indentation,
    /// A tab where spaces must stand.
    #[error("a tab stands in the indentation")]
    Tab,
    /// Text after a value that was complete.
    #[error("text follows a value that is complete")]
    Trailing,
    /// A line in a mapping that has no colon.
    #[error("a `key:` was expected")]
    NoColon,
    /// A mapping or sequence on a line where none may begin.
    #[error("a mapping or sequence cannot begin on this line")]
    Misplaced,
    /// Two anchors or two tags on one node.
    #[error("a node has two anchors or two tags")]
    Properties,
    /// A character that begins nothing.
    #[error("no value begins with this character")]
    Character,
    /// The head of a `|` or `>` block.
    #[error("the head of a block of text is malformed")]
    BlockHead,
}

/// Reads a whole text.
pub(crate) fn scan(text: &str) -> Result<Tree<'_>, Broken> {
    let mut lexer = lexer::Lexer::new(text);
    lexer.stream()?;
    Ok(lexer.into_tree())
}
