//! The rules as expressions: three ValidatingAdmissionPolicies that differ only in where the pod is.
//!
//! ```text
//! pods        object.spec                             pods, pods/ephemeralcontainers
//! templates   object.spec.template.spec               deployments, statefulsets, daemonsets, replicasets, jobs, …
//! cronjobs    object.spec.jobTemplate.spec.template.spec
//! ```
//! Three, because an API server checks the types of an expression against every kind that its policy matches.
//! What an update leaves as it was is not judged: whoever labels an old pod changes no image.
//! Every expression is a constant of this file. Written for Kubernetes 1.30 and newer.

use super::{labels, policy_name};
use serde_json::{Value, json};

/// Objects that keep a pod in the same place.
pub(super) struct Shape {
    /// The policy's last word.
    pub(super) name: &'static str,
    /// The way from the object to the pod's spec; none on the way is an error.
    pod: &'static str,
    /// Group and resources.
    matches: &'static [(&'static str, &'static [&'static str])],
}

pub(super) const SHAPES: [Shape; 3] = [
    Shape { name: "pods", pod: ".?spec", matches: &[("", &["pods", "pods/ephemeralcontainers"])] },
    Shape {
        name: "templates",
        pod: ".?spec.?template.?spec",
        matches: &[
            ("", &["replicationcontrollers"]),
            ("apps", &["daemonsets", "deployments", "replicasets", "statefulsets"]),
            ("batch", &["jobs"]),
        ],
    },
    Shape {
        name: "cronjobs",
        pod: ".?spec.?jobTemplate.?spec.?template.?spec",
        matches: &[("batch", &["cronjobs"])],
    },
];

/// All images of a pod, wherever an image can stand.
const IMAGES: &str = "\
POD.?containers.orValue([]).map(c, c.?image.orValue('')) +
POD.?initContainers.orValue([]).map(c, c.?image.orValue('')) +
POD.?ephemeralContainers.orValue([]).map(c, c.?image.orValue('')) +
POD.?volumes.orValue([]).filter(v, has(v.image)).map(v, v.image.?reference.orValue(''))";

/// The key of an image's digest in a list; empty where it has none.
const KEY: &str = "(i + '@').split('@')[1].replace(':', '.')";
/// An image's tag; empty where it has none. A port stands before a slash and is none.
const TAG: &str = "i.split('@')[0].find(':[A-Za-z0-9_.-]+$').replace(':', '')";
/// An image without tag and digest.
const NAME: &str = "i.split('@')[0].substring(0, i.split('@')[0].size() - i.split('@')[0].find(':[A-Za-z0-9_.-]+$').size())";
/// Whole, from the first character to the last.
const PINNED: &str = "i.matches('^[^@]+@(sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})$')";

/// What the rules are told with, in this order: each may use those before it.
fn variables(shape: &Shape) -> Vec<(&'static str, String)> {
    let images = |object: &str| IMAGES.replace("POD", &format!("{object}{}", shape.pod));
    vec![
        ("images", images("object")),
        ("before", format!("request.operation == 'UPDATE' ?\n{} :\n[]", images("oldObject"))),
        // A part of a list is about the digests that begin with its digits; what has none belongs to 0.
        (
            "judged",
            "variables.images.filter(i, !(i in variables.before) && params.data['digits'].contains(\n  \
             i.matches('@sha(256|512):[0-9a-f]') ? i.find('@sha(256|512):[0-9a-f]').charAt(8) : '0'))"
                .to_owned(),
        ),
        ("own", "params.data['own-tags'].split('\\n').filter(l, l != '')".to_owned()),
        ("others", "params.data['other-tags'].split('\\n').filter(l, l != '')".to_owned()),
        ("repositories", "params.data['repositories'].split('\\n').filter(l, l != '')".to_owned()),
        ("unpinned", format!("variables.judged.filter(i, !{PINNED})")),
        (
            "misplaced",
            format!(
                "variables.judged.filter(i, variables.others.exists(l, {TAG}.matches(l.split(' ')[1])) &&\n  \
                 !variables.own.exists(l, {TAG}.matches(l)) &&\n  \
                 !params.data[?{KEY}].orValue('').matches('allowed|runs'))"
            ),
        ),
        (
            "unlisted",
            format!(
                "variables.judged.filter(i, {PINNED} && !({KEY} in params.data) &&\n  \
                 (variables.repositories.size() == 0 || {NAME} in variables.repositories))"
            ),
        ),
    ]
}

/// A rule: what must be empty, what is said without a name, and what is said with names.
struct Rule {
    empty: &'static str,
    message: &'static str,
    names: String,
}

