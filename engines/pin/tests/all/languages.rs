//! HCL, JSON and units: limits, and texts that nobody would write.

use crate::support::{NINES, changed, pinned};
use pin::{Format, ProofError, ScanError, Skip, Style, apply, plan_pin, scan};
use proptest::prelude::*;

const T: Format = Format::Terraform;

/// An image, and beside it something nested so deep.
fn nested(open: &str, inside: &str, close: &str, depth: usize) -> String {
    format!(
        "module \"m\" {{ image = \"a/b:1\" }}\nx = {}{inside}{}\n",
        open.repeat(depth),
        close.repeat(depth)
    )
}

fn proved(text: &str) -> Result<String, ProofError> {
    let found = scan(T, text).unwrap_or_else(|error| panic!("{error}: {text}"));
    let answers = crate::support::answers(&found.sites);
    apply(T, text, &plan_pin(&found, &answers, Style::TagDigest).edits)
}

#[test]
fn what_nests_deep_is_read_and_not_edited() {
    let shapes = [
        ("[", "1", "]"),
        ("(", "1", ")"),
        ("{ a = ", "1", " }"),
        ("[for x in ", "y", " : x]"),
        ("f(", "1", ")"),
    ];
    for (open, inside, close) in shapes {
        assert!(proved(&nested(open, inside, close, 24)).is_ok(), "{open}");
        assert!(proved(&nested(open, inside, close, 25)).is_err(), "{open}");
        assert!(scan(T, &nested(open, inside, close, 64)).is_ok(), "{open}");
        assert!(matches!(scan(T, &nested(open, inside, close, 65)), Err(ScanError::Text { .. })));
    }
    // Where nothing closes, the other reader has limits of its own; no stack ends.
    for (open, inside) in [("!", "a"), ("-", "1"), ("a ? b : ", "c"), ("1 + ", "1")] {
        for depth in [60, 128, 1_000, 100_000] {
            let _ = proved(&nested(open, inside, "", depth));
        }
    }
    for depth in [8, 24, 31] {
        let _ = proved(&format!(
            "x = \"{}y{}\"\n{}",
            "${f(\"".repeat(depth),
            "\")}".repeat(depth),
            nested("[", "1", "]", 1)
        ));
    }
}

#[test]
fn both_readers_of_hcl_must_agree() {
    // Twice the same attribute: Terraform refuses the file, and so does the other reader.
    let text = "module \"m\" {\n  image = \"a/b:1\"\n  image = \"a/b:1\"\n}\n";
    assert!(matches!(proved(text), Err(ProofError::Unreadable { .. })));
    let mark = "\u{feff}module \"m\" {\r\n  image = \"a/b:1\" // ä\r\n}";
    assert_eq!(changed(mark, &pinned(T, mark)), ["  image = \"a/b:1@NINES\" // ä\r"]);
}

#[test]
fn json_nests_so_deep_and_no_deeper() {
    for format in [Format::Devcontainer, Format::Ecs] {
        let text = |depth: usize| format!("{{\"x\": {}{}}}", "[".repeat(depth), "]".repeat(depth));
        assert!(scan(format, &text(63)).is_ok());
        assert!(matches!(scan(format, &text(64)), Err(ScanError::Text { .. })));
        assert!(scan(format, &text(1_000_000)).is_err());
    }
}

#[test]
fn a_feature_is_shown_with_its_digest_alone() {
    let text = "{\"features\": {\"ghcr.io/a/b:1\": {}}}";
    let found = scan(Format::Devcontainer, text).expect("it is read");
    let plan = plan_pin(&found, &crate::support::answers(&found.sites), Style::TagDigest);
    assert!(plan.edits.is_empty());
    let why: Vec<String> = plan.skipped.iter().map(|skipped| skipped.why.to_string()).collect();
    let line = format!("{{\"features\": {{\"ghcr.io/a/b@{NINES}\": {{}}}}}}");
    assert_eq!(why, [format!("it is seen and not edited; the line to use instead: `{line}`")]);
}

