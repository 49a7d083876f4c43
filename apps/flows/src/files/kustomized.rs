//! Which images of a file are never run as the file says, because every kustomization that builds from it sets them.
//!
//! ```text
//! prod/kustomization.yaml: resources [../base], images [{name: shop/api, digest: …}]
//! base/kustomization.yaml: resources [api.yaml]   base/api.yaml: image shop/api   ->  replaced
//! uat/kustomization.yaml:  resources [../base]    (sets nothing)                  ->  not replaced: uat runs it
//! ```
//! Only kustomizations that were looked at are known; a file that none of them uses is run as it is.

use pin::{Kustomization, Sets};
use std::collections::HashMap;
use std::path::{Component, Path, PathBuf};

/// How many kustomizations may stand between a file and what is built.
const LAYERS_MAX: usize = 32;

/// All kustomizations that were looked at, by their folders.
#[derive(Debug, Default)]
pub(super) struct Kustomizations {
    by_folder: HashMap<PathBuf, Kustomization>,
    /// Who builds from a file or folder.
    users: HashMap<PathBuf, Vec<PathBuf>>,
}

/// What a kustomization makes of an image.
enum Becomes {
    /// It writes another reference.
    Replaced,
    /// It goes on under this name.
    Named(String),
}

impl Kustomizations {
    /// Adds the kustomization of a file.
    pub(super) fn add(&mut self, file: &Path, kustomization: Kustomization) {
        let folder = file.parent().unwrap_or(Path::new("")).to_owned();
        let used = kustomization.uses.iter().chain(&kustomization.components);
        for used in used.filter(|used| !is_address(used)) {
            self.users.entry(plain(&folder.join(used))).or_default().push(folder.clone());
        }
        self.by_folder.insert(folder, kustomization);
    }

    /// Whether no kustomization lets through what a file says of an image.
    pub(super) fn replace(&self, file: &Path, name: &str) -> bool {
        self.users_replace(file, name, &mut HashMap::new(), 0)
    }

    fn users_replace(
        &self,
        used: &Path,
        name: &str,
        known: &mut HashMap<(PathBuf, String), bool>,
        layer: usize,
    ) -> bool {
        let users = self.users.get(used).map_or(&[][..], Vec::as_slice);
        if layer == LAYERS_MAX || users.is_empty() {
            return false;
        }
        let key = (used.to_owned(), name.to_owned());
        if let Some(known) = known.get(&key) {
            return *known;
        }
        // A ring of kustomizations is built by nobody.
        known.insert(key.clone(), false);
        let replaced = users.iter().all(|user| match self.becomes(user, name, 0) {
            Becomes::Replaced => true,
            Becomes::Named(name) => self.users_replace(user, &name, known, layer + 1),
        });
        known.insert(key, replaced);
        replaced
    }

    /// What the images of a kustomization make of a name: those of its components first.
    fn becomes(&self, folder: &Path, name: &str, layer: usize) -> Becomes {
        let mut name = name.to_owned();
        let Some(kustomization) = self.by_folder.get(folder).filter(|_| layer < LAYERS_MAX) else {
            return Becomes::Named(name);
        };
        for component in &kustomization.components {
            match self.becomes(&plain(&folder.join(component)), &name, layer + 1) {
                Becomes::Replaced => return Becomes::Replaced,
                Becomes::Named(renamed) => name = renamed,
            }
        }
        for image in &kustomization.images {
            if image.name == name {
                match image.sets {
                    Sets::Reference => return Becomes::Replaced,
                    Sets::Name => name.clone_from(&image.renamed),
                }
            }
        }
        Becomes::Named(name)
    }
}

fn is_address(used: &str) -> bool {
    used.contains("://") || used.starts_with("git@") || used.contains("?ref=")
}

