//! Where objects of a custom kind have their images, by the schema of its CustomResourceDefinition.
//!
//! ```text
//! properties: {spec: {properties: {runner: {type: string, description: container image of the runner}}}}
//!   ->  spec.runner is an image
//! ```
//! A property counts by its name (`image`, `…Image`, `imageName`) or because its description says so; one whose
//! description speaks of the image of a machine or a disk is known to be none.

use crate::knowledge::{Holds, KnownPath};
use crate::scan::{ScanError, read};
use crate::yaml::{DEPTH_MAX, NodeId, Tree};
use memchr::memmem;

/// Schema properties that are looked at in one text at most.
pub const PROPERTIES_MAX: usize = 200_000;

/// How descriptions of images begin.
const BEGINNINGS: [&str; 12] = [
    "container image",
    "the container image",
    "docker image",
    "the docker image",
    "oci image",
    "the oci image",
    "image name",
    "image reference",
    "name of the container image",
    "name of the docker image",
    "full image",
    "container's image",
];
/// Words that a description of another kind of image has.
/// Source: the CRDs of Cluster API providers (GCP, Hetzner, OpenStack, Linode) and of CDI.
const OTHERS: [&str; 14] = [
    "machine image",
    "vm image",
    "virtual machine image",
    "disk image",
    "boot image",
    "os image",
    "cloud image",
    "image id",
    "image slug",
    "family of images",
    "base64",
    "logo",
    "icon",
    "picture",
];
/// Ends of names that have `image` in them and are words or settings of an image.
const SETTINGS: [&str; 14] = [
    "policy",
    "secret",
    "secrets",
    "tag",
    "type",
    "version",
    "registry",
    "repository",
    "id",
    "digest",
    "family",
    "format",
    "size",
    "catalogref",
];

/// Reads the definitions of a text; what is none says nothing.
///
/// # Errors
/// When the text is no YAML that we read.
pub fn images(text: &str) -> Result<Vec<KnownPath>, ScanError> {
    let tree = read(text)?;
    let mut all = Vec::new();
    let mut left = PROPERTIES_MAX;
    for root in &tree.roots {
        definition(&tree, *root, &mut all, &mut left);
        let items = tree.get(*root, "items").and_then(|items| tree.resolve(items));
        for item in items.into_iter().flat_map(|items| tree.children(items)) {
            definition(&tree, item, &mut all, &mut left);
        }
    }
    all.sort();
    all.dedup();
    Ok(all)
}

/// Whether a text may define a kind.
#[must_use]
pub fn is_defined_in(text: &str) -> bool {
    memmem::find(text.as_bytes(), b"CustomResourceDefinition").is_some()
}

/// The groups of a text's objects that are not those of Kubernetes itself.
#[must_use]
pub fn custom_groups(text: &str) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    for at in memmem::find_iter(text.as_bytes(), b"apiVersion") {
        let rest = &text[at + "apiVersion".len()..];
        let value = rest.trim_start_matches(['"', '\'', ':', ' ']);
        let Some(end) = value.bytes().take(GROUP_BYTES_MAX).position(|byte| !is_of_group(byte))
        else {
            continue;
        };
        // `apps/v1` has no dot, and what ends in `.k8s.io` is mostly its own; definitions of such groups count too.
        let group = &value[..end];
        if value[end..].starts_with('/')
            && group.contains('.')
            && !OWN.contains(&group)
            && !all.iter().any(|known| known == group)
        {
            all.push(group.to_owned());
        }
    }
    all
}

/// The longest name of a group: that of a DNS subdomain. Source: RFC 1123, by Kubernetes docs, "Object Names and IDs".
const GROUP_BYTES_MAX: usize = 254;
/// Groups of Kubernetes that come by most.
const OWN: [&str; 5] = [
    "networking.k8s.io",
    "rbac.authorization.k8s.io",
    "storage.k8s.io",
    "apiextensions.k8s.io",
    "kustomize.config.k8s.io",
];

fn is_of_group(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-')
}

