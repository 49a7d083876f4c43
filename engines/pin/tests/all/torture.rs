//! The files on which other tools were measured, and what became of them there. Source: the project's research, "pin", §1.2.
//!
//! ```text
//! Kubernetes: 10 references (the best tool pinned 7), 1 pinned, 1 template, 1 decoy in a block; Dockerfile: 6 (the best: 4)
//! Tekton: 3 in two documents, of which a tool deleted the second
//! ```

use crate::support::{NINES, pinned};
use pin::Format;

const KUBERNETES: [(&str, &str); 2] = [
    ("lf", include_str!("../../fixtures/torture/kubernetes/lf/agent.yaml")),
    ("crlf", include_str!("../../fixtures/torture/kubernetes/crlf/agent.yaml")),
];
const DOCKERFILE: [(&str, &str); 2] = [
    ("lf", include_str!("../../fixtures/torture/dockerfile/lf/Dockerfile")),
    ("crlf", include_str!("../../fixtures/torture/dockerfile/crlf/Dockerfile")),
];
const TEKTON: [(&str, &str); 2] = [
    ("lf", include_str!("../../fixtures/torture/kubernetes/tekton/tasks.yaml")),
    ("crlf", include_str!("../../fixtures/torture/kubernetes/tekton-crlf/tasks.yaml")),
];

/// How many pins were written; without them the text must be the old one, byte for byte.
fn pins(format: Format, text: &str) -> usize {
    let new = pinned(format, text);
    assert_eq!(new.replace(&format!("@{NINES}"), ""), text);
    assert_eq!(new.matches("decoy").count(), text.matches("decoy").count());
    assert!(!new.lines().any(|line| line.contains("decoy") && line.contains(NINES)));
    new.matches(NINES).count()
}

#[test]
fn ten_of_ten_are_pinned_in_kubernetes_and_the_decoys_stay() {
    for (name, text) in KUBERNETES {
        assert_eq!(pins(Format::Kubernetes, text), 10, "{name}");
        assert!(text.contains("decoy/in-block:1") && text.contains("{{ .Values.image }}"));
    }
}

#[test]
fn six_of_six_are_pinned_in_a_dockerfile() {
    for (name, text) in DOCKERFILE {
        assert_eq!(pins(Format::Dockerfile, text), 6, "{name}");
    }
}

#[test]
fn three_of_three_are_pinned_in_tekton_and_both_documents_stay() {
    for (name, text) in TEKTON {
        assert_eq!(pins(Format::Kubernetes, text), 3, "{name}");
    }
}
