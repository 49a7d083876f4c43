//! `deploy` and what stands beside it, in modes `files` and `git`: what is said, and what is written.

use crate::sandbox::{NINES, ONES, Sandbox, sandbox};
use crate::scripted::Scripted;
use std::process::Command;

/// A registry with two builds of `api`, and settings of one environment that is deployed to in this way.
pub(crate) fn project(how: &str) -> (Sandbox, Scripted) {
    project_at(Scripted::start(&[("shop/api:v1", ONES), ("shop/api:v2", NINES)]), how)
}

fn project_at(registry: Scripted, how: &str) -> (Sandbox, Scripted) {
    let settings = format!(
        "version: 1\nrecord: file:record.db\nimages: {{api: {{repository: {}/shop/api}}}}\n\
         environments:\n  prod: {{branches: [main], {how}}}\n",
        registry.host()
    );
    let sandbox =
        sandbox().replacing(registry.host(), "[registry]").file("indelible.yaml", settings);
    (sandbox, registry)
}

/// Names a build, so that it may come to prod.
pub(crate) fn allowed(sandbox: &Sandbox, digest: &str) {
    let run = sandbox.run(["allow", digest, "prod", "--reason", "a test"]);
    assert!(run.ends_with("[exit 0]\n"), "{run}");
}

