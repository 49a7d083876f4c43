//! What people type wrong, and checkouts that cannot answer: the thing is named, exit 2, nothing is written.

use e2e::{Image, Server};

use super::Registry;
use super::forge::{Forge, commit, write};
use super::runner::Runner;

const DIGEST: &str = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

/// A checkout with settings of one image, on a branch of uat, and a registry of ours.
struct Shop {
    forge: Forge,
    registry: Registry,
    ada: Runner,
}

impl Shop {
    fn new(scheme: &str, compose: &str) -> Self {
        let forge = Forge::new();
        let registry = Registry::ours(forge.path());
        let host = registry.host();
        let settings = format!(
            "version: 1\nrecord: file:record.db\n\
             images:\n  api: {{repository: {host}/shop/api, tags: [{scheme}]}}\n\
             environments:\n  uat: {{branches: [develop], deploy: files, git: {{path: uat}}}}\n"
        );
        let compose = compose.replace("HOST", host);
        let files = [
            ("indelible.yaml", settings.as_str()),
            ("uat/compose.yaml", &compose),
            (".gitignore", "record.db*\n"),
        ];
        let ada = forge.begin("shop", "develop", &files);
        let image = Image::oci("tea").unwrap();
        e2e::write_layout(&forge.path().join("layout"), "image", &image).unwrap();
        Self { forge, registry, ada }
    }

    fn publish(&self, runner: &Runner, more: &[&str]) -> super::runner::Ran {
        let source = format!("oci:{}", self.forge.path().join("layout").display());
        let to = format!("{}/shop/api", self.registry.host());
        runner.run(&[&["publish", source.as_str(), "--to", &to], more].concat())
    }

