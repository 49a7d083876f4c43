//! Gathers the places of one YAML text: what the YAML formats share.
//!
//! ```text
//! a node, its context, how sure it is  ->  a site, once for all its aliases
//! ```

mod scripts;

use crate::inside::Inner;
use crate::knowledge::Knowledge;
use crate::marker::marker;
use crate::place::{Places, line_break, line_end, line_start, opaque};
use crate::scan::SITES_MAX;
use crate::site::{
    AliasPlace, Certainty, Context, Field, Fields, FieldsKind, FieldsLayout, Found, Inside, Marker,
    Opaque, Purpose, Shape, Site, Token, Written,
};
use crate::yaml::{Kind, Layout, NodeId, Style, Tree, is_null, is_text};
use domain::ImageRef;
use std::collections::{HashMap, HashSet};
use std::ops::Range;

/// Gathers the sites of one YAML text, each once however many aliases lead to it.
pub(crate) struct Collector<'a, 't> {
    pub(crate) tree: &'a Tree<'t>,
    /// What the images of sites to come are for.
    pub(crate) purpose: Purpose,
    /// What is known beside the text.
    pub(crate) knowledge: &'a Knowledge,
    places: Places<'t>,
    sites: Vec<Site>,
    by_node: HashMap<NodeId, usize>,
    /// Values that are known to be no images, whatever their keys are called.
    passed: HashSet<NodeId>,
    /// Which uses were noted at which sites: a list that many aliases share is met more than once.
    noted: HashSet<(NodeId, usize)>,
}

/// What a text without variables is.
pub(crate) fn read_reference(text: &str) -> Found {
    if let Some(why) = opaque(text) {
        return Found::Opaque(why);
    }
    match text.parse::<ImageRef>() {
        Ok(reference) => Found::Image(reference),
        Err(error) => Found::Malformed(error),
    }
}

impl<'a, 't> Collector<'a, 't> {
    pub(crate) fn new(tree: &'a Tree<'t>, purpose: Purpose, knowledge: &'a Knowledge) -> Self {
        let places = Places::new(tree.text);
        let (by_node, passed, noted) = (HashMap::new(), HashSet::new(), HashSet::new());
        Self { tree, purpose, knowledge, places, sites: Vec::new(), by_node, passed, noted }
    }

    pub(crate) fn finish(self) -> Vec<Site> {
        self.sites
    }

    /// Whether the limit was passed, after which collecting more is of no use.
    pub(crate) fn is_full(&self) -> bool {
        self.sites.len() > SITES_MAX
    }

    /// Adds the reference that a value holds, at the node that an alias stands for.
    pub(crate) fn add(
        &mut self,
        value: NodeId,
        context: Context,
        certainty: Certainty,
    ) -> Option<&mut Site> {
        self.add_behind("", value, context, certainty)
    }

    /// The same where a prefix such as `docker://` stands before the reference, in whatever case.
    pub(crate) fn add_behind(
        &mut self,
        prefix: &'static str,
        value: NodeId,
        context: Context,
        certainty: Certainty,
    ) -> Option<&mut Site> {
        let node = self.tree.resolve(value)?;
        if self.passed.contains(&node) {
            return None;
        }
        let is_text = match self.tree.node(node).kind {
            // `image: null` names none, and no image is called by a number.
            Kind::Scalar(Style::Plain) => is_text(&self.tree.value(node)),
            Kind::Scalar(_) => true,
            Kind::Mapping(_) | Kind::Sequence(_) | Kind::Alias | Kind::Empty => false,
        };
        if !is_text || !has_prefix(self.tree.value(node).trim(), prefix) {
            return None;
        }
        let at = match self.by_node.get(&node) {
            Some(known) => *known,
            None => {
                let site = self.whole(node, prefix.len(), context, certainty);
                self.by_node.insert(node, self.sites.len());
                self.sites.push(site);
                self.sites.len() - 1
            }
        };
        if value != node {
            self.note(value, at);
        }
        self.sites.get_mut(at)
    }

    /// Notes that a place takes its value from a site.
    fn note(&mut self, by: NodeId, at: usize) {
        if !self.noted.insert((by, at)) {
            return;
        }
        let (line, column) = self.places.of(self.tree.node(by).raw.range().start);
        let path = self.tree.path(by);
        if let Some(site) = self.sites.get_mut(at) {
            site.aliases.push(AliasPlace { line, column, path });
        }
    }

    /// Notes that a value is no image; one that was added stays.
    pub(crate) fn pass(&mut self, value: NodeId) {
        if let Some(node) = self.tree.resolve(value)
            && !self.by_node.contains_key(&node)
        {
            self.passed.insert(node);
        }
    }

    /// Adds a value as an image that another place takes from there, other than by an alias of YAML.
    pub(crate) fn add_used(
        &mut self,
        value: NodeId,
        by: NodeId,
        context: Context,
    ) -> Option<&mut Site> {
        self.add(value, context, Certainty::Certain)?;
        self.use_again(value, by)
    }

