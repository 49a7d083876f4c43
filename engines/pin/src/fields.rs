//! Edits of a reference that several keys make up: each key where it stands, missing ones beside the last.
//!
//! ```yaml
//! - name: shop/api        # stays
//!   newTag: 20260318-…    # rewritten in its own quotes
//!   digest: sha256:9f…    # a new line, indented as its siblings
//! ```

use crate::edit::{Edit, Promise};
use crate::plan::Skip;
use crate::site::{Field, Fields, FieldsKind, FieldsLayout, Form, Room, Written};
use domain::Digest;

/// What a site shall say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Target {
    /// Another name, where it changes.
    pub(crate) name: Option<String>,
    pub(crate) tag: TagChange,
    /// None takes the digest away.
    pub(crate) digest: Option<Digest>,
}

/// What becomes of the tag.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum TagChange {
    Keep,
    To(String),
    Drop,
}

/// The edits that make these fields say what they shall.
pub(crate) fn edits(site: usize, fields: &Fields, target: &Target) -> Result<Vec<Edit>, Skip> {
    let mut draft = Draft { site, fields, edits: Vec::new(), added: Vec::new() };
    match fields.kind {
        FieldsKind::Kustomize => draft.kustomize(target)?,
        FieldsKind::Pair => draft.pair(target)?,
    }
    draft.finish()
}

struct Draft<'f> {
    site: usize,
    fields: &'f Fields,
    edits: Vec<Edit>,
    added: Vec<(String, String)>,
}

impl Draft<'_> {
    fn kustomize(&mut self, target: &Target) -> Result<(), Skip> {
        if let Some(name) = &target.name {
            self.put(self.fields.other.as_ref(), "newName", name)?;
        }
        let tag = self.fields.tag.as_ref();
        match &target.tag {
            TagChange::To(new) => self.put(tag, "newTag", new)?,
            TagChange::Drop | TagChange::Keep => {
                // A digest inside newTag goes, since it gets a key of its own.
                if let Some((bare, _)) = tag.and_then(|tag| tag.value.split_once('@')) {
                    self.put(tag, "newTag", bare)?;
                }
            }
        }
        match (&target.digest, self.fields.digest.as_ref()) {
            (Some(digest), field) => self.put(field, "digest", &digest.to_string()),
            (None, Some(field)) => self.remove(field, "digest"),
            (None, None) => Ok(()),
        }
    }

    fn pair(&mut self, target: &Target) -> Result<(), Skip> {
        if target.name.is_some() {
            return Err(Skip::OtherRepository);
        }
        let tag = self.fields.tag.as_ref();
        let old_tag = tag.map(|tag| tag.value.split('@').next().unwrap_or_default());
        let new_tag = match &target.tag {
            TagChange::To(new) => Some(new.as_str()),
            TagChange::Keep | TagChange::Drop => old_tag,
        };
        match self.fields.room {
            Room::Key(key, form) => {
                if let (Some(tag), Some(new)) = (tag, new_tag) {
                    self.put(Some(tag), "tag", new)?;
                }
                let field = self.fields.digest.as_ref();
                match (&target.digest, field) {
                    (Some(digest), _)
                        if form == Form::Hex && !digest.to_string().starts_with("sha256:") =>
                    {
                        Err(Skip::NoPlace)
                    }
                    (Some(digest), _) => self.put(field, key, &form.write(digest)),
                    (None, Some(_)) => self.put(field, key, ""),
                    (None, None) => Ok(()),
                }
            }
            Room::Nowhere(why) => Err(why.into()),
            Room::Tag => {
                let (Some(field), Some(new)) = (tag, new_tag.filter(|new| !new.is_empty())) else {
                    return Err(Skip::NoPlace);
                };
                let value = match &target.digest {
                    Some(digest) => format!("{new}@{digest}"),
                    None => new.to_owned(),
                };
                self.put(Some(field), "tag", &value)
            }
        }
    }

    /// Writes a key's value: in place where the key is there, else on a line to come.
    fn put(&mut self, field: Option<&Field>, key: &'static str, value: &str) -> Result<(), Skip> {
        let Some(field) = field else {
            self.added.push((key.to_owned(), value.to_owned()));
            return Ok(());
        };
        if field.value == value {
            return Ok(());
        }
        let (span, text) = match field.written {
            Written::Plain => (field.raw.clone(), plain(value)),
            Written::Single | Written::Double => (field.inner(), value.to_owned()),
            Written::Elsewhere => return Err(Skip::Elsewhere { key }),
        };
        self.edits.push(Edit {
            span,
            text,
            site: self.site,
            promise: Promise::Becomes { token: field.raw.clone(), value: value.to_owned() },
        });
        Ok(())
    }

    /// Takes the digest's line away, which the scan has found to hold nothing else.
    fn remove(&mut self, field: &Field, key: &'static str) -> Result<(), Skip> {
        let Some(line) = field.line.clone() else {
            return Err(Skip::Elsewhere { key });
        };
        self.edits.push(Edit {
            span: line,
            text: String::new(),
            site: self.site,
            promise: Promise::Removes { key: field.key.clone() },
        });
        Ok(())
    }

    /// Turns the keys to come into one insertion behind the last key that is written on one line.
    fn finish(mut self) -> Result<Vec<Edit>, Skip> {
        if self.added.is_empty() {
            return Ok(self.edits);
        }
        let model = [&self.fields.tag, &self.fields.other]
            .into_iter()
            .flatten()
            .chain([&self.fields.name])
            .find(|field| field.written != Written::Elsewhere)
            .ok_or(Skip::Elsewhere { key: "name" })?;
        let mut text = String::new();
        for (key, value) in &self.added {
            match &self.fields.layout {
                FieldsLayout::Lines { column, line_break } => {
                    text.push_str(line_break);
                    text.extend(std::iter::repeat_n(' ', *column));
                }
                FieldsLayout::Braces => text.push_str(", "),
            }
            text.push_str(key);
            text.push_str(": ");
            text.push_str(&plain(value));
        }
        let at = match self.fields.layout {
            FieldsLayout::Lines { .. } => model.line_end,
            FieldsLayout::Braces => model.raw.end,
        };
        self.edits.push(Edit {
            span: at..at,
            text,
            site: self.site,
            promise: Promise::Adds { after: model.raw.clone(), pairs: self.added },
        });
        Ok(self.edits)
    }
}

/// A value without quotes, unless YAML would then read something else than text.
///
/// Source: YAML 1.1 resolution, which kustomize and most readers still apply: `1.10` is a number there, `no` is false.
fn plain(value: &str) -> String {
    let lower = value.to_ascii_lowercase();
    let is_word = matches!(
        lower.as_str(),
        "" | "~" | "null" | "true" | "false" | "yes" | "no" | "on" | "off" | "y" | "n"
    );
    let is_numeric = value
        .starts_with(|c: char| c.is_ascii_digit() || matches!(c, '.' | '-' | '+'))
        && value
            .bytes()
            .all(|b| b.is_ascii_hexdigit() || matches!(b, b'x' | b'o' | b'_' | b'.' | b'-' | b'+'));
    if is_word || is_numeric { format!("\"{value}\"") } else { value.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_yaml_would_read_as_something_else_is_quoted() {
        for quoted in ["1.10", "20260317", "1e5", "0x1f", "no", "", "2026-03-17", "20260317-143958"]
        {
            assert_eq!(plain(quoted), format!("\"{quoted}\""));
        }
        for bare in ["v1.10", "20260317-143958-uat", "latest", "git-1a2b3c4d5e6f", "shop/api"] {
            assert_eq!(plain(bare), bare);
        }
    }
}
