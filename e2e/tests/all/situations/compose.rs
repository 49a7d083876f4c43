//! Compose on one host: a person without a CI, the record on this machine, the files in this work tree.

use e2e::Image;
use serde_json::Value;

use super::Registry;
use super::forge::{Forge, commit};
use super::images::Builder;
use super::runner::{Ran, Runner, text};

const COMPOSE: &str = "\
# What runs on this host.\r
services:\r
  api:\r
    image: 'HOST/shop/api:latest'  # ours\r
    restart: always\r
  web:\r
    image: HOST/shop/web\r
";

struct Host {
    forge: Forge,
    registry: Registry,
    skopeo: Builder,
    ada: Runner,
}

impl Host {
    fn begin(forge: Forge, registry: Registry, skopeo: Builder) -> Self {
        let host = registry.host();
        let settings = format!(
            "version: 1\nrecord: local\n\
             images:\n  api: {{repository: {host}/shop/api}}\n  web: {{repository: {host}/shop/web}}\n\
             environments:\n  prod: {{deploy: files}}\n"
        );
        let compose = COMPOSE.replace("HOST", host);
        let files = [("indelible.yaml", settings.as_str()), ("compose.yaml", &compose)];
        let ada = forge.begin("shop", "main", &files).with([("USER", "ada".to_owned())]);
        Self { forge, registry, skopeo, ada }
    }

    fn compose(&self) -> String {
        std::fs::read_to_string(self.ada.cwd.join("compose.yaml")).unwrap()
    }

    /// What `docker save` leaves, published; gives the digest.
    fn publish(&self, image: &str, minute: usize, more: &[&str]) -> String {
        let words = format!("{image} of minute {minute}");
        let archive = self.forge.path().join(format!("{image}-{minute}.tar"));
        self.skopeo.saved(&Image::oci(&words).unwrap(), &format!("shop/{image}:dev"), &archive);
        let source = format!("docker-archive:{}", archive.display());
        let to = format!("{}/shop/{image}", self.registry.host());
        let arguments = ["publish", source.as_str(), "--to", &to];
        let published = self.ada.json(&[&arguments[..], more].concat());
        text(&published, "digest").to_owned()
    }

    /// A build for prod, made of a commit of its own.
    fn build(&self, minute: usize) -> Build {
        super::forge::write(&self.ada.cwd.join("change"), &minute.to_string());
        let commit = commit(&self.ada, &format!("Change {minute}"));
        let at = format!("2026-03-17T14:{minute}:58Z");
        let digest = self.publish("api", minute, &["--env", "prod", "--at", &at]);
        let tag = format!("20260317-14{minute}58-prod");
        assert_eq!(self.registry.digest("shop/api", &tag).as_ref(), Some(&digest));
        Build { commit, digest, tag }
    }

    fn deploy(&self, wanted: &str) -> Ran {
        self.ada.run(&["deploy", "prod", &format!("api={wanted}"), "--json"])
    }

    /// The api's line says this build, and no other byte of the file differs.
    #[track_caller]
    fn assert_written(&self, build: &Build) {
        let host = self.registry.host();
        let latest = format!("{host}/shop/api:latest");
        let pinned = format!("{host}/shop/api:{}@{}", build.tag, build.digest);
        assert_eq!(self.compose(), COMPOSE.replace("HOST", host).replace(&latest, &pinned));
    }

    fn rollback(&self) -> Value {
        self.ada.json(&["rollback", "prod", "api", "--reason", "orders fail"])
    }
}

struct Build {
    commit: String,
    digest: String,
    tag: String,
}