    /// Notes that another place takes its value from one that was added.
    pub(crate) fn use_again(&mut self, value: NodeId, by: NodeId) -> Option<&mut Site> {
        let at = *self.by_node.get(&self.tree.resolve(value)?)?;
        self.note(by, at);
        self.sites.get_mut(at)
    }

    /// Marks the sites that no comment marks, by the node of each and what it names.
    pub(crate) fn mark_each(&mut self, mut ask: impl FnMut(NodeId, &Found) -> Option<Marker>) {
        for (node, at) in &self.by_node {
            if let Some(site) = self.sites.get_mut(*at).filter(|site| site.marker.is_none()) {
                site.marker = ask(*node, &site.found);
            }
        }
    }

    /// Whether the value was added before, under whatever name.
    pub(crate) fn knows(&self, value: NodeId) -> bool {
        self.tree.resolve(value).is_some_and(|node| self.by_node.contains_key(&node))
    }

    /// `prefix` counts the bytes before the reference that are none of it.
    fn whole(
        &mut self,
        node: NodeId,
        prefix: usize,
        context: Context,
        certainty: Certainty,
    ) -> Site {
        let raw = self.tree.node(node).raw.range();
        let value = self.tree.value(node);
        let written =
            span_of(self.tree, node, value.trim()).map(|span| span.start + prefix..span.end);
        let text = value.trim().get(prefix..).unwrap_or_default();
        let found = match written {
            Some(_) => read_reference(text),
            None if text.is_empty() => read_reference(text),
            None => Found::Opaque(opaque(text).unwrap_or(Opaque::Broken)),
        };
        let lead = value.len() - value.trim_start().len() + prefix;
        let token = Token {
            span: raw.clone(),
            before: value[..lead].to_owned(),
            after: value[lead + text.len()..].to_owned(),
        };
        let behind =
            if matches!(self.tree.node(node).kind, Kind::Scalar(Style::Literal | Style::Folded)) {
                raw.start
            } else {
                raw.end
            };
        let span = written.unwrap_or(raw);
        let (line, column) = self.places.of(span.start);
        Site {
            line,
            column,
            document: self.tree.node(node).document as usize,
            path: self.tree.path(node),
            context,
            text: text.to_owned(),
            marker: marker(self.tree.text, span.start.min(behind), behind, &found),
            found,
            shape: Shape::Whole(token),
            aliases: Vec::new(),
            certainty,
            purpose: self.purpose,
            pull: None,
            span,
        }
    }

    /// Adds a reference that several keys make up, in the name of their mapping or of one of its values.
    pub(crate) fn add_fields(
        &mut self,
        mapping: NodeId,
        fields: Fields,
        text: String,
        found: Found,
        context: Context,
    ) {
        // The tag is what a reader looks for; then the name under which the image is pulled.
        let main = fields
            .tag
            .as_ref()
            .or(fields.digest.as_ref())
            .or(fields.other.as_ref().filter(|_| fields.kind == FieldsKind::Kustomize))
            .unwrap_or(&fields.name);
        let span = main.inner();
        let (line, column) = self.places.of(span.start);
        if self.by_node.contains_key(&mapping) || self.passed.contains(&mapping) {
            return;
        }
        self.by_node.insert(mapping, self.sites.len());
        let certainty = match fields.kind {
            FieldsKind::Kustomize => Certainty::Certain,
            FieldsKind::Pair => Certainty::Likely,
        };
        let text_of = self.tree.text;
        let beside = |raw: &Range<usize>| marker(text_of, raw.start, raw.end, &found);
        let marker = beside(&main.raw).or_else(|| beside(&fields.name.raw));
        self.sites.push(Site {
            line,
            column,
            document: self.tree.node(mapping).document as usize,
            path: self.tree.path(mapping),
            context,
            text,
            found,
            marker,
            shape: Shape::Fields(Box::new(fields)),
            aliases: Vec::new(),
            certainty,
            purpose: self.purpose,
            pull: None,
            span,
        });
    }

    /// Adds what was found in the text of a block; what the file does not write in one piece there is told, not edited.
    pub(crate) fn add_inside(&mut self, node: NodeId, inner: &Inner, found: Vec<Site>) {
        let path = self.tree.path(node);
        for mut site in found {
            let outer = inner.outer(self.tree.text, &site.span);
            let is_block = outer.is_none();
            let outer = outer.unwrap_or_else(|| inner.block.clone());
            site.shape = match site.shape {
                Shape::Whole(token) if !is_block => Shape::Inside(Box::new(Inside {
                    block: inner.block.clone(),
                    span: site.span.clone(),
                    token,
                })),
                other
                @ (Shape::Whole(_) | Shape::Fields(_) | Shape::Inside(_) | Shape::Seen(_)) => {
                    if matches!(site.found, Found::Image(_)) {
                        site.found = Found::Opaque(Opaque::Broken);
                    }
                    other
                }
            };
            (site.line, site.column) = self.places.of(outer.start);
            site.span = outer;
            site.path = format!("{path}: {}", site.path);
            site.document = self.tree.node(node).document as usize;
            self.sites.push(site);
        }
    }

