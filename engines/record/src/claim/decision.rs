//! What people decide beside deploys: allow, block, hold; and a tag that is spoken for.

use super::{ClaimKey, Text};
use domain::{Digest, EnvironmentName, EventId, ImageName, Repository, Tag};
use serde::{Deserialize, Serialize};

/// A named person lets a digest into an environment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AllowClaim {
    /// See [`super::ClaimKey`].
    pub key: ClaimKey,
    /// Which image.
    pub digest: Digest,
    /// Where.
    pub environment: EnvironmentName,
    /// Why.
    pub reason: Text,
}

/// Somebody forbids a digest in every environment, or takes that back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BlockClaim {
    /// See [`super::ClaimKey`].
    pub key: ClaimKey,
    /// Which image.
    pub digest: Digest,
    /// `true`: forbidden from now on; `false`: no longer.
    pub blocked: bool,
    /// Why.
    pub reason: Text,
}

/// Whether automation waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum HoldState {
    /// It waits.
    Held,
    /// It may go on.
    Resumed,
}

/// Automation must wait for an environment, or may go on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HoldClaim {
    /// See [`super::ClaimKey`].
    pub key: ClaimKey,
    /// Where.
    pub environment: EnvironmentName,
    /// One image, or all of them.
    pub image: Option<ImageName>,
    /// Held or resumed.
    pub state: HoldState,
    /// Why.
    pub reason: Option<Text>,
}

/// A tag belongs to a release before it is pushed: create-only where the registry cannot promise it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReservationClaim {
    /// See [`super::ClaimKey`].
    pub key: ClaimKey,
    /// Where.
    pub repository: Repository,
    /// Which name.
    pub tag: Tag,
    /// The release that it belongs to: provider, run and job; the same release asks again on a retry.
    pub release: String,
}

/// Something for people to remember, about an environment or an event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NoteClaim {
    /// See [`super::ClaimKey`].
    pub key: ClaimKey,
    /// About which environment.
    pub environment: Option<EnvironmentName>,
    /// About which event.
    pub about: Option<EventId>,
    /// The text.
    pub text: Text,
}
