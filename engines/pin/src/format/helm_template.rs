//! The templates of a Helm chart: Kubernetes objects between lines that a template engine reads.
//!
//! ```text
//! {{- if .Values.wait }}
//!         image: busybox:1.36                            a literal: pinned
//!         image: "{{ .Values.wait.image }}"              a template: reported, never touched
//! ```
//! Source: Helm docs, "Chart Template Guide".

use super::{Reader, Spec, kubernetes};
use crate::classify::{Format, Look};
use crate::site::Purpose;
use memchr::memmem;

pub(super) const SPEC: Spec = Spec {
    format: Format::HelmTemplate,
    name: "helm-template",
    purpose: Purpose::Workload,
    reader: Reader::Yaml(kubernetes::collect_objects),
    by_name: super::no_name,
    by_content,
};

/// What only lines of Helm have; other programs have `{{` in their texts too, and a single value is read the same way.
const MARKS: [&str; 7] =
    [".Release.", ".Chart.", "{{- if", "{{ if", "{{- include", "{{ include", "{{- define"];

fn by_content(look: &Look<'_>) -> Option<&'static str> {
    let bytes = look.text.as_bytes();
    let has = |word: &str| memmem::find(bytes, word.as_bytes()).is_some();
    if !look.name.is_yaml() && !look.name.is_nameless() || !has("{{") || !look.is_object() {
        return None;
    }
    let is_below = look.name.path.split(['/', '\\']).any(|folder| folder == "templates");
    (is_below || MARKS.iter().any(|mark| has(mark)))
        .then_some("it is an object with lines of a Helm template")
}
