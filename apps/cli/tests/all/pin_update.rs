//! `indelible pin` where more than a digest counts: pins that follow their tags, platforms, ages, the lock.

use crate::sandbox::{Sandbox, sandbox};
use crate::stocked::Stocked;

const OLD: &str = "2026-03-01T00:00:00Z";
/// Longer ago than any test runs, and later than the first image.
const LONG_AGO: &str = "2015-01-01T00:00:00Z";
const FAR_AHEAD: &str = "2999-01-01T00:00:00Z";

/// A registry with two builds of `shop/api`, and their digests by name.
struct Shop {
    registry: Stocked,
    amd64: String,
    arm64: String,
    first: String,
    second_amd64: String,
    second: String,
}

fn shop() -> Shop {
    let registry = Stocked::start();
    let (amd64, arm64) = (registry.image("linux/amd64", OLD), registry.image("linux/arm64", OLD));
    let first = registry.index(&[("linux/amd64", &amd64), ("linux/arm64", &arm64)], "");
    let second_amd64 = registry.image("linux/amd64", LONG_AGO);
    let second = registry.index(&[("linux/amd64", &second_amd64)], "");
    registry.tag("shop/api:1.4", &first);
    Shop { registry, amd64, arm64, first, second_amd64, second }
}

impl Shop {
    fn sandbox(&self, compose: &str) -> Sandbox {
        sandbox()
            .replacing(self.registry.host(), "HOST")
            .replacing(self.amd64.clone(), "[amd64]")
            .replacing(self.arm64.clone(), "[arm64]")
            .replacing(self.first.clone(), "[first]")
            .replacing(self.second_amd64.clone(), "[second-amd64]")
            .replacing(self.second.clone(), "[second]")
            .file("compose.yaml", self.text(compose))
    }

    fn text(&self, compose: &str) -> String {
        compose
            .replace("HOST", self.registry.host())
            .replace("[amd64]", &self.amd64)
            .replace("[arm64]", &self.arm64)
            .replace("[first]", &self.first)
    }

    /// The first twelve digits, as they are shown.
    fn short(digest: &str) -> String {
        digest[..19].to_owned()
    }
}

const PINNED: &str = "services:\n  a: {image: 'HOST/shop/api:1.4@[first]'} # kept\n  b: {image: 'HOST/shop/api:1.4@[amd64]'}\n  c: {image: 'HOST/shop/api@[first]'}\n";

#[test]
fn an_update_moves_what_its_tag_left_behind_and_keeps_each_kind() {
    let shop = shop();
    let sandbox = shop.sandbox(PINNED);
    let run = sandbox.run(["pin", "--update"]);
    assert!(run.contains("0 references pinned, 3 already"), "nothing has moved: {run}");
    assert!(run.ends_with("[exit 0]\n"), "{run}");
    shop.registry.tag("shop/api:1.4", &shop.second);
    let run = sandbox.run(["pin", "--update", "--max-age", "0"]);
    let (second, second_amd64) = (Shop::short(&shop.second), Shop::short(&shop.second_amd64));
    for expected in [
        format!("compose.yaml:2:15: HOST/shop/api:1.4@[first] -> {second}\n"),
        format!("  moved: its tag names {second} now\n"),
        format!("compose.yaml:3:15: HOST/shop/api:1.4@[amd64] -> {second_amd64}\n"),
        "1 file, 2 references pinned, 1 already\n".to_owned(),
        "# a merge would restart service/a, service/b\n[exit 0]\n".to_owned(),
    ] {
        assert!(run.contains(&expected), "{expected}{run}");
    }
    let expected = PINNED.replacen("1.4@[first]", "1.4@[second]", 1).replacen(
        "1.4@[amd64]",
        "1.4@[second-amd64]",
        1,
    );
    assert_eq!(sandbox.text("compose.yaml"), expected);
}

