//! `status ENV`: desired, decided and running side by side, and what each exit code means.

use crate::deploy::{allowed, compose, project, two_deploys};
use crate::sandbox::{NINES, ONES, Sandbox, sandbox};
use serde_json::Value;

/// The only environment of a document, with what differs from run to run taken out.
fn environment(sandbox: &Sandbox, code: &str) -> Value {
    let said = sandbox.run(["status", "prod", "--json"]);
    assert!(said.ends_with(&format!("[exit {code}]\n")), "{said}");
    let end = said.rfind("[exit").unwrap();
    let mut document: Value = serde_json::from_str(&said[..end]).unwrap();
    assert_eq!(
        (document["version"].as_u64(), document["command"].as_str()),
        (Some(1), Some("status"))
    );
    plain(&mut document);
    document["environments"][0].take()
}

fn plain(value: &mut Value) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                match name.as_str() {
                    "since" | "event" if member.is_string() => *member = "[varies]".into(),
                    _ => plain(member),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(plain),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn words(one: &Value) -> Vec<&str> {
    let differences = one["images"][0]["differences"].as_array().unwrap();
    differences.iter().map(|one| one["what"].as_str().unwrap()).collect()
}

#[test]
fn what_files_and_record_agree_on_has_no_difference_and_nobody_claims_to_have_seen_it() {
    let (sandbox, registry) = two_deploys("git: {path: ''}");
    let document = serde_json::to_string_pretty(&environment(&sandbox, "0")).unwrap();
    insta::assert_snapshot!(document.replace(registry.host(), "[registry]"), @r#"
    {
      "basis": "intended",
      "differs": false,
      "environment": "prod",
      "findings": [],
      "gaps": [
        {
          "from": null,
          "until": null,
          "why": "nothing observes prod: this is what was decided, not what was seen to run"
        }
      ],
      "holds": [],
      "images": [
        {
          "asked": null,
          "decided": {
            "actor": "unknown",
            "commit": null,
            "commits": [],
            "digest": "[nines]",
            "event": "[varies]",
            "grade": "applied",
            "how": "deploy",
            "proof": "none",
            "reason": null,
            "since": "[varies]",
            "tag": "v2",
            "ticket": null
          },
          "desired": {
            "places": [
              {
                "digest": "[nines]",
                "place": "compose.yaml:3",
                "reference": "[registry]/shop/api:v2@[nines]"
              }
            ],
            "state": "says",
            "why": null
          },
          "differences": [],
          "image": "api",
          "running": {
            "builds": [],
            "not_reported": 0,
            "state": "not-observed",
            "waiting": {},
            "why": null
          },
          "unknown": [],
          "verified_now": false
        }
      ],
      "mode": "files",
      "precision": "unconfirmed",
      "seen_by": "nobody",
      "unknown": false
    }
    "#);
    let said = sandbox.run(["status", "prod"]);
    let row = "sha256:999999999999  sha256:999999999999  v2   -       not observed  applied   ";
    assert!(said.contains(row), "{said}");
    let gap = "gap: nothing observes prod: this is what was decided, not what was seen to run\n";
    assert!(said.contains(gap) && said.contains("basis intended, precision unconfirmed"), "{said}");
}

#[test]
fn a_file_that_says_something_else_is_a_difference_with_its_place() {
    let (sandbox, registry) = two_deploys("git: {path: ''}");
    sandbox.write("compose.yaml", compose(&registry));
    let one = environment(&sandbox, "1");
    assert_eq!(words(&one), ["place-can-move"]);
    let image = format!("{}/shop/api:v1@{ONES}", registry.host());
    sandbox.write("compose.yaml", format!("services:\n  api:\n    image: {image}\n"));
    assert_eq!(words(&environment(&sandbox, "1")), ["place-says-other"]);
    let said = sandbox.run(["status", "prod"]);
    let differs = "differs: api: compose.yaml:3 says [registry]/shop/api:v1@[ones], which is not what was decided\n";
    assert!(said.contains(differs), "{said}");
    std::fs::remove_file(sandbox.path("compose.yaml")).unwrap();
    assert_eq!(words(&environment(&sandbox, "1")), ["no-place"]);
}

#[test]
fn what_cannot_be_read_or_asked_is_unknown_and_never_not_running() {
    let (sandbox, registry) = two_deploys("git: {path: ''}, clusters: [prod-eu], namespace: shop");
    let one = environment(&sandbox, "2");
    let api = &one["images"][0];
    assert_eq!((api["running"]["state"].as_str(), words(&one)), (Some("unknown"), vec![]));
    let said = sandbox.run(["status", "prod"]);
    assert!(
        said.contains("unknown: api: what runs: prod-eu is not watched, and does not answer"),
        "{said}"
    );
    assert!(said.contains("gap: prod-eu is not watched") && !said.contains("not run"), "{said}");
    // A difference is told beside what is unknown, and counts more.
    sandbox.write("compose.yaml", compose(&registry));
    assert_eq!(words(&environment(&sandbox, "1")), ["place-can-move"]);
    let image = format!("{}/shop/api", registry.host());
    sandbox
        .write("compose.yaml", format!("services:\n  api:\n    image: ${{IMAGE:-{image}:v1}}\n"));
    let one = environment(&sandbox, "2");
    assert_eq!(one["images"][0]["desired"]["state"], "unknown");
}

#[test]
fn an_environment_of_which_nothing_is_recorded_is_unknown_and_all_of_them_are_short() {
    let (sandbox, registry) =
        project("git: {path: ''}}\n  uat: {branches: [develop], git: {path: uat}");
    sandbox.write("compose.yaml", compose(&registry));
    allowed(&sandbox, NINES);
    let said = sandbox.run(["status", "prod"]);
    assert!(said.contains("unknown: api: no deploy of it is recorded\n"), "{said}");
    assert!(said.ends_with("[exit 2]\n"), "{said}");
    sandbox.run(["deploy", "prod", "api=v2"]);
    sandbox.run(["hold", "prod", "api", "--reason", "incident 17"]);
    insta::assert_snapshot!(sandbox.run(["status"]), @r"
    ENV   IMAGE  DECIDED              RUNNING       STATE
    prod  api    sha256:999999999999  not observed  held
    uat   api    nothing recorded     not observed  unknown
    next: indelible status uat
    [exit 2]
    ");
    let said = sandbox.run(["status", "prod"]);
    assert!(
        said.contains("held: api since ")
            && said.contains(": incident 17 (indelible resume prod api)\n")
    );
    let said = sandbox.run(["status", "nowhere"]);
    assert!(said.ends_with("[exit 2]\n") && said.contains("nowhere"), "{said}");
}

#[test]
fn without_settings_a_context_is_needed() {
    let said = sandbox().run(["status"]);
    assert!(said.ends_with("[exit 2]\n"), "{said}");
    let said = sandbox().run(["status", "prod", "--context", "x"]);
    assert!(said.contains("cannot be used with") && said.ends_with("[exit 2]\n"), "{said}");
}
