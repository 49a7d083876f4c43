//! What holds for all builds, and not only for those of the tables.

use domain::{CommitId, Digest, EnvironmentName, Tag, Timestamp};
use proptest::prelude::*;
use tagging::{Facts, Scheme, Taken, Version, is_of, parse_timestamp_env, sanitise};

fn scheme(text: &str) -> Scheme {
    text.parse().unwrap()
}

/// Names that are easily merged: few characters, many of them not allowed in a tag.
fn name() -> impl Strategy<Value = String> {
    prop_oneof!["[ab/._ -]{0,8}", "[a-z/-]{1,4}-h[0-9a-f]{12}", "\\PC{0,200}", "[a-c/]{125,135}",]
}

fn moment() -> impl Strategy<Value = Timestamp> {
    // 2000-01-01 to 2100-01-01.
    (946_684_800_000_i64..4_102_444_800_000).prop_map(Timestamp::from_millis)
}

fn commit() -> impl Strategy<Value = CommitId> {
    "([0-9a-f]{40}|[0-9a-f]{64}|[0-9]{40})".prop_map(|text| text.parse().unwrap())
}

fn environment() -> impl Strategy<Value = EnvironmentName> {
    "[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?".prop_map(|text| text.parse().unwrap())
}

proptest! {
    #[test]
    fn two_names_never_become_one(a in name(), b in name(), limit in 15_usize..129) {
        prop_assert_eq!(a == b, sanitise(&a, limit) == sanitise(&b, limit));
        // Not by feeding one result back in as a name either.
        let again = sanitise(&a, limit);
        prop_assert_eq!(again == b, again == sanitise(&b, limit) && again == a);
    }

    #[test]
    fn what_is_sanitised_is_a_tag(name in name(), limit in 0_usize..129) {
        let text = sanitise(&name, limit);
        prop_assert!(text.parse::<Tag>().is_ok());
        prop_assert!(text.len() <= limit.max(15));
    }

    #[test]
    fn every_computed_tag_is_of_its_scheme(
        at in moment(), commit in commit(), environment in environment(), branch in name(),
    ) {
        let facts = Facts {
            environment: Some(environment.clone()),
            commit: Some(commit),
            git_tag: Some("v1.4.2-rc.1".to_owned()),
            branch: Some(branch),
            ..Facts::at(at)
        };
        let texts = [
            "timestamp-env", "timestamp", "sha", "semver", "semver-sha", "date-build", "date-sha",
            "{date}-{branch}-{sha12}", "{env}_{time}.{sha40}", "x{timestamp}{branch}{version}",
        ];
        for text in texts {
            let scheme = scheme(text);
            // The type is the proof that it is a tag.
            let tag = scheme.compute(&facts, &Taken::nothing()).unwrap();
            prop_assert!(is_of(&scheme, Some(&environment), &tag), "{text}: {tag}");
        }
    }

    #[test]
    fn timestamp_tags_sort_by_time(a in moment(), b in moment(), environment in environment()) {
        for text in ["timestamp", "timestamp-env"] {
            let tag = |at| {
                let facts = Facts { environment: Some(environment.clone()), ..Facts::at(at) };
                scheme(text).compute(&facts, &Taken::nothing()).unwrap()
            };
            prop_assert_eq!(a.to_second().cmp(&b.to_second()), tag(a).as_str().cmp(tag(b).as_str()));
        }
    }

    #[test]
    fn a_timestamp_tag_is_read_back(at in moment(), environment in environment()) {
        let facts = Facts { environment: Some(environment.clone()), ..Facts::at(at) };
        let tag = scheme("timestamp-env").compute(&facts, &Taken::nothing()).unwrap();
        let read = parse_timestamp_env(&tag, std::slice::from_ref(&environment));
        prop_assert_eq!(read, Some((at.to_second(), environment)));
    }

    #[test]
    fn the_fuzz_bodies_hold_on_made_up_text(text in "[\\PC\n={}]{0,60}") {
        tagging::fuzz::schemes(&text);
        tagging::fuzz::variables(&text);
    }

    #[test]
    fn no_variables_make_an_environment_of_anything_but_a_push(
        event in "(push|pull_request|pull_request_target|schedule|merge_group|workflow_run)",
        reference in "refs/(heads|tags|pull)/(prod|7/merge|gh-readonly-queue/prod/x)",
    ) {
        let sha = "a".repeat(40);
        tagging::fuzz::variables(&format!(
            "GITHUB_ACTIONS=true\nGITHUB_EVENT_NAME={event}\nGITHUB_REF={reference}\nGITHUB_SHA={sha}\nGITHUB_RUN_ID=1"
        ));
    }
}

#[test]
fn of_ten_thousand_commits_every_tag_is_a_strict_version() {
    let mut digits_only_with_zero = 0;
    for number in 0..10_000_u32 {
        // A commit's id is a hash, so hashes of numbers stand for random commits.
        let id = &Digest::sha256(&number.to_be_bytes()).hex()[..40];
        let facts = Facts {
            commit: id.parse().ok(),
            git_tag: Some("1.4.2".to_owned()),
            ..Facts::at(Timestamp::from_millis(0))
        };
        let tag = scheme("semver-sha").compute(&facts, &Taken::nothing()).unwrap();
        assert!(tag.as_str().parse::<Version>().is_ok(), "{tag}");
        // The trap is real: without the `g` some of the same commits give no version.
        let without = format!("1.4.2-{}", &id[..7]);
        digits_only_with_zero += u32::from(without.parse::<Version>().is_err());
    }
    assert!(digits_only_with_zero > 0);
}

#[test]
fn ten_years_of_tags_sort_as_text_by_time() {
    let start: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
    let tags: Vec<String> = (0..3650)
        .map(|day: i64| {
            let at = start.plus_millis(day * 86_400_000 + (day * 7_919_000) % 86_400_000);
            let facts = Facts { environment: "uat".parse().ok(), ..Facts::at(at) };
            let tag = scheme("timestamp-env").compute(&facts, &Taken::nothing());
            tag.unwrap().to_string()
        })
        .collect();
    assert!(tags.is_sorted());
}
