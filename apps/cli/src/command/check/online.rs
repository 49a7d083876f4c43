//! `check --online`: registries are asked too, and a cluster where one is named.
//!
//! ```text
//! indelible check . --online                     do tags and digests still mean what the files say?
//! indelible check . --online --context prod-eu   and is it what runs there?
//! ```

use crate::arguments::Global;
use crate::command::pin::lookup::age;
use crate::command::status::narrowed;
use crate::exit::Failure;
use clap::Args;
use flows::App;
use flows::files::{self, MAX_AGE_MS_DEFAULT, Online, Progress, Requirements, RunsIn};
use flows::look::{LookAt, NotRunning};
use std::path::PathBuf;

/// Who is asked beside the files.
#[derive(Debug, Args)]
pub(super) struct Asking {
    /// Ask registries too: which tags moved or are gone, which digests are lost
    #[arg(long)]
    online: bool,
    /// How old an answer of a registry may be that was asked before; 0 asks anew [default: 10m]
    #[arg(long, value_name = "DURATION", value_parser = age, requires = "online")]
    max_age: Option<i64>,
    /// Ask the cluster of this context of the kubeconfig whether it runs what is pinned
    #[arg(long, value_name = "NAME", requires = "online")]
    context: Option<String>,
    /// One namespace of it only
    #[arg(short, long, value_name = "NAMESPACE", requires = "context")]
    namespace: Option<String>,
}

impl Asking {
    /// Asks, where that is wanted.
    pub(super) async fn ask(
        &self,
        app: &App,
        global: &Global,
        paths: &[PathBuf],
        requirements: &Requirements,
    ) -> Result<Online, Failure> {
        if !self.online {
            return Ok(Online::default());
        }
        let sources = files::read(&app.surroundings().cwd, paths)?;
        let runs_in = match &self.context {
            Some(context) => Some(self.running(app, global, context, &sources).await?),
            None => None,
        };
        let (output, progress) = (global.output(), Progress::default());
        let max_age = self.max_age.unwrap_or(MAX_AGE_MS_DEFAULT);
        let runs_in = runs_in.as_ref();
        let asked = files::online(app, &sources, requirements, max_age, runs_in, &progress);
        let online = crate::progress::shown(output, &progress, asked).await?;
        for note in &online.notes {
            output.talk(note);
        }
        Ok(online)
    }

    /// What runs under the tags of the files.
    async fn running(
        &self,
        app: &App,
        global: &Global,
        context: &str,
        sources: &files::Sources,
    ) -> Result<RunsIn, Failure> {
        let at = LookAt { context: context.to_owned(), namespace: self.namespace.clone() };
        let tags = sources.tags();
        let running = flows::look::running(app, &at, &tags, NotRunning::LeftAlone).await?;
        narrowed(global, running.denied.as_deref(), running.only_in.as_deref());
        Ok(RunsIn { context: context.to_owned(), answers: running.answers })
    }
}
