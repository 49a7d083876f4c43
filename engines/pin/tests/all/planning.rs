//! Pin, set and unpin of references in one piece.

use crate::support::{NINES, ONES, pin_plan, set, set_plan};
use pin::{Format, ProofError, Skip, Style, apply, plan_unpin, scan};
use std::collections::BTreeMap;

const C: Format = Format::Compose;

fn one(image: &str) -> String {
    format!("services: {{api: {{image: {image}}}}}\n")
}

#[test]
fn the_style_says_whether_the_tag_stays() {
    let text = one("'docker.io/shop/api:1.4'");
    let plan = pin_plan(C, &text, Style::Digest);
    assert_eq!(
        apply(C, &text, &plan.edits).unwrap(),
        one(&format!("'docker.io/shop/api@{NINES}'"))
    );
}

#[test]
fn set_keeps_the_name_as_written_unless_the_repository_changes() {
    let to = format!("shop/api:1.5@{NINES}");
    let text = one("\"docker.io/shop/api:1.4\"");
    let expected = one(&format!("\"docker.io/shop/api:1.5@{NINES}\""));
    assert_eq!(set(C, &text, "shop/api", &to), expected);
    let moved = format!("registry.example.com/shop/api:1.5@{NINES}");
    let expected = one(&format!("\"registry.example.com/shop/api:1.5@{NINES}\""));
    assert_eq!(set(C, &text, "shop/api", &moved), expected);
    // Without a tag the old one would be a lie beside the new digest.
    let bare = format!("shop/api@{NINES}");
    let expected = one(&format!("\"docker.io/shop/api@{NINES}\""));
    assert_eq!(set(C, &text, "shop/api", &bare), expected);
}

#[test]
fn the_same_digest_is_no_edit_and_another_image_is_none_of_ours() {
    let text = one(&format!("shop/api:1.4@{ONES}"));
    let plan = set_plan(C, &text, "shop/api", &format!("shop/api:9@{ONES}"));
    assert_eq!((plan.edits.len(), plan.same.len()), (0, 1));
    let plan = set_plan(C, &text, "shop/web", &format!("shop/web:9@{ONES}"));
    assert_eq!((plan.edits.len(), plan.same.len(), plan.skipped.len()), (0, 0, 0));
}

#[test]
fn what_cannot_be_set_is_said() {
    let to = format!("shop/api:9@{NINES}");
    let cases = [
        (one("'shop/api:${TAG}'"), Skip::Opaque(pin::Opaque::Variable)),
        (one("'${IMAGE:-shop/api:1}'"), Skip::Default),
        (one("'${HUB:-docker.io}/shop/api:${TAG:?which}'"), Skip::Default),
        ("services: {api: {build: ., image: shop/api}}\n".to_owned(), Skip::BuildTarget),
        (
            "services:\n  api:\n    image: shop/api:1 # indelible: ignore\n".to_owned(),
            Skip::Ignored(pin::Marker::Ignore),
        ),
    ];
    for (text, expected) in cases {
        let plan = set_plan(C, &text, "shop/api", &to);
        assert!(plan.edits.is_empty());
        assert_eq!(plan.skipped[0].why, expected, "{text}");
    }
}

#[test]
fn a_place_that_tells_nothing_of_its_name_is_told_unless_a_comment_asks_otherwise() {
    let of = |text: &str| {
        let plan = set_plan(C, text, "shop/api", &format!("shop/api:9@{NINES}"));
        assert!(plan.edits.is_empty() && plan.skipped.is_empty(), "{text}");
        plan.unsure
    };
    assert_eq!(of(&one("'${IMAGE}'")), [0]);
    assert_eq!(of(&one("'${IMAGE:-${OTHER}}'")), [0]);
    assert_eq!(of("services:\n  api:\n    image: ${IMAGE} # indelible: ignore\n"), []);
    assert_eq!(of(&one("'${IMAGE:-shop/web:1}'")), []);
    assert_eq!(of(&one("shop/web:1")), []);
}

#[test]
fn a_reference_without_an_answer_is_skipped() {
    let found = scan(C, &one("shop/api:1")).unwrap();
    let plan = pin::plan_pin(&found, &BTreeMap::new(), Style::TagDigest);
    assert_eq!(plan.skipped[0].why, Skip::NoAnswer);
}

