//! Policies as text: what is generated is read back as the same objects, and no name becomes more than a name.

use domain::{Digest, EnvironmentName, Repository};
use proptest::prelude::*;
use release::policy::{
    About, Effect, Guarded, Listed, OBJECT_BYTES_MAX, PARTS_MAX, PolicyError, generate,
};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

fn guarded(name: &str, namespace: &str, digests: impl IntoIterator<Item = Digest>) -> Guarded {
    let built = |digest| (digest, BTreeSet::from([Listed::Built]));
    Guarded {
        environment: name.parse().unwrap(),
        namespace: namespace.to_owned(),
        digests: digests.into_iter().map(built).collect(),
        about: About::Every,
        own_tags: BTreeSet::new(),
        other_tags: BTreeSet::new(),
    }
}

/// The digest whose first four digits are these.
fn digest(first: u16, number: u64) -> Digest {
    format!("sha256:{first:04x}{number:060x}").parse().unwrap()
}

fn of_kind<'a>(objects: &'a [Value], kind: &str) -> Vec<&'a Value> {
    objects.iter().filter(|object| object["kind"] == kind).collect()
}

fn documents(yaml: &str) -> Vec<Value> {
    let documents = yaml.split("\n---\n").skip(1);
    documents.map(|text| serde_saphyr::from_str(text).unwrap()).collect()
}

#[test]
fn one_environment_has_its_list_and_a_binding_for_each_shape() {
    let objects = generate(&[guarded("prod", "shop", [digest(0x9f00, 1)])], Effect::Deny).unwrap();
    let kinds: Vec<_> = objects.objects.iter().map(|one| one["kind"].as_str().unwrap()).collect();
    let policy = "ValidatingAdmissionPolicy";
    let binding = "ValidatingAdmissionPolicyBinding";
    assert_eq!(
        kinds,
        ["Namespace", policy, policy, policy, "ConfigMap", binding, binding, binding]
    );
    let list = &objects.objects[4];
    assert_eq!(list["metadata"]["name"], "prod-0");
    let key = format!("sha256.9f00{:060x}", 1);
    assert_eq!(list["data"][&key], "built");
    let first = &objects.objects[5]["spec"];
    assert_eq!(first["validationActions"], serde_json::json!(["Deny", "Audit"]));
    assert_eq!(first["paramRef"]["parameterNotFoundAction"], "Deny");
    assert_eq!(
        first["matchResources"]["namespaceSelector"]["matchLabels"]["kubernetes.io/metadata.name"],
        "shop"
    );
}

#[test]
fn what_only_warns_never_refuses_for_want_of_its_list() {
    let objects = generate(&[guarded("prod", "shop", [])], Effect::Warn).unwrap().objects;
    for binding in of_kind(&objects, "ValidatingAdmissionPolicyBinding") {
        assert_eq!(binding["spec"]["validationActions"], serde_json::json!(["Warn", "Audit"]));
        assert_eq!(binding["spec"]["paramRef"]["parameterNotFoundAction"], "Allow");
    }
}

#[test]
fn environments_of_one_namespace_are_refused() {
    let error = generate(&[guarded("prod", "shop", []), guarded("uat", "shop", [])], Effect::Warn);
    let error = error.unwrap_err();
    assert!(matches!(error, PolicyError::OneNamespace { .. }));
    assert!(error.to_string().starts_with("prod and uat share the namespace shop"), "{error}");
}

/// What a list holds beside digests, in its bytes: `digits` `environment` `other-tags` `own-tags` `repositories`.
const FIXED: usize = (6 + 1 + 6) + (11 + 4 + 6) + (10 + 6) + (8 + 6) + (12 + 6);
/// `sha256.` and 64 digits, `built`, quotes and signs.
const ENTRY: usize = 71 + 5 + 6;

