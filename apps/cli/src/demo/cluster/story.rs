//! The story in a cluster: what runs under a tag that moves; A to uat and prod; B after it; C does not start; back.
//!
//! ```text
//! deploy uat A -> promote A to prod -> B the same way -> C fails in prod -> rollback to B -> rollback to A -> what ran?
//! ```
//! One function a chapter. Here a command must end with the exit code that the story expects; what it says is looked at
//! by the test on the real cluster.

use super::settings;
use crate::demo::DemoError;
use crate::demo::background::Background;
use crate::demo::shell::{Shell, Teller};
use domain::Timestamp;
use flows::Surroundings;
use flows::demo::{SCENES, Stage};

/// The tag that the cluster's pods are begun with, and that is moved.
pub(super) const MOVES: &str = "edge";

/// What the story needs from chapter to chapter.
pub(super) struct Play<'a> {
    pub(super) teller: Teller,
    pub(super) shell: Shell,
    pub(super) stage: &'a Stage,
    pub(super) context: &'a str,
    pub(super) repository: String,
    pub(super) plain_http: Vec<String>,
    pub(super) surroundings: &'a Surroundings,
}

/// A build that was published.
struct Build {
    digest: String,
    tag: String,
}

impl Play<'_> {
    /// Tells the whole story.
    pub(super) async fn tell(mut self) -> Result<(), DemoError> {
        self.begin().await?;
        let a = self.a_tag_that_moves().await?;
        self.a_by_its_digest(&a).await?;
        let (_watcher, since) = self.watched().await?;
        self.the_same_bytes_in_prod().await?;
        let before = self.b_after_it().await?;
        self.c_does_not_start().await?;
        self.two_rollbacks().await?;
        self.the_answers(&a, since, before).await
    }

    /// Writes the settings.
    async fn begin(&mut self) -> Result<(), DemoError> {
        let file = self.shell.folder.join("indelible.yaml");
        let text = settings::text(self.stage, self.context, &self.repository);
        std::fs::write(&file, text).map_err(DemoError::io("write", &file))?;
        self.teller.chapter("Two environments: two namespaces of one cluster");
        if let Some(folder) = self.teller.program().parent() {
            let line = format!("export PATH={}:\"$PATH\"", folder.display());
            self.teller.line(&line);
        }
        let shell = self.shell.clone();
        self.teller.run(&shell, &["cat", "indelible.yaml"]).await.map(drop)
    }

    /// A first build runs under a tag; the tag goes on to A, and the pods do not.
    async fn a_tag_that_moves(&mut self) -> Result<Build, DemoError> {
        self.teller.chapter("What runs under a tag that moves");
        self.publish("before", "uat", &["--alias", MOVES, "--move-alias-back"]).await?;
        let image = format!("{}:{MOVES}", self.repository);
        self.teller.say(&format!(
            "The demo makes both namespaces now, with pods of {image}, and waits until they run."
        ));
        self.stage.clear().await?;
        self.stage.make(&image).await?;
        self.stage.wait_until_running().await?;
        self.teller.say("Build A is published, and takes the tag:");
        let a = self.publish("A", "uat", &["--alias", MOVES]).await?;
        self.teller.say(
            "What runs there now? The pods say so themselves; a tag that moved under them is found by exit code 1:",
        );
        self.status("uat", 1).await?;
        Ok(a)
    }

    /// A is deployed to uat by its digest.
    async fn a_by_its_digest(&mut self, a: &Build) -> Result<(), DemoError> {
        self.teller.chapter("Build A goes to uat, and its pods report it");
        self.teller.say(
            "Somebody else set the image that runs there: it is taken over because we say so. Done is when every pod\n\
             reports the digest that was decided.",
        );
        let wanted = format!("api={}", a.tag);
        self.indelible(&["deploy", "uat", &wanted, "--take-over"], 0).await?;
        self.teller
            .say("When the old pod has ended, nothing there can move, and nothing is found:");
        self.stage.wait_until_running().await?;
        self.status("uat", 0).await
    }

    /// From here on prod is watched; gives a moment behind its begin.
    async fn watched(&mut self) -> Result<(Background, Timestamp), DemoError> {
        self.teller.chapter("From now on prod is watched");
        let namespace = self.namespace("prod");
        let words = ["watch", "--context", self.context, "--namespace", &namespace];
        let words: Vec<&str> = std::iter::once("indelible").chain(words).collect();
        let words = self.with_hosts(words);
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let command = ("indelible watch", words.as_slice());
        let mut watcher = Background::start(&mut self.teller, &self.shell, command, "watch.log")?;
        let begun = format!("watching {}", self.context);
        let is_begun = |printed: &str| printed.contains(&begun).then_some(());
        watcher.wait_for("word of the cluster", is_begun).await?;
        Ok((watcher, self.surroundings.now()))
    }

    /// A goes on to prod: no build, no other bytes.
    async fn the_same_bytes_in_prod(&mut self) -> Result<(), DemoError> {
        self.teller.chapter("A is promoted: the same digest goes to prod");
        self.indelible(&["promote", "uat", "prod", "api", "--take-over"], 0).await
    }

    /// B takes the same way; gives a moment at which it runs.
    async fn b_after_it(&mut self) -> Result<Timestamp, DemoError> {
        self.teller.chapter("Build B takes the same way");
        let b = self.publish("B", "uat", &[]).await?;
        self.indelible(&["deploy", "uat", &format!("api={}", b.tag)], 0).await?;
        self.indelible(&["promote", "uat", "prod", "api"], 0).await?;
        self.stage.wait_until_running().await?;
        Ok(self.surroundings.now())
    }

    /// C ends as soon as it has begun.
    async fn c_does_not_start(&mut self) -> Result<(), DemoError> {
        self.teller.chapter("Build C goes straight to prod, and does not start");
        let c = self.publish_that_ends("C", "prod").await?;
        self.teller.say(
            "The deploy does not wait for a time-out: it ends when the cause is permanent, and says what the container said.",
        );
        self.indelible(&["deploy", "prod", &format!("api={}", c.tag)], 1).await
    }

    /// Back to B, which condemns C; then back to A, never to C.
    async fn two_rollbacks(&mut self) -> Result<(), DemoError> {
        self.teller.chapter("Roll back: to B, and C is condemned; again: to A, never to C");
        self.indelible(&["rollback", "prod", "api", "--reason", "C does not start"], 0).await?;
        self.indelible(&["rollback", "prod", "api", "--reason", "B sells no tea"], 0).await
    }

    /// What ran, asked of the record.
    async fn the_answers(
        &mut self,
        a: &Build,
        since: Timestamp,
        before: Timestamp,
    ) -> Result<(), DemoError> {
        self.teller.chapter("What ran, where, from when until when?");
        self.stage.wait_until_running().await?;
        self.until_it_is_recorded().await?;
        self.teller.say("What ran in prod before C came?");
        self.indelible(&["ran", "prod", "--at", &before.to_string()], 0).await?;
        self.teller
            .say("Where and when did A run? Exit code 2: it was in uat, and nobody watches uat.");
        self.indelible(&["ran", "--digest", &a.digest], 2).await?;
        self.teller.say("What was done to prod since it is watched, by whom, and what ran?");
        self.indelible(&["history", "prod", "--from", &since.to_string()], 0).await?;
        self.teller.say("What stands there now, decided, running and held?");
        self.indelible(&["status", "prod"], 0).await
    }

    /// Waits until the watcher has recorded that what was decided is all that runs: it hears of an end a moment later.
    async fn until_it_is_recorded(&mut self) -> Result<(), DemoError> {
        let words = self.with_hosts(vec!["indelible", "status", "prod"]);
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        self.teller.wait_until(&self.shell, &words, 0).await
    }

    async fn publish(
        &mut self,
        name: &str,
        environment: &str,
        more: &[&str],
    ) -> Result<Build, DemoError> {
        let (layout, says) = (format!("build-{name}"), format!("the shop, build {name}"));
        self.indelible(&["demo", "program", &layout, "--says", &says], 0).await?;
        self.publish_layout(&layout, environment, more).await
    }

    async fn publish_that_ends(
        &mut self,
        name: &str,
        environment: &str,
    ) -> Result<Build, DemoError> {
        let (layout, says) =
            (format!("build-{name}"), format!("build {name}: there is no database"));
        let words = ["demo", "program", &layout, "--says", &says, "--exits", "3"];
        self.indelible(&words, 0).await?;
        self.publish_layout(&layout, environment, &[]).await
    }

    async fn publish_layout(
        &mut self,
        layout: &str,
        environment: &str,
        more: &[&str],
    ) -> Result<Build, DemoError> {
        let (source, to) = (format!("oci:{layout}"), self.repository.clone());
        let words = ["publish", &source, "--to", &to, "--env", environment];
        let printed = self.answered(&[&words[..], more].concat(), 0).await?;
        let after = |word: &str| {
            let line = printed.lines().find_map(|line| line.strip_prefix(word));
            line.map(|rest| rest.trim().to_owned())
        };
        let silent =
            |missing| DemoError::Silent { command: "indelible publish".to_owned(), missing };
        let tag = after("tag ").and_then(|line| {
            let name = line.split_whitespace().next()?;
            Some(name.rsplit_once(':')?.1.to_owned())
        });
        Ok(Build {
            digest: after("digest ").ok_or_else(|| silent("its digest"))?,
            tag: tag.ok_or_else(|| silent("its tag"))?,
        })
    }

    async fn status(&mut self, environment: &str, exit: i32) -> Result<(), DemoError> {
        let (context, namespace) = (self.context, self.namespace(environment));
        self.indelible(&["status", "--context", context, "--namespace", &namespace], exit).await
    }

    async fn indelible(&mut self, words: &[&str], exit: i32) -> Result<(), DemoError> {
        self.answered(words, exit).await.map(drop)
    }

    async fn answered(&mut self, words: &[&str], exit: i32) -> Result<String, DemoError> {
        let words: Vec<&str> = std::iter::once("indelible").chain(words.iter().copied()).collect();
        let words = self.with_hosts(words);
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let shell = self.shell.clone();
        self.teller.run_to(&shell, &words, exit).await
    }

    /// The hosts without TLS are told to each command.
    fn with_hosts(&self, words: Vec<&str>) -> Vec<String> {
        let hosts =
            self.plain_http.iter().flat_map(|host| ["--plain-http".to_owned(), host.clone()]);
        words.into_iter().map(ToOwned::to_owned).chain(hosts).collect()
    }

    fn namespace(&self, environment: &str) -> String {
        let scene = SCENES.iter().find(|scene| scene.environment == environment);
        self.stage.namespace(*scene.expect("the story names its own environments"))
    }
}
