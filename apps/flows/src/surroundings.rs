//! What a command finds around it: variables, folder, clock, randomness. All of it is an argument.
//!
//! ```text
//! { cwd: /home/ada/shop, GITHUB_ACTIONS=true, … , now: 2026-03-17T14:39:58Z }
//! ```
//! Only the command line reads the process's own; tests hand in what they like.

use domain::Timestamp;
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::Arc;

/// A clock.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;
/// A source of randomness, 128 bits a call.
pub type Entropy = Arc<dyn Fn() -> u128 + Send + Sync>;

/// The surroundings of one command.
#[derive(Clone)]
pub struct Surroundings {
    /// The folder in which it was started.
    pub cwd: PathBuf,
    /// The variables that are text.
    pub variables: BTreeMap<String, String>,
    /// The clock.
    pub clock: Clock,
    /// Randomness for ids and for waits.
    pub entropy: Entropy,
}

impl Surroundings {
    /// The moment.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        (self.clock)()
    }

    /// 128 random bits.
    #[must_use]
    pub fn random(&self) -> u128 {
        (self.entropy)()
    }

    /// 64 random bits, for the seed of a wait.
    #[must_use]
    pub fn seed(&self) -> u64 {
        // The low half; a seed needs no more.
        u64::try_from(self.random() & u128::from(u64::MAX)).unwrap_or_default()
    }

    /// A variable that is set and not empty.
    #[must_use]
    pub fn variable(&self, name: &str) -> Option<&str> {
        self.variables.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// What the git program gets to see.
    #[must_use]
    pub fn for_git(&self) -> git::Environment {
        let variables = self.variables.iter();
        git::Environment::from_variables(
            variables.map(|(name, value)| (OsString::from(name), OsString::from(value))),
        )
    }

    /// The folder for data of this user: `$XDG_DATA_HOME`, else `~/.local/share`.
    #[must_use]
    pub fn data_home(&self) -> Option<PathBuf> {
        self.base("XDG_DATA_HOME", ".local/share")
    }

    /// The folder for what may be deleted at any time: `$XDG_CACHE_HOME`, else `~/.cache`.
    #[must_use]
    pub fn cache_home(&self) -> Option<PathBuf> {
        self.base("XDG_CACHE_HOME", ".cache")
    }

    /// Source: XDG base directory specification: a path that is not absolute is passed over.
    fn base(&self, variable: &str, below_home: &str) -> Option<PathBuf> {
        let absolute =
            |name| self.variable(name).map(PathBuf::from).filter(|path| path.is_absolute());
        absolute(variable).or_else(|| Some(absolute("HOME")?.join(below_home)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base_folders_follow_the_specification() {
        let with = |variables: &[(&str, &str)]| Surroundings {
            cwd: PathBuf::from("/"),
            variables: variables.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect(),
            clock: Arc::new(|| Timestamp::from_millis(0)),
            entropy: Arc::new(|| 0),
        };
        let home = [("HOME", "/home/ada")];
        assert_eq!(with(&home).data_home(), Some("/home/ada/.local/share".into()));
        assert_eq!(
            with(&[("HOME", "/h"), ("XDG_CACHE_HOME", "/c")]).cache_home(),
            Some("/c".into())
        );
        assert_eq!(
            with(&[("HOME", "/h"), ("XDG_CACHE_HOME", "c")]).cache_home(),
            Some("/h/.cache".into())
        );
        assert_eq!(with(&[]).data_home(), None);
    }
}