#[test]
fn what_cannot_follow_its_tag_stays_and_says_why() {
    let shop = shop();
    let sandbox = shop.sandbox(
        "services:\n  a: {image: 'HOST/shop/api:1.4@[arm64]'}\n  b: {image: 'HOST/shop/gone:1@[first]'}\n",
    );
    shop.registry.tag("shop/api:1.4", &shop.second);
    let run = sandbox.run(["pin", "--update"]);
    assert!(
        run.contains(
            "it is pinned to the image for linux/arm64, and its tag names one for linux/amd64"
        ),
        "{run}"
    );
    assert!(run.contains("compose.yaml:3:15: HOST/shop/gone:1@[first] is left as it is: its tag is gone from HOST"), "{run}");
    assert!(run.ends_with("[exit 1]\n"), "{run}");
    // Its manifest is lost: nobody can tell any more whether it was an index.
    shop.registry.lose(&shop.arm64);
    let run = sandbox.run(["pin", "--update"]);
    assert!(run.contains("nobody can tell whether it is an index"), "{run}");
    assert!(run.ends_with("[exit 2]\n"), "{run}");
}

#[test]
fn a_wanted_platform_that_is_not_there_is_an_error_for_that_place() {
    let shop = shop();
    shop.registry.tag("shop/web:2", &shop.second);
    let compose = "services:\n  a: {image: 'HOST/shop/api:1.4'}\n  b: {image: 'HOST/shop/web:2'}\n";
    let sandbox = shop.sandbox(compose);
    let run = sandbox.run(["pin", "--platform", "linux/amd64,linux/arm64"]);
    let held = format!(
        "HOST/shop/web:2 is left as it is: {} is not for linux/arm64: it is for linux/amd64",
        Shop::short(&shop.second)
    );
    assert!(run.contains(&held), "{run}");
    assert!(run.ends_with("[exit 1]\n"), "{run}");
    assert_eq!(sandbox.text("compose.yaml"), compose.replace("1.4", "1.4@[first]"));
    assert!(sandbox.run(["pin", "--platform", "linux/amd64"]).ends_with("[exit 0]\n"));
    sandbox.write("indelible.yaml", "version: 1\nplatforms: [linux/arm64]\n");
    sandbox.write("compose.yaml", shop.text(compose));
    let run = sandbox.run(["pin"]);
    assert!(
        run.contains(&held) && run.ends_with("[exit 1]\n"),
        "the settings ask for it too: {run}"
    );
    let run = sandbox.run(["pin", "--platform", "linux"]);
    assert!(run.contains("is not a platform") && run.ends_with("[exit 2]\n"), "{run}");
}

#[test]
fn what_is_too_young_is_left_until_it_is_old_enough() {
    let shop = shop();
    let young = shop.registry.image("linux/amd64", FAR_AHEAD);
    let silent = shop.registry.image("linux/amd64", "1970-01-01T00:00:00Z");
    shop.registry.tag("shop/young:1", &young);
    shop.registry.tag("shop/silent:1", &silent);
    shop.registry.tag("shop/old:1", &shop.second);
    let compose = "services:\n  a: {image: 'HOST/shop/young:1'}\n  b: {image: 'HOST/shop/silent:1'}\n  c: {image: 'HOST/shop/old:1'}\n";
    let sandbox = shop.sandbox(compose);
    let run = sandbox.run(["pin", "--min-age", "3d"]);
    let young = Shop::short(&young);
    assert!(run.contains(&format!("HOST/shop/young:1 is left as it is: {young} is 0s old, and 3d 0h are asked for: old enough from 2999-01-04T00:00:00.000Z on")), "{run}");
    assert!(run.contains("HOST/shop/silent:1 is left as it is: nobody says how old"), "{run}");
    assert!(run.ends_with("[exit 1]\n"), "{run}");
    assert_eq!(sandbox.text("compose.yaml"), compose.replace("old:1", "old:1@[second]"));
    let run = sandbox.run(["pin", "--min-age", "3d", "--unknown-age", "allowed"]);
    assert!(run.contains("1 file, 1 reference pinned, 1 already"), "{run}");
    // A pin whose tag moved to something young is as good as it was.
    shop.registry.tag("shop/old:1", &young_index(&shop));
    let run = sandbox.run(["pin", "--update", "--min-age", "3d", "--max-age", "0", "compose.yaml"]);
    assert!(
        run.contains("HOST/shop/old:1@[second] is left as it is: its tag moved, and "),
        "{run}"
    );
}

