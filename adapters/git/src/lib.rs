//! The git program, hardened, and the six things that Indelible does with it.
//!
//! ```text
//! Checkout      questions about the user's own repository; changes nothing in it
//! BranchStore   an append-only branch of files made once (`indelible/record`)
//! WriteBack     an edit made on a branch of somebody's repository, again after every refusal
//! Proposal      the same edit on a branch of ours beside it, for a pull request
//! Past          what each commit did to the files of a folder, and their bytes
//! Scratch       a small repository made for the demo and the tests
//! ```
//! Why the program and not a library: DESIGN §8. What keeps it harmless: DESIGN §9.6, in `run.rs`,
//! `own_home.rs` and `remote_url.rs`. No environment variable, clock or randomness is read here:
//! the caller hands in [`Environment`], [`Signature`] and [`Retry`].
//!
//! Not here: what an event means, which field of a file is edited, the APIs of git hosts, signed commits.

mod backoff;
mod branch_log;
mod branch_store;
mod cache;
mod changed;
mod checkout;
mod checkout_commits;
mod credential;
mod environment;
mod error;
mod held;
mod history;
mod import;
mod lookup;
mod may_push;
mod message;
mod objects;
mod own_home;
mod past;
mod process;
mod proposal;
mod remote_url;
mod revision;
mod run;
mod said;
mod scratch;
mod signature;
mod tree;
mod tree_path;
mod turns;
mod write_back;

pub use backoff::Retry;
pub use branch_log::{AddedFile, AlteredHow};
pub use branch_store::{Append, AppendError, Appended, BranchStore, Tip, Verified};
pub use changed::Lines;
pub use checkout::{Author, Checkout, Head, Origin, WorkTreeState};
pub use credential::Credential;
pub use environment::{Environment, Timeouts};
pub use error::GitError;
pub use history::{Ancestry, Commit, Log, Trailers, WhyUnknown};
pub use import::NewFile;
pub use may_push::MayPush;
pub use message::{Message, MessageError, SUBJECT_LEN_MAX, TRAILER_LEN_MAX, TRAILERS_MAX};
pub use objects::FILE_BYTES_MAX;
pub use past::{Begins, BlobId, Past, PastBytes, PastChanges, PastCommit, PastFile};
pub use proposal::{Proposed, TRAILER_OF_OURS};
pub use remote_url::{REMOTE_URL_LEN_MAX, RemoteUrl, RemoteUrlError};
pub use revision::{BranchName, Revision, RevisionError};
pub use run::{Git, VERSION_MIN};
pub use scratch::{Merge, Scratch};
pub use signature::{Signature, SignatureError};
pub use tree::{EntryKind, Tree, TreeEntry};
pub use tree_path::{TREE_PATH_LEN_MAX, TreePath, TreePathError};
pub use write_back::{Change, Landing, LandingError, WriteBack};