/// Three builds by name, then back twice: never to the one that was left.
fn deployed_and_rolled_back(host: &Host) -> [Build; 3] {
    let builds = [11, 12, 13].map(|minute| host.build(minute));
    let [a, b, c] = &builds;
    for (build, wanted) in [(a, &a.tag), (b, &b.digest), (c, &c.tag)] {
        let report = host.deploy(wanted).exits(0).json();
        assert_eq!(text(&report, "images.0.to"), build.digest);
        assert_eq!(text(&report, "mode"), "files");
        assert_eq!(text(&report, "grade"), "applied");
        host.assert_written(build);
    }
    let again = host.deploy(&c.tag).exits(0).json();
    assert_eq!(text(&again, "outcome"), "same");
    let back = host.rollback();
    assert_eq!(
        (text(&back, "images.0.to"), text(&back, "images.0.condemns")),
        (&*b.digest, &*c.digest)
    );
    host.assert_written(b);
    let back = host.rollback();
    assert_eq!(
        (text(&back, "images.0.to"), text(&back, "images.0.condemns")),
        (&*a.digest, &*b.digest)
    );
    host.assert_written(a);
    let nothing = host.ada.run(&["rollback", "prod", "api"]).exits(1);
    nothing.says(&["`api` is not rolled back in prod"]);
    host.assert_written(a);
    builds
}

fn held(host: &Host, [a, b, _]: &[Build; 3]) {
    host.ada.run(&["hold", "prod"]).exits(2).says(&["api, web"]);
    // The rollbacks hold what they rolled back, and say why.
    let by_rollback = host.deploy(&b.tag).exits(1).json();
    assert!(text(&by_rollback, "images.0.held.reason").starts_with("rolled back to api "));
    host.ada.run(&["resume", "prod", "api"]).exits(0);
    host.ada.run(&["hold", "prod", "api", "--reason", "incident 17"]).exits(0);
    let by_person = host.deploy(&b.tag).exits(1).json();
    assert_eq!(text(&by_person, "outcome"), "held");
    assert_eq!(text(&by_person, "images.0.held.reason"), "incident 17");
    assert_eq!(text(&by_person, "images.0.held.by"), "Ada");
    let by_pipeline = Runner::new(&host.forge.path().join("ada"), &host.ada.cwd)
        .with([("CI", "true".to_owned()), ("USER", "robot".to_owned())])
        .run(&["deploy", "prod", &format!("api={}", b.tag)])
        .exits(0);
    assert_eq!(by_pipeline.stdout.lines().count(), 1, "{by_pipeline}");
    assert!(by_pipeline.stdout.contains("held since"), "{by_pipeline}");
    host.assert_written(a);
    host.ada.run(&["resume", "prod", "api"]).exits(0);
    // Naming it lifts the condemnation.
    host.deploy(&b.tag).exits(0);
    host.assert_written(b);
}

fn forbidden_and_allowed(host: &Host, [_, b, c]: &[Build; 3]) {
    host.ada.run(&["block", &c.digest, "--reason", "leaked key"]).exits(0);
    let refused = host.deploy(&c.tag).exits(1);
    refused.says(&["is blocked since", "Ada", "leaked key", "--lift"]);
    host.assert_written(b);
    host.ada.run(&["block", &c.digest, "--lift", "--reason", "rotated"]).exits(0);
    host.deploy(&c.tag).exits(0);
    host.assert_written(c);

    let stray = host.publish("api", 21, &["--tag", "debug-1", "--allow-dirty"]);
    let refused = host.deploy("debug-1").exits(1);
    refused.says(&["neither built for it, nor promoted to it, nor allowed", "indelible allow"]);
    host.assert_written(c);
    host.ada.run(&["allow", &stray, "prod", "--reason", "Ada watches it"]).exits(0);
    let report = host.deploy("debug-1").exits(0).json();
    assert_eq!(text(&report, "images.0.to"), stray);
    assert!(host.compose().contains(&format!("/shop/api:debug-1@{stray}'  # ours\r\n")));
}

