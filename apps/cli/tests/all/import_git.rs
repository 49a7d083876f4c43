//! `record import --git`: a real history of workload files becomes imported images, once.

use crate::deploy::{allowed, git, in_git, project};
use crate::sandbox::{NINES, ONES, Sandbox};
use std::process::Command;

/// As a table shows them.
const ONES_SHOWN: &str = "sha256:111111111111 ";
const NINES_SHOWN: &str = "sha256:999999999999 ";

/// A commit of all files of `config`, by somebody, at a time of 2026-03-01.
fn commit(sandbox: &Sandbox, who: &str, clock: &str, title: &str) {
    git(sandbox, &["-C", "config", "add", "--all"]);
    at(sandbox, who, clock, &["commit", "--quiet", "-m", title]);
}

/// Git in `config`, as somebody at a time of 2026-03-01.
fn at(sandbox: &Sandbox, who: &str, clock: &str, arguments: &[&str]) {
    let when = format!("2026-03-01T{clock}:00Z");
    let output = Command::new("git")
        .args(["-c", &format!("user.name={who}"), "-c", "user.email=who@example.com"])
        .args(arguments)
        .env("HOME", sandbox.home())
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .envs([("GIT_AUTHOR_DATE", &when), ("GIT_COMMITTER_DATE", &when)])
        .current_dir(sandbox.path("config"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{arguments:?}: {output:?}");
}

fn deployment(host: &str, reference: &str) -> String {
    format!(
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: api}}\n\
         spec:\n  template:\n    spec:\n      containers:\n      - name: api\n        image: {host}/{reference}\n"
    )
}

/// v1 by tag, pinned by a merge, renamed, v2 pinned, reverted, and removed from a second workload.
pub(crate) fn history(sandbox: &Sandbox, host: &str) {
    git(sandbox, &["init", "--quiet", "--bare", "--initial-branch=main", "config.git"]);
    git(sandbox, &["clone", "--quiet", "config.git", "config"]);
    git(sandbox, &["-C", "config", "checkout", "--quiet", "-B", "main"]);
    let file = "config/apps/prod/api.yaml";
    sandbox.write(file, deployment(host, "shop/api:v1"));
    commit(sandbox, "Ann", "09:00", "begin");
    git(sandbox, &["-C", "config", "checkout", "--quiet", "-b", "side"]);
    sandbox.write(file, deployment(host, &format!("shop/api:v1@{ONES}")));
    commit(sandbox, "Eve", "09:30", "pin");
    git(sandbox, &["-C", "config", "checkout", "--quiet", "main"]);
    sandbox.write("config/readme.txt", "no image");
    commit(sandbox, "Ann", "09:45", "something else");
    at(sandbox, "Max", "10:00", &["merge", "--quiet", "--no-ff", "-m", "merge", "side"]);
    git(sandbox, &["-C", "config", "mv", "apps/prod/api.yaml", "apps/prod/renamed.yaml"]);
    commit(sandbox, "Ann", "11:00", "rename");
    sandbox
        .write("config/apps/prod/renamed.yaml", deployment(host, &format!("shop/api:v2@{NINES}")));
    commit(sandbox, "Ann", "12:00", "v2");
    at(sandbox, "Eve", "13:00", &["revert", "--no-edit", "HEAD"]);
    git(sandbox, &["-C", "config", "push", "--quiet", "origin", "HEAD:main"]);
}

/// The words of the table's first row.
pub(crate) fn row(run: &str) -> Vec<&str> {
    let row = run.lines().find(|line| line.starts_with("prod")).unwrap_or_else(|| panic!("{run}"));
    row.split_whitespace().take(7).collect()
}

#[test]
fn each_change_of_an_image_is_imported_once_with_its_author_time_and_commit() {
    let (sandbox, registry) = in_git();
    history(&sandbox, registry.host());
    let looked = sandbox.run(["record", "import", "--git", "--dry-run"]);
    assert!(looked.contains("WOULD ADD"), "{looked}");
    assert_eq!(row(&looked), ["prod", "git", "4", "4", "0", "0", "1"], "{looked}");
    let first = sandbox.run(["record", "import", "--git"]);
    // 09:00 by tag, 10:00 the merge, 12:00 and its revert; the rename says nothing.
    assert_eq!(row(&first), ["prod", "git", "4", "4", "0", "0", "1"], "{first}");
    assert!(first.ends_with("[exit 0]\n"), "{first}");
    let again = sandbox.run(["record", "import", "--git", "apps/prod"]);
    assert_eq!(row(&again), ["prod", "git", "4", "0", "4", "0", "1"], "{again}");
    let shown = sandbox.run(["history", "prod"]);
    println!("{shown}");
    for expected in
        ["basis imported", "Max", "Ann", "Eve", "2026-03-01 12:00", "its digest was not kept"]
    {
        assert!(shown.contains(expected), "{expected}: {shown}");
    }
    let ran = |when: &str| sandbox.run(["ran", "prod", "--at", when]);
    assert!(ran("2026-03-01T10:30:00Z").contains(ONES_SHOWN), "{}", ran("2026-03-01T10:30:00Z"));
    assert!(ran("2026-03-01T12:30:00Z").contains(NINES_SHOWN), "{}", ran("2026-03-01T12:30:00Z"));
    assert!(ran("2026-03-01T13:30:00Z").contains(ONES_SHOWN), "{}", ran("2026-03-01T13:30:00Z"));
    let unknown = ran("2026-03-01T09:15:00Z");
    assert!(!unknown.contains(ONES_SHOWN) && unknown.ends_with("[exit 2]\n"), "{unknown}");
}