#[test]
fn a_part_is_filled_to_its_limit_and_not_beyond() {
    // All begin with 0: with 16 parts they are in the one of a single digit.
    let fit = u64::try_from((OBJECT_BYTES_MAX - FIXED) / ENTRY).unwrap();
    let all = |count: u64| (0..count).map(|number| digest(0, number)).collect::<Vec<_>>();
    let objects = generate(&[guarded("prod", "shop", all(fit))], Effect::Deny).unwrap();
    assert!(objects.parts.values().all(|parts| *parts <= PARTS_MAX));
    let error = generate(&[guarded("prod", "shop", all(fit + 1))], Effect::Deny).unwrap_err();
    let fit = usize::try_from(fit).unwrap();
    assert!(matches!(error, PolicyError::TooMany { digests, .. } if digests == fit + 1), "{error}");
}

#[test]
fn each_digest_is_in_the_one_part_that_is_about_it() {
    let digests: Vec<_> =
        (0..6_000).map(|at: u16| digest(at.wrapping_mul(11), u64::from(at))).collect();
    let objects = generate(&[guarded("prod", "shop", digests.clone())], Effect::Deny).unwrap();
    let lists = of_kind(&objects.objects, "ConfigMap");
    assert_eq!(lists.len(), 4, "6 000 times 82 bytes");
    // The last part comes first.
    assert_eq!(lists[0]["metadata"]["name"], "prod-3");
    let digits: String =
        lists.iter().rev().filter_map(|list| list["data"]["digits"].as_str()).collect();
    assert_eq!(digits, "0123456789abcdef");
    for digest in digests {
        let key = digest.to_string().replace(':', ".");
        let holding: Vec<_> =
            lists.iter().filter(|list| list["data"].get(&key).is_some()).collect();
        assert_eq!(holding.len(), 1);
        let digits = holding[0]["data"]["digits"].as_str().unwrap();
        assert!(digits.contains(&key["sha256.".len()..][..1]));
    }
}

#[test]
fn every_spelling_of_a_repository_of_docker_hub_is_listed() {
    let mut one = guarded("prod", "shop", []);
    let names = ["docker.io/library/nginx", "registry.example.com:5000/shop/api"];
    one.about = About::Of(names.iter().map(|name| name.parse::<Repository>().unwrap()).collect());
    let objects = generate(&[one], Effect::Deny).unwrap();
    let list = of_kind(&objects.objects, "ConfigMap")[0]["data"]["repositories"].as_str().unwrap();
    let mut found: Vec<_> = list.lines().collect();
    found.sort_unstable();
    assert_eq!(
        found,
        [
            "docker.io/library/nginx",
            "docker.io/nginx",
            "index.docker.io/library/nginx",
            "index.docker.io/nginx",
            "library/nginx",
            "nginx",
            "registry.example.com:5000/shop/api",
        ]
    );
}

fn environment() -> impl Strategy<Value = EnvironmentName> {
    "[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?".prop_map(|text| text.parse().unwrap())
}

proptest! {
    /// Whatever is written in the settings, even what they would refuse: the objects are read back as they were
    /// meant, the expressions are those of any other team, and the same again gives the same bytes.
    #[test]
    fn names_stay_names(
        environment in environment(),
        namespace in any::<String>(),
        own in any::<String>(),
        other in "[ -~\\n'\"{}$#:|>-]{0,40}",
        numbers in prop::collection::btree_set(any::<u16>(), 0..20),
    ) {
        let mut one = guarded(environment.as_str(), &namespace, []);
        let why = BTreeSet::from([Listed::Runs, Listed::Allowed]);
        one.digests = numbers.into_iter().map(|at| (digest(at, 1), why.clone())).collect::<BTreeMap<_, _>>();
        one.own_tags = BTreeSet::from([own]);
        one.other_tags = BTreeSet::from([(environment, other)]);
        let made = generate(std::slice::from_ref(&one), Effect::Warn).unwrap();
        let yaml = made.yaml();
        prop_assert_eq!(documents(&yaml), made.objects.clone());
        prop_assert_eq!(generate(&[one], Effect::Warn).unwrap().yaml(), yaml);
        let plain = generate(&[guarded("uat", "uat", [])], Effect::Deny).unwrap();
        let policies = |objects: &[Value]| {
            of_kind(objects, "ValidatingAdmissionPolicy").into_iter().cloned().collect::<Vec<_>>()
        };
        prop_assert_eq!(policies(&made.objects), policies(&plain.objects));
    }
}
