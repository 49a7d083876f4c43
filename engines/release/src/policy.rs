//! What an API server must know to keep an environment's rules by itself: policies, and lists of digests.
//!
//! ```text
//! prod, namespace shop, 3 digests  ->  Namespace indelible-policy
//!                                      3 ValidatingAdmissionPolicies (pods, templates, cronjobs), the same for all
//!                                      ConfigMap prod-0 (rules and digests), 3 bindings of it to namespace shop
//! ```
//! No name of a team's stands in an expression: expressions are constants, and names come to them as parameters.
//! Nothing is applied here. The same facts give the same bytes.

mod list;
mod rules;
mod yaml;

use domain::{Digest, EnvironmentName, Repository};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

pub use list::{OBJECT_BYTES_MAX, PARTS_MAX};

/// The namespace of the lists. Whoever may write there decides what is let in: nothing else lives in it.
pub const NAMESPACE: &str = "indelible-policy";

/// The version of the parameters' shape, in the policies' names: a newer policy never reads an older list.
const SHAPE: &str = "indelible-v1";

/// What an API server does with an image that is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// It lets it in, warns whoever asks, and writes it into its audit log.
    Warn,
    /// It refuses, and writes it into its audit log.
    Deny,
}

/// Why a digest is in an environment's list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Listed {
    /// It was built for it.
    Built,
    /// It was promoted to it.
    Promoted,
    /// A named person allowed it.
    Allowed,
    /// It runs there, or is what was last deployed: its pods may be made again.
    Runs,
}

/// Which images the list of digests is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum About {
    /// Every image.
    Every,
    /// Those of these repositories; others need a digest, whichever it is.
    Of(BTreeSet<Repository>),
}

/// One environment, as a policy sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Guarded {
    /// Its name.
    pub environment: EnvironmentName,
    /// Its namespace.
    pub namespace: String,
    /// What may run there, and why.
    pub digests: BTreeMap<Digest, BTreeSet<Listed>>,
    /// Which images must be in that list.
    pub about: About,
    /// RE2 of the tags of this environment.
    pub own_tags: BTreeSet<String>,
    /// RE2 of the tags of others, each with the environment's name.
    pub other_tags: BTreeSet<(EnvironmentName, String)>,
}

/// Why no policy was generated.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PolicyError {
    /// More digests than the objects of one environment may hold.
    #[error(
        "{environment} has {digests} digests: more than {PARTS_MAX} lists of {OBJECT_BYTES_MAX} bytes hold"
    )]
    TooMany {
        /// The environment.
        environment: EnvironmentName,
        /// How many there are.
        digests: usize,
    },
    /// Two environments live in one namespace, and what one lets in the other refuses.
    #[error(
        "{first} and {second} share the namespace {namespace}, so the list of one would refuse the builds of the other"
    )]
    OneNamespace {
        /// The first of them.
        first: EnvironmentName,
        /// The other.
        second: EnvironmentName,
        /// The namespace.
        namespace: String,
    },
}

/// Objects for an API server.
#[derive(Clone, Debug, PartialEq)]
pub struct Objects {
    /// In the order in which they are to be applied.
    pub objects: Vec<Value>,
    /// How many lists each environment has.
    pub parts: BTreeMap<EnvironmentName, usize>,
}

impl Effect {
    /// What a binding does, in Kubernetes' words.
    #[must_use]
    pub fn actions(self) -> [&'static str; 2] {
        match self {
            Self::Warn => ["Warn", "Audit"],
            Self::Deny => ["Deny", "Audit"],
        }
    }

    /// What it does where its list is not there. A missing list refuses everything, whatever the actions say:
    /// what shall only warn must not do that. Source: k8s.io/apiserver, `validating/dispatcher.go`, `addConfigError`.
    fn without_list(self) -> &'static str {
        match self {
            Self::Warn => "Allow",
            Self::Deny => "Deny",
        }
    }
}

impl Listed {
    /// The word in a list; the expressions know `allowed` and `runs`.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Built => "built",
            Self::Promoted => "promoted",
            Self::Allowed => "allowed",
            Self::Runs => "runs",
        }
    }
}

/// Generates the objects that guard some environments.
///
/// # Errors
/// An environment has more digests than fit, or two share a namespace.
pub fn generate(environments: &[Guarded], effect: Effect) -> Result<Objects, PolicyError> {
    check_namespaces(environments)?;
    let mut objects = vec![namespace()];
    objects.extend(rules::policies());
    let mut parts = BTreeMap::new();
    for guarded in environments {
        let lists = list::parts(guarded)?;
        parts.insert(guarded.environment.clone(), lists.len());
        // The last part first: where there is one part more than before, it is there before the first gets narrower.
        for (number, list) in lists.into_iter().enumerate().rev() {
            objects.push(list);
            let bound = rules::SHAPES.iter();
            objects.extend(bound.map(|shape| binding(shape.name, guarded, number, effect)));
        }
    }
    Ok(Objects { objects, parts })
}

impl Objects {
    /// The objects as one YAML stream.
    #[must_use]
    pub fn yaml(&self) -> String {
        yaml::stream(&self.objects)
    }
}

fn check_namespaces(environments: &[Guarded]) -> Result<(), PolicyError> {
    let mut seen = BTreeMap::new();
    for guarded in environments {
        if let Some(first) = seen.insert(&guarded.namespace, &guarded.environment) {
            return Err(PolicyError::OneNamespace {
                first: first.clone(),
                second: guarded.environment.clone(),
                namespace: guarded.namespace.clone(),
            });
        }
    }
    Ok(())
}

fn labels() -> Value {
    json!({"app.kubernetes.io/managed-by": "indelible"})
}

fn labels_of(environment: &EnvironmentName) -> Value {
    json!({
        "app.kubernetes.io/managed-by": "indelible",
        "app.kubernetes.io/instance": environment.as_str(),
    })
}

fn namespace() -> Value {
    json!({
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {"name": NAMESPACE, "labels": labels()},
    })
}

/// The name of a part of an environment's list.
fn part_name(environment: &EnvironmentName, number: usize) -> String {
    format!("{environment}-{number}")
}

fn policy_name(shape: &str) -> String {
    format!("{SHAPE}-{shape}")
}

/// One part of a list, bound to the environment's namespace for objects of one shape.
///
/// Each part has a binding of its own and not one selector for all: a part that is missing is then noticed.
fn binding(shape: &str, guarded: &Guarded, number: usize, effect: Effect) -> Value {
    let part = part_name(&guarded.environment, number);
    json!({
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingAdmissionPolicyBinding",
        "metadata": {
            "name": format!("{}-{part}", policy_name(shape)),
            "labels": labels_of(&guarded.environment),
        },
        "spec": {
            "policyName": policy_name(shape),
            "paramRef": {
                "name": part,
                "namespace": NAMESPACE,
                "parameterNotFoundAction": effect.without_list(),
            },
            "validationActions": effect.actions(),
            "matchResources": {
                "namespaceSelector": {
                    // The API server sets this label itself: nobody can write another name there.
                    "matchLabels": {"kubernetes.io/metadata.name": guarded.namespace},
                },
            },
        },
    })
}
