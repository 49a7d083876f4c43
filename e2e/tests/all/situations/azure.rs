//! Azure Pipelines with a branch per environment and `Docker@2`, deploying to the same repository.

use e2e::Image;

use super::Registry;
use super::forge::{Forge, commit, push};
use super::images::Builder;
use super::runner::{Runner, text, warnings};

const COMPOSE: &str = "services:\n  api:\n    image: HOST/shop/api:latest  # set by the pipeline\n";

fn settings(host: &str) -> String {
    format!(
        "version: 1\n\
         record: git\n\
         images:\n  api: {{repository: {host}/shop/api, tags: [timestamp-env]}}\n\
         environments:\n\
         \x20 prod:\n    branches: [\"*-prod\"]\n    alias: prod\n    promotes-from: uat\n\
         \x20   deploy: git\n    git: {{branch: main, path: deploy/prod}}\n\
         \x20 uat:\n    branches: [\"*-uat\"]\n    alias: uat\n\
         \x20   deploy: git\n    git: {{branch: main, path: deploy/uat}}\n\
         rules:\n  - {{tag: \"{{uat,prod}}\", is: alias}}\n"
    )
}

/// What the agent sets. `BUILD_SOURCEBRANCHNAME` is there to mislead whoever reads it.
fn agent(runner: Runner, build: usize, reason: &str, source: &str) -> Runner {
    let sha = runner.git(&["rev-parse", "HEAD"]);
    let last = source.rsplit('/').next().unwrap();
    runner.with([
        ("TF_BUILD", "True".to_owned()),
        ("BUILD_REASON", reason.to_owned()),
        ("BUILD_SOURCEBRANCH", source.to_owned()),
        ("BUILD_SOURCEBRANCHNAME", last.to_owned()),
        ("BUILD_SOURCEVERSION", sha),
        ("BUILD_BUILDID", build.to_string()),
        ("BUILD_BUILDNUMBER", format!("20260317.{build}")),
        ("BUILD_REQUESTEDFOR", "Ada Lovelace".to_owned()),
        ("BUILD_REQUESTEDFOREMAIL", "ada@example.com".to_owned()),
        ("BUILD_REPOSITORY_URI", "https://dev.azure.com/shop/shop/_git/shop".to_owned()),
        ("SYSTEM_STAGEATTEMPT", "1".to_owned()),
        ("SYSTEM_JOBATTEMPT", "1".to_owned()),
        ("INDELIBLE_RELEASE_TIME", format!("2026-03-17T14:{build:02}:58Z")),
    ])
}

/// One value of the step's output variables.
fn output<'a>(stdout: &'a str, name: &str) -> &'a str {
    let start = format!("##vso[task.setvariable variable={name};isOutput=true]");
    let mut lines = stdout.lines().filter_map(|line| line.strip_prefix(start.as_str()));
    lines.next().unwrap_or_else(|| panic!("no output {name}:\n{stdout}"))
}

struct Azure {
    forge: Forge,
    registry: Registry,
    crane: Builder,
}

impl Azure {
    fn pushed(&self, runner: &Runner, build: usize, image: &Image, alias: &str) -> String {
        let api = format!("{}/shop/api", self.registry.host());
        self.crane.push_by_tag(&self.registry, &format!("shop/api:{build}"), image);
        let pushed = format!("{api}@{}", image.digest());
        runner.run(&["publish", "--pushed", &pushed, "--alias", alias]).exits(0).stdout
    }

    fn runner(&self, build: usize, branch: &str) -> Runner {
        let runner = self.forge.runner(branch);
        agent(runner, build, "IndividualCI", &format!("refs/heads/{branch}"))
    }
}

fn pipeline(azure: &Azure) {
    let host = azure.registry.host().to_owned();
    let (settings, compose) = (settings(&host), COMPOSE.replace("HOST", &host));
    let files = [
        ("indelible.yaml", settings.as_str()),
        ("deploy/uat/compose.yaml", &compose),
        ("deploy/prod/compose.yaml", &compose),
    ];
    let ada = azure.forge.begin("shop", "main", &files);
    ada.git(&["switch", "--quiet", "--create", "shop-backend-uat"]);
    commit(&ada, "Sell tea");
    push(&ada, "shop-backend-uat");

    // A build of uat: Docker@2 pushed `11`, we name it.
    let first = Image::oci("tea").unwrap();
    let runner = azure.runner(11, "shop-backend-uat");
    let said = azure.pushed(&runner, 11, &first, "uat");
    let reference = format!("{host}/shop/api:20260317-141158-uat@{}", first.digest());
    assert_eq!(output(&said, "digest"), first.digest());
    assert_eq!(output(&said, "tag"), "20260317-141158-uat");
    assert_eq!(output(&said, "reference"), reference);
    assert_eq!(azure.registry.digest("shop/api", "uat"), Some(first.digest()));
    // The deploy is a job of its own, on another agent.
    let report = azure.runner(11, "shop-backend-uat").json(&["deploy", "uat"]);
    assert_eq!(text(&report, "images.0.how"), "deploy");
    let file = azure.forge.shown("shop", "main", "deploy/uat/compose.yaml");
    let written = format!("    image: {reference}  # set by the pipeline");
    assert_eq!(file.lines().nth(2), Some(written.as_str()));
    let subject = &azure.forge.subjects("shop", "main")[0];
    assert!(subject.starts_with("deploy(uat): api 20260317-141158-uat"), "{subject}");
    assert!(subject.ends_with(']') || subject.ends_with("***NO_CI***"), "{subject}");
    let untouched = azure.forge.shown("shop", "main", "deploy/prod/compose.yaml");
    assert_eq!(untouched, compose.trim_end());

    merged(azure, &ada, &first);
    refused(azure, &ada);
}

