//! Carrying a plan out: files of this work tree, or one commit on the environment's branch; then the record.

use super::error::DeployError;
use super::facts::next_key;
use super::message::message;
use super::{Done, ImageDone, Report, Run};
use crate::app::App;
use crate::edit::{Edited, Setting, TextFile, edit_file};
use crate::files::{Rewrite, text_files, write_all};
use crate::seam::environment_state;
use crate::settings::{DeployMode, EnvironmentSettings};
use ::record::claim::{
    Claim, ClaimKey, DeployClaim, DeployKind, Grade, Mode, NamedBy, Outcome, Text,
};
use domain::{CommitId, Digest, EnvironmentName, EventId, ImageName, PinnedRef, Repository};
use git::{
    Change, EntryKind, Landing, LandingError, NewFile, Retry, Signature, Tree, TreePath, WriteBack,
};

/// One image's change, decided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// The image.
    pub image: ImageName,
    /// Its repository here.
    pub repository: Repository,
    /// What is intended until then.
    pub from: Option<Digest>,
    /// What files are to say.
    pub to: PinnedRef,
    /// How it is recorded.
    pub how: DeployKind,
    /// Who chose the build.
    pub named_by: NamedBy,
    /// The claim's key, which also stands in the commit. It names the deploy that this one follows: of two
    /// that follow the same, one is recorded.
    pub key: ClaimKey,
    /// Why.
    pub reason: Option<Text>,
    /// A ticket.
    pub ticket: Option<Text>,
    /// What a person should know.
    pub warnings: Vec<String>,
    /// Whether the record hears of it.
    pub say: Say,
}

/// Whether a step is new to the record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Say {
    /// It is a deploy.
    New,
    /// The record says it already; only files that say something else are written.
    Known,
}

impl Step {
    pub(super) fn named(&self) -> String {
        match &self.to.tag {
            Some(tag) => format!("{} {tag}", self.image),
            None => format!("{} {}", self.image, self.to.digest.short()),
        }
    }

    pub(super) fn verb(&self) -> &'static str {
        match &self.how {
            DeployKind::Rollback { .. } => "rollback",
            DeployKind::Promote { .. } => "promote",
            DeployKind::Deploy
            | DeployKind::PromotedByMerge { .. }
            | DeployKind::Noted
            | DeployKind::Imported => "deploy",
        }
    }

    pub(super) fn condemns(&self) -> Option<Digest> {
        match &self.how {
            DeployKind::Rollback { condemns, .. } => Some(*condemns),
            DeployKind::Deploy
            | DeployKind::Promote { .. }
            | DeployKind::PromotedByMerge { .. }
            | DeployKind::Noted
            | DeployKind::Imported => None,
        }
    }
}

/// What was written where.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Applied {
    /// The commit that says it, where git was written.
    pub commit: Option<CommitId>,
    /// Places that changed.
    pub changed: Vec<String>,
    /// Places that said it already.
    pub same: Vec<String>,
}

/// What one image's decision came to.
pub(super) enum Decision {
    Step(Box<Step>),
    Done(Box<ImageDone>),
}

/// Carries out all decisions of one environment and records them.
pub(super) async fn carry_out(
    app: &App,
    environment: &EnvironmentSettings,
    decisions: Vec<Decision>,
    run: Run,
) -> Result<Report, DeployError> {
    let steps: Vec<&Step> = decisions
        .iter()
        .filter_map(|decision| match decision {
            Decision::Step(step) => Some(step.as_ref()),
            Decision::Done(_) => None,
        })
        .collect();
    let mode = match environment.deploy {
        DeployMode::Files => Mode::Files,
        DeployMode::Git => Mode::Git,
    };
    let applied = match (steps.is_empty(), environment.deploy) {
        (true, _) => Applied::default(),
        (false, DeployMode::Files) => in_files(app, environment, &steps, run)?,
        (false, DeployMode::Git) => in_git(app, environment, &steps, run).await?,
    };
    let events = match run {
        Run::Dry => vec![None; steps.len()],
        Run::Real => {
            let new: Vec<&Step> =
                steps.iter().copied().filter(|step| step.say == Say::New).collect();
            let mut ids = record(app, environment, mode, &new, &applied).await?.into_iter();
            let id = |step: &&Step| (step.say == Say::New).then(|| ids.next()).flatten();
            steps.iter().map(id).collect()
        }
    };
    let mut events = events.into_iter();
    let images = decisions.into_iter().map(|decision| match decision {
        Decision::Done(done) => *done,
        Decision::Step(step) => {
            let event = events.next().flatten();
            done(*step, &applied, event)
        }
    });
    Ok(Report {
        environment: environment.name.clone(),
        mode,
        grade: Grade::Applied,
        images: images.collect(),
        commit: applied.commit,
        is_dry_run: run == Run::Dry,
    })
}

