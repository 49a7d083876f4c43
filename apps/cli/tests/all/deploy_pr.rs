//! Mode `pr`: a branch, a pull request that is opened or written over, and a record that waits for the merge.

use crate::deploy::{allowed, compose, configuration, git};
use crate::git_host::{Api, Host};
use crate::sandbox::{NINES, ONES, Sandbox, sandbox};
use crate::scripted::Scripted;

/// A configuration repository whose pull requests are opened at this host.
fn project(api: Api, host: &Host) -> (Sandbox, Scripted) {
    let registry = Scripted::start(&[("shop/api:v1", ONES), ("shop/api:v2", NINES)]);
    let address = host.address();
    let (at, variables): (_, &[(&str, String)]) = match api {
        Api::GitHub => (
            format!("{{host: github, api: 'http://{address}', project: shop/config}}"),
            &[
                ("GITHUB_TOKEN", "secret".to_owned()),
                ("GITHUB_API_URL", format!("http://{address}")),
            ],
        ),
        Api::GitLab => (
            format!("{{host: gitlab, api: 'http://{address}/api/v4', project: shop/config}}"),
            &[
                ("GITLAB_TOKEN", "secret".to_owned()),
                ("CI_API_V4_URL", format!("http://{address}/api/v4")),
            ],
        ),
        Api::Azure => (
            format!(
                "{{host: azure-devops, api: 'http://{address}', project: shop/ops/_git/config}}"
            ),
            &[
                ("AZURE_DEVOPS_EXT_PAT", "secret".to_owned()),
                ("SYSTEM_COLLECTIONURI", format!("http://{address}/shop/")),
            ],
        ),
    };
    let mut sandbox =
        sandbox().replacing(registry.host(), "[registry]").replacing(address, "[git-host]");
    for (name, value) in variables {
        sandbox = sandbox.variable(name, value);
    }
    let config = sandbox.path("config.git").display().to_string();
    let settings = format!(
        "version: 1\nrecord: file:record.db\nimages: {{api: {{repository: {}/shop/api}}}}\n\
         environments:\n  prod:\n    branches: [main]\n    deploy: pr\n    \
         git: {{repository: {config}, path: apps/prod, pull-requests: {at}}}\n",
        registry.host()
    );
    let sandbox = sandbox.file("indelible.yaml", settings);
    configuration(&sandbox, &[("compose.yaml", compose(&registry).as_bytes())]);
    for digest in [ONES, NINES] {
        allowed(&sandbox, digest);
    }
    (sandbox, registry)
}

fn config(sandbox: &Sandbox, arguments: &[&str]) -> String {
    git(sandbox, &[&["-C", "config.git"], arguments].concat()).trim().to_owned()
}

#[test]
fn a_pull_request_is_opened_written_over_and_recorded_when_it_is_merged() {
    for api in [Api::GitHub, Api::GitLab, Api::Azure] {
        let host = Host::start(api);
        let (sandbox, _registry) = project(api, &host);
        let run = sandbox.run(["deploy", "prod", "api=v1"]);
        let address = match api {
            Api::GitHub => "http://[git-host]/shop/config/pull/7",
            Api::GitLab => "http://[git-host]/shop/config/-/merge_requests/7",
            Api::Azure => "http://[git-host]/shop/ops/_git/config/pullrequest/7",
        };
        assert!(run.contains(address) && run.contains("grade open"), "{api:?}: {run}");
        assert!(run.ends_with("[exit 0]\n"), "{api:?}: {run}");
        let asked = host.asked();
        assert_eq!(asked.len(), 2, "{api:?}: {asked:?}");
        assert!(asked[1].starts_with("POST ") && asked[1].contains("deploy/prod/api"), "{asked:?}");
        assert!(!asked[1].contains("skip ci"), "a pull request's checks run: {asked:?}");
        let main = config(&sandbox, &["show", "main:apps/prod/compose.yaml"]);
        assert!(!main.contains(ONES), "nothing has landed: {main}");

        // The same again is one event, one commit, one pull request.
        let before = config(&sandbox, &["rev-parse", "deploy/prod/api"]);
        let again = sandbox.run(["deploy", "prod", "api=v1"]);
        assert!(again.contains("grade open"), "{again}");
        assert_eq!(config(&sandbox, &["rev-parse", "deploy/prod/api"]), before);
        assert!(host.asked().iter().all(|one| !one.starts_with("POST")));

        // Another build takes its place on the same branch.
        let other = sandbox.run(["deploy", "prod", "api=v2"]);
        assert!(other.contains("nothing -> sha256:999999999999"), "{other}");
        let branch = config(&sandbox, &["show", "deploy/prod/api:apps/prod/compose.yaml"]);
        assert!(branch.contains(NINES), "{branch}");
        assert_eq!(config(&sandbox, &["rev-list", "--count", "main..deploy/prod/api"]), "1");

        // Merged by a merge commit, as a button does it: the next deploy sees it and has nothing left to do.
        git(&sandbox, &["clone", "--quiet", "config.git", "merge"]);
        let merge = ["merge", "--quiet", "--no-ff", "-m", "Merge 7", "origin/deploy/prod/api"];
        git(&sandbox, &[&["-C", "merge"], &merge[..]].concat());
        git(&sandbox, &["-C", "merge", "push", "--quiet", "origin", "HEAD:main"]);
        let landed = sandbox.run(["deploy", "prod", "api=v2"]);
        assert!(landed.contains("its pull request was merged: commit"), "{landed}");
        assert!(landed.contains("already, nothing restarts"), "{landed}");
        let history = sandbox.run(["history", "prod"]);
        let rows: Vec<&str> = history.lines().filter(|line| line.contains(" api ")).collect();
        let [landed, second, first] = rows.as_slice() else { panic!("{history}") };
        assert!(landed.contains("current") && !landed.contains("asked for"), "{history}");
        assert!(second.contains("asked for") && first.contains("asked for"), "{history}");
    }
}

