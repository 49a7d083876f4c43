//! Who writes to which branch: one for each repository and branch, so that deploys of one process share their pushes.
//!
//! ```text
//! (git@git.example.com:shop/config.git, main)  ->  the one WriteBack of this process
//! ```

use crate::app::{App, OpenError};
use crate::settings::GitTarget;
use git::WriteBack;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

/// The branches that are written to, by the folders of their copies.
#[derive(Debug, Default)]
pub(crate) struct Writers(Mutex<BTreeMap<PathBuf, WriteBack>>);

impl App {
    /// The write-back to the branch of an environment.
    pub(crate) async fn write_back(&self, target: &GitTarget) -> Result<WriteBack, OpenError> {
        let (remote, credential) = self.remote(target.repository.as_ref()).await?;
        let cache = self.cache_of(&remote, &target.branch);
        let git = self.git().await?;
        let mut writers = self.writers.0.lock().unwrap_or_else(PoisonError::into_inner);
        let new = || WriteBack::new(git, remote, credential, target.branch.clone(), &cache);
        Ok(writers.entry(cache.clone()).or_insert_with(new).clone())
    }
}
