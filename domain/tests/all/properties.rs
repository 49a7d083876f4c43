//! What must hold for every input: round trips, and no panic on any text.

use domain::{Digest, Pattern, RefParts, RuleSet, Tag, TagClass, Timestamp};
use proptest::prelude::*;

fn reference_like() -> impl Strategy<Value = String> {
    let part = "[a-zA-Z0-9._:@/\\[\\]-]{0,40}";
    let hex = "(@sha256:[0-9a-f]{64})?";
    (part, hex).prop_map(|(head, tail)| head + &tail)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn any_text_is_read_or_refused(text in "\\PC{0,80}") {
        domain::fuzz::values(&text);
    }

    #[test]
    fn any_reference_like_text_is_read_or_refused(text in reference_like()) {
        domain::fuzz::values(&text);
    }

    #[test]
    fn the_parts_of_a_text_cover_it(text in reference_like()) {
        let parts = RefParts::split(&text);
        let tag = parts.tag.map(|span| format!(":{}", &text[span])).unwrap_or_default();
        let digest = parts.digest.map(|span| format!("@{}", &text[span])).unwrap_or_default();
        prop_assert_eq!(format!("{}{tag}{digest}", &text[parts.name]), text);
    }

    #[test]
    fn a_digest_is_read_back(content in proptest::collection::vec(any::<u8>(), 0..200)) {
        let digest = Digest::sha256(&content);
        prop_assert_eq!(digest.to_string().parse::<Digest>().unwrap(), digest);
        prop_assert!(digest.verify(&content).is_ok());
    }

    #[test]
    fn a_pattern_without_signs_matches_itself_alone(text in "[a-z0-9/._-]{1,20}", other in "[a-z0-9/._-]{1,20}") {
        let pattern: Pattern = text.parse().unwrap();
        prop_assert!(pattern.matches(&text));
        prop_assert_eq!(pattern.matches(&other), text == other);
    }

    #[test]
    fn a_time_is_read_back(ms in -62_135_596_800_000_i64..253_402_300_799_999) {
        let time = Timestamp::from_millis(ms);
        prop_assert_eq!(time.to_string().parse::<Timestamp>().unwrap(), time);
    }

    #[test]
    fn a_tag_without_a_rule_is_immutable_unless_its_name_is_built_in(tag in "[a-z][a-z0-9.]{0,30}") {
        let class = RuleSet::default().class_of(&"shop/api".parse().unwrap(), &tag.parse::<Tag>().unwrap());
        let is_known = tag == "latest" || tag == "buildcache";
        prop_assert_eq!(class == TagClass::Immutable, !is_known);
    }
}