#[test]
fn a_squash_that_lost_the_trailers_is_seen_by_what_stands_there() {
    let host = Host::start(Api::GitLab);
    let (sandbox, _registry) = project(Api::GitLab, &host);
    sandbox.run(["deploy", "prod", "api=v2"]);
    git(&sandbox, &["clone", "--quiet", "config.git", "merge"]);
    git(&sandbox, &["-C", "merge", "merge", "--quiet", "--squash", "origin/deploy/prod/api"]);
    git(&sandbox, &["-C", "merge", "commit", "--quiet", "-m", "deploy api (#7)"]);
    git(&sandbox, &["-C", "merge", "push", "--quiet", "origin", "HEAD:main"]);
    let landed = sandbox.run(["deploy", "prod", "api=v2"]);
    assert!(landed.contains("its pull request was merged: commit"), "{landed}");
}

#[test]
fn without_a_token_the_branch_is_pushed_and_a_person_is_told_what_to_do() {
    let host = Host::start(Api::GitLab);
    let (sandbox, _registry) = project(Api::GitLab, &host);
    let sandbox = sandbox.without("GITLAB_TOKEN").variable("CI_JOB_TOKEN", "job");
    let run = sandbox.run(["deploy", "prod", "api=v2"]);
    assert!(run.contains("the CI_JOB_TOKEN may not open merge requests"), "{run}");
    assert!(run.contains("open it: from deploy/prod/api into main"), "{run}");
    assert!(run.ends_with("[exit 0]\n"), "{run}");
    assert_eq!(host.asked(), Vec::<String>::new());
    assert_eq!(config(&sandbox, &["rev-list", "--count", "main..deploy/prod/api"]), "1");
}

#[test]
fn a_host_that_refuses_is_told_in_its_own_words_and_the_record_says_what_is_pushed() {
    let host = Host::start(Api::GitHub);
    let (sandbox, _registry) = project(Api::GitHub, &host);
    let wrong = sandbox.variable("GITHUB_TOKEN", "wrong");
    let run = wrong.run(["deploy", "prod", "api=v2"]);
    let expected = "caused by: [git-host] answered 401 Unauthorized to the list of pull requests: Bad credentials";
    assert!(run.contains(expected) && run.ends_with("[exit 1]\n"), "{run}");
    let history = wrong.run(["history", "prod", "--json"]);
    assert!(history.contains("branch deploy/prod/api is pushed"), "{history}");
    let mended = wrong.variable("GITHUB_TOKEN", "secret");
    let run = mended.run(["deploy", "prod", "api=v2"]);
    assert!(run.contains("http://[git-host]/shop/config/pull/7"), "{run}");
}

#[test]
fn of_two_images_none_is_asked_for_where_one_has_no_place() {
    let host = Host::start(Api::GitLab);
    let (sandbox, _registry) = project(Api::GitLab, &host);
    let settings = std::fs::read_to_string(sandbox.path("indelible.yaml")).unwrap();
    let worker = settings.split("/shop/api}").next().unwrap().rsplit(' ').next().unwrap();
    let images = format!("images: {{worker: {{repository: {worker}/shop/worker}}, api: ");
    sandbox.write("indelible.yaml", settings.replace("images: {api: ", &images));
    let registry = Scripted::start(&[("shop/worker:v2", NINES)]);
    let settings = std::fs::read_to_string(sandbox.path("indelible.yaml")).unwrap();
    let own = settings
        .replace(&format!("{worker}/shop/worker"), &format!("{}/shop/worker", registry.host()));
    sandbox.write("indelible.yaml", own);
    let run = sandbox.run(["deploy", "prod", "api=v2", "worker=v2"]);
    assert!(run.contains("no file below apps/prod") && run.ends_with("[exit 2]\n"), "{run}");
    assert_eq!(host.asked(), Vec::<String>::new());
    assert_eq!(config(&sandbox, &["branch", "--list", "deploy/*"]), "");
    let history = sandbox.run(["history", "prod"]);
    assert!(!history.contains("asked for"), "{history}");
}

#[test]
fn a_token_that_azure_devops_does_not_know_is_told_although_it_answers_with_a_page() {
    let host = Host::start(Api::Azure);
    let (sandbox, _registry) = project(Api::Azure, &host);
    let run = sandbox.variable("AZURE_DEVOPS_EXT_PAT", "ended").run(["deploy", "prod", "api=v2"]);
    let expected = "[git-host] does not take the token: it answered the list of pull requests with a page to log in";
    assert!(run.contains(expected) && run.ends_with("[exit 1]\n"), "{run}");
}
