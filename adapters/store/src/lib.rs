//! Where rows and bytes are kept: one SQLite file, and blobs as files beside it.
//!
//! ```text
//! data/lock  data/indelible.db  data/blobs/sha256/ab/<hex>  data/uploads/<uuid>
//! ```
//! [`DataFolder`] holds all of it for a server; [`Database`] alone is the local record's `record.db`
//! and the git record's cache. [`Catalog`] and [`Ledger`] are cheap handles to one database: a tag
//! write and its event are one transaction. Nothing here knows HTTP, and no clock is read for a stamp.

mod blobs;
mod catalog;
mod database;
mod folder;
mod ledger;
mod stamping;

pub use blobs::{
    BlobError, BlobLimits, BlobReader, Blobs, Removed, UPLOADS_OPEN_MAX, UploadWriter,
};
pub use catalog::{
    Catalog, DeleteError, Holder, IMAGE_FACTS_BYTES_MAX, IMAGE_PLATFORMS_MAX, Kept,
    MANIFEST_IN_ROW_BYTES_MAX, NewToken, PutDone, PutError, PutManifest, Rights, RuleError,
    StoredManifest, TOKEN_NAME_LEN_MAX, TOKENS_MAX, TagOutcome, TagRow, Token, TokenError,
    TokenHash, UnlockError, UnlockTag,
};
pub use database::{Database, DatabaseError, OpenError, READS_WAITING_MAX, WRITES_WAITING_MAX};
pub use folder::{DataFolder, FolderError, WriteOnce};
pub use ledger::{
    AppendError, Appended, InsertError, Inserted, Ledger, Order, PAGE_MAX, Problem, Query,
    Reserved, Verified,
};
pub use stamping::Stamping;
