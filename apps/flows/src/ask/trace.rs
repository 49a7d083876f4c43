//! Both ways along the chain: from a digest, tag, commit or imageID to all that is recorded about it.

use super::AskError;
use super::tags::{TagHistoryRow, told};
use crate::app::App;
use crate::registries::Registries;
use crate::seam::{Question, Record, all};
use ::record::claim::Kind;
use ::record::trace::images_of;
use ::record::{Answer, Facet, Gap, Interval, Trace, intended_intervals};
use domain::{CommitId, Digest, EnvironmentName, ImageRef, Repository, Tag};
use std::collections::BTreeSet;

/// One image of the answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Traced {
    /// What is recorded about the image.
    pub trace: Trace,
    /// Where and when it was meant to run.
    pub intervals: Vec<Interval>,
    /// What registries of ours tell about its tags, oldest first.
    pub tags: Vec<(Repository, TagHistoryRow)>,
}

/// The answer, and how the question was understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TraceAnswer {
    /// `digest`, `tag`, `commit`.
    pub understood: &'static str,
    /// The images.
    pub answer: Answer<Traced>,
}

/// The fewest digits that are taken for a commit. Source: git, `core.abbrev`.
const SHORT_COMMIT_LEN_MIN: usize = 4;

/// What a text can mean.
enum Meaning {
    Digest(Digest),
    Tag { tag: Tag, repository: Option<String> },
    Commit(CommitId),
}

/// Traces a digest, a tag (`TAG` or `REPO:TAG`), a commit or a pasted imageID.
///
/// # Errors
/// The text can be none of these, or nothing is recorded about it.
pub async fn trace(app: &App, asked: &str) -> Result<TraceAnswer, AskError> {
    let record = app.record_to_read().await?;
    let meanings = meanings(app, asked).await?;
    let mut found: Vec<(Digest, Digest)> = Vec::new();
    let mut understood = "digest";
    for meaning in meanings {
        let (word, pairs) = look_up(record, &meaning).await?;
        if !pairs.is_empty() {
            (understood, found) = (word, pairs);
            break;
        }
    }
    let mut traced = Vec::new();
    let mut gaps = Vec::new();
    for (digest, asked) in found {
        let mut one = gather(record, digest, asked).await?;
        if !one.trace.is_empty() {
            gaps.extend(ask_registries(app, &mut one).await);
            traced.push(one);
        }
    }
    if traced.is_empty() {
        return Err(AskError::NothingKnown { asked: asked.to_owned() });
    }
    let intervals = traced.iter().flat_map(|one| &one.intervals);
    let basis = super::weakest(intervals.map(|interval| interval.basis));
    let mut answer = Answer::intended(traced);
    answer.basis = basis;
    answer.gaps.extend(gaps);
    Ok(TraceAnswer { understood, answer })
}

/// The forms in which people paste an image: with a runtime's prefix, a repository, or bare hex digits.
///
/// Source: `research/deploy.md` §2.3, the forms of `imageID`.
fn digest_in(asked: &str) -> Option<Digest> {
    let bare = asked.strip_prefix("docker-pullable://").or_else(|| asked.strip_prefix("docker://"));
    let bare = bare.unwrap_or(asked);
    let bare = bare.strip_prefix("containerd://").unwrap_or(bare);
    let last = bare.rsplit('@').next().unwrap_or(bare);
    let is_hex64 = last.len() == 64 && last.bytes().all(|b| b.is_ascii_hexdigit());
    let text = if is_hex64 { format!("sha256:{}", last.to_lowercase()) } else { last.to_owned() };
    text.parse().ok()
}

async fn meanings(app: &App, asked: &str) -> Result<Vec<Meaning>, AskError> {
    if let Some(digest) = digest_in(asked) {
        return Ok(vec![Meaning::Digest(digest)]);
    }
    let mut meanings = Vec::new();
    if let Ok(ImageRef::Tagged(tagged)) = asked.parse::<ImageRef>() {
        let path = tagged.repository.path().to_string();
        let path = path.strip_prefix("library/").map_or(path.clone(), str::to_owned);
        let is_named = asked.split('/').count() > 2 || !tagged.repository.host().is_docker_hub();
        let repository = if is_named { tagged.repository.to_string() } else { path };
        meanings.push(Meaning::Tag { tag: tagged.tag, repository: Some(repository) });
    }
    if let Ok(tag) = asked.parse::<Tag>() {
        meanings.push(Meaning::Tag { tag, repository: None });
    }
    match asked.parse::<CommitId>() {
        Ok(commit) => meanings.push(Meaning::Commit(commit)),
        // A short id, a branch or a git tag: git tells which commit is meant, where there is a checkout that
        // has it; a short id is also looked for among the recorded ones.
        Err(_) => {
            let found = match app.checkout().await.map_err(AskError::Git)? {
                Some(checkout) => checkout.find_commit(asked).await.ok(),
                None => None,
            };
            match found {
                Some(commit) => meanings.push(Meaning::Commit(commit)),
                None => meanings.extend(recorded_commits(app, asked).await?),
            }
        }
    }
    if meanings.is_empty() {
        return Err(AskError::NotTraceable { asked: asked.chars().take(200).collect() });
    }
    Ok(meanings)
}

