//! Secrets that this server makes: `admin.token` in the data folder, once, and tokens for others.
//!
//! ```text
//! ind_0mK8…   "ind_" and 256 random bits in base64url
//! ```

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::Secret;
use store::{DataFolder, FolderError, WriteOnce};

/// The file's name in the data folder.
pub(crate) const ADMIN_TOKEN_FILE: &str = "admin.token";

/// A new secret that nobody can guess.
pub(crate) fn new_secret() -> Result<Secret, getrandom::Error> {
    let mut random = [0; 32];
    getrandom::fill(&mut random)?;
    Ok(Secret::new(format!("ind_{}", URL_SAFE_NO_PAD.encode(random))))
}

/// Reads the administrator's token, or makes it. Blocks.
pub(crate) fn admin_token(folder: &DataFolder, fresh: &Secret) -> Result<Secret, FolderError> {
    let contents = format!("{}\n", fresh.expose());
    match folder.write_once(ADMIN_TOKEN_FILE, contents.as_bytes())? {
        WriteOnce::Made => Ok(fresh.clone()),
        WriteOnce::There(found) => {
            Ok(Secret::new(String::from_utf8_lossy(&found).trim().to_owned()))
        }
    }
}