#[track_caller]
pub(crate) fn git(sandbox: &Sandbox, arguments: &[&str]) -> String {
    let output = Command::new("git")
        .args(["-c", "user.name=ada", "-c", "user.email=ada@example.com"])
        .args(arguments)
        .env("HOME", sandbox.home())
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .current_dir(sandbox.path(""))
        .output()
        .unwrap();
    assert!(output.status.success(), "{arguments:?}: {output:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// A bare repository with these files below `apps/prod` of its branch `main`.
pub(crate) fn configuration(sandbox: &Sandbox, files: &[(&str, &[u8])]) {
    git(sandbox, &["init", "--quiet", "--bare", "--initial-branch=main", "config.git"]);
    git(sandbox, &["clone", "--quiet", "config.git", "config"]);
    for (path, bytes) in files {
        sandbox.write(&format!("config/apps/prod/{path}"), bytes);
    }
    git(sandbox, &["-C", "config", "add", "."]);
    git(sandbox, &["-C", "config", "commit", "--quiet", "-m", "Begin"]);
    git(sandbox, &["-C", "config", "push", "--quiet", "origin", "HEAD:main"]);
}

pub(crate) fn in_git() -> (Sandbox, Scripted) {
    let (sandbox, registry) =
        project("deploy: git, git: {repository: config.git, path: apps/prod}");
    let config = sandbox.path("config.git").display().to_string();
    let settings = sandbox.text("indelible.yaml").replace("[registry]", registry.host());
    sandbox.write("indelible.yaml", settings.replace("config.git", &config));
    (sandbox, registry)
}

pub(crate) fn compose(registry: &Scripted) -> String {
    format!("services:\n  api:\n    image: {}/shop/api:v1\n", registry.host())
}

/// Latin-1, as an old editor leaves it.
fn latin(text: &str) -> Vec<u8> {
    text.chars().map(|c| u8::try_from(c).unwrap()).collect()
}

#[test]
fn a_file_of_another_encoding_stops_a_deploy_where_it_names_the_image() {
    for how in ["git", "files"] {
        let (sandbox, registry) =
            if how == "git" { in_git() } else { project("git: {path: apps}") };
        let strange = latin(&format!("{}# f\u{fc}r alle\n", compose(&registry)));
        let fine = compose(&registry);
        if how == "git" {
            let files: [(&str, &[u8]); 2] =
                [("compose.yaml", fine.as_bytes()), ("old/compose.yaml", &strange)];
            configuration(&sandbox, &files);
        } else {
            sandbox.write("apps/prod/compose.yaml", &fine);
            sandbox.write("apps/prod/old/compose.yaml", &strange);
        }
        allowed(&sandbox, NINES);
        let run = sandbox.run(["deploy", "prod", "api=v2"]);
        let expected = "[stderr]\n\
            error: cannot read apps/prod/old/compose.yaml\n\
            \x20 caused by: the file is not UTF-8 text\n\
            hint: save the file as UTF-8\n\
            [exit 2]\n";
        assert_eq!(run, expected, "{how}");
        let recorded = sandbox.run(["history", "prod"]);
        assert!(!recorded.contains("v2"), "{recorded}");
    }
}

#[test]
fn a_file_of_another_encoding_is_said_where_it_names_other_images() {
    let (sandbox, registry) = in_git();
    let strange = latin("services:\n  db:\n    image: postgres:16 # f\u{fc}r alle\n");
    let fine = compose(&registry);
    let files: [(&str, &[u8]); 2] = [("compose.yaml", fine.as_bytes()), ("db.yaml", &strange)];
    configuration(&sandbox, &files);
    allowed(&sandbox, NINES);
    let run = sandbox.run(["deploy", "prod", "api=v2"]);
    let warning =
        "warning: apps/prod/db.yaml could not be looked through: the file is not UTF-8 text\n";
    assert!(run.contains(warning) && run.ends_with("[exit 0]\n"), "{run}");
    let landed = git(&sandbox, &["-C", "config.git", "show", "main:apps/prod/compose.yaml"]);
    assert!(landed.contains(&format!("/shop/api:v2@{NINES}\n")), "{landed}");
}

#[test]
fn a_variable_with_a_default_is_named_with_its_line_and_what_to_do() {
    let (sandbox, registry) = project("git: {path: ''}");
    let image = format!("{}/shop/api:v1", registry.host());
    sandbox.write("compose.yaml", format!("services:\n  api:\n    image: ${{IMAGE:-{image}}}\n"));
    allowed(&sandbox, NINES);
    insta::assert_snapshot!(sandbox.run(["deploy", "prod", "api=v2"]), @r"
    [stderr]
    error: compose.yaml:3 `${IMAGE:-[registry]/shop/api:v1}` names the image and is not edited: a variable writes it, and only its default stands in the file
    hint: write the name itself there; where another program sets it, `# indelible: ignore` behind it passes it over
    [exit 2]
    ");
}

#[test]
fn a_variable_without_a_default_may_be_the_image() {
    let (sandbox, _registry) = project("git: {path: ''}");
    sandbox.write("compose.yaml", "services:\n  api:\n    image: ${IMAGE}\n");
    allowed(&sandbox, NINES);
    insta::assert_snapshot!(sandbox.run(["deploy", "prod", "api=v2"]), @r"
    [stderr]
    error: no file anywhere names [registry]/shop/api, so there is nothing to deploy to; it may be one that a variable or a template fills in: compose.yaml:3 `${IMAGE}`
    hint: write `image: [registry]/shop/api` where it shall run; `git.path` of the environment says where is looked
    [exit 2]
    ");
}

#[test]
fn a_place_that_a_comment_takes_out_stays_and_the_others_are_set() {
    let (sandbox, registry) = project("git: {path: ''}");
    let image = format!("{}/shop/api:v1", registry.host());
    let text = format!(
        "services:\n  a:\n    image: {image}\n  b:\n    image: {image} # indelible: ignore\n"
    );
    sandbox.write("compose.yaml", text);
    allowed(&sandbox, NINES);
    let run = sandbox.run(["deploy", "prod", "api=v2"]);
    let warning = "warning: api: compose.yaml:5 `[registry]/shop/api:v1` stays: a comment asks to leave it alone\n";
    assert!(run.contains(warning) && run.ends_with("[exit 0]\n"), "{run}");
    assert_eq!(sandbox.text("compose.yaml").matches(":v2@[nines]").count(), 1);
}

#[test]
fn the_alias_follows_every_deploy_and_a_registry_that_refuses_is_a_warning() {
    let (sandbox, registry) = project("alias: prod, git: {path: ''}");
    sandbox.write("compose.yaml", compose(&registry));
    allowed(&sandbox, NINES);
    let asked = || {
        let head = "HEAD /v2/shop/api/manifests/prod".to_owned();
        registry.asked().into_iter().filter(|asked| *asked == head).count()
    };
    let warning = "warning: api: alias `prod` of [registry]/shop/api does not follow to sha256:999999999999: ";
    let run = sandbox.run(["deploy", "prod", "api=v2"]);
    assert!(run.contains(warning) && run.ends_with("[exit 0]\n"), "{run}");
    assert!(asked() > 0);
    // The same again is the way to mend it, without a restart.
    let before = asked();
    let run = sandbox.run(["deploy", "prod", "api=v2"]);
    assert!(run.contains("already, nothing restarts") && run.contains(warning), "{run}");
    assert!(asked() > before);
    let before = asked();
    sandbox.run(["--dry-run", "deploy", "prod", "api=v2"]);
    assert_eq!(asked(), before, "a plan moves nothing");
}

#[test]
fn a_digest_that_nobody_has_heard_of_is_questioned() {
    let (sandbox, registry) = project("git: {path: ''}");
    sandbox.write("compose.yaml", compose(&registry));
    insta::assert_snapshot!(sandbox.run(["allow", NINES, "prod", "--reason", "a test"]), @r"
    [nines]: allowed in prod
    [stderr]
    warning: no build, image, tag or deploy with the digest [nines] is recorded; is it the one that you mean?
    [exit 0]
    ");
    sandbox.run(["deploy", "prod", "api=v2"]);
    insta::assert_snapshot!(sandbox.run(["block", NINES, "--reason", "leaked"]), @r"
    [nines]: blocked in every environment
    [exit 0]
    ");
    let run = sandbox.run(["--json", "block", ONES, "--reason", "leaked"]);
    assert!(run.contains("\"known\": false"), "{run}");
}

#[test]
fn what_cannot_be_done_says_what_to_do() {
    let (sandbox, _registry) = project("git: {path: ''}");
    let settings = "version: 1\nrecord: file:record.db\nimages:\n  api: {repository: r.example.com/api}\n  web: {repository: r.example.com/web}\nenvironments:\n  prod: {promotes-from: uat}\n  uat: {}\n";
    sandbox.write("indelible.yaml", settings);
    allowed(&sandbox, ONES);
    insta::assert_snapshot!(sandbox.run(["rollback", "prod"]), @r"
    [stderr]
    error: no deploy to prod is recorded
    hint: indelible history prod; what another tool deployed is recorded by `indelible note deploy prod IMAGE=TAG`
    [exit 1]
    ");
    insta::assert_snapshot!(sandbox.run(["promote", "prod", "uat", "api"]), @r"
    [stderr]
    error: `prod` is not promoted to `uat`: the settings have no `promotes-from` for `uat`
    hint: add `promotes-from: prod` to environments.uat in indelible.yaml
    [exit 2]
    ");
    insta::assert_snapshot!(sandbox.run(["promote", "prod", "prod", "api"]), @r"
    [stderr]
    error: `prod` is not promoted to `prod`: the settings say `promotes-from: uat` for `prod`
    hint: indelible promote uat prod
    [exit 2]
    ");
    insta::assert_snapshot!(sandbox.run(["promote", "uat", "prod", "api"]), @r"
    [stderr]
    error: `api` is not promoted to prod
      caused by: no deploy of `api` to uat is recorded: there is nothing to promote
    hint: indelible deploy uat api=TAG
    [exit 1]
    ");
    insta::assert_snapshot!(sandbox.run(["promote", "uat", "prod"]), @r"
    [stderr]
    error: no deploy to uat is recorded
    hint: indelible history uat; what another tool deployed is recorded by `indelible note deploy uat IMAGE=TAG`
    [exit 1]
    ");
    insta::assert_snapshot!(sandbox.run(["hold", "prod"]), @r"
    [stderr]
    error: prod has several images: api, web
    hint: indelible hold prod --all for every image, or indelible hold prod api for one
    [exit 2]
    ");
}

#[test]
fn a_plan_says_what_would_be_done_and_claims_no_grade() {
    let (sandbox, registry) = project("git: {path: ''}");
    sandbox.write("compose.yaml", compose(&registry));
    allowed(&sandbox, NINES);
    insta::assert_snapshot!(sandbox.run(["--dry-run", "deploy", "prod", "api=v2"]), @r"
    api prod: would be deployed: nothing -> sha256:999999999999 v2
      files: compose.yaml:3
    [exit 0]
    ");
    assert_eq!(
        sandbox.text("compose.yaml"),
        "services:\n  api:\n    image: [registry]/shop/api:v1\n"
    );
}

#[test]
fn an_image_does_not_go_on_while_its_environment_waits() {
    let (sandbox, registry) = project("git: {path: ''}");
    sandbox.write("compose.yaml", compose(&registry));
    allowed(&sandbox, NINES);
    sandbox.run(["hold", "prod", "--all", "--reason", "incident 17"]);
    let run = sandbox.run(["resume", "prod", "api"]);
    assert!(run.contains("error: `api` still waits: prod is held as a whole since "), "{run}");
    assert!(run.ends_with("hint: indelible resume prod\n[exit 1]\n"), "{run}");
    let run = sandbox.run(["deploy", "prod", "api=v2"]);
    let until = "; nothing was changed (to go on: indelible resume prod api, or indelible resume prod where all of it waits)\n";
    assert!(run.contains(until) && run.ends_with("[exit 1]\n"), "{run}");
    let run = sandbox.run(["block", NINES, "--lift", "--reason", "a test"]);
    assert!(run.starts_with("[nines]: "), "{run}");
    sandbox.run(["block", NINES, "--reason", "leaked"]);
    sandbox.run(["block", NINES, "--lift", "--reason", "it was not"]);
    let run = sandbox.run(["block", NINES, "--lift", "--reason", "it was not"]);
    assert!(run.starts_with("[nines]: was not blocked\n"), "{run}");
}

#[test]
fn an_image_that_the_settings_do_not_have_is_named_before_the_record_is_asked() {
    let (sandbox, _registry) = project("git: {path: ''}");
    for arguments in [
        &["deploy", "prod", "nothing=1"][..],
        &["rollback", "prod", "nothing"],
        &["note", "deploy", "prod", "nothing=1"],
    ] {
        let run = sandbox.run(arguments);
        let expected = "[stderr]\nerror: the settings have no image `nothing`; they have api\n";
        assert!(run.starts_with(expected) && run.ends_with("[exit 2]\n"), "{run}");
    }
}

/// v1, then v2, both deployed by name.
pub(crate) fn two_deploys(how: &str) -> (Sandbox, Scripted) {
    let registry = Scripted::with_digests(&[("shop/api:v1", ONES), ("shop/api:v2", NINES)]);
    let (sandbox, registry) = project_at(registry, how);
    sandbox.write("compose.yaml", compose(&registry));
    for (digest, wanted) in [(ONES, "api=v1"), (NINES, "api=v2")] {
        allowed(&sandbox, digest);
        let run = sandbox.run(["deploy", "prod", wanted]);
        assert!(run.ends_with("[exit 0]\n"), "{run}");
    }
    (sandbox, registry)
}

#[test]
fn a_rollback_holds_what_it_rolls_back_until_somebody_resumes() {
    let (sandbox, _registry) = two_deploys("git: {path: ''}");
    insta::assert_snapshot!(sandbox.run(["rollback", "prod", "api", "--dry-run"]), @r"
    api prod: would be rolled back: sha256:999999999999 -> sha256:111111111111 v1; would be condemned: sha256:999999999999
      would be held: deploy and promote leave api of prod as it is until `indelible resume prod api`
      files: compose.yaml:3
    [exit 0]
    ");
    let run = sandbox.run(["rollback", "prod", "api", "--reason", "orders fail"]);
    let held =
        "  held: deploy and promote leave api of prod as it is until `indelible resume prod api`\n";
    assert!(run.contains(held) && run.ends_with("[exit 0]\n"), "{run}");
    let run = sandbox.run(["deploy", "prod", "api=v2"]);
    assert!(run.contains("api prod: held since "), "{run}");
    assert!(run.contains(": rolled back to api v1: orders fail; nothing was changed"), "{run}");
    assert!(run.ends_with("[exit 1]\n"), "{run}");
    let run = sandbox.run(["resume", "prod", "api"]);
    assert!(run.ends_with("[exit 0]\n"), "{run}");
    let run = sandbox.run(["deploy", "prod", "api=v2"]);
    assert!(run.contains("api prod: deploy: sha256:111111111111 -> sha256:999999999999 v2\n"));
}

#[test]
fn a_build_that_was_there_too_short_is_not_returned_to_and_comes_by_name() {
    let (sandbox, _registry) = two_deploys("git: {path: ''}, soak: 1h");
    let run = sandbox.run(["rollback", "prod", "api"]);
    let why = "caused by: nothing known-good is left to return to in prod: of `api` there was sha256:111111111111: it was here for ";
    assert!(run.contains(why) && run.contains(", and `soak` asks for 1h 0m\n"), "{run}");
    assert!(run.ends_with("[exit 1]\n"), "{run}");
    // Nothing was held for a rollback that did not come about.
    let run = sandbox.run(["deploy", "prod", "api=v2"]);
    assert!(run.contains("already, nothing restarts"), "{run}");
    // As tables show it.
    let run = sandbox.run(["rollback", "prod", "api", "--to", "sha256:111111111111"]);
    assert!(run.contains("rollback: sha256:999999999999 -> sha256:111111111111 v1"), "{run}");
}

#[test]
fn what_may_not_come_names_the_environment_that_it_comes_from() {
    let (sandbox, _registry) =
        project("git: {path: ''}, promotes-from: uat}\n  uat: {branches: [develop]");
    allowed(&sandbox, ONES);
    let run = sandbox.run(["deploy", "prod", "api=v2"]);
    let hint =
        "hint: indelible promote uat prod api; or indelible allow [nines] prod --reason TEXT\n";
    assert!(run.contains(hint) && run.ends_with("[exit 1]\n"), "{run}");
}

#[test]
fn an_image_that_was_held_for_a_rollback_of_two_is_told_where_the_other_cannot_be_held() {
    let tags = [("shop/api:v1", ONES), ("shop/api:v2", NINES)];
    let more = [("shop/worker:v1", ONES), ("shop/worker:v2", NINES)];
    let registry = Scripted::with_digests(&[tags, more].concat());
    let sandbox = sandbox();
    let (team, host) = (sandbox.path("team.git").display().to_string(), registry.host());
    let settings = format!(
        "version: 1\nrecord: git:{team}\nimages:\n  api: {{repository: {host}/shop/api}}\n  worker: {{repository: {host}/shop/worker}}\n\
         environments:\n  prod: {{branches: [main], git: {{path: apps}}}}\n"
    );
    sandbox.write("indelible.yaml", settings);
    let file = format!(
        "services:\n  api:\n    image: {host}/shop/api:v0\n  worker:\n    image: {host}/shop/worker:v0\n"
    );
    sandbox.write("apps/compose.yaml", file);
    git(&sandbox, &["init", "--quiet", "--bare", "team.git"]);
    for digest in [ONES, NINES] {
        allowed(&sandbox, digest);
    }
    for tag in ["v1", "v2"] {
        let run = sandbox.run(["deploy", "prod", &format!("api={tag}"), &format!("worker={tag}")]);
        assert!(run.ends_with("[exit 0]\n"), "{run}");
    }
    // The first hold is the last word that the record takes.
    let hook = sandbox.path("team.git/hooks/post-receive");
    sandbox.write("team.git/hooks/post-receive", format!("#!/bin/sh\nmv {team} {team}.gone\n"));
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(hook, mode).unwrap();
    let run = sandbox.run(["rollback", "prod", "api", "worker"]);
    assert!(
        run.contains("error: `worker` was not held in prod, so nothing was rolled back"),
        "{run}"
    );
    assert!(run.contains("prod api: held, also now that the rollback did not end well"), "{run}");
    assert!(!run.contains("prod worker: held"), "{run}");
    let text = sandbox.text("apps/compose.yaml");
    assert!(text.contains(&format!("shop/api:v2@{}", "[nines]")), "{text}");
}
