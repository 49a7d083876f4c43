//! What people decide beside deploys: hold, resume, block, allow, note.
//!
//! ```text
//! hold prod api --reason "incident 17"  ->  automation waits; `deploy` says so and changes nothing
//! ```

use crate::app::{App, OpenError};
use crate::deploy::Run;
use crate::seam::{Question, RecordError, Recorded, all, environment_state};
use crate::verdict::{Explain, Verdict};
use ::record::claim::{AllowClaim, BlockClaim, HoldClaim, HoldState, Kind, Text, TextError};
use ::record::{Claim, Facet, key_after};
use domain::{Digest, EnvironmentName, EventId, ImageName};

/// Why a decision was not recorded.
#[derive(Debug, thiserror::Error)]
pub enum DecideError {
    /// Settings, record or git.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The record.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// The reason.
    #[error("the reason cannot be recorded")]
    Reason(#[from] TextError),
    /// A reason without a word.
    #[error("the reason is empty: the history keeps why")]
    NoReason,
    /// Several images, and none was named.
    #[error("{environment} has several images: {}", images.join(", "))]
    WhichImage {
        /// The environment.
        environment: EnvironmentName,
        /// Its images.
        images: Vec<String>,
    },
    /// One image was to go on, and the whole environment waits.
    #[error("`{image}` still waits: {environment} is held as a whole since {since} by {who}")]
    HeldAsAWhole {
        /// The environment.
        environment: EnvironmentName,
        /// What was to go on.
        image: ImageName,
        /// Since when.
        since: domain::Timestamp,
        /// Who holds it.
        who: String,
    },
    /// The settings have no such image.
    #[error("the settings have no image `{image}`; they have {known}")]
    NoImage {
        /// What was named.
        image: ImageName,
        /// Those that there are.
        known: String,
    },
}

impl Explain for DecideError {
    fn verdict(&self) -> Verdict {
        match self {
            Self::Open(error) => error.verdict(),
            Self::Record(error) => error.verdict(),
            Self::HeldAsAWhole { .. } => Verdict::Refused,
            Self::Reason(_) | Self::NoReason | Self::WhichImage { .. } | Self::NoImage { .. } => {
                Verdict::Unknown
            }
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Open(error) => error.hint(),
            Self::Record(error) => error.hint(),
            Self::WhichImage { environment, images } => {
                Some(format!("name one: indelible hold {environment} {}", images.first()?))
            }
            Self::HeldAsAWhole { environment, .. } => {
                Some(format!("indelible resume {environment}"))
            }
            Self::Reason(_) | Self::NoReason | Self::NoImage { .. } => None,
        }
    }
}

/// What became of a decision.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decided {
    /// It is recorded.
    New(EventId),
    /// It was so already, since this event.
    Already(EventId),
    /// It was never otherwise, so there is nothing to record.
    Never,
    /// It would be recorded: only planned.
    Would,
}

impl Decided {
    /// The event that says so; none of a plan, and where none was needed.
    #[must_use]
    pub fn event(self) -> Option<EventId> {
        match self {
            Self::New(event) | Self::Already(event) => Some(event),
            Self::Never | Self::Would => None,
        }
    }
}

impl From<Recorded> for Decided {
    fn from(recorded: Recorded) -> Self {
        if recorded.is_new { Self::New(recorded.id()) } else { Self::Already(recorded.id()) }
    }
}

pub(crate) fn text(reason: Option<&str>) -> Result<Option<Text>, TextError> {
    reason.map(|reason| Text::try_from(reason.to_owned())).transpose()
}

/// The reason of a decision: whoever gives one gives words.
fn reason_of(reason: &str) -> Result<Text, DecideError> {
    if reason.trim().is_empty() {
        return Err(DecideError::NoReason);
    }
    Ok(Text::try_from(reason.to_owned())?)
}

async fn say(app: &App, claim: Claim, run: Run) -> Result<Decided, DecideError> {
    match run {
        Run::Dry => return Ok(Decided::Would),
        Run::Real => {}
    }
    let recorded = app.record().await?.append(vec![claim]).await?;
    Ok(recorded.into_iter().next().expect("one claim makes one record").into())
}

