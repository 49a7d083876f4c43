//! The story: A to uat and by promotion to prod, B by merge, C bad, back to B, back to A.
//!
//! ```text
//! develop  o───tea                     A: built for uat, promoted to prod
//!               \
//! prod     o─────merge───coffee        B: the merge's own build; C: the bad one
//! ```
//! One function a chapter, in the order in which they are told. What a command must answer is not looked at
//! here but in the transcript's test; here it must end with the exit code that the story expects.

use super::DemoError;
use super::project;
use super::runner;
use super::server::Server;
use super::shell::{Shell, Teller};
use domain::Timestamp;
use flows::Surroundings;
use std::path::{Path, PathBuf};

/// What the story needs from chapter to chapter.
pub(super) struct Story<'a> {
    pub(super) teller: Teller,
    pub(super) surroundings: &'a Surroundings,
    pub(super) folder: &'a Path,
    /// The one who develops and operates the shop, in her checkout.
    pub(super) ada: Shell,
    pub(super) registry: String,
    pub(super) pipelines: u32,
    pub(super) released: Timestamp,
}

/// Tells the whole story, and gives the registry that it started.
pub(super) async fn tell(
    teller: Teller,
    folder: &Path,
    surroundings: &Surroundings,
) -> Result<Server, DemoError> {
    let ada = ada(folder, surroundings)?;
    let released = Timestamp::from_millis(0);
    let registry = String::new();
    let mut story = Story { teller, surroundings, folder, ada, registry, pipelines: 0, released };
    let server = story.begin().await?;
    let a = story.a_commit_for_uat().await?;
    story.the_same_bytes_in_prod().await?;
    story.the_merge().await?;
    let before = story.a_bad_build().await?;
    let after = story.two_rollbacks().await?;
    story.the_answers(&a, before, after).await?;
    Ok(server)
}

/// Ada's shell: a home of her own, and her name.
fn ada(folder: &Path, surroundings: &Surroundings) -> Result<Shell, DemoError> {
    let home = folder.join("ada");
    let mut variables = runner::bare_variables(&home, &surroundings.variables)?;
    for (name, value) in [
        ("USER", "ada"),
        ("GIT_AUTHOR_NAME", "Ada"),
        ("GIT_AUTHOR_EMAIL", "ada@shop.example"),
        ("GIT_COMMITTER_NAME", "Ada"),
        ("GIT_COMMITTER_EMAIL", "ada@shop.example"),
    ] {
        variables.insert(name.to_owned(), value.to_owned());
    }
    let shell = Shell { folder: home, variables };
    runner::write_exports(&shell)?;
    Ok(shell)
}

