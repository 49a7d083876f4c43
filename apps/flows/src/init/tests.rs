//! Trees that a person laid out, and the settings that a person would write for them.

use super::{Draft, Existing, InitError, draft, write};
use crate::settings;
use crate::surroundings::Surroundings;
use domain::Timestamp;
use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

const POD: &str = "apiVersion: v1\nkind: Pod\nmetadata: {name: api}\nspec:\n  containers:\n  - image: registry.example.com/shop/api:uat\n  - image: registry.example.com/mirror/envoy:1.30\n  - image: redis:7\n  - image: localhost:5000/shop/draft:1\n";

fn around(folder: &Path) -> Surroundings {
    let variables = [
        ("PATH".to_owned(), "/usr/local/bin:/usr/bin:/bin".to_owned()),
        ("HOME".to_owned(), folder.display().to_string()),
    ];
    Surroundings {
        cwd: folder.to_owned(),
        variables: BTreeMap::from(variables),
        clock: Arc::new(|| Timestamp::from_millis(0)),
        entropy: Arc::new(|| 7),
    }
}

fn put(folder: &Path, files: &[(&str, &str)]) {
    for (path, text) in files {
        let path = folder.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
}

fn git(folder: &Path, args: &[&str]) {
    let identity = ["-c", "user.name=Ada", "-c", "user.email=ada@example.com"];
    let done =
        Command::new("git").arg("-C").arg(folder).args(identity).args(args).output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
}

async fn drafted(folder: &Path) -> Draft {
    draft(&around(folder), Existing::Stays).await.unwrap()
}

#[tokio::test]
async fn a_tree_with_a_branch_and_a_folder_for_each_environment_is_read_as_such() {
    let folder = tempfile::tempdir().unwrap();
    put(
        folder.path(),
        &[
            ("deploy/uat/api.yaml", POD),
            ("deploy/prod/api.yaml", &POD.replace(":uat", ":v1.4.2")),
            (
                ".github/workflows/ci.yml",
                "jobs:\n  b:\n    steps:\n    - run: docker push registry.example.com/shop/api:$SHA\n",
            ),
            (
                ".kube/config",
                "apiVersion: v1\nkind: Config\ncontexts:\n- {name: eks-prod, context: {cluster: a, user: b, namespace: shop}}\n",
            ),
        ],
    );
    git(folder.path(), &["init", "-q", "-b", "main"]);
    git(folder.path(), &["remote", "add", "origin", "git@git.example.com:shop/api.git"]);
    git(folder.path(), &["add", "."]);
    git(folder.path(), &["commit", "-q", "-m", "First"]);
    git(folder.path(), &["branch", "prod"]);
    let draft = drafted(folder.path()).await;
    let expected = "\
# What was found in this tree; each line says where. Read it, and change what is not so.
# All keys: `indelible schema`, docs/settings.md.
version: 1
record: git   # a branch of this repository, for `origin` is git.example.com
images:
  api:   # .github/workflows/ci.yml:4 pushes it
    repository: registry.example.com/shop/api
    tags: [timestamp-env]   # one build for each environment's branch
# In order: the first whose branch matches gets a build.
environments:
  prod:
    branches: [prod]   # a branch of this repository is called so
    promotes-from: uat   # the step before it
    git: {path: deploy/prod}   # deploy/prod/api.yaml names what runs
    deploy: files
    clusters: [eks-prod]   # a context of the kubeconfig
    namespace: shop   # as that context says
    check: digest   # files of production name digests
  uat:
    branches: [main]   # builds begin here
    alias: uat   # deploy/uat/api.yaml:6 names this tag, which moves
    git: {path: deploy/uat}   # deploy/uat/api.yaml names what runs
    deploy: files
rules:
  # tags that move on purpose; every other tag is made once
  - {tag: latest, is: alias}
";
    assert_eq!(draft.text, expected);
    assert_eq!(
        draft.next,
        ["indelible check", "indelible doctor", "indelible status --context eks-prod"]
    );
    assert_eq!(draft.path.file_name().unwrap(), "indelible.yaml");
}

#[tokio::test]
async fn without_branches_one_build_goes_through_all_environments() {
    let folder = tempfile::tempdir().unwrap();
    let compose = "services:\n  api:\n    build: .\n    image: registry.example.com/shop/api:dev\n";
    put(
        folder.path(),
        &[("compose.yaml", compose), ("k8s/staging/a.yaml", POD), ("k8s/production/a.yaml", POD)],
    );
    let draft = drafted(folder.path()).await;
    let read = settings::read(&draft.text).unwrap();
    let environments: Vec<_> = read.environments.iter().map(|one| one.name.to_string()).collect();
    assert_eq!(environments, ["production", "staging"]);
    assert!(draft.text.contains("    environments: shared\n"), "{}", draft.text);
    assert!(draft.text.contains("  api:   # compose.yaml:4 builds it\n"), "{}", draft.text);
    assert!(draft.text.contains("record: local   # a file on this machine, for here is no git"));
    assert!(
        !["envoy", "redis", "draft"].iter().any(|one| draft.text.contains(one)),
        "others' images"
    );
}

#[tokio::test]
async fn of_an_empty_tree_the_settings_say_what_was_not_found() {
    let folder = tempfile::tempdir().unwrap();
    let draft = drafted(folder.path()).await;
    assert!(draft.text.contains("# images: {}   # none found"), "{}", draft.text);
    assert!(draft.text.contains("# environments: {}   # none found"), "{}", draft.text);
    assert_eq!(draft.next, ["indelible check", "indelible doctor"]);
}

#[tokio::test]
async fn settings_that_are_there_stay() {
    let folder = tempfile::tempdir().unwrap();
    put(folder.path(), &[("indelible.yml", "version: 1\n")]);
    let error = draft(&around(folder.path()), Existing::Stays).await.unwrap_err();
    assert!(matches!(&error, InitError::There { path } if path.ends_with("indelible.yml")));
    let again = draft(&around(folder.path()), Existing::MayGo).await.unwrap();
    write(&again).unwrap();
    let written = std::fs::read_to_string(folder.path().join("indelible.yml")).unwrap();
    assert_eq!(written, again.text);
}

#[tokio::test]
async fn strange_names_are_quoted_and_read_back() {
    let folder = tempfile::tempdir().unwrap();
    put(folder.path(), &[("a # b: {c}/prod/api.yaml", POD)]);
    let draft = drafted(folder.path()).await;
    let read = settings::read(&draft.text).unwrap();
    assert_eq!(read.environments[0].git.path, "a # b: {c}/prod");
}
