//! What a pipeline pushes, as its lines say it.
//!
//! ```text
//! docker push ghcr.io/shop/api:$SHA                 ->  ghcr.io/shop/api
//! tags: ghcr.io/${{ github.repository }}:latest     ->  ghcr.io/shop/api, where `origin` is github.com/shop/api
//! ```
//! Only words after a push or a name for a build count; of variables only those whose value `origin` tells.

use domain::Repository;

/// Words on a line after which the name of a build stands.
const BEFORE: [&str; 9] = [
    "docker push",
    "podman push",
    "buildah push",
    "docker build",
    "podman build",
    "buildx build",
    "--destination",
    "--tag",
    "docker tag",
];
/// A push of a pipeline.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Push {
    pub(super) path: String,
    pub(super) line: usize,
    pub(super) repository: Repository,
}

/// Where the repository lives: `github.com`, `shop/api`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Origin {
    pub(super) host: String,
    pub(super) path: String,
}

impl Origin {
    /// From an address of git: `https://HOST/PATH.git`, `ssh://git@HOST/PATH`, `git@HOST:PATH`.
    pub(super) fn of(url: &str) -> Option<Self> {
        let rest = match url.split_once("://") {
            Some((_, rest)) => rest.to_owned(),
            None => url.replacen(':', "/", 1),
        };
        let (host, path) = rest.split_once('/')?;
        let host = host.rsplit('@').next()?.split(':').next()?.to_lowercase();
        let path = path.trim_matches('/').trim_end_matches(".git").to_lowercase();
        let is_there = host.contains('.') && !path.is_empty();
        is_there.then_some(Self { host, path })
    }

    /// The first part of the path: an owner, a group.
    pub(super) fn owner(&self) -> &str {
        self.path.split('/').next().unwrap_or_default()
    }

    /// A line with the variables in it that this tells.
    fn filled(&self, line: &str) -> String {
        let mut line = line.replace("${{ github.repository_owner }}", self.owner());
        for name in ["${{ github.repository }}", "${{github.repository}}", "$GITHUB_REPOSITORY"] {
            line = line.replace(name, &self.path);
        }
        if self.host == "gitlab.com" {
            let image = format!("registry.gitlab.com/{}", self.path);
            for name in ["${CI_REGISTRY_IMAGE}", "$CI_REGISTRY_IMAGE"] {
                line = line.replace(name, &image);
            }
        }
        line
    }
}

/// The pushes of one pipeline, each repository once.
pub(super) fn pushes(path: &str, text: &str, origin: Option<&Origin>) -> Vec<Push> {
    let mut all: Vec<Push> = Vec::new();
    // The indentation of a `tags:` whose values follow on lines of their own.
    let mut tags: Option<usize> = None;
    for (at, line) in text.lines().enumerate() {
        let indent = line.len() - line.trim_start().len();
        let word = line.trim();
        if word.is_empty() || word.starts_with('#') {
            continue;
        }
        if tags.is_some_and(|from| indent <= from) {
            tags = None;
        }
        let is_tags = word.trim_start_matches("- ").starts_with("tags:");
        let is_pushed = is_tags || tags.is_some() || BEFORE.iter().any(|one| word.contains(one));
        if is_tags {
            tags = Some(indent);
        }
        if !is_pushed {
            continue;
        }
        let line = origin.map_or_else(|| word.to_owned(), |origin| origin.filled(word));
        for repository in repositories(&line) {
            if !all.iter().any(|one| one.repository == repository) {
                all.push(Push { path: path.to_owned(), line: at + 1, repository });
            }
        }
    }
    all
}

/// Words that are surely repositories: with a host, and without a variable in their name.
fn repositories(line: &str) -> impl Iterator<Item = Repository> {
    line.split(|c: char| c.is_whitespace() || matches!(c, '"' | '\'' | ',' | '='))
        .filter_map(|word| {
            let (host, _) = word.split_once('/')?;
            let is_host = host.contains('.') || host.starts_with("localhost");
            // The tag may be a variable; the name may not.
            let name = match word.rfind('/').and_then(|slash| word[slash..].find(':')) {
                Some(colon) => &word[..word.rfind('/')? + colon],
                None => word,
            };
            let is_plain = is_host && !word.contains("://") && !name.contains(['$', '{', '@']);
            is_plain.then(|| name.parse().ok()).flatten()
        })
        .collect::<Vec<_>>()
        .into_iter()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_of_git_is_a_host_and_a_path() {
        let found = |url: &str| Origin::of(url).map(|one| (one.host, one.path));
        let expected = Some(("github.com".to_owned(), "shop/api".to_owned()));
        for url in [
            "https://github.com/Shop/api.git",
            "https://ada@github.com/shop/api",
            "git@github.com:shop/api.git",
            "ssh://git@github.com:22/shop/api.git",
        ] {
            assert_eq!(found(url), expected, "{url}");
        }
        assert_eq!(found("/srv/git/api.git"), None);
    }

    #[test]
    fn what_is_pushed_is_named_after_a_push_and_nowhere_else() {
        let origin = Origin::of("https://github.com/shop/api").unwrap();
        let text = "\
jobs:
  build:
    container: registry.example.com/ci/go:1.22
    steps:
    - uses: docker/build-push-action@v6
      with:
        tags: |
          ghcr.io/${{ github.repository }}:latest
          ghcr.io/${{ github.repository }}:${{ github.sha }}
        platforms: linux/amd64
    - run: docker push registry.example.com/shop/web:$SHA
    - run: docker push $REGISTRY/shop/other
    # docker push registry.example.com/old
";
        let found: Vec<_> = pushes("ci.yml", text, Some(&origin))
            .into_iter()
            .map(|one| (one.line, one.repository.to_string()))
            .collect();
        let expected =
            [(8, "ghcr.io/shop/api".to_owned()), (11, "registry.example.com/shop/web".to_owned())];
        assert_eq!(found, expected);
    }
}
