//! Whether a remote lets us push, without pushing.
//!
//! ```text
//! git push --dry-run REMOTE COMMIT:refs/heads/indelible/doctor   ->  the server opened itself for writing, or did not
//! ```
//! The server checks who we are before it says what it has; a branch that it protects is checked when something is pushed.

use crate::cache::Pushed;
use crate::error::GitError;
use crate::message::Message;
use crate::signature::Signature;
use crate::write_back::WriteBack;
use domain::Timestamp;

/// A branch that nobody has: what is offered there is new for sure.
const BRANCH: &str = "indelible/doctor";

/// What the remote said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MayPush {
    /// It takes pushes of ours.
    Yes,
    /// It does not, in its words.
    No(String),
    /// It could not be told, in git's words.
    Unclear(String),
}

impl WriteBack {
    /// Asks; the remote is not changed.
    ///
    /// # Errors
    /// It could not be found out.
    pub async fn may_push(&self) -> Result<MayPush, GitError> {
        let at = Timestamp::from_millis(0);
        let signature = Signature::new("indelible", "indelible@localhost", at)
            .expect("a literal name and address");
        let message = Message::new("Nothing").expect("a literal subject");
        match self
            .cache()
            .offer(&signature, &message, &BRANCH.parse().expect("a literal branch"))
            .await
        {
            Ok(Pushed::Landed) => Ok(MayPush::Yes),
            Ok(Pushed::Refused { said }) => Ok(MayPush::No(said)),
            Ok(Pushed::Unclear { said }) => Ok(MayPush::Unclear(said)),
            Err(error @ GitError::AuthRefused { .. }) => Ok(MayPush::No(error.to_string())),
            Err(error) => Err(error),
        }
    }
}
