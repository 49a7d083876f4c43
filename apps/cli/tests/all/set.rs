//! `indelible set`: by the settings' name or the files' own.

use crate::sandbox::{NINES, ONES, sandbox};

const SETTINGS: &str = "version: 1\nimages: {api: {repository: r.example.com/shop/api}}\nenvironments:\n  prod: {branches: [prod], images: {api: {repository: p.example.com/shop/api}}}\n";
const COMPOSE: &str = "services:\n  a: {image: 'r.example.com/shop/api:v1'} # first\n  b: {image: p.example.com/shop/api}\n  c: {image: 'shop/web:v1'}\n";

#[test]
fn set_writes_one_image_wherever_it_is_named_and_again_changes_nothing() {
    let sandbox = sandbox().file("indelible.yaml", SETTINGS).file("compose.yaml", COMPOSE);
    let setting = format!("api=r.example.com/shop/api:v2@{NINES}");
    insta::assert_snapshot!(sandbox.run(["set", &setting, "compose.yaml"]), @r"
    compose.yaml:2:15: r.example.com/shop/api:v1 -> sha256:999999999999
    compose.yaml:3:14: p.example.com/shop/api -> repository r.example.com/shop/api, sha256:999999999999
    1 file, 2 references set
    next: indelible check compose.yaml    # a merge would restart service/a, service/b
    [exit 0]
    ");
    let expected = COMPOSE
        .replace("r.example.com/shop/api:v1", "r.example.com/shop/api:v2@[nines]")
        .replace("p.example.com/shop/api}", "r.example.com/shop/api:v2@[nines]}");
    assert_eq!(sandbox.text("compose.yaml"), expected);
    insta::assert_snapshot!(sandbox.run(["set", &setting, "."]), @r"
    0 files, 0 references set, 2 already
    [exit 0]
    ");
}

#[test]
fn without_settings_an_image_is_named_as_the_files_do() {
    let sandbox = sandbox().file("Dockerfile", "FROM shop/web:v1 AS web\n");
    let setting = format!("shop/web=shop/web:v2@{ONES}");
    insta::assert_snapshot!(sandbox.run(["--dry-run", "set", &setting, "Dockerfile"]), @r"
    --- a/Dockerfile
    +++ b/Dockerfile
    @@ -1 +1 @@
    -FROM shop/web:v1 AS web
    +FROM shop/web:v2@[ones] AS web
    [stderr]
    Dockerfile:1:6: shop/web:v1 -> sha256:111111111111
    1 file, 1 reference would be set
    next: indelible set shop/web=shop/web:v2@[ones] Dockerfile
    [exit 0]
    ");
    sandbox.run(["set", &setting, "Dockerfile"]);
    assert_eq!(sandbox.text("Dockerfile"), "FROM shop/web:v2@[ones] AS web\n");
}

#[test]
fn a_repository_that_no_file_names_is_two() {
    let sandbox = sandbox().file("compose.yaml", COMPOSE);
    let setting = format!("shop/other=shop/other:v2@{ONES}");
    insta::assert_snapshot!(sandbox.run(["set", &setting, "compose.yaml"]), @r"
    [stderr]
    error: nothing in compose.yaml names shop/other
    hint: `indelible check --all` lists what the files name
    [exit 2]
    ");
    assert_eq!(sandbox.text("compose.yaml"), COMPOSE);
}

#[test]
fn a_place_that_a_variable_writes_is_left_and_said() {
    let sandbox = sandbox().file("compose.yaml", "services: {a: {image: 'shop/api:${TAG}'}}\n");
    let setting = format!("shop/api=shop/api:v2@{ONES}");
    insta::assert_snapshot!(sandbox.run(["set", &setting, "compose.yaml"]), @r"
    compose.yaml:1:24: shop/api:${TAG} is left as it is: a variable writes it
    0 files, 0 references set
    [exit 2]
    ");
}

#[test]
fn a_setting_names_an_image_and_a_digest() {
    let sandbox = sandbox().file("compose.yaml", COMPOSE);
    for (setting, expected) in [
        ("shop/api:v2", "has no `=`: it is written IMAGE=REPO:TAG@DIGEST"),
        ("api=shop/api:v2", "`shop/api:v2` names no digest: it can move"),
    ] {
        let run = sandbox.run(["set", setting, "compose.yaml"]);
        assert!(run.contains(expected) && run.ends_with("[exit 2]\n"), "{run}");
    }
    let run = sandbox.run(["set", &format!("A B=shop/api:v2@{ONES}"), "compose.yaml"]);
    assert!(run.contains("`A B` is neither an image of the settings nor a repository: "), "{run}");
}
