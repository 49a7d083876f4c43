//! Which format a file has, and why: by its name first, else by what stands in it.
//!
//! ```text
//! docker-compose.prod.yml -> Compose     deploy/api.yaml with apiVersion: and kind: -> Kubernetes
//! ```

use crate::format::{ALL, Spec};
use crate::roots::Roots;
use memchr::memmem;
use std::borrow::Cow;
use std::cell::OnceCell;

/// A format that names images.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Format {
    /// The values of a Helm chart.
    HelmValues,
    /// A template of a Helm chart.
    HelmTemplate,
    /// What skaffold builds, tests and runs.
    Skaffold,
    /// Plays and tasks.
    Ansible,
    /// Objects with `apiVersion` and `kind`.
    Kubernetes,
    /// A kustomization's `images:`.
    Kustomize,
    /// Services.
    Compose,
    /// A Dockerfile or Containerfile.
    Dockerfile,
    /// A workflow or an action of GitHub.
    Github,
    /// Jobs of GitLab CI.
    GitlabCi,
    /// A pipeline of Azure DevOps.
    AzurePipelines,
    /// Jobs and executors of CircleCI.
    Circleci,
    /// A pipeline of Bitbucket.
    Bitbucket,
    /// A pipeline of Drone.
    Drone,
    /// A workflow of Woodpecker.
    Woodpecker,
    /// A pipeline of Buildkite.
    Buildkite,
    /// The steps of Google Cloud Build.
    CloudBuild,
    /// A development container's settings: JSON with comments.
    Devcontainer,
    /// A task definition of Amazon ECS, or a `Dockerrun.aws.json`.
    Ecs,
    /// Units of Podman for systemd.
    Quadlet,
    /// Files of Terraform or OpenTofu.
    Terraform,
    /// A job of Nomad.
    Nomad,
    /// A shell script: seen, never edited.
    Shell,
    /// A Makefile: seen, never edited.
    Makefile,
    /// Jsonnet: seen, never edited.
    Jsonnet,
    /// CUE: seen, never edited.
    Cue,
    /// Starlark, of Bazel or Tilt: seen, never edited.
    Starlark,
}

/// A file's path, as the formats look at it.
pub(crate) struct Name<'p> {
    /// With `/`, as it was given.
    pub(crate) path: &'p str,
    /// The last part, in lower case.
    pub(crate) file: Cow<'p, str>,
}

/// A file, as the formats look at it.
pub(crate) struct Look<'p> {
    pub(crate) name: Name<'p>,
    pub(crate) text: &'p str,
    /// Found when the first format asks.
    roots: OnceCell<Roots<'p>>,
}

/// What a file was recognised as, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Recognised {
    /// What.
    pub format: Format,
    /// For people: "it is called like a Dockerfile".
    pub why: &'static str,
}

/// Decides a file's format; nothing where it is none of ours. `-` is standard input: content alone decides.
#[must_use]
pub fn classify(path: &str, text: &str) -> Option<Format> {
    recognise(path, text).map(|found| found.format)
}

/// The same, with the reason.
#[must_use]
pub fn recognise(path: &str, text: &str) -> Option<Recognised> {
    let look = Look { name: Name::of(path), text, roots: OnceCell::new() };
    let named = |spec: &'static Spec| (spec.by_name)(&look.name).map(|why| (spec, why));
    let by_name = ALL.iter().find_map(named);
    let written = |spec: &'static Spec| (spec.by_content)(&look).map(|why| (spec, why));
    let found =
        by_name.or_else(|| look.name.may_be_anything().then(|| ALL.iter().find_map(written))?);
    found.map(|(spec, why)| Recognised { format: spec.format, why })
}

/// Whether a file's name alone speaks for opening it.
#[must_use]
pub fn is_worth_opening(path: &str) -> bool {
    let name = Name::of(path);
    name.may_be_anything() || ALL.iter().any(|spec| (spec.by_name)(&name).is_some())
}

impl<'p> Name<'p> {
    fn of(path: &'p str) -> Self {
        let file = path.rsplit(['/', '\\']).next().unwrap_or(path);
        let file = match file.bytes().any(|byte| byte.is_ascii_uppercase()) {
            true => Cow::Owned(file.to_ascii_lowercase()),
            false => Cow::Borrowed(file),
        };
        Self { path, file }
    }

    /// What stands behind the last dot.
    pub(crate) fn extension(&self) -> &str {
        self.file.rsplit_once('.').map_or("", |(_, extension)| extension)
    }

    /// What stands before the last dot.
    pub(crate) fn stem(&self) -> &str {
        self.file.rsplit_once('.').map_or(&self.file, |(stem, _)| stem)
    }

    pub(crate) fn is_yaml(&self) -> bool {
        matches!(self.extension(), "yaml" | "yml")
    }

    /// Whether the file stands in a folder of this name, however deep; `a/b` is a folder in another.
    pub(crate) fn is_below(&self, folder: &str) -> bool {
        const SEPARATORS: [char; 2] = ['/', '\\'];
        let Some((mut folders, _)) = self.path.rsplit_once(SEPARATORS) else {
            return false;
        };
        loop {
            let mut parts = folders.split(SEPARATORS);
            if folder.split('/').all(|wanted| parts.next() == Some(wanted)) {
                return true;
            }
            match folders.split_once(SEPARATORS) {
                Some((_, inner)) => folders = inner,
                None => return false,
            }
        }
    }

