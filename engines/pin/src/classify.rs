//! Which format a file has: by its name first, else by what stands in it.
//!
//! ```text
//! docker-compose.prod.yml -> Compose     deploy/api.yaml with apiVersion: and kind: -> Kubernetes
//! ```

use memchr::memmem;

/// A format that names images.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Format {
    /// Objects with `apiVersion` and `kind`.
    Kubernetes,
    /// A kustomization's `images:`.
    Kustomize,
    /// Services.
    Compose,
    /// A Dockerfile or Containerfile.
    Dockerfile,
}

impl Format {
    /// The word for people and for JSON.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Kubernetes => "kubernetes",
            Self::Kustomize => "kustomize",
            Self::Compose => "compose",
            Self::Dockerfile => "dockerfile",
        }
    }
}

/// Decides a file's format; nothing where it is none of ours. `-` is standard input: content alone decides.
#[must_use]
pub fn classify(path: &str, text: &str) -> Option<Format> {
    let name = path.rsplit(['/', '\\']).next().unwrap_or(path);
    let name = name.to_ascii_lowercase();
    if is_dockerfile_name(&name) {
        return Some(Format::Dockerfile);
    }
    let (stem, extension) = name.rsplit_once('.').unwrap_or((&name, ""));
    let is_yaml = matches!(extension, "yaml" | "yml");
    if name == "kustomization" || (is_yaml && stem == "kustomization") {
        return Some(Format::Kustomize);
    }
    if is_yaml && is_compose_stem(stem) {
        return Some(Format::Compose);
    }
    if is_yaml || extension == "json" || name == "-" {
        let sniffed = sniff(text.as_bytes());
        if sniffed.is_none() && name == "-" && begins_as_dockerfile(text) {
            return Some(Format::Dockerfile);
        }
        return sniffed;
    }
    None
}

/// Whether bytes can hold an image at all; a cheap question before a file is read closely.
#[must_use]
pub fn prefilter(bytes: &[u8]) -> bool {
    // `mage` is in `image`, `images` and `sidecarImage`.
    memmem::find(bytes, b"mage").is_some()
        || memmem::find(bytes, b"repository").is_some()
        || memchr::memchr2_iter(b'f', b'F', bytes)
            .any(|at| bytes[at..].get(..4).is_some_and(|word| word.eq_ignore_ascii_case(b"from")))
        || memmem::find(bytes, b"syntax").is_some()
}

fn is_dockerfile_name(name: &str) -> bool {
    let is_one = |word: &str| {
        name == word
            || name.strip_prefix(word).is_some_and(|rest| rest.starts_with(['.', '-', '_']))
            || name.strip_suffix(word).is_some_and(|rest| rest.ends_with('.'))
    };
    let is_other = [".dockerignore", ".md", ".txt", ".yaml", ".yml", ".json", ".tmpl", ".j2"]
        .iter()
        .any(|end| name.ends_with(end));
    (is_one("dockerfile") || is_one("containerfile")) && !is_other
}

fn is_compose_stem(stem: &str) -> bool {
    ["docker-compose", "compose", "podman-compose"].iter().any(|word| {
        stem == *word
            || stem.strip_prefix(word).is_some_and(|rest| rest.starts_with(['.', '-', '_']))
            || stem.strip_suffix(word).is_some_and(|rest| rest.ends_with(['.', '-']))
    })
}

/// Source: a workload file of Kubernetes has both keys; a Compose file has `services` at its root.
fn sniff(bytes: &[u8]) -> Option<Format> {
    let has_key = |key: &[u8]| {
        memmem::find_iter(bytes, key).any(|at| {
            let rest = &bytes[at + key.len()..];
            rest.starts_with(b":") || rest.starts_with(b"\":") || rest.starts_with(b" :")
        })
    };
    if has_key(b"apiVersion") && has_key(b"kind") {
        let is_kustomize = memmem::find(bytes, b"kustomize.config.k8s.io").is_some();
        return Some(if is_kustomize { Format::Kustomize } else { Format::Kubernetes });
    }
    let services = memmem::find_iter(bytes, b"services:").any(|at| {
        at == 0
            || matches!(bytes[at - 1], b'\n' | b'\r')
            || (at == 3 && bytes.starts_with(b"\xef\xbb\xbf"))
    });
    (services && memmem::find(bytes, b"image").is_some()).then_some(Format::Compose)
}

fn begins_as_dockerfile(text: &str) -> bool {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let first = text
        .split(['\n', '\r'])
        .map(str::trim)
        .find(|line| !line.is_empty() && !line.starts_with('#'))
        .and_then(|line| line.split_whitespace().next());
    first.is_some_and(|word| word.eq_ignore_ascii_case("from") || word.eq_ignore_ascii_case("arg"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_decide_before_content() {
        let cases = [
            ("Dockerfile", Some(Format::Dockerfile)),
            ("a/api.Dockerfile", Some(Format::Dockerfile)),
            ("Dockerfile.prod", Some(Format::Dockerfile)),
            ("Containerfile", Some(Format::Dockerfile)),
            ("Dockerfile.dockerignore", None),
            ("a\\kustomization.yml", Some(Format::Kustomize)),
            ("Kustomization", Some(Format::Kustomize)),
            ("docker-compose.override.yml", Some(Format::Compose)),
            ("compose.yaml", Some(Format::Compose)),
            ("shop.compose.yaml", Some(Format::Compose)),
            ("composer.json", None),
            ("values.yaml", None),
        ];
        for (path, expected) in cases {
            assert_eq!(classify(path, ""), expected, "{path}");
        }
    }

    #[test]
    fn content_decides_for_other_names() {
        let cases = [
            ("a.yaml", "apiVersion: v1\nkind: Pod\n", Some(Format::Kubernetes)),
            ("a.json", "{\"apiVersion\":\"v1\",\"kind\":\"Pod\"}", Some(Format::Kubernetes)),
            (
                "a.yaml",
                "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\n",
                Some(Format::Kustomize),
            ),
            ("stack.yml", "services:\n  a:\n    image: b\n", Some(Format::Compose)),
            ("a.yaml", "my-services:\n  image: b\n", None),
            ("a.txt", "apiVersion: v1\nkind: Pod\n", None),
            ("-", "# x\nFROM a\n", Some(Format::Dockerfile)),
            ("-", "apiVersion: v1\nkind: Pod\n", Some(Format::Kubernetes)),
        ];
        for (path, text, expected) in cases {
            assert_eq!(classify(path, text), expected, "{path} {text:?}");
        }
    }

    #[test]
    fn what_can_hold_no_image_is_passed_over() {
        assert!(prefilter(b"  agentImage: x"));
        assert!(prefilter(b"fRoM x"));
        assert!(!prefilter(b"kind: Service\nports: [80]\n"));
    }
}
