//! `pin --lock`: what is written into images.lock beside the files.
//!
//! ```text
//! indelible pin --lock            the whole tree: entries that no file names any more go
//! indelible pin deploy --lock     a part of it: other entries stay
//! ```

use super::next::count;
use crate::exit::Failure;
use crate::output::Output;
use flows::App;
use flows::files::{self, Found, LOCK_FILE, Lock, Moves, Others, Progress, Relocked, Sources};
use std::path::{Path, PathBuf};

/// The lock that is to be written.
#[derive(Debug, Default)]
pub(super) struct NewLock {
    relocked: Option<Relocked>,
}

impl NewLock {
    /// Makes it from what the files will name.
    pub(super) async fn of(
        app: &App,
        output: Output,
        sources: &Sources,
        found: &Found,
        moves: &Moves,
        paths: &[PathBuf],
    ) -> Result<Self, Failure> {
        let is_all = app.root() == app.surroundings().cwd && paths == [Path::new(".")];
        let others = if is_all { Others::Go } else { Others::Stay };
        let old = Lock::find(app.root())?.unwrap_or_default();
        let progress = Progress::default();
        let named = sources.named(found, moves);
        let relocked = files::relock(app, &old, &named, found, others, &progress);
        let relocked = crate::progress::shown(output, &progress, relocked).await?;
        Ok(Self { relocked: Some(relocked) })
    }

    /// Writes it, and says what it lacks; nothing where none was asked for.
    pub(super) fn write(&self, app: &App, output: Output) -> Result<(), Failure> {
        let Some(Relocked { lock, left }) = &self.relocked else {
            return Ok(());
        };
        lock.write(app.root())?;
        let images = count(lock.images.len(), "image");
        output.talk(format_args!("{LOCK_FILE}: {images}"));
        for (one, why) in left {
            output.talk(format_args!("{LOCK_FILE} has no {one}: {why}"));
        }
        Ok(())
    }
}