fn definition(tree: &Tree<'_>, object: NodeId, all: &mut Vec<KnownPath>, left: &mut usize) {
    if tree.text_of(object, "kind").is_none_or(|kind| kind != "CustomResourceDefinition") {
        return;
    }
    let Some(spec) = tree.get(object, "spec") else { return };
    let kind = tree.get(spec, "names").and_then(|names| tree.text_of(names, "kind"));
    let (Some(group), Some(kind)) = (tree.text_of(spec, "group"), kind) else {
        return;
    };
    let schema =
        |holder| tree.get(holder, "schema").and_then(|schema| tree.get(schema, "openAPIV3Schema"));
    let versions = tree.get(spec, "versions").and_then(|versions| tree.resolve(versions));
    let mut schemas: Vec<NodeId> = versions
        .into_iter()
        .flat_map(|versions| tree.children(versions))
        .filter_map(schema)
        .collect();
    // Source: Kubernetes, apiextensions v1beta1: one schema for all versions.
    let old = tree.get(spec, "validation").and_then(|old| tree.get(old, "openAPIV3Schema"));
    schemas.extend(old);
    let mut reader = Reader { tree, found: Vec::new(), left };
    for schema in schemas {
        reader.properties(schema, "");
    }
    all.extend(reader.found.into_iter().map(|(path, holds)| KnownPath {
        group: group.as_ref().to_owned(),
        kind: kind.as_ref().to_owned(),
        path,
        holds,
    }));
}

struct Reader<'a, 't> {
    tree: &'a Tree<'t>,
    found: Vec<(String, Holds)>,
    left: &'a mut usize,
}

impl Reader<'_, '_> {
    /// Looks at what a schema of an object, a list or a map has below it.
    fn properties(&mut self, schema: NodeId, path: &str) {
        // An alias may lead to what is around it.
        if path.matches(['.', '[']).count() >= DEPTH_MAX {
            return;
        }
        let Some(schema) = self.tree.resolve(schema) else { return };
        let properties = self.tree.get(schema, "properties").and_then(|all| self.tree.resolve(all));
        for property in properties.into_iter().flat_map(|all| self.tree.children(all)) {
            let Some(name) = self.tree.key(property) else { continue };
            // What the system writes is not asked for, and a dot in a name would be another step.
            if (path.is_empty() && name != "spec")
                || name.contains(['.', '[', '*'])
                || *self.left == 0
            {
                continue;
            }
            *self.left -= 1;
            let path = if path.is_empty() { name.to_string() } else { format!("{path}.{name}") };
            self.property(property, &name, path);
        }
        for (key, step) in [("items", "[]"), ("additionalProperties", ".*")] {
            let inner = self.tree.get(schema, key).filter(|_| !path.is_empty() && *self.left > 0);
            if let Some(inner) = inner {
                *self.left -= 1;
                self.property(inner, last(path), format!("{path}{step}"));
            }
        }
    }

    fn property(&mut self, schema: NodeId, name: &str, path: String) {
        let says = |key| self.tree.text_of(schema, key).unwrap_or_default();
        match says("type").as_ref() {
            "string" => {
                if let Some(holds) = holds(name, &says("description")) {
                    self.found.push((path, holds));
                }
            }
            _ if self.is_parts(schema, name) => self.found.push((path, Holds::Parts)),
            _ => self.properties(schema, &path),
        }
    }

    /// Whether a property is `{repository, tag}` or the like.
    fn is_parts(&self, schema: NodeId, name: &str) -> bool {
        let Some(properties) = self.tree.get(schema, "properties") else { return false };
        let has = |key| self.tree.get(properties, key).is_some();
        let is_called = name.to_ascii_lowercase().ends_with("image");
        is_called && has("repository") && (has("tag") || has("digest"))
    }
}

/// The last key of a path.
fn last(path: &str) -> &str {
    path.rsplit('.').find(|step| *step != "*").unwrap_or(path).trim_end_matches("[]")
}

/// What a text of this name and description is; nothing where it is no image of any kind.
fn holds(name: &str, description: &str) -> Option<Holds> {
    let description = first_words(description);
    let lower = name.to_ascii_lowercase();
    let is_called = name == "image" || name.ends_with("Image");
    if SETTINGS.iter().any(|end| lower.ends_with(end)) {
        return None;
    }
    if lower.contains("image") && OTHERS.iter().any(|other| description.contains(other)) {
        return Some(Holds::Nothing);
    }
    let is_said = begins(&description) || begins(after_name(&description, &lower));
    let is_named = ["imagename", "imageref", "imagereference", "imageurl", "images"]
        .contains(&lower.as_str())
        && ["container", "docker", "oci", "registry"].iter().any(|word| description.contains(word));
    (is_called || is_said || is_named).then_some(Holds::Image)
}

fn begins(description: &str) -> bool {
    BEGINNINGS.iter().any(|beginning| description.starts_with(beginning))
}

/// What follows the field's own name: comments of Go begin with it, as in "Runner is the container image of".
fn after_name<'d>(description: &'d str, name: &str) -> &'d str {
    let rest = description.strip_prefix(name).and_then(|rest| rest.strip_prefix(' ')).unwrap_or("");
    ["is ", "defines ", "specifies ", "sets "]
        .iter()
        .find_map(|verb| rest.strip_prefix(verb))
        .unwrap_or(rest)
}