#[test]
fn what_our_own_deploy_committed_is_counted_and_not_said_twice() {
    let (sandbox, registry) = in_git();
    history(&sandbox, registry.host());
    allowed(&sandbox, NINES);
    let deployed = sandbox.run(["deploy", "prod", "api=v2"]);
    assert!(deployed.ends_with("[exit 0]\n"), "{deployed}");
    let run = sandbox.run(["record", "import", "--git"]);
    assert_eq!(row(&run), ["prod", "git", "5", "4", "0", "1", "1"], "{run}");
    // Another record has not heard of that deploy: there it is told as everybody's.
    let run = sandbox.run(["record", "import", "--git", "--record", "file:other.db"]);
    assert_eq!(row(&run), ["prod", "git", "5", "5", "0", "0", "1"], "{run}");
}

#[test]
fn a_workload_that_is_removed_ends_what_was_there() {
    let (sandbox, registry) = in_git();
    history(&sandbox, registry.host());
    git(&sandbox, &["-C", "config", "rm", "--quiet", "apps/prod/renamed.yaml"]);
    sandbox.write("config/apps/prod/.keep", "");
    commit(&sandbox, "Ann", "14:00", "remove");
    git(&sandbox, &["-C", "config", "push", "--quiet", "origin", "HEAD:main"]);
    let run = sandbox.run(["record", "import", "--git"]);
    assert_eq!(row(&run), ["prod", "git", "5", "5", "0", "0", "1"], "{run}");
    let before = sandbox.run(["ran", "prod", "--at", "2026-03-01T13:30:00Z"]);
    assert!(before.contains(ONES_SHOWN), "{before}");
    let behind = sandbox.run(["ran", "prod", "--at", "2026-03-01T14:30:00Z"]);
    assert!(!behind.contains(ONES_SHOWN), "{behind}");
}

#[test]
fn a_work_tree_s_history_is_read_and_a_shallow_clone_is_said() {
    let (sandbox, registry) = project("deploy: files, git: {path: shallow/apps/prod}");
    history(&sandbox, registry.host());
    let none = sandbox.run(["record", "import", "--git"]);
    assert!(none.contains("is in no git repository") && none.ends_with("[exit 2]\n"), "{none}");
    let url = format!("file://{}", sandbox.path("config.git").display());
    git(&sandbox, &["clone", "--quiet", "--depth=2", &url, "shallow"]);
    let settings = std::fs::read_to_string(sandbox.path("indelible.yaml")).unwrap();
    sandbox.write("shallow/indelible.yaml", settings.replace("shallow/apps", "apps"));
    let config = sandbox.path("shallow/indelible.yaml").display().to_string();
    let import = ["record", "import", "--git", "--config", config.as_str()];
    let run = sandbox.run(import);
    assert!(run.contains("prod: this clone is shallow"), "{run}");
    assert_eq!(row(&run), ["prod", "git", "2", "2", "0", "0", "0"], "{run}");
    // Once more with the whole past: what the cut said stays, and what was before comes to it.
    git(&sandbox, &["-C", "shallow", "fetch", "--quiet", "--unshallow"]);
    let whole = sandbox.run(import);
    assert!(!whole.contains("shallow"), "{whole}");
    assert!(whole.ends_with("[exit 0]\n"), "{whole}");
    let ran =
        sandbox.run(["ran", "prod", "--at", "2026-03-01T10:30:00Z", "--config", config.as_str()]);
    assert!(ran.contains(ONES_SHOWN), "{ran}");
}

#[test]
fn files_that_two_environments_share_and_folders_of_nobody_are_refused() {
    let (sandbox, _registry) = in_git();
    let run = sandbox.run(["record", "import", "--git", "elsewhere"]);
    assert!(
        run.contains("no environment of the settings has workload files below elsewhere"),
        "{run}"
    );
    assert!(run.ends_with("[exit 2]\n"), "{run}");
    let run = sandbox.run(["record", "import", "--git", "../x"]);
    assert!(run.contains("is not a path inside a repository"), "{run}");
    let settings = std::fs::read_to_string(sandbox.path("indelible.yaml")).unwrap();
    let more = settings.lines().last().unwrap().replace("prod:", "uat:").replace("[main]", "[uat]");
    sandbox.write("indelible.yaml", format!("{}\n{more}\n", settings.trim_end()));
    let run = sandbox.run(["record", "import", "--git"]);
    assert!(run.contains("whose they are cannot be told") && run.contains("hint:"), "{run}");
}