fn done(step: Step, applied: &Applied, event: Option<EventId>) -> ImageDone {
    let (image, mut warnings, digest) = (step.image.clone(), step.warnings.clone(), step.to.digest);
    if step.say == Say::Known {
        if !applied.changed.is_empty() {
            let places = applied.changed.join(", ");
            warnings.push(format!("files said something else and were written: {places}"));
        }
        return ImageDone { image, what: Done::Same { digest }, warnings };
    }
    let what = Done::Changed {
        from: step.from,
        to: digest,
        condemns: step.condemns(),
        how: step.how.word(),
        tag: step.to.tag,
        places: applied.changed.clone(),
        event,
    };
    ImageDone { image, what, warnings }
}

fn settings_of(steps: &[&Step]) -> Vec<Setting> {
    let setting =
        |step: &&Step| Setting { repository: step.repository.clone(), to: step.to.clone() };
    steps.iter().map(setting).collect()
}

/// Every image must have a place, and no place may be passed over silently.
fn check(
    edited: &Edited,
    path: &str,
    texts: &[TextFile],
    steps: &[&Step],
) -> Result<(), DeployError> {
    if let Some((place, why)) = edited.skipped.first() {
        return Err(DeployError::LeftAlone { place: place.clone(), why: why.clone() });
    }
    for step in steps {
        let mut alone = Edited::default();
        let setting = Setting { repository: step.repository.clone(), to: step.to.clone() };
        for file in texts {
            edit_file(file, std::slice::from_ref(&setting), &mut alone)?;
        }
        if alone.changed.is_empty() && alone.same.is_empty() {
            let (path, repository) = (path.to_owned(), step.repository.clone());
            return Err(DeployError::NoPlace { path, repository });
        }
    }
    Ok(())
}

fn edit_all(texts: &[TextFile], path: &str, steps: &[&Step]) -> Result<Edited, DeployError> {
    let settings = settings_of(steps);
    let mut edited = Edited::default();
    for file in texts {
        edit_file(file, &settings, &mut edited)?;
    }
    check(&edited, path, texts, steps)?;
    Ok(edited)
}

fn in_files(
    app: &App,
    environment: &EnvironmentSettings,
    steps: &[&Step],
    run: Run,
) -> Result<Applied, DeployError> {
    let path = &environment.git.path;
    let texts = text_files(app.root(), path)?;
    let edited = edit_all(&texts, path, steps)?;
    if run == Run::Real {
        let rewrite = |file: &TextFile| {
            let old = texts.iter().find(|old| old.path == file.path)?;
            Some(Rewrite {
                path: app.root().join(&file.path),
                shown: file.path.clone(),
                old: old.text.clone(),
                new: file.text.clone(),
            })
        };
        write_all(&edited.files.iter().filter_map(rewrite).collect::<Vec<_>>())?;
    }
    Ok(Applied { commit: None, changed: edited.changed, same: edited.same })
}

/// Checks on a new tip that nobody has decided about these images since the plan was made.
///
/// Without it a push that was refused once could put a build back that a rollback has just left.
async fn still_next(
    app: &App,
    environment: &EnvironmentName,
    steps: &[&Step],
) -> Result<(), DeployError> {
    let record = app.record().await?;
    record.refresh().await?;
    let state = environment_state(record, environment).await?;
    let is_overtaken =
        |step: &&&Step| step.say == Say::New && next_key(&state, &step.image) != step.key;
    match steps.iter().find(is_overtaken) {
        Some(step) => Err(DeployError::Overtaken {
            image: step.image.clone(),
            environment: environment.clone(),
        }),
        None => Ok(()),
    }
}

/// The write-back to the environment's branch.
pub(super) async fn write_back(
    app: &App,
    environment: &EnvironmentSettings,
) -> Result<WriteBack, DeployError> {
    let target = &environment.git;
    let (remote, credential) = app.remote(target.repository.as_ref()).await?;
    let cache = app.cache_of(&remote, &target.branch);
    let git = app.git().await.map_err(crate::app::OpenError::from)?;
    Ok(WriteBack::new(git, remote, credential, target.branch.clone(), &cache))
}

