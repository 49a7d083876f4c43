//! GitLab with plain SHA tags, archives, a dotenv report, and runners that start with an empty home each time.

use e2e::Image;

use super::Registry;
use super::forge::{Forge, commit, push};
use super::images::Builder;
use super::runner::{Runner, text};

fn settings(host: &str) -> String {
    format!(
        "version: 1\n\
         record: git\n\
         images:\n\
         \x20 api:\n    repository: {host}/shop/api\n\
         \x20   tags: [{{scheme: sha, length: 8, prefix: \"\"}}]\n\
         environments:\n\
         \x20 prod: {{branches: [prod], deploy: git, git: {{branch: main, path: prod}}}}\n\
         \x20 uat: {{branches: [develop], deploy: git, git: {{branch: main, path: uat}}}}\n"
    )
}

struct GitLab {
    forge: Forge,
    registry: Registry,
    skopeo: Builder,
    ada: Runner,
}

impl GitLab {
    fn begin(forge: Forge, registry: Registry, skopeo: Builder) -> Self {
        let host = registry.host().to_owned();
        let (settings, file) = (settings(&host), format!("image: {host}/shop/api\n"));
        let files = [
            ("indelible.yaml", settings.as_str()),
            (".gitignore", "indelible.env\n"),
            ("uat/compose.yaml", &format!("services:\n  api:\n    {file}")),
            ("prod/compose.yaml", &format!("services:\n  api:\n    {file}")),
        ];
        let ada = forge.begin("shop", "main", &files);
        Self { forge, registry, skopeo, ada }
    }

    fn branch(&self, name: &str, words: &str) -> String {
        self.ada.git(&["switch", "--quiet", "--create", name]);
        let made = commit(&self.ada, words);
        push(&self.ada, name);
        made
    }

    fn runner(&self, pipeline: usize, branch: &str) -> Runner {
        let runner = self.forge.runner(branch);
        let sha = runner.git(&["rev-parse", "HEAD"]);
        runner.with([
            ("CI", "true".to_owned()),
            ("GITLAB_CI", "true".to_owned()),
            ("CI_PIPELINE_SOURCE", "push".to_owned()),
            ("CI_PIPELINE_ID", pipeline.to_string()),
            ("CI_PIPELINE_IID", pipeline.to_string()),
            ("CI_JOB_ID", (pipeline * 10).to_string()),
            ("CI_COMMIT_SHA", sha),
            ("CI_COMMIT_BRANCH", branch.to_owned()),
            ("CI_COMMIT_REF_NAME", branch.to_owned()),
            ("CI_COMMIT_REF_PROTECTED", "true".to_owned()),
            ("CI_PROJECT_URL", "https://gitlab.com/shop/shop".to_owned()),
            ("GITLAB_USER_LOGIN", "ada".to_owned()),
        ])
    }

    /// The job's own archive of what it built, and `publish` from it.
    fn publish(&self, runner: &Runner, image: &Image) -> super::runner::Ran {
        let archive = runner.cwd.with_file_name("api.tar");
        if archive.exists() {
            std::fs::remove_file(&archive).unwrap();
        }
        self.skopeo.archive(image, &archive);
        let source = format!("oci-archive:{}", archive.display());
        let to = format!("{}/shop/api", self.registry.host());
        runner.run(&["publish", &source, "--to", &to, "--json"])
    }

    fn pipeline(&self) {
        let sha = self.branch("develop", "Sell tea");
        let image = Image::oci("tea").unwrap();
        let runner = self.runner(1, "develop");
        let published = self.publish(&runner, &image).exits(0).json();
        let tag = &sha[..8];
        assert_eq!(text(&published, "tags.0.tag"), tag);
        assert_eq!(published["tags"][0]["new"], true);
        assert_eq!(text(&published, "environment"), "uat");
        let host = self.registry.host();
        let report = std::fs::read_to_string(runner.cwd.join("indelible.env")).unwrap();
        for line in [
            format!("INDELIBLE_DIGEST={}", image.digest()),
            format!("INDELIBLE_TAG={tag}"),
            format!("INDELIBLE_REFERENCE={host}/shop/api:{tag}@{}", image.digest()),
        ] {
            assert!(report.lines().any(|found| found == line), "{line}: {report}");
        }
        self.runner(1, "develop").run(&["deploy", "uat"]).exits(0);
        let file = self.forge.shown("shop", "main", "uat/compose.yaml");
        let pinned = format!("    image: {host}/shop/api:{tag}@{}", image.digest());
        assert_eq!(file.lines().nth(2), Some(pinned.as_str()));

        // The job is run again, on a machine that knows nothing: the same bytes are no news.
        let record = self.forge.tip("shop", "indelible/record");
        let again = self.publish(&self.runner(1, "develop"), &image).exits(0).json();
        assert_eq!(text(&again, "tags.0.tag"), tag);
        assert_eq!(again["tags"][0]["new"], false);
        assert_eq!(text(&again, "event"), text(&published, "event"));
        assert_eq!(self.forge.tip("shop", "indelible/record"), record);
        self.runner(1, "develop").run(&["deploy", "uat"]).exits(0);
        assert_eq!(self.forge.subjects("shop", "main").len(), 2);
        self.other_bytes(tag, &image);
    }