/// The beginning of a description, its breaks as blanks, in lower case.
fn first_words(description: &str) -> String {
    let words = description.split_whitespace().take(60).collect::<Vec<_>>();
    words.join(" ").to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    const CRD: &str = "\
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: agents.example.com}
spec:
  group: example.com
  names: {kind: Agent, plural: agents}
  versions:
  - name: v1
    schema:
      openAPIV3Schema:
        type: object
        properties:
          apiVersion: {type: string}
          status:
            type: object
            properties: {image: {type: string}}
          spec:
            type: object
            properties:
              image: {type: string, description: Image to run.}
              imagePullPolicy: {type: string, description: Container image pull policy.}
              relayImage: {type: string}
              runner:
                type: string
                description: |-
                  Runner is the container
                  image of the job.
              args:
                type: array
                items: {type: string}
                description: The container image's CMD is used if this is not provided.
              imageName: {type: string, description: Name of the OCI image in its registry.}
              bootImage: {type: string, description: The VM image that a node boots from.}
              version: {type: string}
              proxyImage:
                type: object
                properties: {repository: {type: string}, tag: {type: string}}
              pools:
                type: array
                items:
                  type: object
                  properties:
                    image: {type: string}
              tools:
                type: object
                additionalProperties:
                  type: object
                  properties: {toolImage: {type: string}}
---
kind: Service
";

    #[test]
    fn names_and_descriptions_say_what_is_an_image_and_what_is_none() {
        let found = images(CRD).unwrap();
        let listed: Vec<_> = found.iter().map(|one| (one.path.as_str(), one.holds)).collect();
        assert_eq!(
            listed,
            [
                ("spec.bootImage", Holds::Nothing),
                ("spec.image", Holds::Image),
                ("spec.imageName", Holds::Image),
                ("spec.pools[].image", Holds::Image),
                ("spec.proxyImage", Holds::Parts),
                ("spec.relayImage", Holds::Image),
                ("spec.runner", Holds::Image),
                ("spec.tools.*.toolImage", Holds::Image),
            ]
        );
        assert!(found.iter().all(|one| one.group == "example.com" && one.kind == "Agent"));
    }

    #[test]
    fn groups_of_others_are_told_from_those_of_kubernetes() {
        let text = "apiVersion: v1\n---\napiVersion: apps/v1\n---\n\"apiVersion\": \"example.com/v1\"\n---\napiVersion: rbac.authorization.k8s.io/v1\n- apiVersion: example.com/v2\napiVersion: a.b";
        assert_eq!(custom_groups(text), ["example.com"]);
    }

    #[test]
    fn the_old_place_of_a_schema_is_read_too() {
        let text = "kind: CustomResourceDefinition\nspec:\n  group: g.example.com\n  names: {kind: K}\n  validation: {openAPIV3Schema: {properties: {spec: {properties: {image: {type: string}}}}}}\n";
        let found = images(text).unwrap();
        assert_eq!((found.len(), found[0].path.as_str()), (1, "spec.image"));
        assert!(images("a: [").is_err());
        assert!(images("apiVersion: v1\nkind: Pod\n").unwrap().is_empty());
    }

    #[test]
    fn a_schema_that_holds_itself_ends() {
        let text = "kind: CustomResourceDefinition\nspec:\n  group: g.example.com\n  names: {kind: K}\n  validation:\n    openAPIV3Schema:\n      properties:\n        spec: &s\n          properties: {image: {type: string}, more: *s}\n";
        assert_eq!(images(text).unwrap().len(), DEPTH_MAX);
        let head = text.split("        spec: &s").next().unwrap();
        for inside in ["{type: array, items: *s}", "{type: object, additionalProperties: *s}"] {
            let text = format!("{head}        spec: &s {inside}\n");
            assert!(images(&text).unwrap().is_empty(), "{inside}");
        }
    }

    #[test]
    fn so_many_properties_are_looked_at_and_no_more() {
        let head = "kind: CustomResourceDefinition\nspec:\n  group: g.example.com\n  names: {kind: K}\n  validation: {openAPIV3Schema: {properties: {spec: {properties: {\n";
        let text = |before: usize| {
            let filler = "a: {},\n".repeat(before);
            format!("{head}{filler}image: {{type: string}}\n}}}}}}}}}}\n")
        };
        // One more is `spec` itself.
        assert_eq!(images(&text(PROPERTIES_MAX - 2)).unwrap().len(), 1);
        assert!(images(&text(PROPERTIES_MAX - 1)).unwrap().is_empty());
    }
}