    /// No event, no blob, no tag.
    fn assert_empty(&self, runner: &Runner) {
        runner.run(&["record", "verify"]).exits(2).says(&["there is no record at"]);
        let mut http = e2e::Http::connect(self.registry.host()).unwrap();
        let catalog = http.get("/v2/_catalog").unwrap().expect(200).unwrap();
        assert_eq!(catalog.text().replace(char::is_whitespace, ""), r#"{"repositories":[]}"#);
    }
}

const NAMED: &str = "services:\n  api:\n    image: HOST/shop/api:latest\n";

#[test]
fn malformed_references_are_named_and_are_bad_usage() {
    let shop = Shop::new("timestamp-env", NAMED);
    let long = "a".repeat(129);
    let cases: &[(&[&str], &str)] = &[
        (&["publish", "oci:x", "--to", "Registry.example.com/Shop/API"], "Shop/API"),
        (&["publish", "oci:x", "--to", "registry.example.com/shop/api:1"], "shop/api:1"),
        (&["publish", "oci:x", "--to", "registry.example.com/a", "--tag", ".dot"], ".dot"),
        (&["publish", "oci:x", "--to", "registry.example.com/a", "--tag", &long], "128"),
        (&["publish", "ftp:x", "--to", "registry.example.com/a"], "ftp:x"),
        (&["publish", "--pushed", "registry.example.com/a@sha256:abc"], "sha256:abc"),
        (&["publish", "--pushed", "registry.example.com/a:1"], "registry.example.com/a:1"),
        (&["deploy", "uat", "api"], "`api`"),
        (&["deploy", "uat", "api=a b"], "api=a b"),
        (&["deploy", "nowhere", "api=1"], "nowhere"),
        (&["deploy", "uat", "nothing=1"], "nothing"),
        (&["deploy", "uat", &format!("api={DIGEST}0")], "api="),
        (&["block", "sha256:zz", "--reason", "x"], "sha256:zz"),
        (&["set", "api=x@y", "uat/compose.yaml"], "x@y"),
        (&["tag", "--scheme", "timestanp"], "timestanp"),
        (&["tag", "api", "--at", "yesterday"], "yesterday"),
        (&["tag", "web"], "web"),
        (&["history", "registry.example.com/a:bad tag"], "bad tag"),
    ];
    for (arguments, named) in cases {
        let ran = shop.ada.run(arguments).exits(2).says(&[named]);
        assert_eq!(ran.stdout, "", "{ran}");
    }
    shop.assert_empty(&shop.ada);
    assert_eq!(shop.ada.git(&["status", "--porcelain"]), "");
}

#[test]
fn settings_that_are_wrong_name_the_key_and_the_nearest_known_one() {
    let shop = Shop::new("timestamp-env", NAMED);
    let path = shop.ada.cwd.join("indelible.yaml");
    let good = std::fs::read_to_string(&path).unwrap();
    for (from, to, words) in [
        ("branches:", "branchs:", ["branchs", "branches"]),
        ("deploy: files", "deploy: helm", ["helm", "git+cluster"]),
        ("version: 1", "version: 2", ["version", "2"]),
        ("timestamp-env", "timestamp-envs", ["timestamp-envs", "timestamp-env"]),
        ("record: file:record.db", "record: ftp://x", ["ftp://x", "record"]),
    ] {
        std::fs::write(&path, good.replace(from, to)).unwrap();
        shop.ada.run(&["deploy", "uat"]).exits(2).says(&words).says(&["indelible.yaml"]);
    }
}

#[test]
fn a_dirty_checkout_is_refused_before_a_byte_moves() {
    let shop = Shop::new("timestamp-env", NAMED);
    write(&shop.ada.cwd.join("uat/compose.yaml"), "services: {}\n");
    let ran = shop.publish(&shop.ada, &["--env", "uat"]).exits(2);
    ran.says(&["tracked files differ", "--allow-dirty"]);
    shop.assert_empty(&shop.ada);
    let published = shop.publish(&shop.ada, &["--env", "uat", "--allow-dirty", "--json"]).exits(0);
    assert!(published.stdout.contains("-uat"), "{published}");
}

#[test]
fn a_shallow_checkout_has_no_version_and_says_how_to_get_one() {
    let shop = Shop::new("semver", NAMED);
    shop.ada.git(&["tag", "v1.2.3"]);
    commit(&shop.ada, "After the version");
    shop.ada.git(&["push", "--quiet", "--tags", "origin", "develop"]);
    let runner = shop.forge.runner_with("develop", &["--depth=1"]);
    let ran = shop.publish(&runner, &["--env", "uat"]).exits(2);
    ran.says(&["shallow clone", "semver", "git fetch --unshallow --tags"]);
    shop.assert_empty(&runner);
    // The whole past, but no version at this commit.
    let runner = shop.forge.runner("develop");
    shop.publish(&runner, &["--env", "uat"]).exits(2).says(&["no tag for this build"]);
    // On the commit of the version it is what git says.
    runner.git(&["switch", "--quiet", "--detach", "v1.2.3"]);
    shop.publish(&runner, &["--env", "uat"]).exits(0);
    assert_eq!(shop.registry.tags("shop/api"), ["v1.2.3"]);
}

#[test]
fn a_deploy_without_a_place_for_it_is_refused_and_records_nothing() {
    for (compose, words) in [
        ("services:\n  web:\n    image: HOST/shop/web:1\n", ["no file below uat", "/shop/api"]),
        (
            "services:\n  api:\n    image: HOST/shop/api:${TAG}\n",
            ["uat/compose.yaml:3", "a variable"],
        ),
        ("services:\n  api:\n   image: [HOST/shop/api\n", ["uat/compose.yaml", "line 3"]),
    ] {
        let shop = Shop::new("timestamp-env", compose);
        shop.publish(&shop.ada, &["--env", "uat"]).exits(0);
        let before = shop.ada.json(&["record", "verify"]);
        shop.ada.run(&["deploy", "uat", "--json"]).exits(2).says(&words);
        assert_eq!(shop.ada.json(&["record", "verify"])["events"], before["events"]);
        assert_eq!(shop.ada.git(&["status", "--porcelain"]), "");
    }
}

#[test]
fn two_servers_on_one_folder_are_one_too_many() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let first = Server::start(&data).unwrap();
    let second = Runner::new(&folder.path().join("home"), folder.path());
    let data_path = data.to_str().unwrap();
    let arguments = ["serve", "--data", data_path, "--listen", "127.0.0.1:0"];
    let ran = second.run(&arguments).exits(2);
    ran.says(&[data_path, "in use", &first.id().to_string()]);
    first.connect().unwrap().get("/v2/").unwrap().expect(200).unwrap();
    // The folder of a server that ended is free again.
    first.stop().unwrap();
    Server::start(&data).unwrap().connect().unwrap().get("/v2/").unwrap().expect(200).unwrap();
}
