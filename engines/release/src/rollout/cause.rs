//! Whether what keeps a container from running will pass by itself.
//!
//! ```text
//! ErrImagePull, "…: not found"                 permanent: the rollout has failed
//! ErrImagePull, "… 429 Too Many Requests"      passes: waiting goes on
//! CrashLoopBackOff, third restart              permanent, as far as a deploy can wait
//! ```
//! Source: research/deploy.md §2.2.

use super::seen::SeenContainer;
use crate::observed::Role;

/// How often a container may crash before that counts: what it needs may come up beside it.
///
/// Source: the kubelet waits 10, 20, 40 s between restarts; the third is about half a minute in.
pub const CRASHES_MAX: u32 = 3;

/// What keeps a container from running.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cause {
    /// It will not pass: why.
    Permanent {
        /// The kubelet's word.
        reason: String,
        /// Its message.
        message: String,
    },
    /// It may pass: what it is.
    MayPass(String),
}

/// Words of registries and runtimes for what passes: overload, time, network.
///
/// Source: containerd 2.x `remotes/docker`, "unexpected status from … request to …: 503 Service Unavailable"; Go's net.
const PASSES: [&str; 18] = [
    "429 too many requests",
    "toomanyrequests",
    "rate limit",
    "500 internal server error",
    "502 bad gateway",
    "503 service unavailable",
    "504 gateway timeout",
    "timeout",
    "timed out",
    "deadline exceeded",
    "connection refused",
    "connection reset",
    "no such host",
    "server misbehaving",
    "network is unreachable",
    "no route to host",
    "unexpected eof",
    "pull qps exceeded",
];

/// Their words for what does not.
const STAYS: [&str; 14] = [
    "not found",
    "manifest unknown",
    "name unknown",
    "does not exist",
    "401 unauthorized",
    "403 forbidden",
    "denied",
    "unauthorized",
    "authorization failed",
    "invalid reference",
    "no match for platform",
    "unsupported media type",
    "x509:",
    "server gave http response to https client",
];

/// Whether a pull that failed with this message fails again: none, where the message does not tell.
#[must_use]
pub fn pull_is_permanent(message: &str) -> Option<bool> {
    let message = without_names(message).to_lowercase();
    let has = |words: &[&str]| words.iter().any(|word| message.contains(word));
    if has(&PASSES) {
        Some(false)
    } else if has(&STAYS) {
        Some(true)
    } else {
        None
    }
}

/// Words with which a server tells that a policy, a webhook or its own rules have decided about a pod. A quota that is full,
/// a webhook that does not answer and a service account that is not there yet have others.
///
/// Source: kubernetes, `apiserver/pkg/admission/plugin/{policy/validating,webhook/errors}`, `pod-security-admission/admission`,
/// `apimachinery/pkg/api/errors`, `NewInvalid`.
const DECIDED: [&str; 4] =
    ["denied request: ", "\" denied the request", "violates PodSecurity \"", "\" is invalid: "];

/// Whether what keeps a controller from making pods was decided, so that the same pod is refused again.
#[must_use]
pub fn refusal_is_decided(message: &str) -> bool {
    DECIDED.iter().any(|words| message.contains(words))
}

/// Leaves out what is quoted, and names of images and addresses: an image may be called `timeout`.
fn without_names(message: &str) -> String {
    let outside_quotes: String = message.split('"').step_by(2).collect::<Vec<_>>().join(" ");
    let words = outside_quotes.split_whitespace().filter(|word| !word.contains('/'));
    words.collect::<Vec<_>>().join(" ")
}

/// What keeps a container from running; none: nothing that is known.
#[must_use]
pub fn cause_of(container: &SeenContainer) -> Option<Cause> {
    let Some((reason, message)) = container.waiting.as_ref() else {
        return crashed(container);
    };
    let permanent = || Cause::Permanent { reason: reason.clone(), message: message.clone() };
    let may_pass = || Cause::MayPass(format!("{}: {reason} {message}", container.name));
    match reason.as_str() {
        "InvalidImageName"
        | "ErrImageNeverPull"
        | "CreateContainerConfigError"
        | "SignatureValidationFailed" => Some(permanent()),
        "RegistryUnavailable" => Some(may_pass()),
        "ErrImagePull" | "ImagePullBackOff" => Some(match pull_is_permanent(message) {
            Some(true) => permanent(),
            Some(false) | None => may_pass(),
        }),
        // A runtime that is overloaded says so with this word too.
        "CreateContainerError" => Some(match pull_is_permanent(message) {
            Some(false) => may_pass(),
            Some(true) | None => permanent(),
        }),
        "CrashLoopBackOff" if container.restarts >= CRASHES_MAX => Some(crashes(container)),
        "CrashLoopBackOff" => Some(may_pass()),
        _ => None,
    }
}

