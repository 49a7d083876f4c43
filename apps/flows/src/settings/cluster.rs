//! The words of an environment that say where in which clusters it runs.
//!
//! ```yaml
//! clusters: [prod-eu, prod-us]         # kubeconfig contexts, in the order in which they are deployed to
//! namespace: shop
//! workloads: {api: [deployment/api]}
//! ```

use super::{SettingsError, SyncedBy};
use domain::ImageName;
use release::gitops::SyncObjectError;
use release::rollout::Workload;
use std::collections::BTreeMap;

/// The longest name of a namespace. Source: RFC 1123 label, as Kubernetes asks for.
const NAMESPACE_LEN_MAX: usize = 63;
/// The most clusters of one environment.
const CLUSTERS_MAX: usize = 64;

type Result<T> = std::result::Result<T, SettingsError>;

fn wrong(key: &str, why: impl Into<String>) -> SettingsError {
    SettingsError::Value { key: key.to_owned(), why: why.into() }
}

/// Checks the names of contexts.
pub(super) fn names(key: &str, clusters: &[String]) -> Result<()> {
    if clusters.len() > CLUSTERS_MAX {
        let found = clusters.len();
        return Err(wrong(key, format!("at most {CLUSTERS_MAX} clusters, found {found}")));
    }
    for (at, name) in clusters.iter().enumerate() {
        if name.trim().is_empty() || name.chars().any(char::is_control) {
            return Err(wrong(key, "an empty name is no context of a kubeconfig"));
        }
        if clusters[..at].contains(name) {
            return Err(wrong(key, format!("`{name}` stands here twice")));
        }
    }
    Ok(())
}

/// Checks the name of a namespace.
pub(super) fn namespace(key: &str, name: Option<&str>) -> Result<()> {
    let Some(name) = name else { return Ok(()) };
    let is_alphanumeric = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let bytes = name.as_bytes();
    let ends =
        bytes.first().is_some_and(is_alphanumeric) && bytes.last().is_some_and(is_alphanumeric);
    let inside = bytes.iter().all(|byte| is_alphanumeric(byte) || *byte == b'-');
    if ends && inside && bytes.len() <= NAMESPACE_LEN_MAX {
        return Ok(());
    }
    let shown: String = name.chars().take(80).collect();
    let rule = format!("small letters, digits and `-`, at most {NAMESPACE_LEN_MAX}");
    Err(wrong(key, format!("`{shown}` is not a namespace: {rule}")))
}

/// Reads the objects that bring commits: `application/argocd/shop`, or `…@hub` in another context.
pub(super) fn synced_by(key: &str, texts: &[String]) -> Result<Vec<SyncedBy>> {
    let one = |text: &String| {
        let (object, context) = match text.split_once('@') {
            Some((object, context)) => (object, Some(context.to_owned())),
            None => (text.as_str(), None),
        };
        let object = object.parse();
        let object = object.map_err(|error: SyncObjectError| wrong(key, error.to_string()))?;
        names(key, context.as_slice())?;
        Ok(SyncedBy { object, context })
    };
    texts.iter().map(one).collect()
}

/// Reads what runs each image.
pub(super) fn workloads(
    key: &str,
    wire: Vec<(ImageName, Vec<String>)>,
) -> Result<BTreeMap<ImageName, Vec<Workload>>> {
    wire.into_iter()
        .map(|(image, texts)| Ok((image.clone(), of_image(key, &image, &texts)?)))
        .collect()
}

fn of_image(key: &str, image: &ImageName, texts: &[String]) -> Result<Vec<Workload>> {
    let key = format!("{key}.{image}");
    let mut workloads: Vec<Workload> = Vec::new();
    for text in texts {
        let workload = text
            .parse()
            .map_err(|error: release::rollout::WorkloadError| wrong(&key, error.to_string()))?;
        if workloads.contains(&workload) {
            return Err(wrong(&key, format!("`{workload}` stands here twice")));
        }
        workloads.push(workload);
    }
    if workloads.is_empty() {
        return Err(wrong(&key, "an image needs at least one workload, such as deployment/api"));
    }
    Ok(workloads)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_namespace_is_taken_and_one_more_letter_is_not() {
        assert!(namespace("namespace", Some(&"a".repeat(NAMESPACE_LEN_MAX))).is_ok());
        assert!(namespace("namespace", Some(&"a".repeat(NAMESPACE_LEN_MAX + 1))).is_err());
    }

    #[test]
    fn as_many_clusters_as_the_limit_are_taken_and_one_more_is_not() {
        let many = |count: usize| (0..count).map(|at| format!("c{at}")).collect::<Vec<_>>();
        assert!(names("clusters", &many(CLUSTERS_MAX)).is_ok());
        assert!(names("clusters", &many(CLUSTERS_MAX + 1)).is_err());
    }
}
