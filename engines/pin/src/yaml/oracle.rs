//! The second reader, `granit-parser`, which must see what we see before a file is edited.
//!
//! It stands behind this one function, so that another can take its place.

use super::DEPTH_MAX;
use super::marks::{Mark, Shape, marks, structure};
use super::tree::Tree;
use granit_parser::{Event, Parser, ScalarStyle, options};
use std::borrow::Cow;

/// Where two readers of a text part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Disagreement {
    /// The byte at which they do.
    pub(crate) at: usize,
    /// What each saw, for a bug report.
    pub(crate) detail: String,
}

/// Checks that both readers see the same documents, structure, values and spans.
pub(crate) fn agree(tree: &Tree<'_>) -> Result<(), Disagreement> {
    let ours = marks(tree);
    let mut seen = 0;
    for event in events(tree.text) {
        let theirs = match event {
            Ok(Some(mark)) => mark,
            Ok(None) => continue,
            Err(stopped) => return Err(stopped),
        };
        let Some(mark) = ours.get(seen) else {
            return Err(Disagreement {
                at: theirs.span.start,
                detail: format!("the text ends for us, not for it: {:?}", theirs.shape),
            });
        };
        if let Some(detail) = difference(mark, &theirs) {
            return Err(Disagreement { at: mark.span.start, detail });
        }
        seen += 1;
    }
    match ours.get(seen) {
        None => Ok(()),
        Some(mark) => Err(Disagreement {
            at: mark.span.start,
            detail: format!("the text ends for it, not for us: {:?}", mark.shape),
        }),
    }
}

fn difference(ours: &Mark<'_>, theirs: &Mark<'_>) -> Option<String> {
    if ours.shape != theirs.shape {
        return Some(format!("{:?} or {:?}", ours.shape, theirs.shape));
    }
    // An empty node has no text of its own; the other reader may write `~` for it.
    let is_empty = ours.span.is_empty() && !ours.is_exact;
    if ours.value != theirs.value && !(is_empty && matches!(theirs.value.as_ref(), "" | "~")) {
        let short = |text: &str| text.chars().take(60).collect::<String>();
        return Some(format!("{:?} or {:?}", short(&ours.value), short(&theirs.value)));
    }
    if ours.is_exact && ours.span != theirs.span {
        return Some(format!("bytes {:?} or {:?}", ours.span, theirs.span));
    }
    (ours.is_anchored != theirs.is_anchored).then(|| "an anchor that only one sees".to_owned())
}

type Step<'t> = Result<Option<Mark<'t>>, Disagreement>;

fn events(text: &str) -> impl Iterator<Item = Step<'_>> {
    let options = options! {
        emit_comments: false,
        emit_unresolved_aliases: false,
        flow_nesting_limit: DEPTH_MAX,
        block_nesting_limit: DEPTH_MAX,
    };
    Parser::new_from_str_with_options(text, options).map(move |next| match next {
        Ok((event, span)) => Ok(mark(text, event, span.byte_range().unwrap_or_default())),
        Err(stopped) => Err(Disagreement {
            at: stopped.marker().byte_offset().unwrap_or_default(),
            detail: stopped.info(),
        }),
    })
}

fn mark<'t>(text: &'t str, event: Event<'t>, span: std::ops::Range<usize>) -> Option<Mark<'t>> {
    let anchored =
        |shape, anchor: usize| Mark { is_anchored: anchor != 0, ..structure(shape, span.clone()) };
    match event {
        Event::DocumentStart(..) => Some(structure(Shape::Document, span)),
        Event::Alias(_) => Some(Mark {
            value: Cow::Borrowed(text.get(span.clone()).unwrap_or_default()),
            ..structure(Shape::Alias, span)
        }),
        Event::Scalar(value, style, anchor, _) => Some(Mark {
            value,
            is_exact: !matches!(style, ScalarStyle::Literal | ScalarStyle::Folded),
            ..anchored(Shape::Scalar, anchor)
        }),
        Event::SequenceStart(_, anchor, _) => Some(anchored(Shape::Sequence, anchor)),
        Event::MappingStart(_, anchor, _) => Some(anchored(Shape::Mapping, anchor)),
        Event::SequenceEnd | Event::MappingEnd => Some(structure(Shape::Close, span)),
        // The last three are not asked for; a new kind of event is none that we can compare.
        Event::StreamStart
        | Event::StreamEnd
        | Event::DocumentEnd
        | Event::Anchor(..)
        | Event::UnresolvedAlias(_)
        | Event::Comment(..)
        | _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::scan;
    use super::*;

    #[test]
    fn both_readers_see_the_same() {
        let texts = [
            "",
            "\n",
            "# only a comment\n",
            "a: b",
            "a: b\n",
            "\u{feff}a: b\n",
            "a: b\r\nc:\r\n  - d\r\n",
            "a: b\rc: d\r",
            "---\n---\na: 1\n...\n---\nb: 2\n",
            "%YAML 1.2\n---\na: 1\n",
            "--- text\n",
            "--- |\n  text\n",
            "- a\n-\n- - b\n  - c\n-   d: e\n    f: g\n",
            "a:\n- b\n- c: d\n  e: f\ng: h\n",
            "a: 'it''s'\nb: \"x\\ty\\\n  z\"\nc: plain: not\n".trim_end_matches("c: plain: not\n"),
            "a: {b: c, d: [e, f: g, \"h\":i], j, k: }\n",
            "a: {\n  b: c, # note\n  d: [\n    e,\n  ],\n}\nz: 1\n",
            "a: b c\n  d\n\n  e\nf: g # note\n",
            "a: >-\n  folded\n  text\nb: |+\n  kept\n\nc: |2\n    deeper\nd: |\n",
            "a: |\n  x\n   y\n\n\n  z\n# comment\nb: 1\n",
            "- |\n  text\n- >\n  more\n\n   deep\n\n  flat\n",
            "base: &base\n  image: &i nginx:1\nuse:\n  <<: *base\n  other: *i\n",
            "a: &x\n  - 1\nb: !!str 5\nc: !local &y z\nd: &z !!map\n  e: f\n",
            "&a a: b\n*a : c\n",
            "? a\n: b\n? - c\n: - d\n? e\n",
            "\"quoted key\": 1\n'single': 2\n? |\n  block key\n: 3\n",
            "a : b\nc:   d   \ne:\n\n\n  f\n",
            "[a, b]: c\nd: [[], {}, [a: b]]\n",
            "a: http://x/y#z\nb: x#y\nc: - d\n".trim_end_matches("c: - d\n"),
            "ä: ö\nimage: \"ü\" # ß\n",
            "a: -1\nb: ?x\nc: :y\nd: [-1, ?x]\n",
            "a:\n  b:\n    c: 1\n  # out\n# further out\n  d: 2\n",
            "a: \"x\n  y\"\nb: 'p\n\n  q'\n",
            "a: [b,\n  c d\n  e, f]\n",
            "a: !<tag:example.com,2000:x> b\n",
            "- a: 1\n\n- b: 2\n",
            "a: {b: [c, {d: e}]}\n",
            "key: |\n    image: decoy:1\n\n  \nafter: 1\n",
            "a: >\n\n  x\n\n\nb: 1\n",
            "a: >\n\n   \nb: 1\n",
            "a: |-\n  x",
            "a: |\n  x",
        ];
        for text in texts {
            let tree = scan(text).unwrap_or_else(|broken| panic!("{text:?}: {broken:?}"));
            assert_eq!(agree(&tree), Ok(()), "{text:?}");
        }
    }
}