    /// A build that is not reproducible, run again under the same name.
    fn other_bytes(&self, tag: &str, there: &Image) {
        let other = Image::oci("tea, built later").unwrap();
        let record = self.forge.tip("shop", "indelible/record");
        for pipeline in [1, 2] {
            let runner = self.runner(pipeline, "develop");
            let ran = self.publish(&runner, &other).exits(3);
            let (host, digest) = (self.registry.host(), there.digest());
            let ran = ran.says(&[&format!("{host}/shop/api:{tag}"), &digest, &other.digest()]);
            assert_eq!(ran.stdout, "");
            assert!(!runner.cwd.join("indelible.env").exists(), "no outputs of a refused publish");
        }
        assert_eq!(self.registry.digest("shop/api", tag), Some(there.digest()));
        assert_eq!(self.registry.tags("shop/api"), [tag]);
        let builds = self.forge.runner("develop").run(&["trace", &other.digest()]);
        assert!(!builds.stdout.contains("build  "), "{builds}");
        assert_eq!(self.forge.tip("shop", "indelible/record"), record, "nothing half-recorded");
    }

    /// A merge request from a fork, whose branch is called `prod`.
    fn of_a_fork(&self) {
        self.branch("prod", "Something of a stranger's");
        let runner = self.runner(7, "prod");
        let runner = runner.with([
            ("CI_PIPELINE_SOURCE", "merge_request_event".to_owned()),
            ("CI_COMMIT_BRANCH", String::new()),
            ("CI_COMMIT_REF_NAME", "prod".to_owned()),
            ("CI_MERGE_REQUEST_IID", "7".to_owned()),
            ("CI_MERGE_REQUEST_REF_PATH", "refs/merge-requests/7/head".to_owned()),
            ("CI_MERGE_REQUEST_SOURCE_BRANCH_NAME", "prod".to_owned()),
            ("CI_MERGE_REQUEST_SOURCE_PROJECT_ID", "666".to_owned()),
            ("CI_MERGE_REQUEST_PROJECT_ID", "1".to_owned()),
            ("CI_MERGE_REQUEST_TARGET_BRANCH_NAME", "prod".to_owned()),
        ]);
        let time = ["tag", "api", "--scheme", "timestamp-env"];
        runner.run(&time).exits(1).says(&["pull request", "environment"]);
        runner.run(&[&time[..], &["--env", "prod"]].concat()).exits(1);
        let image = Image::oci("a stranger's").unwrap();
        let published = self.publish(&runner, &image).exits(0).json();
        assert_eq!(published["environment"], serde_json::Value::Null);
        let tag = text(&published, "tags.0.tag");
        let before = self.forge.tip("shop", "main");
        for wanted in [tag, &image.digest()] {
            let ran = runner.run(&["deploy", "prod", &format!("api={wanted}")]).exits(1);
            ran.says(&["`api` is not deployed to prod", &image.digest()]);
        }
        // By its commit it has no build for prod at all.
        runner.run(&["deploy", "prod"]).exits(2).says(&["no build of `api`"]);
        assert_eq!(self.forge.tip("shop", "main"), before);
    }
}

#[test]
fn gitlab_with_plain_sha_tags_and_our_registry() {
    let forge = Forge::new();
    let test = "gitlab_with_plain_sha_tags_and_our_registry";
    let Some(skopeo) = Builder::find("skopeo", forge.path(), test) else { return };
    let registry = Registry::ours(forge.path());
    let gitlab = GitLab::begin(forge, registry, skopeo);
    gitlab.pipeline();
    gitlab.of_a_fork();
}

#[test]
fn gitlab_with_plain_sha_tags_and_any_registry() {
    let forge = Forge::new();
    let test = "gitlab_with_plain_sha_tags_and_any_registry";
    let Some(skopeo) = Builder::find("skopeo", forge.path(), test) else { return };
    let Some(registry) = Registry::theirs(test) else { return };
    GitLab::begin(forge, registry, skopeo).pipeline();
}
