//! `publish` as a stranger meets it: the plan is what is done, and what is refused leaves nothing.

use crate::sandbox::{Sandbox, names, sandbox};
use crate::server::{Served, layout};
use serde_json::Value;

/// A folder with two images, a registry whose `uat` may move, and no settings.
struct Shop {
    sandbox: Sandbox,
    served: Served,
    tea: String,
    coffee: String,
}

impl Shop {
    fn new() -> Self {
        let sandbox = sandbox();
        let served = Served::start(&sandbox);
        let tea = layout(&sandbox, "tea", "image", "tea");
        let coffee = layout(&sandbox, "coffee", "image", "coffee");
        let sandbox = sandbox
            .replacing(served.host().to_owned(), "[registry]")
            .replacing(tea.clone(), "[tea]")
            .replacing(tea[..19].to_owned(), "[tea]")
            .replacing(coffee.clone(), "[coffee]")
            .replacing(coffee[..19].to_owned(), "[coffee]");
        let shop = Self { sandbox, served, tea, coffee };
        shop.run(&["rule", "set", "**", "{uat,prod}", "alias", "--registry", shop.served.host()]);
        shop
    }

    fn run(&self, arguments: &[&str]) -> String {
        self.sandbox.run(arguments)
    }

    fn to(&self) -> String {
        format!("{}/shop/api", self.served.host())
    }

    fn publish(&self, source: &str, more: &[&str]) -> String {
        let to = self.to();
        let words = ["publish", source, "--to", &to, "--record", "file:record.db"];
        self.run(&[&words, more].concat())
    }

    fn json(&self, source: &str, more: &[&str]) -> Value {
        let to = self.to();
        let words = ["publish", source, "--to", &to, "--record", "file:record.db", "--json"];
        let output = self.sandbox.output([&words, more].concat(), b"");
        assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&output.stdout).unwrap()
    }

    /// Ends with this code, says these words, and leaves registry and record as they were: empty.
    #[track_caller]
    fn refuses(&self, source: &str, more: &[&str], code: i32, words: &[&str]) {
        let said = self.publish(source, more);
        assert!(said.ends_with(&format!("[exit {code}]\n")), "{said}");
        for word in words {
            assert!(said.contains(word), "`{word}` is not said: {said}");
        }
        assert!(self.served.is_empty(), "{said}");
        self.assert_no_event(&said);
    }

    #[track_caller]
    fn assert_no_event(&self, said: &str) {
        // No record at all is no event either.
        let verified = self.run(&["--record", "file:record.db", "record", "verify"]);
        let none = verified.starts_with("0 events") || verified.contains("no record");
        assert!(none, "{said}{verified}");
    }
}

/// The members that a plan cannot know, or in which it says that it is one.
fn without_what_only_a_run_knows(mut document: Value) -> Value {
    for member in ["event", "dry_run"] {
        assert!(document.as_object_mut().unwrap().remove(member).is_some(), "{document}");
    }
    document
}

#[test]
fn a_dry_run_tells_exactly_what_the_run_then_does_and_writes_nothing() {
    let shop = Shop::new();
    let scheme = ["--scheme", "timestamp", "--at", "2026-03-17T14:39:58Z", "--alias", "uat"];
    let dry = [&scheme[..], &["--dry-run"]].concat();
    let before = names(&shop.sandbox.path(""));
    let plan = shop.json("oci:tea", &dry);
    assert!(shop.served.is_empty(), "a dry run wrote to the registry");
    assert_eq!(names(&shop.sandbox.path("")), before, "a dry run wrote to the folder");
    assert_eq!((plan["dry_run"].as_bool(), plan["event"].as_str()), (Some(true), None));
    assert_eq!(plan["digest"], shop.tea.as_str());
    let done = shop.json("oci:tea", &scheme);
    assert_eq!(done["dry_run"], false);
    assert_eq!(done["tags"][0]["tag"], "20260317-143958");
    assert_eq!(without_what_only_a_run_knows(plan), without_what_only_a_run_knows(done));

    // Other bytes in the same second: the next one, and the alias moves on.
    let plan = shop.json("oci:coffee", &dry);
    assert_eq!(plan["aliases"][0]["from"], shop.tea.as_str());
    assert_eq!(plan["release_time"], "2026-03-17T14:39:59.000Z", "a release has its tag's time");
    let done = shop.json("oci:coffee", &scheme);
    assert_eq!(done["digest"], shop.coffee.as_str());
    assert_eq!(without_what_only_a_run_knows(plan), without_what_only_a_run_knows(done));
}

