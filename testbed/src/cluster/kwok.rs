//! Nodes and pods without a kubelet: as many as the API server carries, for what has to be shown at scale.
//!
//! ```text
//! Node with kwok.x-k8s.io/node: fake   ->  Ready      Pod on it   ->  Running, with an imageID and a containerID
//! ```
//! kwok starts no container and pulls no image: what a kubelet really does is shown on the two real nodes.

use std::fs;

use anyhow::Result;

use super::Shape;
use super::script::quoted;

/// The annotation, a key and a value, that makes a node kwok's.
pub const NODE: (&str, &str) = ("kwok.x-k8s.io/node", "fake");
/// The annotation of a pod that says which bytes its tags name; without it a tag leaves the imageID empty.
pub const DIGEST: &str = "testbed/digest";
/// How nodes and pods come to life.
const STAGES: &str = include_str!("../../tools/kwok/stages.yaml");

/// Writes what kwok is told to do.
pub(super) fn write(shape: &Shape) -> Result<()> {
    if shape.kwok.is_some() {
        fs::write(shape.folder.join("stages.yaml"), STAGES)?;
    }
    Ok(())
}

/// The command that starts it; none: this cluster has real nodes only.
pub(super) fn command(shape: &Shape) -> Option<String> {
    let kwok = shape.kwok.as_ref()?;
    // The two real nodes are none of its business. It opens no port unless it is given one.
    Some(format!(
        "'{}' --kubeconfig {} --config {} --manage-nodes-with-annotation-selector {}={} \
         --node-lease-duration-seconds 40",
        kwok.path().display(),
        quoted(shape, "kubeconfig"),
        quoted(shape, "stages.yaml"),
        NODE.0,
        NODE.1
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stages_read_the_annotation_that_is_promised() {
        assert!(STAGES.contains(&format!("index . \"{DIGEST}\"")));
    }
}
