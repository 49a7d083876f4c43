//! Why a cluster gave no answer, in words for the person who asked.

use std::path::PathBuf;

/// A question to a cluster that was not answered.
#[derive(Debug, thiserror::Error)]
pub enum ClusterError {
    /// No kubeconfig is where one is looked for.
    #[error("there is no kubeconfig: {}", looked_in(.paths))]
    NoKubeconfig {
        /// Where it was looked for.
        paths: Vec<PathBuf>,
    },
    /// A kubeconfig is there and cannot be used.
    #[error("the kubeconfig cannot be used")]
    Kubeconfig(#[source] kube::config::KubeconfigError),
    /// No such context.
    #[error("the kubeconfig has no context `{name}`; it has {known}")]
    NoContext {
        /// What was named.
        name: String,
        /// Those that there are.
        known: String,
    },
    /// No context was named, and none is current.
    #[error("the kubeconfig has no current context; it has {known}")]
    NoCurrentContext {
        /// Those that there are.
        known: String,
    },
    /// A name that Kubernetes gives to nothing: asked for, it would become another question.
    #[error("`{name}` is no name of a {kind}: letters, digits, `-` and `.`, at most 253", name = name.escape_debug())]
    Name {
        /// `pod` or `namespace`.
        kind: &'static str,
        /// What was typed.
        name: String,
    },
    /// The API server says that this user may not.
    #[error("{context} does not let this user {verb} {what}")]
    Denied {
        /// The context.
        context: String,
        /// `list`, `watch`, `patch`, …
        verb: &'static str,
        /// `pods in all namespaces`
        what: String,
    },
    /// The API server does not know who this is.
    #[error("{context} does not accept this user's credentials (401)")]
    NotLoggedIn {
        /// The context.
        context: String,
    },
    /// It has no such thing, or none that this user may see.
    #[error("{context} has no {what}")]
    NotThere {
        /// The context.
        context: String,
        /// `pod api-6d5f8c-x2x4q in namespace shop`
        what: String,
    },
    /// The API server answered with another error.
    #[error("{context} answered {code} {reason}: {message}")]
    Refused {
        /// The context.
        context: String,
        /// The HTTP status.
        code: u16,
        /// Kubernetes' word, such as `InternalError`.
        reason: String,
        /// Its message.
        message: String,
    },
    /// No answer at all, or one that cannot be read.
    #[error("{context} gave no answer that can be used")]
    NoAnswer {
        /// The context.
        context: String,
        /// Why.
        #[source]
        source: Box<kube::Error>,
    },
    /// More than can be looked at: the answer would be about a part of them.
    #[error("{context} has more {what} than can be looked at: {read} were read")]
    TooMany {
        /// The context.
        context: String,
        /// `pods in namespace shop`
        what: String,
        /// How many were read by then.
        read: usize,
    },
    /// The answer did not come in time.
    #[error("{context} did not answer within {seconds} s")]
    TooLate {
        /// The context.
        context: String,
        /// How long was waited.
        seconds: u64,
    },
}

fn looked_in(paths: &[PathBuf]) -> String {
    match paths {
        [] => "neither KUBECONFIG nor HOME is set".to_owned(),
        paths => {
            let names: Vec<_> = paths.iter().map(|path| path.display().to_string()).collect();
            format!("looked for {}", names.join(", "))
        }
    }
}

impl ClusterError {
    /// Reads the client's error; `verb` and `what` say what was asked.
    pub(crate) fn of(
        error: kube::Error,
        context: &str,
        verb: &'static str,
        what: impl FnOnce() -> String,
    ) -> Self {
        let context = context.to_owned();
        let kube::Error::Api(status) = error else {
            return Self::NoAnswer { context, source: Box::new(error) };
        };
        match status.code {
            401 => Self::NotLoggedIn { context },
            403 if is_about_rights(&status.message) => Self::Denied { context, verb, what: what() },
            404 => Self::NotThere { context, what: what() },
            code => Self::Refused {
                context,
                code,
                reason: shown(&status.reason),
                message: shown(&status.message),
            },
        }
    }
}

/// Whether a 403 is about this user's rights; admission answers 403 too, and says what it does not let in.
///
/// Source: `k8s.io/apiserver/pkg/admission/errors.go` and the plugins of quota, policies and webhooks; everything
/// else is about rights, also where a proxy says so in its own words.
fn is_about_rights(message: &str) -> bool {
    const ADMISSION: [&str; 4] =
        ["admission webhook", "denied request: ", "exceeded quota", "violates PodSecurity"];
    !ADMISSION.iter().any(|words| message.contains(words))
}

/// A server's words, as far as people read.
fn shown(text: &str) -> String {
    const SHOWN_MAX: usize = 400;
    text.chars().take(SHOWN_MAX).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As an API server of Kubernetes 1.35 writes them.
    #[test]
    fn a_policy_that_refuses_is_told_from_a_right_that_is_missing() {
        let right = "deployments.apps \"api\" is forbidden: User \"ada\" cannot patch resource \"deployments\" in API group \"apps\" in the namespace \"shop\"";
        assert!(is_about_rights(right));
        let quota = "pods \"api-1\" is forbidden: exceeded quota: few, requested: pods=1, used: pods=2, limited: pods=2";
        assert!(!is_about_rights(quota));
        let policy = "deployments.apps \"api\" is forbidden: ValidatingAdmissionPolicy 'strict' with binding 'strict' denied request: no digest";
        assert!(!is_about_rights(policy));
        let webhook = "admission webhook \"images.example.com\" denied the request: no digest";
        assert!(!is_about_rights(webhook));
    }
}