fn noted_and_set(host: &Host, [a, ..]: &[Build; 3]) {
    let before = host.compose();
    let wanted = format!("api={}", a.tag);
    let noted = host.ada.json(&["note", "deploy", "prod", &wanted, "--reason", "by hand"]);
    assert_eq!(text(&noted, "images.0.how"), "noted");
    assert_eq!(text(&noted, "images.0.to"), a.digest);
    assert_eq!(host.compose(), before, "a note touches no file");

    let web = host.publish("web", 31, &["--tag", "1", "--allow-dirty"]);
    let name = format!("{}/shop/web", host.registry.host());
    host.ada.run(&["set", &format!("web={name}:1@{web}"), "compose.yaml"]).exits(0);
    let line = format!("    image: {name}\r\n");
    let expected = before.replace(&line, &format!("    image: {name}:1@{web}\r\n"));
    assert_ne!(expected, before);
    assert_eq!(host.compose(), expected);
}

fn asked(host: &Host, [a, b, c]: &[Build; 3]) {
    let history = host.ada.json(&["history", "prod"]);
    let items = history["items"].as_array().unwrap();
    let hows: Vec<_> = items.iter().rev().map(|item| text(item, "how")).collect();
    assert_eq!(
        hows,
        [
            "deploy", "deploy", "deploy", "rollback", "rollback", "deploy", "deploy", "deploy",
            "noted"
        ]
    );
    // Where did anything run without the commit of B?
    let ran = host.ada.run(&["exposure", "--missing-commit", &b.commit, "--json"]).exits(1);
    let exposed = ran.json();
    let items = exposed["items"].as_array().unwrap();
    let (unknown, lacking): (Vec<_>, Vec<_>) =
        items.iter().partition(|interval| text(interval, "verdict") == "unknown");
    assert_eq!(lacking.len(), 3, "first, after two rollbacks, and as noted: {exposed:#}");
    for interval in lacking {
        assert_eq!(text(interval, "digest"), a.digest);
        assert_eq!(text(interval, "verdict"), "lacks");
        assert_eq!(text(interval, "commit"), a.commit);
    }
    // Its commit has B; its files were Ada's own, and nobody knows what she had taken out.
    assert_eq!(unknown.len(), 1, "the build from a dirty tree: {exposed:#}");
    assert_eq!(text(unknown[0], "tag"), "debug-1");
    let unknown = host.ada.run(&["exposure", "--missing-commit", &a.commit]).exits(2);
    assert!(unknown.stdout.contains("1 unknown, of 9 intervals"), "{unknown}");
    host.ada.run(&["exposure", "--missing-commit", "no-such-commit"]).exits(2);
    let trace = host.ada.run(&["trace", &c.tag]).exits(0);
    assert_eq!(trace.stdout.lines().last().unwrap(), format!("git checkout {}", c.commit));
    let verified = host.ada.json(&["record", "verify"]);
    assert_eq!(text(&verified, "kind"), "local");
}

fn on_one_host(forge: Forge, registry: Registry, skopeo: Builder) {
    let host = Host::begin(forge, registry, skopeo);
    let builds = deployed_and_rolled_back(&host);
    held(&host, &builds);
    forbidden_and_allowed(&host, &builds);
    noted_and_set(&host, &builds);
    asked(&host, &builds);
    let files = host.ada.git(&["ls-remote", "--heads", "origin"]);
    assert_eq!(files.lines().count(), 1, "nothing of ours was pushed: {files}");
}

#[test]
fn compose_on_one_host_with_our_registry() {
    let forge = Forge::new();
    let test = "compose_on_one_host_with_our_registry";
    let Some(skopeo) = Builder::find("skopeo", forge.path(), test) else { return };
    let registry = Registry::ours(forge.path());
    on_one_host(forge, registry, skopeo);
}

#[test]
fn compose_on_one_host_with_any_registry() {
    let forge = Forge::new();
    let test = "compose_on_one_host_with_any_registry";
    let Some(skopeo) = Builder::find("skopeo", forge.path(), test) else { return };
    let Some(registry) = Registry::theirs(test) else { return };
    on_one_host(forge, registry, skopeo);
}
