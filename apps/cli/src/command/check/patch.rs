//! What `pin` would write, as a patch, as far as `images.lock` knows the digests. Nobody is asked.
//!
//! ```text
//! -        image: shop/api:1.4.2
//! +        image: shop/api:1.4.2@sha256:9f…
//! ```

use crate::command::pin::draft::{Draft, Outcome, Verb};
use crate::exit::Failure;
use crate::output::Output;
use flows::App;
use flows::files::{self, Answers, AskedFor, Lock, Moves, Requirements};
use pin::Style;
use std::path::PathBuf;

/// Prints it; nothing where the lock knows none of the names.
pub(super) fn print(
    app: &App,
    output: Output,
    paths: &[PathBuf],
    requirements: &Requirements,
) -> Result<(), Failure> {
    let lock = Lock::find(app.root())?.unwrap_or_default();
    let answers: Answers = lock
        .images
        .into_iter()
        .map(|(name, locked)| (name, AskedFor::Digest(locked.digest)))
        .collect();
    let sources = files::read(&app.surroundings().cwd, paths)?;
    let draft = files::plan(
        sources,
        &answers.into(),
        &Moves::default(),
        Style::TagDigest,
        &requirements.rules,
    );
    let again = "indelible pin";
    let told = Draft { verb: Verb::Pin, outcome: Outcome::Shown, again, paths, draft: &draft };
    output.text(&told.diff());
    Ok(())
}
