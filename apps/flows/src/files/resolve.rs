//! What tags name now: each asked for once, many at a time, so many of each registry.
//!
//! ```text
//! {shop/api:1.4, shop/web:latest}  ->  shop/api:1.4 is sha256:9f…, shop/web:latest is not there
//! ```
//! Who asks is the caller's: a function from a tagged reference to its digest. A registry that cannot be
//! reached, or wants to be left alone, is not asked for the rest of its tags.

use crate::registries::RegistryError;
use domain::{Digest, ImageRef, RegistryHost, Tag, TaggedRef};
use futures_util::stream::{self, StreamExt as _};
use remote::{RemoteError, Stage};
use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

/// The most questions to one registry that wait for answers at once. Source: research/pin.md §6.3.
pub const IN_FLIGHT_MAX: usize = 64;
/// The same for Docker Hub, which counts them. Source: research/pin.md §6.3.
pub const IN_FLIGHT_HUB_MAX: usize = 16;
/// The most registries that are asked at once: each has connections of its own.
pub const HOSTS_AT_ONCE_MAX: usize = 16;
/// The tag that clients put in for none.
const TAG_DEFAULT: &str = "latest";

/// What came of one question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AskedFor {
    /// The tag names this digest now.
    Digest(Digest),
    /// There is no such tag.
    NotThere,
    /// It could not be found out, and why.
    Unknown(String),
}

/// The answers to all questions.
pub type Answers = BTreeMap<TaggedRef, AskedFor>;

/// Why a question has no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Silence {
    /// For people.
    pub why: String,
    /// What it keeps from being known.
    pub of: SilenceOf,
}

/// What has no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SilenceOf {
    /// This one reference.
    Reference,
    /// Whatever its registry would be asked.
    Registry,
}

impl From<RegistryError> for Silence {
    fn from(error: RegistryError) -> Self {
        if let RegistryError::Remote { source, .. } = &error
            && matches!(
                source,
                RemoteError::Unreachable { stage: Stage::Connecting, .. }
                    | RemoteError::RateLimited { .. }
                    | RemoteError::Setup { .. }
            )
        {
            return Self { why: chain(source), of: SilenceOf::Registry };
        }
        Self { why: chain(&error), of: SilenceOf::Reference }
    }
}

/// How many of the questions have an answer, for whoever waits.
#[derive(Debug, Default)]
pub struct Progress {
    done: AtomicUsize,
    all: AtomicUsize,
}

impl Progress {
    /// Answered, and asked in all.
    #[must_use]
    pub fn now(&self) -> (usize, usize) {
        (self.done.load(Ordering::Relaxed), self.all.load(Ordering::Relaxed))
    }

    pub(super) fn expects(&self, more: usize) {
        self.all.fetch_add(more, Ordering::Relaxed);
    }

    pub(super) fn one_more(&self) {
        self.done.fetch_add(1, Ordering::Relaxed);
    }
}

/// What a reference without a digest asks for; nothing where it has one.
pub(super) fn asks_for(reference: &ImageRef) -> Option<TaggedRef> {
    match reference {
        ImageRef::Bare(repository) => {
            let tag: Tag = TAG_DEFAULT.parse().expect("a literal tag");
            Some(TaggedRef { repository: repository.clone(), tag })
        }
        ImageRef::Tagged(tagged) => Some(tagged.clone()),
        ImageRef::Pinned(_) => None,
    }
}

/// Asks for each once; a question that fails is an answer too.
pub async fn resolve<Asked>(
    wanted: BTreeSet<TaggedRef>,
    progress: &Progress,
    ask: impl Fn(TaggedRef) -> Asked,
) -> Answers
where
    Asked: Future<Output = Result<Option<Digest>, Silence>>,
{
    progress.expects(wanted.len());
    let mut hosts: BTreeMap<RegistryHost, Vec<TaggedRef>> = BTreeMap::new();
    for one in wanted {
        hosts.entry(one.repository.host().clone()).or_default().push(one);
    }
    let each = hosts.into_iter().map(|(host, wanted)| {
        let at_once = if host.is_docker_hub() { IN_FLIGHT_HUB_MAX } else { IN_FLIGHT_MAX };
        of_one(wanted, at_once, progress, &ask)
    });
    let answers: Vec<Answers> =
        stream::iter(each).buffer_unordered(HOSTS_AT_ONCE_MAX).collect().await;
    answers.into_iter().flatten().collect()
}

