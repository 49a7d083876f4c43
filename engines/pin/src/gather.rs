//! Gathers the places of a text that is no YAML: what the other formats share.
//!
//! ```text
//! image = "shop/api:1.4"   ->  a literal (its quotes, what is between them, what that says)  ->  a site
//! ```
//! A place is either one that an edit may rewrite, or one that is only seen.

use crate::collector::read_reference;
use crate::marker::marker;
use crate::place::{Places, line_end, line_start, opaque};
use crate::scan::SITES_MAX;
use crate::site::{Certainty, Context, Found, Opaque, Purpose, Quote, Shape, Site, Takes, Token};
use crate::variable::with_defaults;
use std::ops::Range;

/// The longest text that a site repeats of its file, in bytes.
const TEXT_BYTES_MAX: usize = 512;
/// How much of a line is shown on each side of a reference.
const QUOTE_BYTES_MAX: usize = 160;

/// A string or a word of a text.
#[derive(Clone, Debug)]
pub(crate) struct Literal {
    /// Quotes included.
    pub(crate) token: Range<usize>,
    /// The bytes between the quotes.
    pub(crate) inner: Range<usize>,
    /// What it says: escapes are undone.
    pub(crate) value: String,
}

/// What is known about a place beside its text.
#[derive(Clone, Debug)]
pub(crate) struct About {
    pub(crate) path: String,
    pub(crate) context: Context,
    pub(crate) certainty: Certainty,
    pub(crate) purpose: Purpose,
}

/// Gathers the sites of one text.
pub(crate) struct Gatherer<'t> {
    text: &'t str,
    places: Places<'t>,
    sites: Vec<Site>,
}

impl Literal {
    /// A word without quotes.
    pub(crate) fn word(text: &str, span: Range<usize>) -> Self {
        let value = text.get(span.clone()).unwrap_or_default().to_owned();
        Self { token: span.clone(), inner: span, value }
    }
}

impl<'t> Gatherer<'t> {
    pub(crate) fn new(text: &'t str) -> Self {
        Self { text, places: Places::new(text), sites: Vec::new() }
    }

    /// Whether the limit was passed, after which collecting more is of no use.
    pub(crate) fn is_full(&self) -> bool {
        self.sites.len() > SITES_MAX
    }

    pub(crate) fn finish(self) -> Vec<Site> {
        self.sites
    }

    /// Adds a reference that an edit may rewrite.
    pub(crate) fn add(&mut self, literal: &Literal, about: About) -> &mut Site {
        let text = literal.value.trim();
        let lead = literal.value.len() - literal.value.trim_start().len();
        let shape = Shape::Whole(Token {
            span: literal.token.clone(),
            before: literal.value[..lead].to_owned(),
            after: literal.value[lead + text.len()..].to_owned(),
        });
        self.place(literal, shape, about)
    }

    /// Adds a reference that nobody but a person should edit.
    pub(crate) fn see(&mut self, literal: &Literal, about: About) -> &mut Site {
        let span = self.written(literal).unwrap_or_else(|| literal.token.clone());
        let shape = Shape::Seen(quote(self.text, &span));
        self.place(literal, shape, about)
    }

    /// The bytes that are the reference, where it is written as it reads.
    fn written(&self, literal: &Literal) -> Option<Range<usize>> {
        let text = literal.value.trim();
        let inner = self.text.get(literal.inner.clone())?;
        if text.is_empty() || inner.trim() != text {
            return None;
        }
        let start = literal.inner.start + (inner.len() - inner.trim_start().len());
        Some(start..start + text.len())
    }

    fn place(&mut self, literal: &Literal, shape: Shape, about: About) -> &mut Site {
        let text = literal.value.trim();
        let written = self.written(literal);
        let found = match written {
            None if !text.is_empty() => Found::Opaque(opaque(text).unwrap_or(Opaque::Broken)),
            Some(_) | None => read_reference(text),
        };
        let span = written.unwrap_or_else(|| literal.token.clone());
        let (line, column) = self.places.of(span.start);
        self.sites.push(Site {
            line,
            column,
            document: 0,
            path: about.path,
            context: about.context,
            text: text[..text.floor_char_boundary(TEXT_BYTES_MAX)].to_owned(),
            marker: marker(self.text, span.start, literal.token.end, &found),
            found,
            shape,
            aliases: Vec::new(),
            pull: None,
            certainty: about.certainty,
            purpose: about.purpose,
            span,
        });
        let last = self.sites.len() - 1;
        &mut self.sites[last]
    }
}

/// The line around a reference that only a person should edit.
pub(crate) fn quote(text: &str, span: &Range<usize>) -> Quote {
    let start = span.start.saturating_sub(QUOTE_BYTES_MAX);
    let start = text.ceil_char_boundary(start.max(line_start(text, span.start)));
    let end = line_end(text, span.end).min(span.end + QUOTE_BYTES_MAX);
    let end = text.floor_char_boundary(end);
    let part = |range: Range<usize>| text.get(range).unwrap_or_default();
    Quote {
        before: part(start..span.start).trim_start().to_owned(),
        after: part(span.end..end).trim_end().to_owned(),
        takes: Takes::Both,
    }
}

/// Whether a text is so much like a reference that a key's name is enough to take it for one.
///
/// ```text
/// shop/api:1.4  nginx:1.27  ghcr.io/shop/api   yes     debian-11  ubuntu-os-cloud/ubuntu-2204-lts  disk.qcow2   no
/// ```
pub(crate) fn is_like_a_reference(text: &str) -> bool {
    use domain::ImageRef;
    let text = text.trim();
    if text.contains(char::is_whitespace) || text.contains("://") || text.starts_with(['/', '.']) {
        return false;
    }
    if opaque(text).is_some() {
        if with_defaults(text).is_some_and(|filled| is_like_a_reference(&filled)) {
            return true;
        }
        // `${registry}/shop/api:${tag}`, not `${var.image}-disk`.
        return text.contains('/') && text.rsplit('/').next().is_some_and(|end| end.contains(':'));
    }
    match text.parse::<ImageRef>() {
        Ok(ImageRef::Tagged(_) | ImageRef::Pinned(_)) => true,
        Ok(ImageRef::Bare(_)) => text
            .split_once('/')
            .is_some_and(|(host, _)| host.contains('.') || host.starts_with("localhost:")),
        Err(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_key_may_name_is_told_from_images_of_machines() {
        for yes in ["shop/api:1.4", "nginx:1.27", "ghcr.io/shop/api", "${r}/api:${t}"] {
            assert!(is_like_a_reference(yes), "{yes}");
        }
        let no = [
            "debian-11",
            "ubuntu-os-cloud/ubuntu-2204-lts",
            "Canonical:UbuntuServer:22_04-lts:latest",
            "https://example.com/disk:1",
            "/var/lib/disk.img",
            "two words:1",
            "${var.image}",
            "",
        ];
        for text in no {
            assert!(!is_like_a_reference(text), "{text}");
        }
    }
}