/// Newer kubelets report the end of a run, and no word of waiting, between two starts.
fn crashed(container: &SeenContainer) -> Option<Cause> {
    let is_meant_to_end = container.role == Role::Init && container.last_exit == Some(0);
    let crashes_on = container.has_ended && container.restarts >= CRASHES_MAX;
    (crashes_on && !is_meant_to_end).then(|| crashes(container))
}

fn crashes(container: &SeenContainer) -> Cause {
    let exit = container.last_exit.map(|code| format!(", last with exit code {code}"));
    let times = container.restarts;
    let message = format!("it ended {times} times{}", exit.unwrap_or_default());
    Cause::Permanent { reason: "CrashLoopBackOff".to_owned(), message }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whole messages of kubelets. Source: kata-containers/kata-containers#10109, kubernetes/k8s.io#5181,
    /// godarch/darch#24, and what the kubelet of 1.35 with containerd 1.6 and 2.x said in our own testbed.
    #[test]
    fn what_was_decided_about_a_pod_is_told_from_what_may_pass() {
        for decided in [
            "pods \"api-6d5-\" is forbidden: ValidatingAdmissionPolicy 'strict' with binding 'strict' denied request: no digest",
            "admission webhook \"images.example.com\" denied the request: no signature",
            "pods \"api-6d5-x\" is forbidden: violates PodSecurity \"restricted:latest\": runAsNonRoot != true",
            "Pod \"api-1\" is invalid: spec.containers[0].resources.requests: Invalid value: \"2\": must be less than or equal to cpu limit",
        ] {
            assert!(refusal_is_decided(decided), "{decided}");
        }
        for passes in [
            "pods \"api-6d5-x\" is forbidden: exceeded quota: few, requested: pods=1, used: pods=2, limited: pods=2",
            "Internal error occurred: failed calling webhook \"images.example.com\": failed to call webhook: connection refused",
            "pods \"api-6d5-\" is forbidden: error looking up service account uat/api: serviceaccount \"api\" not found",
        ] {
            assert!(!refusal_is_decided(passes), "{passes}");
        }
    }

    #[test]
    fn whole_messages_of_kubelets_are_told_apart() {
        let cases = [
            (
                "rpc error: code = Unknown desc = failed to pull and unpack image \"docker.io/library/busybox:latest\": failed to copy: httpReadSeeker: failed open: unexpected status code https://registry-1.docker.io/v2/library/busybox/manifests/sha256:50aa4698fa6262977cff89181b2664b99d8a56dbca847bf62f2ef04854597cf8: 429 Too Many Requests - Server message: toomanyrequests: You have reached your pull rate limit. You may increase the limit by authenticating and upgrading: https://www.docker.com/increase-rate-limit",
                Some(false),
            ),
            (
                "failed to resolve reference \"docker.io/godarch/arch:latest\": failed to fetch anonymous token: unexpected status: 503 Service Unavailable",
                Some(false),
            ),
            (
                "Error response from daemon: Get https://registry.k8s.io/v2/: net/http: request canceled (Client.Timeout exceeded while awaiting headers)",
                Some(false),
            ),
            (
                "rpc error: code = NotFound desc = failed to pull and unpack image \"reg.example.com/shop/timeout:1\": failed to resolve reference \"reg.example.com/shop/timeout:1\": reg.example.com/shop/timeout:1: not found",
                Some(true),
            ),
            (
                "rpc error: code = Unknown desc = failed to pull image \"reg.example.com/shop/denied:1\": dial tcp 10.0.0.7:443: i/o timeout",
                Some(false),
            ),
            (
                "rpc error: code = Unknown desc = failed to pull and unpack image \"reg.example.com/a:1\": failed to resolve reference \"reg.example.com/a:1\": pull access denied, repository does not exist or may require authorization: server message: insufficient_scope: authorization failed",
                Some(true),
            ),
            (
                "rpc error: code = Unknown desc = reading manifest v9 in reg.example.com/a: manifest unknown",
                Some(true),
            ),
            (
                "rpc error: code = Unknown desc = failed to do request: Head \"https://reg.example.com/v2/a/manifests/1\": tls: failed to verify certificate: x509: certificate signed by unknown authority",
                Some(true),
            ),
        ];
        for (message, expected) in cases {
            assert_eq!(pull_is_permanent(message), expected, "{message}");
        }
        let later = "Back-off pulling image \"reg.example.com/a:1\": ErrImagePull: rpc error: code = NotFound desc = failed to pull and unpack image \"reg.example.com/a:1\": not found";
        assert_eq!(
            waiting("ImagePullBackOff", later, 0),
            Some(true),
            "newer kubelets repeat the cause"
        );
    }

    /// Messages as containerd 2.x and registries write them.
    #[test]
    fn a_pull_error_tells_whether_it_passes() {
        let host = "failed to pull and unpack image \"reg.example.com/a@sha256:429503\": failed to resolve reference: ";
        let cases = [
            ("reg.example.com/a@sha256:429503: not found", Some(true)),
            (
                "pull access denied, repository does not exist or may require authorization",
                Some(true),
            ),
            (
                "unexpected status from HEAD request to https://reg.example.com/v2/: 403 Forbidden",
                Some(true),
            ),
            (
                "unexpected status from HEAD request to https://reg.example.com/v2/: 401 Unauthorized",
                Some(true),
            ),
            ("no match for platform in manifest: not found", Some(true)),
            ("unexpected status from HEAD request: 429 Too Many Requests", Some(false)),
            ("unexpected status from GET request: 503 Service Unavailable", Some(false)),
            (
                "failed to do request: Head \"https://reg.example.com\": dial tcp 10.0.0.1:443: i/o timeout",
                Some(false),
            ),
            ("failed to do request: dial tcp: lookup reg.example.com: no such host", Some(false)),
            (
                "failed to do request: dial tcp 127.0.0.1:5000: connect: connection refused",
                Some(false),
            ),
            ("context deadline exceeded", Some(false)),
            ("something new", None),
        ];
        for (message, expected) in cases {
            assert_eq!(pull_is_permanent(&format!("{host}{message}")), expected, "{message}");
        }
        assert_eq!(pull_is_permanent("Back-off pulling image \"a:1\""), None);
    }

    fn waiting(reason: &str, message: &str, restarts: u32) -> Option<bool> {
        let container = SeenContainer {
            role: Role::Main,
            name: "api".to_owned(),
            image_id: String::new(),
            has_started: false,
            waiting: Some((reason.to_owned(), message.to_owned())),
            has_ended: false,
            restarts,
            last_exit: Some(1),
        };
        cause_of(&container).map(|cause| matches!(cause, Cause::Permanent { .. }))
    }

    #[test]
    fn a_container_that_ended_often_crashes_and_an_init_container_that_did_its_work_does_not() {
        let mut container = SeenContainer {
            role: Role::Main,
            name: "api".to_owned(),
            image_id: String::new(),
            has_started: true,
            waiting: None,
            has_ended: true,
            restarts: CRASHES_MAX,
            last_exit: Some(0),
        };
        assert!(matches!(cause_of(&container), Some(Cause::Permanent { .. })));
        container.role = Role::Init;
        assert_eq!(cause_of(&container), None);
        (container.role, container.restarts) = (Role::Main, CRASHES_MAX - 1);
        assert_eq!(cause_of(&container), None);
    }

    #[test]
    fn what_never_runs_is_told_from_what_starts_soon() {
        let cases = [
            (("InvalidImageName", "", 0), Some(true)),
            (("CreateContainerConfigError", "configmap \"x\" not found", 0), Some(true)),
            (("CreateContainerError", "exec: not found", 0), Some(true)),
            (("CreateContainerError", "context deadline exceeded", 0), Some(false)),
            (("ErrImagePull", "a: not found", 0), Some(true)),
            (("ImagePullBackOff", "Back-off pulling image", 0), Some(false)),
            (("CrashLoopBackOff", "back-off 20s", CRASHES_MAX - 1), Some(false)),
            (("CrashLoopBackOff", "back-off 40s", CRASHES_MAX), Some(true)),
            (("ContainerCreating", "", 0), None),
            (("PodInitializing", "", 0), None),
        ];
        for ((reason, message, restarts), expected) in cases {
            assert_eq!(waiting(reason, message, restarts), expected, "{reason} {message}");
        }
    }
}
