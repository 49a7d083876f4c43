//! Annotations of an object that ask other tools to pass over the tags of its images.
//!
//! ```yaml
//! metadata:
//!   annotations:
//!     ignore-check.kube-linter.io/latest-tag: a base image of ours
//!     checkov.io/skip1: CKV_K8S_43=the registry is locked
//! ```
//! Source: KubeLinter docs, "Ignoring violations", check `latest-tag`; Checkov, `kubernetes_utils.py`, CKV_K8S_14
//! (neither `latest` nor blank) and CKV_K8S_43 (a digest).

use super::is_object;
use crate::collector::Collector;
use crate::marker::About;
use crate::site::{Found, Marker};
use crate::yaml::{Kind, NodeId, Tree};
use memchr::memmem;
use std::collections::HashMap;

/// What an object's annotations ask.
type Asked = Vec<(About, Marker)>;

/// Marks the sites of all objects that ask for it.
pub(super) fn mark(collector: &mut Collector<'_, '_>) {
    let tree = collector.tree;
    let words: [&[u8]; 3] =
        [b"kube-linter.io/latest-tag", b"checkov.io/skip", b"bridgecrew.io/skip"];
    if words.iter().all(|word| memmem::find(tree.text.as_bytes(), word).is_none()) {
        return;
    }
    let mut objects: HashMap<NodeId, Asked> = HashMap::new();
    collector.mark_each(|node, found| {
        let object = tree.ancestors(node).find(|above| is_object(tree, *above))?;
        let asked = objects.entry(object).or_insert_with(|| asked(tree, object));
        marker(asked, found)
    });
}

fn marker(asked: &Asked, found: &Found) -> Option<Marker> {
    asked.iter().find(|(about, _)| about.covers(found)).map(|(_, marker)| *marker)
}

fn asked(tree: &Tree<'_>, object: NodeId) -> Asked {
    let annotations = tree
        .get(object, "metadata")
        .and_then(|metadata| tree.get(metadata, "annotations"))
        .and_then(|annotations| tree.resolve(annotations));
    let Some(annotations) = annotations else { return Vec::new() };
    if !matches!(tree.node(annotations).kind, Kind::Mapping(_)) {
        return Vec::new();
    }
    let ask = |id: NodeId| {
        let key = tree.key(id)?;
        if key == "ignore-check.kube-linter.io/latest-tag" {
            return Some((About::Loose, Marker::KubeLinter));
        }
        if !key.contains("checkov.io/skip") && !key.contains("bridgecrew.io/skip") {
            return None;
        }
        let value = tree.value(tree.resolve(id)?);
        let about = match value.split('=').next().map(str::trim) {
            Some("CKV_K8S_14") => About::Loose,
            Some("CKV_K8S_43") => About::Any,
            Some(_) | None => return None,
        };
        Some((about, Marker::Checkov))
    };
    tree.children(annotations).filter_map(ask).collect()
}

#[cfg(test)]
mod tests {
    use crate::site::Marker;
    use crate::{Format, scan};

    /// The markers of two containers, one with `latest` and one with a version, under an annotation.
    fn markers(annotation: &str) -> Vec<Option<Marker>> {
        let text = format!(
            "apiVersion: v1\nkind: Pod\nmetadata:\n  annotations:\n    {annotation}\nspec:\n  containers:\n  - image: a/b:latest\n  - image: a/c:1\n---\napiVersion: v1\nkind: Pod\nspec: {{containers: [{{image: a/d}}]}}\n"
        );
        let found = scan(Format::Kubernetes, &text).expect("it is YAML");
        found.sites.into_iter().map(|site| site.marker).collect()
    }

    #[test]
    fn each_tool_is_heard_about_what_its_check_finds_in_that_object() {
        const K: Option<Marker> = Some(Marker::KubeLinter);
        const C: Option<Marker> = Some(Marker::Checkov);
        let cases = [
            ("ignore-check.kube-linter.io/latest-tag: why", [K, None, None]),
            ("\"ignore-check.kube-linter.io/latest-tag\": ''", [K, None, None]),
            ("ignore-check.kube-linter.io/run-as-non-root: latest-tag", [None, None, None]),
            ("checkov.io/skip1: CKV_K8S_14=why", [C, None, None]),
            ("checkov.io/skip2: CKV_K8S_43", [C, C, None]),
            ("bridgecrew.io/skip3: 'CKV_K8S_43 = why'", [C, C, None]),
            ("checkov.io/skip1: CKV_K8S_430=CKV_K8S_43", [None, None, None]),
            ("note: checkov.io/skip1 CKV_K8S_43", [None, None, None]),
            ("# checkov.io/skip1: CKV_K8S_43", [None, None, None]),
        ];
        for (annotation, expected) in cases {
            assert_eq!(markers(annotation), expected, "{annotation}");
        }
    }
}
