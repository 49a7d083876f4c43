//! Whether Argo CD or Flux has brought a commit to a cluster, by what their own object says.
//!
//! ```text
//! Application argocd/shop: revision 1a2b… is ours, Synced, Succeeded   -> Shown
//! Kustomization flux-system/shop: applied main@sha1:77…, not ours yet  -> Waiting
//! Kustomization … attempted ours, Ready False BuildFailed: …           -> Failed, with its message
//! ```
//! Which revisions hold our commit is an argument: only git knows. Nothing is asked here.

use domain::CommitId;
use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

/// The longest name of an object. Source: RFC 1123 subdomain, as Kubernetes asks for.
const NAME_LEN_MAX: usize = 253;

/// Which system's object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SyncKind {
    /// Argo CD.
    Application,
    /// Flux, of plain files.
    Kustomization,
    /// Flux, of a chart.
    HelmRelease,
}

/// An object that brings commits to a cluster: `application/argocd/shop`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SyncObject {
    /// Which kind.
    pub kind: SyncKind,
    /// Where it is.
    pub namespace: String,
    /// Its name.
    pub name: String,
}

/// The text names no object that brings commits.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{text}` is none of application/NAMESPACE/NAME, kustomization/NAMESPACE/NAME and helmrelease/NAMESPACE/NAME"
)]
pub struct SyncObjectError {
    text: String,
}

impl SyncKind {
    /// The word of the settings.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Application => "application",
            Self::Kustomization => "kustomization",
            Self::HelmRelease => "helmrelease",
        }
    }
}

impl fmt::Display for SyncObject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.kind.word(), self.namespace, self.name)
    }
}

impl FromStr for SyncObject {
    type Err = SyncObjectError;

    fn from_str(text: &str) -> Result<Self, SyncObjectError> {
        let wrong = || SyncObjectError { text: text.chars().take(120).collect() };
        let is_name = |name: &str| {
            let is_plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
            name.len() <= NAME_LEN_MAX
                && name.bytes().next().is_some_and(is_plain)
                && name.bytes().all(|b| is_plain(b) || matches!(b, b'-' | b'.'))
        };
        let mut words = text.split('/');
        let (Some(kind), Some(namespace), Some(name), None) =
            (words.next(), words.next(), words.next(), words.next())
        else {
            return Err(wrong());
        };
        let kinds = [SyncKind::Application, SyncKind::Kustomization, SyncKind::HelmRelease];
        let kind = kinds.into_iter().find(|one| one.word() == kind).ok_or_else(wrong)?;
        if !is_name(namespace) || !is_name(name) {
            return Err(wrong());
        }
        Ok(Self { kind, namespace: namespace.to_owned(), name: name.to_owned() })
    }
}

/// What such an object says of itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SyncFacts {
    /// The number of its newest change.
    pub generation: i64,
    /// The change that its controller has seen; none: it does not say.
    pub observed_generation: Option<i64>,
    /// Nobody brings anything until a person says so.
    pub stopped: Option<Stopped>,
    /// The commits that it says it has brought. Of several sources there are several.
    pub applied: Vec<CommitId>,
    /// The commits that it last tried to bring.
    pub attempted: Vec<CommitId>,
    /// Whether what it brought is as it should be: `Synced`, or `Ready`.
    pub is_settled: bool,
    /// Its own word for how far it is, with its message.
    pub state: Option<String>,
    /// Why the last try failed; none: it did not.
    pub failed: Option<String>,
}

/// Why nobody brings anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stopped {
    /// Flux was told to stop.
    Suspended,
    /// Argo CD waits for a person.
    Manual,
}

/// What an object's words come to for one commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Synced {
    /// It goes on.
    Waiting(String),
    /// It shows our commit, or one that holds it.
    Shown,
    /// It does not come by itself.
    Failed(String),
}

/// Judges what an object says for a commit; `ours` are the revisions that are it, or hold it.
#[must_use]
pub fn judge_sync(object: &SyncObject, facts: &SyncFacts, ours: &BTreeSet<CommitId>) -> Synced {
    let state = facts.state.clone().unwrap_or_else(|| "it says nothing yet".to_owned());
    if facts.observed_generation.is_some_and(|seen| seen < facts.generation) {
        return Synced::Waiting("its controller has not seen its newest change".to_owned());
    }
    // A chart's revision is the chart's own: that what holds the release shows our commit is waited for before.
    let counts = object.kind != SyncKind::HelmRelease;
    let holds = |list: &[CommitId]| !counts || list.iter().any(|one| ours.contains(one));
    if holds(&facts.applied) && facts.is_settled && facts.failed.is_none() {
        return Synced::Shown;
    }
    if let Some(why) = facts.failed.as_ref().filter(|_| holds(&facts.attempted)) {
        return Synced::Failed(why.clone());
    }
    match (facts.stopped, object.kind) {
        (Some(Stopped::Suspended), _) => Synced::Failed(format!(
            "it is suspended: flux resume {} {} --namespace {} lets it go on",
            object.kind.word(),
            object.name,
            object.namespace
        )),
        // Argo CD compares without being told; what it found is known by then.
        (Some(Stopped::Manual), _) if holds(&facts.applied) => Synced::Failed(format!(
            "it syncs only when it is told: argocd app sync {}/{}",
            object.namespace, object.name
        )),
        (Some(Stopped::Manual) | None, _) => Synced::Waiting(state),
    }
}

