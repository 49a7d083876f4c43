//! One pipeline of the story: a push, a job that builds and publishes, a job that deploys.
//!
//! ```text
//! push of develop  ->  1-build: assemble, tag, publish --alias uat  ->  1-deploy: deploy uat
//! ```
//! Two runners, each with an empty home: all that the second knows is in git, the registry and the record.

use super::DemoError;
use super::runner::{self, Push};
use super::shell::Shell;
use super::story::Story;
use domain::Timestamp;

const SECOND_MS: i64 = 1000;

impl Story<'_> {
    /// Pushes Ada's branch; the CI builds and publishes it in one job and deploys it in another.
    pub(super) async fn pipeline(
        &mut self,
        branch: &'static str,
        environment: &str,
    ) -> Result<String, DemoError> {
        self.ada_runs(&["git", "push", "--quiet", "origin", branch]).await?;
        let words = ["git", "rev-parse", "HEAD"];
        let commit = self.teller.run(&self.ada, &words).await?.trim().to_owned();
        self.pipelines += 1;
        self.released = self.next_release();
        let push = Push { branch, commit, number: self.pipelines, release_time: self.released };
        let digest = self.build_job(&push, environment).await?;
        self.deploy_job(&push, environment).await?;
        Ok(digest)
    }

    async fn build_job(&mut self, push: &Push, environment: &str) -> Result<String, DemoError> {
        self.teller.say(&format!(
            "The CI is told of the push of {} and starts a runner: an empty home, a fresh clone.",
            push.branch
        ));
        let runner = self.runner(push, runner::BUILD)?;
        let source = self.repository("shop.git");
        let shop = runner::clone(&mut self.teller, &runner, push, &source).await?;
        let revision = push.commit.as_str();
        let words = ["indelible", "demo", "assemble", "api", "../image", "--revision", revision];
        self.teller.run(&shop, &words).await?;
        self.teller.run(&shop, &["indelible", "tag", "api"]).await?;
        let repository = format!("{}/shop/api", self.registry);
        let words =
            ["indelible", "publish", "oci:../image", "--to", &repository, "--alias", environment];
        self.teller.run(&shop, &words).await?;
        self.teller.leave(&self.ada.folder);
        runner::output(&runner, "digest")
    }

    async fn deploy_job(&mut self, push: &Push, environment: &str) -> Result<(), DemoError> {
        self.teller
            .say("The next job, on another runner, deploys what was built from this commit.");
        let runner = self.runner(push, runner::DEPLOY)?;
        let source = self.repository("shop.git");
        let shop = runner::clone(&mut self.teller, &runner, push, &source).await?;
        self.teller.run(&shop, &["indelible", "deploy", environment]).await?;
        self.teller.leave(&self.ada.folder);
        Ok(())
    }

    fn runner(&mut self, push: &Push, job: &str) -> Result<Shell, DemoError> {
        let ci = self.folder.join("ci");
        let runner = runner::make(&ci, job, push, &self.surroundings.variables)?;
        runner::enter(&mut self.teller, &runner, push, job);
        Ok(runner)
    }

    /// A second of its own for each pipeline, so that no two builds ask for one tag.
    fn next_release(&self) -> Timestamp {
        let now = self.surroundings.now().to_second();
        now.max(self.released.plus_millis(SECOND_MS))
    }
}