/// The newest event of a kind about a value.
async fn newest(
    app: &App,
    kind: Kind,
    facet: Facet,
    value: &str,
) -> Result<Option<EventId>, DecideError> {
    let question = Question::of([kind]).about(facet, value);
    let events = all(app.record().await?, &question).await?;
    Ok(events.last().map(|event| event.event.stamp.id))
}

fn check_image(app: &App, image: &ImageName) -> Result<(), DecideError> {
    let known = &app.settings()?.images;
    if known.contains_key(image) {
        return Ok(());
    }
    let known: Vec<_> = known.keys().map(ImageName::as_str).collect();
    Err(DecideError::NoImage { image: image.clone(), known: known.join(", ") })
}

/// Holds or resumes an environment, or one of its images.
///
/// # Errors
/// An environment or image that the settings do not have, or a record that cannot be used.
pub async fn hold(
    app: &App,
    environment: &EnvironmentName,
    image: Option<&ImageName>,
    state: HoldState,
    reason: Option<&str>,
    run: Run,
) -> Result<Decided, DecideError> {
    app.environment(environment)?;
    let reason = reason.map(reason_of).transpose()?;
    if let Some(image) = image {
        check_image(app, image)?;
    }
    let now = environment_state(app.record().await?, environment).await?;
    let current = now.holds().get(&image.cloned());
    let is_so = match state {
        HoldState::Held => current.is_some(),
        HoldState::Resumed => current.is_none() && (image.is_some() || now.holds().is_empty()),
    };
    // Nothing would go on: the image waits with all the others.
    if let (HoldState::Resumed, Some(image), None, Some(whole)) =
        (state, image, current, now.holds().get(&None))
    {
        return Err(DecideError::HeldAsAWhole {
            environment: environment.clone(),
            image: image.clone(),
            since: whole.stamp.happened(),
            who: whole.stamp.who().to_string(),
        });
    }
    let last = newest(app, Kind::Hold, Facet::Environment, environment.as_str()).await?;
    if is_so {
        let since = current.map(|hold| hold.stamp.id).or(last);
        return Ok(since.map_or(Decided::Never, Decided::Already));
    }
    let key = key_after(&format!("hold/{environment}"), last);
    let (environment, image) = (environment.clone(), image.cloned());
    say(app, Claim::Hold(HoldClaim { key, environment, image, state, reason }), run).await
}

/// Whether a digest is forbidden.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Block {
    /// It is, in every environment.
    Set,
    /// It is no longer.
    Lifted,
}

/// Forbids a digest everywhere, or takes that back.
///
/// # Errors
/// A reason that cannot be recorded, or a record that cannot be used.
pub async fn block(
    app: &App,
    digest: Digest,
    block: Block,
    reason: &str,
    run: Run,
) -> Result<Decided, DecideError> {
    let reason = reason_of(reason)?;
    let blocked = block == Block::Set;
    let question = Question::of([Kind::Block]).about(Facet::Digest, digest);
    let events = all(app.record().await?, &question).await?;
    let last = events.last();
    if let Some(event) = last
        && matches!(&event.event.claim, Claim::Block(claim) if claim.blocked == blocked)
    {
        return Ok(Decided::Already(event.event.stamp.id));
    }
    if last.is_none() && block == Block::Lifted {
        return Ok(Decided::Never);
    }
    let key = key_after(&format!("block/{digest}"), last.map(|event| event.event.stamp.id));
    say(app, Claim::Block(BlockClaim { key, digest, blocked, reason }), run).await
}

/// Lets a digest into an environment.
///
/// # Errors
/// An environment that the settings do not have, or a record that cannot be used.
pub async fn allow(
    app: &App,
    digest: Digest,
    environment: &EnvironmentName,
    reason: &str,
    run: Run,
) -> Result<Decided, DecideError> {
    app.environment(environment)?;
    let reason = reason_of(reason)?;
    // A second allowance names the build again, which lifts a condemnation: it is an event of its own.
    let last = newest(app, Kind::Allow, Facet::Digest, &digest.to_string()).await?;
    let key = key_after(&format!("allow/{environment}/{digest}"), last);
    let environment = environment.clone();
    say(app, Claim::Allow(AllowClaim { key, digest, environment, reason }), run).await
}