fn young_index(shop: &Shop) -> String {
    let image = shop.registry.image("linux/s390x", FAR_AHEAD);
    shop.registry.index(&[("linux/s390x", &image)], "")
}

#[test]
fn the_lock_says_what_was_pinned_and_another_machine_pins_from_it() {
    let shop = shop();
    let compose = "services:\n  a: {image: 'HOST/shop/api:1.4'}\n";
    let sandbox = shop.sandbox(compose);
    let run = sandbox.run(["pin", "--lock"]);
    assert!(run.contains("images.lock: 1 image\n") && run.ends_with("[exit 0]\n"), "{run}");
    let lock = sandbox.text("images.lock");
    let entry = "  \"HOST/shop/api:1.4\":\n    digest: [first]\n    platforms: [linux/amd64, linux/arm64]\n    at: ";
    assert!(lock.contains(entry) && lock.ends_with("    by: \"HOST/shop/api\"\n"), "{lock}");
    // The same content again: the same file, to its last byte.
    sandbox.run(["pin", "--lock"]);
    assert_eq!(sandbox.text("images.lock"), lock);
    assert!(sandbox.run(["pin", "--locked"]).ends_with("[exit 0]\n"));

    let asked = shop.registry.asked().len();
    std::fs::remove_dir_all(sandbox.home().join(".cache")).unwrap();
    sandbox.write("compose.yaml", shop.text(compose));
    let run = sandbox.run(["pin", "--offline"]);
    assert!(run.ends_with("[exit 0]\n"), "{run}");
    assert_eq!(sandbox.text("compose.yaml"), compose.replace("1.4", "1.4@[first]"));
    assert_eq!(shop.registry.asked().len(), asked, "nobody was asked");
}

#[test]
fn locked_fails_where_files_and_lock_disagree() {
    let shop = shop();
    let compose = "services:\n  a: {image: 'HOST/shop/api:1.4'}\n";
    let sandbox = shop.sandbox(compose);
    sandbox.run(["pin", "--lock"]);
    let asked = shop.registry.asked().len();
    sandbox.write(
        "compose.yaml",
        shop.text("services:\n  a: {image: 'HOST/shop/api:1.4@[amd64]'}\n  b: {image: 'HOST/shop/web:2@[first]'}\n"),
    );
    let run = sandbox.run(["pin", "--locked"]);
    let first = Shop::short(&shop.first);
    assert!(run.contains(&format!("compose.yaml:2:15: HOST/shop/api:1.4@[amd64] is left as it is: images.lock names {first}")), "{run}");
    assert!(
        run.contains("HOST/shop/web:2@[first] is left as it is: images.lock does not name it"),
        "{run}"
    );
    assert!(run.ends_with("[exit 1]\n"), "{run}");
    assert_eq!(shop.registry.asked().len(), asked, "nobody was asked");
    // Another digest of one tag in the same files: the lock cannot hold both.
    sandbox.write(
        "compose.yaml",
        shop.text("services:\n  a: {image: 'HOST/shop/api:1.4@[amd64]'}\n  b: {image: 'HOST/shop/api:1.4@[first]'}\n"),
    );
    let run = sandbox.run(["pin", "--lock"]);
    assert!(
        run.contains("images.lock has no HOST/shop/api:1.4: the files pin it to several: "),
        "{run}"
    );
}