impl Story<'_> {
    /// Two git repositories, a registry and its rule, and the project's first commit.
    async fn begin(&mut self) -> Result<Server, DemoError> {
        let root = self.ada.at(self.folder);
        self.teller.say(
            "This is Indelible on a sample project, in a folder of its own: no settings of yours are read.\n\
             Each command is printed as it is typed, with what it answered.",
        );
        if let Some(folder) = self.teller.program().parent() {
            let line = format!("export PATH={}:\"$PATH\"", folder.display());
            self.teller.line(&line);
        }
        self.teller.line(r#"env -i PATH="$PATH" sh"#);
        self.teller.typed_only(&self.ada, ". ./shell");
        self.teller.chapter("Two git repositories, and a registry on this machine");
        for repository in ["shop.git", "config.git"] {
            let words = ["git", "init", "--quiet", "--bare", "--initial-branch=main", repository];
            self.teller.run(&root, &words).await?;
        }
        let server = Server::start(&mut self.teller, &root).await?;
        self.registry = server.address().to_owned();
        self.teller
            .say("A tag names the same bytes for ever. The environments' own names may move:");
        let registry = self.registry.clone();
        let words =
            ["indelible", "rule", "set", "**", "{uat,prod}", "alias", "--registry", &registry];
        self.teller.run(&root, &words).await?;
        self.first_commits().await?;
        Ok(server)
    }

    /// The source on `prod` and `develop`; what runs in uat and prod on `main` of the other repository.
    async fn first_commits(&mut self) -> Result<(), DemoError> {
        let (shop, config) = (self.folder.join("ada/shop"), self.folder.join("ada/config"));
        project::write_source(&shop, &self.registry, &self.repository("config.git"))?;
        project::write_workloads(&config, &self.registry)?;
        project::write_changes(&self.folder.join("ada"))?;
        self.teller.say(
            "The files of examples/shop, with the addresses from above, and their first commits:",
        );
        for (folder, repository, branch) in
            [(config, "config.git", "main"), (shop, "shop.git", "prod")]
        {
            let shell = self.ada.at(folder);
            let at = self.repository(repository).display().to_string();
            let initial = format!("--initial-branch={branch}");
            self.teller.run(&shell, &["git", "init", "--quiet", &initial]).await?;
            self.teller.run(&shell, &["git", "add", "."]).await?;
            self.teller.run(&shell, &["git", "commit", "--quiet", "-m", "The shop"]).await?;
            self.teller.run(&shell, &["git", "remote", "add", "origin", &at]).await?;
            self.teller.run(&shell, &["git", "push", "--quiet", "origin", branch]).await?;
            self.ada = shell;
        }
        self.ada_runs(&["cat", "indelible.yaml"]).await
    }

    /// A commit on `develop` becomes build A, which goes to uat.
    async fn a_commit_for_uat(&mut self) -> Result<String, DemoError> {
        self.teller.chapter("A commit on develop: build A goes to uat");
        self.ada_runs(&["git", "switch", "--quiet", "--create", "develop"]).await?;
        self.ada_runs(&["git", "apply", "../changes/tea.patch"]).await?;
        self.ada_runs(&["git", "commit", "--quiet", "--all", "-m", "Sell tea"]).await?;
        let digest = self.pipeline("develop", "uat").await?;
        self.pin("uat", "The deploy is one commit, and its diff is the pin and nothing else")
            .await?;
        Ok(digest)
    }

    /// A goes on to prod: no build, no other bytes.
    async fn the_same_bytes_in_prod(&mut self) -> Result<(), DemoError> {
        self.teller.chapter("Ada promotes A: the same digest goes to prod");
        self.ada_runs(&["indelible", "promote", "uat", "prod", "api"]).await?;
        // The promotion took a tag of prod with its own second.
        self.released = self.surroundings.now().to_second();
        self.pin("prod", "Its tag of prod stands in the pin; the digest is the one that ran in uat")
            .await
    }

    /// `develop` is merged; the merge's own build B goes to prod.
    async fn the_merge(&mut self) -> Result<(), DemoError> {
        self.teller.chapter("develop is merged: the merge has a build of its own, B");
        self.ada_runs(&["git", "switch", "--quiet", "prod"]).await?;
        let words = ["git", "merge", "--quiet", "--no-ff", "-m", "Merge develop: tea", "develop"];
        self.ada_runs(&words).await?;
        self.pipeline("prod", "prod").await?;
        Ok(())
    }

    /// C sells coffee for a tenth of its price; gives a moment at which it is deployed.
    async fn a_bad_build(&mut self) -> Result<Timestamp, DemoError> {
        self.teller.chapter("A bad build: C goes straight to prod");
        self.ada_runs(&["git", "apply", "../changes/coffee.patch"]).await?;
        self.ada_runs(&["git", "commit", "--quiet", "--all", "-m", "Coffee at a new price"])
            .await?;
        self.pipeline("prod", "prod").await?;
        Ok(self.surroundings.now())
    }

    /// Back to B, which condemns C; then back to A, never to C. Gives a moment after both.
    async fn two_rollbacks(&mut self) -> Result<Timestamp, DemoError> {
        self.teller.chapter("Roll back: to B, and C is condemned");
        self.ada_runs(&["indelible", "rollback", "prod", "api"]).await?;
        self.pin("prod", "A rollback is a new deploy of older bytes").await?;
        self.teller.chapter("Roll back again: to A, never to C");
        self.ada_runs(&["indelible", "rollback", "prod", "api"]).await?;
        Ok(self.surroundings.now())
    }

    /// What happened, asked of the record.
    async fn the_answers(
        &mut self,
        a: &str,
        before: Timestamp,
        after: Timestamp,
    ) -> Result<(), DemoError> {
        self.teller.chapter("What happened, when, and where is it from?");
        self.ada_runs(&["indelible", "history", "prod"]).await?;
        self.teller.say("What was deployed in prod before the rollbacks, and after them?");
        self.ada_runs(&["indelible", "ran", "prod", "--at", &before.to_string()]).await?;
        self.ada_runs(&["indelible", "ran", "prod", "--at", &after.to_string()]).await?;
        self.teller.say("Where are these bytes from, and where did they go?");
        self.ada_runs(&["indelible", "trace", a]).await?;
        self.teller.say("Where did the name `prod` point in the registry?");
        let alias = format!("{}/shop/api:prod", self.registry);
        self.ada_runs(&["indelible", "history", &alias]).await
    }

    /// Shows the newest commit of the configuration.
    async fn pin(&mut self, environment: &str, words: &str) -> Result<(), DemoError> {
        self.teller.say(&format!("{words} (deploy/{environment}):"));
        let config = self.repository("config.git").display().to_string();
        let show =
            ["git", "-C", &config, "log", "-1", "--format=%B", "--patch", "--unified=1", "main"];
        self.ada_runs(&show).await
    }

    pub(super) async fn ada_runs(&mut self, words: &[&str]) -> Result<(), DemoError> {
        self.teller.run(&self.ada, words).await?;
        Ok(())
    }

    pub(super) fn repository(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }
}