/// A path without `.` and `..`; what is looked at has no links.
fn plain(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => {
                plain.pop();
            }
            Component::Prefix(_) | Component::RootDir | Component::Normal(_) => plain.push(part),
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each folder with what its kustomization says.
    fn all(folders: &[(&str, &str)]) -> Kustomizations {
        let mut all = Kustomizations::default();
        for (folder, text) in folders {
            let file = Path::new("/r").join(folder).join("kustomization.yaml");
            all.add(&file, pin::kustomization(text).unwrap());
        }
        all
    }

    const BASE: (&str, &str) = ("base", "resources: [api.yaml]");

    fn is_replaced(folders: &[(&str, &str)]) -> bool {
        all(folders).replace(Path::new("/r/base/api.yaml"), "shop/api")
    }

    #[test]
    fn an_image_is_replaced_where_every_kustomization_sets_it() {
        let pins = "resources: [../base]\nimages: [{name: shop/api, newTag: v1.4.2}]";
        assert!(is_replaced(&[BASE, ("prod", pins)]));
        assert!(is_replaced(&[BASE, ("prod", pins), ("uat", pins)]));
        assert!(!is_replaced(&[BASE, ("prod", pins), ("uat", "resources: [../base]")]));
        assert!(!is_replaced(&[BASE]), "it is built as it is");
        assert!(!is_replaced(&[("prod", pins)]), "nothing says that the base has the file");
        assert!(is_replaced(&[(
            "base",
            "resources: [./api.yaml]\nimages: [{name: shop/api, digest: x}]"
        )]));
        let of_another = "resources: [../base]\nimages: [{name: shop/web, newTag: v1.4.2}]";
        assert!(!is_replaced(&[BASE, ("prod", of_another)]));
    }

    #[test]
    fn a_new_name_is_followed_and_sets_nothing() {
        let renames = "resources: [api.yaml]\nimages: [{name: shop/api, newName: mirror/api}]";
        let old = "resources: [../base]\nimages: [{name: shop/api, newTag: v1.4.2}]";
        let new = "resources: [../base]\nimages: [{name: mirror/api, newTag: v1.4.2}]";
        assert!(!is_replaced(&[("base", renames), ("prod", "resources: [../base]")]));
        assert!(!is_replaced(&[("base", renames), ("prod", old)]));
        assert!(is_replaced(&[("base", renames), ("prod", new)]));
    }

    #[test]
    fn layers_and_components_are_followed_and_rings_end() {
        let middle = ("middle", "resources: [../base]");
        let top = "resources: [../middle]\nimages: [{name: shop/api, newTag: v1.4.2}]";
        assert!(is_replaced(&[BASE, middle, ("prod", top)]));
        let by_component = "resources: [../base]\ncomponents: [../pins]";
        let pins = ("pins", "kind: Component\nimages: [{name: shop/api, newTag: v1.4.2}]");
        assert!(is_replaced(&[BASE, ("prod", by_component), pins]));
        let ring = ("base", "resources: [api.yaml, ../ring]");
        assert!(!is_replaced(&[ring, ("ring", "resources: [../base]")]));
        let own = ("prod", "resources: [../base]\ncomponents: [../prod]");
        assert!(!is_replaced(&[BASE, own]));
    }

    #[test]
    fn so_many_layers_are_followed_and_no_more() {
        let chain = |layers: usize| {
            let mut folders = vec![("base".to_owned(), "resources: [api.yaml]".to_owned())];
            for at in 1..layers {
                let below = if at == 1 { "base".to_owned() } else { format!("l{}", at - 1) };
                folders.push((format!("l{at}"), format!("resources: [../{below}]")));
            }
            let last = folders.last_mut().unwrap();
            last.1.push_str("\nimages: [{name: shop/api, newTag: v1}]");
            let folders: Vec<_> = folders.iter().map(|(name, text)| (&**name, &**text)).collect();
            is_replaced(&folders)
        };
        assert!(chain(LAYERS_MAX));
        assert!(!chain(LAYERS_MAX + 1));
    }
}
