//! Whom `pin` and `check --online` ask, and how old an answer may be.
//!
//! ```text
//! --max-age 0      every registry is asked anew
//! --offline        nobody is asked: images.lock and earlier answers
//! ```

use crate::exit::Failure;
use crate::output::Output;
use clap::Args;
use domain::TaggedRef;
use flows::App;
use flows::files::{self, Ask, Found, Lock, MAX_AGE_MS_DEFAULT, Progress};
use std::collections::BTreeSet;

/// How digests are looked up.
#[derive(Clone, Debug, Args)]
pub(crate) struct Lookup {
    /// Ask no registry: take what images.lock says, else what was asked before
    #[arg(long)]
    pub(crate) offline: bool,
    /// How old an answer may be that was asked before, such as 10m or 2h; 0 asks anew [default: 10m]
    #[arg(long, value_name = "DURATION", value_parser = age)]
    pub(crate) max_age: Option<i64>,
}

/// A length of time in milliseconds, or a plain 0.
pub(crate) fn age(text: &str) -> Result<i64, String> {
    if text == "0" {
        return Ok(0);
    }
    record::when::parse_length(text)
        .ok_or_else(|| "it is no length of time: write 10m, 2h or 3d".to_owned())
}

impl Lookup {
    /// What each name names, and what was said on the way.
    pub(crate) async fn find(
        &self,
        app: &App,
        output: Output,
        wanted: BTreeSet<TaggedRef>,
    ) -> Result<Found, Failure> {
        let ask = match self.offline {
            true => Ask::Nobody {
                max_age_ms: self.max_age,
                lock: Lock::find(app.root())?.unwrap_or_default(),
            },
            false => Ask::Registries { max_age_ms: self.max_age.unwrap_or(MAX_AGE_MS_DEFAULT) },
        };
        let progress = Progress::default();
        let looked = files::look_up(app, wanted, &ask, &progress);
        let found = crate::progress::shown(output, &progress, looked).await?;
        for note in &found.notes {
            output.talk(note);
        }
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_age_is_a_length_of_time_or_none_at_all() {
        assert_eq!(age("0"), Ok(0));
        assert_eq!(age("10m"), Ok(600_000));
        assert_eq!(age("3d"), Ok(3 * 86_400_000));
        assert!(age("10").is_err() && age("soon").is_err() && age("-1m").is_err());
    }
}
