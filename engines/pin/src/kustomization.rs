//! What a kustomization builds from, and which images it sets: then what its files say of them is never run.
//!
//! ```text
//! resources: [../base], images: [{name: shop/api, newTag: "1.4"}]  ->  uses ../base; sets shop/api
//! images: [{name: shop/api, newName: mirror/api}]                  ->  renames shop/api to mirror/api, sets nothing
//! ```
//! Source: kustomize, `api/types/kustomization.go` and `api/image/image.go`.

use crate::classify::Format;
use crate::scan::{ScanError, read, scan};
use crate::site::{Fields, FieldsKind, Found, Shape};
use crate::yaml::{Kind, NodeId, Tree};

/// What one kustomization says beside its own objects.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Kustomization {
    /// Files and folders that it builds from, as written: resources, bases, and files with patches.
    pub uses: Vec<String>,
    /// Folders whose images it sets as if they were written here.
    pub components: Vec<String>,
    /// Its `images:`, in order.
    pub images: Vec<SetImage>,
}

/// An entry of `images:`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SetImage {
    /// Under which name its files have it.
    pub name: String,
    /// Under which name it goes on from here.
    pub renamed: String,
    /// Whether it writes a tag or digest of its own.
    pub sets: Sets,
}

/// What an entry does with the tag.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sets {
    /// It writes tag, digest or both: those of the files are gone.
    Reference,
    /// It leaves the tag to the files.
    Name,
}

/// Reads a kustomization; of a file with several documents the first one.
///
/// # Errors
/// When the text is no YAML that we read.
pub fn kustomization(text: &str) -> Result<Kustomization, ScanError> {
    let tree = read(text)?;
    let Some(root) = tree.roots.first().copied() else { return Ok(Kustomization::default()) };
    let mut uses = texts(&tree, root, "resources");
    for key in ["bases", "patchesStrategicMerge"] {
        uses.extend(texts(&tree, root, key));
    }
    let lists = ["patches", "patchesJson6902"];
    let patches =
        lists.iter().filter_map(|key| tree.get(root, key).and_then(|id| tree.resolve(id)));
    for patch in patches.flat_map(|list| tree.children(list)) {
        let patch = tree.resolve(patch).and_then(|patch| tree.text_of(patch, "path"));
        uses.extend(patch.map(std::borrow::Cow::into_owned));
    }
    let components = texts(&tree, root, "components");
    let sites = scan(Format::Kustomize, text)?.sites;
    let images = sites.iter().filter_map(|site| match &site.shape {
        Shape::Fields(fields) if fields.kind == FieldsKind::Kustomize => {
            Some(entry(fields, &site.found))
        }
        Shape::Fields(_) | Shape::Whole(_) | Shape::Seen(_) | Shape::Inside(_) => None,
    });
    Ok(Kustomization { uses, components, images: images.collect() })
}

/// An image's name as kustomize compares it: without tag and digest.
#[must_use]
pub fn name_of(reference: &str) -> &str {
    let name = reference.split('@').next().unwrap_or(reference);
    let path = name.rfind('/').map_or(0, |slash| slash + 1);
    name[path..].find(':').map_or(name, |colon| &name[..path + colon])
}

fn entry(fields: &Fields, found: &Found) -> SetImage {
    let name = fields.name.value.clone();
    let other = fields.other.as_ref().map(|other| other.value.clone());
    let renamed = other.filter(|other| !other.is_empty()).unwrap_or_else(|| name.clone());
    let sets = match found {
        Found::Inherits(_) => Sets::Name,
        Found::Image(_)
        | Found::Opaque(_)
        | Found::Malformed(_)
        | Found::BuildTarget
        | Found::Stage
        | Found::Scratch => Sets::Reference,
    };
    SetImage { name, renamed, sets }
}

/// The texts of a list.
fn texts(tree: &Tree<'_>, root: NodeId, key: &str) -> Vec<String> {
    let list = tree.get(root, key).and_then(|id| tree.resolve(id));
    let entries = list.into_iter().flat_map(|list| tree.children(list));
    let resolved = entries.filter_map(|entry| tree.resolve(entry));
    let scalars = resolved.filter(|entry| matches!(tree.node(*entry).kind, Kind::Scalar(_)));
    scalars.map(|entry| tree.value(entry).trim().to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_used_and_what_is_set_is_read() {
        let text = "\
resources: [../base, deployment.yaml]
components:
- ../pins
patches:
- path: replicas.yaml
- patch: |-
    - op: remove
images:
- {name: shop/api, newTag: \"1.4\"}
- {name: web, newName: mirror/web}
- {name: db, digest: sha256:1111111111111111111111111111111111111111111111111111111111111111}
- {name: floating, newTag: $TAG}
";
        let read = kustomization(text).unwrap();
        assert_eq!(read.uses, ["../base", "deployment.yaml", "replicas.yaml"]);
        assert_eq!(read.components, ["../pins"]);
        let images: Vec<_> =
            read.images.iter().map(|one| (&*one.name, &*one.renamed, one.sets)).collect();
        assert_eq!(
            images,
            [
                ("shop/api", "shop/api", Sets::Reference),
                ("web", "mirror/web", Sets::Name),
                ("db", "db", Sets::Reference),
                ("floating", "floating", Sets::Reference),
            ]
        );
        assert_eq!(kustomization("").unwrap(), Kustomization::default());
        assert!(kustomization("a: [").is_err());
    }

    #[test]
    fn a_name_has_neither_tag_nor_digest() {
        let cases = [
            ("shop/api", "shop/api"),
            ("shop/api:1.4", "shop/api"),
            ("host:5000/shop/api", "host:5000/shop/api"),
            ("host:5000/shop/api:1.4@sha256:9f", "host:5000/shop/api"),
            ("nginx:1", "nginx"),
        ];
        for (reference, name) in cases {
            assert_eq!(name_of(reference), name);
        }
    }
}
