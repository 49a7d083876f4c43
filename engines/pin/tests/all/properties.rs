//! What must hold for every text: only the planned bytes change, and both readers agree.

use crate::support::{NINES, answers};
use pin::{Format, Style, apply, plan_pin, scan};
use proptest::prelude::*;

/// A scalar that YAML reads back, in one of its styles.
fn scalar() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-z][a-z0-9/.:-]{0,12}[a-z0-9]",
        "'[a-z :#,{}ä]{0,12}'",
        "\"[a-z :#,{}ö]{0,12}\"",
        "[a-z]{1,5} [a-z]{1,5}",
        Just("~".to_owned()),
        Just("shop/api:1".to_owned()),
        Just("'shop/web:2'".to_owned()),
    ]
}

/// The lines of a value: the first follows `key:` or `-`, the others stand below.
type Lines = Vec<String>;

fn leaf() -> impl Strategy<Value = Lines> {
    let line = |text: &str| text.to_owned();
    prop_oneof![
        4 => scalar().prop_map(|text| vec![format!(" {text}")]),
        1 => scalar().prop_map(|text| vec![format!("   {text}  # note: x")]),
        1 => "[a-z]{1,6}".prop_map(move |text| vec![
            line(" |"), format!("  image: {text}"), String::new(), line("    deep"),
        ]),
        1 => "[a-z]{1,6}".prop_map(move |text| vec![line(" >-"), format!("  {text}")]),
        1 => (scalar(), scalar()).prop_map(|(a, b)| vec![
            format!(" {{image: {}, b: [{}, c]}}", quoted(&a), quoted(&b)),
        ]),
        1 => (scalar(), scalar()).prop_map(|(a, b)| vec![
            format!(" [{},  # note", quoted(&a)), format!("   {}]", quoted(&b)),
        ]),
        1 => Just(vec![String::new()]),
    ]
}

/// Inside brackets a comma or a blank behind a colon means something else: such text is quoted.
fn quoted(text: &str) -> String {
    if text.starts_with(['"', '\'']) { text.to_owned() } else { format!("\"{text}\"") }
}

fn below(lines: &[String]) -> impl Iterator<Item = String> + '_ {
    lines.iter().skip(1).map(
        |line| {
            if line.is_empty() { String::new() } else { format!("  {line}") }
        },
    )
}

fn value(depth: u32) -> BoxedStrategy<Lines> {
    if depth == 0 {
        return leaf().boxed();
    }
    let mapping =
        proptest::collection::vec(("[a-z]{1,8}", value(depth - 1)), 1..4).prop_map(|entries| {
            let mut lines = vec![String::new()];
            for (at, (key, value)) in entries.into_iter().enumerate() {
                let key = match at {
                    0 => "image".to_owned(),
                    1 => format!("\"{key} 1\""),
                    _ => format!("{key}{at}"),
                };
                lines.push(format!("  {key}:{}", value[0]));
                lines.extend(below(&value));
            }
            lines
        });
    let sequence = proptest::collection::vec(value(depth - 1), 1..4).prop_map(|items| {
        let mut lines = vec![String::new()];
        for value in items {
            lines.push(format!("  -{}", value[0]));
            lines.extend(below(&value));
        }
        lines
    });
    prop_oneof![2 => leaf(), 2 => mapping, 1 => sequence].boxed()
}

fn document() -> impl Strategy<Value = String> {
    let values = proptest::collection::vec((0..3_u32).prop_flat_map(value), 1..5);
    let line_break = prop_oneof![Just("\n"), Just("\r\n"), Just("\r")];
    (values, line_break, any::<bool>()).prop_map(|(values, line_break, has_second)| {
        let mut lines = vec!["apiVersion: v1".to_owned(), "kind: Pod".to_owned()];
        for (at, value) in values.iter().enumerate() {
            lines.push(format!("k{at}:{}", value[0]));
            lines.extend(value[1..].iter().cloned());
        }
        if has_second {
            lines.extend(["---".to_owned(), "b: 1".to_owned()]);
        }
        lines.push(String::new());
        lines.join(line_break)
    })
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 1_500,
        // A failure is made a named test instead of a file of seeds.
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn both_readers_agree_and_only_references_change(text in document()) {
        let fail = |error: String| TestCaseError::fail(format!("{error}: {text:?}"));
        let found = scan(Format::Kubernetes, &text).map_err(|error| fail(error.to_string()))?;
        let plan = plan_pin(&found, &answers(&found.sites), Style::TagDigest);
        // Applying checks agreement, bytes and meaning; here the bytes are checked another way.
        let new = apply(Format::Kubernetes, &text, &plan.edits).map_err(|error| fail(error.to_string()))?;
        prop_assert_eq!(new.replace(&format!("@{NINES}"), ""), text.clone());
        prop_assert_eq!(new.matches(NINES).count(), plan.edits.len());
    }

    #[test]
    fn any_text_is_read_or_refused(text in "\\PC{0,120}") {
        pin::fuzz::any_text(&text);
    }

    #[test]
    fn any_yaml_like_text_is_read_or_refused(
        text in "([ ]{0,4}(- |\\? |image: |a: |\"|'|\\{|\\[|\\}|\\]|,|&a |\\*a|!t |\\||>|-|#|x/y:1|\\{\\{ z \\}\\}|---|\r|\n){0,4}\n?){0,12}"
    ) {
        pin::fuzz::any_text(&text);
    }

    #[test]
    fn any_workload_like_text_is_read_or_refused(
        text in "apiVersion: v1\nkind: Pod\n(images:\n|services:\n|[ ]{0,4}(- )?(image|name|newTag|digest|repository|tag): ?(x/y:1|'1'|\"a\"|\\*a|&a b|\\{|\\[)?[ }\\]#]{0,2}(\r)?\n){0,8}"
    ) {
        pin::fuzz::any_text(&text);
    }

    #[test]
    fn any_template_is_read_to_its_end(
        text in "(\\{\\{-? ?(if|with|range|define \"a\"|block \"b\" \\.|end|else|include \"a\"|\\.Values\\.image\\.tag|\\$x := |\\$|\\(|\\)|\\||printf \"%s@sha256:%s\"|dict \"k\"|/\\*|\\*/|\"|`| ){0,5}-?\\}\\}|image: |version: |\n|:|@|ü){0,14}"
    ) {
        pin::fuzz::any_template(&text);
    }

    #[test]
    fn any_dockerfile_like_text_is_read_or_refused(
        text in "(# (syntax|escape)=(`|a/b:1)\n)?((FROM|ARG|COPY|RUN|ONBUILD) (--from=x:1|--mount=from=y|A=b:1|\\$A|a/b:1|<<E|AS c|\\\\\n|# z\n|`\r\n| ){0,5}\r?\n|E\n){0,8}"
    ) {
        pin::fuzz::any_text(&text);
    }
}
