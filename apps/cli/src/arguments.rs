//! What can be typed. The documentation of each field is its help.

use crate::command;
use crate::output::{Format, Output};
use clap::{ArgAction, Args, Parser, Subcommand};
use domain::RegistryHost;
use std::path::PathBuf;

/// One chain, unbroken and provable: commit, build, immutable tag, digest, workload file, what ran when.
#[derive(Debug, Parser)]
#[command(name = "indelible", version, max_term_width = 100, propagate_version = true)]
pub(crate) struct Arguments {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What every command may be told.
#[derive(Clone, Debug, Args)]
pub(crate) struct Global {
    /// Print one JSON document
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// Show what would be done, and do nothing
    #[arg(long, global = true)]
    pub(crate) dry_run: bool,
    /// Where the record is: local, git, git:URL, file:PATH or https://HOST
    #[arg(long, global = true, value_name = "WHERE")]
    pub(crate) record: Option<String>,
    /// The settings file, instead of indelible.yaml here or above
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// A registry that is spoken to without TLS; loopback needs none
    #[arg(long, global = true, value_name = "HOST")]
    pub(crate) plain_http: Vec<RegistryHost>,
    /// Say nothing but the result
    #[arg(short, long, global = true)]
    pub(crate) quiet: bool,
    /// Say more; twice for even more
    #[arg(short, long, global = true, action = ArgAction::Count)]
    pub(crate) verbose: u8,
    /// When to colour; what is printed today has no colour, the word is kept for scripts
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto", hide = true)]
    pub(crate) color: String,
}

impl Global {
    pub(crate) fn output(&self) -> Output {
        let format = if self.json { Format::Json } else { Format::Text };
        Output { format, quiet: self.quiet }
    }
}

/// The commands, in the order of the chain.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Show what runs in a cluster, and what is wrong about it
    Status(command::status::Arguments),
    /// List what can move: images that are not pinned as strictly as they should be
    Check(command::check::Arguments),
    /// Write the digest beside each tag
    Pin(command::pin::Arguments),
    /// Write one image's reference into files
    Set(command::set::Arguments),
    /// Take the digests out again
    Unpin(command::unpin::Arguments),
    /// Compute a build's tags
    Tag(command::tag::Arguments),
    /// Push a build, or adopt one, with create-only tags and aliases
    Publish(command::publish::Arguments),
    /// Copy an image from one place to another
    Copy(command::copy::Arguments),
    /// Bring builds to an environment
    Deploy(command::deploy::Arguments),
    /// Bring the same digest from one environment to the next
    Promote(command::promote::Arguments),
    /// Return to an older build; the one that is left is condemned
    Rollback(command::rollback::Arguments),
    /// Make automation wait
    Hold(command::hold::HoldArguments),
    /// Let automation go on, and give Argo CD the sync back that `--break-glass` suspended
    Resume(command::hold::ResumeArguments),
    /// Forbid a digest in every environment
    Block(command::block::Arguments),
    /// Let a digest into an environment
    Allow(command::allow::Arguments),
    /// Record what another tool did
    Note(command::note::Arguments),
    /// List what happened to an environment, a repository or a tag
    History(command::history::Arguments),
    /// Say what ran at a moment, or where a digest ran
    Ran(command::ran::Arguments),
    /// Say what changed in an environment between two moments: 0 answered, 2 where a moment is not known
    Diff(command::diff::Arguments),
    /// Follow a digest, tag, commit or imageID both ways along the chain
    Trace(command::trace::Arguments),
    /// Find where builds ran that lack a commit
    Exposure(command::exposure::Arguments),
    /// Record what runs in clusters, from when until when, as it happens
    Watch(command::watch::Arguments),
    /// List from when until when clusters were watched; outside of that nothing is known
    Watched(command::watched::Arguments),
    /// Objects that make a cluster keep an environment's rules by itself
    Policy(command::policy::Arguments),
    /// Which tags of a registry may move
    Rule(command::rule::Arguments),
    /// Let one immutable tag be moved, for at most an hour
    Unlock(command::unlock::Arguments),
    /// Tokens of a registry
    Token(command::token::Arguments),
    /// Run the registry
    Serve(command::serve::Arguments),
    /// Check the record itself
    Record(command::record::Arguments),
    /// Write settings that fit the tree that is here
    Init(command::init::Arguments),
    /// Try what deploy and publish will need, and say what mends it
    Doctor(command::doctor::Arguments),
    /// Walk a sample project through the whole chain
    Demo(command::demo::Arguments),
    /// Write the JSON Schema of the settings
    Schema(command::schema::Arguments),
    /// Write manual pages
    Man(command::man::Arguments),
    /// Write a shell's completions
    Completions(command::completions::Arguments),
}
