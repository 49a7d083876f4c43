//! An environment's list as ConfigMaps: one, or several of which each is about the digests of its first digits.
//!
//! ```text
//! 5 000 digests  ->  prod-0: digits 01234567, 2 490 keys `sha256.0a…: built`     prod-1: digits 89abcdef, …
//! ```
//! An API server asks every part, and all must agree: so each part judges only what could be in it. A key costs
//! one look-up, however long the list is.

use super::{About, Guarded, Listed, NAMESPACE, PolicyError, labels_of, part_name};
use domain::{Digest, Repository};
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;

/// The bytes of one part's data. `kubectl apply` keeps a copy of the object in an annotation, of which there may be
/// 256 KiB. Source: k8s.io/apimachinery, `TotalAnnotationSizeLimitB`; a ConfigMap alone may have 1 MiB.
pub const OBJECT_BYTES_MAX: usize = 200 * 1024;
/// The parts of one environment: each is asked for each object.
pub const PARTS_MAX: usize = 16;

const DIGITS: &str = "0123456789abcdef";
/// Two pairs of quotes, a colon and a comma.
const BYTES_AROUND: usize = 6;

/// As few parts as hold the list.
pub(super) fn parts(guarded: &Guarded) -> Result<Vec<Value>, PolicyError> {
    let counts = [1, 2, 4, 8, PARTS_MAX];
    let fitting = counts.into_iter().map(|count| split(guarded, count));
    fitting.into_iter().flatten().next().ok_or_else(|| PolicyError::TooMany {
        environment: guarded.environment.clone(),
        digests: guarded.digests.len(),
    })
}

/// The parts, where each fits.
fn split(guarded: &Guarded, count: usize) -> Option<Vec<Value>> {
    let width = DIGITS.len() / count;
    let part = |number: usize| {
        let data = data(guarded, &DIGITS[number * width..(number + 1) * width]);
        let of = |(key, value): (&String, &Value)| {
            key.len() + value.as_str().map_or(0, str::len) + BYTES_AROUND
        };
        let bytes: usize = data.iter().map(of).sum();
        (bytes <= OBJECT_BYTES_MAX).then(|| object(guarded, number, data))
    };
    (0..count).map(part).collect()
}

fn object(guarded: &Guarded, number: usize, data: Map<String, Value>) -> Value {
    json!({
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {
            "name": part_name(&guarded.environment, number),
            "namespace": NAMESPACE,
            "labels": labels_of(&guarded.environment),
        },
        "data": data,
    })
}

fn data(guarded: &Guarded, digits: &str) -> Map<String, Value> {
    let others = guarded.other_tags.iter().map(|(name, pattern)| format!("{name} {pattern}"));
    let repositories = match &guarded.about {
        About::Every => BTreeSet::new(),
        About::Of(repositories) => repositories.iter().flat_map(spellings).collect(),
    };
    let mut data = Map::new();
    let mut put = |key: String, value: String| data.insert(key, Value::String(value));
    put("digits".to_owned(), digits.to_owned());
    put("environment".to_owned(), guarded.environment.to_string());
    put("other-tags".to_owned(), others.collect::<Vec<_>>().join("\n"));
    put("own-tags".to_owned(), guarded.own_tags.iter().cloned().collect::<Vec<_>>().join("\n"));
    put("repositories".to_owned(), repositories.into_iter().collect::<Vec<_>>().join("\n"));
    let own = guarded
        .digests
        .iter()
        .filter(|(digest, _)| digest.hex().starts_with(|c| digits.contains(c)));
    for (digest, why) in own {
        put(key(digest), why.iter().map(|why| Listed::word(*why)).collect::<Vec<_>>().join(" "));
    }
    data
}

/// A ConfigMap's key may hold no colon.
fn key(digest: &Digest) -> String {
    digest.to_string().replacen(':', ".", 1)
}

/// The ways in which a pod may write a repository; those of Docker Hub are several.
fn spellings(repository: &Repository) -> Vec<String> {
    let (host, path) = (repository.host().as_str(), repository.path().as_str());
    let mut all = vec![format!("{host}/{path}")];
    if host == "docker.io" {
        all.push(format!("index.docker.io/{path}"));
        all.push(path.to_owned());
        if let Some(short) = path.strip_prefix("library/") {
            all.extend([
                format!("docker.io/{short}"),
                format!("index.docker.io/{short}"),
                short.to_owned(),
            ]);
        }
    }
    all
}