#[test]
fn unpin_leaves_the_tag() {
    let unpin = |text: &str| {
        let plan = plan_unpin(&scan(C, text).unwrap());
        (apply(C, text, &plan.edits).unwrap(), plan.skipped)
    };
    assert_eq!(unpin(&one(&format!("'a/b:1@{ONES}'"))).0, one("'a/b:1'"));
    let bare = one(&format!("a/b@{ONES}"));
    let (same, skipped) = unpin(&bare);
    assert_eq!((same, &skipped[0].why), (bare, &Skip::NoTag));
}

#[test]
fn an_edit_of_another_text_is_refused() {
    let text = one("shop/api:1");
    let plan = pin_plan(C, &text, Style::TagDigest);
    let other = text.replace("api: {", "web: {x: y, ");
    assert!(matches!(
        apply(C, &other, &plan.edits),
        Err(ProofError::Collateral { .. }
            | ProofError::Disagreement { .. }
            | ProofError::Unreadable { .. })
    ));
    assert!(matches!(apply(C, "a", &plan.edits), Err(ProofError::Misfit { .. })));
    let twice = [plan.edits[0].clone(), plan.edits[0].clone()];
    assert!(matches!(apply(C, &text, &twice), Err(ProofError::Misfit { .. })));
}

#[test]
fn pairs_take_the_digest_where_it_has_a_key_and_else_behind_the_tag() {
    let k = Format::Kubernetes;
    let head = "apiVersion: x/beta\nkind: X\nspec:\n  image:\n";
    let with_key = format!(
        "{head}    registry: r.example.com\n    repository: a/b\n    tag: 1.4\n    digest: \"\"\n"
    );
    let filled = with_key.replace("digest: \"\"", &format!("digest: \"{NINES}\""));
    assert_eq!(crate::support::pinned(k, &with_key), filled);
    let to = format!("r.example.com/a/b:1.10@{NINES}");
    assert_eq!(set(k, &with_key, "r.example.com/a/b", &to), filled.replace("1.4", "\"1.10\""));
    let without = format!("{head}    repository: a/b\n    tag: v1\n");
    assert_eq!(
        set(k, &without, "a/b", &format!("a/b:v2@{NINES}")),
        without.replace("v1", &format!("v2@{NINES}"))
    );
    let moved = set_plan(k, &without, "a/b", &format!("c/d:v2@{NINES}"));
    assert_eq!(moved.skipped[0].why, Skip::OtherRepository);
    let bare = format!("{head}    repository: a/b\n");
    let plan = pin_plan(k, &bare, Style::TagDigest);
    assert_eq!(plan.skipped[0].why, Skip::NoPlace);
}

#[test]
fn a_pin_that_moves_is_written_as_it_stands_and_others_stay() {
    let sixes = "sha256:6666666666666666666666666666666666666666666666666666666666666666";
    let compose = format!(
        "services:\n  a:\n    image: \"shop/api:1.4@{ONES}\"  # kept\n  b:\n    image: shop/api@{ONES}\n  c:\n    image: shop/web:2\n"
    );
    let kustomize = format!("images:\n- name: shop/api\n  newTag: \"1.4\"\n  digest: {ONES}\n");
    let moved: domain::PinnedRef = format!("shop/api:1.4@{ONES}").parse().unwrap();
    let moves = std::collections::BTreeMap::from([(moved, sixes.parse().unwrap())]);
    let updated = |format, text: &str| {
        let found = pin::scan(format, text).unwrap();
        let none = std::collections::BTreeMap::new();
        let plan = pin::plan_update(&found, &none, &moves, Style::Digest);
        (pin::apply(format, text, &plan.edits).unwrap(), plan)
    };
    let (new, plan) = updated(Format::Compose, &compose);
    assert_eq!(new, compose.replacen(ONES, sixes, 1), "only the one with this tag");
    assert_eq!((plan.same.len(), plan.skipped.len()), (1, 1));
    assert_eq!(updated(Format::Kustomize, &kustomize).0, kustomize.replace(ONES, sixes));
    // A pin that moves to where it is does not change.
    let same = std::collections::BTreeMap::from([(
        format!("shop/api:1.4@{ONES}").parse().unwrap(),
        ONES.parse().unwrap(),
    )]);
    let found = pin::scan(Format::Compose, &compose).unwrap();
    let plan = pin::plan_update(&found, &Default::default(), &same, Style::TagDigest);
    assert!(plan.edits.is_empty());
}