/// Asks one registry.
async fn of_one<Asked>(
    wanted: Vec<TaggedRef>,
    at_once: usize,
    progress: &Progress,
    ask: &impl Fn(TaggedRef) -> Asked,
) -> Answers
where
    Asked: Future<Output = Result<Option<Digest>, Silence>>,
{
    let closed: OnceLock<String> = OnceLock::new();
    let closed = &closed;
    let questions = wanted.into_iter().map(|one| async move {
        let answer = match closed.get() {
            Some(why) => AskedFor::Unknown(why.clone()),
            None => match ask(one.clone()).await {
                Ok(Some(digest)) => AskedFor::Digest(digest),
                Ok(None) => AskedFor::NotThere,
                Err(silence) => {
                    if silence.of == SilenceOf::Registry {
                        let _known = closed.set(silence.why.clone());
                    }
                    AskedFor::Unknown(silence.why)
                }
            },
        };
        progress.one_more();
        (one, answer)
    });
    stream::iter(questions).buffer_unordered(at_once).collect().await
}

/// An error with its causes, each once.
pub(super) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        let said = cause.to_string();
        if !text.contains(&said) {
            text.push_str(": ");
            text.push_str(&said);
        }
        next = cause.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted(references: &[String]) -> BTreeSet<TaggedRef> {
        let asked = |text: &String| asks_for(&text.parse::<ImageRef>().unwrap()).unwrap();
        references.iter().map(asked).collect()
    }

    fn names(host: &str, count: usize) -> Vec<String> {
        (0..count).map(|n| format!("{host}b:{n}")).collect()
    }

    #[tokio::test]
    async fn two_spellings_of_one_tag_are_one_question() {
        let asked = AtomicUsize::new(0);
        let names = ["nginx", "nginx:latest", "docker.io/library/nginx:latest"].map(str::to_owned);
        let progress = Progress::default();
        let answers = resolve(wanted(&names), &progress, |_| {
            asked.fetch_add(1, Ordering::Relaxed);
            async { Ok(None) }
        });
        assert_eq!(answers.await.into_values().collect::<Vec<_>>(), [AskedFor::NotThere]);
        assert_eq!(asked.load(Ordering::Relaxed), 1);
        assert_eq!(progress.now(), (1, 1));
    }

    #[tokio::test]
    async fn a_registry_that_nobody_reaches_is_not_asked_for_the_rest() {
        let asked = AtomicUsize::new(0);
        let names = [names("a.example.com/", 200), names("b.example.com/", 3)].concat();
        let answers = resolve(wanted(&names), &Progress::default(), |one| {
            asked.fetch_add(1, Ordering::Relaxed);
            let host = one.repository.host().to_string();
            async move {
                tokio::task::yield_now().await;
                let (why, of) = match host.as_str() {
                    "a.example.com" => ("nobody is there", SilenceOf::Registry),
                    _ => ("not for you", SilenceOf::Reference),
                };
                Err(Silence { why: why.to_owned(), of })
            }
        })
        .await;
        assert_eq!(asked.load(Ordering::Relaxed), IN_FLIGHT_MAX + 3, "only what was under way");
        assert_eq!(answers.len(), 203);
        let silent =
            answers.values().filter(|one| **one == AskedFor::Unknown("nobody is there".into()));
        assert_eq!(silent.count(), 200);
    }

    #[test]
    fn an_error_is_told_with_its_causes_and_says_whom_it_concerns() {
        let cause = || std::io::Error::other("connection refused").into();
        let unreachable = |stage| RegistryError::Remote {
            what: "cannot resolve a.example.com/b:1".to_owned(),
            source: RemoteError::Unreachable {
                place: "registry a.example.com".into(),
                stage,
                cause: cause(),
            },
        };
        let silence = Silence::from(unreachable(Stage::Connecting));
        assert_eq!(silence.of, SilenceOf::Registry);
        assert_eq!(silence.why, "registry a.example.com cannot be reached: connection refused");
        let broke = Silence::from(unreachable(Stage::Talking));
        assert_eq!(broke.of, SilenceOf::Reference);
        assert!(broke.why.starts_with("cannot resolve a.example.com/b:1: "), "{}", broke.why);
    }

    #[tokio::test]
    async fn each_registry_has_only_so_many_questions_at_once() {
        for (host, count, expected) in [
            ("a.example.com/", 200, IN_FLIGHT_MAX),
            ("", 200, IN_FLIGHT_HUB_MAX),
            ("a.example.com/", 3, 3),
        ] {
            let (now, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
            let names = names(host, count);
            let progress = Progress::default();
            let answers = resolve(wanted(&names), &progress, |_| async {
                most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                for _ in 0..3 {
                    tokio::task::yield_now().await;
                }
                now.fetch_sub(1, Ordering::SeqCst);
                Ok(None)
            });
            assert_eq!(answers.await.len(), count);
            assert_eq!(most.load(Ordering::SeqCst), expected, "{host}");
        }
    }
}