#[test]
fn a_program_is_never_edited_and_the_line_to_use_instead_is_shown() {
    let shown = |format, text: &str| {
        let found = scan(format, text).expect("it is read");
        let answers = crate::support::answers(&found.sites);
        let plan = plan_pin(&found, &answers, Style::TagDigest);
        assert!(plan.edits.is_empty());
        let lines = plan.skipped.iter().map(|skipped| {
            if let Skip::Seen { line } = &skipped.why {
                line.replace(NINES, "NINES")
            } else {
                skipped.why.to_string()
            }
        });
        lines.collect::<Vec<_>>()
    };
    let cases = [
        (Format::Shell, "  docker run -d a/b:1 x # y\n", "docker run -d a/b:1@NINES x # y"),
        (
            Format::Shell,
            "helm upgrade --set image.tag=1 x\n",
            "it is a part of a name that another program joins",
        ),
        (Format::Makefile, "X_IMAGE ?= a/b:1\n", "X_IMAGE ?= a/b:1@NINES"),
        (Format::Jsonnet, "{ image: 'a/b:1' }", "{ image: 'a/b:1@NINES' }"),
        (Format::Cue, "image: \"a/b:1\"", "image: \"a/b:1@NINES\""),
        (Format::Starlark, "oci.pull(image = \"a/b\", tag = \"1\")", "digest = \"NINES\""),
    ];
    for (format, text, line) in cases {
        assert_eq!(shown(format, text), [line], "{text}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 120,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn any_hcl_like_text_is_read_or_refused(
        text in "((resource|module|variable|job|task|locals|dynamic|content|x) ?|\"[a-z_$\\{\\}]{0,3}\" ?|image = |default = |\"a/b:1\"|\"\\$\\{x\\}\"|<<E\n|E\n|\\{|\\}|\\[|\\]|\\(|\\)|,|:|\\?|=|\r?\n|#|/\\*|\\*/|//){0,30}"
    ) {
        pin::fuzz::any_text(&text);
    }

    #[test]
    fn any_terraform_like_text_is_read_or_refused(
        text in "((resource \"docker_(image|container)\" \"x\"|module \"m\"|variable \"image\") \\{\n((  )?(image|name|default|build) ?(=|\\{) ?(\"a/b:[12]\"|\"\\$\\{x\\}\"|x\\.y|<<E\n image: a/b:1\nE|\\[\\{ image = \"a/b:1\" \\}\\])( #x| \\})?\r?\n){0,3}\\}\n){0,4}"
    ) {
        pin::fuzz::any_text(&text);
    }

    #[test]
    fn any_json_like_text_is_read_or_refused(
        text in "(\\{|\\}|\\[|\\]|,|: ?|\"image\"|\"features\"|\"containerDefinitions\"|\"a/b:1\"|\"ghcr\\.io/a/b\"|\"\\\\u0041\"|//x\n|/\\*y\\*/|1|null|\r?\n| ){0,24}"
    ) {
        pin::fuzz::any_text(&text);
    }

    #[test]
    fn any_script_like_text_is_read_or_refused(
        text in "(docker |run |pull |--rm |-v |-it |kubectl set image |helm --set |x=|image\\.tag=1|FOO_IMAGE=|a/b:1|\"|'|`|\\$\\(|\\$\\{|\\)|\\}|<<E|E\n|<<<|;|\\||&|#|\\\\|>|\t|\r?\n| ){0,30}"
    ) {
        pin::fuzz::any_text(&text);
    }

    #[test]
    fn any_program_like_text_is_read_or_refused(
        text in "(oci\\.pull|docker_build|images|image|tag|local |f|\\(|\\)|\\[|\\]|\\{|\\}|:|=|,|\\+|%|\"a/b:1\"|'a/b:1'|\"\"\"|'|\"|\\|\\|\\||//|#|/\\*|\\*/|\\\\|\n| ){0,30}"
    ) {
        pin::fuzz::any_text(&text);
    }

    #[test]
    fn any_unit_like_text_is_read_or_refused(
        text in "((\\[(Container|Image|Build|Volume)\\]|(Image|ImageTag|Mount|Exec) ?= ?(a/b:1|\"a/b:1\"|x\\.build|type=image,source=a/b:1|%i|\\$X)?|#x|;y| )(\\\\)?\r?\n){0,8}"
    ) {
        pin::fuzz::any_text(&text);
    }
}
