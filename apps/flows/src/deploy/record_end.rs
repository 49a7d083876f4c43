//! How deploys ended comes into the record, also where somebody else has begun the next one meanwhile.

use super::error::DeployError;
use crate::app::App;
use crate::seam::{RecordError, Recorded};
use ::record::claim::{Claim, DeployClaim};

/// Records how deploys ended, also those behind which another one has begun meanwhile.
///
/// An end takes the key that follows its beginning, so that whoever begins then sees it first. Where somebody has begun
/// already, that key is theirs, and the end is recorded under one of its own.
pub(super) async fn append_ends(
    app: &App,
    mut claims: Vec<DeployClaim>,
) -> Result<Vec<Recorded>, DeployError> {
    let record = app.record().await?;
    let mut tries = claims.len();
    loop {
        let told = record.append(claims.iter().cloned().map(Claim::Deploy).collect()).await;
        let error = match told {
            Ok(recorded) => return Ok(recorded),
            Err(error) => error,
        };
        let RecordError::KeyTaken { key, .. } = &error else { return Err(error.into()) };
        let overtaken = claims.iter_mut().find(|claim| claim.key.as_str() == key);
        let Some(overtaken) = overtaken.filter(|_| tries > 0) else { return Err(error.into()) };
        tries -= 1;
        overtaken.key = ::record::late_end_key(&overtaken.key);
    }
}
