//! `indelible init`: what it writes, that it overwrites nothing, and that what it wrote is used.

use crate::sandbox::sandbox;

const POD: &str = "apiVersion: v1\nkind: Pod\nmetadata: {name: api}\nspec:\n  containers:\n  - image: registry.example.com/shop/api:prod\n";

#[test]
fn init_writes_settings_that_the_next_command_reads() {
    let sandbox = sandbox().file("deploy/prod/api.yaml", POD);
    insta::assert_snapshot!(sandbox.run(["init"]), @r"
    wrote indelible.yaml
    [stderr]
    next: indelible check
    next: indelible doctor
    next: indelible pin deploy/prod --diff
    [exit 0]
    ");
    let check = sandbox.run(["check"]);
    assert!(check.contains("prod asks for a digest"), "{check}");
}

#[test]
fn settings_that_are_there_stay_and_are_shown_beside() {
    let sandbox =
        sandbox().file("indelible.yaml", "version: 1\n").file("deploy/prod/api.yaml", POD);
    insta::assert_snapshot!(sandbox.run(["init"]), @r"
    [stderr]
    error: [folder]/indelible.yaml is there already
    hint: indelible init --stdout shows what it would write
    [exit 1]
    ");
    let shown = sandbox.run(["init", "--stdout"]);
    assert!(shown.contains("check: digest   # files of production name digests"), "{shown}");
    assert!(shown.contains("[exit 0]"), "{shown}");
    let stays = sandbox.run(["init"]);
    assert!(stays.contains("is there already"), "nothing was written: {stays}");
    let forced = sandbox.run(["init", "--force"]);
    assert!(forced.starts_with("wrote indelible.yaml\n"), "{forced}");
}
