//! `indelible check --online`: each outcome, against a registry with images in it.

use crate::sandbox::{Sandbox, sandbox};
use crate::scripted::Scripted;
use crate::stocked::Stocked;

const MADE: &str = "2026-03-01T00:00:00Z";

/// A registry with an index of two images under `shop/api:1.4`.
struct Shop {
    registry: Stocked,
    amd64: String,
    arm64: String,
    index: String,
}

fn shop() -> Shop {
    let registry = Stocked::start();
    let (amd64, arm64) = (registry.image("linux/amd64", MADE), registry.image("linux/arm64", MADE));
    let index = registry.index(&[("linux/amd64", &amd64), ("linux/arm64", &arm64)], "");
    registry.tag("shop/api:1.4", &index);
    Shop { registry, amd64, arm64, index }
}

impl Shop {
    /// One service with this image; `HOST` is the registry.
    fn sandbox(&self, image: &str) -> Sandbox {
        let image = image.replace("HOST", self.registry.host());
        let compose = format!("services:\n  api: {{image: '{image}'}}\n");
        sandbox().replacing(self.registry.host(), "HOST").file("compose.yaml", compose)
    }

    fn pinned(&self) -> Sandbox {
        self.sandbox(&format!("HOST/shop/api:1.4@{}", self.index))
    }
}

fn short(digest: &str) -> &str {
    &digest[..19]
}

fn check(sandbox: &Sandbox) -> String {
    sandbox.run(["check", "--online", "--max-age", "0"])
}

#[test]
fn a_pin_that_its_tag_still_means_is_good_and_costs_one_head() {
    let shop = shop();
    let sandbox = shop.pinned();
    insta::assert_snapshot!(check(&sandbox), @r"
    1 file, 1 reference, 1 pinned
    [exit 0]
    ");
    assert_eq!(shop.registry.asked(), ["HEAD /v2/shop/api/manifests/1.4"]);
    sandbox.run(["check"]);
    assert_eq!(shop.registry.asked().len(), 1, "nobody is asked without --online");
}

#[test]
fn a_tag_that_names_other_content_moved() {
    let shop = shop();
    let sandbox = shop.pinned();
    let other = shop.registry.image("linux/amd64", "2026-03-02T00:00:00Z");
    shop.registry.tag("shop/api:1.4", &other);
    let run = check(&sandbox);
    let (old, new) = (short(&shop.index), short(&other));
    let line = format!("compose.yaml:2:17: `HOST/shop/api:1.4@{old}`: its tag names {new} now\n");
    assert!(run.contains(&line) && run.ends_with("[exit 1]\n"), "{run}");
    let run = sandbox.run(["check", "--online", "--max-age", "0", "--json"]);
    assert!(run.contains("\"kind\": \"moved\""), "{run}");
}

#[test]
fn another_index_of_the_same_images_was_republished_and_fails_nothing() {
    let shop = shop();
    let sandbox = shop.pinned();
    let images = [("linux/arm64", shop.arm64.as_str()), ("linux/amd64", shop.amd64.as_str())];
    let again = shop.registry.index(&images, "signed");
    shop.registry.tag("shop/api:1.4", &again);
    let run = check(&sandbox);
    assert!(run.contains("now, another index of the same images"), "{run}");
    assert!(run.ends_with("[exit 0]\n"), "{run}");
}

#[test]
fn one_platforms_image_of_what_the_tag_names_is_told_apart_from_a_move() {
    let shop = shop();
    let sandbox = shop.sandbox(&format!("HOST/shop/api:1.4@{}", shop.amd64));
    let run = check(&sandbox);
    let index = short(&shop.index);
    let said = format!("is only the image for linux/amd64 of the index {index} that its tag names");
    assert!(run.contains(&said) && run.ends_with("[exit 0]\n"), "{run}");
    let run = sandbox.run(["check", "--online", "--json"]);
    assert!(run.contains("\"kind\": \"platform-digest\""), "{run}");
}

#[test]
fn a_tag_or_a_digest_that_is_gone_is_said_with_what_it_means() {
    let shop = shop();
    let sandbox = shop.pinned();
    shop.registry.untag("shop/api:1.4");
    let run = check(&sandbox);
    assert!(run.contains("HOST has no tag `1.4` of HOST/shop/api\n"), "{run}");
    assert!(!run.contains("has lost"), "{run}");
    shop.registry.lose(&shop.index);
    let run = check(&sandbox);
    let lost =
        format!("HOST has lost {}: what runs goes on, and will not start anew", short(&shop.index));
    assert!(run.contains(&lost) && run.ends_with("[exit 1]\n"), "{run}");
    // A name without a digest is worth a question too.
    let sandbox = shop.sandbox("HOST/shop/web:2");
    let run = check(&sandbox);
    assert!(
        run.contains("HOST has no tag `2` of HOST/shop/web") && run.ends_with("[exit 1]\n"),
        "{run}"
    );
}

#[test]
fn what_cannot_be_asked_is_not_gone() {
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let image = format!("{closed}/shop/api:1.4@{}", crate::sandbox::NINES);
    let compose = format!("services:\n  api: {{image: '{image}'}}\n");
    let silent = sandbox().replacing(closed.to_string(), "HOST").file("compose.yaml", compose);
    let run = check(&silent);
    assert!(run.contains("compose.yaml:2:17: `HOST/shop/api:1.4@[nines]` could not be asked for: registry HOST cannot be reached"), "{run}");
    assert!(run.ends_with("could not be asked for\n[exit 2]\n"), "{run}");

    let registry = Scripted::start(&[("shop/secret:1.0.3", "403 Forbidden")]);
    let compose = format!("services:\n  api: {{image: '{}/shop/secret:1.0.3'}}\n", registry.host());
    let refused = sandbox().replacing(registry.host(), "HOST").file("compose.yaml", &compose);
    let run = check(&refused);
    assert!(
        run.contains("could not be asked for: cannot resolve HOST/shop/secret:1.0.3: "),
        "{run}"
    );
    assert!(run.ends_with("[exit 2]\n"), "{run}");
    // What another image is built from fails nothing, found out or not.
    let base =
        sandbox().file("Dockerfile", format!("FROM {}/shop/secret:1.0.3\n", registry.host()));
    assert!(check(&base).ends_with("[exit 0]\n"));
}

#[test]
fn a_known_move_is_in_the_baseline_and_a_comment_takes_a_place_out() {
    let shop = shop();
    let sandbox = shop.pinned();
    shop.registry.untag("shop/api:1.4");
    let report = sandbox.output(["check", "--online", "--max-age", "0", "--json"], b"").stdout;
    sandbox.write("known.json", report);
    let run = sandbox.run(["check", "--online", "--max-age", "0", "--baseline", "known.json"]);
    assert!(run.contains("1 known") && run.ends_with("[exit 0]\n"), "{run}");
    let text = std::fs::read_to_string(sandbox.path("compose.yaml")).unwrap();
    sandbox.write("compose.yaml", text.replace("}\n", "} # indelible: ignore\n"));
    let asked = shop.registry.asked().len();
    assert!(check(&sandbox).ends_with("[exit 0]\n"));
    assert_eq!(shop.registry.asked().len(), asked);
}
