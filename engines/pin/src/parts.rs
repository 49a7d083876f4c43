//! References that several keys of one mapping make up, in the spellings that charts and operators have.
//!
//! ```text
//! {registry: r.example.com, repository: shop/api, tag: "1"}  ->  r.example.com/shop/api:1
//! {baseImage: quay.io/prometheus/prometheus, sha: 9f…}       ->  quay.io/prometheus/prometheus@sha256:9f…
//! ```
//! Reads and joins; whether such keys are an image at all is the format's to say.

use crate::collector::Collector;
use crate::place::opaque;
use crate::site::{Field, Fields, FieldsKind, Form, Found, Room, Written};
use crate::yaml::NodeId;
use domain::ImageRef;

/// How the keys are called; of several for one part the first that says something counts.
pub(crate) struct Spelling<'k> {
    pub(crate) name: &'k str,
    pub(crate) registry: &'k [&'k str],
    pub(crate) tag: &'k [&'k str],
    pub(crate) digest: &'k [(&'k str, Form)],
}

/// What most charts and operators write.
pub(crate) const USUAL: Spelling<'static> = Spelling {
    name: "repository",
    registry: &["registry"],
    tag: &["tag"],
    digest: &[("digest", Form::Whole)],
};

/// What a reference in parts comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Joined {
    /// Neither tag nor digest are written.
    Bare,
    /// One of them is.
    Fixed,
}

/// Reads the keys of a mapping; nothing where the name is missing, empty or no text.
pub(crate) fn read(
    collector: &Collector<'_, '_>,
    mapping: NodeId,
    spelling: &Spelling<'_>,
) -> Option<Fields> {
    let name = collector.field(mapping, spelling.name)?;
    // `repository: null` leaves the name to somebody else.
    if name.value.is_empty() && matches!(name.written, Written::Plain | Written::Elsewhere) {
        return None;
    }
    let first = |keys: &[&str]| {
        let mut fields = keys.iter().filter_map(|key| collector.field(mapping, key));
        let first = fields.next();
        match first {
            Some(field) if field.value.is_empty() => {
                Some(fields.find(|other| !other.value.is_empty()).unwrap_or(field))
            }
            Some(_) | None => first,
        }
    };
    let digest = spelling.digest.iter().find_map(|(key, form)| {
        let field = collector.field(mapping, key)?;
        // Whoever writes the algorithm reads it too.
        let form = if field.value.contains(':') { Form::Whole } else { *form };
        Some((field, form))
    });
    let room = match &digest {
        Some((_, form)) => Room::Key("digest", *form),
        None => Room::Tag,
    };
    Some(Fields {
        kind: FieldsKind::Pair,
        name,
        other: first(spelling.registry),
        tag: first(spelling.tag),
        digest: digest.map(|(field, _)| field),
        layout: collector.layout(mapping),
        room,
    })
}

impl Fields {
    /// The reference that the keys make up.
    pub(crate) fn joined(&self) -> String {
        self.joined_from(self.other.as_ref().map(|registry| registry.value.as_str()))
    }

    /// The same, from another registry than the one that stands there.
    pub(crate) fn joined_from(&self, registry: Option<&str>) -> String {
        let mut text = String::new();
        if let Some(registry) = registry.filter(|registry| !registry.is_empty()) {
            text.push_str(registry.trim_end_matches('/'));
            text.push('/');
        }
        text.push_str(&self.name.value);
        if let Some(tag) = said(self.tag.as_ref()) {
            text.push(':');
            text.push_str(&tag.value);
        }
        if let Some(digest) = said(self.digest.as_ref()) {
            text.push('@');
            match self.room {
                Room::Key(_, form) => text.push_str(&form.read(&digest.value)),
                Room::Tag | Room::Nowhere(_) => text.push_str(&digest.value),
            }
        }
        text
    }

    /// Whether tag or digest are written.
    pub(crate) fn is(&self) -> Joined {
        match (said(self.tag.as_ref()), said(self.digest.as_ref())) {
            (None, None) => Joined::Bare,
            (Some(_), _) | (_, Some(_)) => Joined::Fixed,
        }
    }
}

fn said(field: Option<&Field>) -> Option<&Field> {
    field.filter(|field| !field.value.is_empty())
}

/// What a joined text is.
pub(crate) fn found(text: &str) -> Found {
    match opaque(text) {
        Some(why) => Found::Opaque(why),
        None => match text.parse::<ImageRef>() {
            Ok(reference) => Found::Image(reference),
            Err(error) => Found::Malformed(error),
        },
    }
}
