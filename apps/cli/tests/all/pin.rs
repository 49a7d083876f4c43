//! `indelible pin` and `unpin`, against a registry that knows two tags.

use crate::sandbox::{NINES, ONES, Sandbox, names, sandbox};
use crate::scripted::Scripted;
use std::process::Stdio;

const DEPLOYMENT: &str = "apiVersion: apps/v1\r\nkind: Deployment\r\nmetadata: {name: api}\r\nspec:\r\n  template:\r\n    spec:\r\n      containers:\r\n      - name: api\r\n        image: \"HOST/shop/api:1.4.2\" # kept\r\n";
const COMPOSE: &str =
    "services:\n  web: {image: HOST/shop/web}\n  api: {image: 'HOST/shop/api:1.4.2'}\n";

fn registry() -> Scripted {
    Scripted::start(&[("shop/api:1.4.2", NINES), ("shop/web:latest", ONES)])
}

/// Files that name images of the registry as `HOST/…`.
fn with(registry: &Scripted, files: &[(&str, &str)]) -> Sandbox {
    let sandbox = sandbox().replacing(registry.host(), "HOST");
    files.iter().fold(sandbox, |sandbox, (path, text)| {
        sandbox.file(path, text.replace("HOST", registry.host()))
    })
}

#[test]
fn pin_writes_each_digest_and_asks_once_for_each() {
    let registry = registry();
    let sandbox = with(&registry, &[("deploy/api.yaml", DEPLOYMENT), ("compose.yaml", COMPOSE)]);
    insta::assert_snapshot!(sandbox.run(["pin"]), @r"
    compose.yaml:2:16: HOST/shop/web -> sha256:111111111111
      note: `HOST/shop/web` has no tag: it can move; what runs may be an older build, so that a merge may deploy a change
    compose.yaml:3:17: HOST/shop/api:1.4.2 -> sha256:999999999999
    deploy/api.yaml:9:17: HOST/shop/api:1.4.2 -> sha256:999999999999
    2 files, 3 references pinned
    next: indelible check .    # a merge would restart deployment/api, service/api, service/web
    [exit 0]
    ");
    let expected = DEPLOYMENT.replace("api:1.4.2", "api:1.4.2@[nines]");
    assert_eq!(sandbox.text("deploy/api.yaml"), expected, "nothing else is touched");
    let mut asked = registry.asked();
    asked.sort();
    assert_eq!(asked, ["HEAD /v2/shop/api/manifests/1.4.2", "HEAD /v2/shop/web/manifests/latest"]);
    insta::assert_snapshot!(sandbox.run(["pin"]), @r"
    0 files, 0 references pinned, 3 already
    [exit 0]
    ");
    assert_eq!(registry.asked().len(), 2, "what is pinned is not asked for");
}

#[test]
fn a_diff_is_a_patch_that_git_applies_and_nothing_is_written() {
    let registry = registry();
    let sandbox = with(&registry, &[("deploy/api.yaml", DEPLOYMENT), ("compose.yaml", COMPOSE)]);
    let run = sandbox.run(["pin", "--diff", "compose.yaml"]);
    insta::assert_snapshot!(run, @r"
    --- a/compose.yaml
    +++ b/compose.yaml
    @@ -1,3 +1,3 @@
     services:
    -  web: {image: HOST/shop/web}
    -  api: {image: 'HOST/shop/api:1.4.2'}
    +  web: {image: HOST/shop/web@[ones]}
    +  api: {image: 'HOST/shop/api:1.4.2@[nines]'}
    [stderr]
    compose.yaml:2:16: HOST/shop/web -> sha256:111111111111
      note: `HOST/shop/web` has no tag: it can move; what runs may be an older build, so that a merge may deploy a change
    compose.yaml:3:17: HOST/shop/api:1.4.2 -> sha256:999999999999
    1 file, 2 references would be pinned
    next: indelible pin compose.yaml    # a merge would restart service/api, service/web
    [exit 0]
    ");
    assert_eq!(sandbox.text("compose.yaml"), COMPOSE);
    let patch = sandbox.output(["--dry-run", "pin"], b"").stdout;
    sandbox.write("a.patch", patch);
    let applied = std::process::Command::new("git")
        .args(["apply", "a.patch"])
        .current_dir(sandbox.path(""))
        .status()
        .unwrap();
    assert!(applied.success());
    assert_eq!(
        sandbox.text("deploy/api.yaml"),
        DEPLOYMENT.replace("api:1.4.2", "api:1.4.2@[nines]")
    );
}

#[test]
fn locked_fails_if_anything_would_change_and_asks_nobody() {
    let registry = registry();
    let sandbox = with(&registry, &[("compose.yaml", COMPOSE)]);
    insta::assert_snapshot!(sandbox.run(["pin", "--locked"]), @r"
    compose.yaml:2:16: `HOST/shop/web` is not pinned
    compose.yaml:3:17: `HOST/shop/api:1.4.2` is not pinned
    1 file, 2 references not pinned
    next: indelible pin .    # a merge would restart service/api, service/web
    [exit 1]
    ");
    assert!(registry.asked().is_empty());
    sandbox.run(["pin"]);
    insta::assert_snapshot!(sandbox.run(["pin", "--locked"]), @r"
    0 files, 0 references not pinned, 2 pinned
    [exit 0]
    ");
}

#[test]
fn the_style_decides_whether_the_tag_stays() {
    let registry = registry();
    let sandbox = with(&registry, &[("compose.yaml", COMPOSE)]);
    sandbox.run(["pin", "--style", "digest"]);
    let expected = "services:\n  web: {image: HOST/shop/web@[ones]}\n  api: {image: 'HOST/shop/api@[nines]'}\n";
    assert_eq!(sandbox.text("compose.yaml"), expected);
}

#[test]
fn a_tag_that_is_not_there_is_bad_input_and_the_rest_is_pinned() {
    let registry = registry();
    let compose =
        "services:\n  a: {image: 'HOST/shop/gone:1'}\n  b: {image: 'HOST/shop/api:1.4.2'}\n";
    let sandbox = with(&registry, &[("compose.yaml", compose)]);
    insta::assert_snapshot!(sandbox.run(["pin"]), @r"
    compose.yaml:3:15: HOST/shop/api:1.4.2 -> sha256:999999999999
    compose.yaml:2:15: HOST/shop/gone:1 is left as it is: HOST has no tag `1` of HOST/shop/gone
    1 file, 1 reference pinned
    next: indelible check .    # a merge would restart service/b
    [exit 2]
    ");
}

#[test]
fn a_registry_that_does_not_answer_is_could_not_find_out() {
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let compose = format!("services: {{a: {{image: '{closed}/shop/api:1.4.2'}}}}\n");
    let sandbox = sandbox().file("compose.yaml", &compose);
    let run = sandbox.run(["pin"]);
    assert!(run.contains("is left as it is: could not find out its digest: "), "{run}");
    assert!(run.ends_with("0 files, 0 references pinned\n[exit 2]\n"), "{run}");
    assert_eq!(std::fs::read_to_string(sandbox.path("compose.yaml")).unwrap(), compose);
}

#[test]
fn a_filters_output_is_complete_or_empty() {
    let registry =
        Scripted::start(&[("shop/api:1.4.2", NINES), ("shop/secret:1", "403 Forbidden")]);
    let compose =
        "services: {a: {image: 'HOST/shop/api:1.4.2'}, b: {image: 'HOST/shop/secret:1'}}\n";
    let sandbox = with(&registry, &[]);
    let run = sandbox.pipe(["pin", "-"], compose.replace("HOST", registry.host()).as_bytes());
    assert!(run.starts_with("[stderr]\n"), "{run}");
    let why = "HOST/shop/secret:1 is left as it is: could not find out its digest: ";
    assert!(run.contains(why), "{run}");
    assert!(run.ends_with("it would not be complete\n[exit 2]\n"), "{run}");
}

#[test]
fn a_filter_writes_the_text_to_stdout_and_talk_to_stderr() {
    let registry = registry();
    let sandbox = with(&registry, &[]);
    let input = COMPOSE.replace("HOST", registry.host());
    insta::assert_snapshot!(sandbox.pipe(["pin", "-"], input.as_bytes()), @r"
    services:
      web: {image: HOST/shop/web@[ones]}
      api: {image: 'HOST/shop/api:1.4.2@[nines]'}
    [stderr]
    -:2:16: HOST/shop/web -> sha256:111111111111
      note: `HOST/shop/web` has no tag: it can move; what runs may be an older build, so that a merge may deploy a change
    -:3:17: HOST/shop/api:1.4.2 -> sha256:999999999999
    [exit 0]
    ");
    let pinned = format!("FROM a:1@{NINES}\n");
    assert_eq!(sandbox.pipe(["-q", "pin", "-"], pinned.as_bytes()), "FROM a:1@[nines]\n[exit 0]\n");
    insta::assert_snapshot!(sandbox.pipe(["pin", "-"], b""), @r"
    [stderr]
    error: standard input is empty
    [exit 2]
    ");
    insta::assert_snapshot!(sandbox.pipe(["pin", "-"], b"a: b\n"), @r"
    [stderr]
    error: standard input is no workload file: neither Kubernetes objects, a kustomization, Compose nor a Dockerfile
    [exit 2]
    ");
}

#[test]
fn what_kustomize_builds_is_pinned_on_its_way() {
    let Ok(kustomize) = testbed::peer("kustomize") else {
        return testbed::skip(
            "what_kustomize_builds_is_pinned_on_its_way",
            "kustomize is not installed",
        );
    };
    println!("kustomize {}", kustomize.version());
    let registry = registry();
    let kustomization = "resources: [api.yaml]\nnamePrefix: uat-\nimages: [{name: api, newName: HOST/shop/api, newTag: '1.4.2'}]\n";
    let api = DEPLOYMENT.replace("HOST/shop/api:1.4.2", "api:1.0").replace("\r\n", "\n");
    let sandbox = with(&registry, &[("kustomization.yaml", kustomization), ("api.yaml", &api)]);
    let built = kustomize
        .command_at_home(&sandbox.home())
        .args(["build", "."])
        .current_dir(sandbox.path(""))
        .stderr(Stdio::inherit())
        .output()
        .unwrap();
    assert!(built.status.success());
    let output = sandbox.output(["pin", "-"], &built.stdout);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let reference = format!("{}/shop/api:1.4.2", registry.host());
    let expected = String::from_utf8(built.stdout)
        .unwrap()
        .replace(&reference, &format!("{reference}@{NINES}"));
    assert_eq!(String::from_utf8(output.stdout).unwrap(), expected);
    assert!(expected.contains(NINES));
}

#[test]
fn unpin_takes_digests_out_and_leaves_what_has_no_tag() {
    let sandbox =
        sandbox().file("Dockerfile", format!("FROM shop/a:1@{NINES} AS a\nFROM shop/b@{ONES}\n"));
    insta::assert_snapshot!(sandbox.run(["unpin"]), @r"
    Dockerfile:1:6: shop/a:1@[nines] -> no digest
    Dockerfile:2:6: shop/b@[ones] is left as it is: it has no tag to go back to
    1 file, 1 reference unpinned
    next: indelible check .
    [exit 0]
    ");
    assert_eq!(sandbox.text("Dockerfile"), "FROM shop/a:1 AS a\nFROM shop/b@[ones]\n");
    assert_eq!(names(&sandbox.path("")), ["Dockerfile"], "no file is left beside it");
}

#[test]
fn in_a_git_checkout_the_next_command_is_git_diff() {
    let sandbox = sandbox()
        .file(".git/HEAD", "ref: refs/heads/main\n")
        .file("Dockerfile", format!("FROM a:1@{NINES}\n"));
    let run = sandbox.run(["unpin"]);
    assert!(run.ends_with("next: git diff\n[exit 0]\n"), "{run}");
}

#[test]
fn json_says_what_was_written_and_what_a_merge_would_restart() {
    let registry = registry();
    let sandbox = with(&registry, &[("deploy/api.yaml", DEPLOYMENT)]);
    insta::assert_snapshot!(sandbox.run(["pin", "--json"]), @r#"
    {
      "version": 1,
      "command": "pin",
      "written": true,
      "files": [
        "deploy/api.yaml"
      ],
      "changed": [
        {
          "path": "deploy/api.yaml",
          "line": 9,
          "column": 17,
          "reference": "HOST/shop/api:1.4.2",
          "digest": "[nines]",
          "repository": null,
          "floating": null
        }
      ],
      "left": [],
      "same": 0,
      "restarts": [
        "deployment/api"
      ],
      "unread": [],
      "looked_at": 1,
      "next": "indelible check ."
    }
    [exit 0]
    "#);
    let run = sandbox.pipe(["pin", "--json", "-"], b"FROM a:1\n");
    assert!(run.ends_with("where no JSON has a place\n[exit 2]\n"), "{run}");
}
