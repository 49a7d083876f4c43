//! A folder with files, in which the binary runs as for a new user; its transcript with places replaced.
//!
//! ```text
//! sandbox().file("compose.yaml", "…").run(["check", "."])  ->  stdout, [stderr] and its lines, [exit 1]
//! ```

use std::ffi::OsStr;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

/// The digest that most fixtures have: 64 times the same digit, so that they can be read.
pub(crate) const NINES: &str =
    "sha256:9999999999999999999999999999999999999999999999999999999999999999";
/// Another.
pub(crate) const ONES: &str =
    "sha256:1111111111111111111111111111111111111111111111111111111111111111";

/// A folder of its own, and what is replaced in transcripts.
pub(crate) struct Sandbox {
    folder: tempfile::TempDir,
    replaced: Vec<(String, String)>,
    variables: Vec<(String, String)>,
}

/// An empty folder, in no git repository and with no settings above it.
pub(crate) fn sandbox() -> Sandbox {
    let folder = tempfile::tempdir().unwrap();
    for inside in ["work", "home"] {
        std::fs::create_dir(folder.path().join(inside)).unwrap();
    }
    let replaced =
        vec![(NINES.to_owned(), "[nines]".to_owned()), (ONES.to_owned(), "[ones]".to_owned())];
    Sandbox { folder, replaced, variables: Vec::new() }
}

impl Sandbox {
    /// Adds a file, with its folders.
    pub(crate) fn file(self, path: &str, text: impl AsRef<[u8]>) -> Self {
        self.write(path, text);
        self
    }

    /// Writes a file.
    pub(crate) fn write(&self, path: &str, text: impl AsRef<[u8]>) {
        let path = self.path(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    /// What is replaced in transcripts, and by what.
    pub(crate) fn replacing(mut self, what: impl Into<String>, by: &str) -> Self {
        self.replaced.push((what.into(), by.to_owned()));
        self
    }

    /// A variable that the binary finds.
    pub(crate) fn variable(mut self, name: &str, value: impl Into<String>) -> Self {
        self = self.without(name);
        self.variables.push((name.to_owned(), value.into()));
        self
    }

    /// The same without a variable.
    pub(crate) fn without(mut self, name: &str) -> Self {
        self.variables.retain(|(known, _)| known != name);
        self
    }

    /// A path in the folder.
    pub(crate) fn path(&self, path: &str) -> PathBuf {
        self.folder.path().join("work").join(path)
    }

    /// A file's text, with the replacements.
    pub(crate) fn text(&self, path: &str) -> String {
        self.replace(std::fs::read_to_string(self.path(path)).unwrap())
    }

    /// The home of whoever runs here.
    pub(crate) fn home(&self) -> PathBuf {
        self.folder.path().join("home")
    }

    /// Runs the binary; gives its transcript.
    pub(crate) fn run<I: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = I>) -> String {
        self.transcript(&self.output(arguments, b""))
    }

    /// Runs the binary with something on standard input.
    pub(crate) fn pipe<I: AsRef<OsStr>>(
        &self,
        arguments: impl IntoIterator<Item = I>,
        input: &[u8],
    ) -> String {
        self.transcript(&self.output(arguments, input))
    }

    /// Runs the binary; gives what it answered.
    pub(crate) fn output<I: AsRef<OsStr>>(
        &self,
        arguments: impl IntoIterator<Item = I>,
        input: &[u8],
    ) -> Output {
        let mut child = self.begin(arguments);
        // A command that does not read its input closes it: that is no failure of the test.
        let _ = child.stdin.take().unwrap().write_all(input);
        child.wait_with_output().unwrap()
    }

    /// Starts the binary, and does not wait for it.
    pub(crate) fn begin<I: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = I>) -> Child {
        let mut command = Command::new(env!("CARGO_BIN_EXE_indelible"));
        command
            .env_clear()
            .env("PATH", "/usr/bin:/bin")
            .env("HOME", self.home())
            .envs(self.variables.iter().map(|(name, value)| (name, value)))
            .current_dir(self.path(""))
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command.spawn().unwrap()
    }

    /// Waits for what was started; gives its transcript.
    pub(crate) fn ended(&self, child: Child) -> String {
        self.transcript(&child.wait_with_output().unwrap())
    }

    fn transcript(&self, output: &Output) -> String {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let mut said = text(&output.stdout);
        if !output.stderr.is_empty() {
            said.push_str("[stderr]\n");
            said.push_str(&text(&output.stderr));
        }
        let code = output.status.code().map_or("killed".to_owned(), |code| code.to_string());
        said.push_str(&format!("[exit {code}]\n"));
        self.replace(said)
    }

    fn replace(&self, text: String) -> String {
        let folder = self.path("");
        let folder = folder.to_string_lossy();
        let text = text.replace(folder.trim_end_matches('/'), "[folder]");
        self.replaced.iter().fold(text, |text, (what, by)| text.replace(what, by))
    }
}

/// The names in a folder, sorted: what a command leaves behind.
pub(crate) fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap();
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}
