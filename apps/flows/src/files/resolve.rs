//! What tags name now: each asked for once, many at a time.
//!
//! ```text
//! {shop/api:1.4, shop/web:latest}  ->  shop/api:1.4 is sha256:9f…, shop/web:latest is not there
//! ```
//! Who asks is the caller's: a function from a tagged reference to its digest.

use domain::{Digest, ImageRef, Tag, TaggedRef};
use futures_util::stream::{self, StreamExt as _};
use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;

/// The most questions that wait for answers at once. Source: research/pin.md §6.3.
pub const IN_FLIGHT_MAX: usize = 64;
/// Of these, the most that go to Docker Hub, which counts them. Source: research/pin.md §6.3.
pub const IN_FLIGHT_HUB_MAX: usize = 16;
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
pub async fn resolve<E, Asked>(
    wanted: BTreeSet<TaggedRef>,
    ask: impl Fn(TaggedRef) -> Asked,
) -> Answers
where
    E: std::error::Error,
    Asked: Future<Output = Result<Option<Digest>, E>>,
{
    let (hub, others): (Vec<_>, Vec<_>) =
        wanted.into_iter().partition(|one| one.repository.host().as_str() == "docker.io");
    let asked = |wanted: Vec<TaggedRef>, at_once: usize| {
        let questions = wanted.into_iter().map(|one| {
            let answer = ask(one.clone());
            async move { (one, told(answer.await)) }
        });
        stream::iter(questions).buffer_unordered(at_once).collect::<Answers>()
    };
    // Places kept for Docker Hub are of use to others where nothing is asked of it.
    let at_once = if hub.is_empty() { IN_FLIGHT_MAX } else { IN_FLIGHT_MAX - IN_FLIGHT_HUB_MAX };
    let (mut answers, others) = tokio::join!(asked(hub, IN_FLIGHT_HUB_MAX), asked(others, at_once));
    answers.extend(others);
    answers
}

fn told<E: std::error::Error>(answer: Result<Option<Digest>, E>) -> AskedFor {
    match answer {
        Ok(Some(digest)) => AskedFor::Digest(digest),
        Ok(None) => AskedFor::NotThere,
        Err(error) => AskedFor::Unknown(chain(&error)),
    }
}

/// An error with its causes, each once.
fn chain(error: &dyn std::error::Error) -> String {
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
    use std::sync::atomic::{AtomicUsize, Ordering};

    #[derive(Debug, thiserror::Error)]
    #[error("{host} gave no answer")]
    struct Silent {
        host: String,
        source: std::io::Error,
    }

    fn wanted(references: &[&str]) -> BTreeSet<TaggedRef> {
        let asked = |text: &&str| asks_for(&text.parse::<ImageRef>().unwrap()).unwrap();
        references.iter().map(asked).collect()
    }

    #[tokio::test]
    async fn two_spellings_of_one_tag_are_one_question() {
        let asked = AtomicUsize::new(0);
        let wanted = wanted(&["nginx", "nginx:latest", "docker.io/library/nginx:latest"]);
        let answers = resolve(wanted, |_| {
            asked.fetch_add(1, Ordering::Relaxed);
            async { Ok::<_, Silent>(None) }
        });
        assert_eq!(answers.await.into_values().collect::<Vec<_>>(), [AskedFor::NotThere]);
        assert_eq!(asked.load(Ordering::Relaxed), 1);
    }

    #[tokio::test]
    async fn no_answer_is_unknown_and_says_why() {
        let answers = resolve(wanted(&["a.example.com/b:1"]), |one| async move {
            let source = std::io::Error::other("connection refused");
            Err(Silent { host: one.repository.host().to_string(), source })
        });
        let why = "a.example.com gave no answer: connection refused".to_owned();
        assert_eq!(answers.await.into_values().collect::<Vec<_>>(), [AskedFor::Unknown(why)]);
    }

    #[tokio::test]
    async fn only_so_many_questions_wait_at_once() {
        let (now, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let names = |host: &str| (0..200).map(|n| format!("{host}b:{n}")).collect::<Vec<_>>();
        let (others, at_hub) = (names("a.example.com/"), names(""));
        for (hub, expected) in
            [(0, IN_FLIGHT_MAX), (1, IN_FLIGHT_MAX - IN_FLIGHT_HUB_MAX + 1), (200, IN_FLIGHT_MAX)]
        {
            most.store(0, Ordering::SeqCst);
            let names = others.iter().chain(at_hub.iter().take(hub)).map(String::as_str);
            let answers = resolve(wanted(&names.collect::<Vec<_>>()), |_| async {
                most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                for _ in 0..3 {
                    tokio::task::yield_now().await;
                }
                now.fetch_sub(1, Ordering::SeqCst);
                Ok::<_, Silent>(None)
            });
            assert_eq!(answers.await.len(), 200 + hub);
            assert_eq!(most.load(Ordering::SeqCst), expected);
        }
    }
}
