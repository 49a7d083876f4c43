//! `policy generate`: what is written, what is said about it, and what is refused.

use crate::sandbox::{NINES, ONES, Sandbox, sandbox};
use serde_json::Value;

const SETTINGS: &str = "version: 1
record: file:record.db
images:
  api: {repository: registry.example.com/shop/api, tags: [timestamp-env]}
environments:
  prod: {branches: [prod], alias: prod, namespace: shop}
  uat: {branches: [develop], alias: uat, namespace: shop-uat}
  dev: {branches: [\"**\"]}
";

/// A record in which somebody allowed two digests in prod.
fn recorded(settings: &str) -> Sandbox {
    let sandbox = sandbox().file("indelible.yaml", settings);
    for digest in [NINES, ONES] {
        let said = sandbox.run(["allow", digest, "prod", "--reason", "incident 17"]);
        assert!(said.ends_with("[exit 0]\n"), "{said}");
    }
    sandbox
}

fn stdout(sandbox: &Sandbox, arguments: &[&str]) -> String {
    let output = sandbox.output(arguments, b"");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn a_policy_warns_until_it_is_told_to_refuse_and_says_which() {
    let sandbox = recorded(SETTINGS);
    let said = sandbox.run(["policy", "generate", "--output", "policy.yaml"]);
    insta::assert_snapshot!(said, @r"
    policy.yaml: written; next: kubectl apply --filename policy.yaml
    [stderr]
    prod (namespace shop): 2 digests in 1 list; what is wrong is let in with a warning; --deny refuses it
    warning: prod: what runs there is not known (nobody ever watched it), so only what the record deployed or allowed is listed: look first: indelible status --context NAME
    uat (namespace shop-uat): 0 digests in 1 list; what is wrong is let in with a warning; --deny refuses it
    warning: uat: what runs there is not known (nobody ever watched it), so only what the record deployed or allowed is listed: look first: indelible status --context NAME
    without a namespace, so not guarded: dev
    [exit 0]
    ");
    let text = sandbox.text("policy.yaml");
    assert!(text.contains("- \"Warn\"\n") && !text.contains("- \"Deny\"\n"), "{text}");
    let denies = stdout(&sandbox, &["policy", "generate", "prod", "--deny"]);
    assert!(denies.contains("- \"Deny\"\n") && !denies.contains("- \"Warn\"\n"), "{denies}");
    let both = sandbox.run(["policy", "generate", "--deny", "--audit"]);
    assert!(both.ends_with("[exit 2]\n"), "{both}");
}

#[test]
fn the_same_record_gives_the_same_bytes_to_a_file_and_to_standard_output() {
    let sandbox = recorded(SETTINGS);
    let printed = stdout(&sandbox, &["policy", "generate", "prod"]);
    assert_eq!(stdout(&sandbox, &["policy", "generate", "prod", "--output", "-"]), printed);
    let _ = stdout(&sandbox, &["policy", "generate", "prod", "prod", "--output", "policy.yaml"]);
    assert_eq!(std::fs::read_to_string(sandbox.path("policy.yaml")).unwrap(), printed);
    let digest = NINES.replace(':', ".");
    assert!(printed.contains(&format!("  {digest}: \"allowed\"\n")), "{printed}");
    let dry = stdout(&sandbox, &["policy", "generate", "--dry-run", "--output", "other.yaml"]);
    assert_eq!(dry, "other.yaml: would be written\n");
    assert!(!sandbox.path("other.yaml").exists());
}

#[test]
fn json_has_the_objects_and_what_is_to_be_known_about_them() {
    let sandbox = recorded(SETTINGS);
    let printed = stdout(&sandbox, &["policy", "generate", "prod", "--newest", "1", "--json"]);
    let json: Value = serde_json::from_str(&printed).unwrap();
    assert_eq!(json["effect"], "warn");
    let prod = &json["environments"][0];
    assert_eq!((&prod["digests"], &prod["left_out"]), (&1.into(), &1.into()));
    assert_eq!(prod["gaps"][0], "nobody ever watched it");
    assert_eq!(json["objects"][1]["kind"], "ValidatingAdmissionPolicy");
    assert_eq!(json["file"], Value::Null);
}

#[test]
fn what_cannot_be_guarded_is_said_with_what_is_missing() {
    let sandbox = recorded(SETTINGS);
    let said = sandbox.run(["policy", "generate", "dev"]);
    assert!(
        said.contains("error: dev has no `namespace`: a policy guards a namespace\n"),
        "{said}"
    );
    assert!(said.contains("hint: write `namespace: NAME` below environments.dev"), "{said}");
    assert!(said.ends_with("[exit 2]\n"), "{said}");
    let said = sandbox.run(["policy", "generate", "stage"]);
    assert!(said.contains("no environment `stage`"), "{said}");
    let said = sandbox.run(["policy", "generate", "--output", "no/such/folder.yaml"]);
    assert!(said.contains("no/such/folder.yaml cannot be written"), "{said}");
    assert!(said.ends_with("[exit 2]\n"), "{said}");

    let one = recorded(&SETTINGS.replace("shop-uat", "shop"));
    let said = one.run(["policy", "generate"]);
    assert!(said.contains("caused by: prod and uat share the namespace shop"), "{said}");
    assert!(said.ends_with("[exit 2]\n"), "{said}");
}
