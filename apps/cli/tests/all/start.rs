//! `schema`, `man` and `completions`: made of the definitions that the program itself uses.

use crate::sandbox::{names, sandbox};
use serde_json::Value;

fn schema() -> Value {
    let output = sandbox().output(["schema"], b"");
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn the_schema_has_every_key_of_the_settings_with_a_sentence_for_each() {
    let schema = schema();
    let properties = schema["properties"].as_object().unwrap();
    let keys: Vec<&str> = properties.keys().map(String::as_str).collect();
    for key in
        ["version", "record", "images", "environments", "rules", "webhooks", "platforms", "mirrors"]
    {
        assert!(keys.contains(&key), "{keys:?}");
    }
    assert_eq!(schema["additionalProperties"], false, "an unknown key is an error");
    let of_environments = &schema["$defs"]["Environment"];
    assert_eq!(of_environments["additionalProperties"], false);
    let deploy = &schema["$defs"]["DeployWord"]["enum"];
    assert_eq!(deploy.as_array().unwrap().last().unwrap(), "git+cluster");
    let all = schema["$defs"].as_object().unwrap().values().chain([&schema]);
    for (key, value) in all.filter_map(|one| one["properties"].as_object()).flatten() {
        assert!(value["description"].is_string(), "{key} has no description");
    }
}

#[test]
fn there_is_a_manual_page_for_each_command() {
    let sandbox = sandbox();
    let told = sandbox.run(["man", "--output", "man1"]);
    assert!(told.contains("[exit 0]"), "{told}");
    let pages = names(&sandbox.path("man1"));
    for page in ["indelible.1", "indelible-check.1", "indelible-token-create.1"] {
        assert!(pages.iter().any(|one| one == page), "{pages:?}");
    }
    assert!(sandbox.text("man1/indelible-check.1").contains("\\-\\-baseline"));
    assert!(sandbox.run(["man"]).contains(".TH indelible 1"));
}
