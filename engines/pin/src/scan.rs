//! From a file's text to the sites in it.
//!
//! ```text
//! scan(Format::Compose, "services: {api: {image: shop/api}}\n")  ->  one site at 1:25
//! ```
//! Says where and why when a text cannot be read; it never guesses.

use crate::classify::Format;
use crate::collector::Collector;
use crate::format::{Reader, dockerfile};
use crate::knowledge::Knowledge;
use crate::place::Places;
use crate::site::{Found, Purpose, Site};
use crate::yaml::{self, What};
use domain::ImageRef;

/// The longest file that is read, in bytes.
pub const FILE_BYTES_MAX: usize = 8 * 1024 * 1024;
/// The most places in one file.
pub const SITES_MAX: usize = 10_000;

/// What was found in a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scan {
    /// What it was read as.
    pub format: Format,
    /// In the order in which they stand in the file.
    pub sites: Vec<Site>,
    /// Whether a template's lines were passed over: what they would write is unknown.
    pub is_templated: bool,
}

impl Scan {
    /// Only the places whose images are for this.
    #[must_use]
    pub fn only(mut self, purpose: Purpose) -> Self {
        self.sites.retain(|site| site.purpose == purpose);
        self
    }

    /// The references that name no digest and are not asked to be left alone: what a pin has to resolve.
    pub fn unpinned(&self) -> impl Iterator<Item = &ImageRef> {
        self.sites.iter().filter_map(|site| match &site.found {
            Found::Image(reference @ (ImageRef::Bare(_) | ImageRef::Tagged(_)))
                if site.marker.is_none() =>
            {
                Some(reference)
            }
            Found::Image(_)
            | Found::Opaque(_)
            | Found::Malformed(_)
            | Found::BuildTarget
            | Found::Stage
            | Found::Scratch
            | Found::Inherits(_) => None,
        })
    }
}

/// Why a text could not be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ScanError {
    /// More than [`FILE_BYTES_MAX`].
    #[error("the file has {found} bytes, at most {FILE_BYTES_MAX} are read")]
    Size {
        /// Its length.
        found: usize,
    },
    /// More than [`SITES_MAX`].
    #[error("the file names more than {SITES_MAX} images")]
    Sites,
    /// Not the format, or more of it than we read.
    #[error("line {line}, column {column}: {what}")]
    Yaml {
        /// From 1.
        line: usize,
        /// From 1, in characters.
        column: usize,
        /// What is wrong there.
        what: What,
    },
    /// Not the language that it should be, or more of it than we read.
    #[error("line {line}, column {column}: {what}")]
    Text {
        /// From 1.
        line: usize,
        /// From 1, in characters.
        column: usize,
        /// What is wrong there.
        what: String,
    },
}

/// A text that could not be read, where it stops making sense.
pub(crate) fn broken(text: &str, at: usize, what: &str) -> ScanError {
    let (line, column) = Places::new(text).of(at);
    ScanError::Text { line, column, what: what.to_owned() }
}

/// Finds every place in a text that names an image.
///
/// # Errors
/// When the text is no YAML that we read, or is more than the limits allow.
pub fn scan(format: Format, text: &str) -> Result<Scan, ScanError> {
    scan_with(format, text, &Knowledge::default())
}

/// The same, by someone who knows more than the text says.
///
/// # Errors
/// As [`scan`].
pub fn scan_with(format: Format, text: &str, knowledge: &Knowledge) -> Result<Scan, ScanError> {
    if text.len() > FILE_BYTES_MAX {
        return Err(ScanError::Size { found: text.len() });
    }
    let mut is_templated = false;
    let mut sites = match format.spec().reader {
        Reader::Dockerfile => dockerfile::sites(text),
        Reader::Marked { sites, .. } => sites(text)?,
        Reader::Seen(sites) => sites(text),
        Reader::Yaml(collect) => {
            let tree = read(text)?;
            is_templated = tree.is_templated;
            let mut collector = Collector::new(&tree, format.purpose(), knowledge);
            collect(&mut collector);
            collector.see_scripts(format.scripts());
            let sites = collector.finish();
            if tree.is_exhausted() {
                return Err(ScanError::Yaml { line: 1, column: 1, what: What::Lookups });
            }
            sites
        }
    };
    if sites.len() > SITES_MAX {
        return Err(ScanError::Sites);
    }
    sites.sort_by_key(|site| site.span.start);
    Ok(Scan { format, sites, is_templated })
}

/// Reads YAML, with the place in people's terms where it cannot.
pub(crate) fn read(text: &str) -> Result<yaml::Tree<'_>, ScanError> {
    yaml::scan(text).map_err(|broken| {
        let (line, column) = Places::new(text).of(broken.at);
        ScanError::Yaml { line, column, what: broken.what }
    })
}