/// ` and 2 more`, where one of several is named.
fn more(list: &str) -> String {
    format!(
        "(variables.{list}.size() > 1 ? ' and ' + string(variables.{list}.size() - 1) + ' more' : '')"
    )
}

const ENVIRONMENT: &str = "params.data['environment']";

/// What lets a digest in: a named person's word, and a new list.
fn allowing(image: &str) -> String {
    format!(
        "'indelible allow ' + {image}.split('@')[1] + ' ' + {ENVIRONMENT} + ' --reason TEXT; \
         then apply what `indelible policy generate ' + {ENVIRONMENT} + '` writes'"
    )
}

fn rules() -> [Rule; 3] {
    let first = |list: &str| format!("variables.{list}[0]");
    let tag = TAG.replace("i.split", "variables.misplaced[0].split");
    [
        Rule {
            empty: "unpinned",
            message: "an image names no digest: indelible pin FILE",
            names: format!(
                "{} + {} + ' names no digest, and ' + {ENVIRONMENT} + ' takes only \
                 repository:tag@sha256:DIGEST: indelible pin FILE'",
                first("unpinned"),
                more("unpinned"),
            ),
        },
        Rule {
            empty: "misplaced",
            message: "an image has a tag of another environment: indelible promote FROM TO IMAGE",
            names: format!(
                "variables.others.filter(l, {tag}.matches(l.split(' ')[1])).map(l, l.split(' ')[0]).map(from, \n  \
                 {image} + {more} + ' has a tag of ' + from + ', and this is ' + {ENVIRONMENT} + \
                 ': indelible promote ' + from + ' ' + {ENVIRONMENT} + ' IMAGE' +\n  \
                 ({image}.contains('@') ? ', or ' + {allowing} : ''))[0]",
                image = first("misplaced"),
                more = more("misplaced"),
                allowing = allowing(&first("misplaced")),
            ),
        },
        Rule {
            empty: "unlisted",
            message: "an image's digest is not in the environment's list: indelible allow DIGEST ENV --reason TEXT",
            names: format!(
                "{image} + {more} + ' may not come to ' + {ENVIRONMENT} + ': its digest was neither built for it, \
                 nor promoted to it, nor allowed: ' + {allowing}",
                image = first("unlisted"),
                more = more("unlisted"),
                allowing = allowing(&first("unlisted")),
            ),
        },
    ]
}

/// The policies, which are the same for all environments.
pub(super) fn policies() -> Vec<Value> {
    SHAPES.iter().map(policy).collect()
}

fn policy(shape: &Shape) -> Value {
    let matched = shape.matches.iter().map(|(group, resources)| {
        json!({
            "apiGroups": [group],
            "apiVersions": ["v1"],
            "operations": ["CREATE", "UPDATE"],
            "resources": resources,
        })
    });
    let named = |(name, expression)| json!({"name": name, "expression": expression});
    let validations = rules().map(|rule| {
        let Rule { empty, message, names } = rule;
        json!({
            "expression": format!("variables.{empty}.size() == 0"),
            "message": message,
            // Asked also where nothing is wrong, and an index into nothing is an error.
            "messageExpression": format!("variables.{empty}.size() == 0 ? '' :\n{names}"),
            "reason": "Forbidden",
        })
    });
    json!({
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingAdmissionPolicy",
        "metadata": {"name": policy_name(shape.name), "labels": labels()},
        "spec": {
            // What cannot be judged is not let in; a binding that only warns, warns.
            "failurePolicy": "Fail",
            "paramKind": {"apiVersion": "v1", "kind": "ConfigMap"},
            "matchConstraints": {
                "matchPolicy": "Equivalent",
                "resourceRules": matched.collect::<Vec<_>>(),
            },
            "variables": variables(shape).into_iter().map(named).collect::<Vec<_>>(),
            "validations": validations,
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the docs of Kubernetes call the places of images in a pod's spec, and what makes pods.
    #[test]
    fn every_place_of_an_image_and_every_kind_that_makes_pods_is_matched() {
        let text = serde_json::to_string(&policies()).unwrap();
        for place in ["containers", "initContainers", "ephemeralContainers", "volumes"] {
            assert!(text.contains(&format!("object.?spec.?{place}.")), "{place}");
        }
        for resource in [
            "pods",
            "pods/ephemeralcontainers",
            "deployments",
            "statefulsets",
            "daemonsets",
            "replicasets",
            "replicationcontrollers",
            "jobs",
            "cronjobs",
        ] {
            assert!(text.contains(&format!("\"{resource}\"")), "{resource}");
        }
    }

    /// An API server falls back to the expression itself where a message has no words.
    #[test]
    fn every_rule_has_a_message_of_one_line() {
        for rule in rules() {
            assert!(!rule.message.contains('\n') && rule.message.contains("indelible "));
        }
    }
}