async fn in_git(
    app: &App,
    environment: &EnvironmentSettings,
    steps: &[&Step],
    run: Run,
) -> Result<Applied, DeployError> {
    let write_back = write_back(app, environment).await?;
    let of_git = |source| DeployError::Git { environment: environment.name.clone(), source };
    let path = environment.git.path.as_str();
    if run == Run::Dry {
        let tree = write_back.tree().await.map_err(of_git)?;
        let edited = edit_all(&texts(&tree, path).await?, path, steps)?;
        return Ok(Applied { commit: None, changed: edited.changed, same: edited.same });
    }
    let actor = app.actor(domain::Proof::Git);
    let message = message(&environment.name, steps, &actor, write_back.remote())?;
    let signature = Signature::new(actor.name(), &app.email(), app.surroundings().now())?;
    let applied = std::sync::Mutex::new(Applied::default());
    let landing = write_back
        .land(&signature, Retry::seeded(app.surroundings().seed()), |tree: Tree| {
            let (applied, message) = (&applied, message.clone());
            async move {
                still_next(app, &environment.name, steps).await?;
                let edited = edit_all(&texts(&tree, path).await?, path, steps)?;
                let files =
                    edited.files.into_iter().map(new_file).collect::<Result<Vec<_>, _>>()?;
                let now = Applied { commit: None, changed: edited.changed, same: edited.same };
                *applied.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = now;
                let change = Change { files, message };
                Ok::<_, DeployError>((!change.files.is_empty()).then_some(change))
            }
        })
        .await;
    let mut applied = applied.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    applied.commit = match landing {
        Ok(Landing::Landed { commit, .. }) => Some(commit),
        // The branch says it already: a run before this one landed, and was cut off before the record.
        Ok(Landing::Nothing { tip }) => Some(tip),
        Err(LandingError::Git(error)) => return Err(of_git(error)),
        Err(LandingError::Edit(error)) => return Err(error),
    };
    Ok(applied)
}

fn new_file(file: TextFile) -> Result<NewFile, DeployError> {
    let path: TreePath =
        file.path.parse().map_err(|error: git::TreePathError| DeployError::File {
            action: "write",
            path: file.path.clone().into(),
            source: std::io::Error::other(error),
        })?;
    Ok(NewFile { path, bytes: file.text.into_bytes() })
}

/// The text files of a commit below a folder that can name an image.
async fn texts(tree: &Tree, below: &str) -> Result<Vec<TextFile>, DeployError> {
    let wrong = |source: Box<dyn std::error::Error + Send + Sync>| DeployError::File {
        action: "look through",
        path: below.into(),
        source: std::io::Error::other(source),
    };
    let folder: Option<TreePath> = match below {
        "" => None,
        path => Some(path.parse().map_err(|error: git::TreePathError| wrong(error.into()))?),
    };
    let entries = tree.list(folder.as_ref()).map_err(|error| wrong(error.into()))?;
    let is_file = |kind: EntryKind| matches!(kind, EntryKind::File | EntryKind::Executable);
    let can_name = |path: &str| pin::classify(path, "apiVersion: v1\nkind: X\n").is_some();
    let paths: Vec<TreePath> = entries
        .into_iter()
        .filter(|entry| is_file(entry.kind) && can_name(entry.path.as_str()))
        .map(|entry| entry.path)
        .collect();
    let all = tree.read_all(&paths).await.map_err(|error| wrong(error.into()))?;
    let text = |(path, bytes): (TreePath, Vec<u8>)| {
        Some(TextFile { path: path.as_str().to_owned(), text: String::from_utf8(bytes).ok()? })
    };
    Ok(paths.into_iter().zip(all).filter_map(text).collect())
}

/// Records the steps; the `Deploy-Id` in the commit's trailers is the key of the claim.
async fn record(
    app: &App,
    environment: &EnvironmentSettings,
    mode: Mode,
    steps: &[&Step],
    applied: &Applied,
) -> Result<Vec<EventId>, DeployError> {
    let claim = |step: &&Step| {
        Claim::Deploy(DeployClaim {
            key: step.key.clone(),
            environment: environment.name.clone(),
            image: step.image.clone(),
            repository: step.repository.clone(),
            from: step.from,
            to: step.to.digest,
            tag: step.to.tag.clone(),
            how: step.how.clone(),
            named_by: step.named_by,
            mode,
            grade: Grade::Applied,
            outcome: Outcome::Done,
            commit: applied.commit.clone(),
            places: applied.changed.iter().chain(&applied.same).take(100).cloned().collect(),
            reason: step.reason.clone(),
            ticket: step.ticket.clone(),
        })
    };
    if steps.is_empty() {
        return Ok(Vec::new());
    }
    let recorded = app.record().await?.append(steps.iter().map(claim).collect()).await?;
    Ok(recorded.iter().map(crate::seam::Recorded::id).collect())
}
