//! Comments that ask to leave an image alone: ours, and those of other tools where they speak of its tag.
//!
//! ```text
//! image: shop/api:1   # indelible: ignore            container: x   # zizmor: ignore[unpinned-images]
//! - image: x:latest   # checkov:skip=CKV_CIRCLECIPIPELINES_1:why
//! ```
//! Each is taken where its own tool takes it, and only for what that tool's rule finds. Sources: zizmor,
//! `crates/zizmor/src/finding/location.rs`; Renovate, `lib/util/ignore.ts`; Checkov,
//! `common/comment/enum.py` and the checks named below.

use crate::place::{line_end, line_start};
use crate::site::{Found, Marker};
use domain::ImageRef;
use std::ops::Range;

/// How far from a value a comment is looked for: one line may be the whole file.
const MARKER_BYTES_MAX: usize = 4096;

/// What a tool's rule finds, and so what its marker can speak of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum About {
    /// Any image without a digest.
    Any,
    /// One without a tag, or with `latest`.
    Loose,
}

/// Where a comment stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stands {
    /// On the line of the image.
    Beside,
    /// On a line of its own, above.
    Above,
}

/// The rules of Checkov about images of pipelines, whose files' comments it reads.
const CHECKOV: [(&str, About); 5] = [
    ("CKV_AZUREPIPELINES_1", About::Loose),
    ("CKV_AZUREPIPELINES_2", About::Any),
    ("CKV_BITBUCKETPIPELINES_1", About::Loose),
    ("CKV_CIRCLECIPIPELINES_1", About::Loose),
    ("CKV_CIRCLECIPIPELINES_2", About::Any),
];
/// What stands before the rules that Checkov is to skip.
const CHECKOV_WORDS: [&str; 3] = ["checkov:skip=", "bridgecrew:skip=", "cortex:skip="];

impl About {
    /// Whether a tool's rule would find what stands at a place.
    pub(crate) fn covers(self, found: &Found) -> bool {
        match (self, found) {
            (Self::Any, _) | (Self::Loose, Found::Image(ImageRef::Bare(_))) => true,
            (Self::Loose, Found::Image(ImageRef::Tagged(tagged))) => {
                tagged.tag.as_str() == "latest"
            }
            (
                Self::Loose,
                Found::Image(ImageRef::Pinned(_))
                | Found::Opaque(_)
                | Found::Malformed(_)
                | Found::BuildTarget
                | Found::Stage
                | Found::Scratch
                | Found::Inherits(_),
            ) => false,
        }
    }
}

/// The marker in a comment behind `from` on its line, or in a comment that is the whole line above `line_of`.
pub(crate) fn marker(text: &str, line_of: usize, from: usize, found: &Found) -> Option<Marker> {
    let behind = window(text, from..from + MARKER_BYTES_MAX);
    let behind = &behind[..line_end(behind, 0)];
    let comment = [behind.find('#'), behind.find("//")].into_iter().flatten().min();
    if let Some(marker) = comment.and_then(|at| marker_in(&behind[at..], Stands::Beside, found)) {
        return Some(marker);
    }
    let before = window(text, line_of.saturating_sub(MARKER_BYTES_MAX)..line_of);
    let before = &before[..memchr::memrchr2(b'\n', b'\r', before.as_bytes())?];
    let before = before.strip_suffix('\r').unwrap_or(before);
    let above = before[line_start(before, before.len())..].trim();
    let is_comment = above.starts_with('#') || above.starts_with("//");
    is_comment.then(|| marker_in(above, Stands::Above, found)).flatten()
}

/// The part of a text in these bytes, at the characters next to them.
fn window(text: &str, bytes: Range<usize>) -> &str {
    let start = text.ceil_char_boundary(bytes.start);
    let end = text.floor_char_boundary(bytes.end.min(text.len()));
    text.get(start..end).unwrap_or_default()
}

fn marker_in(comment: &str, stands: Stands, found: &Found) -> Option<Marker> {
    if comment.contains("indelible: ignore") || comment.contains("indelible:ignore") {
        return Some(Marker::Ignore);
    }
    if comment.contains("ratchet:exclude") {
        return Some(Marker::RatchetExclude);
    }
    // These two read a comment on the line itself and nowhere else.
    if stands == Stands::Beside && is_zizmor(comment) {
        return Some(Marker::Zizmor);
    }
    if stands == Stands::Beside && is_renovate(comment) {
        return Some(Marker::Renovate);
    }
    let is_skipped =
        |rule: &str| CHECKOV.iter().any(|(own, about)| *own == rule && about.covers(found));
    checkov_rules(comment).any(is_skipped).then_some(Marker::Checkov)
}

