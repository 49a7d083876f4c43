//! GitHub Actions with `build-push-action` and a configuration repository of its own.

use e2e::Image;
use serde_json::Value;

use super::Registry;
use super::forge::{Forge, commit, push};
use super::images::Builder;
use super::runner::{Ran, Runner, text};

const DEPLOYMENT: &str = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: api}\nspec:\n  \
    template:\n    spec:\n      containers:\n        - name: api\n          image: HOST/shop/api:latest\n";

/// The whole place: source and configuration, a registry, a builder, and Ada.
pub(crate) struct GitHub {
    pub(crate) forge: Forge,
    pub(crate) registry: Registry,
    crane: Builder,
    pub(crate) ada: Runner,
}

fn settings(host: &str, config: &str, verified_there: &str) -> String {
    format!(
        "version: 1\n\
         record: git\n\
         images:\n  api: {{repository: {host}/shop/api}}\n\
         environments:\n\
         \x20 prod:\n    branches: [prod]\n    alias: prod\n    promotes-from: uat\n\
         \x20   verified-there: {verified_there}\n\
         \x20   deploy: git\n    git: {{repository: \"{config}\", path: prod}}\n\
         \x20 uat:\n    branches: [develop]\n    alias: uat\n\
         \x20   deploy: git\n    git: {{repository: \"{config}\", path: uat}}\n"
    )
}

impl GitHub {
    /// Both repositories with their first commits; `None` where the builder is not installed.
    pub(crate) fn begin(test: &str) -> Option<Self> {
        let forge = Forge::new();
        let crane = Builder::find("crane", forge.path(), test)?;
        let registry = Registry::ours(forge.path());
        Some(Self::begin_with(forge, registry, crane))
    }

    fn begin_with(forge: Forge, registry: Registry, crane: Builder) -> Self {
        let host = registry.host().to_owned();
        let config = forge.bare("config");
        let settings = settings(&host, config.to_str().unwrap(), "warn");
        let deployment = DEPLOYMENT.replace("HOST", &host);
        let files = [("uat/api.yaml", deployment.as_str()), ("prod/api.yaml", &deployment)];
        forge.begin("config", "main", &files);
        let ada = forge.begin("shop", "prod", &[("indelible.yaml", settings.as_str())]);
        ada.git(&["switch", "--quiet", "--create", "develop"]);
        Self { forge, registry, crane, ada }
    }

    /// Makes prod refuse what was not verified in uat, by a commit on the current branch.
    pub(crate) fn require_verified(&self) {
        let path = self.ada.cwd.join("indelible.yaml");
        let settings = std::fs::read_to_string(&path).unwrap();
        let stricter = settings.replace("verified-there: warn", "verified-there: required");
        assert_ne!(stricter, settings);
        std::fs::write(path, stricter).unwrap();
        commit(&self.ada, "Only what was verified in uat");
    }

    /// A commit of Ada's on the branch that she is on, pushed.
    pub(crate) fn change(&self, branch: &str, words: &str) -> String {
        super::forge::write(&self.ada.cwd.join(format!("{words}.txt")), words);
        let made = commit(&self.ada, words);
        push(&self.ada, branch);
        made
    }

    pub(crate) fn runner(&self, run: usize, branch: &str) -> Runner {
        let runner = self.forge.runner(branch);
        let sha = runner.git(&["rev-parse", "HEAD"]);
        let outputs = runner.cwd.with_file_name("outputs");
        runner.with([
            ("CI", "true".to_owned()),
            ("GITHUB_ACTIONS", "true".to_owned()),
            ("GITHUB_ACTOR", "ada".to_owned()),
            ("GITHUB_EVENT_NAME", "push".to_owned()),
            ("GITHUB_OUTPUT", outputs.to_str().unwrap().to_owned()),
            ("GITHUB_REF", format!("refs/heads/{branch}")),
            ("GITHUB_REF_TYPE", "branch".to_owned()),
            ("GITHUB_REPOSITORY", "shop/shop".to_owned()),
            ("GITHUB_RUN_ID", run.to_string()),
            ("GITHUB_RUN_ATTEMPT", "1".to_owned()),
            ("GITHUB_RUN_NUMBER", run.to_string()),
            ("GITHUB_SERVER_URL", "https://github.com".to_owned()),
            ("GITHUB_SHA", sha),
            ("INDELIBLE_RELEASE_TIME", format!("2026-03-17T14:{run:02}:58Z")),
        ])
    }