/// The one recorded commit that begins with these digits.
async fn recorded_commits(app: &App, asked: &str) -> Result<Option<Meaning>, AskError> {
    let is_short = (SHORT_COMMIT_LEN_MIN..40).contains(&asked.len());
    if !is_short || !asked.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b)) {
        return Ok(None);
    }
    let builds = all(app.record_to_read().await?, &Question::of([Kind::Build])).await?;
    let sources = builds.iter().filter_map(|event| event.event.claim.as_build()?.source.as_ref());
    let fits = |commit: &&CommitId| commit.as_str().starts_with(asked);
    let found: BTreeSet<&CommitId> = sources.map(|source| &source.commit).filter(fits).collect();
    let count = found.len();
    match found.first() {
        Some(commit) if count == 1 => Ok(Some(Meaning::Commit((*commit).clone()))),
        Some(_) => Err(AskError::SeveralCommits { asked: asked.to_owned(), count }),
        None => Ok(None),
    }
}

/// The images that a meaning names, each with the digest that led to it.
async fn look_up(
    record: &dyn Record,
    meaning: &Meaning,
) -> Result<(&'static str, Vec<(Digest, Digest)>), AskError> {
    match meaning {
        Meaning::Digest(digest) => {
            let images =
                all(record, &Question::of([Kind::Image]).about(Facet::Digest, digest)).await?;
            Ok((
                "digest",
                images_of(&images, digest).into_iter().map(|image| (image, *digest)).collect(),
            ))
        }
        Meaning::Tag { tag, repository } => {
            let mut question =
                Question::of([Kind::Build, Kind::Deploy, Kind::TagChange]).about(Facet::Tag, tag);
            if let Some(repository) = repository {
                question = question.about(Facet::Repository, repository);
            }
            let events = all(record, &question).await?;
            let digests = events.iter().filter_map(|event| {
                let claim = &event.event.claim;
                let built = claim.as_build().map(|build| build.digest);
                let deployed = || claim.as_deploy().map(|deploy| deploy.to);
                let named = || claim.as_tag_change()?.change.names().copied();
                built.or_else(deployed).or_else(named)
            });
            Ok(("tag", unique(digests)))
        }
        Meaning::Commit(commit) => {
            let events = all(
                record,
                &Question::of([Kind::Build, Kind::Deploy]).about(Facet::Commit, commit),
            )
            .await?;
            let digests = events.iter().filter_map(|event| {
                let claim = &event.event.claim;
                let written =
                    claim.as_deploy().filter(|deploy| deploy.commit.as_ref() == Some(commit));
                claim.as_build().map(|build| build.digest).or_else(|| Some(written?.to))
            });
            Ok(("commit", unique(digests)))
        }
    }
}

fn unique(digests: impl Iterator<Item = Digest>) -> Vec<(Digest, Digest)> {
    let mut seen = BTreeSet::new();
    digests.filter(|digest| seen.insert(*digest)).map(|digest| (digest, digest)).collect()
}

async fn gather(record: &dyn Record, digest: Digest, asked: Digest) -> Result<Traced, AskError> {
    let events = all(record, &Question::default().about(Facet::Digest, digest)).await?;
    let trace = ::record::trace(&events, &digest, &asked);
    let environments: BTreeSet<&EnvironmentName> =
        trace.deploys.iter().map(|deploy| &deploy.claim.environment).collect();
    let mut intervals = Vec::new();
    for environment in environments {
        let state = crate::seam::environment_state(record, environment).await?;
        intervals.extend(intended_intervals(&state).into_iter().filter(|one| one.digest == digest));
    }
    intervals.sort_by_key(|interval| interval.from);
    let tags = Vec::new();
    Ok(Traced { trace, intervals, tags })
}

/// Asks the registries of ours that hold the image for the history of its tags; what is not told is a gap.
async fn ask_registries(app: &App, traced: &mut Traced) -> Option<Gap> {
    let mut names: BTreeSet<(Repository, Tag)> = BTreeSet::new();
    for (_, build) in &traced.trace.builds {
        let tags = build.tags.iter().chain(&build.aliases);
        names.extend(tags.map(|tag| (build.repository.clone(), tag.clone())));
    }
    for deploy in &traced.trace.deploys {
        let settings = app.loaded().map(|loaded| &loaded.settings);
        let alias =
            settings.and_then(|all| all.environment(&deploy.claim.environment)?.alias.clone());
        let tags = deploy.claim.tag.iter().cloned().chain(alias);
        names.extend(tags.map(|tag| (deploy.claim.repository.clone(), tag)));
    }
    let mut silent = BTreeSet::new();
    for (repository, tag) in names {
        let rows = match Registries::of(app) {
            Ok(registries) => told(&registries, &repository, Some(&tag)).await.ok().flatten(),
            Err(_) => None,
        };
        let Some(rows) = rows else {
            silent.insert(repository.host().to_string());
            continue;
        };
        let digest = Some(traced.trace.digest);
        let own = rows.items.into_iter().filter(|row| row.to == digest || row.from == digest);
        traced.tags.extend(own.map(|row| (repository.clone(), row)));
    }
    traced.tags.sort_by_key(|(_, row)| row.at);
    let silent: Vec<String> = silent.into_iter().collect();
    let why = format!("{} told no history of its tags", silent.join(", "));
    (!silent.is_empty()).then_some(Gap { from: None, until: None, why })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pasted_image_ids_hold_a_digest() {
        let hex = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";
        let digest: Digest = format!("sha256:{hex}").parse().unwrap();
        // Forms of containerd, CRI-O, cri-dockerd and plain files.
        for pasted in [
            format!("registry.example.com/shop/api@sha256:{hex}"),
            hex.to_owned(),
            format!("docker-pullable://shop/api@sha256:{hex}"),
            format!("docker://sha256:{hex}"),
            format!("sha256:{hex}"),
            format!("shop/api:1.4@sha256:{hex}"),
        ] {
            assert_eq!(digest_in(&pasted), Some(digest), "{pasted}");
        }
        assert_eq!(digest_in("1a2b3c4"), None);
    }
}
