//! Who owns a field of a workload, by the name of its field manager.
//!
//! ```text
//! argocd-controller, kustomize-controller, helm   another system: it would put its own image back
//! kubectl-client-side-apply, kubectl-edit         a person, some time ago
//! ```
//! Source: research/deploy.md §2.1; the managers' own source.

use std::fmt;

/// Who owns a field.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Manager {
    /// Another system that deploys: it would put its own image back.
    System {
        /// Its name for people.
        system: &'static str,
        /// The field manager.
        name: String,
    },
    /// kubectl, in a person's or a script's hands.
    Kubectl(String),
    /// Something that we do not know.
    Other(String),
}

impl Manager {
    /// Tells it by its name.
    #[must_use]
    pub fn of(name: &str) -> Self {
        let system = |system| Self::System { system, name: name.to_owned() };
        if name.starts_with("argocd") {
            system("Argo CD")
        } else if matches!(name, "kustomize-controller" | "helm-controller" | "flux") {
            system("Flux")
        } else if name == "helm" {
            system("Helm")
        } else if name == "kubectl" || name.starts_with("kubectl-") {
            Self::Kubectl(name.to_owned())
        } else {
            Self::Other(name.to_owned())
        }
    }

    /// The system that says on the object itself that it owns it.
    ///
    /// Older Argo CD applies with kubectl's own name; its mark tells it from a person.
    #[must_use]
    pub fn marked<'a>(
        labels: impl IntoIterator<Item = &'a str>,
        annotations: impl IntoIterator<Item = &'a str>,
    ) -> Option<&'static str> {
        let of = |key: &str| match key {
            "argocd.argoproj.io/tracking-id" | "argocd.argoproj.io/instance" => Some("Argo CD"),
            "kustomize.toolkit.fluxcd.io/name" | "helm.toolkit.fluxcd.io/name" => Some("Flux"),
            "meta.helm.sh/release-name" => Some("Helm"),
            _ => None,
        };
        labels.into_iter().chain(annotations).find_map(of)
    }
}

impl fmt::Display for Manager {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::System { system, name } => write!(f, "{system} ({name})"),
            Self::Kubectl(name) | Self::Other(name) => f.write_str(name),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn systems_that_put_their_image_back_are_told_from_people() {
        let system = |name: &str| match Manager::of(name) {
            Manager::System { system, .. } => Some(system),
            Manager::Kubectl(_) | Manager::Other(_) => None,
        };
        assert_eq!(system("argocd-controller"), Some("Argo CD"));
        assert_eq!(system("argocd-application-controller"), Some("Argo CD"));
        assert_eq!(system("kustomize-controller"), Some("Flux"));
        assert_eq!(system("helm"), Some("Helm"));
        for name in ["kubectl", "kubectl-client-side-apply", "kubectl-set", "kubectl-edit"] {
            assert_eq!(Manager::of(name), Manager::Kubectl(name.to_owned()));
        }
        assert_eq!(Manager::of("terraform"), Manager::Other("terraform".to_owned()));
    }

    #[test]
    fn a_mark_on_the_object_names_the_system() {
        assert_eq!(Manager::marked(["app"], ["argocd.argoproj.io/tracking-id"]), Some("Argo CD"));
        assert_eq!(Manager::marked(["kustomize.toolkit.fluxcd.io/name"], []), Some("Flux"));
        assert_eq!(Manager::marked([], ["meta.helm.sh/release-name"]), Some("Helm"));
        assert_eq!(Manager::marked(["app.kubernetes.io/instance"], []), None);
    }
}