#[test]
fn a_dry_run_reads_as_a_plan() {
    let shop = Shop::new();
    shop.publish("oci:tea", &["--tag", "1", "--alias", "uat"]);
    let more = ["--tag", "2", "--alias", "uat", "--alias", "prod", "--move-alias-back"];
    let said = shop.publish("oci:coffee", &[&more[..], &["--dry-run"]].concat());
    insta::assert_snapshot!(said, @r"
    digest [coffee]
    tag    [registry]/shop/api:2 (would be made)
    alias  [registry]/shop/api:uat (would be moved from [tea])
    alias  [registry]/shop/api:prod (would be made)
    pinned [registry]/shop/api:2@[coffee]
    [stderr]
    environment: there are no settings
    nothing was written: this is what `publish` would do now
    [exit 0]
    ");
    let said = shop.publish("oci:tea", &["--tag", "1", "--alias", "uat", "--dry-run"]);
    assert!(said.contains("api:1 (was there)"), "{said}");
    assert!(said.contains("api:uat (was there)"), "{said}");
}

#[test]
fn a_dry_run_is_refused_where_the_run_would_be() {
    let shop = Shop::new();
    shop.publish("oci:tea", &["--tag", "1", "--alias", "uat"]);
    let cases: [(&[&str], i32, &str); 4] = [
        (&["--tag", "1"], 3, "shop/api:1 is taken by [tea], this is [coffee]"),
        (&["--tag", "2", "--alias", "uat"], 1, "nothing tells whether [coffee] is newer"),
        (&["--tag", "2", "--alias", "next"], 1, "hint: indelible rule set 'shop/api' 'next' alias"),
        (&["--scheme", "semver"], 2, "no tag for this build"),
    ];
    for (more, code, words) in cases {
        let run = shop.publish("oci:coffee", more);
        let dry = shop.publish("oci:coffee", &[more, &["--dry-run"]].concat());
        let same = |text: &str| text.replace("environment: there are no settings\n", "");
        assert_eq!(same(&run), same(&dry));
        assert!(dry.contains(words), "{dry}");
        assert!(dry.ends_with(&format!("[exit {code}]\n")), "{dry}");
    }
    let tags = shop.served.get("/v2/shop/api/tags/list");
    assert!(tags.replace(' ', "").contains(r#""tags":["1","uat"]"#), "{tags}");
}

#[test]
fn a_run_again_hands_on_the_time_of_the_release_that_it_takes_up() {
    let shop = Shop::new();
    let first = shop.json("oci:tea", &["--scheme", "timestamp", "--at", "2026-03-17T14:39:58Z"]);
    let again = shop.json("oci:tea", &["--scheme", "timestamp"]);
    assert_eq!(again["tags"][0]["new"], false);
    assert_eq!(again["release_time"], first["release_time"]);
    // Named by hand, and it tells none: that of its first event, not of the run.
    let first = shop.json("oci:coffee", &["--tag", "1", "--at", "2026-03-17T14:39:58Z"]);
    assert_eq!(first["release_time"], "2026-03-17T14:39:58.000Z");
    let second = shop.json("oci:coffee", &["--tag", "1"]);
    let third = shop.json("oci:coffee", &["--tag", "1"]);
    assert_eq!(second["release_time"], third["release_time"]);
}

#[test]
fn a_name_is_a_tag_or_an_alias_and_never_both() {
    let shop = Shop::new();
    let cases: [(&[&str], i32, &str); 4] = [
        (
            &["--tag", "uat", "--alias", "uat"],
            2,
            "`uat` cannot be a tag of this build and its alias",
        ),
        (&["--tag", "uat"], 1, "hint: to move it to this build: --alias uat"),
        (&["--tag", "latest"], 1, "`latest` is an alias in"),
        (&["--tag", "1", "--alias", "stable"], 1, "`stable` is no alias in"),
    ];
    for (more, code, words) in cases {
        shop.refuses("oci:tea", more, code, &[words]);
    }
}

#[test]
fn what_is_no_image_is_named_and_leaves_nothing() {
    let shop = Shop::new();
    layout(&shop.sandbox, "both", "a", "tea");
    layout(&shop.sandbox, "both", "b", "coffee");
    layout(&shop.sandbox, "holed", "image", "hole");
    let manifest = layout(&shop.sandbox, "holed2", "image", "hole");
    let of_manifest = format!("holed/blobs/sha256/{}", manifest.strip_prefix("sha256:").unwrap());
    std::fs::remove_file(shop.sandbox.path(&of_manifest)).unwrap();
    layout(&shop.sandbox, "thin", "image", "hole");
    let layer = domain::Digest::sha256(b"hole");
    std::fs::remove_file(shop.sandbox.path(&format!("thin/blobs/sha256/{}", layer.hex()))).unwrap();
    let layer = layer.to_string();
    shop.sandbox.write("wrong/oci-layout", r#"{"imageLayoutVersion":"1.0.0"}"#);
    shop.sandbox.write("wrong/index.json", r#"{"schemaVersion":2,"manifests":"none"}"#);
    shop.sandbox.write("cut.tar", [0_u8; 700]);
    let absent = format!("{}@{}", shop.to(), shop.coffee);
    let cases: [(&str, &[&str]); 7] = [
        ("oci:thin", &[layer.as_str()]),
        ("oci:both", &["both holds 2 images: name one of `a`, `b`"]),
        ("oci:holed", &[manifest.as_str()]),
        ("oci:wrong", &["wrong"]),
        ("oci:nowhere", &["nowhere"]),
        ("oci-archive:cut.tar", &["cut.tar"]),
        ("docker-archive:cut.tar", &["cut.tar"]),
    ];
    for (source, words) in cases {
        // A scheme would reserve a name: not for what is none.
        shop.refuses(source, &["--scheme", "timestamp"], 2, words);
        shop.refuses(source, &["--scheme", "timestamp", "--dry-run"], 2, words);
    }
    for (option, value) in [("--to", ""), ("--pushed", ""), ("--pushed", "registry.example.com/a@")]
    {
        let said = shop.run(&["publish", option, value, "--tag", "1"]);
        assert!(said.contains("is the variable for the"), "{said}");
        assert!(said.ends_with("[exit 2]\n"), "{said}");
    }
    let said =
        shop.run(&["publish", "--pushed", &absent, "--tag", "1", "--record", "file:record.db"]);
    assert!(said.contains("shop/api has no [coffee]: nothing was pushed there"), "{said}");
    assert!(said.ends_with("[exit 2]\n"), "{said}");
    shop.assert_no_event(&said);
}

#[test]
fn an_environment_that_the_settings_do_not_have_is_wrong_input() {
    let shop = Shop::new();
    let settings = format!(
        "version: 1\nimages:\n  api: {{repository: {}, tags: [timestamp-env]}}\n\
         environments:\n  uat: {{branches: [develop]}}\n",
        shop.to()
    );
    shop.sandbox.write("indelible.yaml", settings);
    shop.refuses("oci:tea", &["--env", "uta"], 2, &["no environment `uta`: known are uat"]);
    // Without `--env` nobody pushed a branch: the rules say no.
    shop.refuses("oci:tea", &[], 1, &["no environment for this build", "say `--env`"]);
}

#[test]
fn releases_of_one_second_that_race_get_a_name_each() {
    let shop = Shop::new();
    let words = ["a", "b", "c", "d", "e", "f"];
    for name in words {
        layout(&shop.sandbox, name, "image", name);
    }
    let mut tags: Vec<String> = std::thread::scope(|scope| {
        let shop = &shop;
        let publish = |name: &str| {
            let scheme = ["--scheme", "timestamp", "--at", "2026-03-17T14:39:58Z"];
            let done = shop.json(&format!("oci:{name}"), &scheme);
            let (tag, time) = (&done["tags"][0]["tag"], &done["release_time"]);
            format!("{} {}", tag.as_str().unwrap(), time.as_str().unwrap())
        };
        let racing: Vec<_> =
            words.into_iter().map(|name| scope.spawn(move || publish(name))).collect();
        racing.into_iter().map(|one| one.join().unwrap()).collect()
    });
    tags.sort();
    assert_eq!(
        tags,
        [
            "20260317-143958 2026-03-17T14:39:58.000Z",
            "20260317-143959 2026-03-17T14:39:59.000Z",
            "20260317-144000 2026-03-17T14:40:00.000Z",
            "20260317-144001 2026-03-17T14:40:01.000Z",
            "20260317-144002 2026-03-17T14:40:02.000Z",
            "20260317-144003 2026-03-17T14:40:03.000Z",
        ]
    );
}

#[test]
fn a_name_of_an_environment_is_refused_to_a_build_that_is_not_for_it() {
    let shop = Shop::new();
    let settings = format!(
        "version: 1\n\
         images: {{api: {{repository: {}/shop/api, tags: [timestamp-env]}}}}\n\
         environments:\n\
         \x20 prod: {{branches: [prod], alias: prod, promotes-from: uat}}\n\
         \x20 uat: {{branches: [develop], alias: uat}}\n",
        shop.served.host()
    );
    shop.sandbox.write("indelible.yaml", settings);
    let of_prod = ["`20260317-143958-prod` belongs to prod, and this build is not for prod"];
    shop.refuses("oci:tea", &["--env", "uat", "--tag", "20260317-143958-prod"], 1, &of_prod);
    let alias = ["`prod` belongs to prod, and this build is not for prod"];
    shop.refuses("oci:tea", &["--env", "uat", "--tag", "1", "--alias", "prod"], 1, &alias);
    // Without `--env` a laptop's build is for no environment at all.
    shop.refuses("oci:tea", &["--tag", "20260317-143958-prod"], 1, &of_prod);
    let said = shop.publish("oci:tea", &["--env", "prod", "--tag", "20260317-143958-prod"]);
    assert!(said.ends_with("[exit 0]\n"), "{said}");
}

/// Two jobs of one run, each with an image of its own for the same repository: both get a name, and keep it.
#[test]
fn two_images_of_one_run_in_one_repository_have_a_name_each() {
    let sandbox = sandbox();
    let served = Served::start(&sandbox);
    let settings = format!(
        "version: 1\nrecord: file:record.db\nimages: {{api: {{repository: {}/shop/api, tags: [timestamp-env]}}}}\nenvironments: {{uat: {{branches: [develop]}}}}\n",
        served.host()
    );
    sandbox.write("indelible.yaml", settings);
    layout(&sandbox, "tea", "image", "tea");
    layout(&sandbox, "coffee", "image", "coffee");
    let repository = format!("{}/shop/api", served.host());
    let publish = |image: &str| {
        let ran = std::process::Command::new(env!("CARGO_BIN_EXE_indelible"))
            .env_clear()
            .env("HOME", sandbox.home())
            .env("PATH", "/usr/bin:/bin")
            .envs([("GITHUB_ACTIONS", "true"), ("GITHUB_EVENT_NAME", "push")])
            .envs([("GITHUB_REF", "refs/heads/develop"), ("GITHUB_REF_TYPE", "branch")])
            .envs([("GITHUB_REPOSITORY", "shop/shop"), ("GITHUB_RUN_ID", "17")])
            .envs([("GITHUB_RUN_ATTEMPT", "1"), ("GITHUB_RUN_NUMBER", "1")])
            .envs([("GITHUB_SERVER_URL", "https://github.com")])
            .env("GITHUB_SHA", "1a2b3c4d5e".repeat(4))
            .env("GITHUB_OUTPUT", sandbox.path("outputs"))
            .env("INDELIBLE_RELEASE_TIME", "2026-03-17T14:39:58Z")
            .current_dir(sandbox.path(""))
            .args(["publish", image, "--to", &repository, "--json"])
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&ran.stderr);
        assert!(ran.status.success(), "{said}");
        let json: serde_json::Value = serde_json::from_slice(&ran.stdout).unwrap();
        (json["tags"][0]["tag"].as_str().unwrap().to_owned(), json["tags"][0]["new"] == true)
    };
    let name = |time: &str| format!("20260317-{time}-uat");
    assert_eq!(publish("oci:tea"), (name("143958"), true));
    assert_eq!(publish("oci:coffee"), (name("143959"), true));
    // Each job again: the same names, no event.
    assert_eq!(publish("oci:tea"), (name("143958"), false));
    assert_eq!(publish("oci:coffee"), (name("143959"), false));
}