/// `# zizmor: ignore[artipacked,unpinned-images] why`
fn is_zizmor(comment: &str) -> bool {
    let mut lists = comment.split("# zizmor: ignore[").skip(1);
    lists.any(|list| {
        let Some((rules, behind)) = list.split_once(']') else {
            return false;
        };
        (behind.is_empty() || behind.starts_with(char::is_whitespace))
            && rules.split(',').any(|rule| rule.trim() == "unpinned-images")
    })
}

/// `# renovate: ignore`; what else Renovate is told (`datasource=…`) asks for updates.
fn is_renovate(comment: &str) -> bool {
    let told =
        |part: &str| part.trim().strip_prefix("renovate:").map(|word| word.trim() == "ignore");
    comment.split('#').filter_map(told).any(|is_ignore| is_ignore)
}

/// The rules that a comment asks Checkov to skip.
pub(crate) fn checkov_rules(comment: &str) -> impl Iterator<Item = &str> {
    let lists = CHECKOV_WORDS.iter().flat_map(move |word| comment.split(word).skip(1));
    lists.flat_map(|list| {
        let list = list.trim_start();
        let is_rule = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | ',');
        list[..list.find(|c| !is_rule(c)).unwrap_or(list.len())].split(',')
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collector::read_reference;

    /// The marker of the first line that holds `image`, which ends there.
    fn of(text: &str, image: &str) -> Option<Marker> {
        let at = text.find(image).expect("the text holds it");
        marker(text, at, at + image.len(), &read_reference(image))
    }

    #[test]
    fn a_marker_is_found_behind_and_above_and_nowhere_else() {
        let text =
            "a: b/a:1 # indelible: ignore\nc: b/c:1\n  # ratchet:exclude\r\ne: b/e:1\ng: b/g:1\n";
        assert_eq!(of(text, "b/a:1"), Some(Marker::Ignore));
        assert_eq!(of(text, "b/c:1"), None);
        assert_eq!(of(text, "b/e:1"), Some(Marker::RatchetExclude));
        assert_eq!(of(text, "b/g:1"), None);
    }

    #[test]
    fn zizmor_is_heard_about_images_and_on_the_line_alone() {
        for heard in [
            "a/b:1 # zizmor: ignore[unpinned-images]",
            "a/b:1 # why # zizmor: ignore[artipacked, unpinned-images] because",
        ] {
            assert_eq!(of(heard, "a/b:1"), Some(Marker::Zizmor), "{heard}");
        }
        for other in [
            "a/b:1 # zizmor: ignore[unpinned-uses]",
            "a/b:1 # zizmor: ignore[unpinned-images",
            "a/b:1 # zizmor: ignore[unpinned-images]!",
            "a/b:1 # zizmor:ignore[unpinned-images]",
            "# zizmor: ignore[unpinned-images]\na/b:1",
        ] {
            assert_eq!(of(other, "a/b:1"), None, "{other}");
        }
    }

    #[test]
    fn renovate_is_heard_where_it_is_told_to_ignore() {
        assert_eq!(of("a/b:1 # renovate: ignore", "a/b:1"), Some(Marker::Renovate));
        assert_eq!(of("a/b:1 #renovate:ignore # why", "a/b:1"), Some(Marker::Renovate));
        for other in [
            "a/b:1 # renovate: datasource=docker",
            "a/b:1 # renovate: ignored",
            "a/b:1 # not renovate: ignore",
            "# renovate: ignore\na/b:1",
        ] {
            assert_eq!(of(other, "a/b:1"), None, "{other}");
        }
    }

    #[test]
    fn checkov_is_heard_about_what_its_rule_finds() {
        let cases = [
            ("a/b # checkov:skip=CKV_CIRCLECIPIPELINES_1:why", "a/b", true),
            ("a/b:latest # checkov:skip= CKV_AZUREPIPELINES_1", "a/b:latest", true),
            ("# bridgecrew:skip=CKV_X_9,CKV_BITBUCKETPIPELINES_1\na/b", "a/b", true),
            ("a/b:1 # checkov:skip=CKV_CIRCLECIPIPELINES_1", "a/b:1", false),
            ("a/b:1 # checkov:skip=CKV_CIRCLECIPIPELINES_2", "a/b:1", true),
            ("a/b:1 # checkov:skip=CKV_CIRCLECIPIPELINES_20", "a/b:1", false),
            // Checkov reads annotations of objects, not comments in them.
            ("a/b # checkov:skip=CKV_K8S_14", "a/b", false),
        ];
        for (text, image, is_heard) in cases {
            assert_eq!(of(text, image).is_some(), is_heard, "{text}");
        }
    }
}
