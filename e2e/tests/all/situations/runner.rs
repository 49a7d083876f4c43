//! A machine that runs commands for a while: its own empty home, its own clone, only the variables it is given.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

/// Where commands are run.
pub(crate) struct Runner {
    home: PathBuf,
    pub(crate) cwd: PathBuf,
    variables: BTreeMap<String, String>,
}

/// A command that ended.
#[derive(Debug)]
pub(crate) struct Ran {
    typed: String,
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    pub(crate) took: Duration,
}

impl Runner {
    /// A machine with an empty home, and `folder` to work in.
    pub(crate) fn new(home: &Path, cwd: &Path) -> Self {
        std::fs::create_dir_all(home).unwrap();
        std::fs::create_dir_all(cwd).unwrap();
        Self { home: home.to_owned(), cwd: cwd.to_owned(), variables: BTreeMap::new() }
    }

    pub(crate) fn with<'a>(
        mut self,
        variables: impl IntoIterator<Item = (&'a str, String)>,
    ) -> Self {
        let variables = variables.into_iter();
        self.variables.extend(variables.map(|(name, value)| (name.to_owned(), value)));
        self
    }

    /// The same machine, with more variables.
    pub(crate) fn also<'a>(&self, variables: impl IntoIterator<Item = (&'a str, String)>) -> Self {
        let Self { home, cwd, variables: own } = self;
        Self { home: home.clone(), cwd: cwd.clone(), variables: own.clone() }.with(variables)
    }

    /// Runs `indelible` with these arguments.
    #[must_use = "a command that failed is noticed by `.exits(0)`"]
    pub(crate) fn run(&self, arguments: &[&str]) -> Ran {
        self.start(Command::new(testbed::indelible_bin().unwrap()).args(arguments))
    }

    /// As [`Runner::run`], and reads the one JSON document that it prints.
    pub(crate) fn json(&self, arguments: &[&str]) -> Value {
        let mut with_json = arguments.to_vec();
        with_json.push("--json");
        self.run(&with_json).exits(0).json()
    }

    /// Runs git here.
    pub(crate) fn git(&self, arguments: &[&str]) -> String {
        let ran = self.start(Command::new("git").args(arguments)).exits(0);
        ran.stdout.trim_end().to_owned()
    }

    /// Starts `indelible` with these arguments, and does not wait for it.
    pub(crate) fn begin(&self, arguments: &[&str]) -> Child {
        let mut command = Command::new(testbed::indelible_bin().unwrap());
        self.prepared(command.args(arguments))
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap()
    }

    #[expect(clippy::disallowed_methods, reason = "git is where the machine's PATH says")]
    fn prepared<'a>(&self, command: &'a mut Command) -> &'a mut Command {
        let path = std::env::var_os("PATH").unwrap_or_default();
        command
            .current_dir(&self.cwd)
            .env_clear()
            .env("PATH", path)
            .env("HOME", &self.home)
            .env("TZ", "UTC")
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GIT_AUTHOR_NAME", "Ada")
            .env("GIT_AUTHOR_EMAIL", "ada@example.com")
            .env("GIT_COMMITTER_NAME", "Ada")
            .env("GIT_COMMITTER_EMAIL", "ada@example.com")
            .envs(&self.variables)
            .stdin(Stdio::null())
    }

    fn start(&self, command: &mut Command) -> Ran {
        let started = Instant::now();
        let output = self.prepared(command).output().unwrap();
        Ran {
            typed: format!("{command:?}"),
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
            took: started.elapsed(),
        }
    }
}

impl Ran {
    #[track_caller]
    pub(crate) fn exits(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{self}");
        self
    }

    /// Says each of these words to people.
    #[track_caller]
    pub(crate) fn says(self, words: &[&str]) -> Self {
        for word in words {
            assert!(self.stderr.contains(word), "`{word}` is not said: {self}");
        }
        self
    }

    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {self}"))
    }
}

impl std::fmt::Display for Ran {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { typed, code, stdout, stderr, .. } = self;
        write!(f, "{typed}\n{stdout}{stderr}[exit {code:?}]")
    }
}

/// The text behind a path of keys and numbers: `text(&json, "images.0.to")`.
#[track_caller]
pub(crate) fn text<'a>(json: &'a Value, path: &str) -> &'a str {
    let found = path.split('.').try_fold(json, |value, key| match key.parse::<usize>() {
        Ok(at) => value.get(at),
        Err(_) => value.get(key),
    });
    found.and_then(Value::as_str).unwrap_or_else(|| panic!("no text at {path}: {json:#}"))
}

/// The warnings of the first image of a report.
pub(crate) fn warnings(report: &Value) -> Vec<String> {
    let warnings = report["images"][0]["warnings"].as_array().unwrap();
    warnings.iter().map(|warning| warning.as_str().unwrap().to_owned()).collect()
}