    /// The key of a mapping as a field; nothing where it is absent or no scalar.
    pub(crate) fn field(&self, mapping: NodeId, key: &str) -> Option<Field> {
        let value = self.tree.own(mapping, key)?;
        let node = self.tree.resolve(value)?;
        let text = match self.tree.node(node).kind {
            Kind::Scalar(Style::Plain) if is_null(&self.tree.value(node)) => "".into(),
            Kind::Scalar(_) => self.tree.value(node),
            Kind::Empty => std::borrow::Cow::Borrowed(""),
            Kind::Mapping(_) | Kind::Sequence(_) | Kind::Alias => return None,
        };
        let raw = self.tree.node(value).raw.range();
        let is_one_line = !self.tree.raw(value).contains(['\n', '\r']);
        let written = match self.tree.node(value).kind {
            Kind::Scalar(Style::Plain) if is_one_line => Written::Plain,
            Kind::Scalar(Style::Single) if is_one_line => Written::Single,
            Kind::Scalar(Style::Double) if is_one_line => Written::Double,
            Kind::Scalar(_) | Kind::Alias | Kind::Empty | Kind::Mapping(_) | Kind::Sequence(_) => {
                Written::Elsewhere
            }
        };
        let key = self.tree.node(self.tree.node(value).slot.key).raw.range();
        Some(Field {
            line_end: line_end(self.tree.text, raw.end),
            line: whole_line(self.tree.text, &key, &raw),
            key,
            raw,
            value: text.trim().to_owned(),
            written,
        })
    }

    /// How a mapping lays its keys out.
    pub(crate) fn layout(&self, mapping: NodeId) -> FieldsLayout {
        let node = self.tree.node(mapping);
        match node.kind {
            Kind::Mapping(Layout::Block) => FieldsLayout::Lines {
                column: node.column as usize,
                line_break: line_break(self.tree.text),
            },
            Kind::Mapping(Layout::Flow)
            | Kind::Sequence(_)
            | Kind::Scalar(_)
            | Kind::Alias
            | Kind::Empty => FieldsLayout::Braces,
        }
    }
}

fn has_prefix(text: &str, prefix: &str) -> bool {
    text.as_bytes()
        .get(..prefix.len())
        .is_some_and(|own| own.eq_ignore_ascii_case(prefix.as_bytes()))
}

/// The bytes of the file that are this text, where the scalar writes it in one piece.
fn span_of(tree: &Tree<'_>, node: NodeId, text: &str) -> Option<Range<usize>> {
    if text.is_empty() {
        return None;
    }
    let raw = tree.node(node).raw.range();
    let written = tree.raw(node);
    let head = match tree.node(node).kind {
        // The text cannot stand in the head of a block, only below it.
        Kind::Scalar(Style::Literal | Style::Folded) => written.find(['\n', '\r'])?,
        Kind::Scalar(_) | Kind::Alias | Kind::Empty | Kind::Mapping(_) | Kind::Sequence(_) => 0,
    };
    let start = raw.start + head + written[head..].find(text)?;
    Some(start..start + text.len())
}

/// The line of a key and its value with its break, where nothing but a comment stands beside them.
fn whole_line(text: &str, key: &Range<usize>, raw: &Range<usize>) -> Option<Range<usize>> {
    let (start, end) = (line_start(text, key.start), line_end(text, raw.end));
    let before = text.get(start..key.start)?;
    let inside = text.get(key.end..raw.start)?;
    let behind = text.get(raw.end..end)?.trim_start();
    let is_alone = before.bytes().all(|b| b == b' ')
        && inside.trim() == ":"
        && !inside.contains(['\n', '\r'])
        && (behind.is_empty() || behind.starts_with('#'));
    if !is_alone || line_start(text, raw.end) != start {
        return None;
    }
    let rest = &text[end..];
    if rest.is_empty() {
        // The last line has no break of its own: the one before it goes.
        let before = text[..start].strip_suffix('\n').unwrap_or(&text[..start]);
        let before = before.strip_suffix('\r').unwrap_or(before);
        return Some(before.len()..end);
    }
    let wide = rest.starts_with("\r\n");
    Some(start..end + if wide { 2 } else { 1 })
}

impl Field {
    /// The bytes between the quotes.
    pub(crate) fn inner(&self) -> Range<usize> {
        match self.written {
            Written::Plain | Written::Elsewhere => self.raw.clone(),
            Written::Single | Written::Double => self.raw.start + 1..self.raw.end - 1,
        }
    }
}
