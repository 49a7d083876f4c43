//! The record, wherever it is kept: claims go in, events come out in the order of their sequence.
//!
//! ```text
//! append([deploy B to prod])  ->  [01JQ…, new]        the record stamps who, when and the id
//! events(deploys of prod)     ->  [deploy A, deploy B]
//! ```
//! Implemented by a SQLite file ([`crate::record_local`]), a git branch ([`crate::record_git`]) and a server
//! ([`crate::record_http`]).

use crate::verdict::{Explain, Verdict};
use ::record::claim::{Claim, Kind, Right, RunId};
use ::record::{
    EnvironmentState, Facet, Gap, Landed, Moving, Run, RunPage, RunQuestion, Sequenced, Take,
    Watched,
};
use domain::{Actor, CommitId, EnvironmentName, EventId};
use futures_util::future::BoxFuture;

/// How many events one page has at most. Source: DESIGN §12, limits.
pub const PAGE: usize = 1_000;

/// Which events are asked for: of one of these kinds (none: of any), about all of these values.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Question {
    /// Kinds; empty: any.
    pub kinds: Vec<Kind>,
    /// Values that the event must be about, all of them.
    pub facets: Vec<(Facet, String)>,
    /// Kinds of which every event is asked for beside those, whatever it is about.
    pub or_kinds: Vec<Kind>,
}

impl Question {
    /// Events of these kinds.
    #[must_use]
    pub fn of(kinds: impl IntoIterator<Item = Kind>) -> Self {
        Self { kinds: kinds.into_iter().collect(), ..Self::default() }
    }

    /// Only those that are about this value too.
    #[must_use]
    pub fn about(mut self, facet: Facet, value: impl ToString) -> Self {
        self.facets.push((facet, value.to_string()));
        self
    }

    /// And beside those, all events of these kinds, in one sequence.
    #[must_use]
    pub fn or_of(mut self, kinds: impl IntoIterator<Item = Kind>) -> Self {
        self.or_kinds.extend(kinds);
        self
    }
}

/// A claim that is in the record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recorded {
    /// Its event.
    pub event: Sequenced,
    /// Whether this append made it; a retry finds its own.
    pub is_new: bool,
}

impl Recorded {
    /// The event's name.
    #[must_use]
    pub fn id(&self) -> EventId {
        self.event.event.stamp.id
    }
}

/// What `verify` looked at, and found whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checked {
    /// How many events.
    pub events: u64,
    /// Where its branch stands; `None`: it is kept on none.
    pub branch: Option<CheckedBranch>,
}

/// Where a record's branch stands, and what that was compared with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckedBranch {
    /// Its newest commit; `None`: nobody has begun it.
    pub tip: Option<CommitId>,
    /// What its newest commit was when it was seen from here before. `None`: it was not seen before, and a
    /// branch that somebody wound back looks like one that never went further.
    pub seen_before: Option<CommitId>,
}

/// Where a record is, for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordPlaceName {
    /// `local`, `git`, `file` or `server`.
    pub kind: &'static str,
    /// The path or address, without credentials.
    pub place: String,
}

impl RecordPlaceName {
    /// How a record begins there, for somebody who looked for one.
    fn begins(&self) -> String {
        let first = match self.kind {
            "file" => "check the path: the first `indelible publish` with it begins the record",
            "git" => "the first `indelible publish` begins the branch",
            "server" => {
                "the first `indelible publish` with it begins the record, and a token sees only \
                 its own repositories"
            }
            _ => "the first `indelible publish` on this machine begins it",
        };
        format!("{first}; `--record` or `record:` in indelible.yaml names another place")
    }
}

