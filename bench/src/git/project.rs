//! A configuration repository of many apps, a registry that has their builds, and the commands that deploy them.

use std::fmt::Write as _;
use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result, ensure};
use e2e::{Image, Server, push};

/// Apps in one repository. Source: DESIGN §10.
pub(super) const REPOSITORIES: usize = 100;

/// Everything that writers work on.
pub(super) struct Project {
    indelible: PathBuf,
    folder: PathBuf,
    /// By round; the first is what stands there before.
    digests: Vec<String>,
    _server: Server,
}

/// A deploy that is under way.
pub(super) struct Writer {
    child: Option<Child>,
}

impl Project {
    pub(super) fn make(indelible: &Path, folder: &Path) -> Result<Self> {
        fs::create_dir_all(folder)?;
        let server = Server::start_binary(indelible, &folder.join("registry"))?;
        let digests = push_builds(&server)?;
        let host = server.host().to_owned();
        write_config(folder, &host)?;
        let work = folder.join("work");
        fs::create_dir_all(&work)?;
        fs::write(work.join("indelible.yaml"), settings(folder, &host))?;
        let project = Self {
            indelible: indelible.to_owned(),
            folder: folder.to_owned(),
            digests,
            _server: server,
        };
        for digest in &project.digests[1..] {
            let mut allow = project.command("admin");
            allow.args(["allow", digest, "prod", "--reason", "measured"]);
            Writer::start(allow)?.finish()?;
        }
        Ok(project)
    }

    pub(super) fn digest(&self, round: usize) -> &str {
        &self.digests[round]
    }

    /// Begins to deploy some apps, in a home that has this name.
    pub(super) fn writer(&self, home: &str, apps: Range<usize>, round: usize) -> Result<Writer> {
        let mut command = self.command(home);
        command.args(["deploy", "prod"]);
        command.args(apps.map(|app| format!("{}={}", name(app), self.digest(round))));
        Writer::start(command)
    }

    fn command(&self, home: &str) -> Command {
        let home = self.folder.join("homes").join(home);
        let mut command = Command::new(&self.indelible);
        command
            .current_dir(self.folder.join("work"))
            .env("HOME", &home)
            .env("INDELIBLE_ACTOR", "bench")
            .env_remove("XDG_CACHE_HOME")
            .env_remove("XDG_DATA_HOME");
        command
    }

    /// Every app says what it should, and every deploy is recorded.
    pub(super) fn check(&self, round: usize) -> Result<()> {
        let bare = self.folder.join("config.git");
        for app in 0..REPOSITORIES {
            let file = format!("main:apps/{}/deployment.yaml", name(app));
            let text = git(&bare, &["show", &file])?;
            ensure!(text.contains(self.digest(round)), "{file} was lost");
        }
        let listed = git(&bare, &["ls-tree", "-r", "--name-only", "indelible/record", "events"])?;
        // One event for each deploy, and one for each digest that was allowed.
        let expected = REPOSITORIES * round + self.digests.len() - 1;
        let found = listed.lines().count();
        ensure!(found == expected, "{found} events are recorded, not {expected}");
        Ok(())
    }
}

impl Writer {
    fn start(mut command: Command) -> Result<Self> {
        let child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .with_context(|| format!("cannot run {}", command.get_program().to_string_lossy()))?;
        Ok(Self { child: Some(child) })
    }

    /// Waits until it ends, which it must do well.
    pub(super) fn finish(&mut self) -> Result<()> {
        let child = self.child.take().context("it was waited for already")?;
        let output = child.wait_with_output()?;
        let said = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "it ended with {}: {said}", output.status);
        Ok(())
    }
}

/// The same four builds in every repository, so that each has to be allowed once.
fn push_builds(server: &Server) -> Result<Vec<String>> {
    let images = ["before", "first", "second", "third"].map(Image::oci);
    let images = images.into_iter().collect::<Result<Vec<_>>>()?;
    let mut http = server.connect()?;
    for app in 0..REPOSITORIES {
        for (round, image) in images.iter().enumerate() {
            push(&mut http, &format!("bench/{}", name(app)), &format!("v{round}"), image)?;
        }
    }
    Ok(images.iter().map(Image::digest).collect())
}

fn settings(folder: &Path, host: &str) -> String {
    let config = folder.join("config.git").display().to_string();
    let mut text = format!("version: 1\nrecord: 'git:{config}'\nimages:\n");
    for app in 0..REPOSITORIES {
        let name = name(app);
        let _ = writeln!(text, "  {name}: {{repository: {host}/bench/{name}}}");
    }
    text.push_str("environments:\n  prod:\n    branches: [main]\n    deploy: git\n");
    let _ = writeln!(text, "    git: {{repository: '{config}', path: apps}}");
    text
}

/// A bare repository with one Deployment an app.
pub(super) fn write_config(folder: &Path, host: &str) -> Result<()> {
    let (bare, work) = (folder.join("config.git"), folder.join("config"));
    git(folder, &["init", "--quiet", "--bare", "--initial-branch=main", "config.git"])?;
    git(folder, &["init", "--quiet", "--initial-branch=main", "config"])?;
    for app in 0..REPOSITORIES {
        let at = work.join("apps").join(name(app));
        fs::create_dir_all(&at)?;
        fs::write(at.join("deployment.yaml"), deployment(&name(app), host))?;
    }
    git(&work, &["add", "."])?;
    git(&work, &["commit", "--quiet", "-m", "Begin"])?;
    let bare = bare.display().to_string();
    git(&work, &["push", "--quiet", &bare, "HEAD:main"])?;
    Ok(())
}

fn deployment(name: &str, host: &str) -> String {
    format!(
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: {name}}}\nspec:\n  selector: {{matchLabels: {{app: {name}}}}}\n  \
         template:\n    metadata: {{labels: {{app: {name}}}}}\n    spec:\n      containers:\n      - name: {name}\n        \
         image: {host}/bench/{name}:v0\n"
    )
}

pub(super) fn name(app: usize) -> String {
    format!("app-{app:03}")
}

/// Runs git with nothing of the user's settings.
pub(super) fn git(folder: &Path, arguments: &[&str]) -> Result<String> {
    let output = Command::new("git")
        .args(["-c", "user.name=bench", "-c", "user.email=bench@example.com"])
        .args(arguments)
        .current_dir(folder)
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .output()
        .context("cannot run git")?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "git {arguments:?}: {said}");
    Ok(String::from_utf8(output.stdout)?)
}
