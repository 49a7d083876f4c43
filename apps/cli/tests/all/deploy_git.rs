//! Mode `git` while somebody else pushes to the same branch.

use crate::deploy::{allowed, compose, configuration, git, in_git, project};
use crate::sandbox::{NINES, Sandbox};

/// At the first push somebody else is faster: this script runs in a clone of the configuration, and is pushed.
fn outrun(sandbox: &Sandbox, script: &str) {
    let remote = sandbox.path("config.git").display().to_string();
    let eve = format!(
        "set -e\ncd {}\ngit clone --quiet {remote} eve\ncd eve\n{script}\n\
         git -c user.name=eve -c user.email=eve@example.com commit --quiet --all -m meanwhile\n\
         git push --quiet origin HEAD:main\n",
        sandbox.path("").display()
    );
    sandbox.write("eve.sh", eve);
    let hook = format!(
        "#!/bin/sh\n[ -e {done} ] && exit 0\ntouch {done}\n\
         env -i PATH=\"$PATH\" HOME={home} sh {eve} >&2\nexit 1\n",
        done = sandbox.path("done").display(),
        home = sandbox.home().display(),
        eve = sandbox.path("eve.sh").display(),
    );
    sandbox.write("config.git/hooks/pre-receive", hook);
    let hook = sandbox.path("config.git/hooks/pre-receive");
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(hook, mode).unwrap();
}

#[test]
fn somebody_elses_commit_meanwhile_is_kept_and_the_edit_is_made_on_it() {
    let (sandbox, registry) = in_git();
    configuration(&sandbox, &[("compose.yaml", compose(&registry).as_bytes())]);
    outrun(&sandbox, "sed -i '1i # a comment, so that the line moves' apps/prod/compose.yaml");
    allowed(&sandbox, NINES);
    let run = sandbox.run(["deploy", "prod", "api=v2"]);
    assert!(run.contains("apps/prod/compose.yaml:4") && run.ends_with("[exit 0]\n"), "{run}");
    let landed = git(&sandbox, &["-C", "config.git", "show", "main:apps/prod/compose.yaml"]);
    assert!(landed.starts_with("# a comment") && landed.contains(NINES), "{landed}");
    assert_eq!(git(&sandbox, &["-C", "config.git", "rev-list", "--count", "main"]).trim(), "3");
}

#[test]
fn a_place_that_names_something_else_meanwhile_is_a_conflict_that_names_both() {
    let (sandbox, registry) = in_git();
    configuration(&sandbox, &[("compose.yaml", compose(&registry).as_bytes())]);
    outrun(&sandbox, "sed -i 's/api:v1/api:hotfix/' apps/prod/compose.yaml");
    allowed(&sandbox, NINES);
    insta::assert_snapshot!(sandbox.run(["deploy", "prod", "api=v2"]), @r"
    [stderr]
    error: apps/prod/compose.yaml:3 names [registry]/shop/api:hotfix, and [registry]/shop/api:v1 when the deploy of `api` to prod was planned: it is left as it is
    hint: look at who changed it; the command run again decides about what stands there now
    [exit 1]
    ");
    let landed = git(&sandbox, &["-C", "config.git", "show", "main:apps/prod/compose.yaml"]);
    assert!(landed.contains("api:hotfix"), "{landed}");
    let recorded = sandbox.run(["history", "prod"]);
    assert!(!recorded.contains("v2"), "{recorded}");
    let again = sandbox.run(["deploy", "prod", "api=v2"]);
    assert!(again.ends_with("[exit 0]\n"), "{again}");
}

/// A record on a branch of its own repository, which refuses every push while a file `closed` is there.
fn closable(sandbox: &Sandbox) -> String {
    git(sandbox, &["init", "--quiet", "--bare", "record.git"]);
    let closed = sandbox.path("closed").display().to_string();
    sandbox.write("record.git/hooks/pre-receive", format!("#!/bin/sh\n[ ! -e {closed} ]\n"));
    let hook = sandbox.path("record.git/hooks/pre-receive");
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(hook, mode).unwrap();
    format!("git:{}", sandbox.path("record.git").display())
}

#[test]
fn what_was_written_before_the_record_failed_is_named_with_the_command_that_records_it() {
    for how in ["git", "files"] {
        let (sandbox, registry) =
            if how == "git" { in_git() } else { project("git: {path: apps}") };
        match how {
            "git" => configuration(&sandbox, &[("compose.yaml", compose(&registry).as_bytes())]),
            _ => sandbox.write("apps/compose.yaml", compose(&registry)),
        }
        let record = closable(&sandbox);
        let with = |words: &[&str]| sandbox.run([words, &["--record", &record]].concat());
        let run = with(&["allow", NINES, "prod", "--reason", "a test"]);
        assert!(run.ends_with("[exit 0]\n"), "{run}");

        // It takes what is pushed until the deploy itself is.
        sandbox.write("closed", "");
        let run = with(&["deploy", "prod", "api=v2"]);
        let changed = if how == "git" { "branch main (commit " } else { "apps/compose.yaml:3 was" };
        assert!(run.contains(changed), "{how}: {run}");
        assert!(run.contains("changed in prod, and the record could not be told"), "{how}: {run}");
        assert!(run.contains("indelible deploy prod api=[nines]"), "{how}: {run}");
        assert!(!run.ends_with("[exit 0]\n"), "{how}: {run}");

        std::fs::remove_file(sandbox.path("closed")).unwrap();
        // The registry of these tests knows the build by its tag only.
        let run = with(&["deploy", "prod", "api=v2"]);
        assert!(run.ends_with("[exit 0]\n"), "{how}: {run}");
        let history = with(&["history", "prod"]);
        assert!(history.contains("deploy") && history.ends_with("[exit 0]\n"), "{how}: {history}");
    }
}