    /// The job that builds: by digest, then the names. Gives the runner's outputs.
    pub(crate) fn build(&self, run: usize, branch: &str, image: &Image, alias: &str) -> String {
        let runner = self.runner(run, branch);
        self.crane.push_by_digest(&self.registry, "shop/api", image);
        let pushed = format!("{}/shop/api@{}", self.registry.host(), image.digest());
        runner.run(&["publish", "--pushed", &pushed, "--alias", alias]).exits(0);
        std::fs::read_to_string(runner.cwd.with_file_name("outputs")).unwrap()
    }

    /// The job that deploys, on another runner.
    pub(crate) fn deploy(&self, run: usize, branch: &str, environment: &str) -> Ran {
        self.runner(run, branch).run(&["deploy", environment, "--json"])
    }

    pub(crate) fn history(&self, environment: &str) -> Vec<Value> {
        let history = self.forge.runner("prod").json(&["history", environment]);
        assert_eq!(text(&history, "basis"), "intended");
        history["items"].as_array().unwrap().clone()
    }

    fn pipeline(&self) {
        let host = self.registry.host();
        self.change("develop", "tea");
        let image = Image::oci("tea").unwrap();
        let outputs = self.build(11, "develop", &image, "uat");
        let reference = format!("{host}/shop/api:20260317-141158-uat@{}", image.digest());
        for line in [
            format!("digest={}", image.digest()),
            "tag=20260317-141158-uat".to_owned(),
            format!("reference={reference}"),
        ] {
            assert!(outputs.lines().any(|found| found == line), "{line}: {outputs}");
        }
        let report = self.deploy(11, "develop", "uat").exits(0).json();
        assert_eq!(text(&report, "outcome"), "changed");
        let before = DEPLOYMENT.replace("HOST", host);
        let after = before.replace(&format!("{host}/shop/api:latest"), &reference);
        let file = self.forge.shown("config", "main", "uat/api.yaml");
        assert_eq!(file, after.trim_end(), "one scalar and nothing else");
        assert_eq!(self.forge.tip("shop", "main"), "", "the source got no branch of ours");

        // Promoted by a person: the same digest gets a name of prod.
        let ada = self.forge.runner("develop").with([
            ("USER", "ada".to_owned()),
            ("INDELIBLE_RELEASE_TIME", "2026-03-17T15:00:00Z".to_owned()),
        ]);
        let report = ada.json(&["promote", "uat", "prod", "api"]);
        assert_eq!(text(&report, "images.0.how"), "promote");
        let tag = text(&report, "images.0.tag").to_owned();
        assert!(tag.ends_with("-prod"), "{tag}");
        for name in [tag.as_str(), "prod", "uat", "20260317-141158-uat"] {
            assert_eq!(self.registry.digest("shop/api", name), Some(image.digest()), "{name}");
        }
        assert_eq!(self.registry.tags("shop/api").len(), 4);
        let trace = ada.run(&["trace", &image.digest()]).exits(0);
        let commit = self.ada.git(&["rev-parse", "develop"]);
        let last = trace.stdout.lines().last().unwrap();
        assert_eq!(last, format!("git checkout {commit}"));
    }
}

#[test]
fn github_with_build_push_action_and_a_configuration_repository_and_our_registry() {
    let test = "github_with_build_push_action_and_a_configuration_repository_and_our_registry";
    if let Some(github) = GitHub::begin(test) {
        github.pipeline();
    }
}

#[test]
fn github_with_build_push_action_and_a_configuration_repository_and_any_registry() {
    let test = "github_with_build_push_action_and_a_configuration_repository_and_any_registry";
    let forge = Forge::new();
    let Some(crane) = Builder::find("crane", forge.path(), test) else { return };
    let Some(registry) = Registry::theirs(test) else { return };
    GitHub::begin_with(forge, registry, crane).pipeline();
}