/// The prod branch has its own build, by merge.
fn merged(azure: &Azure, ada: &Runner, first: &Image) {
    ada.git(&["switch", "--quiet", "--create", "shop-backend-prod", "main"]);
    ada.git(&["merge", "--quiet", "--no-ff", "-m", "Merge uat", "shop-backend-uat"]);
    push(ada, "shop-backend-prod");
    let second = Image::oci("tea, merged").unwrap();
    let runner = azure.runner(12, "shop-backend-prod");
    let said = azure.pushed(&runner, 12, &second, "prod");
    assert_eq!(output(&said, "tag"), "20260317-141258-prod");
    let report = azure.runner(12, "shop-backend-prod").json(&["deploy", "prod"]);
    assert_eq!(text(&report, "images.0.how"), "promoted by merge");
    assert_eq!(warnings(&report), [""; 0]);
    let file = azure.forge.shown("shop", "main", "deploy/prod/compose.yaml");
    assert!(file.contains(&format!("20260317-141258-prod@{}", second.digest())), "{file}");

    // A retried stage finds its own work done.
    let again = azure.runner(12, "shop-backend-prod").with([("SYSTEM_STAGEATTEMPT", "2".into())]);
    let said = azure.pushed(&again, 12, &second, "prod");
    assert_eq!(output(&said, "tag"), "20260317-141258-prod");
    let report = again.json(&["deploy", "prod"]);
    assert_eq!(text(&report, "outcome"), "same");

    assert_eq!(
        azure.registry.tags("shop/api"),
        ["11", "12", "20260317-141158-uat", "20260317-141258-prod", "prod", "uat"]
    );
    azure.registry.assert_holds("shop/api", &second);
    let history = azure.forge.runner("main").json(&["history", "uat"]);
    assert_eq!(text(&history, "items.0.to"), first.digest());
    assert_eq!(text(&history, "items.0.actor"), "Ada Lovelace");
}

/// Names that end like an environment, and runs that are no pushes.
fn refused(azure: &Azure, ada: &Runner) {
    let before = azure.forge.tip("shop", "indelible/record");
    for branch in ["feature/shop-prod", "feature/prod"] {
        ada.git(&["switch", "--quiet", "--create", branch]);
        push(ada, branch);
        let ran = azure.runner(13, branch).run(&["tag", "api"]).exits(1);
        assert_eq!(ran.says(&[branch, "no environment"]).stdout, "");
    }
    for (reason, source) in [
        ("PullRequest", "refs/pull/7/merge"),
        ("Manual", "refs/pull/7/merge"),
        ("Manual", "refs/heads/shop-backend-prod"),
        ("IndividualCI", "refs/tags/shop-backend-prod"),
    ] {
        let runner = azure.forge.runner("shop-backend-prod");
        let head = runner.git(&["rev-parse", "HEAD"]);
        let runner = agent(runner, 14, reason, source);
        let runner = match reason {
            "PullRequest" => runner.with([
                ("SYSTEM_PULLREQUEST_PULLREQUESTID", "7".to_owned()),
                ("SYSTEM_PULLREQUEST_SOURCEBRANCH", "refs/heads/shop-backend-prod".to_owned()),
                ("SYSTEM_PULLREQUEST_SOURCECOMMITID", head),
            ]),
            _ => runner,
        };
        runner.run(&["tag", "api"]).exits(1).says(&["no environment for this build"]);
        runner.run(&["tag", "api", "--env", "prod"]).exits(1);
    }
    assert_eq!(azure.forge.tip("shop", "indelible/record"), before, "refusals leave nothing");
}

#[test]
fn azure_with_a_branch_per_environment_and_our_registry() {
    let forge = Forge::new();
    let test = "azure_with_a_branch_per_environment_and_our_registry";
    let Some(crane) = Builder::find("crane", forge.path(), test) else { return };
    let registry = Registry::ours(forge.path());
    pipeline(&Azure { forge, registry, crane });
}

#[test]
fn azure_with_a_branch_per_environment_and_any_registry() {
    let forge = Forge::new();
    let test = "azure_with_a_branch_per_environment_and_any_registry";
    let Some(crane) = Builder::find("crane", forge.path(), test) else { return };
    let Some(registry) = Registry::theirs(test) else { return };
    pipeline(&Azure { forge, registry, crane });
}