/// Why the record did not take or tell something.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// There is none, and the question is about what is in it.
    #[error("there is no record at {}", at.place)]
    Missing {
        /// Where it would be.
        at: RecordPlaceName,
    },
    /// The same key stands for another claim: somebody else was first.
    #[error("the record has another {kind} under the key `{key}`: event {existing}")]
    KeyTaken {
        /// The claim's kind.
        kind: &'static str,
        /// The key.
        key: String,
        /// The event that has it.
        existing: EventId,
    },
    /// The tag is reserved for another release.
    #[error("{repository}:{tag} is reserved for the release `{release}`")]
    Reserved {
        /// The repository.
        repository: String,
        /// The tag.
        tag: String,
        /// The release that has it.
        release: String,
    },
    /// Too many claims, or one that is too long.
    #[error("the claims cannot be recorded")]
    Limit(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// It says that the caller may not.
    #[error("the record at {place} does not allow it")]
    Denied {
        /// Where it is.
        place: String,
        /// What it said.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// It does not take what it was sent or asked, and would not the next time either.
    #[error("the record at {place} refuses it")]
    Refused {
        /// Where it is.
        place: String,
        /// What it said.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// It cannot be reached, read or written.
    #[error("the record at {place} cannot be used")]
    Unavailable {
        /// Where it is.
        place: String,
        /// Why.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// It was changed where it must not be.
    #[error("the record at {place} was tampered with")]
    Altered {
        /// Where it is.
        place: String,
        /// What was found.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

impl Explain for RecordError {
    fn verdict(&self) -> Verdict {
        match self {
            Self::KeyTaken { .. } | Self::Denied { .. } => Verdict::Refused,
            Self::Reserved { .. } => Verdict::Taken,
            // Nothing recorded is not "nothing happened".
            Self::Missing { .. }
            | Self::Limit(_)
            | Self::Refused { .. }
            | Self::Unavailable { .. }
            | Self::Altered { .. } => Verdict::Unknown,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Missing { at } => Some(at.begins()),
            Self::KeyTaken { .. } => {
                Some("somebody else decided meanwhile: run the command again".to_owned())
            }
            Self::Altered { .. } => Some("indelible record verify".to_owned()),
            Self::Denied { .. } => Some(
                "INDELIBLE_TOKEN carries a token of that server; an administrator makes one: \
                 indelible token create NAME --right claims --registry HOST"
                    .to_owned(),
            ),
            Self::Refused { .. } => Some(
                "a server of another version may not know what this one says: compare `indelible --version` on both sides"
                    .to_owned(),
            ),
            Self::Reserved { .. } | Self::Limit(_) | Self::Unavailable { .. } => None,
        }
    }
}

/// What was seen to run, as a record answers it without folding events.
pub trait Observed: Send + Sync {
    /// One page of container runs behind one of the same question (none: from the start), the earliest first, and
    /// always every stretch in which the cluster that is asked about, or any, was watched.
    fn runs<'a>(
        &'a self,
        question: &'a RunQuestion,
        after: Option<RunId>,
    ) -> BoxFuture<'a, Result<RunPage, RecordError>>;
}

/// A record.
pub trait Record: Observed {
    /// Where it is.
    fn place(&self) -> RecordPlaceName;

    /// Who is recorded as the actor of what this process appends.
    fn actor(&self) -> &Actor;

    /// Whether its caller has a right to record, as far as that is known before the first claim is sent.
    ///
    /// # Errors
    /// Says which right is missing.
    fn may(&self, right: Right) -> Result<(), RecordError>;

    /// Whether there is one yet. It begins with the first append: no question ever makes it.
    fn exists(&self) -> BoxFuture<'_, Result<bool, RecordError>>;

    /// Records claims, all or none; the same key with the same claim is found again, not repeated.
    fn append(&self, claims: Vec<Claim>) -> BoxFuture<'_, Result<Vec<Recorded>, RecordError>>;

    /// What every answer from here leaves out, because the caller may not read it.
    fn left_out(&self) -> Option<Gap>;

    /// Looks for what others have recorded meanwhile.
    fn refresh(&self) -> BoxFuture<'_, Result<(), RecordError>>;

    /// One page of events behind one of the same question (none: from the start), oldest first; none where
    /// there is no record yet.
    ///
    /// Sequence numbers order the events of one question. A server gives them anew for each, because
    /// numbers with holes would tell how much there is that the caller may not read.
    fn events<'a>(
        &'a self,
        question: &'a Question,
        after: Option<&'a Sequenced>,
    ) -> BoxFuture<'a, Result<Vec<Sequenced>, RecordError>>;

    /// Takes events over from another record: each is stamped here, its stamp there inside. What cannot land is
    /// told of each event and stops none; to do it again adds nothing.
    ///
    /// `until` is the newest event of this record that was looked at when the orders of the two were compared.
    fn import(
        &self,
        moving: Vec<Moving>,
        until: Option<EventId>,
        take: Take,
    ) -> BoxFuture<'_, Result<Vec<Landed>, RecordError>>;

    /// Checks that nothing that was recorded has been changed, as far as that can be told from here.
    fn verify(&self) -> BoxFuture<'_, Result<Checked, RecordError>>;
}

/// All events that answer a question, oldest first.
///
/// # Errors
/// The record cannot be read.
pub async fn all(record: &dyn Record, question: &Question) -> Result<Vec<Sequenced>, RecordError> {
    let mut events: Vec<Sequenced> = Vec::new();
    loop {
        let page = record.events(question, events.last()).await?;
        let is_last = page.len() < PAGE;
        events.extend(page);
        if is_last {
            return Ok(events);
        }
    }
}

/// Hands every run that answers a question on, page by page; gives what was watched.
///
/// # Errors
/// The record cannot be read.
pub async fn each_run(
    record: &dyn Record,
    question: &RunQuestion,
    mut take: impl FnMut(Run),
) -> Result<Vec<Watched>, RecordError> {
    let mut after = None;
    loop {
        let page = record.runs(question, after).await?;
        page.runs.into_iter().for_each(&mut take);
        after = page.next;
        if after.is_none() {
            return Ok(page.watched);
        }
    }
}

/// What the record says about one environment.
///
/// # Errors
/// The record cannot be read.
pub async fn environment_state(
    record: &dyn Record,
    name: &EnvironmentName,
) -> Result<EnvironmentState, RecordError> {
    Ok(EnvironmentState::of(name, &all(record, &environment_question(name)).await?))
}

/// The question whose events tell the state of one environment.
#[must_use]
pub fn environment_question(name: &EnvironmentName) -> Question {
    // A block names no environment: it holds in each.
    Question::of([Kind::Build, Kind::Deploy, Kind::Allow, Kind::Hold, Kind::Imported])
        .about(Facet::Environment, name)
        .or_of([Kind::Block])
}