/// The commit that a revision names: `1a2b…`, `main@sha1:1a2b…`, `main/1a2b…`, `sha1:1a2b…`.
///
/// Source: fluxcd/flux2 RFC-0005, "Artifact Revision format"; Argo CD writes the bare commit.
#[must_use]
pub fn commit_of_revision(revision: &str) -> Option<CommitId> {
    let tail = revision.rsplit(['/', ':', '@']).next().unwrap_or(revision);
    tail.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn commit(digit: char) -> CommitId {
        digit.to_string().repeat(40).parse().unwrap()
    }

    fn object(text: &str) -> SyncObject {
        text.parse().unwrap()
    }

    fn ready(applied: char) -> SyncFacts {
        SyncFacts {
            generation: 2,
            observed_generation: Some(2),
            applied: vec![commit(applied)],
            attempted: vec![commit(applied)],
            is_settled: true,
            ..SyncFacts::default()
        }
    }

    #[test]
    fn a_revision_is_read_in_every_form_that_is_in_use() {
        let a = "a".repeat(40);
        for text in [
            a.clone(),
            format!("main@sha1:{a}"),
            format!("main/{a}"),
            format!("sha1:{a}"),
            format!("feature/x@sha1:{a}"),
            format!("refs/heads/main@sha1:{a}"),
        ] {
            assert_eq!(commit_of_revision(&text), Some(commit('a')), "{text}");
        }
        assert_eq!(commit_of_revision("1.2.3"), None);
        assert_eq!(commit_of_revision(""), None);
    }

    #[test]
    fn a_commit_is_shown_when_it_or_a_later_one_is_applied_and_settled() {
        let flux = object("kustomization/flux-system/shop");
        let ours: BTreeSet<_> = [commit('a'), commit('b')].into();
        assert_eq!(judge_sync(&flux, &ready('a'), &ours), Synced::Shown);
        assert_eq!(judge_sync(&flux, &ready('b'), &ours), Synced::Shown);
        assert!(matches!(judge_sync(&flux, &ready('c'), &ours), Synced::Waiting(_)));
        let unsettled = SyncFacts { is_settled: false, ..ready('a') };
        assert!(matches!(judge_sync(&flux, &unsettled, &ours), Synced::Waiting(_)));
        let stale = SyncFacts { generation: 3, ..ready('a') };
        assert!(matches!(judge_sync(&flux, &stale, &ours), Synced::Waiting(_)));
    }

    #[test]
    fn a_try_of_our_commit_that_failed_is_a_failure_and_one_of_another_is_not() {
        let argo = object("application/argocd/shop");
        let ours: BTreeSet<_> = [commit('a')].into();
        let failed = |attempted: char| SyncFacts {
            attempted: vec![commit(attempted)],
            failed: Some("one or more objects failed to apply".to_owned()),
            is_settled: false,
            ..ready('c')
        };
        let expected = Synced::Failed("one or more objects failed to apply".to_owned());
        assert_eq!(judge_sync(&argo, &failed('a'), &ours), expected);
        assert!(matches!(judge_sync(&argo, &failed('b'), &ours), Synced::Waiting(_)));
    }

    #[test]
    fn what_waits_for_a_person_says_so() {
        let ours: BTreeSet<_> = [commit('a')].into();
        let stopped = |stopped, applied| SyncFacts {
            stopped: Some(stopped),
            is_settled: false,
            ..ready(applied)
        };
        let flux = object("kustomization/flux-system/shop");
        let Synced::Failed(why) = judge_sync(&flux, &stopped(Stopped::Suspended, 'c'), &ours)
        else {
            panic!("it is suspended")
        };
        assert!(why.contains("flux resume kustomization shop --namespace flux-system"), "{why}");
        let argo = object("application/argocd/shop");
        let manual = |applied| judge_sync(&argo, &stopped(Stopped::Manual, applied), &ours);
        assert!(matches!(manual('c'), Synced::Waiting(_)), "it has not compared yet");
        assert!(matches!(manual('a'), Synced::Failed(_)));
    }

    #[test]
    fn a_release_of_a_chart_is_judged_by_its_readiness() {
        let helm = object("helmrelease/shop/api");
        let facts = SyncFacts { applied: Vec::new(), attempted: Vec::new(), ..ready('a') };
        assert_eq!(judge_sync(&helm, &facts, &BTreeSet::new()), Synced::Shown);
        let why = Some("upgrade retries exhausted".to_owned());
        let failed = SyncFacts { failed: why, is_settled: false, ..facts };
        assert!(matches!(judge_sync(&helm, &failed, &BTreeSet::new()), Synced::Failed(_)));
    }

    #[test]
    fn an_object_is_named_by_kind_namespace_and_name() {
        assert_eq!(object("application/argocd/shop").to_string(), "application/argocd/shop");
        for text in
            ["", "application/shop", "app/argocd/shop", "application/argocd/Shop", "a/b/c/d"]
        {
            assert!(text.parse::<SyncObject>().is_err(), "{text}");
        }
        let name = |len: usize| format!("application/argocd/{}", "a".repeat(len));
        assert!(name(NAME_LEN_MAX).parse::<SyncObject>().is_ok());
        assert!(name(NAME_LEN_MAX + 1).parse::<SyncObject>().is_err());
    }
}
