//! A team's record on a server: two runners with empty homes and a token each, and a third that may only look.

use crate::sandbox::{Sandbox, names, sandbox};
use crate::server::{Served, layout};
use std::path::PathBuf;
use std::process::{Command, Output};

/// A server, a folder with an image and files that name it, and settings that keep the record on the server.
struct Team {
    sandbox: Sandbox,
    served: Served,
    tea: String,
}

/// A fresh machine of the team: a home in which nothing is, and its own token.
struct Runner<'a> {
    team: &'a Team,
    home: PathBuf,
    token: String,
}

impl Team {
    fn new() -> Self {
        let sandbox = sandbox();
        let served = Served::start(&sandbox);
        let tea = layout(&sandbox, "tea", "image", "tea");
        let host = served.host();
        let settings = format!(
            "version: 1\nrecord: http://{host}\nimages: {{api: {{repository: {host}/shop/api}}}}\n\
             environments:\n  prod: {{branches: [main], deploy: files, git: {{path: apps}}}}\n"
        );
        sandbox.write("indelible.yaml", settings);
        let compose = format!("services:\n  api:\n    image: {host}/shop/api:v0\n");
        sandbox.write("apps/compose.yaml", compose);
        Self { sandbox, served, tea }
    }

    fn runner(&self, name: &str, rights: &str, repositories: &str) -> Runner<'_> {
        let admin = std::fs::read_to_string(self.sandbox.home().join("registry/admin.token"));
        let admin = self.machine("admin", admin.unwrap().trim());
        let host = self.served.host();
        let words = ["token", "create", name, "--right", rights, "--repository", repositories];
        let made = admin.says(&[&words[..], &["--registry", host]].concat());
        self.machine(name, made.trim())
    }

    fn machine(&self, name: &str, token: &str) -> Runner<'_> {
        let home = self.sandbox.home().join(name);
        std::fs::create_dir_all(&home).unwrap();
        Runner { team: self, home, token: token.to_owned() }
    }
}

impl Runner<'_> {
    fn output(&self, arguments: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_indelible"))
            .env_clear()
            .env("PATH", "/usr/bin:/bin")
            .env("HOME", &self.home)
            .env("INDELIBLE_TOKEN", &self.token)
            .current_dir(self.team.sandbox.path(""))
            .args(arguments)
            .output()
            .unwrap()
    }

    /// What a command prints that succeeds.
    #[track_caller]
    fn says(&self, arguments: &[&str]) -> String {
        let output = self.output(arguments);
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(0), "{arguments:?}: {told}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// What a command answers that ends with this code.
    #[track_caller]
    fn refused(&self, arguments: &[&str], code: i32) -> String {
        let output = self.output(arguments);
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {told}");
        told
    }
}

#[test]
fn two_runners_with_empty_homes_share_what_the_server_keeps() {
    let team = Team::new();
    let builder = team.runner("builder", "push-new-tags,claims", "shop/**");
    let deployer = team.runner("deployer", "pull,claims,decisions", "shop/**");
    let early = builder.refused(&["history", "prod"], 2);
    assert!(early.contains("there is no record at http://127.0.0.1:"), "{early}");

    let to = format!("{}/shop/api", team.served.host());
    builder.says(&["publish", "oci:tea:image", "--to", &to, "--tag", "v1", "--env", "prod"]);
    // The same again, as a job that is run again does: green, and no event.
    builder.says(&["publish", "oci:tea:image", "--to", &to, "--tag", "v1", "--env", "prod"]);
    deployer.says(&["deploy", "prod", "api=v1"]);
    let compose = team.sandbox.text("apps/compose.yaml");
    assert!(compose.contains(&format!("/shop/api:v1@{}\n", team.tea)), "{compose}");

    let history = builder.says(&["history", "prod", "--json"]);
    let history: serde_json::Value = serde_json::from_str(&history).unwrap();
    let items = history["items"].as_array().unwrap();
    assert_eq!(items.len(), 1);
    assert_eq!(items[0]["to"], team.tea);
    assert_eq!((&items[0]["actor"], &items[0]["proof"]), (&"deployer".into(), &"token".into()));
    let gaps = history["gaps"].to_string();
    assert!(gaps.contains("outside of `shop/**`"), "{gaps}");
    let trace = deployer.says(&["trace", "v1", "--json"]);
    assert!(trace.contains(&team.tea), "{trace}");
    deployer.says(&["hold", "prod", "--reason", "incident"]);
    let held = builder.output(&["deploy", "prod", "api=v1"]);
    let held = String::from_utf8_lossy(&held.stdout).into_owned();
    assert!(held.contains("held"), "{held}");

    // A tag change of its own registry, an image that the registry saw first, a build, a deploy, a hold: nobody
    // said anything twice. The tokens' own events are the administrator's to see.
    let auditor = team.runner("auditor", "pull", "**");
    let checked = auditor.says(&["record", "verify"]);
    assert!(checked.contains("each is what was written"), "{checked}");
    for runner in [&builder, &deployer, &auditor] {
        assert_eq!(names(&runner.home), [""; 0], "a server's record leaves nothing behind");
    }
}