    /// Standard input has no name.
    pub(crate) fn is_nameless(&self) -> bool {
        self.path == "-"
    }

    /// Whether the content is asked what the file is.
    fn may_be_anything(&self) -> bool {
        self.is_yaml()
            || matches!(self.extension(), "json" | "hcl" | "image" | "volume" | "build" | "")
            || self.is_nameless()
    }
}

impl Look<'_> {
    /// Whether it has both keys of a Kubernetes object, wherever they stand.
    pub(crate) fn is_object(&self) -> bool {
        self.has_key("apiVersion") && self.has_key("kind")
    }

    /// Whether a key stands somewhere.
    pub(crate) fn has_key(&self, key: &str) -> bool {
        let bytes = self.text.as_bytes();
        memmem::find_iter(bytes, key.as_bytes()).any(|at| {
            let rest = &bytes[at + key.len()..];
            rest.starts_with(b":") || rest.starts_with(b"\":") || rest.starts_with(b" :")
        })
    }

    /// Whether a key begins a line, as those at the root of a YAML text do.
    pub(crate) fn has_root(&self, key: &str) -> bool {
        self.roots().has(key)
    }

    /// The keys at the root; none for a name that speaks against YAML.
    pub(crate) fn roots(&self) -> &Roots<'_> {
        let is_asked = self.name.is_yaml() || self.name.is_nameless();
        self.roots.get_or_init(|| match is_asked {
            true => Roots::of(self.text),
            false => Roots::default(),
        })
    }

    /// Whether a Kubernetes object begins at the root: no format of another program claims it.
    pub(crate) fn is_root_object(&self) -> bool {
        self.roots().is_object()
    }

    /// Whether a word stands somewhere.
    pub(crate) fn has_word(&self, word: &str) -> bool {
        memmem::find(self.text.as_bytes(), word.as_bytes()).is_some()
    }

    /// Whether one of the words stands somewhere.
    pub(crate) fn has_any_word(&self, words: &[&str]) -> bool {
        words.iter().any(|word| self.has_word(word))
    }
}

/// What a pipeline says that names an image without the word.
const PIPELINE_WORDS: [&[u8]; 3] = [b"container", b"docker://", b"steps"];

/// Whether bytes can hold an image at all; a cheap question before a file is read closely.
#[must_use]
pub fn prefilter(bytes: &[u8]) -> bool {
    // `mage` is in `image`, `images` and `sidecarImage`.
    memmem::find(bytes, b"mage").is_some()
        || memmem::find(bytes, b"repository").is_some()
        // Pipelines name some under `container`, `services`, `uses`, `pipe`, or a step's `name`.
        || PIPELINE_WORDS.iter().any(|word| memmem::find(bytes, word).is_some())
        || lists_services(bytes)
        || memchr::memchr2_iter(b'f', b'F', bytes)
            .any(|at| bytes[at..].get(..4).is_some_and(|word| word.eq_ignore_ascii_case(b"from")))
        || memmem::find(bytes, b"syntax").is_some()
        || memmem::find(bytes, b"features\"").is_some()
        || memmem::find(bytes, b"docker").is_some()
        || memmem::find(bytes, b"podman").is_some()
}

/// Whether `services` has a list, as in GitLab's files; those of Compose are a mapping and say `image`.
fn lists_services(bytes: &[u8]) -> bool {
    let word = b"services";
    memmem::find_iter(bytes, word).any(|at| {
        let behind = &bytes[at + word.len()..];
        let mut rest = behind.iter().skip_while(|byte| matches!(byte, b'"' | b'\'' | b' '));
        let value = match rest.next() {
            Some(b':') => rest.find(|byte| !byte.is_ascii_whitespace()),
            Some(_) | None => None,
        };
        // A comment or an anchor may stand before the list, or an alias for it.
        value.is_some_and(|byte| matches!(byte, b'-' | b'[' | b'#' | b'&' | b'*'))
    })
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
            ("src/dockerfile.py", None),
            ("tests/dockerfile_test.go", None),
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
    fn a_file_stands_below_the_folders_of_its_path_and_no_others() {
        let is_below = |path: &str, folder: &str| Name::of(path).is_below(folder);
        for path in
            [".github/workflows/a.yml", "/x/.github/workflows/a", ".github\\workflows\\b\\a"]
        {
            assert!(is_below(path, ".github/workflows"), "{path}");
        }
        for path in
            ["workflows/a", "x.github/workflows/a", ".github/workflows", ".github/x/workflows/a"]
        {
            assert!(!is_below(path, ".github/workflows"), "{path}");
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
        for listed in
            ["services: [a]", "\"services\" :\r\n  - a", "services: *a", "services: # a\n- b"]
        {
            assert!(prefilter(listed.as_bytes()), "{listed}");
        }
        for other in
            ["services: {}", "services:\n  a: b", "resources: [services, pods]", "services:"]
        {
            assert!(!prefilter(other.as_bytes()), "{other}");
        }
    }
}