#[test]
fn a_runner_without_the_right_is_told_which_it_lacks() {
    let team = Team::new();
    let builder = team.runner("builder", "push-new-tags,claims", "shop/**");
    let to = format!("{}/shop/api", team.served.host());
    builder.says(&["publish", "oci:tea:image", "--to", &to, "--tag", "v1", "--env", "prod"]);
    let guest = team.runner("guest", "pull", "shop/**");
    let shown = guest.says(&["trace", "v1"]);
    assert!(shown.contains("v1"), "{shown}");
    let refused = guest.refused(&["hold", "prod"], 1);
    assert!(refused.contains("guest lacks the right `decisions`"), "{refused}");
    let stranger = team.machine("stranger", "ind_unknown");
    let refused = stranger.refused(&["history", "prod"], 1);
    assert!(refused.contains("INDELIBLE_TOKEN"), "{refused}");
    // Another team's token finds nothing, and nothing tells it that there is something.
    let bank = team.runner("bank", "claims", "bank/**");
    let nothing = bank.refused(&["history", "prod"], 2);
    assert!(nothing.contains("there is no record at"), "{nothing}");
}

#[test]
fn a_deploy_without_the_right_is_refused_before_a_file_is_written() {
    let team = Team::new();
    let builder = team.runner("builder", "push-new-tags,claims", "shop/**");
    let to = format!("{}/shop/api", team.served.host());
    builder.says(&["publish", "oci:tea:image", "--to", &to, "--tag", "v1", "--env", "prod"]);
    let guest = team.runner("guest", "pull", "shop/**");
    let before = team.sandbox.text("apps/compose.yaml");
    let refused = guest.refused(&["deploy", "prod", "api=v1"], 1);
    assert!(refused.contains("guest lacks the right `claims`"), "{refused}");
    assert!(refused.contains("--right claims"), "the way out: {refused}");
    assert_eq!(team.sandbox.text("apps/compose.yaml"), before);
    // What would be done is for everybody to see.
    let planned = guest.says(&["deploy", "prod", "api=v1", "--dry-run"]);
    assert!(planned.contains("v1"), "{planned}");
    assert_eq!(team.sandbox.text("apps/compose.yaml"), before);
}

#[test]
fn a_record_of_lines_moves_into_the_server_by_an_administrator_only_and_once() {
    let team = Team::new();
    let builder = team.runner("builder", "push-new-tags,claims", "shop/**");
    let admin = std::fs::read_to_string(team.sandbox.home().join("registry/admin.token")).unwrap();
    let admin = team.machine("admin", admin.trim());
    let old = ["--record", "file:old.db"];
    let with = |words: &[&'static str]| [words, &old[..]].concat();
    admin.says(&with(&["hold", "prod", "--reason", "freeze"]));
    let lines = admin.says(&with(&["record", "export"]));
    assert_eq!(lines.lines().count(), 1);
    team.sandbox.write("old.jsonl", &lines);
    let told = builder.refused(&["record", "import", "old.jsonl"], 2);
    assert!(told.contains("does not show this token everything"), "{told}");
    let told = admin.says(&["record", "import", "old.jsonl", "--dry-run"]);
    assert!(told.contains("1 events read from old.jsonl: 1 would be added"), "{told}");
    let told = admin.says(&["record", "import", "old.jsonl"]);
    assert!(told.contains("1 added") && told.contains("0 there already"), "{told}");
    let told = admin.says(&["record", "import", "file:old.db"]);
    assert!(told.contains("0 added") && told.contains("1 there already"), "{told}");
    // Back into lines: the first stamp is inside of the administrator's.
    admin.says(&["record", "export", "--to", "server.jsonl"]);
    let whole = std::fs::read_to_string(team.sandbox.path("server.jsonl")).unwrap();
    let hold = whole.lines().find(|line| line.contains(r#""kind":"hold""#)).unwrap();
    assert!(hold.starts_with(r#"{"actor":{"name":"admin","proof":"token"}"#), "{hold}");
    assert!(hold.contains(r#""imported":{"actor":{"name":""#), "{hold}");
    let told = admin.refused(&["record", "export", "--to", "server.jsonl"], 2);
    assert!(told.contains("server.jsonl is there already"), "{told}");
    // Another claim under the same key is told with both names.
    let other = lines.replace("freeze", "thaw");
    team.sandbox.write("other.jsonl", &other);
    let output = admin.output(&["record", "import", "other.jsonl"]);
    let told = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(1), "{told}");
    assert!(told.contains("1 could not be added:"), "{told}");
    assert!(told.contains("another claim has the key: event 0"), "{told}");
    let told = admin.refused(&["record", "import", "nowhere.jsonl"], 2);
    assert!(told.contains("`nowhere.jsonl` is no record and no file"), "{told}");
}
